// The forms that begin work from the start page: a run of some questions, an import of more.
import { amount, duration, h } from "./dom.js";

/** @typedef {import("../js/types").HomeForm} HomeForm */
/** @typedef {import("../js/types").HomeNews} HomeNews */

const MOST = 100000;
const values = new Map(); // what was typed, by name: the forms are drawn anew while work goes on

/** A field that keeps what was typed. */
function kept(node) {
  const { name } = node;
  if (values.has(name)) node.value = values.get(name);
  node.addEventListener("input", () => values.set(name, node.value));
  return node;
}

const number = (name, value, most) =>
  kept(h("input.field.number", { type: "number", name, value, min: 1, max: most, required: true }));

const choice = (name, options) =>
  kept(
    h(
      "select",
      { name },
      options.map(([value, words]) => h("option", { value }, words)),
    ),
  );

const labelled = (words, field) => h("label", {}, h("span.small.soft", {}, words), field);

function form(name, heading, fields, button, note, send) {
  return h(
    "form",
    {
      dataset: { form: name },
      onsubmit: (event) => {
        event.preventDefault();
        send(new FormData(event.target));
      },
    },
    h("h3", {}, heading),
    h("div.fields", {}, fields, button),
    h("p.small.soft", {}, note),
  );
}

/** @param {HomeForm} forms @param {HomeNews} news */
function runNote(forms, news) {
  if (!news.waiting && !news.steps[0].count) return "There is no question yet: add some below.";
  const words = [
    news.waiting ? `${amount(news.waiting, "question")} to go` : "Every question was run",
  ];
  if (news.seconds) words.push(`about ${duration(1000 * news.seconds)} each, as earlier runs went`);
  return `${words.join("; ")}. The next in the order of import are taken.`;
}

const submit = (words, disabled) => h("button.button", { type: "submit", disabled }, words);

/** @param {HomeForm} forms */
function runForm(forms, news, disabled, order) {
  const splits = Object.entries(forms.splits).map(([name, count]) => [
    name,
    `${name || "without a split"} (${count.toLocaleString("en")})`,
  ]);
  return form(
    "run",
    "Run questions",
    [
      labelled("questions", number("run-questions", 10, MOST)),
      labelled(
        "split",
        choice("run-split", [["", "all splits"], ...splits.filter(([one]) => one)]),
      ),
      labelled("programs each", number("run-k", forms.k, 100)),
    ],
    submit("Run", disabled),
    runNote(forms, news),
    (data) =>
      order("do/start/run", {
        questions: Number(data.get("run-questions")),
        split: data.get("run-split"),
        k: Number(data.get("run-k")),
      }),
  );
}

/** @param {HomeForm} forms */
function importForm(forms, disabled, order) {
  const source = choice(
    "import-source",
    forms.sources.map((one, at) => [at, one.name]),
  );
  const split = h("select", { name: "import-split" });
  const note = h("span");
  const offer = () => {
    const one = forms.sources[Number(source.value)];
    split.replaceChildren(
      ...["", ...(one?.splits ?? [])].map((name) =>
        h("option", { value: name }, name || "all splits"),
      ),
    );
    note.textContent =
      one?.problem ||
      "Only the split train should be trained on; val and test are for measuring. Your own files: vpd import.";
  };
  source.addEventListener("input", offer);
  offer();
  if (values.has("import-split")) split.value = values.get("import-split");
  split.addEventListener("input", () => values.set("import-split", split.value));
  return form(
    "import",
    "Add questions",
    [
      labelled("questions", number("import-questions", 50, MOST)),
      labelled("source", source),
      labelled("split", split),
    ],
    submit("Add", disabled),
    note,
    (data) =>
      order("do/start/import", {
        source: Number(data.get("import-source")),
        questions: Number(data.get("import-questions")),
        split: data.get("import-split"),
      }),
  );
}

/**
 * The nodes of the forms; `order(address, body)` begins the work.
 * @param {HomeForm | null} forms
 * @param {HomeNews} news
 */
export function begin(forms, news, disabled, order) {
  if (!forms) {
    return [
      h("h2", {}, "Begin work"),
      h("p.soft", {}, "Adding questions and running them needs the role admin."),
    ];
  }
  return [
    h("h2", {}, "Begin work"),
    runForm(forms, news, disabled, order),
    importForm(forms, disabled, order),
    h(
      "p.small.soft",
      {},
      "Work goes on when this page is closed, and when the server ends. One import or run works at a time.",
    ),
  ];
}
