"""Kernel of hindsight relabelling: a wrong run is right about the question that it did answer.

A program that misread its question has still asked something of the picture and got an answer.  If
one of its calls said just what the run answered, the question of that call in words, with that
answer, is a row that would otherwise have been thrown away.

    run wrong;  call = the last one that said what the run answered
    task = (question of the call in words, the run's answer)

With `check` the profile's own model has to give the same answer to the new question about the whole
picture, since a run may be wrong because its tool was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.recipes.arguments import yes_or_no
from workbench.recipes.card import Card
from workbench.recipes.ports import EarlierCall, EarlierRun, SynthesisRoom, SynthesizedQuestion
from workbench.recipes.steps import facts_of, question_of
from workbench.records import PartRef

CARD = Card(
    name="hindsight_relabel",
    port="synthesizer",
    paper="Kernel of Distilling internet-scale vision-language models into embodied agents",
    year=2023,
    grade="C",
    level="V2",
    provenance="R",
    link="https://arxiv.org/abs/2301.12507",
    idea="A program that answered wrongly has answered another question: find out which, and keep "
    "that as a new task.",
    formula="for each wrong run: (question of its last call that said the run's answer, that "
    "answer); refused without such a call, or where the profile's model says otherwise",
    command="vpd synthesize hindsight_relabel --set check=false --limit 200",
    expect="One candidate for each wrong answer; how many are taken depends on how often programs "
    "ask for the wrong thing.  Accuracy was not measured yet.",
    defaults={"check": True},
    sources={"check": "ours: a run may be wrong because its tool was"},
    traps=(
        "Where the tool erred and not the program, the new row teaches the tool's error; the check "
        "is against that.",
    ),
    not_reproduced=(
        "The embodied agent; and the paper relabels every trajectory by a prompted model, not only "
        "those that failed.",
    ),
)


class HindsightRelabel:
    """The questions that wrong runs did answer.

    Args:
        check: whether the profile's model has to give the same answer about the whole picture.
    """

    def __init__(self, check: bool = True) -> None:
        yes_or_no("hindsight_relabel", check=check)
        self._check = check
        self.ref = PartRef("synthesizer", "hindsight_relabel", arguments={"check": check})

    def from_runs(
        self, runs: Sequence[EarlierRun], room: SynthesisRoom
    ) -> Iterator[SynthesizedQuestion]:
        """Candidates, taken and refused ones, one after the other."""
        for run in runs:
            if run.right is False:
                yield self._relabel(run, room)

    def _relabel(self, run: EarlierRun, room: SynthesisRoom) -> SynthesizedQuestion:
        call = _source(run, room)
        if call is None:
            return _refusal(run, "no call of the run says what it answered")
        question, reason = question_of(call, run.calls, room)
        if reason:
            return _refusal(run, reason)
        if question.casefold().strip(" ?") == run.question.casefold().strip(" ?"):
            return _refusal(run, "it answered its own question, and wrongly")
        facts = dict(facts_of(run, call))
        if self._check:
            (other,) = room.answer([run.origin.region], [question])
            facts["checked"] = str(other)
            if other is None or not room.alike(other, run.answer):
                return _refusal(run, "the profile's model gives another answer", question)
        image = run.origin.region.image
        return SynthesizedQuestion(run.origin, question, image, run.answer, facts=facts)


def _source(run: EarlierRun, room: SynthesisRoom) -> EarlierCall | None:
    """The last call that said what the run answered."""
    says = [
        call for call in run.calls if call.said is not None and room.alike(call.said, run.answer)
    ]
    return says[-1] if says else None


def _refusal(run: EarlierRun, reason: str, question: str = "") -> SynthesizedQuestion:
    words = question or f"what was answered with {run.answer} to: {run.question}"
    return SynthesizedQuestion(run.origin, words, reason=reason)
