// Beside the queue: its settings, the guidelines, and what a snapshot would hold now.
import { amount, h } from "./dom.js";
import { get, save, toast } from "./server.js";

const box = document.querySelector("[data-dialog]");
const guide = document.querySelector("[data-guide]");
const admin = document.body.dataset.role === "admin";
/** Names of the orders with their words; other pages that take a snapshot have none. */
const ORDERS = Object.fromEntries(
  JSON.parse(document.querySelector("main").dataset.orders ?? "[]"),
);

function openDialog(title, ...content) {
  box.replaceChildren(
    h(
      "div.head",
      {},
      h("h2", { id: "dialog-title" }, title),
      h(
        "button.button.small",
        { type: "button", onclick: () => box.close() },
        "Close ",
        h("kbd", {}, "Esc"),
      ),
    ),
    ...content,
  );
  if (!box.open) box.showModal();
}

const row = (label, field, hint = "") =>
  h("label.row", {}, h("span", {}, label, hint ? h("small.soft", {}, hint) : ""), field);
const number = (name, value, min, max, step = 1) =>
  h("input.field", { type: "number", name, value, min, max, step, required: true });

/** Which questions, in which order; and for admins the rules of the whole project. */
export async function queueDrawer(query) {
  const { settings, held: holds } = await get("data/curate/queue");
  const order = (current, none) =>
    h(
      "select",
      { name: "order" },
      none ? h("option", { value: "" }, `the project's: ${ORDERS[settings.order]}`) : "",
      Object.entries(ORDERS).map(([value, words]) =>
        h("option", { value, selected: value === current }, words),
      ),
    );
  const search = h("input.field", {
    name: "q",
    value: query.q,
    placeholder: "all questions that were kept",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 500,
  });
  const state = h(
    "select",
    { name: "state" },
    [
      ["pending", "not decided yet"],
      ["skipped", "skipped before"],
    ].map(([value, words]) => h("option", { value, selected: value === query.state }, words)),
  );
  const mine = h(
    "form.rows",
    { method: "get", action: "curate" },
    row("Filter", search, "a search as in Browse, tokens included"),
    row("Order", order(query.order, true)),
    row("Questions", state),
    h(
      "div.actions",
      {},
      h("button.button.main", {}, "Show these"),
      h("a.button", { href: `browse?${new URLSearchParams({ q: query.q })}` }, "Choose in Browse"),
    ),
  );
  const rules = h(
    "form.rows",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        const values = Object.fromEntries(new FormData(rules));
        const body = {
          overlap: Number(values.overlap),
          gold_rate: Number(values.gold) / 100,
          hide_verdicts: values.hide === "on",
          lease_minutes: Number(values.minutes),
          daily_goal: Number(values.goal),
          order: values.order,
        };
        if (await save("do/curate/settings", body).catch(() => null)) location.reload();
      },
    },
    row("Order", order(settings.order, false)),
    row(
      "Reviewers for each question",
      number("overlap", settings.overlap, 1, 20),
      "two or more measure agreement",
    ),
    row(
      "Gold questions, %",
      number("gold", Math.round(1000 * settings.gold_rate) / 10, 0, 50, 0.5),
      "their right verdict is known already",
    ),
    row("Goal for each reviewer and day", number("goal", settings.daily_goal, 0, 100000)),
    row(
      "Minutes that a question is held",
      number("minutes", settings.lease_minutes, 0.1, 1440, 0.1),
    ),
    row(
      "Hide verdicts until one has decided",
      h("input", { type: "checkbox", name: "hide", checked: settings.hide_verdicts }),
      "the verifier's and other people's",
    ),
    h("div.actions", {}, h("button.button.main", {}, "Put in force")),
  );
  const clock = (time) =>
    new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const holder = (one) =>
    h("li", {}, `${one.name} holds ${amount(one.count, "question")}, until ${clock(one.until)}`);
  const holders = holds.length
    ? h("ul.plain", {}, holds.map(holder))
    : h("p.soft", {}, "Nobody holds a question now.");
  openDialog(
    "Queue",
    h("h3", {}, "What I see"),
    mine,
    h("h3", {}, "Who holds what"),
    holders,
    ...(admin
      ? [h("h3", {}, "Rules of the project"), rules]
      : [
          h(
            "p.soft.small",
            {},
            "The rules of the project (reviewers for each question, gold, goal) are an admin's to set.",
          ),
        ]),
  );
}

