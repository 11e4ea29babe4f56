// What each chart of the dashboard shows: {name, title, size, says(data), note(data), empty, table(data), plot(data, colors)}.  No DOM here.
const percent = (share) => (share.value === null ? "–" : `${(100 * share.value).toFixed(1)} %`);
const between = (share) => `${(100 * share.low).toFixed(1)} to ${(100 * share.high).toFixed(1)} %`;
const count = (number) => number.toLocaleString("en");
/** Plotly reads some markup in text; what a person or a model is called holds none. */
const flat = (name) => name.replaceAll("<", "‹").replaceAll("&", "＆");
const words = (name) => flat(name).replaceAll("_", " ");
const sum = (list) => list.reduce((total, one) => total + one, 0);
const seconds = (value) => (value === null ? "–" : value < 0.1 ? `${(1000 * value).toFixed(0)} ms` : `${value.toFixed(2)} s`);
const bytes = (value) => (value < 2 ** 20 ? `${(value / 2 ** 10).toFixed(0)} KiB` : value < 2 ** 30 ? `${(value / 2 ** 20).toFixed(1)} MiB` : `${(value / 2 ** 30).toFixed(1)} GiB`);
const whiskers = (shares, color) => ({ type: "data", symmetric: false, array: shares.map((s) => 100 * (s.high - s.value)), arrayminus: shares.map((s) => 100 * (s.value - s.low)), color, thickness: 1.4, width: 4 });
const tones = (c) => [c.accent, c.warm, c.good, c.bad, c.keyword, c.crash];
const days = (list) => [...new Set(list.map((one) => one.day))].sort();

/** The row of figures: [name, value, what it is of]. */
export function numbers(data) {
  const step = (name) => data.funnel.find((one) => one.name === name)?.tasks ?? 0;
  const [slow] = data.models, quick = data.models.find((model) => !model.name.startsWith("pipeline"));
  const factor = slow?.name.startsWith("pipeline") && quick?.seconds > 0 ? `${(slow.seconds / quick.seconds).toFixed(1)}×` : "–";
  return [
    ["Questions", count(data.tasks), ""], ["Programs", count(data.programs), `k = ${data.k}`],
    ["Executed", percent(data.executed), `of ${count(data.executed.of)} runs`],
    ["Yield", percent(data.kept), `of ${count(data.kept.of)} judged`],
    ["Accepted", count(step("accepted")), "questions, by people"], ["In snapshot", count(step("in snapshot")), "questions, the newest one"],
    ["Student right", percent(data.student), data.student.of ? `${between(data.student)}, n = ${count(data.student.of)}` : "no answer yet"],
    ["Student faster by", factor, factor === "–" ? "both sides' times are needed" : `${seconds(slow.seconds)} : ${seconds(quick.seconds)} a question`],
  ];
}

