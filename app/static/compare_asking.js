// Compare asks: one question of each side, or five times for a median.
import { cancel, find, headline, lay, model, openVotes } from "./compare_state.js";
import { question, sides, state } from "./compare_state.js";
import { duration, h } from "./dom.js";
import { newId, stream, toast } from "./server.js";

/** Whether there is something to ask; says what is missing. */
export function ready() {
  if (!state.picture) {
    toast("Choose a picture first: an example, a file, the camera, or paste one.", "bad");
    find("drop").focus();
    return false;
  }
  if (!question.value.trim()) {
    toast("Write a question first.", "bad");
    question.focus();
    return false;
  }
  return true;
}

/** Another question begins: what is under way ends, and nobody has voted. */
export function fresh() {
  for (const side of Object.keys(sides)) if (sides[side].busy) cancel(side);
  state.run = newId();
  state.startTime = performance.now();
  openVotes();
}

/** Ask one side; gives the last of its news. */
export async function answer(side) {
  const one = sides[side];
  const mine = state.run;
  one.begin();
  try {
    await stream("answer", [state.picture.image, question.value, side, state.task, mine, model()], {
      onData: (message) => {
        if (mine === state.run) one.take(Object.values(message).flat());
      },
    });
  } catch (error) {
    if (mine === state.run && !one.done) one.fail(error.message);
  }
  if (mine === state.run && side in state.warm && isWarm(one.done)) {
    state.warm[side].push(one.done.times.answer);
  }
  return one.done;
}

/** Whether an answer came whole, and no model had to be loaded for it. */
function isWarm(reply) {
  if (!reply?.times || reply.failure) return false;
  return Boolean(reply.times.answer) && !reply.times.cold;
}

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
function tell() {
  const { pipeline, student } = state.warm;
  if (Math.min(pipeline.length, student.length) < 3) return;
  if (find("blind").checked && !state.wasSeen) return;
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

/** Asks each side five times, one after another, and tells the medians. */
export async function measure() {
  if (state.measuring || !ready()) return;
  state.measuring = true;
  find("median").disabled = true;
  fresh();
  state.order = ["pipeline", "student"];
  lay();
  state.warm.pipeline = [];
  state.warm.student = [];
  const mine = state.run;
  const rounds = async () => {
    for (
      let round = 0;
      Math.min(state.warm.pipeline.length, state.warm.student.length) < 5 && round < 8;
      round++
    ) {
      for (const side of state.order) {
        if (state.warm[side].length >= 5) continue;
        const counts = state.order
          .map((name) => `${name} ${state.warm[name].length} of 5`)
          .join(", ");
        headline.textContent = `Measuring: ${counts}, one at a time.`;
        const result = await answer(side);
        if (mine !== state.run || result?.cancelled || result?.failure) return;
      }
    }
  };
  await rounds();
  state.measuring = false;
  find("median").disabled = false;
  headline.textContent = "";
  tell();
  if (!headline.textContent) {
    headline.textContent =
      "Not measured: a side failed or was cancelled, so there are no five answers to take a median of.";
  }
}
