// Elements from data.  Text goes in as text nodes only: what a model, a dataset or a user wrote
// is never markup.
const SVG = "http://www.w3.org/2000/svg";

const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const READ = ["title", "aria-label", "alt"];

/** A text with the code of each character that turns the direction of writing. */
export const visible = (text) =>
  text.replace(DIRECTIONS, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** @param {any} child */
const shown = (child) => (typeof child === "string" ? visible(child) : child);

/** h("a.chip", {href: "/x", onclick: f, dataset: {id: 1}}, "text", node, [more], null) */
export function h(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  return assemble(document.createElement(tag), classes, properties, children);
}

/** The same for SVG; attributes only. */
export function svg(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  return assemble(document.createElementNS(SVG, tag), classes, properties, children);
}

const absent = (value) => value === null || value === undefined || value === false;

function assemble(node, classes, properties, children) {
  if (classes.length) node.classList.add(...classes);
  for (const [key, value] of Object.entries(properties)) {
    if (!absent(value)) setProperty(node, key, value);
  }
  const present = children.flat(Infinity).filter((child) => !absent(child));
  // a field for writing holds its text as it is
  node.append(...(node.localName === "textarea" ? present : present.map(shown)));
  return node;
}

function setProperty(node, key, value) {
  if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
  else if (key === "dataset") Object.assign(node.dataset, value);
  else if (key === "style") {
    // one by one, because our policy refuses a style attribute
    for (const [name, text] of Object.entries(value)) node.style.setProperty(name, text);
  } else if (value === true) node.setAttribute(key, "");
  else node.setAttribute(key, READ.includes(key) ? shown(value) : value);
}

/** 340 ms, 1.2 s, 2 min 5 s, 3 h 20 min */
export function duration(ms) {
  if (ms < 0.95) return "under 1 ms";
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(ms / 60000);
  return `${Math.floor(minutes / 60).toLocaleString("en")} h ${minutes % 60} min`;
}

export const amount = (number, noun) =>
  `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

/**
 * 3 May 2026, 14:05
 * @param {string | number | Date} time
 * @param {"short" | "medium"} timeStyle
 */
export const dateTime = (time, timeStyle = "short") =>
  new Date(time).toLocaleString("en", { dateStyle: "medium", timeStyle, hourCycle: "h23" });

/**
 * 14:05:30
 * @param {string | number | Date} time
 */
export const clock = (time) =>
  new Date(time).toLocaleTimeString("en", { timeStyle: "medium", hourCycle: "h23" });

const SIGNS = { right: "✓", wrong: "✗", failed: "!", none: "–" };

/** A verdict: a sign and a word, never colour alone. */
export function verdict(state, text) {
  return h(
    `span.verdict.${state}`,
    {},
    h("b", { "aria-hidden": "true" }, SIGNS[state]),
    h("span.hidden-text", {}, `${state}: `),
    h("span", {}, text),
  );
}
