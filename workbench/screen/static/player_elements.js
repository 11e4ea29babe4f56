// Elements from data, of HTML and of SVG ("svg:rect"), and scrolling inside one of them.  All text
// goes in as text nodes: what a program, a tool or a model said is never markup.
const SVG_SPACE = "http://www.w3.org/2000/svg";

const missing = (value) => value === null || value === undefined || value === false;

/** h("svg:rect.halo", {x: 1, onclick: f}, "text", node, [more], null) */
export function h(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = tag.startsWith("svg:")
    ? document.createElementNS(SVG_SPACE, tag.slice(4))
    : document.createElement(tag);
  if (classes.length) node.classList.add(...classes);
  for (const [key, value] of Object.entries(properties)) {
    if (missing(value)) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => !missing(child)));
  return node;
}

const AXES = {
  down: ["scrollTop", "top", "height", "clientHeight"],
  along: ["scrollLeft", "left", "width", "clientWidth"],
};

/** Scroll the holder, never the page, so that a child is seen; `axis` is "down" or "along". */
export function inView(holder, child, axis) {
  const [scroll, edge, extent, room] = AXES[axis];
  const from = holder.getBoundingClientRect();
  const at = child.getBoundingClientRect();
  const start = at[edge] - from[edge] + holder[scroll];
  if (holder[scroll] > start || holder[scroll] + holder[room] < start + at[extent]) {
    holder[scroll] = start - (holder[room] - at[extent]) / 2;
  }
}
