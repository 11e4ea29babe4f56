"""Preference pairs of a project: right against wrong programs, faithful against unfaithful
rationales, and edited texts against those that they replace.

People outrank verdicts and checks.  Where people contradict each other about a run, it is in no
pair; where an adjudicator has spoken, that word counts.  Of a question that people call bad nothing
is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.pipeline.grouping import batches
from workbench.pipeline.suspecting import specs_of
from workbench.rationalize.template import TemplateWriter
from workbench.records import Task
from workbench.sample.prompt import Prompts, header_of
from workbench.snapshot import Picture, Split
from workbench.snapshot.pair import Origin, Pair, PairKind
from workbench.store import Project
from workbench.store.reading.preferences import (
    Edit,
    PreferredRationale,
    PreferredRun,
    preferred_rationales,
    preferred_runs,
    standing_edits,
)

MOST_EACH = 4
"""Most pairs of programs, and most of rationales, of one question."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is held of a run or a rationale, by whom, and why."""

    good: bool
    by: Literal["person", "verdict", "check"]
    why: str
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PairDraft:
    """A pair, before its picture was looked at."""

    task_id: str
    kind: PairKind
    chosen: str
    rejected: str
    origin: Origin
    why: str
    chosen_id: str
    rejected_id: str
    chosen_trace: str | None
    rejected_trace: str | None
    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """A program or a rationale that may stand in a pair."""

    id: str
    trace: str | None
    text: str
    opinion: Opinion


def opinion_of(run: PreferredRun, flagged: bool = False) -> Opinion | None:
    """What is held of a run; None where nobody knows, or people contradict each other.

    Args:
        run: any run.
        flagged: whether a right run that the checks flag counts as right.
    """
    if run.accepted and run.refused:
        return None
    if run.accepted:
        return Opinion(True, "person", f"accepted by {', '.join(run.accepted)}", run.accepted)
    if run.refused:
        return Opinion(False, "person", f"rejected by {', '.join(run.refused)}", run.refused)
    if run.failed is not None:
        return Opinion(False, "verdict", f"ended without an answer ({run.failed})")
    if run.correct is None or (run.correct and run.flagged and not flagged):
        return None
    return Opinion(
        run.correct, "verdict", "the label's answer" if run.correct else "another answer"
    )


def drafts(
    project: Project, flagged: bool, by_person_alone: bool, bad: Mapping[str, str]
) -> dict[str, list[PairDraft] | str]:
    """The pairs of each question that was answered by programs, or why it has none.

    Args:
        project: any project.
        flagged: whether right runs that the checks flag count as right.
        by_person_alone: take no pair that rests on nobody's word.
        bad: questions that people call bad, and in which words.
    """
    runs: dict[str, list[PreferredRun]] = defaultdict(list)
    for run in preferred_runs(project.database, project.scope()):
        runs[run.task_id].append(run)
    rationales: dict[str, list[PreferredRationale]] = defaultdict(list)
    for one in preferred_rationales(project.database):
        rationales[one.task_id].append(one)
    edits: dict[str, list[Edit]] = defaultdict(list)
    for edit in standing_edits(project.database):
        edits[edit.task_id].append(edit)
    pairs: dict[str, list[PairDraft] | str] = {}
    accounts = _tell_wrong(project, [of for task, of in runs.items() if rationales.get(task)])
    for task_id, of_task in runs.items():
        if task_id in bad:
            pairs[task_id] = bad[task_id]
            continue
        every_rationale = [*rationales[task_id], *accounts.get(task_id, ())]
        question = _Question(task_id, of_task, every_rationale, edits[task_id], flagged)
        every = list({(one.chosen_id, one.rejected_id): one for one in question.pairs()}.values())
        some = [one for one in every if one.reviewers or not by_person_alone]
        pairs[task_id] = some or ("no person has preferred anything" if every else question.why())
    return pairs


