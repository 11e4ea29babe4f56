// What one decided last, with undo on each, and where one stands.
import { duration, h } from "./dom.js";
import { keyMark } from "./keys.js";
import { get, save } from "./server.js";

const KINDS = {
  accept: "✓ accepted",
  reject: "✗ rejected",
  skip: "– skipped",
  note: "✎ note",
  wrong_step: "⚑ first wrong step",
  adjudicate: "⚖ ruled",
  gold: "★ gold",
  queue: "→ queue",
  rating: "◑ rated",
  tag: "# tagged",
  rollback: "↺ rolled back",
};
const SIGNS = { accept: "✓", reject: "✗", skip: "–" };
const MOST = 10;

/** `places` are {lists, last}; `back(row, promise)` is called when a decision is taken back. */
export function tray(places, { back }) {
  let rows = [];

  function draw() {
    for (const list of places.lists) {
      list.replaceChildren(
        ...rows.map((row) => h(row.undone ? "li.undone" : "li", {}, line(row, false))),
      );
      if (!rows.length) list.append(h("li.soft", {}, "Nothing decided yet."));
    }
    const newest = rows.find((row) => !row.undone);
    places.last.replaceChildren(...(newest ? [line(newest, true)] : []));
  }

  function stateOf(row) {
    if (row.undone) return h("span.state", {}, "taken back");
    if (row.state === "saving") return h("span.state", {}, "saving…");
    if (row.state === "failed") return h("span.state.away", { title: row.problem }, "not kept");
    if (row.state === "saved") return h("span.state.saved", {}, "saved ✓");
    return null;
  }

  function wordsOf(row) {
    const words = [KINDS[row.kind] ?? row.kind];
    if (row.kind === "adjudicate") words.push(row.verdict === "accept" ? "accepted" : "rejected");
    if (row.batch) words.push("in bulk");
    return words.join(" ");
  }

  function undoButton(row, short) {
    if (row.undone || row.state === "failed") return null;
    return h(
      "button.button.small",
      {
        type: "button",
        "aria-label": `Undo: ${row.kind} ${row.question}`,
        onclick: () => undo(row),
      },
      "Undo",
      short ? keyMark("Curate", "u") : "",
    );
  }

  function line(row, short) {
    const reason = row.reason ? `${row.reason} · ` : "";
    return h(
      "div.done",
      {},
      h(`b.${row.verdict ?? row.kind}`, {}, wordsOf(row)),
      h("span.of", { title: row.question }, reason, row.question || row.task),
      verifierWord(row),
      (row.others ?? []).map(othersWord),
      stateOf(row),
      undoButton(row, short),
    );
  }

  /** The verifier's word beside one's own. */
  function verifierWord(row) {
    if (row.automatic === null || row.automatic === undefined) return null;
    const accepts = (row.verdict ?? row.kind) === "accept";
    const title =
      row.automatic === accepts ? "The verifier says the same" : "The verifier says the opposite";
    return h("span.heard", { title }, `verifier ${row.automatic ? "✓" : "✗"}`);
  }

  const othersWord = (one) => h("span.heard", {}, `${one.author} ${SIGNS[one.kind]}`);

  async function load() {
    const recent = await get("data/curate/recent").catch(() => null);
    if (!recent) return;
    const mine = new Map(rows.map((row) => [row.event, row]));
    const unsaved = rows.filter(
      (row) => row.state && row.state !== "saved" && !recent.some((one) => one.event === row.event),
    );
    rows = [
      ...unsaved,
      ...recent.map((row) => ({ others: mine.get(row.event)?.others, ...row })),
    ].slice(0, MOST);
    draw();
  }

  /** A decision that is on its way; `promise` says what became of it. */
  function add(row, promise) {
    const entry = { state: "saving", batch: false, reason: "", undone: false, ...row };
    rows = [entry, ...rows].slice(0, MOST);
    draw();
    promise
      .then(
        (reply) =>
          Object.assign(entry, {
            state: "saved",
            automatic: reply.automatic,
            others: reply.others,
          }),
        (error) => Object.assign(entry, { state: "failed", problem: error.message }),
      )
      .then(draw);
  }

  function undo(row = rows.find((one) => !one.undone && one.state !== "failed")) {
    if (!row || row.undone) return false;
    row.undone = true;
    draw();
    const promise = save("do/undo", { task: row.batch ? "" : row.task, target: row.event }).catch(
      () => {
        row.undone = false;
        draw();
        return null;
      },
    );
    back(row, promise);
    return true;
  }

  return { load, add, undo };
}

/** The line on top: what one did today, what is left, how fast, how far one agrees. */
export function meter(place, query, onProgress) {
  // `query` is {q, order, state, page}
  let now = null;
  let kappa = null;

  const fact = (value, words, title) =>
    h("span.fact", { title }, h("b.number", {}, value), ` ${words}`);

  function goalBar() {
    if (!now.goal) return null;
    const value = Math.min(now.today / now.goal, 1);
    return h("progress", { value, max: 1, "aria-label": "Share of today's goal" });
  }

  /** Too few questions decided by two still have a figure; other notes stand in its place. */
  function kappaFact() {
    if (!kappa) return null;
    const { note } = kappa;
    const title = "Cohen's kappa: agreement beyond chance";
    if (note && (kappa.kappa === null || !note.startsWith("too few"))) {
      return fact("κ –", note, `${title}; under 30 questions decided by two it says too little`);
    }
    return fact(`κ ${kappa.kappa.toFixed(2)}`, `with ${kappa.with}, n ${kappa.n}`, title);
  }

  function draw() {
    if (!now) return;
    const today = now.goal ? `${now.today} of ${now.goal}` : String(now.today);
    const facts = [
      fact(today, "today"),
      goalBar(),
      fact(now.remaining.toLocaleString("en"), "left", now.note || `order: ${now.order}`),
    ];
    if (now.seconds !== null) {
      facts.push(fact(duration(1000 * now.seconds), "each", "Median time on a decision"));
    }
    facts.push(kappaFact());
    place.replaceChildren(...facts.filter(Boolean));
  }

  async function load() {
    try {
      now = await get(`data/curate/progress?${new URLSearchParams(query)}`);
      onProgress(now);
      draw();
    } catch {
      /* the next look says it */
    }
  }

  async function agreement() {
    kappa = await get("data/curate/agreement").catch(() => kappa);
    draw();
  }

  let since = 0;
  function count(of) {
    if (!now) return;
    now.today = Math.max(now.today + of, 0);
    now.remaining = Math.max(now.remaining - of, 0);
    draw();
    if (++since >= 20) {
      since = 0;
      load();
    }
  }

  setInterval(() => {
    if (!document.hidden) load();
  }, 30000);
  setInterval(() => {
    if (!document.hidden) agreement();
  }, 120000);
  load().then(agreement);
  setTimeout(load, 2000); // a page that was left lets its questions go a moment later
  return { count, load };
}
