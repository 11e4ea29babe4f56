// What the parts of Compare share: the elements of the page, its columns, and what is asked.
import { column } from "./side.js";

export const find = (name) => document.querySelector(`[data-${name}]`);
export const main = document.querySelector("main.compare");
export const form = find("ask");
export const question = find("question");
export const votes = find("votes");
export const headline = find("headline");
export const mayDecide = document.body.dataset.role !== "viewer";
export const sideNames = main.dataset.sides.split(" ");

/** A finished job's model, as the student; empty: the profile's. */
export const model = () => find("model")?.value ?? "";

/** @type {Record<string, Record<string, {title: string, model: string}>>} By job, then by side. */
const NAMES = JSON.parse(main.dataset.names);

/** What a side is called, and which model answers; empty for one that this student lacks. */
const nameOf = (side) => NAMES[model()]?.[side] ?? { title: "", model: "" };

export const sides = Object.fromEntries(
  sideNames.map((side) => [side, column(side, nameOf(side).title, () => cancel(side))]),
);

export const state = {
  picture: null,
  /** Id of the project's question; empty for one's own. */
  task: "",
  run: "",
  startTime: 0,
  order: ["pipeline", "student"],
  hasVote: false,
  /** Which side is which is known, once a vote has told. */
  wasSeen: false,
  measuring: false,
  /** Seconds to each answer that no model had to load for. */
  warm: { pipeline: [], student: [] },
};

const hasBase = () => "base" in (NAMES[model()] ?? {});
const third = () => hasBase() && find("base")?.checked;
export const columnSides = () => [...state.order, ...(third() ? ["base"] : [])];
export const isBusy = () => Object.values(sides).some((side) => side.busy);

const SHORT = { pipeline: "Pipeline", student: "Student" };

/** The columns in their order, with their names or without. */
export function lay() {
  const blind = find("blind").checked && !state.wasSeen;
  const shown = columnSides();
  find("columns").replaceChildren(...shown.map((side) => sides[side].node));
  find("board").replaceChildren(...shown.map((side) => sides[side].tile));
  shown.forEach((side, index) => {
    const name = nameOf(side);
    sides[side].name(blind && side !== "base" ? `Side ${"AB"[index]}` : name.title, name.model);
    sides[side].hide(blind);
  });
  find("columns").dataset.blind = String(blind);
  if (find("base")) find("base").disabled = !hasBase();
  const labels = votes.querySelectorAll("[data-vote] span"); // of both sides, then of neither
  state.order.forEach((side, at) => {
    labels[at].textContent = blind ? `Side ${"AB"[at]}` : SHORT[side];
  });
}

export async function cancel(side) {
  await fetch("do/compare/cancel", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ run: state.run, side: side ?? null }),
    keepalive: true,
  }).catch(() => {});
}

export const unpress = () =>
  votes.querySelectorAll("[aria-pressed]").forEach((one) => one.removeAttribute("aria-pressed"));

/** The votes of a question that nobody has voted on. */
export function openVotes() {
  state.hasVote = state.wasSeen = false;
  unpress();
  votes.querySelectorAll("button").forEach((button) => {
    button.disabled = !mayDecide && !("next" in button.dataset);
  });
  find("note").value = "";
  votes.hidden = false;
}
