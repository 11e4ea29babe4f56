// One question on screen: the player at the left, and at the right what is asked, what the programs
// say, and the rationale.
import { h, verdict } from "./dom.js";
import { keyMark } from "./keys.js";
import { mount } from "./player.js";
import { get } from "./server.js";

const VERBS = { accept: "accepted", reject: "rejected", skip: "skipped" };
const query = (path, values) => `${path}?${new URLSearchParams(values)}`;
const draftKey = (item) => `vpd-draft ${document.body.dataset.scope} ${item.task}`;

/** Words in an unfinished note or rationale outlive a reload. */
export function keepDraft(item) {
  const { note, edits } = item;
  try {
    if (note || Object.keys(edits ?? {}).length) {
      sessionStorage.setItem(draftKey(item), JSON.stringify({ note, edits }));
    } else sessionStorage.removeItem(draftKey(item));
  } catch {
    /* private window */
  }
}

export function dropDraft(item) {
  item.note = "";
  item.edits = {};
  keepDraft(item);
}

function draftOf(item) {
  if (item.edits) return;
  let draft = {};
  try {
    draft = JSON.parse(sessionStorage.getItem(draftKey(item)) ?? "{}");
  } catch {
    /* private window */
  }
  item.note = draft.note ?? "";
  item.edits = draft.edits ?? {};
}

const missingRun = (candidate) =>
  candidate ? "Loading the run…" : "No program of this question has been run.";

/** Why there is no rationale, where there is none. */
function missingRationale(candidate) {
  if (!candidate || candidate.rationale) return null;
  const words =
    candidate.answer === null
      ? "A run without an answer has no rationale."
      : "No rationale was written for this run; accepted, it teaches the answer alone.";
  return h("p.soft.none", {}, words);
}

const crumbs = (item) =>
  h(
    "p.crumbs",
    {},
    h("a", { href: query("step", { task: item.task }), title: "Open in Step" }, item.task),
    item.family ? ` · ${item.family}` : "",
    item.why ? h("span.chip", { title: "Why it comes now" }, item.why) : "",
  );

function choices(item) {
  if (!item.choices.length) return null;
  const choice = (text, index) =>
    h("span", {}, h("b", {}, String.fromCharCode(65 + index)), ` ${text}`);
  return h("p.soft.choices", {}, item.choices.map(choice));
}

/** The expected answer beside the program's. */
function answers(item, candidate) {
  const pair = (name, value) => h("div", {}, h("dt", {}, name), h("dd", { tabindex: "0" }, value));
  const rows = [pair("Expected", item.gold || h("span.soft", {}, "no label"))];
  if (candidate) {
    const none = h(
      "span.verdict.failed",
      {},
      h("b", { "aria-hidden": "true" }, "!"),
      h("span", {}, "no answer"),
    );
    rows.push(pair(`Program ${candidate.number} says`, candidate.answer ?? none));
  }
  return h("dl.answers", {}, rows);
}

function problemOf(candidate) {
  if (!candidate?.problem) return null;
  return h("p.problem.small.failure", { tabindex: "0" }, candidate.problem);
}

function editButton(candidate, edit) {
  if (!candidate?.rationale) return null;
  return h(
    "button.button.small",
    { type: "button", onclick: edit },
    "Edit ",
    keyMark("Curate", "e"),
  );
}

/**
 * Draw an item.  `places` are the elements {player, side}; `actions` {wrong(step), open(index),
 * keep(), repair()}.  Returns what keys need: {player, candidate, wording(), edit(), note(hint)}.
 */
