// The rationale of a run: its sentences, the steps that they cite, the boxes that they name.
import { h } from "./player_elements.js";
import { placeOf } from "./player_pictures.js";

/**
 * The rationale as `node`.
 *
 * pick     moves the cursor to a step
 * light    is called with {steps, boxes} of what is pointed at, or null
 * Returns  {node, moveTo}: `moveTo(index)` stresses the sentences that cite the step.
 */
export function rationaleOf(view, picture, { pick, light }) {
  const place = placeOf(picture);
  const boxOf = (piece) => ({
    ...place(piece),
    label: "",
    role: "result",
    score: null,
    patch: piece.text,
  });

  /** Light up a sentence: all its boxes, or only those that this text names. */
  function point(sentence, text = null) {
    const pieces = sentence.pieces.filter(
      (piece) => piece.box && [null, piece.text].includes(text),
    );
    light({ steps: sentence.steps, boxes: pieces.map(boxOf) });
  }

  function pieceNode(sentence, piece) {
    if (!piece.box) return piece.text;
    const show = () => point(sentence, piece.text);
    return h(
      "button.vp-where",
      {
        type: "button",
        title: "Show this box",
        onmouseenter: show,
        onfocus: show,
        onblur: () => light(null),
      },
      piece.text,
    );
  }

  function citation(index) {
    const name = `Step ${index + 1}`;
    const properties = { type: "button", title: name, "aria-label": name };
    return h(
      "sup",
      {},
      h("button.vp-cite", { ...properties, onclick: () => pick(index) }, String(index + 1)),
    );
  }

  function sentenceNode(sentence) {
    const { supported, pieces, steps } = sentence;
    return h(
      supported ? "span.vp-sentence" : "span.vp-sentence.vp-unsupported",
      {
        title: supported ? null : "Nothing in the trace supports this sentence",
        onmouseenter: () => point(sentence),
        onmouseleave: () => light(null),
      },
      pieces.map((piece) => pieceNode(sentence, piece)),
      steps.map(citation),
      " ",
    );
  }

  const foot = view.issues.length
    ? h("span.vp-bad", {}, `Not faithful to its trace: ${view.issues.join("; ")}.`)
    : "Every number, name and box in it occurs in the trace.";
  const nodes = view.sentences.map(sentenceNode);
  const node = h(
    "section.vp-told",
    { "aria-label": "Rationale" },
    h("p", {}, nodes),
    h("p.vp-foot", {}, `Written by ${view.writer}. `, foot),
  );
  return {
    node,
    moveTo(at) {
      nodes.forEach((one, index) =>
        one.classList.toggle("here", view.sentences[index].steps.includes(at)),
      );
    },
  };
}
