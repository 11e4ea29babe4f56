// The strip of steps below the picture: a cell for each, loops folded into one cell.
import { h, inView } from "./player_elements.js";

const WINDOW = 160; // cells that exist at once: a run may have thousands of steps

function stepCell(step, index, longest) {
  const [kind, line, title, short, ms, fromCache] = step;
  const words = `line ${line}: ${title}${short ? ` → ${short}` : ""}`;
  const node = h(`button.vp-${kind}`, {
    type: "button",
    title: words,
    "aria-label": `Step ${index + 1}, ${words}`,
  });
  if (kind === "tick") node.append(String(line));
  else node.append(h("strong", {}, title), h("span", {}, short));
  if (kind === "tool" && longest > 0) node.append(timeBar(ms / longest));
  if (fromCache) node.classList.add("vp-cached");
  return node;
}

const timeBar = (share) =>
  h(
    "svg:svg",
    { viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
    h("svg:rect", { width: Math.max(100 * share, 1), height: 4 }),
  );

/**
 * The strip of a model's steps as `node`.
 *
 * go       moves the cursor; pick  moves it because somebody chose that step
 * Returns  {node, moveTo, mark, byTime, cite}: `moveTo(index)` follows the cursor, `mark(index)`
 *          shows the first wrong step, `byTime(on)` makes cells as wide as their time,
 *          `cite(steps)` lights cells up, null none.
 */
export function stripOf({ steps, folds }, { go, pick }) {
  const node = h("div.vp-strip", { role: "group", "aria-label": "Steps" });
  const longest = steps.reduce((most, step) => Math.max(most, step[4]), 0);
  const open = new Set();
  let at = -1;
  let items = [];
  let cells = new Map();
  let heads = new Map();
  let wrong = null;
  let timed = false;

  const holds = (fold, index) => index >= fold.from && index < fold.to;
  // A loop that the run begins with has no step before it, where the cursor could wait outside.
  let shut = folds.find((fold) => fold.from === 0) ?? null;
  const isOpen = (fold) => open.has(fold) || (holds(fold, at) && fold !== shut);

  /** What the strip holds: steps, and loops that are folded or opened. */
  function lay() {
    items = [];
    let index = 0;
    for (const fold of [...folds, null]) {
      while (index < (fold?.from ?? steps.length)) items.push({ index: index++ });
      if (!fold) break;
      items.push({ fold });
      if (isOpen(fold)) while (index < fold.to) items.push({ index: index++ });
      index = fold.to;
    }
  }

  function fill() {
    const place = items.findIndex((item) => item.index === at);
    const here = Math.max(place, 0);
    const from = Math.max(0, Math.min(here - WINDOW / 2, items.length - WINDOW));
    const inside = items.slice(from, from + WINDOW);
    const cut = folds.find((fold) => holds(fold, inside[0]?.index)); // its head is left out
    if (cut) inside.unshift({ fold: cut });
    cells = new Map();
    heads = new Map();
    node.replaceChildren(...inside.map((item) => (item.fold ? foldCell(item.fold) : cell(item))));
    mark(wrong);
  }

  function foldCell(fold) {
    const on = isOpen(fold);
    const rounds = fold.rounds.length;
    const toggle = () => {
      const inside = holds(fold, at);
      if (on) open.delete(fold);
      else open.add(fold);
      if (on && fold.from === 0) shut = fold;
      if (on && inside) go(Math.max(fold.from - 1, 0));
      else if (!on) go(fold.from);
      lay();
      fill();
      reveal();
    };
    const head = h(
      "button.vp-fold",
      {
        type: "button",
        "aria-expanded": String(on),
        title: `loop in line ${fold.line}, ${rounds} rounds`,
        onclick: toggle,
      },
      h("strong", {}, `${on ? "▾" : "▸"} ×${rounds}`),
      h("span", {}, `line ${fold.line}`),
    );
    heads.set(fold, head);
    return head;
  }

  function cell({ index }) {
    const step = steps[index];
    const button = stepCell(step, index, longest);
    button.addEventListener("click", () => pick(index));
    if (timed) {
      const width = Math.round((360 * step[4]) / (longest || 1));
      button.style.width = `${Math.max(22, width)}px`;
    }
    cells.set(index, button);
    return button;
  }

  function reveal() {
    const button = cells.get(at) ?? heads.get(folds.find((fold) => holds(fold, at)));
    if (!button) return;
    for (const one of node.querySelectorAll("[aria-current]")) one.removeAttribute("aria-current");
    button.setAttribute("aria-current", "step");
    inView(node, button, "along");
  }

  /** Whether a step has its cell, or lies in a loop that is folded. */
  const isDrawn = (index) => cells.has(index) || !items.some((item) => item.index === index);

  function moveTo(index) {
    const before = folds.filter(isOpen);
    at = index;
    if (at > 0) shut = null;
    const after = folds.filter(isOpen);
    const same = before.length === after.length && before.every((fold) => after.includes(fold));
    if (!same || !items.length) {
      lay();
      fill();
    }
    if (![at - 1, at, at + 1].every(isDrawn)) fill();
    reveal();
  }

  function mark(index) {
    wrong = index;
    for (const one of node.querySelectorAll(".vp-wrong")) one.classList.remove("vp-wrong");
    if (index !== null) cells.get(index)?.classList.add("vp-wrong");
  }

  function byTime(on) {
    timed = on;
    node.classList.toggle("vp-timed", on);
    fill();
    reveal();
  }

  function cite(list) {
    for (const index of list ?? []) cells.get(index)?.classList.add("vp-cited");
    if (list) return;
    for (const one of node.querySelectorAll(".vp-cited")) one.classList.remove("vp-cited");
  }

  return { node, moveTo, mark, byTime, cite };
}
