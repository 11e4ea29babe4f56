// Several runs beside each other: curves over each other, figures with intervals, what differs in settings and snapshots.
import { duration, h } from "./dom.js";
import { get } from "./server.js";
import { called, ENDED, main, percent, state } from "./train_parts.js";
import { curves } from "./train_plots.js";

const plain = (value) =>
  value === null || value === undefined
    ? "–"
    : typeof value === "object"
      ? Object.entries(value)
          .map(([key, inner]) => (Array.isArray(value) ? inner : `${key || "(none)"} ${inner}`))
          .join(", ") || "none"
      : String(value);

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
  const found = await get(`/data/train/together?ids=${ids.map(encodeURIComponent).join(",")}`);
  if (!found.jobs.length) {
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
        h("p.actions", {}, h("a.button", { href: "/train" }, "All jobs")),
      ),
    );
    return { look: async () => {} };
  }
  const all = await get("/data/train/jobs");
  const names = found.jobs.map(called);
  const picked = new Set(found.jobs.map((one) => one.id));
  const choose = h(
    "form.choose.card",
    { "aria-label": "Which runs" },
    h("h2.hidden-text", {}, "Which runs"),
    all.jobs
      .filter((one) => one.step || ENDED.includes(one.state))
      .map((one) =>
        h(
          "label.check",
          {},
          h("input", {
            type: "checkbox",
            checked: picked.has(one.id),
            onchange: (event) => {
              if (event.target.checked) picked.add(one.id);
              else picked.delete(one.id);
              location.assign(`/train?jobs=${[...picked].slice(0, 8).join(",")}`);
            },
            disabled: picked.size >= 8 && !picked.has(one.id),
          }),
          called(one),
        ),
      ),
    h("span.soft.small", {}, "at most 8"),
  );
  const plots = h("div");
  const figures = table(
    "Figures",
    names,
    [
      ["state", found.jobs.map((one) => one.state)],
      ["right on held-out questions", found.jobs.map((one) => percent(one.accuracy))],
      [
        "95 % interval (Wilson)",
        found.jobs.map((one) =>
          one.of
            ? `${(100 * one.interval[0]).toFixed(1)} to ${(100 * one.interval[1]).toFixed(1)} %`
            : "–",
        ),
      ],
      ["of", found.jobs.map((one) => one.of ?? "–")],
      ["before training", found.jobs.map((one) => percent(one.first))],
      ["steps", found.jobs.map((one) => one.steps ?? one.step)],
      ["examples to train on", found.jobs.map((one) => one.rows ?? "–")],
      ["time", found.jobs.map((one) => (one.seconds ? duration(1000 * one.seconds) : "–"))],
      ["memory, MB", found.jobs.map((one) => one.memory_mb ?? "–")],
    ],
    "Held-out questions are those of each run's own snapshot; they chose the checkpoint, so these figures flatter a little. Other questions: vpd evaluate.",
  );
  const links = h(
    "ul.run-links",
    {},
    found.jobs.map((one) =>
      h("li", {}, h("a", { href: `/train?job=${one.id}` }, called(one)), " ", state(one)),
    ),
  );
  place.replaceChildren(
    choose,
    links,
    plots,
    figures,
    table("Settings that differ", names, Object.entries(found.settings)),
    table("Snapshots that differ", names, Object.entries(found.snapshots)),
  );
  const drawn = curves(
    plots,
    main.dataset.library,
    found.jobs.map((one) => ({ id: one.id, name: one.name, best: null })),
  );
  await drawn.look();
  return { look: () => drawn.look() };
}
