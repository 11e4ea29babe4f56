// The step page: fetches one run, gives it to the player, and adds what needs the server: marking
// the first wrong step, and editing the program and running it again.
import { amount, duration, h } from "./dom.js";
import { keys } from "./keys.js";
import { mount } from "./player.js";
import { get, newId, save, stream, toast } from "./server.js";

/** @typedef {import("../js/types").ReplayOutcome} ReplayOutcome */

const root = document.querySelector("[data-player]");
const banner = document.querySelector("[data-draft]");
const storedTrace = root.dataset.trace;
const task = root.dataset.task;
const mayChange = document.body.dataset.role !== "viewer";
let player = null;
let forget = () => {};
let model = null;
let editor = null;
let request = null; // the replay under way
/** @type {ReplayOutcome & {source: string}} */
let outcome = null; // what the last edit came to

const query = (path, values) => `${path}?${new URLSearchParams(values)}`;

async function open(trace, at) {
  model = await get(query("data/step", { trace }));
  forget();
  player = mount(root, model, {
    at,
    load: (first, last) => get(query("data/steps", { trace, first, last })),
    variables: (step) => get(query("data/variables", { trace, step })),
    wrong: mayChange && trace === storedTrace ? firstWrong : undefined,
    onMove: (step) => {
      if (trace !== storedTrace) return;
      const address = new URL(location.href);
      address.searchParams.set("trace", trace);
      address.searchParams.set("step", step);
      history.replaceState(history.state, "", address);
      try {
        sessionStorage.setItem("vpd-last-run", `step${address.search}`);
      } catch {
        /* private window */
      }
    },
  });
  if (model.wrong !== null && trace === storedTrace) player.mark(model.wrong);
  const edit = h(
    "button.button.small",
    { type: "button", title: "Edit and run again (R)", onclick: toggleEditor },
    "Edit & replay ",
    h("kbd", {}, "R"),
  );
  if (mayChange) player.code.querySelector("header").append(edit);
  forget = keys("Step", [
    ...player.keys,
    ...(mayChange ? [["R", "edit and run again", toggleEditor]] : []),
  ]);
}

async function firstWrong(step) {
  const event = newId();
  player.mark(step);
  try {
    await save("do/step/wrong", { id: event, trace: storedTrace, step });
    toast(`Step ${step + 1} is marked as the first wrong one.`, "plain", [
      "Undo",
      async () => {
        await save("do/undo", { task, target: event });
        player.mark(null);
      },
    ]);
  } catch {
    player.mark(model.wrong); // the message is on the screen already
  }
}

// --- edit and replay

const toggleEditor = () => (editor ? closeEditor() : openEditor());

async function openEditor(source = model.text) {
  const place = h("div.program-editor");
  const run = h(
    "button.button.main.small",
    { type: "button", onclick: replay },
    "Run again ",
    h("kbd", {}, "Ctrl Enter"),
  );
  const close = h("button.button.small", { type: "button", onclick: closeEditor }, "Close");
  const status = h("span.soft.small", { "aria-live": "polite" });
  const node = h("div.editor", {}, place, h("div.actions", {}, run, close, status));
  const mine = { node, run, status, text: () => source };
  editor = mine;
  player.code.classList.add("editing");
  player.code.querySelector("header").after(node);
  player.show(); // the picture has another width now
  try {
    const { programEditor } = await import("./codemirror.js");
    if (editor !== mine) return; // closed before it came
    Object.assign(mine, programEditor(place, source, { label: "Program", onRun: replay }));
    showFailure(mine, source);
    mine.focus();
  } catch {
    status.textContent = "The editor could not be loaded; is `vpd app` still running?";
  }
}

/** The line that failed, where the text is what failed there. */
function showFailure(target, source) {
  if (outcome?.failure && outcome.line && outcome.source === source) {
    target.mark(outcome.line, outcome.failure);
  }
}

function closeEditor() {
  request?.abort();
  editor?.close?.();
  editor?.node.remove();
  editor = null;
  player.code.classList.remove("editing");
  player.show();
}

/** @param {import("../js/types").Message<"replay">} now */
function progressWords(now) {
  if (now.state === "loading") return "starting the sandbox and its tools…";
  return now.state === "running" ? `${amount(now.events, "event")} so far…` : "";
}

async function replay() {
  if (request) return;
  request = new AbortController();
  const { status, run, text } = editor;
  const source = text();
  run.disabled = true;
  status.textContent = "in the queue…";
  try {
    const reply = await stream("replay", [storedTrace, source], {
      signal: request.signal,
      onData: (now) => {
        status.textContent = progressWords(now);
      },
    });
    if (reply.state === "done") {
      outcome = { ...reply, source };
      await showDraft();
    }
  } catch (error) {
    if (error.name !== "AbortError") status.textContent = error.message;
  } finally {
    request = null;
    run.disabled = false;
  }
}

