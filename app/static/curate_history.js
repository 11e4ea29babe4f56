// What was decided, by hour, person and batch, and how to take it back: by a rollback, which can be
// taken back itself.
import { amount, h } from "./dom.js";
import { keys } from "./keys.js";
import { get, newId, save, toast } from "./server.js";

/** @typedef {import("../js/types").PastRow} PastRow */

const find = (name) => document.querySelector(`[data-${name}]`);
const admin = document.body.dataset.role === "admin";
const mayDecide = document.body.dataset.role !== "viewer";
const { me } = document.querySelector("[data-me]").dataset;
const dialog = find("ask");
const HOUR = 3600000;
/** @type {PastRow[]} */
let rows = [];
let before = null;

const clock = (time) =>
  new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const day = (time) =>
  new Date(time).toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });
const hourWords = (time) => `${day(time)}, ${clock(time)} to ${clock(Date.parse(time) + HOUR)}`;
const listed = (words) => words.map(([n, what]) => `${n.toLocaleString("en")} ${what}`).join(", ");

async function load(more = false) {
  const query = new URLSearchParams({ author: find("author").value });
  if (more && before) query.set("before", before);
  const page = await get(`data/curate/history?${query}`).catch(
    (error) => toast(error.message, "bad") && null,
  );
  if (!page) return;
  rows = more ? [...rows, ...page.rows] : page.rows;
  before = page.before;
  people(page.people);
  draw();
  find("rollbacks").replaceChildren(
    ...(page.rollbacks.length
      ? page.rollbacks.map(rollbackLine)
      : [h("li.soft", {}, "Nothing so far.")]),
  );
}

function people(names) {
  const choice = find("author");
  const chosen = choice.value;
  choice.replaceChildren(
    h("option", { value: "" }, "everybody"),
    ...names.map((name) => h("option", { value: name, selected: name === chosen }, name)),
  );
  const subject = find("span")?.elements.subject;
  if (!subject) return;
  const was = subject.value || me;
  subject.replaceChildren(
    ...names
      .filter((name) => admin || name === me)
      .map((name) => h("option", { value: name, selected: name === was }, name)),
  );
}

/** Rows by hour; where a person has several in one, a line for all of them. */
function draw() {
  const hours = Map.groupBy
    ? Map.groupBy(rows, (row) => row.hour)
    : rows.reduce((map, row) => map.set(row.hour, [...(map.get(row.hour) ?? []), row]), new Map());
  const total = rows.reduce((sum, row) => sum + row.n, 0);
  find("count").textContent = amount(total, "event");
  find("more").hidden = !before;
  find("hours").replaceChildren(
    ...[...hours].map(([hour, some]) => section(hour, some)),
    ...(rows.length ? [] : [h("p.none", {}, "Nobody has decided anything yet.")]),
  );
}

function section(hour, some) {
  const authors = [...new Set(some.map((row) => row.author))];
  const lines = authors.flatMap((author) => {
    const mine = some.filter((row) => row.author === author);
    const whole = mine.length > 1 ? [line(sum(hour, author, mine), true)] : [];
    return [...whole, ...mine.map((row) => line(row, false))];
  });
  return h("section", {}, h("h2", {}, hourWords(hour)), h("ol", {}, lines));
}

/** All that a person did in an hour, as one row. */
const sum = (hour, author, some) => ({
  ...some[0],
  hour,
  author,
  batch: null,
  since: hour,
  until: new Date(Date.parse(hour) + HOUR).toISOString(),
  words: [[some.reduce((n, row) => n + row.n, 0), "in this hour"]],
  n: some.reduce((n, row) => n + row.n, 0),
  undone: some.reduce((n, row) => n + row.undone, 0),
});

const marksOf = (row) => [
  row.batch ? h("span.chip", { title: "One batch: nobody looked at each" }, "in bulk") : "",
  row.undone ? h("span.soft.small", {}, `${row.undone.toLocaleString("en")} taken back`) : "",
];

function backButton(row) {
  const label = `Take back: ${row.author}, ${listed(row.words)}`;
  const properties = { type: "button", onclick: () => takeBack(row), "aria-label": label };
  return h("button.button.small", properties, "Take back");
}