export const CHARTS = [
  {
    name: "funnel", title: "From question to snapshot", says: () => "click a bar to see its questions",
    note: (data) => `questions, n = ${count(data.tasks)}; percentages of the step before`, empty: "",
    table: (data) => ({ columns: ["step", "questions"], rows: data.funnel.map((step) => [step.name, step.tasks]) }),
  },
  {
    name: "pass_at_k", title: "pass@k", says: (data) => (data.curve.length ? `a right program among k, up to ${percent(data.curve.at(-1)[1])}` : ""),
    note: (data) => `% of judged labelled questions, n = ${count(data.kept.of)}; band: 95 % (Wilson)`, empty: "Fills when programs of labelled questions have been run and judged: vpd run.",
    table: (data) => ({ columns: ["k", "pass@k", "low", "high", "n"], rows: data.curve.map(([k, s]) => [k, s.value, s.low, s.high, s.of]) }),
    plot: (data, c) => {
      const x = data.curve.map(([k]) => k), shares = data.curve.map(([, s]) => s);
      return {
        traces: [
          { x: [...x, ...[...x].reverse()], y: [...shares.map((s) => 100 * s.high), ...shares.map((s) => 100 * s.low).reverse()], fill: "toself", fillcolor: c.accent, opacity: 0.14, line: { width: 0 }, mode: "lines", hoverinfo: "skip", showlegend: false },
          { x, y: shares.map((s) => 100 * s.value), mode: "lines+markers", line: { color: c.accent, width: 2 }, marker: { size: 7, color: c.accent }, hovertemplate: "pass@%{x}: %{y:.1f} %<extra></extra>", showlegend: false },
        ],
        layout: { xaxis: { title: { text: "k programs" }, dtick: 1 }, yaxis: { title: { text: "%" }, range: [0, 100] } },
      };
    },
  },
  {
    name: "by_tool", title: "Acceptance by tool", says: () => "runs that called the tool",
    note: (data) => `%, 95 % (Wilson); people's n = ${count(sum(data.tools.map((t) => t.accepted.of)))}`, empty: "Fills when programs have called tools and been judged: vpd run.",
    table: (data) => ({ columns: ["tool", "runs", "right", "low", "high", "n judged", "accepted by people", "low", "high", "n decided"], rows: data.tools.map((t) => [t.name, t.runs, t.right.value, t.right.low, t.right.high, t.right.of, t.accepted.value, t.accepted.low, t.accepted.high, t.accepted.of]) }),
    plot: (data, c) => {
      const series = (name, key, color, symbol, shift) => {
        const held = data.tools.filter((t) => t[key].of);
        return held.length && { name, type: "scatter", mode: "markers", cliponaxis: false, x: held.map((t) => 100 * t[key].value), y: held.map((t) => data.tools.indexOf(t) + shift), marker: { color, size: 10, symbol }, error_x: whiskers(held.map((t) => t[key]), color), customdata: held.map((t) => [words(t.name), t[key].of]), hovertemplate: "%{customdata[0]}: %{x:.1f} % of %{customdata[1]}<extra></extra>" };
      };
      const both = data.tools.some((t) => t.accepted.of) ? 0.16 : 0;
      return {
        traces: [series("right by the label", "right", c.accent, "circle", -both), series("accepted by people", "accepted", c.warm, "diamond", both)].filter(Boolean),
        layout: { xaxis: { title: { text: "%" }, range: [0, 100] }, yaxis: { autorange: "reversed", tickvals: data.tools.map((_, at) => at), ticktext: data.tools.map((t) => words(t.name)), zeroline: false }, showlegend: true },
      };
    },
  },
  {
    name: "blame", title: "Blame by tool", says: () => "first wrong steps that people marked",
    note: (data) => `steps, n = ${count(sum(data.tools.map((t) => t.blamed)) + data.own_blame)}`, empty: "Fills when reviewers mark the first wrong step of a program: b in Step or Curate.",
    table: (data) => ({ columns: ["tool", "first wrong steps"], rows: sum(data.tools.map((t) => t.blamed)) + data.own_blame ? [...data.tools.map((t) => [t.name, t.blamed]), ["the program itself", data.own_blame]].filter(([, n]) => n) : [] }),
    plot: (data, c) => {
      const rows = [...data.tools.map((t) => [words(t.name), t.blamed]), ["the program itself", data.own_blame]].filter(([, n]) => n).sort((a, b) => a[1] - b[1]);
      return { traces: [{ type: "bar", orientation: "h", x: rows.map(([, n]) => n), y: rows.map(([name]) => name), marker: { color: c.bad }, hovertemplate: "%{y}: %{x}<extra></extra>" }], layout: { bargap: rows.length < 4 ? 0.6 : 0.3, xaxis: { title: { text: "first wrong steps" } } } };
    },
  },
  {
    name: "errors", title: "Errors by class", says: (data) => (data.errors.length ? `${count(sum(data.errors.map((e) => e.runs)))} runs ended without an answer` : ""),
    note: (data) => `runs, n = ${count(data.executed.of)}`, empty: "No run has failed; this fills when one does.",
    table: (data) => ({ columns: ["class", "day (UTC)", "runs", "questions"], rows: data.errors.map((e) => [words(e.kind), e.day, e.runs, e.tasks]) }),
    plot: (data, c) => {
      const when = days(data.errors), kinds = [...new Set(data.errors.map((e) => e.kind))];
      const of = (kind, day) => sum(data.errors.filter((e) => e.kind === kind && (!day || e.day === day)).map((e) => e.runs));
      if (when.length < 2) {
        const sorted = kinds.sort((a, b) => of(a) - of(b));
        return { traces: [{ type: "bar", orientation: "h", x: sorted.map((kind) => of(kind)), y: sorted.map(words), marker: { color: c.crash }, hovertemplate: "%{y}: %{x} runs<extra></extra>" }], layout: { bargap: kinds.length < 4 ? 0.6 : 0.3, xaxis: { title: { text: "runs" } } } };
      }
      return { traces: kinds.map((kind, at) => ({ type: "bar", name: words(kind), x: when, y: when.map((day) => of(kind, day)), marker: { color: tones(c)[at % 6] } })), layout: { barmode: "stack", xaxis: { type: "category" }, yaxis: { title: { text: "runs" } }, showlegend: true } };
    },
  },
  {
    name: "accuracy_latency", title: "Accuracy and latency", says: () => "up and to the left is better",
    note: (data) => `% right against seconds a question (log); n beside each in the table; any of k knows the label`, empty: "Fills when pipeline and student have answered labelled questions: vpd run.",
    table: (data) => ({ columns: ["answers", "right", "low", "high", "n", "seconds a question"], rows: data.models.map((m) => [m.name, m.right.value, m.right.low, m.right.high, m.right.of, m.seconds]) }),
    plot: (data, c, narrow) => ({
      traces: data.models.map((m, at) => ({ name: flat(m.name), mode: narrow ? "markers" : "markers+text", x: [m.seconds], y: [100 * m.right.value], text: [`<br>${flat(m.name)}`], textposition: "bottom center", cliponaxis: false, textfont: { color: c.ink }, marker: { size: 12, color: m.name.startsWith("pipeline") ? c.accent : c.warm, symbol: ["circle", "circle-open", "diamond", "square", "cross"][at % 5] }, error_y: whiskers([m.right], c.soft), hovertemplate: `%{y:.1f} % in %{x:.2f} s, n = ${m.right.of}<extra></extra>`, showlegend: narrow })),
      layout: { xaxis: { type: "log", title: { text: "seconds a question" }, dtick: "D2", range: [Math.log10(Math.min(...data.models.map((m) => m.seconds), 1)) - 0.35, Math.log10(Math.max(...data.models.map((m) => m.seconds), 1)) + 0.35] }, yaxis: { title: { text: "% right" }, range: [0, 100] } },
    }),
  },
  {
    name: "pace", title: "Reviewers' pace", says: () => "standing decisions by day and person",
    note: (data) => `decisions, n = ${count(sum(data.pace.map((one) => one.n)))}; days in UTC`, empty: "Fills when people decide: a, r and s in Curate.",
    table: (data) => ({ columns: ["day (UTC)", "reviewer", "decisions"], rows: data.pace.map((one) => [one.day, one.author, one.n]) }),
    plot: (data, c) => {
      const when = days(data.pace), people = [...new Set(data.pace.map((one) => one.author))].sort();
      return { traces: people.map((who, at) => ({ type: "bar", name: flat(who), x: when, y: when.map((day) => data.pace.find((one) => one.day === day && one.author === who)?.n ?? 0), marker: { color: tones(c)[at % 6] }, hovertemplate: "%{y}<extra></extra>" })), layout: { barmode: "stack", bargap: when.length < 4 ? 0.7 : 0.3, xaxis: { type: "category" }, yaxis: { title: { text: "decisions" } }, showlegend: true } };
    },
  },
  {
    name: "reviewers", title: "Reviewers", says: () => "pace, acceptance and gold items",
    note: (data) => `n = ${data.reviewers.length} people; acceptance with 95 % (Wilson)`, empty: "Fills when people decide in Curate.",
    table: (data) => ({ columns: ["reviewer", "decided", "per day", "median s", "accepted", "of gold right"], rows: data.reviewers.map((r) => [r.name, r.decided, Math.round(10 * r.per_day) / 10, r.median_seconds === null ? "–" : Math.round(10 * r.median_seconds) / 10, r.accepted.of ? `${percent(r.accepted)} of ${r.accepted.of} (${between(r.accepted)})` : "–", r.gold.of ? `${percent(r.gold)} of ${r.gold.of}` : "–"]) }),
  },
  {
    name: "agreement", title: "Agreement", size: "third", says: () => "Cohen's κ of two reviewers",
    note: (data) => `items that both judged, n = ${count(sum(data.agreement.map((a) => a.n)))}`, empty: "Fills when two reviewers have judged the same item: set overlap to 2 in Curate.",
    table: (data) => ({ columns: ["reviewers", "κ", "n", "alike", ""], rows: data.agreement.map((a) => [`${a.first}, ${a.second}`, a.kappa === null ? "–" : Math.round(100 * a.kappa) / 100, a.n, a.same, a.note]) }),
  },
  {
    name: "confusion", title: "Automatic verdict and people", size: "third", says: () => "",
    note: (data) => `standing decisions on a trace, n = ${count(sum(Object.values(data.confusion)))}`, empty: "Fills when people have judged traces that have an automatic verdict.",
    table: (data) => ({ columns: ["automatic verdict", "accepted", "rejected"], rows: sum(Object.values(data.confusion)) ? [["right", data.confusion.right_accepted, data.confusion.right_rejected], ["wrong", data.confusion.wrong_accepted, data.confusion.wrong_rejected]] : [] }),
  },
  {
    name: "disk", title: "Disk", size: "third", says: () => "",
    note: () => "sizes of the project's folder", empty: "",
    table: (data) => ({ columns: ["what", "size"], rows: [["store", bytes(data.disk.store)], ["pictures", bytes(data.disk.images)], ["cache", bytes(data.disk.cache)], ["free on this disk", bytes(data.disk.free)], ["last backup", data.disk.backup ? data.disk.backup.slice(0, 16).replace("T", " ") + " UTC" : "none yet: vpd backup"]] }),
  },
];
