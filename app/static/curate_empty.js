// What Curate shows where there is no question: the reasons differ, and so do their ways on.
import { amount, h } from "./dom.js";

const place = document.querySelector("[data-empty]");

function card(title, words, ...actions) {
  place.replaceChildren(
    h(
      "div.card.empty",
      {},
      h("h1", {}, title),
      words.map((text) => h("p.soft", {}, text)),
      h("p.actions", {}, actions),
    ),
  );
}

const link = (words, to) => h("a.button", { href: to }, words);

export function mayOnlyLook() {
  const words =
    "Deciding needs the role curator; ask an admin. Every question can be looked at from Browse.";
  card("You may look here, not decide", [words], link("To the questions", "browse"));
}

export function noReply(problem) {
  card("The next question did not come", [
    problem,
    "It is tried again by itself. What you decided is kept in this browser until the server has it.",
  ]);
}

function noTraces(command) {
  const words =
    "No traces are verified yet. The loop imports questions, writes programs for them, " +
    "runs them and keeps what is right; then they wait here.";
  card(
    "Nothing to curate yet",
    [words],
    h("code", {}, command),
    h("button.button", { type: "button", dataset: { copy: command } }, "Copy the command"),
    link("To the questions", "browse"),
  );
}

function noMatch(none, query) {
  const words = `${amount(none.hidden, "question")} hidden by the filter “${query.q}”.`;
  card("Nothing matches", [words], link("Show all", "curate"));
}

/** Where the questions are that this page will not bring. */
function whereabouts(none, passed) {
  const parts = [
    none.held && `${none.held} held by others`,
    none.disputed && `${none.disputed} disputed`,
    none.skipped && `${none.skipped} skipped`,
    passed && `${passed} passed over here`,
  ].filter(Boolean);
  return parts.length ? `${parts.join(", ")}.` : "Everything is decided.";
}

const EMPTY_TITLES = {
  disputed: "No dispute is left",
  skipped: "No skipped question is left",
  pending: "Queue empty",
};

function queueEmpty(none, query, passed) {
  const today = none.today ? `You decided ${none.today} today. ` : "";
  const links = [link("Take a snapshot", "curate?snapshot=1"), link("Browse", "browse")];
  if (query.state !== "pending") links.unshift(link("To the queue", "curate"));
  if (none.skipped && query.state !== "skipped") {
    links.unshift(link("Look at what was skipped", "curate?state=skipped"));
  }
  card(EMPTY_TITLES[query.state], [today + whereabouts(none, passed)], ...links);
}

/**
 * The three nothings, never mixed up: no trace yet, none that the search matches, none left.
 *
 * none     what the server said of the queue, null while it is asked
 * query    {q, state} of this page
 * passed   how many questions of this page were passed over
 */
export function nothing(none, query, passed) {
  if (!none) place.replaceChildren(h("p.soft.waiting", {}, "Fetching the next question…"));
  else if (none.kind === "nothing") noTraces(place.dataset.command);
  else if (none.kind === "filter") noMatch(none, query);
  else queueEmpty(none, query, passed);
}
