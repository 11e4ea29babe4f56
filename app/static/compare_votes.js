// Compare's votes, and what it sends to the queue of Curate.
import { cancel, columnSides, find, headline, lay, mayDecide } from "./compare_state.js";
import { sides, state, unpress, votes } from "./compare_state.js";
import { h } from "./dom.js";
import { save, toast } from "./server.js";

/** Vote for the side at a place: 1 left, 2 right, 3 a tie, 4 both wrong. */
export async function vote(number) {
  if (votes.hidden || state.hasVote || !mayDecide) return;
  const choice = { 1: state.order[0], 2: state.order[1], 3: "tie", 4: "neither" }[number];
  state.hasVote = true;
  const blind = find("blind").checked && !state.wasSeen;
  state.wasSeen = true;
  const seconds = (performance.now() - state.startTime) / 1000;
  const mine = state.run;
  votes
    .querySelectorAll("[data-vote]")
    .forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.vote === String(number))),
    );
  await stopBoth();
  if (mine !== state.run) return;
  lay();
  try {
    const stored = await save("do/compare/vote", {
      run: mine,
      choice,
      left: state.order[0],
      blind,
      note: find("note").value,
      seconds,
    });
    toast(`Vote stored: ${choice === "neither" ? "both wrong" : choice}.`, "plain", [
      "Undo",
      () => takeBack(stored, mine),
    ]);
  } catch {
    state.hasVote = false;
    unpress();
  }
}

/** Take a stored vote back; the next one for this question is not blind any more. */
async function takeBack(stored, itsRun) {
  await save("do/undo", { task: stored.task, target: stored.id });
  state.hasVote &&= itsRun !== state.run;
  if (!state.hasVote) unpress();
}

/** A vote cuts both answers off. */
async function stopBoth() {
  if (columnSides().some((side) => sides[side].busy)) await cancel();
  const until = performance.now() + 4000;
  while (columnSides().some((side) => sides[side].busy) && performance.now() < until) {
    await new Promise((go) => setTimeout(go, 50));
  }
}

/** The question with both marks to the queue of Curate. */
export async function queue() {
  if (votes.hidden || !mayDecide) return;
  if (sides.pipeline.busy) {
    toast("The pipeline has not answered yet; the queue needs its trace.", "bad");
    return;
  }
  try {
    const { id, task: storedTask, trace } = await save("do/compare/queue", { run: state.run });
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
