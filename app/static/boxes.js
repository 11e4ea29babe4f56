// Boxes over a picture, as SVG.  Text goes in as text nodes only: what a program or tool said is never markup.
const SVG = "http://www.w3.org/2000/svg";

export function svg(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Draw boxes [{box: [x0, y0, x1, y1], label, role}] in pixels of the picture; `hot` is the index to stress. */
export function draw(overlay, boxes, hot = -1) {
  overlay.replaceChildren();
  const [, , width, height] = overlay.getAttribute("viewBox").split(" ").map(Number);
  const shown = overlay.clientWidth || width;
  const size = Math.max(12 * width / shown, 1);
  const labelled = boxes.filter((one) => one.label).length <= 24;
  boxes.forEach(({ box, label, role }, index) => {
    const [x0, y0, x1, y1] = box;
    const place = { x: x0, y: y0, width: Math.max(x1 - x0, 1), height: Math.max(y1 - y0, 1), rx: size / 4 };
    overlay.append(svg("rect", { ...place, class: "halo" }));
    overlay.append(svg("rect", { ...place, class: role + (index === hot ? " hot" : "") }));
    if (!label || (!labelled && index !== hot)) return;
    const wide = (label.length * 0.6 + 0.9) * size;
    const left = Math.max(Math.min(x0, width - wide), 0);
    const top = y0 >= size * 1.6 ? y0 - size * 1.55 : Math.min(y0 + size * 0.2, height - size * 1.5);
    overlay.append(svg("rect", { x: left, y: top, width: wide, height: size * 1.45, rx: size / 4, class: "tag" }));
    overlay.append(svg("text", { x: left + size * 0.45, y: top + size * 1.07, "font-size": size }, label));
  });
}

/** The boxes of a rationale light up on the picture: hover or focus shows one, a click keeps it. */
export function linkRationale(told, overlay, restore) {
  const width = Number(told.dataset.width), height = Number(told.dataset.height);
  const cells = (button) => {
    const [ymin, xmin, ymax, xmax] = button.dataset.box.split(" ").map(Number);
    return [xmin / 999 * width, ymin / 999 * height, xmax / 999 * width, ymax / 999 * height];
  };
  const buttons = [...told.querySelectorAll(".where")];
  const show = (chosen) => draw(overlay, chosen.map((b) => ({ box: cells(b), label: "", role: "result" })));
  let kept = null;
  for (const button of buttons) {
    const on = () => show([button]);
    const off = () => (kept ? show([kept]) : restore());
    button.addEventListener("mouseenter", on);
    button.addEventListener("focus", on);
    button.addEventListener("mouseleave", off);
    button.addEventListener("blur", off);
    button.addEventListener("click", () => { kept = kept === button ? null : button; (kept ? on : off)(); });
  }
  return () => show(buttons);
}
