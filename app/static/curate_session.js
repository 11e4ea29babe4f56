// What one did in this stretch of work, told when one asks for it or when the queue is empty.
import { duration, h } from "./dom.js";
import { get, toast } from "./server.js";

/** @typedef {import("../js/types").SessionView} SessionView */

const clock = (time) =>
  new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const WORDS = { accept: "accepted", reject: "rejected", skip: "skipped" };

/** @param {SessionView} now */
function facts(now) {
  const pace = now.minutes >= 1 ? ` · ${Math.round((60 * now.decided) / now.minutes)} an hour` : "";
  const rows = [
    [now.decided, `decided one by one${pace}`],
    ...Object.entries(now.verdicts)
      .filter(([, count]) => count)
      .map(([kind, count]) => [count, WORDS[kind], "part"]),
    ...Object.entries(now.reasons).map(([words, count]) => [count, words, "part deep"]),
    [now.bulk, "decided in bulk"],
    [now.edits, "edited"],
    [now.undone, "taken back"],
  ];
  return h(
    "table.session",
    {},
    h(
      "tbody",
      {},
      rows
        .filter(([count], index) => count || index === 0)
        .map(([count, words, kind]) =>
          h(
            "tr",
            { class: kind },
            h("td.number", {}, count.toLocaleString("en")),
            h("td", {}, words),
          ),
        ),
    ),
  );
}

/** @param {SessionView} now */
function agreement({ same, judged, few }) {
  if (!judged) return "";
  const share = judged < few ? "" : ` (${Math.round((100 * same) / judged)} %)`;
  const care = judged < few ? `; under ${few} that says too little` : "";
  return h(
    "p.soft.small",
    {},
    `The verifier says the same of ${same} of ${judged} runs that you accepted or rejected`,
    `${share}${care}.`,
  );
}

/** The summary as elements. @param {SessionView} now */
export const summary = (now) => [
  h(
    "p.soft",
    {},
    `${clock(now.begin)} to ${clock(now.end)}`,
    now.seconds === null ? "" : `, ${duration(1000 * now.seconds)} each`,
    ". It began after a pause of more than half an hour.",
  ),
  facts(now),
  agreement(now),
];

/** Show the summary in the drawer. */
export async function sessionSummary() {
  const box = document.querySelector("[data-dialog]");
  const now = await get("data/curate/session").catch(
    (error) => toast(error.message, "bad") && null,
  );
  box.replaceChildren(
    h(
      "div.head",
      {},
      h("h2", { id: "dialog-title" }, "This session"),
      h(
        "button.button.small",
        { type: "button", onclick: () => box.close() },
        "Close ",
        h("kbd", {}, "Esc"),
      ),
    ),
    ...(now ? summary(now) : [h("p.soft", {}, "You have decided nothing yet.")]),
    h("p.actions", {}, h("a.button", { href: "curate?mode=history" }, "Decisions so far")),
  );
  if (!box.open) box.showModal();
}