export function show(item, places, actions) {
  draftOf(item);
  const candidate = item.candidates[item.at];
  const rationale = h("div.vpd-player.told-place");
  const player = candidate?.model
    ? mountPlayer(item, candidate, places.player, rationale, actions)
    : null;
  if (!player) {
    places.player.replaceChildren(
      h("section.vp-picture", {}, h("p.vp-missing", {}, missingRun(candidate))),
    );
  }
  const note = h("textarea.field.note", {
    rows: 2,
    maxlength: 4000,
    "aria-label": "Note",
    placeholder: "A note, kept with the decision",
    oninput: () => {
      item.note = note.value;
      keepDraft(item);
    },
  });
  note.value = item.note;
  const notes = h(
    "div.note-place",
    { hidden: !item.note },
    h("h2", {}, "Note"),
    note,
    h(
      "p.soft.small",
      {},
      h("kbd", {}, "Ctrl Enter"),
      " decides with it. ",
      actions.keep
        ? h(
            "button.button.plain.small",
            { type: "button", onclick: actions.keep },
            "Keep it without deciding",
          )
        : "",
    ),
  );
  const area = h("textarea.field.wording", {
    maxlength: 8000,
    "aria-label": "Rationale",
    oninput: () => {
      item.edits[candidate.trace] = area.value;
      warning.hidden = true;
      keepDraft(item);
    },
  });
  const warning = h("div.problem.small.faults", { role: "alert", hidden: true });
  const editor = h(
    "div.edit-place",
    { hidden: true },
    area,
    warning,
    h(
      "p.soft.small",
      {},
      h("kbd", {}, "Ctrl Enter"),
      " saves this wording, accepts and goes on. ",
      h("button.button.plain.small", { type: "button", onclick: () => stop(true) }, "Discard"),
    ),
  );

  function edit() {
    if (!candidate?.rationale) return false;
    area.value = item.edits[candidate.trace] ?? candidate.text;
    editor.hidden = false;
    rationale.hidden = true;
    area.style.height = `${Math.min(Math.max(area.scrollHeight + 4, 96), 320)}px`;
    area.focus();
    return true;
  }
  function stop(discard = false) {
    if (discard) {
      delete item.edits[candidate.trace];
      keepDraft(item);
    }
    editor.hidden = true;
    rationale.hidden = false;
  }
  const wording = () => {
    const words = candidate && item.edits[candidate.trace];
    return words?.trim() && words !== candidate.text ? words : null;
  };

  places.side.replaceChildren(
    ...[
      crumbs(item),
      h("h1", { dataset: { question: item.task } }, item.question),
      choices(item),
      banner(item),
      answers(item, candidate),
      problemOf(candidate),
      tabs(item, actions),
      h("div.told-head", {}, h("h2", {}, "Rationale"), editButton(candidate, edit)),
      rationale,
      editor,
      notes,
      opinions(item, candidate, actions),
    ].filter(Boolean),
  );
  const none = missingRationale(candidate);
  if (none) rationale.replaceChildren(none);
  if (candidate && wording() !== null) {
    edit();
    area.blur();
  }

  return {
    player,
    candidate,
    wording,
    edit,
    /** What the wording says that the run does not support; accepting again takes it anyhow. */
    warn(faults) {
      edit();
      area.blur(); // so that the next key decides
      warning.replaceChildren(
        h("b", {}, "The run does not support this wording."),
        h(
          "ul",
          {},
          faults.map((one) => h("li", {}, one)),
        ),
        "Mend it, or accept once more to keep it as it is.",
      );
      warning.hidden = false;
    },
    note(hint) {
      notes.hidden = false;
      if (hint) note.placeholder = hint;
      note.focus();
    },
  };
}

function mountPlayer(item, candidate, element, place, actions) {
  const { model, trace } = candidate;
  const player = mount(element, model, {
    load: (first, last) => get(query("data/steps", { trace, first, last })),
    variables: (step) => get(query("data/variables", { trace, step })),
    wrong: actions.wrong,
  });
  if (model.wrong !== null) player.mark(model.wrong);
  if (actions.repair) {
    const repair = h(
      "button.button.small",
      { type: "button", title: "Edit this program and run it again", onclick: actions.repair },
      "Repair ",
      keyMark("Curate", "p"),
    );
    player.code.querySelector("header").append(repair);
  }
  const rationale = element.querySelector(".vp-told");
  if (rationale) {
    if (item.hidden) {
      rationale.querySelector(".vp-foot").textContent = `Written by ${model.told.writer}.`;
    }
    place.replaceChildren(rationale);
  }
  return player;
}