def _tell_wrong(
    project: Project, questions: Sequence[Sequence[PreferredRun]]
) -> dict[str, list[PreferredRationale]]:
    """A few wrong runs of each question in prose, by question.

    Only kept runs have a rationale in the store; those of wrong runs are what they are to be
    preferred to.

    Args:
        project: has the traces.
        questions: the runs of each.
    """
    ids = []
    for runs in questions:
        opinions = [(run, opinion_of(run)) for run in sorted(runs, key=_first)]
        wrong = [run for run, one in opinions if one is not None and not one.good]
        ids += [run.trace_id for run in wrong if run.answer is not None][:MOST_EACH]
    accounts: dict[str, list[PreferredRationale]] = defaultdict(list)
    writer = TemplateWriter()
    for chunk in batches(ids, 64):
        for one in writer.write(project.traced(chunk)):
            accounts[one.task_id].append(
                PreferredRationale(
                    one.id,
                    one.task_id,
                    one.trace_id,
                    one.text,
                    (),
                    one.bare,
                    bool(one.unchecked),
                    (),
                )
            )
    return accounts


class _Question:
    """What may be paired of one question.

    Args:
        task_id: of the question.
        runs: all that ended, with or without an answer.
        rationales: all of them.
        edits: those that stand.
        flagged: as of `drafts`.
    """

    def __init__(
        self,
        task_id: str,
        runs: Sequence[PreferredRun],
        rationales: Sequence[PreferredRationale],
        edits: Sequence[Edit],
        flagged: bool,
    ) -> None:
        self._id, self._edits = task_id, edits
        self._runs = {run.program_id: run for run in runs}
        self._rationales = {one.id: one for one in rationales}
        self._opinions = {run.program_id: opinion_of(run, flagged) for run in runs}
        programs = [
            _Text(run.program_id, run.trace_id, run.program, opinion)
            for run in sorted(runs, key=_first)
            if (opinion := self._opinions[run.program_id]) is not None
        ]
        self._programs = _sides(programs)
        self._accounts = _sides(list(self._account_texts()))

    def why(self) -> str:
        """Why there is no pair."""
        good, bad = self._programs
        if not good:
            return "no program is known to be right"
        return "no program is known to be wrong" if not bad else "its texts do not differ"

    def pairs(self) -> Iterator[PairDraft]:
        """All pairs; edits first."""
        yield from self._edited()
        yield from self._crossed("program", *self._programs)
        yield from self._crossed("rationale", *self._accounts)

    def _account_texts(self) -> Iterator[_Text]:
        """The rationales of right runs that are faithful, and all that are not."""
        by_trace = {run.trace_id: run for run in self._runs.values()}
        edits = {edit.made for edit in self._edits}
        for one in self._rationales.values():
            run = by_trace.get(one.trace_id)
            opinion = None if run is None else self._opinion(one, run, one.id in edits)
            if opinion is not None:
                yield _Text(one.id, one.trace_id, one.text, opinion)

    def _opinion(self, one: PreferredRationale, run: PreferredRun, edited: bool) -> Opinion | None:
        """What is held of a rationale.

        Args:
            one: the rationale.
            run: what it tells.
            edited: a person wrote it in place of another.
        """
        if one.accepted:
            return Opinion(True, "person", f"accepted by {', '.join(one.accepted)}", one.accepted)
        if run.unfaithful and not edited:
            people = run.unfaithful
            return Opinion(False, "person", f"unfaithful, says {', '.join(people)}", people)
        if one.issues:
            return Opinion(False, "check", f"not supported by the trace: {one.issues[0]}")
        of_run = self._opinions[run.program_id]
        if of_run is None or edited:
            return None
        if not of_run.good:
            return Opinion(False, of_run.by, f"its run: {of_run.why}", of_run.people)
        if one.bare or one.unchecked:
            return None
        return Opinion(True, "check", "every statement is in the trace")

    def _edited(self) -> Iterator[PairDraft]:
        for edit in self._edits:
            texts = self._rationale_edit(edit) if edit.kind == "rationale" else None
            kind: PairKind = "rationale" if texts else "program"
            texts = texts or self._program_edit(edit)
            if texts is None or texts[0].text == texts[1].text:
                continue
            later, earlier = texts
            yield PairDraft(
                self._id,
                kind,
                later.text,
                earlier.text,
                "edit",
                f"{edit.author} put it in place of the other",
                later.id,
                earlier.id,
                later.trace,
                earlier.trace,
                (edit.author,),
            )

    def _rationale_edit(self, edit: Edit) -> tuple[_Text, _Text] | None:
        """A rationale and the one that it replaces; None where one of them is gone."""
        later, earlier = self._rationales.get(edit.made), self._rationales.get(edit.before)
        if later is None or earlier is None:
            return None
        opinion = Opinion(True, "person", "", (edit.author,))
        return (
            _Text(later.id, later.trace_id, later.text, opinion),
            _Text(earlier.id, earlier.trace_id, earlier.text, opinion),
        )

    def _program_edit(self, edit: Edit) -> tuple[_Text, _Text] | None:
        """A program and the one that it replaces; None where it did not help, or nobody ran it."""
        later, earlier = self._runs.get(edit.made), self._runs.get(edit.before)
        opinion = self._opinions.get(edit.made)
        if later is None or earlier is None or (opinion is not None and not opinion.good):
            return None
        opinion = Opinion(True, "person", "", (edit.author,))
        return (
            _Text(later.program_id, later.trace_id, later.program, opinion),
            _Text(earlier.program_id, earlier.trace_id, earlier.program, opinion),
        )

    def _crossed(
        self, kind: PairKind, good: Sequence[_Text], bad: Sequence[_Text]
    ) -> Iterator[PairDraft]:
        """Each good text beside a bad one and each bad one beside a good one, as far as they go."""
        if not good or not bad:
            return
        for at in range(min(MOST_EACH, max(len(good), len(bad)))):
            one, other = good[at % len(good)], bad[at % len(bad)]
            people = {*one.opinion.people, *other.opinion.people}
            yield PairDraft(
                self._id,
                kind,
                one.text,
                other.text,
                "person" if people else other.opinion.by,
                f"{one.opinion.why}; against: {other.opinion.why}",
                one.id,
                other.id,
                one.trace,
                other.trace,
                tuple(sorted(people)),
            )


