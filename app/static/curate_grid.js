// A dozen questions at once, for easy cases: all that keep their tick are accepted by one key, as
// one batch.
import { mayOnlyLook, noReply, nothing } from "./curate_empty.js";
import { meter } from "./curate_tray.js";
import { h } from "./dom.js";
import { keyMark, keys } from "./keys.js";
import { picturesOf, placeOf } from "./player_pictures.js";
import { newId, post, save, toast } from "./server.js";

/** @typedef {import("../js/types").QuestionItem} QuestionItem */

const DOZEN = 12;
const find = (name) => document.querySelector(`[data-${name}]`);
const address = new URLSearchParams(location.search);
const query = {
  q: address.get("q") ?? "",
  order: address.get("order") ?? "program",
  state: "pending",
};
// gold questions measure a look at one question
const asked = { ...query, gold: false };
const mayDecide = document.body.dataset.role !== "viewer";
const page = newId();
const list = find("dozen");
/** @type {QuestionItem[]} */
let items = [];
let out = new Set(); // taken out of the dozen on screen
const passed = new Set(); // taken out before: they stay in the queue and do not come here again
let batches = []; // {id, items, out} of this page, the last one at the end
let busy = false;

// what somebody asked for is looked at by itself
const fits = (item) => {
  const one = item.candidates[item.at];
  return Boolean(one) && one.answer !== null && !item.why.startsWith("sent by");
};
const chosen = () => items.filter((item) => !out.has(item.task));
const progress = mayDecide ? meter(find("progress"), { ...query, page }, () => {}) : null;

// --- on screen

function boxesOf(item) {
  const told = item.candidates[item.at].model?.told;
  if (!told) return [];
  const place = placeOf(item.picture);
  return told.sentences
    .flatMap((sentence) => sentence.pieces)
    .filter((piece) => piece.box)
    .map((piece) => ({ ...place(piece), label: "", role: "result" }));
}

function stage(item) {
  const seen = picturesOf(item.picture);
  if (!seen.isThere) return h("p.soft.small", {}, item.picture.problem);
  for (const image of seen.canvas.querySelectorAll("img")) {
    image.alt = "";
    image.addEventListener("load", () => seen.draw(boxesOf(item)), { once: true });
  }
  return h("div.stage", {}, seen.canvas);
}

function card(item) {
  const one = item.candidates[item.at];
  return h(
    "div",
    {
      tabindex: 0,
      role: "checkbox",
      "aria-checked": String(!out.has(item.task)),
      "aria-label": `${item.question} ${one.answer}`,
      dataset: { task: item.task },
      onclick: (event) => toggle(item.task, event.currentTarget),
    },
    h("figure", {}, stage(item)),
    h(
      "div.text",
      {},
      h("h2", {}, item.question),
      h(
        "p.said",
        {},
        h("span", {}, "says ", h("b", {}, one.answer || "(empty)")),
        h("span.soft", {}, "expected ", item.gold || "no label"),
      ),
      one.text ? h("p.told", {}, one.text) : h("p.told", {}, "No rationale."),
    ),
    h("span.tick", { "aria-hidden": "true" }, "✓"),
  );
}

