// What the views of the Train page share: states, figures, what one may do with a job, and asking
// before a deletion.
import { duration, h } from "./dom.js";
import { post, toast } from "./server.js";

/** @typedef {import("../js/types").JobListing} JobListing */

export const main = document.querySelector("main.train");
export const admin = document.body.dataset.role === "admin";
export const FINAL = ["done", "failed", "stopped"];

const SIGNS = { queued: "…", running: "▶", stopping: "◼", stopped: "◼", failed: "✗", done: "✓" };
const KINDS = {
  queued: "none",
  running: "busy",
  stopping: "busy",
  stopped: "none",
  failed: "wrong",
  done: "right",
};

/**
 * A state: a sign and a word; a job that gives no sign of life is not called running.
 * @param {JobListing} job
 */
export function state(job) {
  if (job.silent) {
    return h(
      "span.verdict.wrong",
      { dataset: { state: "silent" } },
      h("b", { "aria-hidden": "true" }, "?"),
      `no sign for ${Math.round(job.silent)} s`,
    );
  }
  const words = job.state === "queued" && job.place ? `queued, place ${job.place}` : job.state;
  return h(
    `span.verdict.${KINDS[job.state]}`,
    { dataset: { state: job.state } },
    h("b", { "aria-hidden": "true" }, SIGNS[job.state]),
    words,
  );
}

export const percent = (share) =>
  share === null || share === undefined ? "–" : `${(100 * share).toFixed(1)} %`;
const timeLeft = (seconds) =>
  seconds === null || seconds === undefined ? "" : `${duration(1000 * seconds)} left`;
/** @param {{ name: string, id: string }} job */
export const nameOf = (job) => job.name || job.id;

/**
 * Right on the held-out side, with its interval.
 * @param {JobListing} job
 */
export function right(job) {
  if (!job.of) return "–";
  const [low, high] = job.interval.map((share) => (100 * share).toFixed(0));
  return `${percent(job.accuracy)} of ${job.of} (${low} to ${high})`;
}

/** @param {JobListing} job */
function progressWords(job) {
  if (!job.total) return job.phase || "";
  const share = Math.round((100 * job.step) / job.total);
  const words = [`${job.step} of ${job.total} steps, ${share} %`];
  if (job.state === "running" && job.eta) words.push(timeLeft(job.eta));
  if (job.state === "running" && job.phase && job.phase !== "training") words.push(job.phase);
  return words.join(" · ");
}

/** @param {JobListing} job */
export function progress(job) {
  return h(
    "div.progress",
    {},
    h("progress", {
      max: job.total || 1,
      value: job.step,
      "aria-label": `Step ${job.step} of ${job.total}`,
    }),
    h("span.small.soft.number", {}, progressWords(job)),
  );
}

async function act(path, body, after) {
  try {
    await post(path, body);
    await after?.();
    return true;
  } catch (error) {
    toast(error.message, "bad");
    return false;
  }
}

const button = (words, work, extra = {}) =>
  h(
    "button.button.small",
    {
      type: "button",
      onclick: async (event) => {
        event.currentTarget.disabled = true;
        const node = event.currentTarget;
        await work();
        node.disabled = false;
      },
      ...extra,
    },
    words,
  );

/**
 * Buttons for what may be done with a job now.  `again` is called afterwards; `full`: on its own
 * page.
 * @param {JobListing} job
 */
export function actions(job, again, full = false, jobs = []) {
  const out = admin ? adminActions(job, again, full, jobs) : [];
  if (job.state === "done") {
    out.push(h("a.button.small", { href: `compare?model=${job.id}` }, "Open in Compare"));
  }
  return out;
}

/** @param {JobListing} job */
function adminActions(job, again, full, jobs) {
  const out = (ACTIONS[job.state] ?? (() => []))(job, again, jobs);
  if (full && ["stopped", "failed"].includes(job.state) && job.resume) {
    out.push(h("span.small.soft", {}, `Resume is not possible: ${job.resume}.`));
  }
  const href = `train?new=1&from=${job.id}`;
  out.push(h("a.button.small", { href, title: "Its settings again, with changes" }, "Clone"));
  if (full && !["running", "stopping"].includes(job.state)) {
    out.push(button("Delete…", () => erase(job)));
  }
  return out;
}

const stop = (words, job, again, store, title = null) =>
  button(words, () => act("do/train/stop", { job: job.id, save: store }, again), { title });

/** @param {JobListing} job */
function queueActions(job, again, jobs) {
  const queueLength = jobs.filter((one) => one.state === "queued").length;
  const move = (by) => () => act("do/train/move", { job: job.id, place: job.place + by }, again);
  return [
    button("↑", move(-1), {
      "aria-label": `${nameOf(job)}: earlier`,
      title: "Earlier",
      disabled: job.place === 1,
    }),
    button("↓", move(1), {
      "aria-label": `${nameOf(job)}: later`,
      title: "Later",
      disabled: job.place >= queueLength,
    }),
    stop("Take out", job, again, true),
  ];
}

const stopNow = (job, again) =>
  stop("Stop now", job, again, false, "At once; it can go on from its last checkpoint");

const stopActions = (job, again) => [
  stop("Stop and save", job, again, true, "After the step at hand, with a checkpoint"),
  stopNow(job, again),
];

const resumeActions = (job, again) => [
  button("Resume", () => act("do/train/resume", { job: job.id }, again), {
    disabled: Boolean(job.resume),
    title: job.resume ? `Not possible: ${job.resume}` : "From its last checkpoint",
  }),
];

/** By state: what may be done besides cloning and deleting. */
const ACTIONS = {
  queued: queueActions,
  running: stopActions,
  stopping: (job, again) => [stopNow(job, again)],
  stopped: resumeActions,
  failed: resumeActions,
};

/**
 * Ask, by typing, before a job goes with its checkpoints and its model.
 * @param {JobListing} job
 */
function erase(job) {
  const box = document.querySelector("[data-dialog]");
  const word = job.id.slice(0, 6);
  const field = h("input.field.mono", {
    "aria-label": `Type ${word} to delete`,
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 12,
    oninput: () => {
      go.disabled = field.value.trim() !== word;
    },
  });
  const go = h("button.button.bad", { disabled: true }, "Delete for ever");
  const form = h(
    "form",
    {
      method: "dialog",
      onsubmit: async (event) => {
        event.preventDefault();
        if (field.value.trim() === word && (await act("do/train/delete", { job: job.id }))) {
          location.assign("train");
        }
      },
    },
    h(
      "p",
      {},
      "Its settings, figures, checkpoints and ",
      h("b", {}, job.state === "done" ? "its finished model" : "whatever it has learned"),
      " go. The snapshot stays.",
    ),
    h("label.typed", {}, h("span", {}, "Type ", h("b.mono", {}, word), " to delete it"), field),
    h(
      "div.actions",
      {},
      h("button.button", { type: "button", onclick: () => box.close() }, "Keep it"),
      go,
    ),
  );
  box.replaceChildren(
    h("div.head", {}, h("h2", { id: "dialog-title" }, `Delete ${nameOf(job)}?`)),
    form,
  );
  box.showModal();
  field.focus();
}

/** A block of text with a button that copies it. */
export function copyBlock(title, text) {
  return h(
    "section.copied",
    {},
    h(
      "div.head",
      {},
      h("h3", {}, title),
      h("button.button.small", { type: "button", dataset: { copy: text } }, "Copy"),
    ),
    h("pre", { tabindex: "0" }, text),
  );
}
