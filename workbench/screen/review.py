"""One question as a curator sees it: its candidates, how far they agree, and the run of the one
that is open.

While verdicts are hidden, nothing here says what the verifier or another reviewer thinks: no right
or wrong, no check of the rationale, no other person's wording.  That a run failed is a fact and is
shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import cast

from workbench.curate.fold import History, Standing
from workbench.curate.queue import Lease
from workbench.errors import InputError
from workbench.records import REASON_WORDS, Decision, Rationale, Reason, Task
from workbench.screen import views
from workbench.screen.decide import NamedRole
from workbench.screen.head import head_of
from workbench.screen.player import PlayerModel, PlayerRationale, Traces, full
from workbench.screen.steps import Step
from workbench.screen.views import PictureView
from workbench.store import Project, Run, TaskView
from workbench.store.people.edits import PERSON_SAMPLER
from workbench.store.reading import checks
from workbench.store.reading.ahead import ReadAhead
from workbench.store.reading.checks import CheckRow
from workbench.store.reading.views import no_task
from workbench.verify.answers import canonical

FULL = 32
"""Steps that come along in full, so that the first picture is drawn without another question."""


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """Candidates whose answers mean the same."""

    answer: str
    count: int


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who decides on a question now."""

    name: str
    minutes: int
    """Minutes until the question is free again."""


@dataclass(frozen=True, slots=True)
class ReviewedAnswer:
    """What a reviewer says of a question now."""

    author: str
    kind: str
    cause: str | None
    """Reason of a reject, by name."""
    reason: str
    """The same in words; empty without one."""
    text: str
    number: str | None
    """The candidate that it is about, under the name that people know it by."""
    trace: str | None
    event: str | None
    at: str | None
    """Time in ISO 8601."""
    bulk: bool
    """Whether it was said of many questions at once."""


@dataclass(frozen=True, slots=True)
class CandidateView:
    """One run of a question, as a reviewer sees it."""

    number: str
    """Name that people know it by: `1`, `2`, ..., `edit 1`, ..."""
    trace: str
    program: str
    answer: str | None
    problem: str
    """Why it has no answer; empty where it has one."""
    facts: str
    state: str
    """`right`, `wrong`, `failed`, or `none` where nothing is known or shown."""
    judged: str
    """What the verifier says of it."""
    rationale: str | None
    """Id of the newest wording that the reviewer may read, and `text` the wording."""
    text: str
    group: int | None
    """Place of its answer in `QuestionItem.groups`; None without an answer."""
    flags: Sequence[str]
    """What checks say against it, in sentences."""
    model: PlayerModel | None = None
    """The run itself, of the candidate that is open."""


