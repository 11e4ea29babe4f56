// What the widgets share: the place they draw in, keys, pictures from bytes, questions to the
// kernel.
import { h } from "../../screen/static/player_elements.js";

const SIGNS = { right: "✓", wrong: "✗", failed: "!", none: "–" };

/** A verdict: a sign and a word, never colour alone. */
const sign = (state, text) =>
  h(
    `span.vw-verdict.vw-${state}`,
    { title: state },
    h("b", { "aria-hidden": "true" }, SIGNS[state]),
    ` ${text}`,
  );

const TEXT_FIELDS =
  "input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select";

/**
 * The place of a widget in its cell.  It can be focused, and takes keys only then; JupyterLab's own
 * bare keys (a adds a cell, x cuts one) are kept off it.
 */
function frame(el, label) {
  const node = h("div.vw", {
    tabindex: 0,
    role: "group",
    "aria-label": label,
    "data-lm-suppress-shortcuts": "true",
  });
  el.append(node);
  return node;
}

/** Whether a key is the control's own: Space and Enter press it, arrows move a slider. */
function belongsToControl({ target, key }) {
  const control = target.closest("button, summary, input");
  if (!control) return false;
  if (key === " " || key === "Enter") return true;
  return control.matches("input[type=range]") && key.startsWith("Arrow");
}

/** The key of an event as rows name it; null where it is not for the widget. */
function keyName(event) {
  if (event.isComposing || event.altKey) return null;
  if (event.ctrlKey || event.metaKey) return `Ctrl+${event.key}`;
  const inText = event.target.closest(TEXT_FIELDS) !== null;
  if (inText) return event.key === "Escape" ? event.key : null;
  return belongsToControl(event) ? null : event.key;
}

/**
 * Take keys while the widget has the focus.  `rows()` gives [key, what it does, run]; false from
 * `run`: not wanted.
 */
function takeKeys(node, rows) {
  node.addEventListener("keydown", (event) => {
    const name = keyName(event);
    const row = name !== null && rows().find(([key]) => key === name);
    if (!row || (event.repeat && row[3] === "once") || row[2](event) === false) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

/** The keys of a widget, listed where one may look. */
const help = (rows) =>
  h(
    "details.vw-help",
    {},
    h("summary", {}, "keys"),
    h(
      "p",
      {},
      rows
        .filter(([, words]) => words)
        .map(([key, words]) => [
          h(
            "kbd",
            {},
            { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" }[key] ??
              key.replace("+", " "),
          ),
          ` ${words}  `,
        ]),
    ),
  );

/** An address for the bytes of a picture; the one before is let go. */
function addresses() {
  let address = null;
  let bytes = null;
  return {
    of(view) {
      if (view === bytes) return address;
      if (address) URL.revokeObjectURL(address);
      bytes = view;
      address =
        view && view.byteLength
          ? URL.createObjectURL(new Blob([view], { type: "image/webp" }))
          : null;
      return address;
    },
    forget() {
      if (address) URL.revokeObjectURL(address);
      address = null;
      bytes = null;
    },
  };
}

let questionCount = 0;

/** Ask the kernel; an answer, or an error in words, also where no kernel is there to answer. */
function ask(model, content) {
  const id = `${Date.now()}.${(questionCount += 1)}`;
  return new Promise((resolve, reject) => {
    const finish = (run, value) => {
      clearTimeout(timer);
      model.off("msg:custom", onReply);
      run(value);
    };
    const onReply = (reply) => {
      if (reply.id === id) {
        if (reply.error) finish(reject, new Error(reply.error));
        else finish(resolve, reply.value);
      }
    };
    const timer = setTimeout(
      () => finish(reject, new Error("The kernel does not answer: it is busy, or gone.")),
      20000,
    );
    model.on("msg:custom", onReply);
    try {
      model.send({ ...content, id });
    } catch {
      finish(reject, new Error("No kernel is there to answer."));
    }
  });
}

/** Set traits and send them. */
function put(model, values) {
  for (const [name, value] of Object.entries(values)) model.set(name, value);
  model.save_changes();
}

/** Do something whenever one of these traits changes, and once now; returns what stops it. */
function follow(model, names, work) {
  const events = names.map((name) => `change:${name}`);
  for (const name of events) model.on(name, work);
  work();
  return () => {
    for (const name of events) model.off(name, work);
  };
}
export { addresses, ask, follow, frame, help, takeKeys, put, sign };
