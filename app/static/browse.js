// Browse: the address says what is shown (?q=&sort=&after=&page=&columns=), the list is read a page
// at a time, the counts apart from it.
import { selection } from "./browse_chosen.js";
import { columnsOf } from "./browse_columns.js";
import { drawer, drawFacets, viewsMenu } from "./browse_facets.js";
import { marker } from "./browse_marks.js";
import { address, peekOf, rowOf, runsOf } from "./browse_rows.js";
import { amount, h } from "./dom.js";
import { keys } from "./keys.js";
import { get } from "./server.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const box = find("search");
const list = find("rows");
const empty = find("empty");
const peek = find("peek");
const panels = new Map(); // what the panel showed, by question
const ownColumns = columnsOf(
  () => state.columns,
  (columns) => go({ columns, after: state.after, page: state.page }),
);
const PAGE = 50;

let state = fromAddress();
let rows = [];
let next = null;
let total = null;
let all = null;
let at = -1;
let anchor = -1;
let mark = marker([], []);
let cursorAtEnd = false; // whether the next page is entered from below
let request = null;

function fromAddress() {
  const params = new URLSearchParams(location.search);
  return {
    q: params.get("q") ?? "",
    sort: params.get("sort") ?? "import",
    after: params.get("after") ?? "",
    page: Math.max(Math.trunc(Number(params.get("page"))) || 1, 1),
    columns: params.has("columns") ? params.getAll("columns").filter(Boolean) : ownColumns.kept(),
  };
}

function link({ q, sort, after, page, columns }) {
  const params = new URLSearchParams();
  if (q) params.set("q", q);
  if (sort !== "import") params.set("sort", sort);
  if (after) params.set("after", after);
  if (page > 1) params.set("page", page);
  for (const key of columns) params.append("columns", key);
  return `browse${params.size ? `?${params}` : ""}`;
}

/** Go to another search, order or page; the Back button comes back. */
function go(changes, replace = false) {
  const same = changes.after === undefined ? { after: "", page: 1 } : {};
  state = { ...state, ...same, ...changes };
  if (replace) history.replaceState(null, "", link(state));
  else history.pushState(null, "", link(state));
  at = -1;
  load();
}

async function load() {
  request?.abort();
  const mine = (request = new AbortController());
  const isMine = () => request === mine;
  if (document.activeElement !== box) box.value = state.q;
  find("sort").value = state.sort;
  if (find("sort").value !== state.sort) find("sort").value = "import";
  list.setAttribute("aria-busy", "true");
  try {
    await loadRows(mine.signal, isMine);
    if (isMine()) await loadCounts(mine.signal, isMine);
  } catch (error) {
    if (error.name === "AbortError") return;
    list.setAttribute("aria-busy", "false");
    box.setAttribute("aria-invalid", "true");
    find("problem").textContent = error.message;
  }
}

/** An address with the state's columns behind the other values. */
function query(path, values) {
  const params = new URLSearchParams(values);
  for (const key of state.columns) params.append("columns", key);
  return `${path}?${params}`;
}

async function loadRows(signal, isMine) {
  const { q, sort, after, page } = state;
  const answer = await get(query("data/browse", { q, sort, after, page: String(page) }), {
    signal,
  });
  if (!isMine()) return;
  find("problem").textContent = "";
  box.removeAttribute("aria-invalid");
  rows = answer.rows;
  next = answer.next;
  mark = marker(answer.words, answer.phrases);
  chips(answer);
  draw();
}

async function loadCounts(signal, isMine) {
  const { q, columns } = state;
  const [counts, facets, ownFacets, keysOfTable] = await Promise.all([
    get(`data/browse/total?${new URLSearchParams({ q })}`, { signal }),
    get(`data/browse/facets?${new URLSearchParams({ q })}`, { signal }),
    get(query("data/browse/own", { q }), { signal }),
    ownColumns.keys(),
  ]);
  if (!isMine()) return;
  total = counts.total;
  all = counts.all < 0 ? counts.total : counts.all;
  if (!rows.length && total && state.page > 1) {
    go({ after: "", page: Math.ceil(total / PAGE) }, true); // there are fewer pages than that
    return;
  }
  const choose = (text) => {
    box.value = text;
    go({ q: text });
  };
  drawFacets([...facets, ...ownFacets], choose, ownColumns.menu(keysOfTable, columns));
  count();
  none();
  picks.show();
}

