// The step page: fetches one run, gives it to the player, and adds what needs the server: marking
// the first wrong step, and editing the program and running it again.
import { amount, duration, h } from "./dom.js";
import { keys } from "./keys.js";
import { mount } from "./player.js";
import { get, newId, save, stream, toast } from "./server.js";

const root = document.querySelector("[data-player]");
const banner = document.querySelector("[data-draft]");
const stored = root.dataset.trace;
const task = root.dataset.task;
const mayChange = document.body.dataset.role !== "viewer";
let player = null;
let forget = () => {};
let model = null;
let editor = null;
let running = null;
let drafted = null;

const query = (path, values) => `${path}?${new URLSearchParams(values)}`;

async function open(trace, at) {
  model = await get(query("/data/step", { trace }));
  forget();
  player = mount(root, model, {
    at,
    load: (first, last) => get(query("/data/steps", { trace, first, last })),
    variables: (step) => get(query("/data/variables", { trace, step })),
    wrong: mayChange && trace === stored ? firstWrong : undefined,
    onMove: (step) => {
      if (trace !== stored) return;
      const address = new URL(location);
      address.searchParams.set("trace", trace);
      address.searchParams.set("step", step);
      history.replaceState(history.state, "", address);
      try {
        sessionStorage.setItem("vpd-last-run", address.pathname + address.search);
      } catch {
        /* private window */
      }
    },
  });
  if (model.wrong !== null && trace === stored) player.mark(model.wrong);
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
    await save("/do/step/wrong", { id: event, trace: stored, step });
    toast(`Step ${step + 1} is marked as the first wrong one.`, "plain", [
      "Undo",
      async () => {
        await save("/do/undo", { task, target: event });
        player.mark(null);
      },
    ]);
  } catch {
    player.mark(model.wrong); // the message is on the screen already
  }
}

// --- edit and replay

function toggleEditor() {
  if (editor) {
    closeEditor();
    return;
  }
  const text = h("textarea", {
    spellcheck: "false",
    "aria-label": "Program",
    autocapitalize: "off",
    onkeydown: indent,
  });
  text.value = model.text;
  const run = h(
    "button.button.main.small",
    { type: "button", onclick: () => replay(text.value) },
    "Run again ",
    h("kbd", {}, "Ctrl Enter"),
  );
  const says = h("span.soft.small", { "aria-live": "polite" });
  editor = h(
    "div",
    {},
    h(
      "div.editor",
      {},
      text,
      h(
        "div.actions",
        {},
        run,
        h("button.button.small", { type: "button", onclick: closeEditor }, "Close"),
        says,
      ),
    ),
  );
  Object.assign(editor, { text, run, says });
  player.code.classList.add("editing");
  player.code.append(editor);
  text.focus();
}

function closeEditor() {
  running?.abort();
  editor?.remove();
  editor = null;
  player.code.classList.remove("editing");
}

function indent(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    replay(event.target.value);
    return;
  }
  if (event.key !== "Tab" || event.shiftKey) return;
  event.preventDefault();
  event.target.setRangeText("    ", event.target.selectionStart, event.target.selectionEnd, "end");
}

async function replay(source) {
  if (running) return;
  running = new AbortController();
  const { says, run } = editor;
  run.disabled = true;
  says.textContent = "in the queue…";
  try {
    const found = await stream("replay", [stored, source], {
      signal: running.signal,
      onData: (now) => {
        says.textContent =
          now.state === "loading"
            ? "starting the sandbox and its tools…"
            : now.state === "running"
              ? `${amount(now.events, "event")} so far…`
              : "";
      },
    });
    drafted = { ...found, source };
    await showDraft();
  } catch (error) {
    if (error.name !== "AbortError") says.textContent = error.message;
  } finally {
    running = null;
    run.disabled = false;
  }
}

async function showDraft() {
  const { draft, answer, failure, right, calls, cached, seconds, was } = drafted;
  closeEditor();
  await open(draft);
  const ended = failure
    ? `It ended without an answer (${failure}).`
    : `It answers “${answer}”${right === null ? "" : right ? ", as expected ✓" : ", not as expected ✗"}.`;
  const before =
    was === null ? "The stored run gave no answer." : `The stored run answered “${was}”.`;
  banner.replaceChildren(
    h(
      "p",
      {},
      h("b", {}, "An edit, not stored. "),
      `${ended} ${before} ${amount(calls, "tool call")}, ${cached} from the cache, ${duration(1000 * seconds)}.`,
    ),
    h("button.button.small.main", { type: "button", onclick: send }, "Send to the queue"),
    h(
      "button.button.small",
      {
        type: "button",
        onclick: () => {
          model.text = drafted.source;
          toggleEditor();
        },
      },
      "Edit further",
    ),
    h(
      "button.button.small",
      { type: "button", onclick: () => location.reload() },
      "Back to the stored run",
    ),
  );
  banner.hidden = false;
  player.code.append(changes(drafted.changes));
}

function changes({ rows, same, more }) {
  const side = (one, kind, jump) =>
    one &&
    h(
      `div.${kind}`,
      {},
      jump
        ? h("button", { type: "button", onclick: () => player.go(one[0]) }, `line ${one[1]}`)
        : `line ${one[1]}`,
      ` ${one[2]}${one[3] ? ` → ${one[3]}` : ""}`,
    );
  const signs = { "-": "−", "+": "+", "~": "~" };
  const body = rows.map((row) =>
    h(
      "tr",
      {},
      h(row.sign === "-" ? "td.gone" : row.sign === "+" ? "td.come" : "td", {}, signs[row.sign]),
      h("td", {}, side(row.old, "gone", false), side(row.new, "come", true)),
    ),
  );
  const title = rows.length
    ? `${amount(rows.length + more, "step")} differ, ${amount(same, "event")} the same`
    : `The runs are the same: ${amount(same, "event")}`;
  return h(
    "div.changes",
    { tabindex: 0, role: "region", "aria-label": "What differs" },
    h("h3", {}, title),
    h("table", {}, h("tbody", {}, body)),
    more ? h("p.soft.small", {}, `and ${more} more`) : null,
  );
}

async function send(event) {
  const button = event.currentTarget;
  button.disabled = true;
  try {
    const { trace } = await save("/do/step/edit", { draft: drafted.draft });
    toast("The edit is stored beside its parent and asked for in the queue.");
    location.assign(query("/step", { trace }));
  } catch {
    button.disabled = false; // the message is on the screen already
  }
}

keys("Programs of the question", [
  ["[", "program before", () => document.querySelector("[data-previous][href]")?.click()],
  ["]", "program after", () => document.querySelector("[data-next][href]")?.click()],
]);

const asked = new URLSearchParams(location.search).get("step");
open(stored, asked === null ? undefined : Number(asked)).catch((error) =>
  root.replaceChildren(h("p.problem", {}, error.message)),
);
addEventListener("resize", () => player?.show());
