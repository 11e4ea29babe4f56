// The step player: program, picture, steps and rationale of one run under one cursor.  One plain module without imports, so
// that a page and a notebook mount the same thing.  `workbench/screen/player.py` says what the model holds.  All text goes in as text
// nodes: what a program, a tool or a model said is never markup.
const SVG = "http://www.w3.org/2000/svg";
const WINDOW = 160; // cells of the strip that exist at once
const CHUNK = 32; // full steps asked for at once
const SIGN = {
  result: "what the tool found",
  receiver: "what it looked at",
  variable: "what a variable holds",
};

function make(document, name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = tag.startsWith("svg:")
    ? document.createElementNS(SVG, tag.slice(4))
    : document.createElement(tag);
  if (classes.length) node.classList.add(...classes);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined && child !== false),
  );
  return node;
}

export const h = (name, properties, ...children) => make(document, name, properties, ...children);
const time = (ms) =>
  ms < 0.95 ? "under 1 ms" : ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

/** Draw boxes [{box: [x0, y0, x1, y1], label, role}] in pixels of the picture; `hot` names the patch to stress. */
export function draw(overlay, boxes, hot = null) {
  overlay.replaceChildren();
  const [, , width, height] = overlay.getAttribute("viewBox").split(" ").map(Number);
  const size = Math.max((12 * width) / (overlay.getBoundingClientRect().width || width), 1);
  const few = boxes.filter((one) => one.label).length <= 24;
  for (const one of [...boxes].sort((a, b) => (a.patch === hot) - (b.patch === hot))) {
    const [x0, y0, x1, y1] = one.box;
    const isHot = hot !== null && one.patch === hot;
    const place = {
      x: x0,
      y: y0,
      width: Math.max(x1 - x0, 1),
      height: Math.max(y1 - y0, 1),
      rx: size / 4,
    };
    overlay.append(
      h("svg:rect.halo", place),
      h(`svg:rect.${one.role}${isHot ? ".hot" : ""}`, place),
    );
    if (!one.label || !(few || isHot)) continue;
    const wide = (one.label.length * 0.6 + 0.9) * size;
    const tagX = Math.max(Math.min(x0, width - wide), 0);
    const top =
      y0 >= size * 1.6 ? y0 - size * 1.55 : Math.min(y0 + size * 0.2, height - size * 1.5);
    overlay.append(
      h("svg:rect.tag", { x: tagX, y: top, width: wide, height: size * 1.45, rx: size / 4 }),
    );
    overlay.append(
      h("svg:text", { x: tagX + size * 0.45, y: top + size * 1.07, "font-size": size }, one.label),
    );
  }
}

/** Scroll the holder, never the page, so that a child is seen. */
function inView(holder, child, [scroll, edge, extent, room]) {
  const from = holder.getBoundingClientRect();
  const at = child.getBoundingClientRect();
  const start = at[edge] - from[edge] + holder[scroll];
  if (holder[scroll] > start || holder[scroll] + holder[room] < start + at[extent]) {
    holder[scroll] = start - (holder[room] - at[extent]) / 2;
  }
}
const DOWN = ["scrollTop", "top", "height", "clientHeight"];
const ALONG = ["scrollLeft", "left", "width", "clientWidth"];

/**
 * Show a run in `element`.
 *
 * options  at          step to open at (the model's `start` if left out)
 *          load        (from, to) -> promise of full steps; not needed where model.full holds them all
 *          variables   index -> promise of [{name, value}]; without it there is no list of variables
 *          moved       told of each step's index
 *          wrong       told of the step marked as the first wrong one; without it nothing can be marked
 * Returns  {go, step, play, at(), last, keys, code, mark, show}: `keys` are rows [key, what it does, run], `code` the
 *          program's section, `mark(index)` shows the first wrong step, `show()` draws again after a change of size.
 */