function chips({ tokens, words }) {
  const chip = (text, without) =>
    h(
      "button",
      {
        type: "button",
        title: "Take away",
        "aria-label": `Take away ${text}`,
        onclick: () => {
          box.value = without;
          go({ q: without });
        },
      },
      text,
      h("span", { "aria-hidden": "true" }, "×"),
    );
  const clear = h(
    "button.clear",
    {
      type: "button",
      onclick: () => {
        box.value = "";
        go({ q: "" });
      },
    },
    "clear all",
  );
  find("tokens").replaceChildren(
    ...tokens.map((one) => chip(one.token, one.without)),
    ...(tokens.length + words.length > 1 ? [clear] : []),
  );
}

function count() {
  const from = (state.page - 1) * PAGE;
  const here = rows.length
    ? `${(from + 1).toLocaleString("en")} to ${(from + rows.length).toLocaleString("en")} of `
    : "";
  find("count").textContent = total === null ? " " : `${here}${amount(total, "question")}`;
  const last = total === null ? state.page : Math.max(Math.ceil(total / PAGE), 1);
  find("pages").hidden = last === 1 && state.page === 1 && !next;
  find("before").disabled = state.page === 1;
  find("after").disabled = !next;
  find("last").textContent = `of ${last.toLocaleString("en")}`;
  const field = find("page");
  field.max = String(last);
  if (document.activeElement !== field) field.value = String(state.page);
}

const pageBefore = () => go({ after: "", page: state.page - 1 });
const pageAfter = () => go({ after: next, page: state.page + 1 });
find("before").addEventListener("click", pageBefore);
find("after").addEventListener("click", pageAfter);
find("pages").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = find("page");
  const page = Math.min(Math.max(Math.trunc(field.valueAsNumber) || 1, 1), Number(field.max));
  field.value = String(page);
  if (page !== state.page) go({ after: "", page });
});

/** Two different nothings: none at all yet, and none that matches. */
function none() {
  if (rows.length) {
    empty.replaceChildren();
    return;
  }
  empty.replaceChildren(all ? noMatch() : noQuestion(empty.dataset.command));
}

function noMatch() {
  const showAll = () => {
    box.value = "";
    go({ q: "" });
  };
  return h(
    "div.card.empty",
    {},
    h("h2", {}, "Nothing matches"),
    h("p.soft", {}, `${amount(all, "question")} hidden by the search and the filters.`),
    h("p.actions", {}, h("button.button", { type: "button", onclick: showAll }, "Show all")),
  );
}

function noQuestion(command) {
  const copy = h(
    "button.button",
    { type: "button", dataset: { copy: command } },
    "Copy the command",
  );
  return h(
    "div.card.empty",
    {},
    h("h2", {}, "Nothing here yet"),
    h(
      "p.soft",
      {},
      "The loop imports questions, writes programs for them and runs them. This list fills as it goes.",
    ),
    h("code", {}, command),
    h("p.actions", {}, copy),
  );
}

function draw() {
  list.replaceChildren(
    ...rows.map((row, index) =>
      rowOf(row, state.columns, {
        focus: () => focus(index),
        select: (event) => {
          if (event.shiftKey) range(index);
          else {
            picks.toggle(row.id);
            anchor = index;
          }
          focus(index, false);
        },
        expand: () => {
          focus(index, false);
          expand(index);
        },
      }),
    ),
  );
  for (const item of list.children) if (!mark(item)) markElsewhere(item);
  list.setAttribute("aria-busy", "false");
  count();
  boxes();
  const target = history.state?.row;
  const start = target ? rows.findIndex((row) => row.id === target) : -1;
  if (start >= 0) focus(start);
  else if (rows.length && at < 0) focus(cursorAtEnd ? rows.length - 1 : 0, cursorAtEnd);
  else peek.replaceChildren();
  cursorAtEnd = false;
}

/** Say why a question is here whose words all stand where the list shows nothing of them. */
function markElsewhere(item) {
  const words = "matches in a program, a run or the rationale";
  item.querySelector(".tags").append(h("span.soft.elsewhere", {}, words));
}