function guidelinesForm(now) {
  const editor = h("textarea.field", { rows: 12, maxlength: 20000, "aria-label": "Guidelines" });
  editor.value = now?.text ?? "";
  const store = async () => {
    const body = { text: editor.value };
    if (!(await save("do/curate/guidelines", body).catch(() => null))) return;
    toast("The guidelines are in force. Decisions from now on name this version.");
    location.reload();
  };
  return h(
    "details",
    {},
    h("summary", {}, now ? "Write a new version" : "Write the first version"),
    editor,
    h(
      "div.actions",
      {},
      h("button.button.main.small", { type: "button", onclick: store }, "Put in force"),
    ),
  );
}

const day = (time) => new Date(time).toLocaleDateString();

function currentGuidelines(now) {
  if (!now) {
    return [
      h(
        "p.soft",
        {},
        "There are none yet. An admin writes them here, or with: vpd guidelines add FILE",
      ),
    ];
  }
  return [
    h("p.soft.small", {}, `version ${now.version}, by ${now.author}, ${day(now.at)}`),
    text(now.text),
  ];
}

const earlierGuidelines = (one) =>
  h(
    "details",
    {},
    h("summary", {}, `${one.version} · ${one.author} · ${day(one.at)}`),
    text(one.text),
  );

/**
 * The guidelines beside the work: nothing is covered that one decides with.  Returns the version in
 * force, or null; `toggle` false only looks.
 */
export async function guidelines(toggle = true) {
  const [now = null, ...earlier] = await get("data/curate/guidelines");
  if (toggle) guide.hidden = !guide.hidden;
  if (!toggle || guide.hidden) return now;
  const close = () => {
    guide.hidden = true;
  };
  guide.replaceChildren(
    h(
      "div.head",
      {},
      h("h2", {}, "Guidelines"),
      h("button.button.small", { type: "button", onclick: close }, "Close ", h("kbd", {}, "G")),
    ),
    ...currentGuidelines(now),
    admin ? guidelinesForm(now) : "",
    earlier.length ? h("h3", {}, "Before") : "",
    ...earlier.map(earlierGuidelines),
  );
  return now;
}

const text = (words) =>
  h(
    "div.text",
    {},
    words.split(/\n{2,}/).map((part) => h("p", {}, part)),
  );

/** How many questions enter a snapshot, and how they are divided. */
function entering(now) {
  const inWords = (value) => value.toLocaleString("en");
  const words = h(
    "p.enters",
    {},
    h("b", {}, amount(now.rows, "question")),
    now.rows === 1 ? " enters" : " enter",
  );
  if (!now.rows) {
    words.append(".");
    return [words];
  }
  const pictures = amount(now.pictures, "picture");
  words.append(`: ${inWords(now.train)} to train on, ${inWords(now.val)} held out, ${pictures}.`);
  const people = `${now.people} accepted by ${now.reviewers.join(", ") || "nobody"}`;
  const edits = `${now.edited} edited by people`;
  const rest = `${amount(now.rationales, "rationale")}, ${edits}; ${people}.`;
  return [words, h("p.soft.small", {}, rest)];
}

/** What is left out, and why; each with an example. */
function leftOut(rows) {
  if (!rows.length) return h("p.soft", {}, "Nothing is left out.");
  const example = (one) => `curate?${new URLSearchParams({ task: one.examples[0] })}`;
  const line = (one) =>
    h(
      "tr",
      {},
      h("td.number", {}, one.count.toLocaleString("en")),
      h("td", {}, one.reason),
      h("td.soft.small", {}, h("a", { href: example(one) }, "an example")),
    );
  return h("table", {}, h("caption", {}, "Left out"), h("tbody", {}, rows.map(line)));
}

/**
 * Boxes for the splits: those that are not for evaluation are ticked, and a warning stands where
 * one that is gets ticked.  `any()` says whether one is, `chosen()` gives the names as the server
 * wants them: none for what is ticked at first, so that the snapshot keeps its hash.
 * @param {import("../js/types").SplitOffer[]} offers
 */
function splitBoxes(offers, onChange) {
  const warning = h("p.problem.small", { role: "status", hidden: true });
  const boxes = offers.map((one) =>
    h("input", { type: "checkbox", value: one.name, checked: !one.evaluates }),
  );
  const taken = () => offers.filter((_, at) => boxes[at].checked);
  const change = () => {
    const tests = taken().filter((one) => one.evaluates);
    warning.hidden = !tests.length;
    warning.textContent = `${tests.map((one) => one.name).join(", ")}: for evaluation by name. A model that learns from it is not to be measured on it.`;
    onChange();
  };
  const line = (one, at) =>
    h(
      "label.split",
      {},
      boxes[at],
      ` ${one.name || "no split"} `,
      h("small.soft", {}, amount(one.questions, "question")),
    );
  for (const tick of boxes) tick.addEventListener("change", change);
  const node = h("div", { role: "group", "aria-label": "Splits" }, offers.map(line), warning);
  const first = () => boxes.every((tick, at) => tick.checked !== offers[at].evaluates);
  return {
    node,
    any: () => taken().length > 0,
    chosen: () => (first() ? [] : taken().map((one) => one.name)),
  };
}

