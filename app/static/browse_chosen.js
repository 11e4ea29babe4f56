// Questions that are chosen, and what is done with all of them at once: each as one batch that can
// be undone as one.
import { amount, h } from "./dom.js";
import { newId, save, toast } from "./server.js";

const bar = document.querySelector("[data-chosen]");
const dialog = document.querySelector("[data-ask]");
const mayChange = document.body.dataset.role !== "viewer";

/**
 * Keeps what is chosen; `view()` gives {q, total}, `redraw()` draws the list's boxes again,
 * `reload()` reads it anew.
 */
export function selection(view, redraw, reload) {
  const ids = new Set();
  let everything = false;

  const count = () => (everything ? view().total : ids.size);
  const body = () => (everything ? { everything: true, q: view().q } : { tasks: [...ids] });

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
            h(
              "button.button.small",
              { type: "button", onclick: queue },
              "To the queue ",
              h("kbd", {}, "q"),
            ),
            h("button.button.small", { type: "button", onclick: accept }, "Accept…"),
          ]
        : []),
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

  async function accept() {
    if (!count() || !mayChange) return;
    const request = { id: newId(), ...body() };
    const preview = await save("do/browse/count", { ...request, id: newId() }).catch(() => null);
    if (!preview) return;
    const rest = Object.entries(preview.left_out);
    const close = () => dialog.close();
    const go = h(
      "button.button.main",
      {
        type: "button",
        disabled: preview.accepted === 0,
        onclick: async () => {
          close();
          const reply = await save("do/browse/accept", request).catch(() => null);
          if (!reply) return;
          toast(`${amount(reply.accepted, "question")} accepted.`, "plain", undo(reply.batch));
          clear();
          reload();
        },
      },
      `Accept ${preview.accepted.toLocaleString("en")}`,
    );
    dialog.replaceChildren(
      h("h2", { id: "ask-title" }, `Accept ${amount(preview.accepted, "question")}?`),
      h(
        "p",
        {},
        "Of each, the kept run and its rationale become training targets, under your name. It is one step to undo.",
      ),
      rest.length
        ? h(
            "ul.rest",
            {},
            rest.map(([why, number]) =>
              h("li", {}, `${number.toLocaleString("en")} left out: ${why}`),
            ),
          )
        : "",
      h("div.actions", {}, h("button.button", { type: "button", onclick: close }, "Cancel"), go),
    );
    dialog.showModal();
    go.focus();
  }

  return { has, toggle, clear, show, queue, count };
}
