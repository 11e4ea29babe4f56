// One column of Compare: what a side says while it says it.  Text goes in as text nodes only.
import { draw } from "./player_boxes.js";
import { duration, h, svg, verdict, visible } from "./dom.js";

/** @typedef {import("../js/types").LiveStep} LiveStep */
/** @typedef {import("../js/types").EndNews} EndNews */
/** @typedef {import("../js/types").Message<"answer">[string][number]} News */
/** @typedef {import("../js/types").ComparePicture} ComparePicture */

const NO_ANSWER = "no answer yet";

/** @param {LiveStep} step */
function cellWords(step) {
  const result = step.short ? ` → ${step.short}` : "";
  const time = step.ms >= 1 ? `, ${duration(step.ms)}` : "";
  return `line ${step.line}: ${step.title}${result}${time}`;
}

/** @param {LiveStep} step */
function cellContent(step) {
  if (step.kind === "tick") return step.line;
  const open = step.kind === "tool" ? "asking…" : "";
  return [h("strong", {}, step.title), h("span", {}, step.short || open)];
}

/** An answer of no letters is an answer too; null is none. */
function answerWords(text) {
  if (text === null) return "–";
  return text === "" ? "(empty)" : text;
}

/** @param {EndNews} event */
function endWords(event) {
  if (event.cancelled) return "cancelled";
  return event.failure ? "failed" : "done";
}

/** @param {EndNews} event */
function markOf({ right, gold }) {
  if (right === null || right === undefined) return [];
  return [verdict(right ? "right" : "wrong", gold.length ? `label: ${gold[0]}` : "")];
}

/** @param {EndNews} event */
function signOf({ right }) {
  if (right === null || right === undefined) return [];
  return [
    h(
      `span.${right ? "right" : "wrong"}`,
      { title: right ? "right" : "wrong" },
      right ? " ✓" : " ✗",
    ),
  ];
}

/** @param {EndNews["failure"]} failure */
function troubleOf({ kind, message, line }) {
  const name = kind && kind !== "infra" ? kind.replaceAll("_", " ") : "it broke";
  return [h("b", {}, `${name}${line ? `, line ${line}` : ""}: `), message];
}

/** @param {EndNews["times"]} t */
function timeRows(t) {
  return [
    t.wait >= 0.05 && ["queue", duration(t.wait * 1000)],
    t.cold && ["loading", duration(t.load * 1000)],
    t.first !== null && ["first token", duration(t.first * 1000)],
    t.answer !== null && ["answer", duration(t.answer * 1000)],
    ["total", duration(t.total * 1000)],
    ["peak memory", `${(t.peak_bytes / 2 ** 20).toFixed(0)} MiB`],
    [t.cold ? "cold start" : "warm", "", t.cold ? "cold" : ""],
  ];
}