function line(row, whole) {
  const gone = row.undone === row.n;
  const may = mayDecide && !gone && (admin || row.mine);
  const node = h(
    gone ? "li.back" : "li",
    { tabindex: 0 },
    h("span.who", {}, row.author),
    h(
      "span.words",
      {},
      row.words.map(([n, what]) => h("span", {}, h("b", {}, n.toLocaleString("en")), ` ${what}`)),
      whole ? "" : h("span.soft.small", {}, clock(row.since)),
      marksOf(row),
    ),
    may ? backButton(row) : "",
  );
  if (whole) node.classList.add("sum");
  node.takeBack = may ? () => takeBack(row) : null;
  return node;
}

/** Take back a row: say first what that is. */
async function takeBack(row) {
  const span = { since: row.since, until: row.until };
  const now = await reachOf(row.author, span);
  if (!now) return;
  const title = row.batch ? "Take this batch back?" : `Take back what ${row.author} decided?`;
  ask(title, row.author, span, now);
}

const reachOf = (subject, span) =>
  get(`data/curate/reach?${new URLSearchParams({ subject, ...span })}`).catch(
    (error) => toast(error.message, "bad") && null,
  );

const rollBack = (subject, span) => save("do/curate/rollback", { id: newId(), subject, ...span });

function ask(title, subject, span, now) {
  const close = () => dialog.close();
  const go = h("button.button.main", { disabled: !now.events }, "Take back");
  const form = h(
    "form",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        close();
        const reply = await rollBack(subject, span).catch(() => null);
        if (!reply) return; // the refusal is on the screen already
        toast(`${amount(now.events, "event")} taken back.`);
        load();
      },
    },
    h("h2", { id: "ask-title" }, title),
    h("p", {}, reachWords(now)),
    h(
      "p.soft.small",
      {},
      spanWords(subject, span),
      ". Nothing is deleted, and it can be brought back.",
    ),
    h("div.actions", {}, h("button.button", { type: "button", onclick: close }, "Cancel"), go),
  );
  dialog.replaceChildren(form);
  dialog.showModal();
  go.focus();
}

const spanWords = (subject, { since, until }) =>
  `${subject}: ${day(since)}, ${clock(since)} to ${clock(until)}`;

function reachWords({ events, questions, words }) {
  if (!events) return "Nothing stands there that could be taken back.";
  return `${listed(words)}: ${amount(events, "event")} on ${amount(questions, "question")}.`;
}

function rollbackLine(one) {
  const words = spanWords(one.subject, one);
  const back = () =>
    save("do/undo", { task: "", target: one.id }).then(
      () => {
        toast("Brought back.");
        load();
      },
      () => {},
    );
  const may = mayDecide && one.may;
  const rest = one.undone ? "brought back" : "";
  return h(
    one.undone ? "li.back" : "li",
    {},
    h("span", { title: `by ${one.author}, ${day(one.at)} ${clock(one.at)}` }, words),
    may
      ? h("button.button.small", { type: "button", onclick: back }, "Bring back")
      : h("small.soft", {}, rest),
  );
}

// --- a span that one writes

const form = find("span");
const spanOf = () => {
  const { since, until } = form.elements;
  if (!since.value || !until.value) return null;
  return {
    since: new Date(since.value).toISOString(),
    until: new Date(until.value).toISOString(),
  };
};
let reach = null;

async function lookAtSpan() {
  const span = spanOf();
  const button = form.querySelector("button");
  button.disabled = true;
  if (!span) return;
  reach = await reachOf(form.elements.subject.value, span);
  find("reach").textContent = reach ? reachWords(reach) : "";
  button.disabled = !reach?.events;
}

if (form) {
  form.addEventListener("change", lookAtSpan);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [subject, span] = [form.elements.subject.value, spanOf()];
    if (!span) return;
    ask(`Take back what ${subject} decided?`, subject, span, reach);
  });
}

// --- keys

function move(offset) {
  const lines = [...document.querySelectorAll(".past li")];
  const at = lines.indexOf(document.activeElement);
  lines[Math.min(Math.max(at + offset, 0), lines.length - 1)]?.focus();
}

keys("History", [
  ["j", "next row", () => move(1)],
  ["k", "row before", () => move(-1)],
  [
    "u",
    "take the row back",
    () => {
      const work = document.activeElement?.takeBack;
      if (!work) return false;
      work();
    },
  ],
  ["f", "whose decisions", () => find("author").focus()],
]);
find("author").addEventListener("change", () => load());
find("more").addEventListener("click", () => load(true));
load();
