// Boxes on a picture, each with its name, in an SVG that lies over it.
import { h } from "./player_elements.js";

const MOST_NAMES = 24; // with more boxes, names would hide the picture

/** A name at the corner of its box, moved so that it stays inside the picture. */
function nameTag({ label, box: [x0, y0] }, size, [width, height]) {
  const wide = (label.length * 0.6 + 0.9) * size;
  const x = Math.max(Math.min(x0, width - wide), 0);
  const below = Math.min(y0 + size * 0.2, height - size * 1.5);
  const y = y0 >= size * 1.6 ? y0 - size * 1.55 : below;
  return [
    h("svg:rect.tag", { x, y, width: wide, height: size * 1.45, rx: size / 4 }),
    h("svg:text", { x: x + size * 0.45, y: y + size * 1.07, "font-size": size }, label),
  ];
}

const GRID = 999; // boxes in a text are written in thousandths of the picture's sides

/** A function that gives a box `[ymin, xmin, ymax, xmax]` of the grid in pixels of a picture. */
export const fromGrid =
  ({ width, height }) =>
  ([ymin, xmin, ymax, xmax]) => [
    (xmin / GRID) * width,
    (ymin / GRID) * height,
    (xmax / GRID) * width,
    (ymax / GRID) * height,
  ];

/**
 * Draw boxes [{box: [x0, y0, x1, y1], label, role}] in pixels of the picture; `hot` names the patch
 * to stress.
 */
export function draw(overlay, boxes, hot = null) {
  overlay.replaceChildren();
  const [, , width, height] = overlay.getAttribute("viewBox").split(" ").map(Number);
  const size = Math.max((12 * width) / (overlay.getBoundingClientRect().width || width), 1);
  const few = boxes.filter((one) => one.label).length <= MOST_NAMES;
  // the stressed box comes last, so that it lies on top
  for (const one of [...boxes].sort((a, b) => Number(a.patch === hot) - Number(b.patch === hot))) {
    const isHot = hot !== null && one.patch === hot;
    const faint = one.role === "loop" && !isHot;
    overlay.append(...outline(one, size, { isHot, faint }));
    if (one.label && !faint && (few || isHot)) {
      overlay.append(...nameTag(one, size, [width, height]));
    }
  }
}

/** The rectangle of a box, with a halo that keeps it apart from the picture. */
function outline({ box: [x, y, x1, y1], role }, size, { isHot, faint }) {
  const sides = { width: Math.max(x1 - x, 1), height: Math.max(y1 - y, 1) };
  const place = { x, y, ...sides, rx: size / 4 };
  const line = h(`svg:rect.${role}${isHot ? ".hot" : ""}`, place);
  return faint ? [line] : [h("svg:rect.halo", place), line];
}
