// Compare, one question: asks both sides at once, lets one vote at any moment, sends what the
// student should learn to the queue.
import { pictureInput } from "./compare_picture.js";
import { column } from "./side.js";
import { duration, h } from "./dom.js";
import { keys, inText } from "./keys.js";
import { get, newId, save, stream, toast } from "./server.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const main = document.querySelector("main.compare");
const form = find("ask");
const drop = find("drop");
const file = find("file");
const question = find("question");
const votes = find("votes");
const headline = find("headline");
const SHORT = { pipeline: "Pipeline", student: "Student" };
const NAMES = { pipeline: "Program pipeline", student: "Distilled student", base: "Base model" };
const sideNames = main.dataset.sides.split(" ");
// a finished job's, as the student; empty: the profile's
const model = () => find("model")?.value ?? "";
const mayDecide = document.body.dataset.role !== "viewer";
const sides = Object.fromEntries(
  sideNames.map((side) => [side, column(side, NAMES[side], () => cancel(side))]),
);
const warm = { pipeline: [], student: [] }; // seconds to each answer that no model had to load for
let picture = null;
let task = "";
let run = "";
let startTime = 0;
let order = ["pipeline", "student"];
let hasVote = false;
let wasSeen = false; // which side is which, once a vote has told
let examples = [];
let measurement = false;

// --- what is asked

function put(view, words = null, id = "") {
  picture = view;
  task = id;
  if (words !== null) question.value = words;
  const thumb = find("thumb");
  thumb.src = view.thumb;
  thumb.hidden = false;
  thumb.alt = "The picture chosen";
  find("hint").hidden = true;
  for (const one of Object.values(sides)) {
    one.clear();
    one.picture(view);
  }
  warm.pipeline = [];
  warm.student = [];
  headline.replaceChildren();
  votes.hidden = true;
  for (const button of find("examples").children) {
    button.setAttribute("aria-pressed", String(button.dataset.image === view.image && !id));
  }
  link();
}

function link() {
  const address = new URL(location.pathname, location.origin);
  if (task) address.searchParams.set("task", task);
  else if (picture) {
    address.searchParams.set("image", picture.image);
    address.searchParams.set("q", question.value);
  }
  if (model()) address.searchParams.set("model", model());
  history.replaceState(null, "", address);
  find("code").textContent = scriptOf(question.value || "How many cats are there?");
}

/** The same question asked from Python, and from the command line. */
function scriptOf(text) {
  const words = JSON.stringify(text);
  const digest = picture?.image ?? "DIGEST";
  const side = model() ? `side="student", model="${model()}"` : 'side="pipeline"';
  return [
    "from gradio_client import Client",
    `client = Client("${location.origin}/")`,
    `for message in client.submit("${digest}", ${words}, ${side}, api_name="/answer"):`,
    "    print(*message.values())",
    "",
    "# without the server",
    `vpd ask PICTURE ${words}`,
  ].join("\n");
}

pictureInput(drop, file, (view) => {
  put(view);
  question.focus();
});

async function any() {
  try {
    const sample = await get(`data/compare/task?but=${encodeURIComponent(task)}`);
    put(sample, sample.question, sample.task);
    return true;
  } catch (error) {
    toast(error.message, "bad");
    return false;
  }
}

question.addEventListener("input", () => {
  if (task && picture) {
    task = "";
    link();
  }
});
find("random")?.addEventListener("click", any);

// --- asking

const third = () => sideNames.includes("base") && find("base")?.checked;
const columnSides = () => [...order, ...(third() ? ["base"] : [])];

function lay() {
  const blind = find("blind").checked && !wasSeen;
  find("columns").replaceChildren(...columnSides().map((side) => sides[side].node));
  columnSides().forEach((side, index) => {
    sides[side].name(blind && side !== "base" ? `Side ${"AB"[index]}` : NAMES[side]);
    sides[side].hide(blind);
  });
  find("columns").dataset.blind = String(blind);
  const labels = votes.querySelectorAll("[data-vote] span"); // of both sides, then of neither
  order.forEach((side, at) => (labels[at].textContent = blind ? `Side ${"AB"[at]}` : SHORT[side]));
}

function ready() {
  if (!picture) {
    toast("Choose a picture first: an example, a file, or paste one.", "bad");
    drop.focus();
    return false;
  }
  if (!question.value.trim()) {
    toast("Write a question first.", "bad");
    question.focus();
    return false;
  }
  return true;
}

async function answer(side) {
  const one = sides[side];
  const mine = run;
  one.begin();
  try {
    await stream("answer", [picture.image, question.value, side, task, mine, model()], {
      onData: (message) => {
        if (mine === run) one.take(Object.values(message).flat());
      },
    });
  } catch (error) {
    if (mine === run && !one.done) one.fail(error.message);
  }
  if (mine === run && side in warm && isWarm(one.done)) warm[side].push(one.done.times.answer);
  return one.done;
}

/** Whether an answer came whole, and no model had to be loaded for it. */
function isWarm(reply) {
  if (!reply?.times || reply.failure) return false;
  return Boolean(reply.times.answer) && !reply.times.cold;
}