export function mount(element, model, options = {}) {
  const { steps, folds, picture } = model;
  const last = steps.length - 1;
  const longest = steps.reduce((most, step) => Math.max(most, step[4]), 0);
  const fullSteps = new Map((model.full ?? []).map((step, index) => [index, step]));
  const open = new Set();
  let at = -1;
  let timer = null;
  let hot = null;
  let boxList = [];
  let items = [];
  let cells = new Map();
  let wrong = null;
  let overlays = true;
  let byTime = false;
  let differ = false;
  let withVariables = false;
  let least = 0;
  let zoom = 1;
  let pan = [0, 0];

  // --- what is there

  const lines = model.source.map((words, index) => {
    const indent =
      words
        .map(([, text]) => text)
        .join("")
        .search(/\S|$/) + 2;
    const text = h(
      "span",
      {},
      words.map(([kind, piece]) => (kind ? h(`span.${kind}`, {}, piece) : piece)),
    );
    text.style.paddingLeft = `${indent}ch`; // a wrapped line hangs below its own indentation
    text.style.textIndent = `-${indent}ch`;
    const times = model.ran[index + 1] ?? 0;
    const line = h(
      times ? "li.ran" : "li.never",
      { title: times > 1 ? `ran ${times} times` : null, onclick: () => toLine(index + 1) },
      text,
    );
    if (times > 1) line.append(h("small", {}, `×${times}`));
    return line;
  });
  const list = h(
    "div.vp-lines",
    { tabindex: 0, role: "region", "aria-label": "Program" },
    h("ol", {}, lines),
  );
  const code = h(
    "section.vp-code",
    { "aria-label": "Program" },
    h("header", {}, h("h2", {}, "Program")),
    list,
  );

  const overlay = h("svg:svg.vp-overlay", {
    viewBox: `0 0 ${picture.width} ${picture.height}`,
    "aria-hidden": "true",
  });
  const canvas = h(
    "div.vp-canvas",
    {},
    picture.url &&
      h("img", {
        src: picture.url,
        alt: "The picture asked about",
        width: picture.width,
        height: picture.height,
        draggable: "false",
      }),
    picture.url && overlay,
  );
  const zoomer = h(
    "div.vp-zoom",
    {},
    [
      ["−", "Smaller", () => zoomTo(zoom / 1.5)],
      ["+", "Larger", () => zoomTo(zoom * 1.5)],
      ["1:1", "Whole picture", () => zoomTo(1)],
    ].map(([sign, name, run]) =>
      h("button", { type: "button", "aria-label": name, title: name, onclick: run }, sign),
    ),
  );
  const stage = h(
    "figure.vp-stage",
    {},
    canvas,
    picture.url ? zoomer : h("p.vp-missing", {}, picture.problem || "There is no picture."),
  );
  const showMissing = () =>
    stage.replaceChildren(
      h("p.vp-missing", {}, `The picture ${picture.image ?? picture.url} could not be loaded.`),
    );
  canvas.querySelector("img")?.addEventListener("error", showMissing);

  const button = (name, sign, run, extra = {}) =>
    h("button", { type: "button", "aria-label": name, title: name, onclick: run, ...extra }, sign);
  const toggle = (name, key, run, on = false) =>
    button(`${name} (${key})`, name, run, { "aria-pressed": String(on) });
  const previous = button("Previous step (←)", "←", () => move(-1));
  const next = button("Next step (→)", "→", () => move(1));
  const playButton = button("Play (Space)", "▶", () => play());
  const count = h("span.vp-count", { "aria-live": "polite" });
  const toggles = {
    overlays: toggle("boxes", "o", () => flip("overlays"), true),
    timed: toggle("by time", "t", () => flip("timed")),
    differ: toggle("before", "d", () => flip("differ")),
    listing: options.variables && toggle("variables", "v", () => flip("listing")),
  };
  const scores = h(
    "label.vp-score",
    { hidden: true },
    "score ≥ ",
    h("output", {}, "0.00"),
    h("input", {
      type: "range",
      min: 0,
      max: 1,
      step: 0.05,
      value: 0,
      "aria-label": "Least score of a box",
      oninput: (event) => {
        least = Number(event.target.value);
        scores.children[0].value = least.toFixed(2);
        boxes();
      },
    }),
  );
  const scrub = h("input.vp-scrub", {
    type: "range",
    min: 0,
    max: Math.max(last, 0),
    step: 1,
    "aria-label": "Step",
    oninput: () => {
      play(false);
      go(Number(scrub.value));
    },
  });
  const strip = h("div.vp-strip", { role: "group", "aria-label": "Steps" });
  const controls = h(
    "div.vp-controls",
    {},
    previous,
    playButton,
    next,
    count,
    h("span.vp-toggles", {}, Object.values(toggles)),
  );
  const story = model.told ? rationale(model.told) : null;
  const panel = h("section.vp-step", { "aria-label": "This step" });
  element.classList.add("vpd-player");
  element.replaceChildren(
    code,
    h(
      "section.vp-picture",
      { "aria-label": "Picture and steps" },
      stage,
      controls,
      scrub,
      strip,
      story,
    ),
    panel,
  );

  // --- the strip

  /** What the strip holds: steps, and loops that are folded or opened. */
  function lay() {
    items = [];
    let index = 0;
    for (const fold of [...folds, null]) {
      while (index < (fold?.from ?? steps.length)) items.push({ index: index++ });
      if (!fold) break;
      items.push({ fold });
      if (isOpen(fold)) while (index < fold.to) items.push({ index: index++ });
      index = fold.to;
    }
  }

  const isOpen = (fold) => open.has(fold) || (at >= fold.from && at < fold.to);

  function fill() {
    const here = Math.max(
      items.findIndex((item) => item.index === at),
      0,
    );
    const from = Math.max(0, Math.min(here - WINDOW / 2, items.length - WINDOW));
    const inside = folds.find(
      (fold) => items[from]?.index >= fold.from && items[from].index < fold.to,
    ); // its head is cut off
    cells = new Map();
    strip.replaceChildren(
      ...[...(inside ? [{ fold: inside }] : []), ...items.slice(from, from + WINDOW)].map(
        (item) => {
          const node = item.fold ? foldCell(item.fold) : cell(item.index);
          if (!item.fold) cells.set(item.index, node);
          return node;
        },
      ),
    );
    mark(wrong);
  }

  function foldCell(fold) {
    const on = isOpen(fold);
    return h(
      "button.vp-fold",
      {
        type: "button",
        "aria-expanded": String(on),
        title: `loop in line ${fold.line}, ${fold.rounds.length} rounds`,
        onclick: () => {
          const inside = at >= fold.from && at < fold.to;
          if (on) open.delete(fold);
          else open.add(fold);
          if (on && inside) go(Math.max(fold.from - 1, 0));
          else if (!on) go(fold.from);
          lay();
          fill();
          reveal();
        },
      },
      h("strong", {}, `${on ? "▾" : "▸"} ×${fold.rounds.length}`),
      h("span", {}, `line ${fold.line}`),
    );
  }

  function cell(index) {
    const [kind, line, title, short, ms, fromCache] = steps[index];
    const words = `line ${line}: ${title}${short ? ` → ${short}` : ""}`;
    const node = h(`button.vp-${kind}`, {
      type: "button",
      title: words,
      "aria-label": `Step ${index + 1}, ${words}`,
      onclick: () => {
        play(false);
        go(index);
      },
    });
    if (kind === "tick") node.append(String(line));
    else node.append(h("strong", {}, title), h("span", {}, short));
    if (kind === "tool" && longest > 0) {
      const bar = h(
        "svg:svg",
        { viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
        h("svg:rect", { width: Math.max((100 * ms) / longest, 1), height: 4 }),
      );
      node.append(bar);
    }
    if (fromCache) node.classList.add("vp-cached");
    if (byTime) node.style.width = `${Math.max(22, Math.round((360 * ms) / (longest || 1)))}px`;
    return node;
  }

  function reveal() {
    const node = cells.get(at);
    if (!node) return;
    for (const one of strip.querySelectorAll("[aria-current]")) one.removeAttribute("aria-current");
    node.setAttribute("aria-current", "step");
    inView(strip, node, ALONG);
  }

  // --- moving

  function go(index) {
    const to = Math.min(Math.max(Math.trunc(index) || 0, 0), last);
    if (last < 0 || to === at) return;
    const before = folds.filter(isOpen);
    if (at >= 0) lines[steps[at][1] - 1]?.classList.remove("now", "failed");
    at = to;
    const [kind, line] = steps[at];
    const after = folds.filter(isOpen);
    if (
      before.length !== after.length ||
      before.some((fold) => !after.includes(fold)) ||
      !items.length
    ) {
      lay();
      fill();
    }
    if (
      ![at - 1, at, at + 1].every(
        (one) =>
          one < 0 || one > last || cells.has(one) || !items.some((item) => item.index === one),
      )
    ) {
      fill();
    }
    const shownLine = lines[line - 1];
    shownLine?.classList.add(kind === "error" ? "failed" : "now");
    if (shownLine) inView(list, shownLine, DOWN);
    reveal();
    scrub.value = at;
    previous.disabled = at === 0;
    next.disabled = at === last;
    const fold = folds.find((one) => at >= one.from && at < one.to);
    const round = fold && fold.rounds.filter((one) => one <= at).length;
    const where = `Step ${at + 1} of ${steps.length}, line ${line}${round ? `, round ${round} of ${fold.rounds.length}` : ""}`;
    scrub.setAttribute("aria-valuetext", where);
    count.textContent = where;
    hot = null;
    story?.sentences.forEach((node, place) =>
      node.classList.toggle("here", model.told.sentences[place].steps.includes(at)),
    );
    show();
    options.moved?.(at);
  }

  const move = (offset) => {
    play(false);
    go(at + offset);
  };

  /** The next time that a line runs, from here on and then from the beginning. */
  function toLine(line) {
    const indexes = steps.flatMap((step, index) => (step[1] === line ? [index] : []));
    if (indexes.length) {
      play(false);
      go(indexes.find((index) => index > at) ?? indexes[0]);
    }
  }

  function play(on = timer === null) {
    clearInterval(timer);
    timer =
      on && at < last
        ? setInterval(() => (at < last && element.isConnected ? go(at + 1) : play(false)), 900)
        : null;
    playButton.textContent = timer ? "❚❚" : "▶";
    playButton.setAttribute("aria-label", timer ? "Stop (Space)" : "Play (Space)");
  }

  function flip(name) {
    const on = toggles[name].getAttribute("aria-pressed") !== "true";
    toggles[name].setAttribute("aria-pressed", String(on));
    if (name === "overlays") overlays = on;
    if (name === "timed") {
      byTime = on;
      strip.classList.toggle("vp-timed", on);
      fill();
      reveal();
    }
    if (name === "differ") differ = on;
    if (name === "listing") withVariables = on;
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

  async function show() {
    const index = at;
    if (!fullSteps.has(index)) panel.classList.add("vp-waiting");
    try {
      const step = await full(index);
      const variables = withVariables && options.variables ? await options.variables(index) : null;
      if (index !== at) return; // somebody went on
      boxList = step?.boxes ?? [];
      detail(step, variables);
    } catch (error) {
      if (index === at) panel.replaceChildren(h("p.vp-bad", {}, error.message));
    }
    panel.classList.remove("vp-waiting");
    boxes();
    for (const near of [index + 1, index - 1]) if (steps[near]) full(near).catch(() => {}); // the neighbours, ahead of time
  }

  function boxes() {
    if (!picture.url) return;
    scores.hidden = !boxList.some((one) => one.score !== null && one.role !== "receiver");
    const passes = (one) =>
      one.score === null || scores.hidden || one.score >= least || one.role === "receiver";
    draw(overlay, overlays ? boxList.filter(passes) : [], hot);
  }

  const point = (patch) => {
    hot = patch;
    boxes();
  };

  /** Text in which patches that have a box on the picture can be pointed at. */
  function value(pieces, tag = "dd") {
    return h(
      tag,
      {},
      pieces.map((piece) => {
        if (piece.patch === undefined) return piece.text;
        const box = boxList.some((one) => one.patch === piece.patch);
        return h(
          `span.vp-patch${box ? ".vp-on" : ""}`,
          {
            tabindex: box ? 0 : null,
            onmouseenter: () => point(piece.patch),
            onmouseleave: () => point(null),
            onfocus: () => point(piece.patch),
            onblur: () => point(null),
          },
          piece.text,
        );
      }),
    );
  }

  const block = (title, ...nodes) => h("div", {}, h("h4", {}, title), nodes);
  const pairs = (title, rows) =>
    block(
      title,
      h(
        "dl",
        {},
        rows.map((row) =>
          h(
            "div",
            {},
            h("dt", {}, row.name),
            differ && row.before
              ? [h("dd.vp-was", {}, row.before.map((piece) => piece.text).join(""))]
              : null,
            value(row.value),
          ),
        ),
      ),
    );

  /** The part of the picture inside a box, beside its name: where a crop came from is one look away. */
  function crop(one) {
    const [x0, y0, x1, y1] = one.box;
    const image = h("svg:image", {
      href: picture.url,
      width: picture.width,
      height: picture.height,
    });
    const view = h(
      "svg:svg",
      {
        viewBox: `${x0} ${y0} ${Math.max(x1 - x0, 1)} ${Math.max(y1 - y0, 1)}`,
        "aria-hidden": "true",
      },
      image,
    );
    return h(
      `button.vp-crop.${one.role}`,
      {
        type: "button",
        title: SIGN[one.role],
        onmouseenter: () => point(one.patch),
        onmouseleave: () => point(null),
        onfocus: () => point(one.patch),
        onblur: () => point(null),
      },
      view,
      h("span", {}, one.label),
      one.score === null ? null : h("small", {}, one.score.toFixed(2)),
    );
  }

  function detail(step, variables) {
    if (!step) return;
    const raw = h("details", {}, h("summary", {}, "As recorded"));
    raw.addEventListener("toggle", () => {
      if (raw.open && raw.children.length === 1) {
        raw.append(h("pre", {}, JSON.stringify(step.raw, null, 2)));
      }
    });
    panel.replaceChildren(
      h(
        "header",
        {},
        h("h3", {}, step.heading),
        step.facts.map((fact) => h("span.vp-fact", {}, fact)),
      ),
      ...[
        wrong === at && h("p.vp-bad", {}, "Marked as the first wrong step."),
        step.arguments.length && pairs("Asked with", step.arguments),
        step.result &&
          h("div.vp-out", {}, h("h4", {}, "Answer"), value(step.result, "div.vp-value")),
        step.error && h("div.vp-out.vp-bad", {}, step.error),
        step.changed.length && pairs("Variables that changed", step.changed),
        step.text && block(step.textTitle, h("pre", {}, step.text)),
        picture.url &&
          boxList.length &&
          block(
            "On the picture",
            scores,
            h(
              "div.vp-crops",
              {},
              boxList.slice(0, 12).map(crop),
              boxList.length > 12 && h("span.vp-fact", {}, `and ${boxList.length - 12} more`),
            ),
          ),
        variables &&
          pairs(
            `Variables behind this step`,
            variables.map((one) => ({ ...one, before: null })),
          ),
        variables && !variables.length && h("p.vp-fact", {}, "No variable holds anything yet."),
        raw,
      ].filter(Boolean),
    );
  }

  // --- the rationale

  function rationale(view) {
    const box = ([ymin, xmin, ymax, xmax]) => [
      (xmin / 999) * picture.width,
      (ymin / 999) * picture.height,
      (xmax / 999) * picture.width,
      (ymax / 999) * picture.height,
    ];
    const boxesOf = (sentence) =>
      sentence.pieces
        .filter((piece) => piece.box)
        .map((piece) => ({
          box: box(piece.box),
          label: "",
          role: "result",
          score: null,
          patch: piece.text,
        }));
    const light = (sentence, only = null) => {
      for (const index of sentence?.steps ?? []) cells.get(index)?.classList.add("vp-cited");
      if (!sentence) {
        for (const node of strip.querySelectorAll(".vp-cited")) node.classList.remove("vp-cited");
      }
      if (picture.url) {
        sentence
          ? draw(
              overlay,
              only ? boxesOf(sentence).filter((one) => one.patch === only) : boxesOf(sentence),
            )
          : boxes();
      }
    };
    const sentences = view.sentences.map((sentence) =>
      h(
        sentence.supported ? "span.vp-sentence" : "span.vp-sentence.vp-unsupported",
        {
          title: sentence.supported ? null : "Nothing in the trace supports this sentence",
          onmouseenter: () => light(sentence),
          onmouseleave: () => light(null),
        },
        sentence.pieces.map((piece) =>
          piece.box
            ? h(
                "button.vp-where",
                {
                  type: "button",
                  title: "Show this box",
                  onmouseenter: () => light(sentence, piece.text),
                  onfocus: () => light(sentence, piece.text),
                  onblur: () => light(null),
                },
                piece.text,
              )
            : piece.text,
        ),
        sentence.steps.map((index) =>
          h(
            "sup",
            {},
            h(
              "button.vp-cite",
              {
                type: "button",
                title: `Step ${index + 1}`,
                "aria-label": `Step ${index + 1}`,
                onclick: () => {
                  play(false);
                  go(index);
                },
              },
              String(index + 1),
            ),
          ),
        ),
        " ",
      ),
    );
    const foot = view.issues.length
      ? h("span.vp-bad", {}, `Not faithful to its trace: ${view.issues.join("; ")}.`)
      : "Every number, name and box in it occurs in the trace.";
    return Object.assign(
      h(
        "section.vp-told",
        { "aria-label": "Rationale" },
        h("p", {}, sentences),
        h("p.vp-foot", {}, `Written by ${view.writer}. `, foot),
      ),
      { sentences },
    );
  }

  // --- zoom and pan

  function place() {
    const limit = (zoom - 1) / 2;
    pan = pan.map((part) => Math.min(Math.max(part, -limit), limit));
    canvas.style.transform =
      zoom === 1 ? "" : `translate(${100 * pan[0]}%, ${100 * pan[1]}%) scale(${zoom})`;
    stage.classList.toggle("vp-zoomed", zoom > 1);
  }
  function zoomTo(scale) {
    zoom = Math.min(Math.max(scale, 1), 8);
    if (zoom < 1.05) zoom = 1;
    place();
    boxes();
  }
  stage.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey) {
        event.preventDefault();
        zoomTo(zoom * (event.deltaY < 0 ? 1.2 : 1 / 1.2));
      }
    },
    { passive: false },
  );
  stage.addEventListener("dblclick", (event) => {
    if (!event.target.closest("button")) zoomTo(zoom > 1 ? 1 : 2);
  });
  canvas.addEventListener("pointerdown", (event) => {
    if (zoom === 1) return;
    canvas.setPointerCapture(event.pointerId);
    const drag = (to) => {
      pan = [pan[0] + to.movementX / stage.clientWidth, pan[1] + to.movementY / stage.clientHeight];
      place();
    };
    canvas.addEventListener("pointermove", drag);
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => canvas.removeEventListener("pointermove", drag), {
        once: true,
      });
    }
  });

  function mark(index) {
    wrong = index;
    for (const node of strip.querySelectorAll(".vp-wrong")) node.classList.remove("vp-wrong");
    if (index !== null) cells.get(index)?.classList.add("vp-wrong");
  }

  const keys = [
    ["ArrowLeft", "step back", () => move(-1)],
    ["ArrowRight", "step on", () => move(1)],
    [
      "Home",
      "first step",
      () => {
        play(false);
        go(0);
      },
    ],
    [
      "End",
      "last step",
      () => {
        play(false);
        go(last);
      },
    ],
    [" ", "play or stop", () => play()],
    ["o", "boxes on the picture", () => flip("overlays")],
    ["d", "what variables held before", () => flip("differ")],
    ["t", "steps as wide as their time", () => flip("timed")],
    ["+", "larger picture", () => zoomTo(zoom * 1.5)],
    ["-", "smaller picture", () => zoomTo(zoom / 1.5)],
    ["0", "whole picture", () => zoomTo(1)],
    ...(options.variables ? [["v", "all variables", () => flip("listing")]] : []),
    ...(options.wrong ? [["b", "mark the first wrong step", () => options.wrong(at)]] : []),
  ];
  go(options.at ?? model.start);
  return {
    go,
    step: move,
    play,
    at: () => at,
    last,
    keys,
    code,
    mark: (index) => {
      mark(index);
      show();
    },
    show: boxes,
  };
}