function show(none = null) {
  list.replaceChildren(...items.map(card));
  find("empty").hidden = items.length > 0;
  if (!items.length) nothing(none, query, passed.size);
  bar();
  list.firstElementChild?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function bar() {
  find("bar").hidden = !items.length && !batches.length;
  find("undo").hidden = !batches.length;
  const button = find("accept");
  button.disabled = !chosen().length;
  button.replaceChildren(`Accept ${chosen().length} `, keyMark("Dozen", "a"));
}

function toggle(task, node) {
  if (out.has(task)) out.delete(task);
  else out.add(task);
  node.setAttribute("aria-checked", String(!out.has(task)));
  bar();
}

// --- the queue

/** The next dozen; `gone` are questions that are being saved. */
async function more(gone = []) {
  busy = true;
  const have = [...passed, ...gone];
  let problem = "";
  const reply = await post("do/curate/next", { ...asked, page, count: DOZEN, have }).catch(
    (error) => {
      problem = error.message;
      return { items: [], none: null, lasts: 0 };
    },
  );
  busy = false;
  items = reply.items.filter(fits);
  for (const item of reply.items.filter((one) => !fits(one))) passed.add(item.task);
  out = new Set();
  if (problem) {
    show();
    noReply(problem);
    setTimeout(more, 2100, gone);
  } else if (!items.length && reply.items.length) {
    more(gone); // none of these is for the grid
  } else if (!items.length && !reply.none) settle();
  else show(reply.none);
}

/** All that is left was taken out here: what does the queue say of the rest? */
async function settle() {
  const reply = await post("do/curate/next", { ...asked, page: newId(), count: 1 }).catch(
    () => null,
  );
  show(
    reply?.none ?? {
      kind: "done",
      held: 0,
      disputed: 0,
      skipped: 0,
      today: 0,
      state: query.state,
    },
  );
}

function accept() {
  const tasks = chosen().map((item) => item.task);
  if (!tasks.length || busy || !mayDecide) return;
  const batch = { id: newId(), items, out };
  for (const task of out) passed.add(task);
  batches.push(batch);
  progress?.count(tasks.length);
  save("do/browse/accept", { id: batch.id, tasks }).then(
    (reply) => {
      for (const [why, number] of Object.entries(reply.left_out)) {
        toast(`${number} left out: ${why}`, "bad");
      }
      progress?.load();
    },
    () => {
      batches = batches.filter((one) => one !== batch);
      progress?.load();
    },
  );
  more(tasks);
}

/** Take the last dozen back and show it again. */
async function undo() {
  const batch = batches.pop();
  if (!batch || busy) return false;
  const reply = await save("do/undo", { task: "", target: batch.id }).catch(() => null);
  if (!reply) return true;
  ({ items, out } = batch);
  for (const item of items) passed.delete(item.task);
  show();
  toast("Taken back.");
  await hold();
  progress?.load();
  return true;
}

/** Say that these are still looked at. */
async function hold() {
  if (!items.length || document.hidden) return;
  const reply = await post("do/curate/hold", {
    page,
    tasks: items.map((item) => item.task),
  }).catch(() => null);
  const lost = new Set((reply?.lost ?? []).map((one) => one.task));
  if (!lost.size) return;
  items = items.filter((item) => !lost.has(item.task));
  for (const node of [...list.children]) if (lost.has(node.dataset.task)) node.remove();
  toast(`${lost.size} of these are somebody else's now; they were taken off.`);
  bar();
}

addEventListener("pagehide", () => {
  const tasks = [...items.map((item) => item.task), ...passed];
  if (!tasks.length) return;
  const body = JSON.stringify({ page, tasks });
  navigator.sendBeacon("do/curate/release", new Blob([body], { type: "application/json" }));
});

// --- keys

function move(offset) {
  const cards = [...list.children];
  const at = cards.indexOf(document.activeElement);
  const to = at < 0 ? 0 : Math.min(Math.max(at + offset, 0), cards.length - 1);
  cards[to]?.focus();
}

const here = () => document.activeElement?.closest?.("[data-dozen] > div");
const columns = () => getComputedStyle(list).gridTemplateColumns.split(" ").length;
const once = (work) => (event) => (event.repeat ? undefined : work());
const onCard = (work) => () => {
  const node = here();
  if (!node) return false;
  work(node);
  return true;
};

keys("Dozen", [
  ...(mayDecide
    ? [
        ["a", "accept all with a tick, next dozen", once(accept)],
        ["u", "undo the last dozen", once(undo)],
      ]
    : []),
  ["x", "take it out, or in again", onCard((node) => toggle(node.dataset.task, node))],
  [" ", "the same", onCard((node) => toggle(node.dataset.task, node))],
  ["j", "next question", () => move(1)],
  ["k", "question before", () => move(-1)],
  ["ArrowRight", "next question", () => move(1)],
  ["ArrowLeft", "question before", () => move(-1)],
  ["ArrowDown", "the row below", () => move(columns())],
  ["ArrowUp", "the row above", () => move(-columns())],
  [
    "Enter",
    "look at it alone",
    onCard((node) => {
      location.assign(`curate?${new URLSearchParams({ task: node.dataset.task })}`);
    }),
  ],
]);
find("accept")?.addEventListener("click", accept);
find("undo")?.addEventListener("click", undo);
setInterval(hold, 60000);
if (mayDecide) {
  nothing(null, query, 0); // that they are fetched
  more();
} else mayOnlyLook();
