"""Socratic sub-questions: the steps of a right program are questions that lead to its answer.

A question that takes several steps is answered by asking simpler ones first.  A program has done
that already: each of its calls is a sub-question, and what the tool said is the answer.  Runs that
were right give their sub-questions, as tasks of their own.

    find(x) on the whole picture      -> How many xs are there?  the number of what it found
    exists(x) on the whole picture    -> Are there any xs?       yes or no
    verify_property(x, a), just one x -> Is the x a?             yes or no
    visual_question_answering(q)      -> q                       what it said

Calls that look at a part of the picture are refused: words do not say which part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.recipes.arguments import yes_or_no
from workbench.recipes.card import Card
from workbench.recipes.ports import EarlierRun, SynthesisRoom, SynthesizedQuestion
from workbench.recipes.steps import facts_of, question_of
from workbench.records import PartRef

CARD = Card(
    name="socratic_subquestions",
    port="synthesizer",
    paper="Distilling reasoning capabilities into smaller language models (Socratic CoT)",
    year=2023,
    grade="B",
    level="V2",
    provenance="R",
    link="https://arxiv.org/abs/2212.00193",
    idea="The calls of a program that was right are simpler questions with answers: they become "
    "tasks, so that a student learns the steps one by one.",
    formula="for each call of a right run: (question in words, what the tool said), once for each "
    "picture; refused where words do not single out what it looks at",
    command="vpd synthesize socratic_subquestions --limit 200",
    expect="One candidate for each call of the right runs; most calls of find become questions of "
    "how many.  What the questions are worth in accuracy was not measured yet.",
    defaults={"main": False},
    sources={"main": "ours: a sub-question that is the question itself teaches nothing new"},
    traps=(
        "A right answer does not make every step right: a detector that saw too much may still "
        "lead to yes.",
    ),
    not_reproduced=(
        "The two models, one that asks and one that answers: here the sub-questions are tasks for "
        "one student.",
        "The paper's code was announced and never released; this is after its abstract.",
    ),
)


class SocraticSubquestions:
    """The steps of right programs, as questions.

    Args:
        main: take a sub-question that is the question itself, too.
    """

    def __init__(self, main: bool = False) -> None:
        yes_or_no("socratic_subquestions", main=main)
        self._main = main
        self.ref = PartRef("synthesizer", "socratic_subquestions", arguments={"main": main})

    def from_runs(
        self, runs: Sequence[EarlierRun], room: SynthesisRoom
    ) -> Iterator[SynthesizedQuestion]:
        """Candidates, taken and refused ones, one after the other."""
        asked_before: set[tuple[str, str]] = set()
        for run in runs:
            if not run.right:
                continue
            for number, call in enumerate(run.calls, 1):
                question, reason = question_of(call, run.calls, room)
                place = (run.origin.region.image, question.casefold())
                if not reason and place in asked_before:
                    reason = "another step asks the same of the picture"
                if not reason and not self._main and _plain(question) == _plain(run.question):
                    reason = "it is the question itself"
                asked_before.add(place)
                words = question or f"step {number} of: {run.question}"
                yield SynthesizedQuestion(
                    run.origin,
                    words,
                    "" if reason else run.origin.region.image,
                    call.said or "",
                    reason,
                    {**facts_of(run, call), "step": number, "of": len(run.calls)},
                )


def _plain(question: str) -> str:
    return question.casefold().strip(" ?")
