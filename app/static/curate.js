// Curate: one key decides and shows the next question; the event goes through the outbox.
import { dropDraft, show } from "./curate_item.js";
import { guidelines, queueDrawer, snapshot } from "./curate_drawers.js";
import { line } from "./curate_line.js";
import { mayOnlyLook, noReply, nothing } from "./curate_empty.js";
import { sessionSummary } from "./curate_session.js";
import { meter, tray } from "./curate_tray.js";
import { keys, inText } from "./keys.js";
import { get, newId, post, save, toast } from "./server.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const address = new URLSearchParams(location.search);
const disputes = find("desk").dataset.mode === "disputes";
const mayDecide = document.body.dataset.role !== "viewer";
const query = {
  q: address.get("q") ?? "",
  order: address.get("order") ?? "",
  state: wantedState(),
};
function wantedState() {
  if (disputes) return "disputed";
  return address.get("state") === "skipped" ? "skipped" : "pending";
}

const narrow = matchMedia("(max-width: 900px)");
const places = { player: find("player"), side: find("side") };
let view = null;
let forget = () => {};
let guideline = null;
let reasonsOpen = false;

const skip = () => (disputes ? items.move(1) : decide("skip"));
const items = line(query, {
  onChange: draw,
  onLoss: (item, by, here) => {
    progress?.load();
    if (here) draw();
    else toast(`${by} has one of the next questions now; it was taken off your list.`);
  },
});
const last = tray(
  { lists: document.querySelectorAll("[data-recent]"), last: find("last") },
  { back },
);
const progress = mayDecide
  ? meter(find("progress"), { ...query, page: items.page }, (now) => {
      items.setBacklog(now.remaining);
      const count = find("disputes")?.querySelector("b");
      if (count) count.textContent = ` ${now.disputed || ""}`.trimEnd();
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
  if (item) drawItem(item);
  else {
    view = null;
    if (items.problem()) noReply(items.problem());
    else nothing(items.busy() ? null : items.none(), query, items.left());
  }
}

/** What this person may do with a question, beside deciding. */
const actions = () => ({
  ...(mayDecide ? { wrong: firstWrong, keep: keepNote, repair } : {}),
  ...(document.body.dataset.role === "admin" ? { gold } : {}),
  open,
});

const noAnswer = (candidate) => !candidate || candidate.answer === null;

function drawItem(item) {
  view = show(item, places, actions());
  places.side.scrollTop = 0;
  if (narrow.matches) scrollTo(0, 0); // there the whole page is what scrolls
  if (find("live").textContent !== item.question) find("live").textContent = item.question;
  if (view.player) forget = keys("Step", view.player.keys);
  const accept = find("accept");
  accept.disabled = noAnswer(view.candidate);
  accept.title = accept.disabled
    ? "This run gave no answer: choose another one with [ and ], or reject"
    : "";
  if (item.mine && item.hidden && !item.fresh) reread(item);
}

/** A question that was decided: what the verifier and others say may be seen now. */
async function reread(item) {
  item.fresh = true;
  const now = await get(`data/curate/item?${new URLSearchParams({ task: item.task })}`).catch(
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

/** Edit the program and run it again, in Step, which leads back here. */
function repair() {
  const trace = view?.candidate?.trace;
  if (!trace) return false;
  location.assign(`step?${new URLSearchParams({ trace, edit: "1" })}`);
  return true;
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
        `data/curate/candidate?${new URLSearchParams({ task: item.task, trace: one.trace })}`,
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

// --- deciding

/** Accepted is the rationale too, as it is or as it was edited. */
const wordingOf = (verdict) =>
  verdict === "accept"
    ? { rationale: view.candidate.rationale, edited: view.wording() }
    : { rationale: null, edited: null };

/** A decision as the server takes it. */
function decisionBody(item, verdict) {
  const ruling = disputes && verdict !== "skip";
  return {
    id: newId(),
    task: item.task,
    kind: ruling ? "adjudicate" : verdict,
    verdict: ruling ? verdict : null,
    trace: view.candidate?.trace ?? null,
    ...wordingOf(verdict),
    text: item.note,
    seconds: Math.round(item.spent) / 1000,
    guideline: guideline?.version ?? null,
    hidden: item.hidden && !item.seen,
    at: new Date().toISOString(),
  };
}

/** Decide and go on; `why` is {reason, words} of a reject. */
function decide(verdict, why = null) {
  const item = items.current();
  if (!item || !view || !mayDecide) return;
  if (verdict === "accept" && noAnswer(view.candidate)) {
    toast("This run gave no answer: choose another one with [ and ], or reject.", "bad");
    return;
  }
  if (verdict === "accept" && mustBeChecked(item)) acceptChecked(item, view);
  else settle(item, verdict, why);
}

/** Whether somebody wrote another rationale that the run has not been asked about. */
function mustBeChecked(item) {
  const text = view.wording();
  return text !== null && item.checked !== text;
}

function settle(item, verdict, why) {
  items.clock();
  const body = { ...decisionBody(item, verdict), reason: why?.reason };
  store(item, view.candidate, body, { kind: verdict, reason: why?.words ?? "", event: body.id });
}

/** Accept an edited wording, unless the run does not support it: then say so, once. */
async function acceptChecked(item, itsView) {
  const text = itsView.wording();
  if (item.checking) return;
  item.checking = true;
  const { faults } = await post("do/curate/check", {
    trace: itsView.candidate.trace,
    text,
  }).catch((error) => ({ faults: [`It could not be checked: ${error.message}`] }));
  item.checking = false;
  item.checked = text;
  if (items.current() !== item || view !== itsView || itsView.wording() !== text) return;
  if (faults.length) itsView.warn(faults);
  else decide("accept");
}

/** Save a decision; the next question comes at once, and this one again if it is refused. */
function store(item, candidate, body, mine) {
  const { note, edits, mine: before } = item;
  Object.assign(item, { mine, fresh: false });
  dropDraft(item);
  document.activeElement?.blur?.();
  // before the next question is asked for: what is not saved yet must not come again
  const request = save("do/curate/decide", body);
  items.advance();
  progress?.count(before ? 0 : 1);
  const { event, reason } = mine;
  const { kind, verdict, task: itsTask } = body;
  last.add({ event, kind, verdict, task: itsTask, question: item.question, reason }, request);
  request.then(
    (reply) => {
      item.seen = mine.kind !== "skip";
      if (reply.rationale && body.edited !== null) {
        Object.assign(candidate, { rationale: reply.rationale, text: body.edited });
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

/**
 * Ctrl+Enter: reject while reasons are open and "other" was chosen, else accept, with what stands
 * in the fields.
 */
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
    save("do/undo", { task: item.task, target: candidate.model.mark }).then(last.load, () => {});
    Object.assign(candidate.model, { wrong: null, mark: null });
    player.mark(null);
    return;
  }
  const event = newId();
  Object.assign(candidate.model, { wrong: step, mark: event });
  player.mark(step);
  const request = save("do/step/wrong", { id: event, trace: candidate.trace, step });
  last.add(
    { event, kind: "wrong_step", task: item.task, question: `step ${step + 1} · ${item.question}` },
    request,
  );
}

async function back(row, promise) {
  if (row.kind === "wrong_step") {
    unmark(row);
    await promise;
    return;
  }
  const verdict = ["accept", "reject", "skip", "adjudicate"].includes(row.kind) && !row.batch;
  const reply = verdict ? await backToQuestion(row, promise) : await promise;
  if (!reply) return;
  last.load();
  progress?.load(); // a batch, or a verdict of another day, counts otherwise than it looks
}

function unmark(row) {
  const item = items.find(row.task);
  for (const { model } of item?.candidates ?? []) {
    if (model?.mark === row.event) Object.assign(model, { wrong: null, mark: null });
  }
  if (item === items.current()) view?.player?.mark(null);
}

/** Show the question again whose verdict is taken back: at once where this page holds it. */
async function backToQuestion(row, promise) {
  const item = items.find(row.task);
  if (item) {
    item.mine = null;
    await items.bring(row.task);
  }
  progress?.count(-1);
  const reply = await promise;
  if (reply && item) items.hold();
  else if (reply) await items.bring(row.task).catch((error) => toast(error.message, "bad"));
  return reply;
}

/** An admin's verdict becomes what others are measured by. */
function gold() {
  const item = items.current();
  const { kind, cause, trace, text } = item.mine;
  const request = save("do/curate/decide", {
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
  const request = save("do/curate/decide", {
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
const decisionKeys = () => [
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
  ["s", disputes ? "leave it to another" : "skip and next", once(skip)],
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
  ["p", "repair the program: edit and run again", once(repair)],
  [
    "i",
    "what I did in this session",
    () => {
      sessionSummary();
    },
  ],
];
keys("Curate", [
  ...(mayDecide ? decisionKeys() : []),
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
click("skip", skip);
click("reject", () => choose());
for (const button of document.querySelectorAll("[data-reason]")) {
  button.addEventListener("click", () => because(button.dataset.reason));
}
click("write-note", () => view?.note());
click("open-recent", () => toggleRecent());
click("open-queue", () => queueDrawer(query));
click("open-guide", () => guidelines());
click("open-session", () => sessionSummary());
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
  const before = task ? null : items.lastSeen();
  if (task) {
    items.bring(task).catch((error) => {
      toast(error.message, "bad");
      items.more();
    });
  } else if (before) items.resume(before);
  else items.more();
  draw();
} else if (task) {
  get(`data/curate/item?${new URLSearchParams({ task })}`).then(
    (item) => {
      find("desk").hidden = false;
      find("empty").hidden = true;
      view = show(item, places, { open: () => {} });
    },
    (error) => toast(error.message, "bad"),
  );
} else mayOnlyLook();
