// Compare, all questions: the 2x2 table with McNemar's p, its slices, and the way from a cell to Browse and to the queue.
import { counted, h, svg } from "./dom.js";
import { get, newId, save, toast } from "./server.js";

const place = document.querySelector("[data-tables]");
const mayDecide = document.body.dataset.role !== "viewer";
const percent = (share) => (share.value === null ? "–" : `${(100 * share.value).toFixed(1)} %`);
const between = (share) =>
  share.value === null ? "" : `${(100 * share.low).toFixed(1)} to ${(100 * share.high).toFixed(1)}`;
const p = (value) => (value === null ? "–" : value < 0.001 ? "< 0.001" : value.toFixed(3));

function cell(found, name, kind) {
  const { title, filter } = found.cells.find((one) => one.name === name);
  const inside = [h("b", {}, found.all[name].toLocaleString("en")), h("small", {}, title)];
  const linked = found.counting === "any";
  return h(
    `td${kind ? `.${kind}` : ""}`,
    {},
    linked
      ? h(
          "a",
          { href: `/browse?q=${encodeURIComponent(filter)}`, title: "See them in Browse" },
          inside,
        )
      : h("div", { title: "Browse can show cells counted by “any of the k programs”" }, inside),
  );
}

function square(found) {
  return h(
    "table.two",
    {},
    h("caption.hidden-text", {}, "Questions by who was right"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("td"),
        h("th", { scope: "col" }, "student right"),
        h("th", { scope: "col" }, "student wrong"),
      ),
    ),
    h(
      "tbody",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "row" }, "pipeline right"),
        cell(found, "both"),
        cell(found, "pipeline", "gain"),
      ),
      h(
        "tr",
        {},
        h("th", { scope: "row" }, "pipeline wrong"),
        cell(found, "student", "loss"),
        cell(found, "neither"),
      ),
    ),
  );
}

function findings(found) {
  const { all } = found;
  const apart = all.pipeline + all.student;
  return h(
    "div.findings",
    {},
    h(
      "p",
      {},
      h("b", {}, `Pipeline ${percent(all.pipeline_right)}`),
      h(
        "span.soft",
        {},
        ` right (95 %: ${between(all.pipeline_right)}): ${found.means}, k = ${found.k}`,
      ),
    ),
    h(
      "p",
      {},
      h("b", {}, `Student ${percent(all.student_right)}`),
      h("span.soft", {}, ` right (95 %: ${between(all.student_right)}), one forward pass`),
    ),
    h(
      "p",
      {},
      h(
        "b",
        {},
        `McNemar's p ${all.p === null ? "–" : all.p < 0.001 ? "< 0.001" : `= ${p(all.p)}`}`,
      ),
      h(
        "span.soft",
        {},
        all.p === null
          ? " (no question separates the two)"
          : ` (exact, over the ${counted(apart, "question")} that exactly one side got right)`,
      ),
    ),
    h(
      "p.soft.small",
      {},
      `${counted(all.of, "labelled question")} answered by both${found.left_out ? `; ${counted(found.left_out, "question")} left out: no label, no verdicts or no answer of the student` : ""}.`,
    ),
    all.pipeline > 0 &&
      h(
        "p",
        {},
        h(
          "button.button",
          {
            type: "button",
            disabled: !mayDecide,
            onclick: (event) => queue(event.currentTarget, found),
          },
          `Send the ${all.pipeline.toLocaleString("en")} “pipeline right, student wrong” to the queue`,
        ),
      ),
  );
}

async function queue(button, found) {
  button.disabled = true;
  const id = newId();
  try {
    const { queued } = await save("/do/compare/queue-cell", { id, counting: found.counting });
    toast(`${counted(queued, "question")} in the Curate queue.`, "plain", [
      "Undo",
      async () => {
        await save("/do/undo", { task: "", target: id });
        toast(`${counted(queued, "question")} taken back.`);
        button.disabled = false;
      },
    ]);
  } catch {
    button.disabled = false;
  }
}

function bars(table) {
  const width = (share) => 100 * (share.value ?? 0);
  return h(
    "td.pair",
    {},
    svg(
      "svg",
      { viewBox: "0 0 100 22", preserveAspectRatio: "none", "aria-hidden": "true" },
      ...[
        [2, "pipeline", table.pipeline_right],
        [12, "student", table.student_right],
      ].flatMap(([y, name, share]) => [
        svg("rect.rail", { x: 0, y, width: 100, height: 8 }),
        svg(`rect.${name}`, { x: 0, y, width: width(share), height: 8 }),
      ]),
    ),
  );
}

function slices(title, tables, note) {
  const rows = Object.entries(tables).map(([name, table]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name.replaceAll("_", " ") || "(none)"),
      h("td", {}, table.of),
      bars(table),
      h("td", {}, percent(table.pipeline_right)),
      h("td", {}, percent(table.student_right)),
      h("td", {}, table.pipeline),
      h("td", {}, table.student),
      h("td", {}, p(table.p)),
    ),
  );
  return h(
    "div.card.slices-card",
    {},
    h("h2", {}, title),
    h("p.soft.small", {}, note),
    h(
      "div.table-scroll",
      { tabindex: "0", role: "region", "aria-label": title },
      h(
        "table.slices",
        {},
        h("caption.hidden-text", {}, title),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            [
              "",
              "questions",
              "right",
              "pipeline",
              "student",
              "only pipeline",
              "only student",
              "p",
            ].map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        h("tbody", {}, rows),
      ),
    ),
  );
}

function empty(found) {
  return h(
    "div.card.empty",
    {},
    h("h2", {}, "Nothing to compare yet"),
    h(
      "p.soft",
      {},
      `This table counts labelled questions that both sides have answered: programs with verdicts, and the student's answer. ${found.left_out ? `${counted(found.left_out, "question")} in the project ${found.left_out === 1 ? "lacks" : "lack"} one or the other.` : "The project has no question yet."}`,
    ),
    h("code", {}, "vpd run"),
  );
}

async function look() {
  const counting = document.querySelector("[name=counting]:checked").value;
  place.setAttribute("aria-busy", "true");
  try {
    const found = await get(`/data/compare/tables?counting=${counting}`);
    place.replaceChildren(
      ...(found.all.of
        ? [
            h(
              "div.square",
              {},
              h("div.card", {}, square(found)),
              h("div.card", {}, findings(found)),
            ),
            h(
              "p.legend",
              {},
              h("span", {}, h("i"), "pipeline right"),
              h("span", {}, h("i.student"), "student right"),
            ),
            slices(
              "By kind of question",
              found.families,
              "many slices: a small p among them is no finding yet",
            ),
            Object.keys(found.tools).length > 0 &&
              slices(
                "By tool",
                found.tools,
                "questions of which any program called it; one question may count in several rows",
              ),
          ].filter(Boolean)
        : [empty(found)]),
    );
  } catch (error) {
    place.replaceChildren(h("p.problem", {}, error.message));
  }
  place.removeAttribute("aria-busy");
}

if (new URL(location).searchParams.get("mode") === "all") {
  look();
  document
    .querySelectorAll("[name=counting]")
    .forEach((one) => one.addEventListener("change", look));
}
