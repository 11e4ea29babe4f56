// One job: its state, why it failed, its curves, its answers on the fixed held-out pictures, its
// model card.
import { h } from "./dom.js";
import { get } from "./server.js";
import { actions, admin, nameOf, copyBlock, main, progress, right, state } from "./train_parts.js";
import { curves } from "./train_plots.js";

/** @typedef {import("../js/types").CheckpointAnswer} CheckpointAnswer */
/** @typedef {import("../js/types").FixedAnswer} FixedAnswer */
/** @typedef {import("../js/types").JobDetail} JobDetail */

const CHANGES = {
  improved: ["right", "improved"],
  broke: ["wrong", "broke"],
  same: ["none", "same"],
};
const MOST = 6; // answers of one question, the first and the newest among them

/** The view of one job in `place`; `look(jobs)` keeps it up to date. */
export async function job(place, id, bell, again) {
  let now = await get(`data/train/job?job=${encodeURIComponent(id)}`);
  let lastText = "";
  const title = document.querySelector("[data-title]");
  title.textContent = nameOf(now);
  title.classList.add("hostile");
  document.title = `${nameOf(now)} · VPD Workbench`;
  const parts = {
    top: h("div"),
    plots: h("div", { "aria-label": "Curves" }),
    answers: h("div"),
    end: h("div"),
    more: h("div"),
  };
  place.replaceChildren(parts.top, parts.plots, parts.answers, parts.end, parts.more);
  const run = { id: now.id, name: now.name, checkpoints: now.checkpoints, best: now.best };
  const plots = curves(parts.plots, main.dataset.library, [run]);

  function fill() {
    Object.assign(run, { checkpoints: now.checkpoints, best: now.best });
    parts.top.replaceChildren(
      h(
        "div.job-top.card",
        { dataset: { state: now.state } },
        h(
          "div.job-facts",
          {},
          state(now),
          progress(now),
          now.state === "done" ? result(now) : null,
          h(
            "p.small.soft",
            {},
            [
              now.objective,
              now.method,
              now.student,
              now.snapshot && `snapshot ${now.snapshot.slice(0, 12)}`,
            ]
              .filter(Boolean)
              .join(" · "),
            " · ",
            h("span.mono", {}, now.id),
          ),
        ),
        h("div.acts", {}, bell(), actions(now, again, true)),
      ),
      ...failure(now),
    );
    parts.answers.replaceChildren(...answers(now));
    parts.end.replaceChildren(...card(now));
    const open = [...parts.more.querySelectorAll("details")].map((one) => one.open);
    parts.more.replaceChildren(...more(now));
    parts.more.querySelectorAll("details").forEach((one, index) => {
      one.open = open[index] ?? false;
    });
  }

  fill();
  await plots.look();
  return {
    async look(jobs) {
      const brief = jobs.find((one) => one.id === now.id);
      const text = JSON.stringify(brief ?? null);
      const news = await plots.look();
      if (text === lastText && !news) return;
      lastText = text;
      if (parts.top.contains(document.activeElement) && brief?.state === now.state) {
        now = { ...now, ...brief };
        parts.top.querySelector(".progress")?.replaceWith(progress(now));
        return;
      }
      now = await get(`data/train/job?job=${encodeURIComponent(id)}`);
      fill();
    },
  };
}

/** @param {JobDetail} now */
function result(now) {
  const none = now.first === null || now.first === undefined;
  const start = none ? "" : `, ${(100 * now.first).toFixed(1)} % before training`;
  const words = h("span.soft", {}, ` held-out questions right${start}`);
  return h("p", {}, h("b", {}, right(now)), words);
}

/** @param {JobDetail} now */
function failure(now) {
  if (!now.failure) return [];
  const { cause, text, advice, change } = now.failure;
  const keys = Object.entries(change ?? {});
  const query = new URLSearchParams({ new: "1", from: now.id, change: JSON.stringify(change) });
  const address = `train?${query}`;
  return [
    h(
      "section.card.why-failed",
      { "aria-label": "Why it failed" },
      h("h2", {}, `Failed: ${cause}`),
      h("p.hostile", {}, text),
      h("p", {}, advice),
      admin && keys.length
        ? h(
            "p.actions",
            {},
            h(
              "a.button.main",
              { href: address },
              `Clone with ${keys.map(([key, value]) => `${key} = ${value}`).join(", ")}`,
            ),
          )
        : null,
      h(
        "details",
        { open: true },
        h("summary", {}, `The last ${now.log.length} lines of the log`),
        h("pre.log", { tabindex: "0" }, now.log.join("\n") || "(empty)"),
      ),
    ),
  ];
}

