// The step player: one trace, one step at a time.  It takes plain data and a few elements and knows no server,
// so that a notebook can show the same thing.  See `app/steps.py` for the data.
import { draw, svg } from "./boxes.js";

const WINDOW = 240;

function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Program lines with their colours; `ran` maps line numbers to how often each was executed. */
function program(holder, data) {
  const list = element("ol");
  data.source.forEach((tokens, index) => {
    const line = element("li", data.ran[index + 1] ? "ran" : "never");
    const text = element("span");
    const indent = tokens.map(([, piece]) => piece).join("").search(/\S|$/) + 2;
    text.style.paddingLeft = `${indent}ch`; // a wrapped line hangs below its own indentation
    text.style.textIndent = `-${indent}ch`;
    for (const [kind, piece] of tokens) text.append(kind ? element("span", kind, piece) : piece);
    line.append(text);
    list.append(line);
  });
  holder.replaceChildren(list);
  return [...list.children];
}

/** One cell of the strip: wide for what asked a tool or ended the run, a tick for a plain line. */
function cell(step, longest) {
  const node = element("button", step.kind + (step.cached ? " cached" : ""));
  node.type = "button";
  node.title = `line ${step.line}: ${step.title}${step.short ? ` → ${step.short}` : ""}`;
  if (step.kind === "tick") {
    node.textContent = step.line;
    node.setAttribute("aria-label", node.title);
    return node;
  }
  node.append(element("strong", "", step.title), element("span", "", step.short));
  if (step.kind === "tool" && longest > 0) {
    const bar = svg("svg", { viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" });
    bar.append(svg("rect", { width: Math.max(100 * step.ms / longest, 1), height: 4 }));
    node.append(bar);
  }
  return node;
}

/** Text in which the patches that have a box on the picture can be pointed at. */
function value(shown, boxes, point) {
  const node = element("dd");
  for (const piece of shown) {
    if (piece.patch === undefined) { node.append(piece.text); continue; }
    const patch = element("span", "patch", piece.text);
    const index = boxes.findIndex((one) => one.patch === piece.patch);
    if (index >= 0) {
      patch.addEventListener("mouseenter", () => point(index));
      patch.addEventListener("mouseleave", () => point(-1));
    }
    node.append(patch);
  }
  return node;
}

function pairs(title, rows, boxes, point) {
  const part = element("div");
  part.append(element("h4", "", title));
  const list = element("dl");
  for (const row of rows) {
    const one = element("div");
    one.append(element("dt", "", row.name), value(row.value, boxes, point));
    list.append(one);
  }
  part.append(list);
  return part;
}

/** What one step did: the tool's inputs and output, the variables that changed, time and batch. */
function detail(holder, step, point) {
  const parts = [element("h3", "", step.heading)];
  if (step.arguments.length) parts.push(pairs("Asked with", step.arguments, step.boxes, point));
  if (step.result) {
    const out = element("div", "out");
    out.append(element("h4", "", "Answer"), value(step.result, step.boxes, point));
    parts.push(out);
  }
  if (step.error) parts.push(element("div", "out bad", step.error));
  if (step.changed.length) parts.push(pairs("Variables that changed", step.changed, step.boxes, point));
  if (step.text) {
    const said = element("div");
    said.append(element("h4", "", step.textTitle), element("pre", "", step.text));
    parts.push(said);
  }
  if (step.facts.length) {
    const facts = element("p", "facts");
    for (const fact of step.facts) facts.append(element("span", "chip", fact));
    parts.push(facts);
  }
  const raw = element("details");
  const summary = element("summary", "", "As recorded");
  raw.append(summary);
  raw.addEventListener("toggle", () => {
    if (raw.open && raw.children.length === 1) raw.append(element("pre", "", JSON.stringify(step.raw, null, 2)));
  });
  parts.push(raw);
  holder.replaceChildren(...parts);
}

/**
 * Show a trace.  `places` are the elements {code, overlay, strip, detail, count}; `moved(index)` is told of each step.
 * Returns {go, step, play, show}: to an index, by an offset, start or stop, draw the current step again.
 */
export function mount(data, places, moved = () => {}) {
  const lines = program(places.code, data);
  const longest = data.steps.reduce((most, step) => Math.max(most, step.ms), 0);
  const cells = new Map(); // the strip holds the cells around the current step: long traces stay light
  let at = -1, timer = null;

  function fill(index) {
    const from = Math.max(0, Math.min(index - WINDOW / 2, data.steps.length - WINDOW));
    cells.clear();
    data.steps.slice(from, from + WINDOW).forEach((step, offset) => {
      const node = cell(step, longest);
      node.addEventListener("click", () => { play(false); go(from + offset); });
      cells.set(from + offset, node);
    });
    places.strip.replaceChildren(...cells.values());
  }

  /** Whether the cell and its neighbours are there. */
  const near = (index) => [index - 1, index, index + 1].every((one) => !(one in data.steps) || cells.has(one));

  const boxes = (hot = -1) => places.overlay && draw(places.overlay, data.steps[at]?.boxes ?? [], hot);

  function go(index) {
    const next = Math.min(Math.max(index, 0), data.steps.length - 1);
    if (next < 0 || next === at) return;
    if (at >= 0) {
      cells.get(at)?.removeAttribute("aria-current");
      lines[data.steps[at].line - 1]?.classList.remove("now", "failed");
    }
    at = next;
    const step = data.steps[at];
    if (!near(at)) fill(at);
    cells.get(at).setAttribute("aria-current", "step");
    const line = lines[step.line - 1];
    line?.classList.add(step.kind === "error" ? "failed" : "now");
    if (line) inView(places.code, line, "scrollTop", "offsetTop", "offsetHeight", "clientHeight");
    inView(places.strip, cells.get(at), "scrollLeft", "offsetLeft", "offsetWidth", "clientWidth");
    places.count.textContent = `Step ${at + 1} of ${data.steps.length}, line ${step.line}`;
    detail(places.detail, step, boxes);
    boxes();
    moved(at);
  }

  function play(on = timer === null) {
    clearInterval(timer);
    timer = on ? setInterval(() => (at + 1 < data.steps.length ? go(at + 1) : play(false)), 900) : null;
    places.playing?.(on);
  }

  return { go, play, step: (offset) => { play(false); go(at + offset); }, show: () => boxes(), last: data.steps.length - 1 };
}

/** Scroll the holder, never the page, so that a child is seen. */
function inView(holder, child, scroll, offset, extent, room) {
  const start = child[offset] - holder[offset];
  const before = holder[scroll] > start, after = holder[scroll] + holder[room] < start + child[extent];
  if (before || after) holder[scroll] = start - (holder[room] - child[extent]) / 2;
}
