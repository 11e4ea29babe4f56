// The dashboard: figures, funnel, charts that keep their zoom while the figures go on, and for each chart a table and its CSV.
import { CHARTS, numbers } from "./charts.js";
import { h, svg } from "./dom.js";
import { get } from "./server.js";

const main = document.querySelector("main.dashboard");
const charts = document.querySelector("[data-charts]");
const every = Math.max(Number(new URL(location).searchParams.get("every")) || 10, 1) * 1000;
const places = new Map();
let latest = null, library = null, timer = null;

/** Plotly, from this server, when the first chart needs it. */
function plotly() {
  library ??= new Promise((resolve, reject) => {
    const script = h("script", { src: main.dataset.library, onload: () => resolve(window.Plotly), onerror: () => reject(new Error("The chart library could not be loaded; the tables below the charts hold the same figures.")) });
    document.head.append(script);
  });
  return library;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function colors() {
  return { ink: color("ink"), soft: color("soft"), line: color("line"), card: color("card"), accent: color("accent"), warm: color("warm"), good: color("good"), bad: color("bad"), crash: color("crash"), keyword: color("code-keyword") };
}

function layout(given, c) {
  const axis = { gridcolor: c.line, linecolor: c.line, zerolinecolor: c.line, tickcolor: c.line, automargin: true, fixedrange: false, title: { standoff: 8 } };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: color("sans"), size: 12, color: c.soft }, margin: { l: 48, r: 12, t: 8, b: 40 },
    uirevision: "kept", hoverlabel: { bgcolor: c.card, bordercolor: c.line, font: { color: c.ink, family: color("sans") } }, legend: { orientation: "h", y: 1.14, x: 0, font: { color: c.soft } },
    ...given, xaxis: { ...axis, ...given.xaxis }, yaxis: { ...axis, ...given.yaxis },
  };
}

const cell = (value) => (typeof value === "number" ? (Number.isInteger(value) ? value.toLocaleString("en") : String(Math.round(value * 10000) / 10000)) : value ?? "–");

function table(chart, { columns, rows }) {
  return h("table.rows", {}, h("caption.hidden-text", {}, chart.title), h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((value, at) => (at ? h("td", {}, cell(value)) : h("th", { scope: "row" }, cell(value))))))));
}

function csv({ columns, rows }) {
  const field = (value) => { const text = String(value ?? ""), safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text; return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe; };
  return [columns, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

function download(chart) {
  const address = URL.createObjectURL(new Blob([csv(chart.table(latest))], { type: "text/csv" }));
  h("a", { href: address, download: `${chart.name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function frame(chart) {
  const part = { says: h("p"), body: h("div"), note: h("span"), reset: h("button", { type: "button", hidden: true }, "Whole chart"), rows: h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": `${chart.title}, as a table` }) };
  const node = h(`section.card.chart${chart.size ? `.${chart.size}` : ""}`, { "aria-label": chart.title, dataset: { chart: chart.name } },
    h("header", {}, h("h2", {}, chart.title), part.says), part.body,
    h("footer", {}, part.note, part.reset, h("button", { type: "button", onclick: () => download(chart), "aria-label": `${chart.title}: download as CSV` }, "CSV"), h("details", {}, h("summary", {}, "Table"), part.rows)));
  charts.append(node);
  places.set(chart, part);
  return part;
}

function funnel(data) {
  const most = Math.max(...data.funnel.map((step) => step.tasks), 1);
  return h("ol.funnel", {}, data.funnel.map((step, at) => {
    const before = at ? data.funnel[at - 1].tasks : 0;
    const inside = [h("span", {}, step.name), svg("svg", { viewBox: "0 0 100 18", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect.rail", { width: 100, height: 18, rx: 0.6 }), svg("rect.bar-fill", { width: 100 * step.tasks / most, height: 18, rx: 0.6 })),
      h("span.count", {}, step.tasks.toLocaleString("en"), " ", h("small", {}, at && before ? `${(100 * step.tasks / before).toFixed(0)} %` : ""))];
    return h("li", {}, step.token === null ? h("span", {}, inside) : h("a", { href: `/browse?q=${encodeURIComponent(step.token)}`, title: "See them in Browse" }, inside));
  }));
}

async function show(chart, data) {
  const part = places.get(chart) ?? frame(chart);
  const found = chart.table(data);
  part.says.textContent = chart.says(data);
  part.note.textContent = `${chart.note(data)}; as of ${new Date(data.at).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" })}`;
  part.rows.replaceChildren(table(chart, found));
  if (chart.name === "funnel") { if (!part.body.contains(document.activeElement)) part.body.replaceChildren(funnel(data)); return; }
  if (!found.rows.length) { part.body.replaceChildren(h("p.none", {}, chart.empty)); return; }
  if (!chart.plot) { part.body.replaceChildren(h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": chart.title }, table(chart, found))); return; }
  const Plotly = await plotly();
  let plot = part.body.querySelector(".plot");
  if (!plot) {
    plot = h("div.plot", { role: "img", "aria-label": `${chart.title}. The table below holds its figures.` });
    part.body.replaceChildren(plot);
  }
  const c = colors(), { traces, layout: given } = chart.plot(data, c, plot.clientWidth < 480);
  // Plotly's own bar of buttons writes a style element, which our policy forbids; what it is needed for is one button.
  await Plotly.react(plot, traces, layout(given, c), { responsive: true, displayModeBar: false });
  if (plot.dataset.watched) return;
  plot.dataset.watched = "yes";
  plot.on("plotly_relayout", (change) => { part.reset.hidden = !Object.keys(change).some((name) => /axis\.range/.test(name)); });
  part.reset.addEventListener("click", () => Plotly.relayout(plot, { "xaxis.autorange": true, "yaxis.autorange": true }).then(draw));
}

async function draw() {
  const box = document.querySelector("[data-numbers]");
  box.replaceChildren(...numbers(latest).map(([name, value, says]) => h("div", {}, h("span.small.soft", {}, name), h("b", {}, value), h("small", {}, says))));
  document.querySelector("[data-asof]").textContent = `as of ${new Date(latest.at).toLocaleString("en", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" })}; counted again every ${every / 1000} s`;
  for (const chart of CHARTS) {
    try { await show(chart, latest); } catch (error) { places.get(chart).body.replaceChildren(h("p.none", {}, error.message)); }
  }
}

async function look() {
  clearTimeout(timer);
  if (!document.hidden) {
    try {
      latest = await get("/data/dashboard");
      await draw();
    } catch (error) { document.querySelector("[data-asof]").textContent = error.message; }
  }
  timer = setTimeout(look, every);
}

if (charts) {
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  new MutationObserver(() => latest && draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  look();
}
