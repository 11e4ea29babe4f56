// Curves of one run or of several: one x axis for all, deltas appended, zoom kept while figures
// come in.
import { h } from "./dom.js";
import { colors, flat, layout, library } from "./plot.js";
import { get } from "./server.js";

const MOST = 1500; // points of a series; beyond, all are asked for anew and come thinned out
const OTHER_SERIES = ["lr", "norm", "tokens_per_s", "memory_mb"];
const AXES = { step: "step", examples: "examples seen", time: "seconds of training" };
const CHARTS = [
  { name: "loss", title: "Loss", unit: "nats a token", log: true, clip: true },
  { name: "accuracy", title: "Right on held-out questions", unit: "%" },
  { name: "lr", title: "Learning rate", unit: "", log: true },
  { name: "norm", title: "Length of the gradient", unit: "before clipping", log: true, clip: true },
  { name: "tokens_per_s", title: "Speed", unit: "tokens a second", clip: true },
  { name: "memory_mb", title: "Memory", unit: "MB, the peak so far" },
];
const tones = (c) => [
  c.accent,
  c.warm,
  c.good,
  c["code-keyword"],
  c.bad,
  c.crash,
  c["code-number"],
  c.ink,
];

/** The runs' curves in `place`.  `runs`: [{id, name, checkpoints, best}].  Returns {look}. */
export function curves(place, address, runs) {
  const data = new Map(runs.map((run) => [run.id, { cursor: "", series: {}, evals: [] }]));
  const view = { x: "step", log: false, clip: false };
  const zoom = { x: null, y: {} }; // ranges that a person chose; null: all
  const parts = new Map();
  let Plotly = null;
  let lastDraw = null;

  const bar = h(
    "div.plot-bar",
    { role: "group", "aria-label": "How the curves are drawn" },
    h(
      "label",
      {},
      "Along ",
      h(
        "select",
        {
          onchange: (event) => {
            view.x = event.target.value;
            zoom.x = null;
            draw();
          },
        },
        Object.entries(AXES).map(([value, words]) => h("option", { value }, words)),
      ),
    ),
    check("Logarithmic", (on) => {
      view.log = on;
      zoom.y = {};
      draw();
    }),
    check("Clip at the 99th percentile", (on) => {
      view.clip = on;
      zoom.y = {};
      draw();
    }),
    h(
      "button.button.small",
      {
        type: "button",
        dataset: { whole: "" },
        hidden: true,
        onclick: () => {
          zoom.x = null;
          zoom.y = {};
          draw();
        },
      },
      "Whole curves",
    ),
  );
  const problem = h("span.problem", { role: "alert" });
  bar.append(problem);
  const grid = h("div.plots");
  place.replaceChildren(bar, grid);
  for (const chart of CHARTS) {
    const part = {
      plot: h("div.plot", {
        role: "img",
        "aria-label": `${chart.title}. The table below it holds its figures.`,
      }),
      table: h("div.table-scroll", {
        tabindex: "0",
        role: "region",
        "aria-label": `${chart.title}, as a table`,
      }),
    };
    const details = h(
      "details",
      {
        ontoggle: () => {
          if (details.open) fill(chart);
        },
      },
      h("summary", {}, "Table"),
      part.table,
    );
    part.details = details;
    part.node = h(
      "section.card.chart",
      { "aria-label": chart.title, dataset: { chart: chart.name } },
      h("header", {}, h("h3", {}, chart.title), h("p", {}, chart.unit)),
      part.plot,
      details,
    );
    grid.append(part.node);
    parts.set(chart, part);
  }

  function check(words, change) {
    return h(
      "label.check",
      {},
      h("input", { type: "checkbox", onchange: (event) => change(event.target.checked) }),
      words,
    );
  }

  async function fetchOne(run) {
    const mine = data.get(run.id);
    const reply = await get(
      `data/train/curves?job=${encodeURIComponent(run.id)}&cursor=${mine.cursor}`,
    );
    if (reply.anew) {
      mine.series = {};
      mine.evals = [];
    }
    for (const [name, points] of Object.entries(reply.series)) {
      mine.series[name] = (mine.series[name] ?? []).concat(points);
    }
    mine.evals = mine.evals.concat(reply.evals);
    mine.cursor = reply.cursor;
    if (Object.values(mine.series).some((points) => points.length > MOST)) {
      mine.cursor = "";
      return fetchOne(run);
    }
    return reply.anew || reply.evals.length > 0 || Object.keys(reply.series).length > 0;
  }

  const at = (point) => point[{ step: 0, examples: 1, time: 2 }[view.x]];
  const line = (points, extra) => ({
    type: "scatter",
    mode: "lines",
    x: points.map(at),
    y: points.map((point) => point[3]),
    hovertemplate: "%{y:.4~g}<extra>%{fullData.name}</extra>",
    ...extra,
  });

  /** Shares of right answers on the held-out side, with their intervals; the best one is a star. */
  function accuracyTrace(run, evals, { tone, name, many }) {
    const isBest = (row) => row.at[0] === run.best;
    const words = (row) => {
      const share = `${Math.round(10 * row.right) / 10} of ${row.of}`;
      return isBest(row) ? `${share}, the best` : share;
    };
    return {
      type: "scatter",
      mode: "lines+markers",
      name: many ? name : "held-out",
      x: evals.map((row) => at(row.at)),
      y: evals.map((row) => 100 * row.accuracy),
      line: { color: tone, width: 2 },
      marker: {
        size: evals.map((row) => (isBest(row) ? 12 : 7)),
        symbol: evals.map((row) => (isBest(row) ? "star" : "circle")),
        color: tone,
      },
      error_y: {
        type: "data",
        symmetric: false,
        array: evals.map((row) => 100 * (row.high - row.accuracy)),
        arrayminus: evals.map((row) => 100 * (row.accuracy - row.low)),
        color: tone,
        thickness: 1,
        width: 3,
      },
      customdata: evals.map(words),
      hovertemplate: "%{y:.1f} %, %{customdata}<extra>%{fullData.name}</extra>",
      showlegend: many,
    };
  }

  /** A loss as it was measured, pale, and smoothed. */
  function lossTraces(series, name, words, color) {
    return [
      line(series[name] ?? [], {
        name: `${words}, raw`,
        line: { color, width: 1 },
        opacity: 0.28,
        legendgroup: words,
        showlegend: false,
        hoverinfo: "skip",
        hovertemplate: null,
      }),
      line(series[`smooth ${name}`] ?? [], {
        name: words,
        line: { color, width: 2.2 },
        legendgroup: words,
      }),
    ];
  }

  const heldOutLoss = (evals, { name, color, showlegend }) => ({
    type: "scatter",
    mode: "markers",
    name,
    x: evals.map((row) => at(row.at)),
    y: evals.map((row) => row.eval_loss),
    marker: { color, size: 8, symbol: "diamond-open", line: { width: 2 } },
    hovertemplate: "%{y:.4~g}<extra>%{fullData.name}</extra>",
    showlegend,
  });

  /** One run's losses: the whole, and its parts where it is alone. */
  function losses({ series, evals }, { tone, name, many }, c) {
    if (many) {
      const rows = lossTraces(series, "loss", name, tone);
      const dots = { name: `${name}, held-out`, color: tone, showlegend: false };
      return evals.length ? [...rows, heldOutLoss(evals, dots)] : rows;
    }
    const names = Object.keys(series).filter(
      (one) => !one.startsWith("smooth ") && !OTHER_SERIES.includes(one),
    );
    const rows = names.flatMap((one, index) =>
      lossTraces(series, one, one === "loss" ? "whole" : flat(one), tones(c)[index % 8]),
    );
    const dots = { name: "held-out", color: c.ink, showlegend: true };
    return evals.length ? [...rows, heldOutLoss(evals, dots)] : rows;
  }

  /** A run's lines in one chart. */
  function runTraces(chart, run, look, c) {
    const { series, evals } = data.get(run.id);
    if (chart.name === "accuracy") return evals.length ? [accuracyTrace(run, evals, look)] : [];
    if (chart.name === "loss") return losses({ series, evals }, look, c);
    if (!series[chart.name]) return [];
    const name = look.many ? look.name : chart.title;
    const style = { color: look.tone, width: 1.6 };
    return [line(series[chart.name], { name, line: style, showlegend: look.many })];
  }

  /** Lines of one chart, a person's view of them left to Plotly. */
  function traces(chart, c) {
    const many = runs.length > 1;
    return runs.flatMap((run, index) => {
      const name = flat(run.name || run.id).slice(0, 40);
      return runTraces(chart, run, { tone: tones(c)[index % 8], name, many }, c);
    });
  }

  function marks(chart, c) {
    if (runs.length > 1 || !["loss", "accuracy"].includes(chart.name)) return [];
    const [run] = runs;
    return data
      .get(run.id)
      .evals.filter((row) => row.at[0])
      .map((row) => {
        const hasCheckpoint = run.checkpoints?.includes(row.at[0]);
        return {
          type: "line",
          xref: "x",
          yref: "paper",
          x0: at(row.at),
          x1: at(row.at),
          y0: 0,
          y1: 1,
          layer: "below",
          line: {
            color: hasCheckpoint ? c.accent : c.line,
            width: 1,
            dash: hasCheckpoint ? "dash" : "dot",
          },
        };
      });
  }

  function limits(chart, lines) {
    const all = lines
      .flatMap((one) => one.y)
      .filter((value) => Number.isFinite(value) && (!view.log || !chart.log || value > 0));
    if (!view.clip || !chart.clip || !all.length) return null;
    const values = all.sort((a, b) => a - b);
    const low = values[0];
    const high = values[Math.min(values.length - 1, Math.floor(0.99 * values.length))];
    if (view.log && chart.log) return [Math.log10(low) - 0.05, Math.log10(high) + 0.05];
    const room = 0.05 * (high - low || 1);
    return [low - room, high + room];
  }

  function xAxis() {
    const title = { text: AXES[view.x] };
    return zoom.x ? { title, range: [...zoom.x], autorange: false } : { title, autorange: true };
  }

  function yAxis(chart, lines) {
    const axis = {
      type: view.log && chart.log ? "log" : "linear",
      exponentformat: "e", // powers as superscripts would be styled inline, against our policy
    };
    if (["tokens_per_s", "memory_mb"].includes(chart.name)) axis.tickformat = "~s";
    const whole = chart.name === "accuracy" ? [0, 100] : null;
    const range = zoom.y[chart.name] ?? limits(chart, lines) ?? whole;
    if (range) return { ...axis, range: [...range], autorange: false };
    const rangemode = chart.name === "loss" ? "normal" : "tozero";
    return { ...axis, autorange: true, rangemode };
  }

  async function drawChart(chart, c) {
    const part = parts.get(chart);
    const lines = traces(chart, c);
    const hasLegend = ["loss", "accuracy"].includes(chart.name);
    const options = {
      shapes: marks(chart, c),
      showlegend: hasLegend && lines.some((one) => one.showlegend !== false),
      xaxis: xAxis(),
      yaxis: yAxis(chart, lines),
    };
    part.node.classList.toggle("bare", !lines.length);
    await Plotly.react(part.plot, lines, layout(options, c), {
      responsive: true,
      displayModeBar: false,
    });
    if (!part.watched) {
      part.watched = true;
      part.plot.on("plotly_relayout", (change) => onZoom(chart, change));
    }
    if (part.details.open) fill(chart);
  }

  async function draw() {
    try {
      Plotly ??= await library(address);
    } catch (error) {
      problem.textContent = error.message;
      return;
    }
    const c = colors();
    for (const chart of CHARTS) await drawChart(chart, c);
    bar.querySelector("[data-whole]").hidden = !zoom.x && !Object.keys(zoom.y).length;
  }

  function onZoom(chart, change) {
    // a new size of the window
    if (!Object.keys(change).some((name) => /^[xy]axis\.(range|autorange)/.test(name))) return;
    if ("xaxis.range[0]" in change) zoom.x = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if ("yaxis.range[0]" in change) {
      zoom.y[chart.name] = [change["yaxis.range[0]"], change["yaxis.range[1]"]];
    }
    if (change["xaxis.autorange"]) {
      zoom.x = null;
      delete zoom.y[chart.name];
    }
    lastDraw = (lastDraw ?? Promise.resolve()).then(draw, draw);
  }

  function fill(chart) {
    const rows = runs.flatMap((run) => {
      const { series, evals } = data.get(run.id);
      const name = run.name || run.id;
      if (chart.name === "accuracy") {
        return evals.map((row) => [
          name,
          row.at[0],
          `${(100 * row.accuracy).toFixed(1)} %`,
          `${(100 * row.low).toFixed(1)} to ${(100 * row.high).toFixed(1)}, n = ${row.of}`,
        ]);
      }
      const points = series[chart.name === "loss" ? "smooth loss" : chart.name] ?? [];
      const every = Math.ceil(points.length / 100);
      return points
        .filter((_, index) => index % every === 0 || index === points.length - 1)
        .map((point) => [
          name,
          point[0],
          Number(point[3].toPrecision(5)),
          `${point[1]} examples, ${point[2]} s`,
        ]);
    });
    const head = [
      "run",
      "step",
      chart.name === "loss" ? "loss, smoothed" : chart.title.toLowerCase(),
      "",
    ];
    parts.get(chart).table.replaceChildren(
      h(
        "table.rows",
        {},
        h("caption.hidden-text", {}, chart.title),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            head.map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        h(
          "tbody",
          {},
          rows.map((row) =>
            h(
              "tr",
              {},
              row.map((value, index) =>
                index ? h("td", {}, String(value)) : h("th", { scope: "row" }, value),
              ),
            ),
          ),
        ),
      ),
    );
  }

  new MutationObserver(() => Plotly && draw()).observe(document.documentElement, {
    attributeFilter: ["data-theme"],
  });
  return {
    /** Fetch what is new and draw it; says whether there was anything. */
    async look() {
      const news = await Promise.all(runs.map(fetchOne));
      if (!Plotly || news.some(Boolean)) {
        await (lastDraw = (lastDraw ?? Promise.resolve()).then(draw, draw));
      }
      return news.some(Boolean);
    },
  };
}
