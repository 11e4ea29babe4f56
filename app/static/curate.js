// Curate: one key decides and shows the next question; the event goes through the outbox.
import { dropDraft, show } from "./curate_item.js";
import { guidelines, queueDrawer, snapshot } from "./curate_drawers.js";
import { line } from "./curate_line.js";
import { meter, tray } from "./curate_tray.js";
import { amount, h } from "./dom.js";
import { keys, inText } from "./keys.js";
import { get, newId, save, toast } from "./server.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const address = new URLSearchParams(location.search);
const disputes = find("desk").dataset.mode === "disputes";
const mayDecide = document.body.dataset.role !== "viewer";
const query = {
  q: address.get("q") ?? "",
  order: address.get("order") ?? "",
  state: disputes ? "disputed" : address.get("state") === "skipped" ? "skipped" : "pending",
};
const places = { player: find("player"), side: find("side") };
let view = null;
let forget = () => {};
let guideline = null;
let reasonsOpen = false;

const items = line(query, {
  onChange: draw,
  onLoss: (item, by, here) => {
    if (here) draw();
    else toast(`${by} has one of the next questions now; it was taken off your list.`);
  },
});
const last = tray(
  { lists: document.querySelectorAll("[data-recent]"), last: find("last") },
  { back },
);
const progress = mayDecide
  ? meter(find("progress"), query, (now) => {
      items.setBacklog(now.remaining);
      const link = find("disputes");
      if (link) link.querySelector("b").textContent = now.disputed ? ` ${now.disputed}` : "";
    })
  : null;

// --- on screen

function draw() {
  const item = items.current();
  forget();
  forget = () => {};
  choose(false);
  items.clock();
  find("desk").hidden = !item;
  find("empty").hidden = Boolean(item);
  if (find("after")) find("after").hidden = Boolean(item);
  if (!item) {
    view = null;
    nothing();
    return;
  }
  view = show(item, places, {
    wrong: mayDecide ? firstWrong : undefined,
    keep: mayDecide ? keepNote : undefined,
    gold: document.body.dataset.role === "admin" ? gold : undefined,
    open,
  });
  places.side.scrollTop = 0;
  if (find("live").textContent !== item.question) find("live").textContent = item.question;
  if (view.player) forget = keys("Step", view.player.keys);
  const accept = find("accept");
  accept.disabled = !view.candidate || view.candidate.answer === null;
  accept.title = accept.disabled
    ? "This run gave no answer: choose another one with [ and ], or reject"
    : "";
  if (item.mine && item.hidden && !item.fresh) reread(item);
}

/** A question that was decided: what the verifier and others say may be seen now. */
async function reread(item) {
  item.fresh = true;
  const now = await get(`/data/curate/item?${new URLSearchParams({ task: item.task })}`).catch(
    () => null,
  );
  if (!now || now.hidden || !item.mine) {
    item.fresh = false;
    return;
  }
  const at = now.candidates.findIndex((one) => one.trace === item.candidates[item.at]?.trace);
  if (at >= 0) {
    now.candidates[at].model ??= item.candidates[item.at].model;
    now.at = at;
  }
  Object.assign(item, now);
  if (items.current() === item) draw();
}

async function open(index) {
  const item = items.current();
  const one = item?.candidates[index];
  if (!one) return;
  item.at = index;
  if (!one.model) {
    draw();
    try {
      one.model = await get(
        `/data/curate/candidate?${new URLSearchParams({ task: item.task, trace: one.trace })}`,
      );
    } catch (error) {
      toast(error.message, "bad");
      return;
    }
  }
  if (items.current() === item && item.at === index) draw();
}

const other = (offset) => {
  const item = items.current();
  if (item) open((item.at + offset + item.candidates.length) % item.candidates.length);
};

