// Train: which view the address asks for, the list of jobs, and the look every few seconds that all
// views share.
import { amount, clock, dateTime, h } from "./dom.js";
import { keys } from "./keys.js";
import { get, toast } from "./server.js";
import { job } from "./train_job.js";
import { walkthrough } from "./train_new.js";
import { actions, admin, nameOf, FINAL, main, progress, right, state } from "./train_parts.js";
import { together } from "./train_together.js";

/** @typedef {import("../js/types").JobListing} JobListing */

function viewName() {
  if (params.has("new") && admin) return "new";
  if (params.has("job")) return "job";
  return params.has("jobs") ? "together" : "list";
}

const place = document.querySelector("[data-view]");
const params = new URL(location.href).searchParams;
const view = viewName();
const fast = Number(params.get("every")) * 1000;
const before = new Map(); // state of each job at the last look
const lines = new Map(); // of the list: what each was made from, and its node
const picks = new Set(params.get("jobs")?.split(",").filter(Boolean) ?? []);
let jobs = null;
let answer = null; // when the server answered last
let timer = null;
let panel = null;

document.querySelectorAll("[data-tab]").forEach((one) => {
  if (one.dataset.tab === view) one.setAttribute("aria-current", "page");
});

// --- a message when a job ends, for who wants one

const wantsMessages = () =>
  "Notification" in window &&
  Notification.permission === "granted" &&
  localStorage.getItem("vpd-notify") === "on";

function tell() {
  for (const one of jobs) {
    const was = before.get(one.id);
    if (was && was !== one.state && FINAL.includes(one.state) && !FINAL.includes(was)) {
      if (wantsMessages()) {
        new Notification(`${nameOf(one)}: ${one.state}`, {
          body:
            one.state === "done" ? `right on ${right(one)} held-out questions` : (one.cause ?? ""),
          tag: one.id,
        });
      }
      if (view === "new") toast(`${nameOf(one)}: ${one.state}`);
    }
    before.set(one.id, one.state);
  }
}

function bell() {
  if (!("Notification" in window)) return null;
  const words = () =>
    wantsMessages() ? "You will be told when a job ends" : "Tell me when a job ends";
  const node = h(
    "button.button.small.plain",
    {
      type: "button",
      dataset: { bell: "" },
      "aria-pressed": String(wantsMessages()),
      title: "A message of your browser, while this page is open in any tab",
      onclick: async () => {
        if (wantsMessages()) localStorage.removeItem("vpd-notify");
        else if ((await Notification.requestPermission()) === "granted") {
          localStorage.setItem("vpd-notify", "on");
        } else {
          toast(
            "The browser does not allow messages from this page; it can be allowed beside the address.",
            "bad",
          );
        }
        node.setAttribute("aria-pressed", String(wantsMessages()));
        node.textContent = words();
      },
    },
    words(),
  );
  return node;
}

// --- the list

/** @param {JobListing} one */
function startShare(one) {
  if (one.first === null || one.first === undefined) return "";
  return ` from ${(100 * one.first).toFixed(1)} %`;
}

/** @param {JobListing} one */
function outcome(one) {
  if (one.state === "done") {
    return h("p.number", {}, right(one), h("span.small.soft", {}, startShare(one)));
  }
  if (one.cause) return h("p.small.problem", {}, `cause: ${one.cause}`);
  return one.state === "queued" ? "" : progress(one);
}

/**
 * How a job is getting on: what changes at every look.
 * @param {JobListing} one
 */
const how = (one) => [state(one), outcome(one)];

/** @param {JobListing} one */
function line(one) {
  const pick = h("input", {
    type: "checkbox",
    checked: picks.has(one.id),
    "aria-label": `Choose ${nameOf(one)} to compare`,
    onchange: (event) => {
      if (event.target.checked) picks.add(one.id);
      else picks.delete(one.id);
      compare();
    },
  });
  return h(
    "li.card.job-line",
    { dataset: { job: one.id, state: one.state } },
    h("label.pick", {}, pick),
    h(
      "div.what",
      {},
      h("a.name", { href: `train?job=${one.id}` }, nameOf(one)),
      h(
        "p.small.soft",
        {},
        [
          one.objective,
          one.method,
          one.student,
          one.snapshot && `snapshot ${one.snapshot.slice(0, 8)}`,
        ]
          .filter(Boolean)
          .join(" · "),
      ),
      h("p.small.soft.when", {}, h("span.mono", {}, one.id), ` · ${dateTime(1000 * one.at)}`),
    ),
    h("div.how", {}, how(one)),
    h("div.acts", {}, actions(one, look, false, jobs)),
  );
}

function compare() {
  const link = document.querySelector("[data-compare]");
  if (!link) return;
  link.hidden = picks.size < 2;
  link.href = `train?jobs=${[...picks].join(",")}`;
  link.textContent = `Compare ${picks.size} runs`;
  if (picks.size > 8) {
    link.removeAttribute("href");
    link.textContent = "At most 8 runs";
  }
}

function firstSteps() {
  const links = [h("a.button.main", { href: "train?new=1" }, "New job ", h("kbd", {}, "n"))];
  if (Number(main.dataset.snapshots) === 0) {
    links.push(h("a.button", { href: "curate" }, "Curate questions first"));
  }
  return h("p.actions", {}, links);
}

