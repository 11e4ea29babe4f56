// What one decided last, with undo on each, and where one stands.
import { duration, h } from "./dom.js";
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
  rollback: "↺ rolled back",
};
const MOST = 10;

/** `places` are {lists, last}; `back(row)` is told when a decision was taken back, `saved(row, reply)` when one is stored. */
export function tray(places, { back }) {
  let rows = [];

  function draw() {
    for (const list of places.lists) {
      list.replaceChildren(
        ...(rows.length
          ? rows.map((row) => h("li", { class: row.undone ? "undone" : null }, line(row, false)))
          : [h("li.soft", {}, "Nothing decided yet.")]),
      );
    }
    const newest = rows.find((row) => !row.undone);
    places.last.replaceChildren(...(newest ? [line(newest, true)] : []));
  }

  function line(row, short) {
    const state =
      row.state === "saving"
        ? h("span.state", {}, "saving…")
        : row.state === "failed"
          ? h("span.state.away", { title: row.problem }, "not kept")
          : row.state === "saved"
            ? h("span.state.saved", {}, "saved ✓")
            : null;
    const verdict =
      row.kind === "adjudicate" ? ` ${row.verdict === "accept" ? "accepted" : "rejected"}` : "";
    return h(
      "div.done",
      {},
      h(
        `b.${row.verdict ?? row.kind}`,
        {},
        (KINDS[row.kind] ?? row.kind) + verdict + (row.batch ? " as one batch" : ""),
      ),
      h(
        "span.of",
        { title: row.question },
        row.reason ? `${row.reason} · ` : "",
        row.question || row.task,
      ),
      agrees(row),
      row.undone ? h("span.state", {}, "taken back") : state,
      row.undone || row.state === "failed"
        ? null
        : h(
            "button.button.small",
            {
              type: "button",
              "aria-label": `Undo: ${row.kind} ${row.question}`,
              onclick: () => undo(row),
            },
            "Undo",
            short ? h("kbd", {}, "u") : "",
          ),
    );
  }

  /** The verifier's word and others', beside one's own. */
  function agrees(row) {
    const words = [];
    if (row.automatic !== null && row.automatic !== undefined) {
      const same = row.automatic === ((row.verdict ?? row.kind) === "accept");
      words.push(
        h(
          "span.heard",
          { title: same ? "The verifier says the same" : "The verifier says the opposite" },
          `verifier ${row.automatic ? "✓" : "✗"}`,
        ),
      );
    }
    for (const one of row.others ?? []) {
      words.push(
        h("span.heard", {}, `${one.author} ${{ accept: "✓", reject: "✗", skip: "–" }[one.kind]}`),
      );
    }
    return words;
  }

  async function load() {
    const recent = await get("/data/curate/recent").catch(() => null);
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
    const promise = save("/do/undo", { task: row.batch ? "" : row.task, target: row.event }).catch(
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
  let now = null;
  let kappa = null;

  function draw() {
    if (!now) return;
    const share = now.goal ? Math.min(now.today / now.goal, 1) : 0;
    const bar = h("progress", { value: share, max: 1, "aria-label": "Share of today's goal" });
    const fact = (value, words, title) =>
      h("span.fact", { title }, h("b.number", {}, value), ` ${words}`);
    const kappaFact =
      kappa &&
      (kappa.note && !(kappa.kappa !== null && !kappa.note.startsWith("too few"))
        ? fact(
            "κ –",
            kappa.note,
            "Cohen's kappa: agreement beyond chance; under 30 questions decided by two it says too little",
          )
        : fact(
            `κ ${kappa.kappa.toFixed(2)}`,
            `with ${kappa.with}, n ${kappa.n}`,
            "Cohen's kappa: agreement beyond chance",
          ));
    place.replaceChildren(
      ...[
        fact(now.goal ? `${now.today} of ${now.goal}` : String(now.today), "today"),
        now.goal ? bar : null,
        fact(now.remaining.toLocaleString("en"), "left", now.note || `order: ${now.order}`),
        now.seconds === null
          ? null
          : fact(duration(1000 * now.seconds), "each", "Median time on a decision"),
        kappaFact,
      ].filter(Boolean),
    );
  }

  async function load() {
    try {
      now = await get(`/data/curate/progress?${new URLSearchParams(query)}`);
      onProgress(now);
      draw();
    } catch {
      /* the next look says it */
    }
  }

  async function agreement() {
    kappa = await get("/data/curate/agreement").catch(() => kappa);
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
  return { count, load };
}