/** The three nothings, never mixed up; and a server that does not answer. */
function nothing() {
  const place = find("empty");
  const none = items.none();
  const rest = items.left();
  const card = (title, words, ...actions) =>
    place.replaceChildren(
      h(
        "div.card.empty",
        {},
        h("h1", {}, title),
        words.map((text) => h("p.soft", {}, text)),
        h("p.actions", {}, actions),
      ),
    );
  const link = (words, to) => h("a.button", { href: to }, words);
  if (!mayDecide) {
    return card(
      "You may look here, not decide",
      [
        "Deciding needs the role curator; ask an admin. Every question can be looked at from Browse.",
      ],
      link("To the questions", "/browse"),
    );
  }
  if (items.problem()) {
    return card("The next question did not come", [
      items.problem(),
      "It is tried again by itself. What you decided is kept in this browser until the server has it.",
    ]);
  }
  if (items.busy() || !none) {
    return place.replaceChildren(h("p.soft.waiting", {}, "Fetching the next question…"));
  }
  if (none.kind === "nothing") {
    const command = place.dataset.command;
    return card(
      "Nothing to curate yet",
      [
        "No traces are verified yet. The loop imports questions, writes programs for them, runs them and keeps what is right; then they wait here.",
      ],
      h("code", {}, command),
      h("button.button", { type: "button", dataset: { copy: command } }, "Copy the command"),
      link("To the questions", "/browse"),
    );
  }
  if (none.kind === "filter") {
    return card(
      "Nothing matches",
      [`${amount(none.hidden, "question")} hidden by the filter “${query.q}”.`],
      link("Show all", "/curate"),
    );
  }
  const elsewhere = [
    none.held && `${none.held} held by others`,
    none.disputed && `${none.disputed} disputed`,
    none.skipped && `${none.skipped} skipped`,
    rest && `${rest} passed over here`,
  ]
    .filter(Boolean)
    .join(", ");
  card(
    disputes
      ? "No dispute is left"
      : query.state === "skipped"
        ? "No skipped question is left"
        : "Queue empty",
    [
      `${none.today ? `You decided ${none.today} today. ` : ""}${elsewhere ? `${elsewhere}.` : "Everything is decided."}`,
    ],
    ...[
      none.skipped &&
        query.state !== "skipped" &&
        link("Look at what was skipped", "/curate?state=skipped"),
      query.state !== "pending" && link("To the queue", "/curate"),
      link("Take a snapshot", "/curate?snapshot=1"),
      link("Browse", "/browse"),
    ].filter(Boolean),
  );
}

// --- deciding

function decide(verdict, more = {}) {
  const item = items.current();
  if (!item || !view || !mayDecide) return;
  const { candidate } = view;
  if (verdict === "accept" && (!candidate || candidate.answer === null)) {
    toast("This run gave no answer: choose another one with [ and ], or reject.", "bad");
    return;
  }
  items.clock();
  const wording = verdict === "accept" ? view.wording() : null;
  const ruling = disputes && verdict !== "skip";
  const event = newId();
  const kind = ruling ? "adjudicate" : verdict;
  const body = {
    id: event,
    task: item.task,
    kind,
    verdict: ruling ? verdict : null,
    trace: candidate?.trace ?? null,
    rationale: verdict === "accept" ? candidate.rationale : null,
    edited: wording,
    text: item.note,
    seconds: Math.round(item.spent) / 1000,
    guideline: guideline?.version ?? null,
    hidden: item.hidden && !item.seen,
    at: new Date().toISOString(),
    ...more,
  };
  const note = item.note;
  const edits = item.edits;
  const before = item.mine;
  Object.assign(item, { mine: { kind: verdict, reason: more.words ?? "", event }, fresh: false });
  delete body.words;
  dropDraft(item);
  document.activeElement?.blur?.();
  const request = save("/do/curate/decide", body); // first: what is not saved yet is not asked for again
  items.advance();
  progress?.count(before ? 0 : 1);
  last.add(
    {
      event,
      kind,
      verdict: body.verdict,
      task: item.task,
      question: item.question,
      reason: more.words ?? "",
    },
    request,
  );
  request.then(
    (reply) => {
      item.seen = verdict !== "skip";
      if (reply.rationale && wording !== null) {
        Object.assign(candidate, { rationale: reply.rationale, text: wording });
      }
    },
    () => {
      Object.assign(item, { mine: before, note, edits });
      progress?.count(before ? 0 : -1);
      items.again();
    },
  );
}

/** The reasons of a reject, by digit. */
function choose(on = !reasonsOpen) {
  reasonsOpen = on;
  find("reasons").hidden = !on;
  find("reject").setAttribute("aria-expanded", String(on));
}

function because(digit) {
  const button = document.querySelector(`[data-reason="${digit}"]`);
  if (!reasonsOpen || !button || !view) return false;
  if (button.value === "other" && !items.current().note.trim()) {
    view.note("What is wrong? Ctrl+Enter rejects and goes on");
    return true;
  }
  decide("reject", { reason: button.value, words: button.dataset.words });
  return true;
}

/** Ctrl+Enter: reject while reasons are open and "other" was chosen, else accept, with what stands in the fields. */
function saveAll() {
  if (!view || !mayDecide) return false;
  if (reasonsOpen) return because("9");
  decide("accept");
  return true;
}

function firstWrong(step) {
  const item = items.current();
  const { candidate, player } = view;
  const again = candidate.model.wrong === step && candidate.model.mark;
  if (again) {
    save("/do/undo", { task: item.task, target: candidate.model.mark }).then(last.load, () => {});
    Object.assign(candidate.model, { wrong: null, mark: null });
    player.mark(null);
    return;
  }
  const event = newId();
  Object.assign(candidate.model, { wrong: step, mark: event });
  player.mark(step);
  const request = save("/do/step/wrong", { id: event, trace: candidate.trace, step });
  last.add(
    { event, kind: "wrong_step", task: item.task, question: `step ${step + 1} · ${item.question}` },
    request,
  );
}

