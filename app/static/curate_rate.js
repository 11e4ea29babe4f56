// Rating: two answers to one question, blind, on the form of the paper's evaluation, answered with
// y and n and a digit.
import { amount, h } from "./dom.js";
import { keys } from "./keys.js";
import { allOf } from "./player_elements.js";
import { picturesOf, placeOf } from "./player_pictures.js";
import { get, newId, save, toast } from "./server.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const address = new URLSearchParams(location.search);
const models = [...find("a").options].map((option) => option.value);
const student = models.find((key) => key !== "pipeline");
const a = models.includes(address.get("a")) ? address.get("a") : student;
const b = models.includes(address.get("b")) ? address.get("b") : models.find((key) => key !== a);
const whole = (name, least) =>
  /^\d{1,7}$/.test(address.get(name) ?? "") && Number(address.get(name)) >= least
    ? { [name]: address.get(name) }
    : {};
/** @type {Record<string, string>} */
const sample = { a, b, ...whole("n", 1), ...whole("seed", 0) };
if (["knowledge", "sight"].includes(address.get("kind"))) sample.kind = address.get("kind");
const pictures = []; // of pairs to come: the browser keeps what somebody holds

/** Have the browser fetch a picture before it is shown. */
function preload(url) {
  if (!url) return;
  const picture = new Image();
  picture.src = url;
  pictures.push(picture);
}

const mayDecide = document.body.dataset.role !== "viewer";
const FORM = [
  ["correct", "Is the answer correct?"],
  ["explains", "Does it explain its answer?"],
  ["factual", "Is the explanation true of the picture?"],
  ["consistent", "Does the explanation lead to the answer?"],
];
const PREFER = [
  ["1", "left", "Left"],
  ["2", "right", "Right"],
  ["3", "both", "Both alike"],
  ["4", "neither", "Neither"],
];
const SIDES = ["left", "right"];

const pairs = [];
const pastTasks = new Set();
let busy = false;
let state = null;
let since = 0;
const events = [];
let over = false;
let guideline = null;
let before = 0;
let of = null;

// --- questions

async function more() {
  if (busy || over || pairs.length >= 4) return;
  busy = true;
  try {
    const page = await get(`data/curate/pairs?${new URLSearchParams({ ...sample, count: "8" })}`);
    if (!pastTasks.size) {
      before = page.rated;
      of = page.of;
      count();
    }
    const ids = new Set([...pairs.map((pair) => pair.task), ...pastTasks, state?.pair.task]);
    const fresh = page.pairs.filter((pair) => !ids.has(pair.task));
    for (const { picture } of fresh) for (const one of allOf(picture)) preload(one.url);
    pairs.push(...fresh);
    over = !fresh.length;
    busy = false;
    if (!state) next();
  } catch (error) {
    busy = false;
    card("There is nothing to rate", error.message);
  }
}

function card(title, words) {
  find("desk").hidden = true;
  find("empty").replaceChildren(
    h(
      "div.card.empty",
      {},
      h("h2", {}, title),
      h("p.soft", {}, words),
      h("p.actions", {}, h("a.button", { href: "curate" }, "To the queue")),
    ),
  );
}

function next() {
  const pair = pairs.shift();
  more();
  if (!pair) {
    state = null;
    if (over) {
      card(
        "All rated",
        `You have rated every question ${sample.n ? "of this sample" : "that both explain"}. Thank you.`,
      );
    }
    return;
  }
  begin(pair);
}

