// Browse: the address says what is shown (?q=&sort=&after=&page=), the list is read a page at a
// time, the counts apart from it.
import { selection } from "./browse_chosen.js";
import { drawer, drawFacets, viewsMenu } from "./browse_facets.js";
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
const PAGE = 50;

let state = fromAddress();
let rows = [];
let next = null;
let total = null;
let all = null;
let at = -1;
let anchor = -1;
let request = null;

function fromAddress() {
  const params = new URLSearchParams(location.search);
  return {
    q: params.get("q") ?? "",
    sort: params.get("sort") ?? "import",
    after: params.get("after") ?? "",
    page: Number(params.get("page")) || 1,
  };
}

function link({ q, sort, after, page }) {
  const params = new URLSearchParams();
  if (q) params.set("q", q);
  if (sort !== "import") params.set("sort", sort);
  if (after) {
    params.set("after", after);
    params.set("page", page);
  }
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
  const { signal } = mine;
  if (document.activeElement !== box) box.value = state.q;
  find("sort").value = state.sort;
  if (find("sort").value !== state.sort) find("sort").value = "import";
  list.setAttribute("aria-busy", "true");
  const query = new URLSearchParams({ q: state.q });
  try {
    const page = await get(
      `data/browse?${new URLSearchParams({ q: state.q, sort: state.sort, after: state.after })}`,
      { signal },
    );
    if (request !== mine) return;
    find("problem").textContent = "";
    box.removeAttribute("aria-invalid");
    rows = page.rows;
    next = page.next;
    chips(page);
    draw();
    const [counts, facets] = await Promise.all([
      get(`data/browse/total?${query}`, { signal }),
      get(`data/browse/facets?${query}`, { signal }),
    ]);
    if (request !== mine) return;
    total = counts.total;
    all = counts.all < 0 ? counts.total : counts.all;
    drawFacets(facets, (q) => {
      box.value = q;
      go({ q });
    });
    count();
    none();
    picks.show();
  } catch (error) {
    if (error.name === "AbortError") return;
    list.setAttribute("aria-busy", "false");
    box.setAttribute("aria-invalid", "true");
    find("problem").textContent = error.message;
  }
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
  const first = h(
    "button.button.small",
    { type: "button", onclick: () => go({ after: "", page: 1 }) },
    "First page",
  );
  const more = h(
    "button.button.small",
    { type: "button", onclick: () => go({ after: next, page: state.page + 1 }) },
    `Next ${PAGE}`,
  );
  find("pages").replaceChildren(...(state.after ? [first] : []), ...(next ? [more] : []));
}

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
      rowOf(row, {
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
  list.setAttribute("aria-busy", "false");
  count();
  boxes();
  const target = history.state?.row;
  const start = target ? rows.findIndex((row) => row.id === target) : -1;
  if (start >= 0) focus(start);
  else if (rows.length && at < 0) focus(0, false);
  else peek.replaceChildren();
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
    if (rows[at] === row) peek.replaceChildren(...peekOf(row, panels.get(row.id)).filter(Boolean));
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
  else item.append(runsOf(rows[index]));
  item.querySelector(".samples").setAttribute("aria-expanded", String(!there));
}

function range(to) {
  const [from, until] = [Math.min(anchor < 0 ? to : anchor, to), Math.max(anchor, to)];
  for (let index = from; index <= until; index++) picks.toggle(rows[index].id, true);
}

function move(offset) {
  if (at + offset >= rows.length && next) go({ after: next, page: state.page + 1 });
  else if (at + offset < 0 && state.page > 1) history.back();
  else focus(Math.min(Math.max(at + offset, 0), rows.length - 1));
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