def _first(run: PreferredRun) -> tuple[bool, bool, bool, float]:
    """What people spoke of comes first, then the kept run, runs with an answer, likely ones."""
    return not (run.accepted or run.refused), not run.chosen, run.failed is not None, -run.score


def _sides(texts: Sequence[_Text]) -> tuple[list[_Text], list[_Text]]:
    """The good texts and the bad ones, each text once; one that is both is neither.

    What people spoke of stands first, in the order that it had.
    """
    ordered = sorted(texts, key=lambda one: one.opinion.by != "person")
    good = {one.text: one for one in reversed(ordered) if one.opinion.good}
    bad = {one.text: one for one in reversed(ordered) if not one.opinion.good}
    both = good.keys() & bad.keys()
    return (
        [good[text] for text in reversed(good) if text not in both],
        [bad[text] for text in reversed(bad) if text not in both],
    )


def finished_pairs(
    project: Project,
    drafted: Sequence[tuple[Task, PairDraft]],
    pictures: Mapping[str, Picture],
    side_of: Mapping[str, Split],
) -> tuple[Pair, ...]:
    """Pairs with their pictures, sides and prompts.

    Args:
        project: its profile says how the writer of programs is asked.
        drafted: a question and a pair of it.
        pictures: by digest.
        side_of: the side of each picture.
    """
    programs = any(draft.kind == "program" for _, draft in drafted)
    prompts = _prompts(project) if programs else None
    return tuple(
        Pair(
            task_id=task.id,
            source=task.source,
            task_split=task.split,
            split=side_of[task.image],
            family=task.family,
            question=task.question,
            choices=task.choices,
            answer=task.answers[0] if task.answers else "",
            image=task.image,
            width=pictures[task.image].width,
            height=pictures[task.image].height,
            kind=draft.kind,
            prompt=prompts(task).text.removesuffix(header_of(task))
            if prompts is not None and draft.kind == "program"
            else "",
            chosen=draft.chosen,
            rejected=draft.rejected,
            origin=draft.origin,
            why=draft.why,
            chosen_id=draft.chosen_id,
            rejected_id=draft.rejected_id,
            chosen_trace=draft.chosen_trace,
            rejected_trace=draft.rejected_trace,
            reviewers=draft.reviewers,
        )
        for task, draft in drafted
    )


def _prompts(project: Project) -> Prompts:
    """The prompts of the profile's own sampler, or of one that follows instructions."""
    sampler = project.profile().sampler
    bundled = sampler.part == "transformers" and sampler.arguments.get("model") == "bundled"
    style = sampler.arguments.get("prompt") or ("compact" if bundled else "full")
    return Prompts(specs_of(project), "compact" if style == "compact" else "full")