/**
 * Boxes for the recipes that weigh training rows; `chosen()` gives their names.
 * @param {import("../js/types").SelectorOffer[]} offers
 */
function selectorBoxes(offers, onChange) {
  const boxes = offers.map((one) => h("input", { type: "checkbox", value: one.name }));
  const late = h("p.soft.small", { role: "status", hidden: true });
  const chosen = () => offers.filter((_, at) => boxes[at].checked);
  const change = () => {
    const names = chosen().filter((one) => one.loads);
    late.hidden = !names.length;
    late.textContent = `${names.map((one) => one.name).join(", ")}: the student looks at every row when the snapshot is frozen, which takes a while.`;
    onChange();
  };
  for (const tick of boxes) tick.addEventListener("change", change);
  const line = (one, at) =>
    h(
      "label.split",
      {},
      boxes[at],
      h("span", {}, h("b.mono", {}, one.name), h("small.soft.idea", {}, one.idea)),
    );
  const node = h("div", { role: "group", "aria-label": "Selectors" }, offers.map(line), late);
  return { node, chosen: () => chosen().map((one) => one.name) };
}

/** Exactly what enters a snapshot now, and what is left out and why. */
export async function snapshot(query) {
  const source = h(
    "select",
    { "aria-label": "Accepted by" },
    [
      ["person", "what people accepted"],
      ["both", "people's word, else the verifier's"],
      ["automatic", "what the verifier kept"],
    ].map(([value, words]) => h("option", { value }, words)),
  );
  const search = h("input.field", {
    value: query.q,
    "aria-label": "Filter",
    placeholder: "a search as in Browse; all when empty",
    spellcheck: "false",
  });
  const labels = h("input", { type: "checkbox" });
  const name = h("input.field", {
    placeholder: "a name, if you like",
    maxlength: 80,
    "aria-label": "Name",
  });
  const splits = splitBoxes(await get("data/curate/splits"), look);
  const selectors = selectorBoxes(await get("data/curate/selectors"), look);
  const result = h("div.found", { "aria-live": "polite" });
  const go = h(
    "button.button.main",
    { type: "button", disabled: true, onclick: take },
    "Freeze a snapshot",
  );
  let latest = 0;

  async function look() {
    const mine = ++latest;
    go.disabled = true;
    if (!splits.any()) {
      result.replaceChildren(h("p.problem", {}, "No split is chosen; tick at least one."));
      return;
    }
    result.replaceChildren(
      h("p.soft", {}, "Counting, and looking for pictures that evaluation has too…"),
    );
    const choice = new URLSearchParams({ accepted: source.value, q: search.value });
    choice.set("labels", String(labels.checked));
    for (const one of splits.chosen()) choice.append("split", one);
    for (const one of selectors.chosen()) choice.append("select", one);
    try {
      const now = await get(`data/curate/snapshot?${choice}`);
      if (mine !== latest) return;
      go.disabled = !now.rows || !admin;
      result.replaceChildren(...entering(now), leftOut(now.left_out));
    } catch (error) {
      if (mine === latest) result.replaceChildren(h("p.problem", {}, error.message));
    }
  }

  async function take() {
    go.disabled = true;
    result.append(h("p.soft", {}, "Writing…"));
    const reply = await save("do/curate/snapshot", {
      accepted: source.value,
      q: search.value,
      labels: labels.checked,
      splits: splits.chosen(),
      select: selectors.chosen().map((part) => ({ part })),
      name: name.value,
    }).catch(() => null);
    if (!reply) {
      look();
      return;
    }
    result.replaceChildren(
      h(
        "p.enters",
        {},
        "Frozen as ",
        h("b.mono", {}, reply.hash),
        `: ${amount(reply.rows, "row")}.`,
      ),
      h("p.soft.small.mono", {}, reply.path),
    );
  }

  for (const field of [source, labels]) field.addEventListener("change", look);
  search.addEventListener("change", look);
  openDialog(
    "Snapshot",
    h(
      "p.soft",
      {},
      "What training would learn from, as it is now. The same content has the same hash, and never changes.",
    ),
    h(
      "div.rows",
      {},
      row("Takes", source),
      row("Filter", search),
      h("div.row", {}, h("span", {}, "Splits"), splits.node),
      row("Also questions with a label alone", labels),
      h("div.row", {}, h("span", {}, "Weighed by"), selectors.node),
    ),
    result,
    h(
      "div.actions",
      {},
      admin ? name : h("span.soft.small", {}, "Freezing one needs the role admin."),
      go,
    ),
  );
  look();
}