function nothing() {
  return h(
    "div.card.empty",
    {},
    h("h2", {}, "No training job yet"),
    h(
      "p.soft",
      {},
      "A job teaches a small vision-language model what your project holds: the answers, and the rationales behind them. It learns from a snapshot, the accepted questions frozen under one hash.",
    ),
    admin ? firstSteps() : h("p.soft.small", {}, "Starting one needs the role admin."),
    h("code", {}, main.dataset.command),
  );
}

function frame() {
  if (place.querySelector(".job-list")) return;
  place.replaceChildren(
    h(
      "div.above-list",
      {},
      h("p.soft", { dataset: { count: "" } }),
      h("span.grow"),
      h("a.button.small", { dataset: { compare: "" }, hidden: true }),
      bell() ?? "",
    ),
    h("ul.job-list", { "aria-label": "Jobs" }),
  );
}

/** Figures of a job that change at every look: they alone do not make a line anew. */
const MOVING = ["step", "total", "eta", "loss", "phase", "silent"];

/** @param {JobListing} one */
function nodeOf(one, queueLength) {
  const base = Object.entries(one).filter(([name]) => !MOVING.includes(name));
  const key = JSON.stringify([base, queueLength]);
  const entry = lines.get(one.id);
  if (entry?.key === key) {
    entry.node.querySelector(".how").replaceChildren(...how(one));
    return entry.node;
  }
  const node = line(one);
  lines.set(one.id, { key, node });
  return node;
}

const labelOf = (node) => node.getAttribute("aria-label") ?? node.textContent;

/** Put the lines anew; the control in focus keeps it, in its new place. */
function order(holder, nodes) {
  const focus = holder.contains(document.activeElement) ? document.activeElement : null;
  const id = focus?.closest("[data-job]").dataset.job;
  const label = focus && labelOf(focus);
  holder.replaceChildren(...nodes);
  if (!focus) return;
  [...holder.querySelectorAll(`[data-job="${id}"] :is(a, button, input)`)]
    .find((node) => labelOf(node) === label)
    ?.focus({ preventScroll: true });
}

/** Only what changed is put anew: a button under the pointer or in focus stays where it is. */
function list() {
  if (!jobs.length) {
    lines.clear();
    place.replaceChildren(nothing());
    return;
  }
  frame();
  const queueLength = jobs.filter((one) => one.state === "queued").length;
  const words = [amount(jobs.length, "job")];
  if (jobs.some((one) => ["running", "stopping"].includes(one.state))) words.push("one runs");
  if (queueLength) words.push(`${queueLength} in the queue`);
  place.querySelector("[data-count]").textContent = words.join(", ");
  const nodes = jobs.map((one) => nodeOf(one, queueLength));
  const all = place.querySelector(".job-list");
  const same = nodes.length === all.children.length;
  if (!same || nodes.some((node, index) => all.children[index] !== node)) order(all, nodes);
  compare();
}

// --- the look

async function look() {
  clearTimeout(timer);
  let next = 10000;
  if (!document.hidden || wantsMessages()) {
    try {
      const reply = await get("data/train/jobs");
      const news = JSON.stringify(reply.jobs) !== JSON.stringify(jobs);
      jobs = reply.jobs;
      answer = new Date();
      sayAway("");
      tell();
      if (jobs.some((one) => !FINAL.includes(one.state))) next = 2000;
      await refresh(news);
    } catch (error) {
      next = 3000;
      if (!jobs) place.replaceChildren(h("p.problem", { role: "alert" }, error.message));
      else sayAway(`${error.message} What stands here is of ${clock(answer)}; it is asked again.`);
    }
  }
  timer = setTimeout(look, fast || next);
}

/** Say above the view why it is not as things are now; nothing where it is. */
function sayAway(words) {
  const node = document.querySelector("[data-stale]");
  node.hidden = !words;
  if (node.textContent !== words) node.textContent = words;
}

async function refresh(news) {
  if (view === "list" && news) list();
  if (["job", "together"].includes(view) && !document.hidden) await panel.look(jobs);
}

keys("Train", [
  ...(admin ? [["n", "new job", () => location.assign("train?new=1")]] : []),
  ["j", "next job", () => move(1)],
  ["k", "job before", () => move(-1)],
]);

function move(by) {
  const all = [...place.querySelectorAll(".job-line .name")];
  if (!all.length) return false;
  const now = all.indexOf(document.activeElement);
  all[Math.min(Math.max(now + by, 0), all.length - 1)].focus();
}

try {
  if (view === "new") {
    document.querySelector("[data-title]").textContent = "New job";
    document.querySelector("[data-new]").hidden = true;
  }
  if (view === "new") panel = await walkthrough(place, params);
  if (view === "job") panel = await job(place, params.get("job"), bell, look);
  if (view === "together") panel = await together(place, [...picks]);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });
  look();
} catch (error) {
  place.replaceChildren(
    h(
      "div.card.empty",
      {},
      h("h2", {}, "Not here"),
      h("p.problem", { role: "alert" }, error.message),
      h("p.actions", {}, h("a.button", { href: "train" }, "All jobs")),
    ),
  );
}