function begin(pair, answers = { left: {}, right: {} }) {
  state = { pair, answers, at: 0 };
  since = performance.now();
  find("empty").replaceChildren();
  find("desk").hidden = false;
  const { picture } = pair;
  const seen = picturesOf(picture);
  find("picture").replaceChildren(seen.isThere ? seen.canvas : h("p.soft", {}, picture.problem));
  find("asked").replaceChildren(
    h("h2", {}, pair.question),
    pair.choices.length
      ? h(
          "p.soft.choices",
          {},
          pair.choices.map((text, index) =>
            h("span", {}, h("b", {}, String.fromCharCode(65 + index)), ` ${text}`),
          ),
        )
      : "",
    h(
      "p.soft.small",
      {},
      "Judge by the picture. Which model wrote which side is not shown, and changes from question to question.",
    ),
  );
  const place = placeOf(picture);
  const light = (pieces) =>
    seen.draw(
      pieces
        .filter((piece) => piece.box)
        .map((piece) => ({
          ...place(piece),
          label: "",
          role: "result",
          score: null,
          patch: piece.text,
        })),
    );
  for (const side of SIDES) {
    const { answer } = pair[side];
    const pieces = pair[side].rationale;
    // an answer that is all there is stands once
    const rationale = pieces.length === 1 && pieces[0].text === answer ? [] : pieces;
    find(side).replaceChildren(
      h("h2", {}, side === "left" ? "Left" : "Right"),
      answer
        ? h("p.answer", {}, answer)
        : h("p.soft", {}, "no short answer of its own; it is in the words below"),
      h(
        "p.words",
        { tabindex: "0", onmouseenter: () => light(rationale), onmouseleave: () => light([]) },
        rationale.map((piece) =>
          piece.box
            ? h(
                "button.where",
                {
                  type: "button",
                  title: "Show this box",
                  onmouseenter: () => light([piece]),
                  onfocus: () => light([piece]),
                  onblur: () => light([]),
                },
                piece.text,
              )
            : piece.text,
        ),
      ),
      h(
        "div.form",
        {},
        FORM.map(([name, words]) =>
          h(
            "div.ask",
            { dataset: { side, name }, role: "group", "aria-label": words },
            h("span", {}, words),
            [true, false].map((yes) =>
              h(
                "button.button.small",
                {
                  type: "button",
                  "aria-pressed": "false",
                  dataset: { yes },
                  onclick: () => takeAnswer(side, name, yes),
                },
                yes ? "Yes" : "No",
                h("kbd", {}, yes ? "y" : "n"),
              ),
            ),
          ),
        ),
      ),
    );
  }
  find("prefer").replaceChildren(
    h("h2", {}, "Which is better?"),
    h(
      "div.four",
      {},
      PREFER.map(([digit, value, words]) =>
        h(
          "button.button",
          { type: "button", value, onclick: () => prefer(value) },
          words,
          h("kbd", {}, digit),
        ),
      ),
    ),
  );
  mark();
}

/** What is asked, in order: explained answers are asked two things more. */
const questions = () =>
  SIDES.flatMap((side) =>
    FORM.filter(
      ([name]) => !["factual", "consistent"].includes(name) || state.answers[side].explains,
    ).map(([name]) => [side, name]),
  );

function takeAnswer(side, name, yes) {
  if (!state) return;
  const form = state.answers[side];
  form[name] = yes;
  if (name === "explains" && !yes) {
    delete form.factual;
    delete form.consistent;
  }
  const list = questions();
  const here = list.findIndex(([s, n]) => s === side && n === name);
  const open = list.findIndex(([s, n], index) => index > here && state.answers[s][n] === undefined);
  state.at = open >= 0 ? open : list.findIndex(([s, n]) => state.answers[s][n] === undefined);
  if (state.at < 0) state.at = list.length;
  mark();
}

function answerHere(yes) {
  const here = state && questions()[state.at];
  if (!here) return false;
  takeAnswer(...here, yes);
  return true;
}

function mark() {
  const list = questions();
  const here = list[state.at];
  for (const node of document.querySelectorAll(".ask")) {
    const { side, name } = node.dataset;
    node.hidden = !list.some(([s, n]) => s === side && n === name);
    node.classList.toggle("here", Boolean(here && here[0] === side && here[1] === name));
    for (const button of node.querySelectorAll("button")) {
      button.setAttribute(
        "aria-pressed",
        String(String(state.answers[side][name]) === button.dataset.yes),
      );
    }
  }
  const ready = list.every(([side, name]) => state.answers[side][name] !== undefined);
  find("prefer").classList.toggle("here", ready);
  for (const button of find("prefer").querySelectorAll("button")) {
    button.disabled = !ready || !mayDecide;
  }
}

function prefer(preference) {
  if (
    !state ||
    !questions().every(([side, name]) => state.answers[side][name] !== undefined) ||
    !mayDecide
  ) {
    return false;
  }
  const { pair, answers } = state;
  const id = newId();
  pastTasks.add(pair.task);
  events.push({ id, pair, answers });
  save("do/curate/rate", {
    id,
    task: pair.task,
    a,
    b,
    left: answers.left,
    right: answers.right,
    preference,
    seconds: Math.round(performance.now() - since) / 1000,
    guideline,
  }).catch(() => pastTasks.delete(pair.task));
  count();
  next();
  return true;
}

/** Take back the last rating of this page, and show its pair again with what was answered. */
function undo() {
  const event = events.pop();
  if (!event) {
    toast("Nothing was rated on this page yet; earlier ratings are in the queue's “Last ten”.");
    return;
  }
  save("do/undo", { task: event.pair.task, target: event.id }).catch(() => {});
  pastTasks.delete(event.pair.task);
  if (state) pairs.unshift(state.pair);
  count();
  begin(event.pair, event.answers);
  state.at = questions().length;
  mark();
}