@dataclass(frozen=True, slots=True)
class QuestionItem:
    """A question with its candidates, as a reviewer sees it."""

    task: str
    question: str
    choices: Sequence[str]
    gold: str
    family: str
    source: str
    split: str
    why: str
    """What the queue says about it."""
    picture: PictureView
    hidden: bool
    """What the verifier and other people think is not shown."""
    candidates: Sequence[CandidateView]
    at: int
    """Index of the candidate to begin with."""
    groups: Sequence[AnswerGroup]
    """Answers, the most frequent first."""
    failed: int
    """Candidates without an answer."""
    mine: ReviewedAnswer | None
    others: Sequence[ReviewedAnswer]
    gold_item: str | None
    """The decision that a gold question expects, for admins."""
    until: str | None
    """End of the lease in ISO 8601; None where the question is not leased to the reviewer."""
    holder: LeaseHolder | None = None
    """Another reviewer who decides on it now."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A question that somebody looks at."""

    task_id: str
    why: str = ""
    """What the queue says about it."""
    lease: Lease | None = None
    """Until when it is the person's."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """One question, and what one person may see of it."""

    view: TaskView
    history: History
    name: str
    """Name of the person."""
    hidden: bool
    """What the verifier and other people think is not shown."""

    @property
    def events(self) -> Sequence[Decision]:
        """All events about the question, those taken back among them."""
        return self.history.by_task.get(self.view.task.id, ())

    def rationales(self) -> dict[str, Rationale]:
        """The newest rationale of each trace, among those that the person may read."""
        edits = [event for event in self.events if event.kind == "edit"]
        open_to_all = {
            event.made for event in edits if not self.hidden or event.author == self.name
        }
        foreign = {event.made for event in edits} - open_to_all
        newest: dict[str, Rationale] = {}
        for rationale in self.view.rationales:
            if rationale.id not in foreign:
                newest.setdefault(rationale.trace_id, rationale)
        return newest


class Items:
    """Questions of a project for those who curate.

    Args:
        project: open; the caller closes it.
        picture_of: a picture by its digest.
    """

    def __init__(self, project: Project, picture_of: Callable[[str], PictureView]) -> None:
        self.project = project
        self.picture_of = picture_of
        self._traces = Traces()
        self._ahead = ReadAhead(project.database, lambda: project.parts)

    def steps(self, run: Run, picture: PictureView) -> list[Step]:
        """The steps of a run."""
        return self._traces.steps(run, picture)

    def item(
        self, person: NamedRole, task_id: str, why: str = "", lease: Lease | None = None
    ) -> QuestionItem:
        """The question with its candidates, the one to begin with in full.

        Args:
            person: who looks.
            task_id: the question.
            why: what the queue says about it.
            lease: until when it is the person's.
        """
        [item] = self.items(person, [Looked(task_id, why, lease)])
        return item

    def items(
        self,
        person: NamedRole,
        looked: Sequence[Looked],
        then: Callable[[], Sequence[str]] = tuple,
    ) -> list[QuestionItem]:
        """Questions with their candidates, the one to begin with in full.

        Args:
            person: who looks.
            looked: the questions.
            then: gives the ids of those that come next, whose records are read together with these.

        Raises:
            InputError: there is no such question.
        """
        if not looked:
            return []
        sights = self._sights(person, [one.task_id for one in looked], then)
        return [self._item(person, sights[one.task_id], one) for one in looked]

    def _item(self, person: NamedRole, sight: _Sight, looked: Looked) -> QuestionItem:
        """One question as the person sees it."""
        task, hidden, why = sight.view.task, sight.hidden, looked.why
        task_id, lease = task.id, looked.lease
        runs = numbered(self.project, sight.view)
        keys = [_key(run, task) for _, run in runs]
        counts = Counter(key for key in keys if key is not None)
        order = [key for key, _ in counts.most_common()]
        standing = {one.author: one for one in sight.history.standing(task_id)}
        mine = standing.pop(person.name, None)
        candidates = self._candidates(sight, runs, keys, order)
        at = _begin(
            candidates, mine, sight.view.chosen, _has_repair(runs) and why.startswith("sent by")
        )
        if candidates:
            candidates[at] = replace(candidates[at], model=self._model(runs[at][1], sight))
        others = [] if hidden else list(standing.values())
        shows_gold = person.role == "admin" and not hidden
        return QuestionItem(
            task=task_id,
            question=task.question,
            choices=task.choices,
            gold=views.gold_of(task),
            family=views.family_words(task.family),
            source=task.source,
            split=task.split,
            why=why,
            picture=views.pictures_of(task, self.picture_of),
            hidden=hidden,
            candidates=candidates,
            at=at,
            groups=[_group(key, counts[key], runs, keys) for key in order],
            failed=keys.count(None),
            mine=_reviewed_answer(mine, sight.events, runs) if mine else None,
            others=[_reviewed_answer(one, sight.events, runs) for one in others],
            gold_item=sight.history.item(task_id, 1).gold if shows_gold else None,
            until=lease.expires_at.replace(tzinfo=UTC).isoformat() if lease else None,
        )

    def candidate(self, person: NamedRole, task_id: str, trace_id: str) -> PlayerModel:
        """The run of another candidate.

        Args:
            person: who looks.
            task_id: the question.
            trace_id: a run of one of its programs.

        Raises:
            InputError: the question has no such run.
        """
        task, run = self.project.run_view(trace_id)
        if task.id != task_id or run.trace is None:
            raise InputError(f"question '{task_id}' has no run '{trace_id}'")
        return self._model(run, self._sights(person, [task_id])[task_id])

    def _sights(
        self,
        person: NamedRole,
        task_ids: Sequence[str],
        then: Callable[[], Sequence[str]] = tuple,
    ) -> dict[str, _Sight]:
        """What a person may see of some questions, by id.

        Args:
            person: who looks.
            task_ids: the questions.
            then: gives the ids of those that come next.

        Raises:
            InputError: there is no such question.
        """
        curation = self.project.curation
        by_id = self._ahead.views(task_ids, then)
        unknown = next((id for id in task_ids if id not in by_id), None)
        if unknown is not None:
            raise InputError(no_task(unknown, self.project.database))
        visible = curation.visible(task_ids, person.name, person.role)
        history = curation.history(task_ids)
        return {
            id: _Sight(view, history, person.name, id not in visible) for id, view in by_id.items()
        }

    def _candidates(
        self,
        sight: _Sight,
        runs: Sequence[Numbered],
        keys: Sequence[str | None],
        order: Sequence[str],
    ) -> list[CandidateView]:
        """Every run in short.

        Args:
            sight: the question, and what the person may see of it.
            runs: runs of the question.
            keys: what the answer of each run means (`_key`).
            order: the different meanings, the most frequent first.
        """
        findings: Mapping[str, CheckRow] = {}
        if not sight.hidden:
            findings = checks.check_rows(
                self.project.database, [run.trace.id for _, run in runs if run.trace]
            )
        rationales = sight.rationales()
        candidates = []
        for (number, run), key in zip(runs, keys, strict=True):
            candidate = _candidate(run, number, rationales, sight.hidden)
            group = order.index(key) if key is not None else None
            candidates.append(replace(candidate, group=group, flags=_flags(findings, run)))
        return candidates

    def _model(self, run: Run, sight: _Sight) -> PlayerModel:
        """What the player shows; its steps begin with `FULL` of them in full."""
        assert run.trace is not None
        task = sight.view.task
        picture = views.pictures_of(task, self.picture_of)
        steps = self.steps(run, picture)
        mark = sight.history.first_wrong(task.id, run.trace.id, sight.name)
        head = head_of(run, steps, picture, sight.rationales().get(run.trace.id), mark)
        rationale = head.told
        if rationale is not None and sight.hidden:
            rationale = _without_checks(rationale)
        return replace(head, told=rationale, full=full(steps, 0, FULL))


def _without_checks(rationale: PlayerRationale) -> PlayerRationale:
    """A rationale without what the check of its faithfulness says."""
    sentences = [replace(sentence, supported=True) for sentence in rationale.sentences]
    return replace(rationale, sentences=sentences, issues=())


Numbered = tuple[str, Run]
"""A run under the name that people know it by: `1`, `2`, ..., `edit 1`, ..."""


def numbered(project: Project, view: TaskView) -> list[Numbered]:
    """The question's programs that were run, and behind them those that a person repaired (`edit`)
    or that the sampler wrote again (`again`).
    """
    runs = [(str(run.program.index + 1), run) for run in view.runs if run.trace is not None]
    names: Counter[str] = Counter()
    for id in view.edits:
        _, run = project.run_view(id)
        kind = "edit" if _by_person(run) else "again"
        names[kind] += 1
        runs.append((f"{kind} {names[kind]}", run))
    return runs


def _has_repair(runs: Sequence[Numbered]) -> bool:
    """Whether one of the runs is of a program that a person repaired."""
    return any(_by_person(run) for _, run in runs)


def _by_person(run: Run) -> bool:
    return run.program.parent is not None and run.program.sampler == PERSON_SAMPLER


def _candidate(
    run: Run, number: str, rationales: Mapping[str, Rationale], hidden: bool
) -> CandidateView:
    """One run in short, without its place among the answers and what checks say against it."""
    trace = run.trace
    assert trace is not None
    rationale = rationales.get(trace.id)
    state = views.run_state(run)
    return CandidateView(
        number=number,
        trace=trace.id,
        program=run.program.id,
        answer=trace.answer,
        problem=views.problem_of(run),
        facts=views.facts_of(run),
        state="none" if hidden and state != "failed" else state,
        judged="" if hidden or run.verdict is None else run.verdict.reason,
        rationale=rationale.id if rationale else None,
        text=rationale.text if rationale else "",
        group=None,
        flags=(),
    )


def _flags(findings: Mapping[str, CheckRow], run: Run) -> list[str]:
    """What checks say against a run, in sentences."""
    row = findings.get(run.trace.id) if run.trace is not None else None
    if row is None:
        return []
    return [text for check, _, text in row.findings if check in row.flags]


def _key(run: Run, task: Task) -> str | None:
    """What answers that mean the same have in common; None without an answer."""
    answer = run.trace.answer if run.trace is not None and run.trace.ok else None
    return None if answer is None else canonical(answer, task)


def _begin(
    candidates: Sequence[CandidateView],
    mine: Standing | None,
    kept: Run | None,
    repaired: bool,
) -> int:
    """Index of the candidate to open.

    Args:
        candidates: in their order on the page.
        mine: what the person says of the question now: its candidate comes first.
        kept: the run that the verifier keeps; it comes next, unless a repaired one was asked for.
        repaired: the question stands in the queue for the last program that a person repaired.
    """
    trace_id = mine.trace_id if mine else None
    if trace_id is None and repaired:
        return max(at for at, one in enumerate(candidates) if one.number.startswith("edit"))
    if trace_id is None and kept is not None and kept.trace is not None:
        trace_id = kept.trace.id
    places = [at for at, one in enumerate(candidates) if one.trace == trace_id]
    places += [at for at, one in enumerate(candidates) if one.answer is not None]
    return (places or [0])[0]


def _group(
    key: str, count: int, runs: Sequence[Numbered], keys: Sequence[str | None]
) -> AnswerGroup:
    trace = runs[keys.index(key)][1].trace
    return AnswerGroup((trace.answer if trace else "") or "an empty answer", count)


def _reviewed_answer(
    one: Standing, events: Sequence[Decision], runs: Sequence[Numbered]
) -> ReviewedAnswer:
    """What a reviewer says of the question now, in words."""
    event = next((event for event in events if event.seq == one.seq), None)
    number = next(
        (number for number, run in runs if run.trace and run.trace.id == one.trace_id), None
    )
    return ReviewedAnswer(
        author=one.author,
        kind=one.kind,
        cause=one.reason,
        reason=REASON_WORDS[cast(Reason, one.reason)] if one.reason else "",
        text=event.text if event else "",
        number=number,
        trace=one.trace_id,
        event=event.id if event else None,
        at=one.created_at.replace(tzinfo=UTC).isoformat() if one.created_at else None,
        bulk=event is not None and event.batch is not None,
    )