function fresh() {
  for (const side of Object.keys(sides)) if (sides[side].busy) cancel(side);
  run = newId();
  startTime = performance.now();
  hasVote = wasSeen = false;
  unpress();
  votes.querySelectorAll("button").forEach((button) => {
    button.disabled = !mayDecide && !("next" in button.dataset);
  });
  find("note").value = "";
}

const unpress = () =>
  votes.querySelectorAll("[aria-pressed]").forEach((one) => one.removeAttribute("aria-pressed"));

async function ask() {
  if (measurement || !ready()) return;
  fresh();
  order =
    find("blind").checked && Math.random() < 0.5
      ? ["student", "pipeline"]
      : ["pipeline", "student"];
  lay();
  link();
  votes.hidden = false;
  headline.textContent =
    "Both answer at the same time, on the same machine; for times that compare, take the 5-run median.";
  await Promise.allSettled(columnSides().map(answer));
  tell();
}

async function cancel(side) {
  await fetch("do/compare/cancel", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ run, side: side ?? null }),
    keepalive: true,
  }).catch(() => {});
}

// A page that goes away takes its program with it: the next question need not wait for it.
window.addEventListener("pagehide", () => {
  if (Object.values(sides).some((side) => side.busy)) cancel();
});

const median = (numbers) => {
  const ascending = [...numbers].sort((a, b) => a - b);
  const half = ascending.length >> 1;
  return ascending.length % 2 ? ascending[half] : (ascending[half - 1] + ascending[half]) / 2;
};

const plainAnswer = (side) => sides[side].done?.form;

/**
 * The headline: a ratio only of warm medians, of at least three answers each that nothing
 * disturbed.
 */
function tell(alone = false) {
  const { pipeline, student } = warm;
  if (!alone || Math.min(pipeline.length, student.length) < 3) return;
  if (find("blind").checked && !wasSeen) return;
  const slow = median(pipeline);
  const quick = median(student);
  const name = slow >= quick ? "Student" : "Pipeline";
  const factor = Math.max(slow, quick) / Math.min(slow, quick);
  const same = plainAnswer("pipeline") === plainAnswer("student");
  const part = (seconds, side, times) =>
    `${duration(seconds * 1000)} (${side}, n = ${times.length})`;
  const medians = `${part(slow, "pipeline", pipeline)} and ${part(quick, "student", student)}`;
  headline.replaceChildren(
    h("b", {}, `${name} ${factor.toFixed(factor < 10 ? 1 : 0)}× faster to its answer`),
    `, ${same ? "same answer" : "another answer"}: medians ${medians}, warm, one at a time.`,
  );
}

async function measure() {
  if (measurement || !ready()) return;
  measurement = true;
  find("median").disabled = true;
  fresh();
  order = ["pipeline", "student"];
  lay();
  votes.hidden = false;
  warm.pipeline = [];
  warm.student = [];
  const mine = run;
  const rounds = async () => {
    for (
      let round = 0;
      Math.min(warm.pipeline.length, warm.student.length) < 5 && round < 8;
      round++
    ) {
      for (const side of order) {
        if (warm[side].length >= 5) continue;
        const counts = order.map((name) => `${name} ${warm[name].length} of 5`).join(", ");
        headline.textContent = `Measuring: ${counts}, one at a time.`;
        const result = await answer(side);
        if (mine !== run || result?.cancelled || result?.failure) return;
      }
    }
  };
  await rounds();
  measurement = false;
  find("median").disabled = false;
  headline.textContent = "";
  tell(true);
  if (!headline.textContent) {
    headline.textContent =
      "Not measured: a side failed or was cancelled, so there are no five answers to take a median of.";
  }
}

// --- votes and the queue

async function vote(number) {
  if (votes.hidden || hasVote || !mayDecide) return;
  const choice = { 1: order[0], 2: order[1], 3: "tie", 4: "neither" }[number];
  hasVote = true;
  const blind = find("blind").checked && !wasSeen;
  wasSeen = true;
  const seconds = (performance.now() - startTime) / 1000;
  const mine = run;
  votes
    .querySelectorAll("[data-vote]")
    .forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.vote === String(number))),
    );
  await stopBoth();
  if (mine !== run) return;
  lay();
  try {
    const stored = await save("do/compare/vote", {
      run: mine,
      choice,
      left: order[0],
      blind,
      note: find("note").value,
      seconds,
    });
    toast(`Vote stored: ${choice === "neither" ? "both wrong" : choice}.`, "plain", [
      "Undo",
      () => takeBack(stored, mine),
    ]);
  } catch {
    hasVote = false;
    unpress();
  }
}

/** Take a stored vote back; the next one for this question is not blind any more. */
async function takeBack(stored, itsRun) {
  await save("do/undo", { task: stored.task, target: stored.id });
  hasVote &&= itsRun !== run;
  if (!hasVote) unpress();
}

