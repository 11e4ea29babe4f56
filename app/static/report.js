// The report: its charts drawn beside their tables, in the theme's colours, on paper in the light
// ones.
import { download, drawChart } from "./chart.js";

const charts = JSON.parse(document.querySelector("#charts").textContent);
const root = document.documentElement;

async function draw() {
  for (const chart of charts) {
    const place = document.querySelector(`[data-chart="${chart.name}"] .plot`);
    if (!place) continue;
    place.hidden = false;
    await drawChart(window.Plotly, place, chart);
  }
}

for (const chart of charts) {
  const card = document.querySelector(`[data-chart="${chart.name}"]`);
  const button = card.querySelector("[data-csv]");
  button?.addEventListener("click", () => download(chart));
  if (card.querySelector(".plot")) card.querySelector("details").open = false;
}
document.querySelectorAll("[data-scripted]").forEach((one) => {
  one.hidden = false;
});
new MutationObserver(draw).observe(root, { attributeFilter: ["data-theme"] });
let before = "light";
addEventListener("beforeprint", () => {
  before = root.dataset.theme;
  root.dataset.theme = "light";
  draw();
});
addEventListener("afterprint", () => {
  root.dataset.theme = before;
});
draw();