const RIGHT = new Map([
  [null, ""],
  [true, ", as expected ✓"],
  [false, ", not as expected ✗"],
]);

const unsupported = (issues) =>
  issues.length
    ? ` Its rationale says ${amount(issues.length, "thing")} that the run does not.`
    : "";

/**
 * What the edit came to, beside the stored run, and what it cost.
 * @param {ReplayOutcome} outcome
 */
function outcomeWords({ answer, failure, right, issues, calls, cached, seconds, was }) {
  const end = failure
    ? `It ended without an answer (${failure}).`
    : `It answers “${answer}”${RIGHT.get(right)}.`;
  const before =
    was === null ? "The stored run gave no answer." : `The stored run answered “${was}”.`;
  const cost = [
    amount(calls, "tool call"),
    `${cached} from the cache`,
    duration(1000 * seconds),
  ].join(", ");
  return `${end}${unsupported(issues)} ${before} ${cost}.`;
}

async function showDraft() {
  closeEditor();
  await open(outcome.draft);
  const button = (words, onclick, name = "button.button.small") =>
    h(name, { type: "button", onclick }, words);
  banner.replaceChildren(
    h("p", { title: outcome.judged }, h("b", {}, "An edit, not stored. "), outcomeWords(outcome)),
    button(["Store and curate ", h("kbd", {}, "C")], curate, "button.button.small.main"),
    button(["Send to the queue ", h("kbd", {}, "Q")], send),
    button("Edit further", editFurther),
    button("Back to the stored run", () => location.assign(query("step", { trace: storedTrace }))),
  );
  banner.hidden = false;
  player.code.append(changes(outcome.changes));
}

function editFurther() {
  if (editor) closeEditor();
  openEditor(outcome.source);
}

/**
 * One side of a difference: [step, line, title, result]; the new run's may be gone to.
 * @param {import("../js/types").ChangedStep["new"]} side
 * @param {boolean} isNew
 */
function differenceSide([step, line, title, short], isNew) {
  const words = `line ${line}`;
  const place = isNew
    ? h("button", { type: "button", onclick: () => player.go(step) }, words)
    : words;
  const result = short ? ` → ${short}` : "";
  return h(isNew ? "div.come" : "div.gone", {}, place, ` ${title}${result}`);
}

const SIGNS = {
  "-": ["td.gone", "−"],
  "+": ["td.come", "+"],
  "~": ["td", "~"],
};

/** @param {import("../js/types").ChangedStep} step */
function difference({ sign, old, new: fresh }) {
  const [cell, words] = SIGNS[sign];
  const sides = [old && differenceSide(old, false), fresh && differenceSide(fresh, true)];
  return h("tr", {}, h(cell, {}, words), h("td", {}, sides));
}

/** @param {import("../js/types").RunDifference} difference */
function changes({ rows, same, more }) {
  const rest = amount(same, "event");
  const title = rows.length
    ? `${amount(rows.length + more, "step")} differ, ${rest} the same`
    : `The runs are the same: ${rest}`;
  return h(
    "div.changes",
    { tabindex: 0, role: "region", "aria-label": "What differs" },
    h("h3", {}, title),
    h("table", {}, h("tbody", {}, rows.map(difference))),
    more ? h("p.soft.small", {}, `and ${more} more`) : null,
  );
}

/**
 * Store the draft with its verdict and its rationale, and ask for it in the queue; `next(trace)`
 * says where to go.
 */
async function storeDraft(next) {
  if (!outcome || request) return false;
  const buttons = banner.querySelectorAll("button");
  for (const one of buttons) one.disabled = true;
  try {
    const { trace } = await save("do/step/edit", { draft: outcome.draft });
    toast("The edit is stored beside its parent and asked for in the queue.");
    location.assign(next(trace));
  } catch {
    for (const one of buttons) one.disabled = false; // the message is on the screen already
  }
  return true;
}

const send = () => storeDraft((trace) => query("step", { trace }));
const curate = () => storeDraft(() => query("curate", { task }));
const onDraft = (work) => (event) => {
  if (event.repeat || banner.hidden) return false;
  return work();
};
if (mayChange) {
  keys("An edit that was run", [
    ["C", "store it and curate it", onDraft(curate)],
    ["Q", "send it to the queue", onDraft(send)],
  ]);
}

keys("Programs of the question", [
  ["[", "program before", () => document.querySelector("[data-previous][href]")?.click()],
  ["]", "program after", () => document.querySelector("[data-next][href]")?.click()],
]);

const asked = new URLSearchParams(location.search);
const first = asked.get("step");
open(storedTrace, first === null ? undefined : Number(first)).then(
  () => {
    if (asked.has("edit") && mayChange) openEditor();
  },
  (error) => root.replaceChildren(h("p.problem", {}, error.message)),
);
addEventListener("resize", () => player?.show());
