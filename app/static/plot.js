// Plotly under our policy: fetched from this server when first needed, in the colours of the page.
import { h } from "./dom.js";

let plotly = null;

/** Plotly; `address` is where this server has it, and names the styles that it is to leave out. */
export function library(address) {
  plotly ??= new Promise((resolve, reject) => {
    const ids = (address.split("#")[1] ?? "").split(",").filter(Boolean);
    document.head.append(
      ...ids.map((id) => h("meta", { id })),
      h("script", {
        src: address,
        onload: () => resolve(window.Plotly),
        onerror: () =>
          reject(
            new Error(
              "The chart library could not be loaded; the tables below the charts hold the same figures.",
            ),
          ),
      }),
    );
  });
  return plotly;
}

const color = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** The page's tokens, as they are in this theme. */
export const colors = () =>
  Object.fromEntries(
    [
      "ink",
      "soft",
      "line",
      "card",
      "accent",
      "warm",
      "good",
      "bad",
      "crash",
      "code-keyword",
      "code-number",
      "sans",
    ].map((name) => [name, color(name)]),
  );

/** A layout in the look of the page; what a person changed stays (`uirevision`). */
export function layout(extra, c) {
  const axis = {
    gridcolor: c.line,
    linecolor: c.line,
    zerolinecolor: c.line,
    tickcolor: c.line,
    automargin: true,
    fixedrange: false,
    title: { standoff: 8 },
  };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: c.sans, size: 12, color: c.soft },
    margin: { l: 48, r: 12, t: 8, b: 36 },
    uirevision: "kept",
    hoverlabel: { bgcolor: c.card, bordercolor: c.line, font: { color: c.ink, family: c.sans } },
    // it grows upwards: two rows of a narrow window would otherwise lie on the curves
    legend: { orientation: "h", yanchor: "bottom", y: 1.03, x: 0, font: { color: c.soft } },
    ...extra,
    xaxis: { ...axis, ...extra.xaxis },
    yaxis: { ...axis, ...extra.yaxis },
  };
}

/** Plotly reads some markup in text; what a person or a model is called holds none. */
export const flat = (name) => name.replaceAll("<", "‹").replaceAll("&", "＆");
