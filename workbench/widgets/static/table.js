import { h } from "../../screen/static/player_elements.js";
import { follow, frame, help, takeKeys, put, sign } from "./common.js";
import { traitPlayer } from "./playing.js";

const TITLES = ["", "answer", "score", "steps", "calls", "time", ""];

function render({ model, el }) {
  const node = frame(el, "Programs of a question");
  const { text, gold, choices } = model.get("question");
  const body = h("tbody");
  const place = h("div");
  const choose = (row) => {
    const rows = model.get("rows");
    if (rows[row]) put(model, { selected: row });
  };
  const view = traitPlayer(model, place);
  const rows = () => [
    ["ArrowUp", "program before", () => choose(model.get("selected") - 1)],
    ["ArrowDown", "next program", () => choose(model.get("selected") + 1)],
    ...view.keys(),
  ];
  node.append(
    ...[
      h(
        "header.vw-head",
        {},
        h("p.vw-question", {}, text),
        h(
          "p.vw-line",
          {},
          gold && h("span.vw-soft", {}, `expected ${gold}`),
          choices.length ? h("span.vw-soft", {}, `of ${choices.join(", ")}`) : null,
        ),
      ),
      h(
        "table.vw-table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            TITLES.map((title) => h("th", { scope: "col" }, title)),
          ),
        ),
        body,
      ),
      place,
      h("footer", {}, help(rows())),
    ],
  );
  takeKeys(node, rows);

  const stop = follow(model, ["rows", "selected"], () => {
    const at = model.get("selected");
    body.replaceChildren(
      ...model
        .get("rows")
        .map((row, index) =>
          h(
            "tr",
            { "aria-selected": String(index === at), onclick: () => choose(index) },
            h(
              "th",
              { scope: "row" },
              h(
                "button",
                { type: "button", "aria-pressed": String(index === at) },
                `program ${row.number}`,
              ),
            ),
            h(
              "td",
              {},
              row.answer === null
                ? h("span.vw-bad", {}, row.problem)
                : sign(row.state, row.answer || "an empty answer"),
            ),
            h("td.vw-number", {}, row.score.toFixed(2)),
            h("td.vw-number", {}, String(row.steps ?? "")),
            h("td.vw-number", {}, String(row.calls ?? "")),
            h("td.vw-number", {}, row.time),
            h("td", {}, row.kept ? h("span.vw-chip", {}, "kept") : ""),
          ),
        ),
    );
    if (!model.get("rows").length) {
      body.replaceChildren(
        h("tr", {}, h("td", { colspan: TITLES.length }, "This question has no programs yet.")),
      );
    }
  });
  return () => {
    stop();
    view.stop();
  };
}

export default { render };
