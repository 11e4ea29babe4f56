// One step in full: what was asked, what came of it, the variables that changed, its boxes cut out.
import { allOf, h } from "./player_elements.js";

const MOST_CROPS = 12;
const ROLE_TITLES = {
  result: "what the tool found",
  receiver: "what it looked at",
  variable: "what a variable holds",
};

const block = (title, ...nodes) => h("div", {}, h("h4", {}, title), nodes);

/** The step as the trace holds it, written out when somebody opens it. */
function asRecorded(step) {
  const raw = h("details", {}, h("summary", {}, "As recorded"));
  raw.addEventListener("toggle", () => {
    if (raw.open && raw.children.length === 1) {
      raw.append(h("pre", {}, JSON.stringify(step.raw, null, 2)));
    }
  });
  return raw;
}

/**
 * The panel of a step as `node`.
 *
 * point    is called with the patch that is pointed at, or null
 * scores   the control of the least score; it stands above the crops
 * Returns  {node, show, fail}: `show(step, view)` with view {boxes, variables, before, wrong}.
 */
export function detailOf(picture, { point, scores }) {
  const node = h("section.vp-step", { "aria-label": "This step" });
  const all = allOf(picture);
  let view = null;

  const pointing = (patch) => ({
    onmouseenter: () => point(patch),
    onmouseleave: () => point(null),
    onfocus: () => point(patch),
    onblur: () => point(null),
  });

  /** Text in which patches that have a box on the picture can be pointed at. */
  function value(pieces, tag = "dd") {
    const patchNode = ({ patch, text }) => {
      const hasBox = view.boxes.some((one) => one.patch === patch);
      const name = hasBox ? "span.vp-patch.vp-on" : "span.vp-patch";
      return h(name, { tabindex: hasBox ? 0 : null, ...pointing(patch) }, text);
    };
    return h(
      tag,
      {},
      pieces.map((piece) => (piece.patch ? patchNode(piece) : piece.text)),
    );
  }

  const plainText = (pieces) => pieces.map((piece) => piece.text).join("");

  function pairs(title, rows) {
    const pair = (row) => {
      const before = view.before && row.before ? h("dd.vp-was", {}, plainText(row.before)) : null;
      return h("div", {}, h("dt", {}, row.name), before, value(row.value));
    };
    return block(title, h("dl", {}, rows.map(pair)));
  }

  /**
   * The part of the picture inside a box, beside its name: where a crop came from is one look away.
   */
  function crop(one) {
    const [x0, y0, x1, y1] = one.box;
    const viewBox = `${x0} ${y0} ${Math.max(x1 - x0, 1)} ${Math.max(y1 - y0, 1)}`;
    const { url: href, width, height } = all[one.picture ?? 0] ?? picture;
    return h(
      `button.vp-crop.${one.role}`,
      { type: "button", title: ROLE_TITLES[one.role], ...pointing(one.patch) },
      h("svg:svg", { viewBox, "aria-hidden": "true" }, h("svg:image", { href, width, height })),
      h("span", {}, one.label),
      one.score === null ? null : h("small", {}, one.score.toFixed(2)),
    );
  }

  function crops() {
    const own = view.boxes.filter((one) => one.role !== "loop");
    if (!all.some(({ url }) => url) || !own.length) return null;
    const rest = own.length - MOST_CROPS;
    return block(
      all.length > 1 ? "On the pictures" : "On the picture",
      scores,
      h(
        "div.vp-crops",
        {},
        own.slice(0, MOST_CROPS).map(crop),
        rest > 0 && h("span.vp-fact", {}, `and ${rest} more`),
      ),
    );
  }

  /** A picture that the step looked at or made, with the boxes of what was found in it. */
  function stepPicture({ words, image, url, size, part, boxes, number }) {
    const asked = all[number ?? 0] ?? picture;
    const [x0, y0, x1, y1] = part.length ? part : [0, 0, asked.width, asked.height];
    const [width, height] = size.length ? size : [asked.width, asked.height];
    const href = image ? url : asked.url;
    const caption = h("figcaption", {}, words, h("small", {}, `${x1 - x0} × ${y1 - y0} pixels`));
    if (!href) return h("figure", {}, h("p.vp-fact", {}, "The picture is not here."), caption);
    const viewBox = `${x0} ${y0} ${Math.max(x1 - x0, 1)} ${Math.max(y1 - y0, 1)}`;
    const rect = ({ box: [a, b, c, d] }) =>
      h("svg:rect.result", { x: a, y: b, width: Math.max(c - a, 1), height: Math.max(d - b, 1) });
    const drawing = h(
      "svg:svg.vp-overlaid",
      { viewBox, role: "img", "aria-label": words },
      h("svg:image", { href, width, height }),
      boxes.map((one) => h("svg:g", {}, h("svg:title", {}, one.label), rect(one))),
    );
    return h("figure", {}, drawing, caption);
  }

  function pictures(step) {
    if (!step.pictures?.length) return null;
    const made = step.pictures.at(-1).words === "what it made";
    const title = made ? "Old and new" : "In the new picture";
    return block(title, h("div.vp-pictures", {}, step.pictures.map(stepPicture)));
  }

  function variables() {
    if (!view.variables) return null;
    if (!view.variables.length) return h("p.vp-fact", {}, "No variable holds anything yet.");
    return pairs(
      "Variables behind this step",
      view.variables.map((one) => ({ ...one, before: null })),
    );
  }

  function outcome(step) {
    const answer =
      step.result && h("div.vp-out", {}, h("h4", {}, "Answer"), value(step.result, "div.vp-value"));
    return [answer, step.error && h("div.vp-out.vp-bad", {}, step.error)];
  }

  function show(step, next) {
    view = next;
    if (!step) return;
    const parts = [
      h(
        "header",
        {},
        h("h3", {}, step.heading),
        step.facts.map((fact) => h("span.vp-fact", {}, fact)),
      ),
      view.wrong && h("p.vp-bad", {}, "Marked as the first wrong step."),
      step.arguments.length && pairs("Asked with", step.arguments),
      ...outcome(step),
      pictures(step),
      step.changed.length && pairs("Variables that changed", step.changed),
      step.text && block(step.textTitle, h("pre", {}, step.text)),
      crops(),
      variables(),
      asRecorded(step),
    ];
    node.replaceChildren(...parts.filter(Boolean));
  }

  return {
    node,
    show,
    fail: (message) => node.replaceChildren(h("p.vp-bad", {}, message)),
  };
}
