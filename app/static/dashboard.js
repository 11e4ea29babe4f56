// The dashboard: figures, funnel, charts that keep their zoom while the figures go on, and for each
// chart a table and its CSV.
import { chartTable, download, drawChart } from "./chart.js";
import { clock, dateTime, h, svg } from "./dom.js";
import { library } from "./plot.js";
import { get } from "./server.js";

const main = document.querySelector("main.dashboard");
const charts = document.querySelector("[data-charts]");
const every = Math.max(Number(new URL(location.href).searchParams.get("every")) || 10, 1) * 1000;
const places = new Map();
let latest = null;
let timer = null;

const browse = (query) => `browse?q=${encodeURIComponent(query)}`;

function frame(chart) {
  const part = {
    says: h("p"),
    body: h("div.body"),
    note: h("span"),
    how: h("p.small"),
    reset: h("button", { type: "button", hidden: true }, "Whole chart"),
    rows: h("div.table-scroll", {
      tabindex: "0",
      role: "region",
      "aria-label": `${chart.title}, as a table`,
    }),
  };
  const node = h(
    `section.card.chart${chart.size ? `.${chart.size}` : ""}`,
    { "aria-label": chart.title, dataset: { chart: chart.name } },
    h("header", {}, h("h2", {}, chart.title), part.says),
    part.body,
    h(
      "footer",
      {},
      part.note,
      part.reset,
      h(
        "button",
        {
          type: "button",
          onclick: () => download(places.get(chart.name).chart),
          "aria-label": `${chart.title}: download as CSV`,
        },
        "CSV",
      ),
      h("details", {}, h("summary", {}, "Table"), part.how, part.rows),
    ),
  );
  charts.append(node);
  places.set(chart.name, part);
  return part;
}

function funnel({ rows, links }) {
  const most = Math.max(...rows.map(([, tasks]) => tasks), 1);
  return h(
    "ol.funnel",
    {},
    rows.map(([name, tasks, share], at) => {
      const inside = [
        h("span", {}, name),
        svg(
          "svg",
          { viewBox: "0 0 100 18", preserveAspectRatio: "none", "aria-hidden": "true" },
          svg("rect.rail", { width: 100, height: 18, rx: 0.6 }),
          svg("rect.bar-fill", { width: (100 * tasks) / most, height: 18, rx: 0.6 }),
        ),
        h("span.count", {}, tasks.toLocaleString("en"), " ", h("small", {}, share ?? "")),
      ];
      return h(
        "li",
        {},
        links[at] === null
          ? h("span", {}, inside)
          : h("a", { href: browse(links[at]), title: "See them in Browse" }, inside),
      );
    }),
  );
}

async function show(chart, at) {
  const part = places.get(chart.name) ?? frame(chart);
  part.chart = chart;
  part.says.textContent = chart.says;
  part.note.textContent = `${chart.note}; as of ${clock(at)}`;
  part.how.textContent = chart.how;
  part.rows.replaceChildren(chartTable(chart, browse));
  if (chart.name === "funnel") {
    if (!part.body.contains(document.activeElement)) part.body.replaceChildren(funnel(chart));
    return;
  }
  if (!chart.plot) {
    part.body.replaceChildren(
      chart.rows.length
        ? h(
            "div.table-scroll",
            { tabindex: "0", role: "region", "aria-label": chart.title },
            chartTable(chart, browse),
          )
        : h("p.none", {}, chart.empty),
    );
    return;
  }
  const Plotly = await library(main.dataset.library);
  let plot = part.body.querySelector(".plot");
  if (!plot) {
    plot = h("div.plot", {
      role: "img",
      "aria-label": `${chart.title}. The table below holds its figures.`,
    });
    part.body.replaceChildren(plot, h("p.none", {}, chart.empty));
  }
  part.body.querySelector(".none").hidden = chart.rows.length > 0;
  await drawChart(Plotly, plot, chart);
  if (plot.dataset.watched) return;
  plot.dataset.watched = "yes";
  plot.on("plotly_relayout", (change) => {
    part.reset.hidden = !Object.keys(change).some((name) => /axis\.range/.test(name));
  });
  part.reset.addEventListener("click", () =>
    Plotly.relayout(plot, { "xaxis.autorange": true, "yaxis.autorange": true }).then(draw),
  );
}

async function draw() {
  const box = document.querySelector("[data-numbers]");
  box.replaceChildren(
    ...latest.numbers.map(([name, value, hint]) =>
      h("div", {}, h("span.small.soft", {}, name), h("b", {}, value), h("small", {}, hint)),
    ),
  );
  document.querySelector("[data-asof]").textContent =
    `as of ${dateTime(latest.at, "medium")}; counted again every ${every / 1000} s`;
  for (const chart of latest.charts) {
    try {
      await show(chart, latest.at);
    } catch (error) {
      places.get(chart.name).body.replaceChildren(h("p.none", {}, error.message));
    }
  }
}

async function look() {
  clearTimeout(timer);
  if (!document.hidden) {
    try {
      latest = await get("data/dashboard");
      await draw();
    } catch (error) {
      document.querySelector("[data-asof]").textContent = error.message;
    }
  }
  timer = setTimeout(look, every);
}

if (charts) {
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });
  new MutationObserver(() => latest && draw()).observe(document.documentElement, {
    attributeFilter: ["data-theme"],
  });
  look();
}