const count = () => {
  find("count").textContent =
    of === null ? "" : `you have rated ${before + events.length} of ${of}`;
};

const percent = (value) => `${Math.round(100 * value)} %`;
const share = ({ value, low, high, of: n }) =>
  n
    ? [
        percent(value),
        h("span.soft.small", {}, `of ${n}, ${Math.round(100 * low)} to ${percent(high)}`),
      ]
    : "–";

async function results() {
  const box = find("dialog");
  const figures = await get(`data/curate/ratings?${new URLSearchParams({ a, b })}`).catch(
    (error) => toast(error.message, "bad") && null,
  );
  if (!figures) return;
  const heads = ["", ...figures.names, "paper: Instruct", "paper: VPD"];
  const rows = Object.entries(figures.asked).map(([name, words]) => [
    words,
    ...figures.shares[name].map(share),
    ...figures.paper[name].map(percent),
  ]);
  const alike = Object.entries(figures.agreement).flatMap(([name, raters]) =>
    raters.map((one) => [
      figures.asked[name] ?? name,
      `${one.first} and ${one.second}`,
      `${one.same} of ${one.n}`,
      one.kappa === null ? "–" : one.kappa.toFixed(2),
      one.note,
    ]),
  );
  const table = (head, body) =>
    h(
      "div.results-table",
      { tabindex: "0", role: "group", "aria-label": head[0] || "form" },
      h(
        "table.results",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            head.map((text) => h("th", { scope: "col" }, text)),
          ),
        ),
        h(
          "tbody",
          {},
          body.map(([first, ...rest]) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, first),
              rest.map((cell) => h("td.number", {}, cell)),
            ),
          ),
        ),
      ),
    );
  const preferences = figures.preferences;
  box.replaceChildren(
    h(
      "div.head",
      {},
      h(
        "h2",
        { id: "dialog-title" },
        `Results: ${amount(figures.questions, "question")}, ${amount(figures.ratings, "rating")}`,
      ),
      h(
        "button.button.small",
        { type: "button", onclick: () => box.close() },
        "Close ",
        h("kbd", {}, "Esc"),
      ),
    ),
    h(
      "p.soft.small",
      {},
      "Knowing them may sway you; better look when you are done. Shares are over questions, with 95 % intervals; where several people rated a question, the mean of what they said counts.",
    ),
    table(heads, rows),
    table(
      ["preferred", ""],
      [
        [figures.names[0], "first"],
        [figures.names[1], "second"],
        ["both alike", "both"],
        ["neither", "neither"],
      ].map(([words, name]) => [words, share(preferences[name])]),
    ),
    alike.length
      ? table(["agreement", "raters", "alike", "Cohen’s kappa", ""], alike)
      : h("p.soft.small", {}, "Agreement shows once two people have rated the same question."),
  );
  box.showModal();
}

keys("Rate", [
  ["y", "yes", (event) => (event.repeat ? undefined : answerHere(true))],
  ["n", "no", (event) => (event.repeat ? undefined : answerHere(false))],
  [
    "k",
    "question before",
    () => {
      if (!state) return false;
      state.at = Math.max(state.at - 1, 0);
      mark();
    },
  ],
  [
    "j",
    "next question",
    () => {
      if (!state) return false;
      state.at = Math.min(state.at + 1, questions().length);
      mark();
    },
  ],
  ...PREFER.map(([digit, value, words]) => [
    digit,
    words.toLowerCase(),
    (event) => (event.repeat ? undefined : prefer(value)),
  ]),
  [
    "u",
    "undo the last rating",
    (event) => {
      if (!event.repeat) undo();
    },
  ],
]);
find("results").addEventListener("click", results);
for (const name of ["n", "seed", "kind"]) find(name).value = sample[name] ?? "";
for (const name of ["a", "b", "n", "seed", "kind"]) {
  find(name).addEventListener("change", (event) => event.target.form.submit());
}
if (!find("none")) {
  find("a").value = a;
  find("b").value = b;
  get("data/curate/guidelines").then(
    ([now]) => {
      guideline = now?.version ?? null;
    },
    () => {},
  );
  if (mayDecide) more();
  else card("You may look here, not decide", "Rating needs the role curator.");
} else {
  for (const node of document.querySelectorAll(".pair label, [data-results]")) node.hidden = true;
}