/** A vote cuts both answers off. */
async function stopBoth() {
  if (columnSides().some((side) => sides[side].busy)) await cancel();
  const until = performance.now() + 4000;
  while (columnSides().some((side) => sides[side].busy) && performance.now() < until) {
    await new Promise((go) => setTimeout(go, 50));
  }
}

async function queue() {
  if (votes.hidden || !mayDecide) return;
  if (sides.pipeline.busy) {
    toast("The pipeline has not answered yet; the queue needs its trace.", "bad");
    return;
  }
  try {
    const { id, task: storedTask, trace } = await save("do/compare/queue", { run });
    toast("In the Curate queue.", "plain", [
      "Undo",
      () => save("do/undo", { task: storedTask, target: id }),
    ]);
    if (trace) {
      headline.replaceChildren(
        "Stored: ",
        h("a", { href: `step?trace=${encodeURIComponent(trace)}` }, "the program step by step"),
        ", ",
        h(
          "a",
          { href: `browse?q=${encodeURIComponent(`id:${storedTask}`)}` },
          "the question in Browse",
        ),
        ".",
      );
    }
  } catch {
    /* said by the outbox */
  }
}

async function next() {
  if (measurement) return;
  if (task || !examples.length) {
    if (await any()) ask();
    return;
  }
  const here = examples.findIndex((one) => one.image === picture?.image);
  const one = examples[(here + 1) % examples.length];
  put(one, one.question);
  ask();
}

function escape() {
  const busy = Object.values(sides).filter((one) => one.busy);
  if (!busy.length) return false;
  const inside = busy.find((one) => one.node.contains(document.activeElement));
  cancel(inside?.side);
  return true;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
find("median").addEventListener("click", measure);
find("blind").addEventListener("change", () => {
  if (!columnSides().some((side) => sides[side].busy)) lay();
});
find("base")?.addEventListener("change", lay);
find("model")?.addEventListener("change", () => {
  sides.student.clear();
  if (picture) sides.student.picture(picture);
  warm.student = [];
  headline.replaceChildren();
  votes.hidden = true;
  link();
});
votes.addEventListener("click", (event) => {
  const button = event.target.closest("[data-vote]");
  if (button) vote(Number(button.dataset.vote));
});
find("queue").addEventListener("click", queue);
find("next").addEventListener("click", next);
find("copy-code").addEventListener("click", () =>
  navigator.clipboard.writeText(find("code").textContent).then(
    () => toast("Copied."),
    () => toast("The browser does not let it be copied.", "bad"),
  ),
);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && inText(event.target)) escape();
});

keys(
  "Compare",
  /** @type {[string, string, () => unknown][]} */ ([
    ["1", "the pipeline was better", () => vote(1)],
    ["2", "the student was better", () => vote(2)],
    ["3", "a tie", () => vote(3)],
    ["4", "both wrong", () => vote(4)],
    ["q", "the question, with both marks, to the queue", queue],
    ["Enter", "next question", next],
    ["Escape", "cancel what is under way (of the column in focus, else of all)", escape],
  ]).map(([key, words, work]) => [key, words, () => (find("all").hidden ? work() : false)]),
);

// --- where one comes from

const all = () => new URL(location.href).searchParams.get("mode") === "all";

function tab() {
  find("all").hidden = !all();
  document.querySelector("#live").hidden = all();
  document
    .querySelectorAll("[data-tab]")
    .forEach((one) =>
      one.setAttribute("aria-selected", String((one.dataset.tab === "all") === all())),
    );
}

function chooseModel(job) {
  if (find("model")?.querySelector(`option[value="${CSS.escape(job)}"]`)) {
    find("model").value = job;
  } else toast("This job has no finished model; the profile's student answers.", "bad");
}

async function loadExamples() {
  examples = await get("data/compare/examples");
  find("examples").replaceChildren(
    ...examples.map((one) =>
      h(
        "button",
        {
          type: "button",
          title: one.question,
          "aria-label": `Example: ${one.question}`,
          "aria-pressed": "false",
          dataset: { image: one.image },
          onclick: () => put(one, one.question),
        },
        h("img", { src: one.thumb, alt: "", loading: "lazy" }),
      ),
    ),
  );
}

/** What the address names: a question of the project, a picture, or else the first example. */
async function begin(params, offer) {
  const id = params.get("task");
  const digest = params.get("image");
  if (id) {
    const sample = await get(`data/compare/task?id=${encodeURIComponent(id)}`);
    put(sample, sample.question, sample.task);
  } else if (digest) {
    const image = await get(`data/compare/picture?digest=${encodeURIComponent(digest)}`);
    put(image, params.get("q") ?? "");
  } else {
    await offer;
    if (examples.length && !picture) put(examples[0], examples[0].question);
  }
}

async function start() {
  tab();
  if (all()) return;
  lay();
  const params = new URL(location.href).searchParams;
  if (params.get("model")) chooseModel(params.get("model"));
  const offer = loadExamples();
  try {
    await begin(params, offer);
  } catch (error) {
    toast(error.message, "bad");
  }
  link();
}

start();
