// A figure that Python made (workbench/screen/charts/chart.py): drawn by Plotly in the colours of
// the theme, with its table and its CSV.
import { h } from "./dom.js";
import { colors, layout } from "./plot.js";

/** The plot with its colours' names replaced; nothing but a colour is looked at. */
function withColors(value, c, key = "") {
  if (Array.isArray(value)) {
    return value.map((one) =>
      /color$/.test(key) || (one && typeof one === "object") ? withColors(one, c, key) : one,
    );
  }
  if (value && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, withColors(one, c, name)]),
    );
  }
  return typeof value === "string" && value.startsWith("@") && /color$/.test(key)
    ? c[value.slice(1)]
    : value;
}

/**
 * Draw a chart into an element that has its size; drawn again it keeps its zoom.  Where there is
 * little room, labels become a legend.
 */
export function drawChart(Plotly, place, chart) {
  const c = colors();
  const { data, layout: base } = withColors(chart.plot, c);
  const narrow = place.clientWidth < 480;
  const lines = base.yaxis?.tickvals?.length ?? 0;
  place.style.height = lines > 6 ? `${34 * lines + 90}px` : "";
  const traces = data.map((one) =>
    narrow && one.mode === "markers+text" && one.name
      ? { ...one, mode: "markers", showlegend: true }
      : one,
  );
  const legend = narrow && traces.some((one) => one.showlegend) ? { showlegend: true } : {};
  // Plotly's own bar of buttons writes a style element, which our policy forbids; what it is needed
  // for is one button.
  return Plotly.react(place, traces, layout({ ...base, ...legend }, c), {
    responsive: true,
    displayModeBar: false,
  });
}

export function cellText(value) {
  if (typeof value !== "number") return value ?? "–";
  return Number.isInteger(value)
    ? value.toLocaleString("en")
    : String(Math.round(value * 10000) / 10000);
}

/** The rows as a table; `link` makes an address of what to search for. */
export function chartTable(chart, link = null) {
  const first = (value, at) => {
    const query = link && chart.links[at];
    return query
      ? h("a", { href: link(query), title: "See them in Browse" }, cellText(value))
      : cellText(value);
  };
  return h(
    "table.rows",
    {},
    h("caption.hidden-text", {}, chart.title),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        chart.columns.map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    h(
      "tbody",
      {},
      chart.rows.map((row, at) =>
        h(
          "tr",
          {},
          row.map((value, column) =>
            column ? h("td", {}, cellText(value)) : h("th", { scope: "row" }, first(value, at)),
          ),
        ),
      ),
    ),
  );
}

function csv({ columns, rows }) {
  const field = (value) => {
    const text = String(value ?? "");
    const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [columns, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

/** Save a chart's rows as a file. */
export function download(chart) {
  const address = URL.createObjectURL(new Blob([csv(chart)], { type: "text/csv" }));
  h("a", { href: address, download: `${chart.name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
