// Questions that are chosen, and what is done with all of them at once: each as one batch that can
// be undone as one.
import { amount, h } from "./dom.js";
import { keyLabel, keys } from "./keys.js";
import { get, newId, save, toast } from "./server.js";

const bar = document.querySelector("[data-chosen]");
const dialog = document.querySelector("[data-ask]");
const mayChange = document.body.dataset.role !== "viewer";
const LONGEST = 6000; // characters of an address that names questions

/**
 * Keeps what is chosen; `view()` gives {q, total}, `redraw()` draws the list's boxes again,
 * `reload()` reads it anew.
 */
export function selection(view, redraw, reload) {
  const ids = new Set();
  let everything = false;

  const count = () => (everything ? view().total : ids.size);
  const body = () => (everything ? { everything: true, q: view().q } : { tasks: [...ids] });

  const action = (words, key, onclick) =>
    h("button.button.small", { type: "button", onclick }, `${words} `, h("kbd", {}, keyLabel(key)));

  function show() {
    bar.hidden = count() === 0;
    const { total } = view();
    bar.replaceChildren(
      h("span", { "aria-live": "polite" }, h("b", {}, count().toLocaleString("en")), " chosen"),
      !everything && total > ids.size
        ? h(
            "button.button.plain.small",
            {
              type: "button",
              onclick: () => {
                everything = true;
                redraw();
                show();
              },
            },
            `choose all ${total.toLocaleString("en")} matching`,
          )
        : "",
      ...(mayChange
        ? [
            action("To the queue", "q", queue),
            action("Accept…", "A", accept),
            action("Reject…", "R", reject),
            action("Tag…", "T", tag),
          ]
        : []),
      action("Export", "E", exportFile),
      h("button.button.plain.small", { type: "button", onclick: clear }, "Clear"),
    );
    redraw();
  }

  function clear() {
    ids.clear();
    everything = false;
    show();
  }

  function toggle(id, on = !has(id)) {
    everything = false;
    if (on) ids.add(id);
    else ids.delete(id);
    show();
  }

  const has = (id) => everything || ids.has(id);

  const undo = (batch) => [
    "Undo",
    async () => {
      await save("do/undo", { task: "", target: batch });
      toast("Taken back.");
      reload();
    },
  ];

  async function queue() {
    if (!count() || !mayChange) return;
    // a refusal is on the screen already
    const reply = await save("do/browse/queue", body()).catch(() => null);
    if (!reply) return;
    toast(
      `${amount(reply.queued, "question")} asked for in the queue.`,
      "plain",
      undo(reply.batch),
    );
    clear();
    reload();
  }

  const close = () => dialog.close();

  /** Ask in the dialog: a form whose button does `run(form)` and closes it. */
  function ask(title, content, words, run, open = true) {
    const go = h("button.button.main", { disabled: !open }, words);
    const form = h(
      "form",
      {
        onsubmit: async (event) => {
          event.preventDefault();
          close();
          await run(new FormData(form));
        },
      },
      h("h2", { id: "ask-title" }, title),
      content,
      h("div.actions", {}, h("button.button", { type: "button", onclick: close }, "Cancel"), go),
    );
    dialog.replaceChildren(form);
    dialog.showModal();
    (form.querySelector("select, input") ?? go).focus();
  }

  /** Do something to all that is chosen as one batch, and offer to undo it. */
  async function together(path, request, told) {
    const reply = await save(path, request).catch(() => null);
    if (!reply) return; // the refusal is on the screen already
    toast(told(reply), "plain", undo(reply.batch));
    clear();
    reload();
  }

  const leftOut = (preview) => {
    const rest = Object.entries(preview.left_out);
    const line = ([why, number]) => h("li", {}, `${number.toLocaleString("en")} left out: ${why}`);
    return rest.length ? h("ul.rest", {}, rest.map(line)) : "";
  };

  const BULK = h(
    "p.soft.small",
    {},
    "It is marked as decided in bulk, counts in no figure of agreement, and is one step to undo.",
  );

  async function accept() {
    if (!count() || !mayChange) return;
    const request = { id: newId(), ...body() };
    const preview = await save("do/browse/count", { ...request, id: newId() }).catch(() => null);
    if (!preview) return;
    ask(
      `Accept ${amount(preview.decided, "question")}?`,
      [
        h(
          "p",
          {},
          "Of each, the kept run and its rationale become training targets, under your name.",
        ),
        leftOut(preview),
        BULK,
      ],
      `Accept ${preview.decided.toLocaleString("en")}`,
      () =>
        together(
          "do/browse/accept",
          request,
          (reply) => `${amount(reply.decided, "question")} accepted.`,
        ),
      preview.decided > 0,
    );
  }

  async function reject() {
    if (!count() || !mayChange) return;
    const reasons = JSON.parse(dialog.dataset.reasons);
    const request = { id: newId(), ...body() };
    const wish = { ...request, id: newId(), reason: "ambiguous" }; // any reason counts the same
    const preview = await save("do/browse/count", wish).catch(() => null);
    if (!preview) return;
    ask(
      `Reject ${amount(preview.decided, "question")}?`,
      [
        h(
          "label.ask-row",
          {},
          "Why? ",
          h(
            "select",
            { name: "reason" },
            reasons.map(([digit, value, words]) => h("option", { value }, `${digit} ${words}`)),
          ),
        ),
        h(
          "label.ask-row",
          {},
          "In words ",
          h("input.field", { name: "text", maxlength: 4000, placeholder: "needed for “other”" }),
        ),
        leftOut(preview),
        BULK,
      ],
      `Reject ${preview.decided.toLocaleString("en")}`,
      (form) =>
        together(
          "do/browse/reject",
          { ...request, reason: form.get("reason"), text: form.get("text") },
          (reply) => `${amount(reply.decided, "question")} rejected.`,
        ),
      preview.decided > 0,
    );
  }

  function tag() {
    if (!count() || !mayChange) return;
    const request = { id: newId(), ...body() };
    const known = h("datalist", { id: "tags" });
    get("data/browse/tags").then(
      (tags) => known.replaceChildren(...tags.map((one) => h("option", { value: one }))),
      () => {}, // typing works without them
    );
    ask(
      `Tag ${amount(count(), "question")}`,
      [
        h(
          "label.ask-row",
          {},
          "One word ",
          h("input.field", {
            name: "text",
            required: true,
            maxlength: 40,
            pattern: "[\\p{L}\\p{N}_.\\-]+",
            title: "letters, digits and - _ .",
            autocomplete: "off",
            spellcheck: "false",
            list: "tags",
          }),
        ),
        known,
        h("p.soft.small", {}, "A search for tag: and the word finds them again."),
      ],
      "Tag",
      (form) =>
        together(
          "do/browse/tag",
          { ...request, text: form.get("text") },
          (reply) => `${amount(reply.tagged, "question")} tagged: tag:${reply.tag}`,
        ),
    );
  }

  /** A file of all that is chosen; the search stands for it where its ids are too many. */
  function exportFile() {
    if (!count()) return;
    const choice = everything ? { q: view().q } : { tasks: JSON.stringify([...ids]) };
    const address = `browse/file?${new URLSearchParams(choice)}`;
    if (address.length > LONGEST) {
      toast("Too many for a file of single questions: choose all that match a search.", "bad");
      return;
    }
    h("a", { href: address, download: "questions.jsonl" }).click();
  }

  const chosen = (work) => (event) => {
    if (event.repeat || !count()) return false;
    work();
  };
  keys("Chosen questions", [
    ...(mayChange
      ? [
          ["A", "accept all that is chosen", chosen(accept)],
          ["R", "reject all that is chosen", chosen(reject)],
          ["T", "tag all that is chosen", chosen(tag)],
        ]
      : []),
    ["E", "all that is chosen as a file", chosen(exportFile)],
  ]);

  return { has, toggle, clear, show, queue, count };
}
