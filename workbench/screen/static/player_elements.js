// Elements from data, of HTML and of SVG ("svg:rect"), and scrolling inside one of them.  All text
// goes in as text nodes: what a program, a tool or a model said is never markup.
const SVG_SPACE = "http://www.w3.org/2000/svg";

const missing = (value) => value === null || value === undefined || value === false;

const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const READ = ["title", "aria-label", "alt"];

/** A text with the code of each character that turns the direction of writing. */
const visible = (text) =>
  text.replace(DIRECTIONS, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** @param {any} child */
const shown = (child) => (typeof child === "string" ? visible(child) : child);

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
    else if (value === true) node.setAttribute(key, "");
    else node.setAttribute(key, READ.includes(key) ? shown(value) : value);
  }
  const present = children.flat(Infinity).filter((child) => !missing(child));
  // a field for writing holds its text as it is
  node.append(...(node.localName === "textarea" ? present : present.map(shown)));
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

/** All pictures of a question, in order. */
export const allOf = (picture) => [picture, ...(picture.more ?? [])];
