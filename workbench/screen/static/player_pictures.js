// The pictures of a question beside each other, each under the overlay of its own boxes.
import { draw, fromGrid } from "./player_boxes.js";
import { allOf, h } from "./player_elements.js";

/** One picture with the overlay of its boxes, or why there is none. */
function tileOf(picture, alt) {
  const { url, width, height } = picture;
  const overlay = h("svg:svg.vp-overlay", {
    viewBox: `0 0 ${width} ${height}`,
    "aria-hidden": "true",
  });
  const node = h("div.vp-tile");
  if (!url) {
    node.append(h("p.vp-missing", {}, picture.problem || "There is no picture."));
    return { node, overlay, missing: true };
  }
  const words = `The picture ${picture.image ?? url} could not be loaded.`;
  const image = h("img", {
    src: url,
    alt,
    width,
    height,
    draggable: "false",
    onerror: () => node.replaceChildren(h("p.vp-missing", {}, words)),
  });
  node.append(image, overlay);
  return { node, overlay, missing: false };
}

/** The pictures of a question side by side, each with the overlay of its boxes. */
export function picturesOf(picture) {
  const all = allOf(picture);
  const several = all.length > 1;
  const tiles = all.map((one, index) =>
    tileOf(one, several ? `Picture ${index + 1} of ${all.length}` : "The picture asked about"),
  );
  if (several) {
    tiles.forEach(({ node }, index) => {
      node.append(h("span.vp-number", { "aria-hidden": "true" }, String(index + 1)));
    });
  }
  const canvas = h(several ? "div.vp-canvas.vp-several" : "div.vp-canvas");
  canvas.append(...tiles.map(({ node }) => node));
  return {
    stage: h("figure.vp-stage", {}, canvas),
    canvas,
    isThere: tiles.some(({ missing }) => !missing),
    draw(boxes, hot = null) {
      tiles.forEach(({ overlay, missing }, index) => {
        if (!missing) {
          draw(
            overlay,
            boxes.filter((one) => (one.picture ?? 0) === index),
            hot,
          );
        }
      });
    },
    /** Stress the pictures that a step looked at, where there are several. */
    look(numbers) {
      tiles.forEach(({ node }, index) =>
        node.classList.toggle("vp-looked", several && numbers.includes(index)),
      );
    },
  };
}

/**
 * A function that gives the place of a piece of a rationale that names a box: {box, picture}.  One
 * that names no picture, or one too many, is drawn into the first.
 */
export function placeOf(picture) {
  const inPixels = allOf(picture).map(fromGrid);
  return (piece) => {
    const number = inPixels[piece.picture] ? piece.picture : 0;
    return { box: inPixels[number](piece.box), picture: number };
  };
}