/** A column for one side; `cancel` is called by its button. */
export function column(side, title, cancel) {
  const part = {
    title: h("h2", {}, title),
    origin: h("p.origin", { hidden: true }),
    version: h("span.version"),
    state: h("span.chip.state", {}, "ready"),
    stop: h(
      "button.button.small",
      { type: "button", hidden: true, onclick: cancel, "aria-label": `Cancel ${title}` },
      "Cancel",
    ),
    answer: h("output.waiting", {}, NO_ANSWER),
    mark: h("span"),
    times: h("dl.times", { "aria-label": "Times" }),
    image: h("img", { alt: "The picture asked about" }),
    overlay: svg("svg.vp-overlay", { viewBox: "0 0 4 3", "aria-hidden": "true" }),
    cells: h("ol.cells", { "aria-label": "Steps" }),
    code: h("ol.program", { tabindex: "0", "aria-label": "Program" }),
    says: h("p.says", { "aria-live": "off" }),
    trouble: h("p.trouble", { hidden: true }),
    tileName: h("span.name", {}, title),
    tileState: h("span.doing", {}, "ready"),
    tileAnswer: h("b"),
  };
  const stage = h("figure.stage", { hidden: true }, part.image, part.overlay);
  const program = side === "pipeline";
  const work = program ? "writes a program" : "answers";
  const detail = program
    ? [
        h("div", {}, h("h3", {}, "Steps"), part.cells),
        h("div", {}, h("h3", {}, "Program"), part.code),
      ]
    : [h("div", {}, h("h3", {}, "Rationale"), part.says)];
  const inner = h(
    "div.body",
    {},
    h("div.answer", {}, part.answer, part.mark),
    part.times,
    part.trouble,
    stage,
    h("div.detail", {}, detail),
  );
  const node = h(
    `article.card.side.${side}`,
    { "aria-label": title, dataset: { side } },
    h("header", {}, part.title, part.version, part.state, part.stop),
    part.origin,
    inner,
  );
  // the answer at a glance, where the columns stand below each other
  const tile = h(
    "button.tile",
    { type: "button", onclick: () => node.scrollIntoView({ block: "start" }) },
    part.tileName,
    part.tileState,
    part.tileAnswer,
  );
  /** @type {LiveStep[]} */
  let steps = [];
  /** @type {import("../js/types").TextBox[]} */
  let boxes = [];
  let rationale = "";
  let at = -1;
  let follow = true;
  let since = 0;
  let timer = null;
  const self = { side, node, tile, done: /** @type {EndNews} */ (null), busy: false };

  const show = (list, hot = null) => draw(part.overlay, list, hot);
  const say = (words, busy = self.busy) => {
    part.state.textContent = words;
    part.tileState.textContent = words;
    tile.classList.toggle("busy", busy);
    part.state.classList.toggle("busy", busy);
    part.state.classList.toggle("failed", words === "failed");
  };

  self.name = (words, model = "") => {
    part.title.textContent = words;
    part.origin.textContent = visible(model);
    part.tileName.textContent = words;
    node.setAttribute("aria-label", words);
    part.stop.setAttribute("aria-label", `Cancel ${words}`);
  };
  /** Without names nothing may tell which side this is. */
  self.hide = (hidden) => {
    node.querySelector(".detail").hidden = hidden;
    part.version.hidden = hidden;
    part.origin.hidden = hidden || !part.origin.textContent;
    part.times.hidden = hidden;
    part.overlay.toggleAttribute("hidden", hidden);
  };

  /** @param {ComparePicture} picture */
  self.picture = (picture) => {
    stage.hidden = !picture;
    if (!picture) return;
    stage.style.setProperty("--ratio", picture.width / picture.height);
    part.image.src = picture.url;
    part.image.width = picture.width;
    part.image.height = picture.height;
    part.overlay.setAttribute("viewBox", `0 0 ${picture.width} ${picture.height}`);
  };

  self.clear = () => {
    steps = [];
    boxes = [];
    rationale = "";
    at = -1;
    follow = true;
    self.done = null;
    part.answer.textContent = NO_ANSWER;
    part.tileAnswer.replaceChildren();
    part.answer.classList.add("waiting");
    for (const one of [part.mark, part.times, part.cells, part.code, part.says, part.version]) {
      one.replaceChildren();
    }
    part.trouble.hidden = true;
    show([]);
    say("ready", false);
  };

  self.begin = () => {
    self.clear();
    self.busy = true;
    part.stop.hidden = false;
    since = performance.now();
    say("asked");
    clearInterval(timer);
    timer = setInterval(() => times([["so far", duration(performance.now() - since)]]), 200);
  };

  /** @param {News[]} events */
  self.take = (events) => {
    for (const event of events) take(event);
  };

  self.fail = (words) => {
    takers.finished({
      kind: "finished",
      answer: null,
      form: null,
      right: null,
      failure: { kind: "infra", message: words, line: null },
      cancelled: false,
      times: null,
      gold: [],
      version: "",
      steps: null,
      rationale: "",
      problem: "",
    });
  };

  function times(rows) {
    part.times.replaceChildren(
      ...rows
        .filter(Boolean)
        .map(([name, value, kind]) =>
          h("div", {}, h("dt", {}, name), h(`dd${kind ? `.${kind}` : ""}`, {}, value)),
        ),
    );
  }

  function answer(text) {
    part.answer.classList.remove("waiting");
    part.answer.textContent = visible(text);
    part.tileAnswer.textContent = visible(text);
  }

  /**
   * @param {number} from
   * @param {import("../js/types").CodeNews["lines"]} lines
   */
  function code(from, lines) {
    const rows = lines.map((words) =>
      h(
        "li",
        {},
        h(
          "span",
          {},
          words.map(([kind, text]) => (kind ? h(`span.${kind}`, {}, text) : text)),
        ),
      ),
    );
    [...part.code.children].slice(from).forEach((row) => row.remove());
    part.code.append(...rows);
    part.code.scrollTop = part.code.scrollHeight;
  }

  function go(index) {
    if (!steps[index]) return;
    at = index;
    [...part.cells.children].forEach((cell, i) => {
      if (i === at) cell.firstChild.setAttribute("aria-current", "step");
      else cell.firstChild.removeAttribute("aria-current");
    });
    [...part.code.children].forEach((line, i) => {
      line.classList.toggle("now", i + 1 === steps[at].line && steps[at].kind !== "error");
      line.classList.toggle("failed", i + 1 === steps[at].line && steps[at].kind === "error");
    });
    const cell = part.cells.children[at];
    if (cell) {
      part.cells.scrollLeft =
        cell.offsetLeft - part.cells.offsetLeft - part.cells.clientWidth / 2 + cell.offsetWidth / 2;
    }
    show(steps[at].boxes);
  }

  /**
   * @param {number} from
   * @param {LiveStep[]} fresh
   */
  function cells(from, fresh) {
    steps = [...steps.slice(0, from), ...fresh];
    [...part.cells.children].slice(from).forEach((cell) => cell.remove());
    fresh.forEach((step, offset) => {
      const words = cellWords(step);
      const inside = cellContent(step);
      part.cells.append(
        h(
          "li",
          {},
          h(
            `button.${step.kind}`,
            {
              type: "button",
              title: words,
              "aria-label": words,
              onclick: () => {
                follow = false;
                go(from + offset);
              },
            },
            inside,
          ),
        ),
      );
    });
    const lastBox = steps.findLastIndex((step) => step.boxes.length || step.kind === "error");
    if (follow) go(self.busy || lastBox < 0 ? steps.length - 1 : lastBox);
    if (follow && !steps[at]?.boxes.length && lastBox >= 0) show(steps[lastBox].boxes);
  }

  function drawRationale() {
    const pieces = [];
    let end = 0;
    boxes.forEach((one, index) => {
      const only = [{ box: one.box, label: "", role: "result" }];
      pieces.push(
        rationale.slice(end, one.start),
        h(
          "button.where",
          {
            type: "button",
            title: "Show this box alone",
            onmouseenter: () => show(only),
            onfocus: () => show(only),
            onmouseleave: all,
            onblur: all,
            dataset: { box: index },
          },
          rationale.slice(one.start, one.end),
        ),
      );
      end = one.end;
    });
    part.says.replaceChildren(...pieces, rationale.slice(end));
  }

  const all = () =>
    show(
      boxes.map((one, index) => ({
        box: one.box,
        label: boxes.length > 1 ? String(index + 1) : "",
        role: "result",
      })),
    );

  /** @type {{[Kind in News["kind"]]: (event: Extract<News, {kind: Kind}>) => void}} */
  const takers = {
    queued: ({ ahead }) => say(ahead ? `waits behind ${ahead}` : "next"),
    started: ({ cold }) => say(cold ? "loading models" : work),
    said: ({ part: where, text }) => {
      if (where === "answer") {
        answer((part.answer.classList.contains("waiting") ? "" : part.answer.textContent) + text);
        say("answers");
        return;
      }
      rationale += text;
      say("explains");
      part.says.classList.add("writing");
      drawRationale();
    },
    code: ({ from, lines }) => {
      code(from, lines);
      part.code.classList.add("writing-code");
      say("writes a program");
    },
    wrote: () => say("runs it"),
    steps: ({ from, steps: fresh }) => {
      cells(from, fresh);
      say(`step ${steps.length}`);
    },
    boxes: ({ boxes: list }) => {
      boxes = list;
      drawRationale();
      all();
    },
    finished: (event) => {
      self.busy = false;
      self.done = event;
      clearInterval(timer);
      part.stop.hidden = true;
      part.says.classList.remove("writing");
      showRationale(event);
      if (steps.length && follow) cells(steps.length, []);
      part.version.textContent = event.version ?? "";
      part.version.title = event.version ?? "";
      answer(answerWords(event.answer));
      part.mark.replaceChildren(...markOf(event));
      part.tileAnswer.append(...signOf(event));
      part.trouble.hidden = !event.failure && !event.problem;
      if (event.problem) part.trouble.replaceChildren(event.problem);
      if (event.failure) part.trouble.replaceChildren(...troubleOf(event.failure));
      say(endWords(event));
      times(event.times ? timeRows(event.times) : []);
      part.times.querySelectorAll("div").forEach((row) => {
        if (row.firstChild.textContent === "cold start") row.firstChild.classList.add("cold");
      });
    },
  };

  /**
   * @template {News["kind"]} Kind
   * @param {Extract<News, {kind: Kind}>} event
   */
  function take(event) {
    /** @type {(event: Extract<News, {kind: Kind}>) => void} */
    const taker = takers[/** @type {Kind} */ (event.kind)];
    taker?.(event);
  }

  /** @param {EndNews} event */
  function showRationale(event) {
    if (event.rationale) {
      rationale = event.rationale;
      drawRationale();
    }
    if (!program && !rationale && event.answer !== null) {
      part.says.replaceChildren(h("span.none", {}, "It gave no rationale."));
    }
  }

  addEventListener("resize", () => {
    if (program) {
      if (at >= 0) show(steps[at].boxes);
    } else all();
  });
  return self;
}