/** @param {JobDetail} now */
function answers(now) {
  if (!now.answers.length) return [];
  const count = (kind) => now.answers.filter((one) => one.change === kind).length;
  return [
    h(
      "section.card.fixed",
      { "aria-label": "The same held-out pictures at each checkpoint" },
      h(
        "div.head",
        {},
        h("h2", {}, "The same held-out pictures at each checkpoint"),
        h(
          "p.soft.small",
          {},
          `${count("improved")} improved, ${count("broke")} broke, ${count("same")} the same since the start`,
        ),
      ),
      h("ul.pictures", {}, now.answers.map(answerLine)),
    ),
  ];
}

/**
 * What the student said of one question at one checkpoint.
 * @param {CheckpointAnswer | null} reply
 */
function replyLine(reply) {
  if (!reply) return h("li.soft", {}, "…");
  const [name, sign, word] =
    reply.right >= 0.5 ? ["good", "✓ ", "right: "] : ["bad", "✗ ", "wrong: "];
  return h(
    `li.${name}`,
    {},
    h("span.small.soft", {}, reply.step ? `step ${reply.step}` : "before"),
    h(
      "span.answer",
      {},
      h("b", { "aria-hidden": "true" }, sign),
      h("span.hidden-text", {}, word),
      reply.answer || "(nothing)",
      reply.cut ? h("span.small.soft", {}, " (cut)") : null,
    ),
  );
}

/** @param {FixedAnswer} answer */
function thumb({ thumb: src, task }) {
  if (!src) return h("span.gone.small.soft", {}, "picture not in the project");
  return h(
    "a",
    { href: `step?task=${encodeURIComponent(task)}`, title: task },
    h("img", { src, alt: "", loading: "lazy" }),
  );
}

/** @param {FixedAnswer} one */
function answerLine(one) {
  const [kind, words] = CHANGES[one.change];
  const spare = one.answers.length - MOST;
  const rows = spare > 0 ? [one.answers[0], null, ...one.answers.slice(spare + 1)] : one.answers;
  return h(
    "li",
    { dataset: { change: one.change } },
    thumb(one),
    h(
      "div",
      {},
      h("p.asked", {}, one.question),
      h("p.small.soft", {}, "label: ", h("b", {}, one.gold)),
      h("ol.said", {}, rows.map(replyLine)),
      h(`span.verdict.${kind}`, {}, words),
    ),
  );
}

/** @param {JobDetail} now */
function card(now) {
  if (!now.card) return [];
  return [
    h(
      "section.card.model",
      { "aria-label": "Model card" },
      h(
        "div.head",
        {},
        h("h2", {}, "Model card, a draft"),
        h(
          "p.actions",
          {},
          h("a.button.main", { href: `compare?model=${now.id}` }, "Open in Compare"),
          admin
            ? h("a.button", { href: `train?new=1&student=${now.id}` }, "Train on from it")
            : null,
        ),
      ),
      h("div.card-text", {}, cardText(now.card)),
      h("p.small.soft.mono.path", {}, now.model),
    ),
  ];
}

/** A model card as text: headings and paragraphs, nothing else of Markdown. */
function cardText(text) {
  return text
    .replace(/^---\n[\s\S]*?\n---\n/, "")
    .trim()
    .split(/\n{2,}/)
    .map((part) => {
      const heading = /^#+ (.*)$/.exec(part);
      return heading ? h("h3", {}, heading[1]) : h("p", {}, codePieces(part));
    });
}

const codePieces = (text) =>
  text.split(/`([^`]*)`/).map((piece, index) => (index % 2 ? h("code", {}, piece) : piece));

/** @param {JobDetail} now */
function more(now) {
  return [
    now.failure
      ? null
      : h(
          "details.card.fold",
          {},
          h("summary", {}, "Log"),
          h("pre.log", { tabindex: "0" }, now.log.join("\n") || "(empty)"),
        ),
    h(
      "details.card.fold",
      {},
      h("summary", {}, "Settings, and the same from the command line"),
      copyBlock("Command", now.command),
      copyBlock("job.toml", now.toml),
      copyBlock("Follow it", `vpd jobs show ${now.id}`),
    ),
  ].filter(Boolean);
}