async function back(row, promise) {
  const item = items.find(row.task);
  if (row.kind === "wrong_step") {
    for (const one of item?.candidates ?? []) {
      if (one.model?.mark === row.event) Object.assign(one.model, { wrong: null, mark: null });
    }
    if (item === items.current()) view?.player?.mark(null);
    await promise;
    return;
  }
  const verdict = ["accept", "reject", "skip", "adjudicate"].includes(row.kind) && !row.batch;
  if (verdict && item) {
    item.mine = null;
    await items.bring(row.task);
  }
  if (verdict) progress?.count(-1);
  if (!(await promise)) return;
  if (verdict && !item) await items.bring(row.task).catch((error) => toast(error.message, "bad"));
  else if (verdict) items.hold();
  last.load();
}

/** An admin's verdict becomes what others are measured by. */
function gold() {
  const item = items.current();
  const { kind, cause, trace, text } = item.mine;
  const request = save("/do/curate/decide", {
    task: item.task,
    kind: "gold",
    verdict: kind,
    trace,
    rationale: kind === "accept" ? view.candidate.rationale : null,
    reason: kind === "reject" ? cause : null,
    text,
  });
  request.then(
    () => {
      item.gold_item = kind;
      draw();
      toast("Others are measured by this question from now on.");
      last.load();
    },
    () => {},
  );
}

async function keepNote() {
  const item = items.current();
  if (!item?.note?.trim()) return;
  const event = newId();
  const text = item.note;
  const request = save("/do/curate/decide", {
    id: event,
    task: item.task,
    kind: "note",
    trace: view.candidate?.trace ?? null,
    text,
    guideline: guideline?.version ?? null,
    at: new Date().toISOString(),
  });
  last.add({ event, kind: "note", task: item.task, question: item.question }, request);
  dropDraft(item);
  draw();
}

// --- keys and buttons

const once = (work) => (event) => (event.repeat ? undefined : work(event));
const outsideText = (work) => (event) => (inText(event.target) ? false : work());
keys("Curate", [
  ...(mayDecide
    ? [
        ["a", "accept and next", once(() => decide("accept"))],
        [
          "r",
          "reject, then a digit says why",
          once(() => {
            if (items.current()) choose();
          }),
        ],
        ...[1, 2, 3, 4, 5, 6, 7, 9].map((digit) => [
          String(digit),
          document.querySelector(`[data-reason="${digit}"]`).dataset.words,
          once(() => because(digit)),
        ]),
        [
          "s",
          disputes ? "leave it to another" : "skip and next",
          once(() => (disputes ? items.move(1) : decide("skip"))),
        ],
        ["e", "edit the rationale", () => view?.edit()],
        [
          "n",
          "write a note",
          () => {
            if (!view) return false;
            view.note();
          },
        ],
        ["Ctrl+Enter", "save what is written, accept, next", saveAll],
        [
          "u",
          "undo the last decision",
          once(() => {
            last.undo();
          }),
        ],
        ["Ctrl+z", "the same", outsideText(() => last.undo())],
        ["l", "the last decisions", () => toggleRecent()],
      ]
    : []),
  ["j", "next question, undecided", () => items.move(1)],
  ["k", "question before", () => items.move(-1)],
  ["]", "next program", () => other(1)],
  ["[", "program before", () => other(-1)],
  [
    "f",
    "queue: filter, order, rules",
    () => {
      queueDrawer(query);
    },
  ],
  [
    "G",
    "guidelines",
    () => {
      guidelines();
    },
  ],
  [
    "Escape",
    "leave the reasons",
    () => {
      if (!reasonsOpen) return false;
      choose(false);
    },
  ],
]);

function toggleRecent(on = find("tray").hidden) {
  find("tray").hidden = !on;
  find("open-recent").setAttribute("aria-expanded", String(on));
  if (on) last.load();
}

const click = (name, work) => find(name)?.addEventListener("click", work);
click("accept", () => decide("accept"));
click("skip", () => (disputes ? items.move(1) : decide("skip")));
click("reject", () => choose());
for (const button of document.querySelectorAll("[data-reason]")) {
  button.addEventListener("click", () => because(button.dataset.reason));
}
click("write-note", () => view?.note());
click("open-recent", () => toggleRecent());
click("open-queue", () => queueDrawer(query));
click("open-guide", () => guidelines());
click("open-snapshot", () => snapshot(query));

guidelines(false).then(
  (now) => {
    guideline = now;
    find("version").textContent = now ? now.version.slice(0, 4) : "";
  },
  () => {},
);
if (mayDecide) last.load();
if (address.get("snapshot")) snapshot(query);
const task = address.get("task");
if (mayDecide) {
  if (task) {
    items.bring(task).catch((error) => {
      toast(error.message, "bad");
      items.more();
    });
  } else items.more();
  draw();
} else if (task) {
  get(`/data/curate/item?${new URLSearchParams({ task })}`).then(
    (item) => {
      find("desk").hidden = false;
      find("empty").hidden = true;
      view = show(item, places, { open: () => {} });
    },
    (error) => toast(error.message, "bad"),
  );
} else nothing();
