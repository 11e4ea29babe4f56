// Compare, one question: asks both sides at once, lets one vote at any moment, sends what the
// student should learn to the queue.  The address carries picture, question and answers.
import { answer, fresh, measure, ready } from "./compare_asking.js";
import { pictureInput } from "./compare_picture.js";
import { cancel, columnSides, find, form, headline, isBusy } from "./compare_state.js";
import { lay, model, openVotes, question, sides, state, votes } from "./compare_state.js";
import { queue, vote } from "./compare_votes.js";
import { dateTime, h } from "./dom.js";
import { keys, inText } from "./keys.js";
import { get, toast } from "./server.js";

let examples = [];
const isNarrow = () => matchMedia("(max-width: 860px)").matches;

// --- what is asked

function put(view, words = null, id = "") {
  state.picture = view;
  state.task = id;
  state.run = "";
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
  state.warm.pipeline = [];
  state.warm.student = [];
  headline.replaceChildren();
  votes.hidden = true;
  for (const button of find("examples").children) {
    button.setAttribute("aria-pressed", String(button.dataset.image === view.image && !id));
  }
  lay();
  link();
}

/** The address names the picture, the question, and the answers where there are some. */
function link() {
  const address = new URL(location.pathname, location.origin);
  if (state.task) address.searchParams.set("task", state.task);
  else if (state.picture) {
    address.searchParams.set("image", state.picture.image);
    address.searchParams.set("q", question.value);
  }
  if (state.run) address.searchParams.set("run", state.run);
  if (model()) address.searchParams.set("model", model());
  history.replaceState(null, "", address);
  find("copy-link").hidden = !state.run;
  find("code").textContent = scriptOf(question.value || "How many cats are there?");
}

/** The same question asked from Python, and from the command line. */
function scriptOf(text) {
  const words = JSON.stringify(text);
  const digest = state.picture?.image ?? "DIGEST";
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

pictureInput(find("drop"), find("file"), (view) => {
  put(view);
  if (view.change) toast(`The picture was ${view.change}.`);
  question.focus();
});

async function any() {
  try {
    const sample = await get(`data/compare/task?but=${encodeURIComponent(state.task)}`);
    put(sample, sample.question, sample.task);
    return true;
  } catch (error) {
    toast(error.message, "bad");
    return false;
  }
}

question.addEventListener("input", () => {
  if (!state.picture || !(state.task || state.run)) return;
  state.task = "";
  if (!isBusy()) {
    state.run = "";
    votes.hidden = true; // what stands below was said of another question
  }
  link();
});
find("random")?.addEventListener("click", any);

// --- asking

async function ask() {
  if (state.measuring || !ready()) return;
  fresh();
  state.order =
    find("blind").checked && Math.random() < 0.5
      ? ["student", "pipeline"]
      : ["pipeline", "student"];
  lay();
  link();
  headline.textContent =
    "Both answer at the same time, on the same machine; for times that compare, take the 5-run median.";
  if (isNarrow()) {
    document.activeElement?.blur(); // the keyboard of a phone would cover the answers
    find("board").scrollIntoView({ block: "nearest" });
  }
  await Promise.allSettled(columnSides().map(answer));
}

// A page that goes away takes its program with it: the next question need not wait for it.
window.addEventListener("pagehide", () => {
  if (isBusy()) cancel();
});

async function next() {
  if (state.measuring) return;
  if (state.task || !examples.length) {
    if (await any()) ask();
    return;
  }
  const here = examples.findIndex((one) => one.image === state.picture?.image);
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
  if (!isBusy()) lay();
});
find("base")?.addEventListener("change", lay);
find("model")?.addEventListener("change", () => {
  sides.student.clear();
  if (state.picture) sides.student.picture(state.picture);
  state.warm.student = [];
  state.run = "";
  headline.replaceChildren();
  votes.hidden = true;
  lay();
  link();
});
votes.addEventListener("click", (event) => {
  const button = event.target.closest("[data-vote]");
  if (button) vote(Number(button.dataset.vote));
});
find("queue").addEventListener("click", queue);
find("next").addEventListener("click", next);
const copy = (text) =>
  navigator.clipboard.writeText(text).then(
    () => toast("Copied."),
    () => toast("The browser does not let it be copied.", "bad"),
  );
find("copy-code").addEventListener("click", () => copy(find("code").textContent));
find("copy-link").addEventListener("click", () => copy(location.href));
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

/** The answers that the address carries, as they were given. */
async function showAnswers(run) {
  const one = await get(`data/compare/answers?run=${encodeURIComponent(run)}`);
  put(one.picture, one.picture.question, one.picture.task);
  state.run = run;
  if (one.sides.base && find("base")) find("base").checked = true;
  openVotes();
  state.wasSeen = true; // the names stand there
  votes.hidden = !one.votable;
  lay();
  for (const [side, news] of Object.entries(one.sides)) sides[side]?.take(news);
  headline.textContent = `Answered ${dateTime(one.at)}. Ask gives the question to both again.`;
}

/** What the address names: answers, a question of the project, a picture, or the first example. */
async function begin(params, offer) {
  if (params.get("run")) {
    try {
      await showAnswers(params.get("run"));
      return;
    } catch (error) {
      toast(error.message, "bad"); // the picture and the question may still be there
    }
  }
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
    if (examples.length && !state.picture) put(examples[0], examples[0].question);
  }
}

async function start() {
  tab();
  if (all()) return;
  if (isNarrow()) find("more").open = false;
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
