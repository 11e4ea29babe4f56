import { draw } from "../../screen/static/player_boxes.js";
import { h } from "../../screen/static/player_elements.js";
import { addresses, ask, follow, frame, takeKeys } from "./common.js";

function column(model, side, url, about) {
  const overlay = h("svg:svg.vp-overlay", {
    viewBox: `0 0 ${about.width} ${about.height}`,
    "aria-hidden": "true",
  });
  const part = {
    says: h("span.vw-chip"),
    time: h("span.vw-soft"),
    answer: h("output.vw-answer"),
    trouble: h("p.vw-bad"),
    cells: h("ol.vw-cells"),
    text: h(side === "pipeline" ? "pre" : "p"),
  };
  const name = model.get("names")[side];
  const stop = h(
    "button.vw-button",
    { type: "button", onclick: () => ask(model, { do: "cancel", side }).catch(() => {}) },
    "Cancel",
  );
  const node = h(
    "section.vw-side",
    { "aria-label": name.title },
    h("header", {}, h("h3", {}, name.title), part.time, part.says, stop),
    name.model ? h("p.vw-soft", {}, name.model) : "",
    part.answer,
    part.trouble,
    h(
      "figure.vp-stage",
      {},
      h(
        "div.vp-canvas",
        {},
        h("img", {
          src: url,
          alt: "The picture asked about",
          width: about.width,
          height: about.height,
        }),
        overlay,
      ),
    ),
    part.cells,
    part.text,
  );
  const end = follow(model, [side], () => {
    const now = model.get(side);
    part.says.textContent = now.says ?? "ready";
    part.time.textContent = [now.time, now.maker].filter(Boolean).join(", ");
    part.answer.textContent = now.answer || (now.ended ? "–" : "…");
    part.trouble.textContent = now.trouble ?? "";
    part.text.textContent = (side === "pipeline" ? now.program : now.rationale) ?? "";
    part.cells.replaceChildren(
      ...(now.steps ?? []).map(([kind, line, title, words]) =>
        h(
          `li.vp-${kind}`,
          { title: `line ${line}` },
          kind === "tick" ? `${line}` : [title, words].filter(Boolean).join(": "),
        ),
      ),
    );
    part.text.hidden = !part.text.textContent;
    part.trouble.hidden = !part.trouble.textContent;
    stop.hidden = !now.says || now.ended === true;
    draw(overlay, now.boxes ?? []);
  });
  return { node, end };
}

function render({ model, el }) {
  const node = frame(el, "Program and student, side by side");
  const urls = addresses();
  const url = urls.of(model.get("picture"));
  const about = model.get("about");
  const field = h("input.vw-field", {
    type: "text",
    maxlength: 1000,
    "aria-label": "Question",
    placeholder: "A question about this picture",
  });
  const trouble = h("p.vw-banner.vw-bad", { role: "status", hidden: true });
  const say = (words) => {
    trouble.textContent = words;
    trouble.hidden = !words;
  };
  const put = () => {
    say("");
    ask(model, { do: "ask", question: field.value }).catch((error) => say(error.message));
  };
  const cancel = h(
    "button.vw-button",
    { type: "button", onclick: () => ask(model, { do: "cancel" }).catch(() => {}) },
    "Cancel",
  );
  const columns = model.get("sides").map((side) => column(model, side, url, about));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      event.stopPropagation();
      put();
    }
  });
  node.append(
    h(
      "div.vw-ask",
      {},
      field,
      h("button.vw-button.vw-main", { type: "button", onclick: put }, "Ask"),
      cancel,
    ),
    trouble,
    h(
      "div.vw-sides",
      {},
      columns.map((one) => one.node),
    ),
  );
  takeKeys(node, () => [
    [
      "/",
      "",
      () => {
        field.focus();
      },
    ],
  ]);
  const stops = [
    follow(model, ["question"], () => {
      field.value = model.get("question");
    }),
    follow(model, ["busy"], () => {
      cancel.disabled = !model.get("busy");
    }),
    ...columns.map((one) => one.end),
  ];
  return () => {
    for (const stop of stops) stop();
    urls.forget();
  };
}

export default { render };
