// The step player: program, picture, steps and rationale of one run under one cursor.  A page and a
// notebook mount the same thing.  `workbench/screen/player.py` says what the model holds.
import { detailOf } from "./player_detail.js";
import { h } from "./player_elements.js";
import { lightOf } from "./player_light.js";
import { picturesOf } from "./player_pictures.js";
import { programOf } from "./player_program.js";
import { rationaleOf } from "./player_rationale.js";
import { stripOf } from "./player_strip.js";
import { zoomOf } from "./player_zoom.js";

const CHUNK = 32; // full steps asked for at once
const FRAME = 900; // milliseconds for each step while it plays

const iconButton = (name, sign, run, extra = {}) =>
  h("button", { type: "button", "aria-label": name, title: name, onclick: run, ...extra }, sign);

/** Four corners of a frame; few fonts have a character for them. */
const corners = () =>
  h(
    "svg:svg",
    { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
    h("svg:path", {
      d: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.6,
    }),
  );

const zoomButtons = (zoom, light) =>
  h(
    "div.vp-zoom",
    {},
    iconButton("Smaller", "−", () => zoom.by(1 / 1.5)),
    iconButton("Larger", "+", () => zoom.by(1.5)),
    iconButton("Whole picture", "1:1", zoom.whole),
    iconButton("As large as the window (f)", corners(), light),
  );

/** The least score of a box as `node`; `allows(box)` says whether a box is above it. */
function scoreOf(change) {
  let least = 0;
  const output = h("output", {}, "0.00");
  const range = { type: "range", min: 0, max: 1, step: 0.05, value: 0 };
  const input = h("input", {
    ...range,
    "aria-label": "Least score of a box",
    oninput: () => {
      least = Number(input.value);
      output.value = least.toFixed(2);
      change();
    },
  });
  const node = h("label.vp-score", { hidden: true }, "score ≥ ", output, input);
  const hasScore = (one) => one.score !== null && !["receiver", "loop"].includes(one.role);
  return {
    node,
    allows: (one) => node.hidden || !hasScore(one) || one.score >= least,
    showFor(boxes) {
      node.hidden = !boxes.some(hasScore);
    },
  };
}

/**
 * Show a run in `element`.
 *
 * options  at          step to open at (the model's `start` if left out)
 *          load        (from, to) -> promise of full steps; not needed where model.full holds all
 *          variables   index -> promise of [{name, value}]; without it there is no list of them
 *          onMove      gets each step's index
 *          wrong       gets the step that is marked as the first wrong one; without it nothing can
 *                      be marked
 * Returns  {go, step, play, at(), last, keys, code, mark, show}: `keys` are rows [key, what it
 *          does, run], `code` the program's section, `mark(index)` shows the first wrong step,
 *          `show()` draws again after a change of size.
 */
export function mount(element, model, options = {}) {
  const { steps, folds, picture } = model;
  const last = steps.length - 1;
  const fullSteps = new Map((model.full ?? []).map((step, index) => [index, step]));
  const flags = { overlays: true, timed: false, differ: false, listing: false };
  let at = -1;
  let timer = null;
  let hot = null;
  let boxList = [];
  let looked = []; // which of several pictures the step looked at
  let wrong = null;

  // --- what is there

  const pick = (index) => {
    play(false);
    go(index);
  };
  const move = (offset) => pick(at + offset);
  const program = programOf(model, toLine);
  const seen = picturesOf(picture);
  const { stage, canvas } = seen;
  const zoom = zoomOf(stage, canvas, boxes);
  const fullSize = lightOf(stage, canvas, picture, { redraw: boxes, onKey: press });
  if (seen.isThere) stage.append(zoomButtons(zoom, fullSize.toggle));
  const strip = stripOf(model, { go, pick });
  const score = scoreOf(boxes);
  const detail = detailOf(picture, { point, scores: score.node });
  const rationale = model.told ? rationaleOf(model.told, picture, { pick, light }) : null;

  const toggle = (name, words, key) =>
    iconButton(`${words} (${key})`, words, () => flip(name), {
      "aria-pressed": String(flags[name]),
    });
  const toggles = {
    overlays: toggle("overlays", "boxes", "o"),
    timed: toggle("timed", "by time", "t"),
    differ: toggle("differ", "before", "d"),
    listing: options.variables && toggle("listing", "variables", "v"),
  };
  const previous = iconButton("Previous step (←)", "←", () => move(-1));
  const next = iconButton("Next step (→)", "→", () => move(1));
  const playButton = iconButton("Play (Space)", "▶", () => play());
  const count = h("span.vp-count", { "aria-live": "polite" });
  const scrub = h("input.vp-scrub", {
    type: "range",
    min: 0,
    max: Math.max(last, 0),
    step: 1,
    "aria-label": "Step",
    oninput: () => pick(Number(scrub.value)),
  });
  const controls = h(
    "div.vp-controls",
    {},
    previous,
    playButton,
    next,
    count,
    h("span.vp-toggles", {}, Object.values(toggles)),
  );
  element.classList.add("vpd-player");
  element.replaceChildren(
    program.node,
    h(
      "section.vp-picture",
      { "aria-label": "Picture and steps" },
      stage,
      controls,
      scrub,
      strip.node,
      rationale?.node,
    ),
    detail.node,
  );

  // --- moving

  /** Where the cursor is, in words: the round too, inside a loop. */
  function whereabouts() {
    const words = `Step ${at + 1} of ${steps.length}, line ${steps[at][1]}`;
    const fold = folds.find((one) => at >= one.from && at < one.to);
    const round = fold && fold.rounds.filter((one) => one <= at).length;
    return round ? `${words}, round ${round} of ${fold.rounds.length}` : words;
  }

  function go(index) {
    const to = Math.min(Math.max(Math.trunc(index) || 0, 0), last);
    if (last < 0 || to === at) return;
    at = to;
    const [kind, line] = steps[at];
    strip.moveTo(at);
    program.at(line, kind);
    scrub.value = at;
    previous.disabled = at === 0;
    next.disabled = at === last;
    count.textContent = whereabouts();
    scrub.setAttribute("aria-valuetext", count.textContent);
    hot = null;
    rationale?.moveTo(at);
    show();
    options.onMove?.(at);
  }

  /** The next time that a line runs, from here on and then from the beginning. */
  function toLine(line) {
    const indexes = steps.flatMap((step, index) => (step[1] === line ? [index] : []));
    if (indexes.length) pick(indexes.find((index) => index > at) ?? indexes[0]);
  }

  function tick() {
    if (at < last && element.isConnected) go(at + 1);
    else play(false);
  }

  function play(on = timer === null) {
    clearInterval(timer);
    timer = on && at < last ? setInterval(tick, FRAME) : null;
    playButton.textContent = timer ? "❚❚" : "▶";
    playButton.setAttribute("aria-label", timer ? "Stop (Space)" : "Play (Space)");
  }

  function flip(name) {
    flags[name] = !flags[name];
    toggles[name].setAttribute("aria-pressed", String(flags[name]));
    if (name === "timed") strip.byTime(flags.timed);
    show();
  }

  // --- this step

  async function full(index) {
    if (fullSteps.has(index) || !options.load) return fullSteps.get(index);
    const from = Math.floor(index / CHUNK) * CHUNK;
    const rows = await options.load(from, Math.min(from + CHUNK, steps.length));
    rows.forEach((step, offset) => fullSteps.set(from + offset, step));
    return fullSteps.get(index);
  }

  const variablesOf = (index) =>
    flags.listing && options.variables ? options.variables(index) : null;

  async function show() {
    const index = at;
    if (!fullSteps.has(index)) detail.node.classList.add("vp-waiting");
    try {
      const step = await full(index);
      const variables = await variablesOf(index);
      if (index !== at) return; // somebody went on
      ({ boxes: boxList, looked } = step ?? { boxes: [], looked: [] });
      const view = { boxes: boxList, variables, before: flags.differ, wrong: wrong === at };
      detail.show(step, view);
    } catch (error) {
      if (index === at) detail.fail(error.message);
    }
    detail.node.classList.remove("vp-waiting");
    boxes();
    // the neighbours ahead of time, so that the next key shows its step at once
    for (const near of [index + 1, index - 1]) if (steps[near]) full(near).catch(() => {});
  }

  function boxes() {
    if (!seen.isThere) return;
    score.showFor(boxList);
    seen.look(looked);
    seen.draw(flags.overlays ? boxList.filter(score.allows) : [], hot);
  }

  function point(patch) {
    hot = patch;
    boxes();
  }

  /** What the rationale points at; null: the step's own boxes again. */
  function light(target) {
    strip.cite(target?.steps ?? null);
    if (!target) boxes();
    else seen.draw(target.boxes);
  }

  function mark(index) {
    wrong = index;
    strip.mark(index);
    show();
  }

  /** Do what a key does; false where it does nothing. */
  function press(key) {
    const row = keys.find(([name]) => name === key);
    row?.[2]();
    return Boolean(row);
  }

  /** @type {[string, string, () => void][]} */
  const keys = [
    ["ArrowLeft", "step back", () => move(-1)],
    ["ArrowRight", "step on", () => move(1)],
    ["Home", "first step", () => pick(0)],
    ["End", "last step", () => pick(last)],
    [" ", "play or stop", () => play()],
    ["o", "boxes on the picture", () => flip("overlays")],
    ["d", "what variables held before", () => flip("differ")],
    ["t", "steps as wide as their time", () => flip("timed")],
    ["+", "larger picture", () => zoom.by(1.5)],
    ["-", "smaller picture", () => zoom.by(1 / 1.5)],
    ["0", "whole picture", () => zoom.whole()],
    ["f", "picture as large as the window", () => fullSize.toggle()],
  ];
  if (options.variables) keys.push(["v", "all variables", () => flip("listing")]);
  if (options.wrong) keys.push(["b", "mark the first wrong step", () => options.wrong(at)]);
  go(options.at ?? model.start);
  return { go, step: move, play, at: () => at, last, keys, code: program.node, mark, show: boxes };
}
