// How a question looks in the list, opened to its programs, and in the panel beside.
import { amount, duration, h, verdict } from "./dom.js";
import { allOf } from "./player_elements.js";

const SIGN = { right: "✓", wrong: "✗", failed: "!", none: "–" };
const REVIEW = {
  accepted: "✓ accepted",
  rejected: "✗ rejected",
  skipped: "skipped",
  disputed: "~ disputed",
  adjudicated: "✓ settled",
};

const stepPage = (trace, task) =>
  trace ? `step?trace=${encodeURIComponent(trace)}` : `step?task=${encodeURIComponent(task)}`;

/** Where a question is stepped through: its kept run, else its first. */
export const address = (row) =>
  stepPage(row.kept ?? row.runs.find((run) => run.trace)?.trace, row.id);

/** 3 min, 5 h, 12 d: how long ago something was written. */
function age(stamp) {
  const seconds = (Date.now() - Date.parse(stamp)) / 1000;
  for (const [name, size] of Object.entries({ d: 86400, h: 3600, min: 60 })) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${name} ago`;
  }
  return "now";
}

/** Work of processors and models; what was waited is said where it is more than a blink. */
function timeOf({ seconds, waiting }) {
  if (seconds === null) return null;
  const words = `${duration(1000 * seconds)} of work by processors and models`;
  const title = waiting >= 0.05 ? `${words}; waited ${duration(1000 * waiting)} beside` : words;
  return h("span", { title }, duration(1000 * seconds));
}

const MOST_THUMBS = 4; // pictures of one question in its row

/** A picture as small as a row. */
function thumb(image, kind = "") {
  const picture = h(`img${kind}`, {
    src: `thumb/${image}`,
    alt: "",
    loading: "lazy",
    decoding: "async",
    width: 72,
    height: 72,
  });
  picture.addEventListener("error", () => picture.replaceWith(h("span.thumb", {}, "no picture")), {
    once: true,
  });
  return picture;
}

/** The first pictures of a question about several, and how many more there are. */
function severalThumbs(images) {
  const rest = images.length - MOST_THUMBS;
  return h(
    "span.thumb.several",
    { title: `${images.length} pictures` },
    images.slice(0, MOST_THUMBS).map((image) => thumb(image)),
    rest > 0 && h("span.rest", {}, `+${rest}`),
  );
}

/** Values of the table's own columns, each below its name. */
function ownOf(row, columns) {
  if (!columns.length) return null;
  const pair = (key, at) =>
    h("div", {}, h("dt", {}, key), h("dd", { title: row.own[at] }, row.own[at] || "–"));
  return h("dl.own", {}, columns.map(pair));
}

/** One row with these columns of the table's own; `on` has {select, focus, expand}. */
export function rowOf(row, columns, on) {
  const right = row.runs.filter((run) => run.state === "right").length;
  const words = `${right} of ${amount(row.runs.length, "program")} right`;
  const bar = h(
    "button.samples",
    {
      type: "button",
      "aria-expanded": "false",
      "aria-label": `${words}; show them`,
      title: `${words} (e)`,
      onclick: (event) => {
        event.stopPropagation();
        on.expand();
      },
    },
    row.runs.map((run) =>
      h(
        `i.${run.state}${run.trace && run.trace === row.kept ? ".kept" : ""}`,
        { "aria-hidden": "true" },
        SIGN[run.state],
      ),
    ),
    h("span", { "aria-hidden": "true" }, "▾"),
  );
  const picture = row.more.length
    ? severalThumbs([row.image, ...row.more])
    : thumb(row.image, ".thumb");
  const line = h(
    "div.row",
    {
      tabindex: -1,
      onclick: (event) => {
        if (!event.target.closest("a, input, button")) on.focus();
      },
      ondblclick: (event) => {
        if (!event.target.closest("a, input, button")) location.assign(address(row));
      },
    },
    h("input", {
      type: "checkbox",
      "aria-label": `Choose: ${row.question.slice(0, 120)}`,
      onclick: (event) => on.select(event),
    }),
    picture,
    h(
      "div.what",
      {},
      h("a", { href: address(row) }, row.question),
      h(
        "div.tags",
        {},
        REVIEW[row.review]
          ? h(`span.review.${row.review}`, { title: row.reviewers.join(", ") }, REVIEW[row.review])
          : null,
        row.family ? h("span.chip", {}, row.family) : null,
        row.tools.map((tool) => h("span.chip", {}, tool)),
      ),
      ownOf(row, columns),
    ),
    h(
      "div.answers",
      {},
      h("div", {}, h("small", {}, "gold"), h("b", { title: row.gold }, row.gold || "no label")),
      h("div", { title: row.said }, h("small", {}, "pipeline"), verdict(row.state, row.said)),
      row.student === null
        ? null
        : h(
            "div",
            { title: row.student },
            h("small", {}, "student"),
            verdict(row.student_state, row.student),
          ),
    ),
    h(
      "div.measure",
      {},
      bar,
      h(
        "span",
        {},
        row.steps === null ? "not run" : amount(row.steps, "step"),
        row.seconds === null ? null : " · ",
        timeOf(row),
      ),
      row.waiting >= 1 ? h("span", {}, `waited ${duration(1000 * row.waiting)}`) : null,
      h("span", { title: new Date(row.updated).toLocaleString() }, age(row.updated)),
    ),
  );
  return h("li", { dataset: { id: row.id } }, line);
}

/**
 * The programs of a question, grouped by their answers: the kept one's group first, then by size,
 * failures last.
 */
export function runsOf(row) {
  const groups = new Map();
  for (const run of row.runs) {
    const key = run.answer === null ? `! ${run.kind ?? "waiting"}` : `= ${run.form}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(run);
  }
  const rank = (runs) =>
    [
      !runs.some((run) => run.trace && run.trace === row.kept),
      runs[0].answer === null,
      -runs.length,
    ].map(Number);
  const list = [...groups.values()].sort((a, b) =>
    rank(a).reduce((order, value, at) => order || value - rank(b)[at], 0),
  );
  const group = (runs) =>
    h(
      "div.group",
      {},
      verdict(runs[0].state, answerWords(runs[0])),
      h(
        "ul",
        {},
        runs.map((run) => h("li", {}, runLine(run, row))),
      ),
    );
  return h("div.runs", {}, list.map(group));
}

