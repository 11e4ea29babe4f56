// Start: the loop as six steps, what to do next, the job of the loop that works, the forms that
// begin one, and recent work.
import { amount, dateTime, duration, h } from "./dom.js";
import { keys } from "./keys.js";
import { get, newId, post, toast } from "./server.js";
import { begin } from "./start_begin.js";
import { busy, work } from "./start_work.js";

/** @typedef {import("../js/types").HomeNews} HomeNews */
/** @typedef {import("../js/types").LoopStep} LoopStep */
/** @typedef {import("../js/types").RecentLine} RecentLine */
/** @typedef {import("../js/types").LoopJob} LoopJob */

const admin = document.body.dataset.role === "admin";
const { command } = document.querySelector("main.start").dataset;
const FIRST_RUN = 10;
const FIRST_IMPORT = 50;

const place = (name) => document.querySelector(`[data-${name}]`);
let news = /** @type {HomeNews | null} */ (null);
let job = /** @type {LoopJob | null} */ (null);
let forms = null;
let timer = null;
let counted = -Infinity; // when the steps were counted last
const drawn = new Map();

/** Put nodes in a place only where what they are made from has changed: focus and pointer stay. */
function draw(name, from, nodes) {
  const key = JSON.stringify(from);
  if (drawn.get(name) === key) return;
  drawn.set(name, key);
  place(name).replaceChildren(...[nodes()].flat());
}

// --- the steps

/** @param {LoopStep} step */
const card = (step, at) =>
  h(
    `li${step.is_next ? ".is-next" : ""}`,
    { dataset: { step: step.name } },
    h(
      "a.card",
      { href: step.href, title: step.what },
      h("span.place", {}, h("b", {}, at + 1), step.title),
      h("span.count", {}, step.count.toLocaleString("en"), " ", h("small", {}, step.unit)),
      h("span.note", {}, step.note),
      h("span.what", {}, step.what),
    ),
  );

// --- what to do next

/** Begin work; the answer is shown at once. */
async function order(address, body) {
  try {
    ({ job } = await post(address, { id: newId(), ...body }));
    show();
    look();
  } catch (error) {
    toast(error.message, "bad");
  }
}

const runFirst = () =>
  order("do/start/run", { questions: Math.min(FIRST_RUN, news.waiting || FIRST_RUN) });

function importFirst() {
  const splits = forms?.sources[0]?.splits ?? [];
  order("do/start/import", {
    source: 0,
    questions: FIRST_IMPORT,
    split: splits.includes("train") ? "train" : "",
  });
}

/** What is pressed next: a link, or a button that begins it here. */
function pressed() {
  const { next } = news;
  const properties = { dataset: { go: "" } };
  if (next.href) {
    const name = news.steps.find((step) => step.name === next.step).title;
    return h(
      "a.button.main",
      { href: next.href, ...properties },
      `Open ${name}`,
      " ",
      h("kbd", {}, "n"),
    );
  }
  if (!admin) return h("p.soft.small", {}, "Beginning it needs the role admin.");
  const isRun = next.step === "programs";
  const count = Math.min(FIRST_RUN, news.waiting || FIRST_RUN);
  return h(
    "button.button.main",
    {
      type: "button",
      disabled: busy(job) || Boolean(news.problem),
      onclick: isRun ? runFirst : importFirst,
      ...properties,
    },
    isRun ? `Run ${amount(count, "question")}` : `Add ${FIRST_IMPORT} questions`,
    " ",
    h("kbd", {}, "n"),
  );
}

function estimate() {
  const { next, seconds, waiting } = news;
  if (next.step !== "programs" || !seconds) return "";
  const count = Math.min(FIRST_RUN, waiting || FIRST_RUN);
  return h(
    "p.small.soft",
    {},
    `about ${duration(1000 * seconds * count)}, as earlier runs went, and the models' loading`,
  );
}

const inTerminal = () =>
  news.next.step === "programs" ? `vpd run ${command}` : `vpd import collages ${command}`;

const nextParts = () => [
  h(
    "div",
    {},
    h("p.kicker", {}, "Next"),
    h("h2", {}, news.next.title),
    h("p", {}, news.next.words),
  ),
  h(
    "div.press",
    {},
    pressed(),
    estimate(),
    news.next.href ? "" : h("p.small.soft", {}, "or ", h("code", {}, inTerminal())),
  ),
];

// --- recent work

const SIGNS = { import: "↧", run: "▶", decisions: "✓", training: "◢", snapshot: "❄" };

/** @param {RecentLine} line */
const recentLine = (line) =>
  h(
    "li",
    { dataset: { kind: line.kind } },
    h("span.sign", { "aria-hidden": "true" }, SIGNS[line.kind]),
    line.href ? h("a.hostile", { href: line.href }, line.words) : h("span.hostile", {}, line.words),
    h("time.small.soft", { datetime: line.at }, dateTime(line.at)),
  );

// --- all of it

function show() {
  place("work").hidden = !job;
  if (job) draw("work", job, () => work(job, news?.waiting ?? 0, order));
  if (!news) return;
  const isBusy = busy(job);
  place("problem").textContent = news.problem;
  draw("next", [news.next, news.waiting, news.seconds, news.problem, isBusy, forms], nextParts);
  draw("steps", news.steps, () => news.steps.map(card));
  draw("recent", news.recent, () =>
    news.recent.length
      ? news.recent.map(recentLine)
      : h("li.soft", {}, "Nothing was done here yet."),
  );
  place("report").hidden = news.steps[0].count === 0;
  draw("begin", [forms, isBusy, news.waiting, news.seconds, news.problem], () =>
    begin(forms, news, isBusy || Boolean(news.problem), order),
  );
}

async function look() {
  clearTimeout(timer);
  if (!document.hidden) {
    try {
      const before = job?.state;
      ({ job } = await get("data/start/job"));
      if (before !== job?.state || performance.now() - counted > 10000) {
        news = await get("data/start");
        counted = performance.now();
      }
      show();
    } catch (error) {
      place("problem").textContent = error.message;
    }
  }
  timer = setTimeout(look, busy(job) ? 1000 : 5000);
}

keys("Start", [["n", "what makes sense next", () => place("go")?.click()]]);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) look();
});
try {
  if (admin) forms = await get("data/start/form");
} catch {
  /* the page says what is wrong with the profile */
}
look();
