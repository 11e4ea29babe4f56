// The dashboard: figures, funnel, charts that keep their zoom while the figures go on, and for each
// chart a table and its CSV.  What has nothing to show yet is folded below its section.
import { chartTable, download, drawChart } from "./chart.js";
import { clock, dateTime, h, svg } from "./dom.js";
import { library } from "./plot.js";
import { get } from "./server.js";

const main = document.querySelector("main.dashboard");
const charts = document.querySelector("[data-charts]");
const every = Math.max(Number(new URL(location.href).searchParams.get("every")) || 10, 1) * 1000;
const places = new Map(); // what belongs to each chart, by its name
const sections = new Map();
let latest = null;
let timer = null;

const browse = (query) => `browse?q=${encodeURIComponent(query)}`;

function frame(chart) {
  const part = {
    says: h("p"),
    body: h("div.body"),
    note: h("span"),
    how: h("p.small"),
    reset: h("button", { type: "button", disabled: true }, "Whole chart"),
    rows: h("div.table-scroll", {
      tabindex: "0",
      role: "region",
      "aria-label": `${chart.title}, as a table`,
    }),
  };
  part.node = h(
    "section.card.chart",
    { "aria-label": chart.title, dataset: { chart: chart.name } },
    h("header", {}, h("h3", {}, chart.title), part.says),
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
  places.set(chart.name, part);
  return part;
}

/** The places of a section: its charts, and the list of those that have nothing to show. */
function sectionOf({ name, title }) {
  if (sections.has(name)) return sections.get(name);
  const place = {
    grid: h("div.charts"),
    summary: h("summary"),
    list: h("ul"),
  };
  place.empties = h("details.empties", {}, place.summary, place.list);
  charts.append(
    h(
      "section.chart-section",
      { id: name, "aria-labelledby": `${name}-title` },
      h("h2", { id: `${name}-title` }, title),
      place.grid,
      place.empties,
    ),
  );
  sections.set(name, place);
  return place;
}

/** Put a section's charts in order without moving one that stands in its place. */
function lay(section) {
  const { grid, summary, list, empties } = sectionOf(section);
  const nodes = section.charts.map((chart) => (places.get(chart.name) ?? frame(chart)).node);
  for (const node of [...grid.children]) if (!nodes.includes(node)) node.remove();
  nodes.forEach((node, at) => {
    node.classList.toggle("wide", section.charts[at].size === "wide");
    if (grid.children[at] !== node) grid.insertBefore(node, grid.children[at] ?? null);
  });
  empties.hidden = section.empty.length === 0;
  const count = section.empty.length;
  summary.textContent = `${count} ${count === 1 ? "figure has" : "figures have"} nothing to show yet`;
  list.replaceChildren(
    ...section.empty.map((chart) =>
      h("li", { dataset: { empty: chart.name } }, h("b", {}, chart.title), " ", chart.empty),
    ),
  );
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
  const part = places.get(chart.name);
  part.chart = chart;
  part.says.textContent = chart.says;
  part.note.textContent = `${chart.note}; as of ${clock(at)}`;
  part.how.textContent = chart.how;
  part.rows.replaceChildren(chartTable(chart, browse));
  part.reset.hidden = !chart.plot || chart.name === "funnel"; // what has no axes has no zoom
  if (chart.name === "funnel") {
    if (!part.body.contains(document.activeElement)) part.body.replaceChildren(funnel(chart));
    return;
  }
  if (!chart.plot) {
    part.body.replaceChildren(
      h(
        "div.table-scroll",
        { tabindex: "0", role: "region", "aria-label": chart.title },
        chartTable(chart, browse),
      ),
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
    part.body.replaceChildren(plot);
  }
  await drawChart(Plotly, plot, chart);
  if (plot.dataset.watched) return;
  plot.dataset.watched = "yes";
  plot.on("plotly_relayout", (change) => {
    part.reset.disabled = !Object.keys(change).some((name) => /axis\.range/.test(name));
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
  latest.sections.forEach(lay);
  for (const chart of latest.sections.flatMap((section) => section.charts)) {
    try {
      await show(chart, latest.at);
    } catch (error) {
      places.get(chart.name).body.replaceChildren(h("p.problem", {}, error.message));
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
