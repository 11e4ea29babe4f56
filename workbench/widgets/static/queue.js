import { h } from "../../screen/static/player_elements.js";
import { ask, follow, frame, help, takeKeys, put, sign } from "./common.js";
import { traitPlayer } from "./playing.js";

const newId = () =>
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
const button = (name, key, run, main = "") =>
  h(`button.vw-button${main}`, { type: "button", onclick: run }, `${name} `, h("kbd", {}, key));

function render({ model, el }) {
  const node = frame(el, "Questions to decide");
  const desk = h("div.vw-desk");
  const place = h("div");
  const empty = h("p");
  const problem = h("p.vw-banner.vw-bad", { role: "status", hidden: true });
  const view = traitPlayer(model, place, {
    wrong: (step) => send("wrong", { step }),
    onDraw: hideChecks,
  });
  let reasonsOpen = false;
  let wordingOpen = false;
  let noteOpen = false;
  let request = null;
  let waiting = []; // keys pressed while a decision is saved: they are for what comes next
  let spent = 0;
  let since = null;
  let shownTask = null;
  let shownRun = null;

  const candidate = () => model.get("item").candidates?.[model.get("candidate")] ?? null;
  const area = h("textarea.vw-field", {
    rows: 4,
    maxlength: 8000,
    "aria-label": "Rationale",
    onchange: () => put(model, { wording: area.value }),
  });
  const note = h("textarea.vw-field", {
    rows: 2,
    maxlength: 4000,
    "aria-label": "Note",
    placeholder: "A note, kept with the decision",
    onchange: () => put(model, { note: note.value }),
  });
  const head = h("div.vw-desk");
  const reasons = h("div.vw-reasons", { role: "group", "aria-label": "Why it is rejected" });
  const editor = h(
    "div",
    {},
    area,
    h("p.vw-soft", {}, h("kbd", {}, "Ctrl Enter"), " accepts with this wording"),
  );
  const notes = h(
    "div",
    {},
    note,
    h("p.vw-soft", {}, h("kbd", {}, "Ctrl Enter"), " decides with it"),
  );
  const count = h("span.vw-soft", { "aria-live": "polite" });
  const accept = button("Accept", "a", () => send("accept"), ".vw-main");
  const bar = h(
    "div.vw-bar",
    {},
    button("Reject", "r", () => choose()),
    button("Skip", "s", () => send("skip")),
    accept,
    button("Undo", "u", () => send("undo")),
    count,
  );

  // --- deciding

  const isAnswered = () => Boolean(candidate()) && candidate().answer !== null;

  /** What the kernel is told with a decision. */
  const decision = (action, task) => ({
    do: action,
    task,
    event: newId(),
    seconds: Math.round(spent) / 1000,
    candidate: model.get("candidate"),
    wording: wordingOpen ? area.value : null,
    note: note.value,
  });

  /** Say something about the question on screen; what comes next is shown when the store has it. */
  async function send(action, more = {}) {
    const task = model.get("task");
    if (request || (!task && action !== "undo")) return;
    if (action === "accept" && !isAnswered()) {
      say("This run gave no answer: choose another one with [ and ], or reject.");
      return;
    }
    clock();
    request = action;
    say("");
    tell();
    try {
      await ask(model, { ...decision(action, task), ...more });
    } catch (error) {
      say([error.message, dropped()].filter(Boolean).join(". "));
    }
    request = null;
    tell();
    drain();
  }

  /** The keys that waited, until one of them saves again or opens a field. */
  function drain() {
    while (waiting.length && !request) {
      waiting.shift()();
      // what follows was typed for the field, and its letters are no keys
      if (inField()) say(dropped());
    }
  }

  const inField = () => document.activeElement === area || document.activeElement === note;

  /** Keys behind a decision that was not stored were for another question: they are let go. */
  function dropped() {
    const number = waiting.length;
    waiting = [];
    if (!number) return "";
    return `${number === 1 ? "The key" : `The ${number} keys`} pressed meanwhile did nothing.`;
  }

  /** A key's work: at once, or when what is being saved is stored and the next one is shown. */
  function inTurn(work) {
    return (event) => {
      if (!request) return work(event);
      waiting.push(() => work(event));
      tell();
      return true;
    };
  }

  const say = (words) => {
    problem.textContent = words;
    problem.hidden = !words;
  };

  function choose(on = !reasonsOpen) {
    reasonsOpen = on && Boolean(model.get("task"));
    reasons.hidden = !reasonsOpen;
  }

  function because(digit) {
    if (!reasonsOpen || !model.get("reasons").some(([one]) => one === digit)) return false;
    if (digit === 9 && !(noteOpen && note.value.trim())) {
      open(note, "What is wrong? Ctrl+Enter rejects and goes on");
      return true;
    }
    send("reject", { digit });
    return true;
  }

  function open(field, hint) {
    if (!model.get("task") || (field === area && !candidate()?.rationale)) return false;
    if (field === area) {
      if (!wordingOpen) area.value = model.get("wording") ?? candidate().text;
      wordingOpen = true;
    } else noteOpen = true;
    if (hint) field.placeholder = hint;
    fields();
    field.focus();
    return true;
  }

  /** What Python wrote stands in the fields as well. */
  function syncFields() {
    const wording = model.get("wording");
    if (wording !== null && wording !== area.value) {
      area.value = wording;
      wordingOpen = true;
    }
    if (model.get("note") !== note.value) {
      note.value = model.get("note");
      noteOpen = true;
    }
    fields();
  }

  function fields() {
    editor.hidden = !wordingOpen;
    notes.hidden = !noteOpen;
  }

  function leave(event) {
    if (event.target === area || event.target === note) {
      node.focus();
      return true;
    }
    if (!reasonsOpen) return false;
    choose(false);
    return true;
  }

  const other = (offset) => {
    const all = model.get("item").candidates ?? [];
    if (all.length) {
      put(model, { candidate: (model.get("candidate") + offset + all.length) % all.length });
    }
  };
  const rows = () => [
    [
      "a",
      "accept and next",
      () => {
        send("accept");
      },
      "once",
    ],
    ["r", "reject, then a digit says why", () => choose(), "once"],
    ...model.get("reasons").map(([digit]) => [String(digit), "", () => because(digit), "once"]),
    [
      "s",
      "skip and next",
      () => {
        send("skip");
      },
      "once",
    ],
    [
      "u",
      "undo the last decision",
      () => {
        send("undo");
      },
      "once",
    ],
    ["e", "edit the rationale", () => open(area)],
    ["n", "write a note", () => open(note)],
    [
      "Ctrl+Enter",
      "save what is written, accept, next",
      () => (reasonsOpen ? because(9) : send("accept")),
    ],
    ["]", "next program", () => other(1)],
    ["[", "program before", () => other(-1)],
    ["Escape", "leave a field or the reasons", leave],
    ...view.keys(),
  ];
  takeKeys(node, () => rows().map(([key, words, work, once]) => [key, words, inTurn(work), once]));

  // --- on screen

  /** What the check says of the rationale is part of the verdict: hidden until one has decided. */
  function hideChecks(root) {
    const foot = root.querySelector(".vp-told .vp-foot");
    if (foot && model.get("item").hidden) {
      foot.textContent = `Written by ${model.get("run").told.writer}.`;
    }
  }

  function tabs(item) {
    return h(
      "div.vw-tabs",
      { role: "group", "aria-label": "Programs of this question" },
      item.candidates.map((one, index) =>
        h(
          "button.vw-button",
          {
            type: "button",
            title: one.facts,
            "aria-pressed": String(index === model.get("candidate")),
            onclick: () => put(model, { candidate: index }),
          },
          h("span.vw-soft", {}, one.number),
          " ",
          one.state === "none" ? one.answer : sign(one.state, one.answer ?? "no answer"),
        ),
      ),
    );
  }

  function opinions(item) {
    if (item.hidden) return null;
    const opinion = ({ author, kind, reason }) =>
      reason ? `${author}: ${kind} (${reason})` : `${author}: ${kind}`;
    const others = item.others.map(opinion).join("; ");
    return h("p.vw-soft", {}, [candidate()?.judged, others].filter(Boolean).join(" "));
  }

  /** Why there is no question, where there is none. */
  function drawEmpty(none) {
    const places = [
      none.held_by_others && `${none.held_by_others} held by others`,
      none.disputed && `${none.disputed} disputed`,
      none.skipped && `${none.skipped} skipped`,
    ];
    empty.replaceChildren(
      h("b", {}, "Nothing is left to decide. "),
      places.filter(Boolean).join(", "),
    );
  }

  /** Another question begins: its own time, without what was written about the one before. */
  function begin(task) {
    shownTask = task;
    noteOpen = false;
    note.value = "";
    syncFields();
    spent = 0;
    since = null;
    choose(false);
    clock();
    if (node.contains(document.activeElement) && document.activeElement !== node) {
      node.focus({ preventScroll: true });
    }
  }

  function beginRun(trace) {
    shownRun = trace;
    wordingOpen = false;
    area.value = "";
    syncFields();
  }

  function earlier(mine) {
    if (!mine) return null;
    const reason = mine.reason ? ` (${mine.reason})` : "";
    const words = `You said before: ${mine.kind}${reason}. A new decision replaces it.`;
    return h("p.vw-banner", {}, words);
  }

  function answers(item, one) {
    const pair = (name, words) => h("div", {}, h("dt", {}, name), h("dd", {}, words));
    const list = [pair("Expected", item.gold || "no label")];
    if (one) {
      list.push(pair(`Program ${one.number} says`, one.answer ?? `no answer. ${one.problem}`));
    }
    return h("dl.vw-answers", {}, list);
  }

  function drawItem(item, one) {
    accept.disabled = !one || one.answer === null;
    const why = item.why ? h("span.vw-chip", {}, item.why) : null;
    const parts = [
      h("p.vw-soft", {}, item.task, item.family ? ` · ${item.family}` : "", "  ", why),
      h("p.vw-question", {}, item.question),
      item.choices.length ? h("p.vw-soft", {}, item.choices.join(", ")) : null,
      earlier(item.mine),
      answers(item, one),
      tabs(item),
      opinions(item),
    ];
    head.replaceChildren(...parts.filter(Boolean));
  }

  function draw() {
    const item = model.get("item");
    const one = candidate();
    const task = model.get("task");
    desk.hidden = head.hidden = !task;
    empty.hidden = Boolean(task);
    if (item.none) drawEmpty(item.none);
    if (one?.trace !== shownRun) beginRun(one?.trace);
    if (task !== shownTask) begin(task);
    if (task) drawItem(item, one);
    tell();
  }

  function tell() {
    const total = model.get("decided").length;
    if (request) {
      const keys = waiting.length === 1 ? "1 key waits" : `${waiting.length} keys wait`;
      count.textContent = waiting.length ? `saving… ${keys}` : "saving…";
      return;
    }
    count.textContent = `${total ? `${total} decided here, ` : ""}${model.get("left")} left`;
  }

  // --- time that somebody looked, and the hold on the question

  const present = () => !document.hidden && document.hasFocus();
  function clock() {
    const now = performance.now();
    if (since !== null) spent += now - since;
    since = present() ? now : null;
  }
  for (const name of ["focus", "blur"]) addEventListener(name, clock);
  const beat = setInterval(() => {
    if (model.get("task") && !document.hidden && node.isConnected) {
      ask(model, { do: "hold" }).catch(() => {});
    }
  }, 60000);

  reasons.append(
    ...model
      .get("reasons")
      .map(([digit, , words]) =>
        h(
          "button.vw-button",
          { type: "button", onclick: () => because(digit) },
          h("kbd", {}, String(digit)),
          ` ${words}`,
        ),
      ),
  );
  reasons.hidden = editor.hidden = notes.hidden = true;
  // the bar stands above the run, so that it is seen with the question, however long the run is
  desk.append(place);
  node.append(empty, head, problem, bar, reasons, editor, notes, desk);
  node.append(h("footer", {}, help(rows())));
  const stops = [
    follow(model, ["item", "candidate"], draw),
    follow(model, ["left", "decided"], tell),
    follow(model, ["wording", "note"], syncFields),
    follow(model, ["problem"], () => say(model.get("problem"))),
  ];
  return () => {
    for (const stop of stops) stop();
    view.stop();
    clearInterval(beat);
    for (const name of ["focus", "blur"]) removeEventListener(name, clock);
  };
}

export default { render };
