// Compare, all questions: the 2x2 table with McNemar's p, its slices, and the way from a cell to
// Browse and to the queue.
import { amount, h, svg } from "./dom.js";
import { get, newId, save, toast } from "./server.js";

const place = document.querySelector("[data-tables]");
const mayDecide = document.body.dataset.role !== "viewer";
const percent = (share) => (share.value === null ? "–" : `${(100 * share.value).toFixed(1)} %`);
const between = (share) =>
  share.value === null ? "" : `${(100 * share.low).toFixed(1)} to ${(100 * share.high).toFixed(1)}`;
const p = (value) => {
  if (value === null) return "–";
  return value < 0.001 ? "< 0.001" : value.toFixed(3);
};

function cell(tables, name, kind) {
  const { title, filter } = tables.cells.find((one) => one.name === name);
  const inside = [h("b", {}, tables.all[name].toLocaleString("en")), h("small", {}, title)];
  const hasLink = tables.counting === "any";
  return h(
    `td${kind ? `.${kind}` : ""}`,
    {},
    hasLink
      ? h(
          "a",
          { href: `browse?q=${encodeURIComponent(filter)}`, title: "See them in Browse" },
          inside,
        )
      : h("div", { title: "Browse can show cells counted by “best of k by the label”" }, inside),
  );
}

function square(tables) {
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
        cell(tables, "both"),
        cell(tables, "pipeline", "gain"),
      ),
      h(
        "tr",
        {},
        h("th", { scope: "row" }, "pipeline wrong"),
        cell(tables, "student", "loss"),
        cell(tables, "neither"),
      ),
    ),
  );
}

/** McNemar's p as a phrase: "–", "< 0.001" or "= 0.012". */
function pPhrase(value) {
  const words = p(value);
  return /^\d/.test(words) ? `= ${words}` : words;
}

function basisOf({ all, counting }) {
  if (counting === "any") return " (the label chose among the programs: nothing can be tested)";
  if (all.p === null) return " (no question separates the two)";
  const apart = amount(all.pipeline + all.student, "question");
  return ` (exact, over the ${apart} that exactly one side got right)`;
}

function mcnemar(tables) {
  const words = `McNemar's p ${pPhrase(tables.all.p)}`;
  return h("p", {}, h("b", {}, words), h("span.soft", {}, basisOf(tables)));
}

function scope(tables) {
  const both = `${amount(tables.all.of, "labelled question")} answered by both`;
  if (!tables.left_out) return `${both}.`;
  const rest = amount(tables.left_out, "question");
  return `${both}; ${rest} left out: no label, no verdicts or no answer of the student.`;
}

function queueButton(tables) {
  const count = tables.all.pipeline;
  if (count === 0) return null;
  return h(
    "p",
    {},
    h(
      "button.button",
      {
        type: "button",
        disabled: !mayDecide,
        onclick: (event) => queue(event.currentTarget, tables),
      },
      `Send the ${count.toLocaleString("en")} “pipeline right, student wrong” to the queue`,
    ),
  );
}

function findings(tables) {
  const { all } = tables;
  const side = (name, share, words) =>
    h(
      "p",
      {},
      h("b", {}, `${name} ${percent(share)}`),
      h("span.soft", {}, ` right (95 %: ${between(share)})${words}`),
    );
  return h(
    "div.findings",
    {},
    side("Pipeline", all.pipeline_right, `: ${tables.means}, k = ${tables.k}`),
    side("Student", all.student_right, ", one forward pass"),
    mcnemar(tables),
    h("p.soft.small", {}, scope(tables)),
    queueButton(tables),
  );
}

async function queue(button, tables) {
  button.disabled = true;
  const id = newId();
  try {
    const { queued: count } = await save("do/compare/queue-cell", {
      id,
      counting: tables.counting,
    });
    toast(`${amount(count, "question")} in the Curate queue.`, "plain", [
      "Undo",
      async () => {
        await save("do/undo", { task: "", target: id });
        toast(`${amount(count, "question")} taken back.`);
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

function empty(tables) {
  const count = tables.left_out;
  const lack = count === 1 ? "lacks" : "lack";
  const rest = count
    ? `${amount(count, "question")} in the project ${lack} one or the other.`
    : "The project has no question yet.";
  const rule =
    "This table counts labelled questions that both sides have answered: " +
    "programs with verdicts, and the student's answer.";
  return h(
    "div.card.empty",
    {},
    h("h2", {}, "Nothing to compare yet"),
    h("p.soft", {}, `${rule} ${rest}`),
    h("code", {}, "vpd run"),
  );
}

function parts(tables) {
  if (!tables.all.of) return [empty(tables)];
  const list = [
    h("div.square", {}, h("div.card", {}, square(tables)), h("div.card", {}, findings(tables))),
    h(
      "p.legend",
      {},
      h("span", {}, h("i"), "pipeline right"),
      h("span", {}, h("i.student"), "student right"),
    ),
    slices(
      "By kind of question",
      tables.families,
      "many slices: a small p among them is no finding yet",
    ),
  ];
  if (Object.keys(tables.tools).length) {
    const note = "questions of which any program called it; one question may count in several rows";
    list.push(slices("By tool", tables.tools, note));
  }
  return list;
}

async function look() {
  const rule = document.querySelector("[name=counting]:checked").value;
  place.setAttribute("aria-busy", "true");
  try {
    const tables = await get(`data/compare/tables?counting=${rule}`);
    place.replaceChildren(...parts(tables));
  } catch (error) {
    place.replaceChildren(h("p.problem", {}, error.message));
  }
  place.removeAttribute("aria-busy");
}

if (new URL(location.href).searchParams.get("mode") === "all") {
  look();
  document
    .querySelectorAll("[name=counting]")
    .forEach((one) => one.addEventListener("change", look));
}
