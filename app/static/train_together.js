// Several runs beside each other: curves over each other, figures with intervals, what differs in
// settings and snapshots.
import { duration, h } from "./dom.js";
import { get } from "./server.js";
import { nameOf, FINAL, main, percent, state } from "./train_parts.js";
import { curves } from "./train_plots.js";

const entry = ([key, value]) => `${key || "(none)"} ${value}`;

/** A setting as text: a list or a table in one line. */
function plain(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "object") return String(value);
  const parts = Array.isArray(value) ? value : Object.entries(value).map(entry);
  return parts.join(", ") || "none";
}

function table(title, names, rows, note = "") {
  return h(
    "section.card.differ",
    { "aria-label": title },
    h("h2", {}, title),
    note ? h("p.soft.small", {}, note) : null,
    rows.length
      ? h(
          "div.table-scroll",
          { tabindex: "0", role: "region", "aria-label": title },
          h(
            "table.rows",
            {},
            h("caption.hidden-text", {}, title),
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                h("th", { scope: "col" }, ""),
                names.map((name) => h("th.hostile", { scope: "col" }, name)),
              ),
            ),
            h(
              "tbody",
              {},
              rows.map(([key, values]) =>
                h(
                  "tr",
                  {},
                  h("th", { scope: "row" }, key),
                  values.map((value) => h("td", {}, plain(value))),
                ),
              ),
            ),
          ),
        )
      : h("p.soft", {}, "Nothing differs."),
  );
}

/** Runs in `place`; the newest five where none is named. */
export async function together(place, ids) {
  const report = await get(`data/train/together?ids=${ids.map(encodeURIComponent).join(",")}`);
  if (!report.jobs.length) {
    place.replaceChildren(
      h(
        "div.card.empty",
        {},
        h("h2", {}, "No run yet"),
        h(
          "p.soft",
          {},
          "The newest five runs stand here over each other, with what differs in their settings and in their snapshots.",
        ),
        h("p.actions", {}, h("a.button", { href: "train" }, "All jobs")),
      ),
    );
    return { look: async () => {} };
  }
  const all = await get("data/train/jobs");
  const names = report.jobs.map(nameOf);
  const picks = new Set(report.jobs.map((one) => one.id));
  const choose = h(
    "form.choose.card",
    { "aria-label": "Which runs" },
    h("h2.hidden-text", {}, "Which runs"),
    all.jobs
      .filter((one) => one.step || FINAL.includes(one.state))
      .map((one) =>
        h(
          "label.check",
          {},
          h("input", {
            type: "checkbox",
            checked: picks.has(one.id),
            onchange: (event) => {
              if (event.target.checked) picks.add(one.id);
              else picks.delete(one.id);
              location.assign(`train?jobs=${[...picks].slice(0, 8).join(",")}`);
            },
            disabled: picks.size >= 8 && !picks.has(one.id),
          }),
          nameOf(one),
        ),
      ),
    h("span.soft.small", {}, "at most 8"),
  );
  const plots = h("div");
  const figures = table(
    "Figures",
    names,
    [
      ["state", report.jobs.map((one) => one.state)],
      ["right on held-out questions", report.jobs.map((one) => percent(one.accuracy))],
      [
        "95 % interval (Wilson)",
        report.jobs.map((one) =>
          one.of
            ? `${(100 * one.interval[0]).toFixed(1)} to ${(100 * one.interval[1]).toFixed(1)} %`
            : "–",
        ),
      ],
      ["of", report.jobs.map((one) => one.of ?? "–")],
      ["before training", report.jobs.map((one) => percent(one.first))],
      ["steps", report.jobs.map((one) => one.steps ?? one.step)],
      ["examples to train on", report.jobs.map((one) => one.rows ?? "–")],
      ["time", report.jobs.map((one) => (one.seconds ? duration(1000 * one.seconds) : "–"))],
      ["memory, MB", report.jobs.map((one) => one.memory_mb ?? "–")],
    ],
    "Held-out questions are those of each run's own snapshot; they chose the checkpoint, so these figures flatter a little. Other questions: vpd evaluate.",
  );
  const links = h(
    "ul.run-links",
    {},
    report.jobs.map((one) =>
      h("li", {}, h("a", { href: `train?job=${one.id}` }, nameOf(one)), " ", state(one)),
    ),
  );
  place.replaceChildren(
    choose,
    links,
    plots,
    figures,
    table("Settings that differ", names, Object.entries(report.settings)),
    table("Snapshots that differ", names, Object.entries(report.snapshots)),
  );
  const view = curves(
    plots,
    main.dataset.library,
    report.jobs.map((one) => ({ id: one.id, name: one.name, best: null })),
  );
  await view.look();
  return { look: () => view.look() };
}
