// The job of the loop that works, or the one that did so last: how far it is, what came of it, and
// what can be done with it.
import { amount, duration, h } from "./dom.js";

/** @typedef {import("../js/types").LoopJob} LoopJob */

const admin = document.body.dataset.role === "admin";
const STAGES = ["import", "sample", "execute", "verify", "rationalize", "predict"];
const WORDS = {
  import: "reading questions",
  sample: "writing programs",
  execute: "running programs",
  verify: "judging answers",
  rationalize: "telling what was kept in prose",
  predict: "asking the student",
};

/** @param {LoopJob | null} job */
export const busy = (job) => job?.state === "running" || job?.state === "stopping";

/** @param {LoopJob} job */
function title(job) {
  const questions = amount(job.questions, "question");
  const of = job.split ? ` of split ${job.split}` : "";
  const what =
    job.work === "import"
      ? `import of ${questions}${of} from ${job.source.split("/").pop()}`
      : `run of ${questions}${of}`;
  const words = {
    running: `A ${what} is under way`,
    stopping: `Stopping the ${what}`,
    stopped: `The ${what} was stopped`,
    failed: `The ${what} broke off`,
    done: `The ${what} is done`,
  };
  return words[job.state].replace(/^A import/, "An import");
}

/** @param {LoopJob} job */
function far(job) {
  if (!job.stage) return "starting its process…";
  if (job.stage === "load") return "loading the models; this may take a minute";
  const words = [WORDS[job.stage]];
  if (job.work === "run" && job.stage !== "import") {
    words[0] = `stage ${STAGES.indexOf(job.stage)} of ${STAGES.length - 1}, ${words[0]}`;
  }
  if (job.total) {
    words.push(
      `${job.done.toLocaleString("en")} of ${amount(job.total, job.unit.replace(/^tasks$/, "questions").replace(/s$/, ""))}`,
    );
  }
  if (job.left !== null) words.push(`about ${duration(1000 * job.left)} left`);
  else if (job.stage_left !== null) {
    words.push(`about ${duration(1000 * job.stage_left)} left in this stage`);
  }
  return words.join(" · ");
}

/** @param {LoopJob} job */
const bar = (job) =>
  h("progress", {
    max: job.total || 1,
    value: job.total ? job.done : null,
    "aria-label": `${job.stage || "start"}: ${job.done} of ${job.total}`,
  });

/** @param {LoopJob} job */
function said(job) {
  if (busy(job)) return [bar(job), h("p.number", { dataset: { far: "" } }, far(job))];
  if (job.state === "failed") return [h("p.problem.hostile", { role: "alert" }, job.problem)];
  if (job.state === "stopped") {
    return [h("p", {}, "What was written is kept; going on does the rest.")];
  }
  return job.notes.map((note) => h("p.hostile", {}, note));
}

const link = (href, words) => h("a.button.small", { href }, words);

/** @param {LoopJob} job */
function acts(job, waiting, order) {
  if (job.state === "done") {
    return job.work === "run"
      ? [link("browse?sort=newest", "See them in Browse"), link("curate", "Curate")]
      : [link("browse", "See them in Browse")];
  }
  if (!admin) return [];
  const press = (address, words, kind = "") =>
    h(
      `button.button.small${kind}`,
      { type: "button", onclick: () => order(address, { job: job.id }) },
      words,
    );
  if (job.state === "running") return [press("do/start/stop", "Stop")];
  if (job.state === "stopping") return [press("do/start/stop", "End at once", ".bad")];
  return [press("do/start/resume", "Go on", ".main")];
}

/** @param {LoopJob} job */
const by = (job) => `${job.person} · ${duration(1000 * Math.max(job.seconds, 0))}`;

/**
 * The nodes of the card; `order(address, body)` asks the server for something.
 * @param {LoopJob} job
 */
export const work = (job, waiting, order) => [
  h(
    "div.head",
    {},
    h("h2", { dataset: { state: job.state } }, title(job)),
    h("span.small.soft.number", {}, by(job)),
    h("span.acts", {}, acts(job, waiting, order)),
  ),
  h("div.said", {}, said(job)),
];