/** The k candidates, by the answer that they share. */
function tabs(item, actions) {
  if (!item.candidates.length) return null;
  const total = item.candidates.length;
  const words = item.groups
    .map((group) => `${group.count} of ${total} say ${group.answer}`)
    .concat(item.failed ? [`${item.failed} failed`] : [])
    .join(", ");
  const bar = h(
    "div.agreement",
    { role: "img", "aria-label": words, title: words },
    item.groups.map((group, index) =>
      h(
        index === item.candidates[item.at].group ? "span.part.here" : "span.part",
        { style: { "flex-grow": group.count } },
        h("b", {}, group.answer),
        ` ×${group.count}`,
      ),
    ),
    item.failed
      ? h(
          "span.part.part-failed",
          { style: { "flex-grow": item.failed } },
          `failed ×${item.failed}`,
        )
      : "",
  );
  const signs = { right: "✓", wrong: "✗", failed: "!", none: "" };
  const buttons = item.candidates.map((one, index) =>
    h(
      `button.tab.${one.state}`,
      {
        type: "button",
        "aria-pressed": String(index === item.at),
        title: one.facts,
        onclick: () => actions.open(index),
      },
      h("small", {}, one.number),
      h("span", {}, one.answer ?? "no answer"),
      signs[one.state]
        ? h("b", {}, signs[one.state], h("span.hidden-text", {}, ` ${one.state}`))
        : "",
    ),
  );
  return h(
    "div.candidates",
    {},
    h("div.tabs", { role: "group", "aria-label": "Programs of this question" }, buttons),
    bar,
  );
}

/** What stands in the way, or what one has said already. */
function banner(item) {
  if (item.gone) {
    return h(
      "p.banner.bad",
      { role: "status" },
      `Your hold on this question ran out and ${item.gone} has it now. Go on with `,
      keyMark("Curate", "j"),
      "; what you decide here is kept beside theirs.",
    );
  }
  if (item.holder) {
    return h(
      "p.banner.bad",
      { role: "status" },
      `Held by ${item.holder.name}, ${item.holder.minutes} min. Look, but leave it to them.`,
    );
  }
  if (!item.mine) return null;
  const reason = item.mine.reason ? `: ${item.mine.reason}` : "";
  return h(
    `p.banner.${item.mine.kind}`,
    { role: "status" },
    `You ${VERBS[item.mine.kind] ?? item.mine.kind} this${reason}. A new decision replaces it; `,
    keyMark("Curate", "u"),
    " takes back your last one.",
  );
}

/** An admin may make a question that was decided one that reviewers are measured by. */
function goldOf(item, actions) {
  if (!actions.gold || !["accept", "reject"].includes(item.mine?.kind) || !item.fresh) return "";
  if (item.gold_item) {
    return h("p.soft.small", {}, `A gold question: its right verdict is ${item.gold_item}.`);
  }
  return h(
    "p",
    {},
    h(
      "button.button.small",
      {
        type: "button",
        title: "Reviewers get it among others, and are measured by your verdict",
        onclick: actions.gold,
      },
      "Make it a gold question",
    ),
  );
}

/** What the verifier and other people say, once it may be seen. */
function opinions(item, candidate, actions) {
  if (item.hidden || !candidate) return null;
  const all =
    item.before && !item.mine ? [{ ...item.before, author: "you" }, ...item.others] : item.others;
  const items = all.map((one) =>
    h(
      "li",
      {},
      h(`b.${one.kind}`, {}, `${one.author} ${VERBS[one.kind]}`),
      one.number ? ` program ${one.number}` : "",
      one.bulk ? h("span.chip", { title: "Without a look at this one" }, "in bulk") : "",
      one.reason ? `: ${one.reason}` : "",
      one.text ? h("q", {}, one.text) : "",
    ),
  );
  const words = { right: "right", wrong: "wrong", failed: "failed", none: "says nothing" }[
    candidate.state
  ];
  return h(
    "section.judged",
    { "aria-label": "What others say" },
    h("h2", {}, "What others say"),
    h(
      "p",
      {},
      "The verifier: ",
      verdict(candidate.state, words),
      candidate.judged ? h("span.soft.small", {}, ` ${candidate.judged}`) : "",
    ),
    candidate.flags.length
      ? h(
          "div.flags",
          {},
          "The checks:",
          h(
            "ul",
            {},
            candidate.flags.map((text) => h("li", {}, text)),
          ),
        )
      : "",
    items.length ? h("ul", {}, items) : "",
    goldOf(item, actions),
  );
}