/** What a run answered, or why it gave no answer. */
function answerWords({ answer, kind }) {
  if (answer !== null) return answer;
  return kind ? kind.replaceAll("_", " ") : "not run";
}

function runLine(run, row) {
  const name = `program ${run.number}`;
  if (!run.trace) return h("span.soft.small", {}, `${name}, not run yet`);
  const waited = run.waiting >= 0.05 ? ` · waited ${duration(1000 * run.waiting)}` : "";
  const time = `${duration(1000 * (run.seconds ?? 0))}${waited}`;
  const size = `${amount(run.steps ?? 0, "step")} · ${time}`;
  return h(
    "a",
    { href: stepPage(run.trace) },
    h("b", {}, name),
    run.trace === row.kept ? h("span.chip", {}, "kept") : null,
    h("span.soft", {}, size),
    h("span.soft", {}, run.tools.join(", ")),
  );
}

function pictureOf({ picture }) {
  const shown = allOf(picture).filter(({ url }) => url);
  const images = shown.map(({ url: src, width, height }, index) => {
    const alt = shown.length > 1 ? `Picture ${index + 1}` : "The picture asked about";
    return h("img", { src, alt, width, height });
  });
  if (images.length > 1) return h("div.pictures", {}, images);
  return images[0] ?? null;
}

function choicesOf({ choices }) {
  if (!choices.length) return null;
  const choice = (text, at) => h("span", {}, h("b", {}, String.fromCharCode(65 + at)), ` ${text}`);
  const list = choices.flatMap((text, at) => [" · ", choice(text, at)]);
  return h("p.soft.small", {}, list.slice(1));
}

function answersOf({ gold, answer, state, student }) {
  const line = h("div.line", {}, h("span", {}, "gold ", h("b", {}, gold || "no label")));
  if (answer !== null) line.append(verdict(state, answer));
  if (student) line.append(h("span", {}, "student ", verdict(student.state, student.answer)));
  if (student?.problem) line.append(h("span.problem.small", {}, student.problem.slice(0, 300)));
  return line;
}

function programOf({ number, source }) {
  if (!source.length) return null;
  const word = ([kind, text]) => (kind ? h(`span.${kind}`, {}, text) : text);
  return h(
    "pre",
    { tabindex: 0, role: "region", "aria-label": `Program ${number}` },
    source.map((words) => [words.map(word), "\n"]),
  );
}

/** The panel beside the list. */
export function peekOf(row, detail) {
  const { picture, problem, rationale } = detail;
  return [
    pictureOf(detail),
    h(
      "div.inside",
      {},
      picture.url ? null : h("p.soft.small", {}, picture.problem),
      h("h2", {}, detail.question),
      choicesOf(detail),
      answersOf(detail),
      problem ? h("p.problem.small", {}, problem.slice(0, 300)) : null,
      programOf(detail),
      rationale ? h("p.prose", {}, rationale) : null,
      h(
        "div.actions",
        {},
        h("a.button.main.small", { href: address(row) }, "Step through ", h("kbd", {}, "Enter")),
        h("a.button.small", { href: `curate?task=${encodeURIComponent(row.id)}` }, "Curate"),
      ),
    ),
  ];
}