function boxes() {
  [...list.children].forEach((item, index) => {
    item.querySelector("input").checked = picks.has(rows[index].id);
  });
}

const lineOf = (index) => list.children[index]?.querySelector(".row");

/** Put the cursor on a row; `take` also gives it the keyboard's focus. */
function focus(index, take = true) {
  if (!rows[index]) return;
  const before = lineOf(at);
  before?.removeAttribute("aria-current");
  before?.setAttribute("tabindex", "-1");
  at = index;
  const line = lineOf(at);
  line.setAttribute("aria-current", "true");
  line.setAttribute("tabindex", "0");
  if (take) {
    line.focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
    history.replaceState({ row: rows[at].id }, "");
  }
  look();
}

async function look() {
  if (
    !peek.offsetParent &&
    getComputedStyle(peek).display === "none" &&
    !matchMedia("(min-width: 1281px)").matches
  ) {
    return;
  }
  const row = rows[at];
  try {
    if (!panels.has(row.id)) {
      panels.set(row.id, await get(`data/browse/peek?${new URLSearchParams({ task: row.id })}`));
    }
    if (rows[at] !== row) return;
    peek.replaceChildren(...peekOf(row, panels.get(row.id)).filter(Boolean));
    mark(peek);
  } catch (error) {
    if (rows[at] === row) {
      peek.replaceChildren(h("div.inside", {}, h("p.problem.small", {}, error.message)));
    }
  }
}

function expand(index) {
  const item = list.children[index];
  if (!item) return;
  const there = item.querySelector(".runs");
  if (there) there.remove();
  else {
    item.append(runsOf(rows[index]));
    mark(item.lastElementChild);
  }
  item.querySelector(".samples").setAttribute("aria-expanded", String(!there));
}

function range(to) {
  const [from, until] = [Math.min(anchor < 0 ? to : anchor, to), Math.max(anchor, to)];
  for (let index = from; index <= until; index++) picks.toggle(rows[index].id, true);
}

function move(offset) {
  if (at + offset >= rows.length && next) pageAfter();
  else if (at + offset < 0 && state.page > 1) {
    cursorAtEnd = true;
    pageBefore();
  } else focus(Math.min(Math.max(at + offset, 0), rows.length - 1));
}

const picks = selection(() => ({ q: state.q, total: total ?? 0 }), boxes, load);
viewsMenu(
  () => ({ q: state.q, sort: state.sort }),
  (q, sort) => {
    box.value = q;
    go({ q, sort });
  },
);

let timer = null;
box.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (box.value !== state.q) go({ q: box.value }, true);
  }, 350);
});
find("form").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  if (box.value !== state.q) go({ q: box.value });
  box.blur();
  focus(Math.max(at, 0));
});
find("sort").addEventListener("change", (event) => go({ sort: event.target.value }));
addEventListener("popstate", () => {
  state = fromAddress();
  at = -1;
  box.value = state.q;
  load();
});

keys("Browse", [
  ["j", "next question", () => move(1)],
  ["k", "question before", () => move(-1)],
  [
    "Enter",
    "step through it",
    () => {
      if (!rows[at]) return false;
      location.assign(address(rows[at]));
    },
  ],
  ["e", "its programs, by answer", () => expand(at)],
  ["n", "next page", () => (next ? pageAfter() : false)],
  ["p", "page before", () => (state.page > 1 ? pageBefore() : false)],
  [
    "x",
    "choose",
    () => {
      if (rows[at]) {
        picks.toggle(rows[at].id);
        anchor = at;
      }
    },
  ],
  [
    "X",
    "choose from the last one to here",
    () => {
      if (rows[at]) range(at);
    },
  ],
  [
    "f",
    "filters",
    () => {
      const place = find("facets");
      if (place.offsetParent) place.querySelector("button[data-facet]")?.focus();
      else drawer(true);
    },
  ],
  ["q", "send what is chosen to the queue", () => picks.queue()],
  ["Escape", "choose nothing", () => (picks.count() ? picks.clear() : false)],
]);
if (new URLSearchParams(location.search).get("focus") === "search") box.focus();
const row = new URLSearchParams(location.search).get("row");
if (row) history.replaceState({ row }, "", link(state));
load();
