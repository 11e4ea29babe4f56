// How a question looks in the list, opened to its programs, and in the panel beside.
import { amount, duration, h, verdict } from "./dom.js";

const SIGN = { right: "✓", wrong: "✗", failed: "!", none: "–" };
const REVIEW = {
  accepted: "✓ accepted",
  rejected: "✗ rejected",
  skipped: "skipped",
  disputed: "~ disputed",
  adjudicated: "✓ settled",
};

const stepPage = (trace, task) =>
  trace ? `/step?trace=${encodeURIComponent(trace)}` : `/step?task=${encodeURIComponent(task)}`;

/** Where a question is stepped through: its kept run, else its first. */
export const address = (row) =>
  stepPage(row.kept ?? row.runs.find((run) => run.trace)?.trace, row.id);

/** 3 min, 5 h, 12 d: how long ago something was written. */
function age(stamp) {
  const seconds = (Date.now() - Date.parse(stamp)) / 1000;
  for (const [size, name] of [
    [86400, "d"],
    [3600, "h"],
    [60, "min"],
  ]) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${name} ago`;
  }
  return "now";
}

/** One row; `on` has {select, focus, expand}. */
export function rowOf(row, on) {
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
  const picture = h("img.thumb", {
    src: `/thumb/${row.image}`,
    alt: "",
    loading: "lazy",
    decoding: "async",
    width: 72,
    height: 72,
  });
  picture.addEventListener("error", () => picture.replaceWith(h("span.thumb", {}, "no picture")), {
    once: true,
  });
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
        row.family ? h("span.chip", {}, row.family) : null,
        row.tools.map((tool) => h("span.chip", {}, tool)),
        REVIEW[row.review]
          ? h(`span.review.${row.review}`, { title: row.reviewers.join(", ") }, REVIEW[row.review])
          : null,
      ),
    ),
    h(
      "div.answers",
      {},
      h("div", {}, h("small", {}, "gold"), h("b", { title: row.gold }, row.gold || "no label")),
      h("div", {}, h("small", {}, "pipeline"), verdict(row.state, row.said)),
      row.student === null
        ? null
        : h("div", {}, h("small", {}, "student"), verdict(row.student_state, row.student)),
    ),
    h(
      "div.measure",
      {},
      bar,
      h(
        "span",
        {},
        [
          row.steps === null ? null : amount(row.steps, "step"),
          row.seconds === null ? null : duration(1000 * row.seconds),
        ]
          .filter(Boolean)
          .join(" · ") || "not run",
      ),
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
    const key =
      run.answer === null ? `! ${run.kind ?? "waiting"}` : `= ${run.answer.trim().toLowerCase()}`;
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
  return h(
    "div.runs",
    {},
    list.map((runs) =>
      h(
        "div.group",
        {},
        verdict(
          runs[0].state,
          runs[0].answer ?? (runs[0].kind ? runs[0].kind.replaceAll("_", " ") : "not run"),
        ),
        h(
          "ul",
          {},
          runs.map((run) =>
            h(
              "li",
              {},
              run.trace
                ? h(
                    "a",
                    { href: stepPage(run.trace) },
                    h("b", {}, `program ${run.number}`),
                    run.trace === row.kept ? h("span.chip", {}, "kept") : null,
                    h(
                      "span.soft",
                      {},
                      `${amount(run.steps ?? 0, "step")} · ${duration(1000 * (run.seconds ?? 0))}`,
                    ),
                    h("span.soft", {}, run.tools.join(", ")),
                  )
                : h("span.soft.small", {}, `program ${run.number}, not run yet`),
            ),
          ),
        ),
      ),
    ),
  );
}

/** The panel beside the list. */
export function peekOf(row, detail) {
  const { picture } = detail;
  return [
    picture.url
      ? h("img", {
          src: picture.url,
          alt: "The picture asked about",
          width: picture.width,
          height: picture.height,
        })
      : null,
    h(
      "div.inside",
      {},
      picture.url ? null : h("p.soft.small", {}, picture.problem),
      h("h2", {}, detail.question),
      detail.choices.length
        ? h(
            "p.soft.small",
            {},
            detail.choices.map((text, at) => [
              at ? " · " : "",
              h("b", {}, String.fromCharCode(65 + at)),
              ` ${text}`,
            ]),
          )
        : null,
      h(
        "div.line",
        {},
        h("span", {}, "gold ", h("b", {}, detail.gold || "no label")),
        detail.answer === null ? null : verdict(detail.state, detail.answer),
        detail.student
          ? h("span", {}, "student ", verdict(detail.student.state, detail.student.answer))
          : null,
      ),
      detail.problem ? h("p.problem.small", {}, detail.problem.slice(0, 300)) : null,
      detail.source.length
        ? h(
            "pre",
            { tabindex: 0, role: "region", "aria-label": `Program ${detail.number}` },
            detail.source.map((words) => [
              words.map(([kind, text]) => (kind ? h(`span.${kind}`, {}, text) : text)),
              "\n",
            ]),
          )
        : null,
      detail.rationale ? h("p.prose", {}, detail.rationale) : null,
      h(
        "div.actions",
        {},
        h("a.button.main.small", { href: address(row) }, "Step through ", h("kbd", {}, "Enter")),
        h("a.button.small", { href: `/curate?task=${encodeURIComponent(row.id)}` }, "Curate"),
      ),
    ),
  ];
}
