"""One question as a curator sees it: its candidates, how far they agree, and the run of the one
that is open; and what the curator says of it, stored.

While verdicts are hidden, nothing here says what the verifier or another reviewer thinks: no right
or wrong, no check of the rationale, no other person's wording.  That a run failed is a fact and is
shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, cast

from workbench.curate.fold import History, Standing
from workbench.curate.queue import Lease
from workbench.errors import InputError
from workbench.records import REASON_WORDS, Decision, DecisionKind, Rationale, Reason, Role, Task
from workbench.screen import views
from workbench.screen.head import head_of
from workbench.screen.player import Traces, full
from workbench.screen.steps import Step
from workbench.store import Project, Run, TaskView
from workbench.store.reading import checks
from workbench.store.reading.checks import CheckRow
from workbench.store.reading.ids import edit_ids
from workbench.verify.answers import canonical

FULL = 32
"""Steps that come along in full, so that the first picture is drawn without another question."""


class NamedRole(Protocol):
    """Who looks and decides."""

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> Role: ...


@dataclass(frozen=True)
class Say:
    """A verdict, a note or a ruling; `edited` is another wording of the rationale that is accepted
    with it.
    """

    id: str
    task: str
    kind: Literal["accept", "reject", "skip", "note", "adjudicate", "gold"]
    trace: str | None = None
    rationale: str | None = None
    edited: str | None = None
    verdict: Literal["accept", "reject"] | None = None
    reason: Reason | None = None
    text: str = ""
    seconds: float | None = None
    guideline: str | None = None
    hidden: bool | None = None
    at: datetime | None = None


def person_event(person: NamedRole, some_id: str, kind: DecisionKind, **fields: Any) -> Decision:
    """An event in this person's name; `some_id` was made by the client."""
    return Decision(some_id, kind, person.name, person.role, **fields)


def decide(project: Project, person: NamedRole, say: Say) -> Decision:
    """Store what was said; the same words again are the same event.  Raises InputError where a rule
    is broken.
    """
    rationale = say.rationale
    common: dict[str, Any] = {
        "task_id": say.task,
        "guideline": say.guideline,
        "client_time": say.at,
    }
    if say.edited is not None:
        edit = person_event(person, f"{say.id}.e", "edit", rationale_id=rationale, **common)
        rationale = project.curation.edit_rationale(edit, say.edited).id
    event = person_event(
        person,
        say.id,
        say.kind,
        trace_id=say.trace,
        rationale_id=rationale,
        ruling=say.verdict,
        reason=say.reason,
        text=say.text,
        seconds=say.seconds,
        hidden=say.hidden,
        **common,
    )
    return project.curation.decide([event])[0]


@dataclass(frozen=True, slots=True)
class _Sight:
    """One question, and what one person may see of it."""

    view: TaskView
    history: History
    name: str
    """The person's."""
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
        picture_of: address and size of a picture by its digest, as `model_of` takes it.
    """

    def __init__(self, project: Project, picture_of: Callable[[str], Mapping[str, Any]]) -> None:
        self.project = project
        self.picture_of = picture_of
        self._traces = Traces()

    def steps(self, run: Run, picture: Mapping[str, Any]) -> list[Step]:
        """The steps of a run."""
        return self._traces.steps(
            run, (picture["width"], picture["height"]) if picture["url"] else None
        )

    def item(
        self, person: NamedRole, task_id: str, why: str = "", lease: Lease | None = None
    ) -> dict[str, Any]:
        """The question with its candidates, the one to begin with in full.

        Args:
            person: who looks.
            task_id: the question.
            why: what the queue says about it.
            lease: until when it is the person's.
        """
        sight = self._sight(person, task_id)
        task, hidden = sight.view.task, sight.hidden
        runs = numbered(self.project, sight.view)
        keys = [_key(run, task) for _, run in runs]
        counts = Counter(key for key in keys if key is not None)
        order = [key for key, _ in counts.most_common()]
        standing = {one.author: one for one in sight.history.standing(task_id)}
        mine = standing.pop(person.name, None)
        candidates = self._candidates(sight, runs, keys, order)
        at = _begin(
            candidates, mine, sight.view.chosen, _repaired(runs) and why.startswith("sent by")
        )
        if candidates:
            candidates[at]["model"] = self._model(runs[at][1], sight)
        return {
            "task": task_id,
            "question": task.question,
            "choices": list(task.choices),
            "gold": views.gold_of(task),
            "family": views.family_words(task.family),
            "source": task.source,
            "split": task.split,
            "why": why,
            "picture": self.picture_of(task.image),
            "hidden": hidden,
            "candidates": candidates,
            "at": at,
            "groups": [_group(key, counts[key], runs, keys) for key in order],
            "failed": keys.count(None),
            "mine": _said(mine, sight.events, runs) if mine else None,
            "others": []
            if hidden
            else [_said(one, sight.events, runs) for one in standing.values()],
            "gold_item": None
            if hidden or person.role != "admin"
            else sight.history.item(task_id, 1).gold,
            "until": lease.expires_at.replace(tzinfo=UTC).isoformat() if lease else None,
        }

    def candidate(self, person: NamedRole, task_id: str, trace_id: str) -> dict[str, Any]:
        """The run of another candidate."""
        task, run = self.project.run_view(trace_id)
        if task.id != task_id or run.trace is None:
            raise InputError(f"question '{task_id}' has no run '{trace_id}'")
        return self._model(run, self._sight(person, task_id))

    def _sight(self, person: NamedRole, task_id: str) -> _Sight:
        curation = self.project.curation
        hidden = not curation.may_show(task_id, person.name, person.role)
        return _Sight(
            self.project.task_view(task_id), curation.history([task_id]), person.name, hidden
        )

    def _candidates(
        self,
        sight: _Sight,
        runs: Sequence[Numbered],
        keys: Sequence[str | None],
        order: Sequence[str],
    ) -> list[dict[str, Any]]:
        """Every run in short, with its place among the answers (`order`) by what it means (`keys`)."""
        findings: Mapping[str, CheckRow] = {}
        if not sight.hidden:
            findings = checks.check_rows(
                self.project.database, [run.trace.id for _, run in runs if run.trace]
            )
        rationales = sight.rationales()
        return [
            _candidate(run, number, rationales, sight.hidden)
            | {
                "group": order.index(key) if key is not None else None,
                "flags": _flags(findings, run),
            }
            for (number, run), key in zip(runs, keys, strict=True)
        ]

    def _model(self, run: Run, sight: _Sight) -> dict[str, Any]:
        """What the player shows; its steps begin with `FULL` of them in full."""
        assert run.trace is not None
        task = sight.view.task
        picture = self.picture_of(task.image)
        steps = self.steps(run, picture)
        mark = sight.history.first_wrong(task.id, run.trace.id, sight.name)
        head = head_of(run, steps, picture, sight.rationales().get(run.trace.id), mark)
        if head["told"] is not None and sight.hidden:
            for sentence in head["told"]["sentences"]:
                sentence["supported"] = True
            head["told"]["issues"] = []
        return head | {"full": full(steps, 0, FULL)}


Numbered = tuple[str, Run]
"""A run under the name that people know it by: `1`, `2`, ..., `edit 1`, ..."""


def numbered(project: Project, view: TaskView) -> list[Numbered]:
    """The question's programs that were run, and behind them the repaired ones."""
    runs = [(str(run.program.index + 1), run) for run in view.runs if run.trace is not None]
    return runs + [(f"edit {at}", run) for at, run in enumerate(edits(project, view.task.id), 1)]


def edits(project: Project, task_id: str) -> list[Run]:
    """Repaired programs of the task that were run, the oldest first."""
    return [project.run_view(id)[1] for id in edit_ids(project.database, task_id)]


def _repaired(runs: Sequence[Numbered]) -> bool:
    """Whether one of the runs is of a repaired program."""
    return any(run.program.parent is not None for _, run in runs)


def _candidate(
    run: Run, number: str, rationales: Mapping[str, Rationale], hidden: bool
) -> dict[str, Any]:
    trace = run.trace
    assert trace is not None
    rationale = rationales.get(trace.id)
    state = views.run_state(run)
    return {
        "number": number,
        "trace": trace.id,
        "program": run.program.id,
        "answer": trace.answer,
        "problem": views.problem_of(run),
        "facts": views.facts_of(run),
        "state": "none" if hidden and state != "failed" else state,
        "judged": "" if hidden or run.verdict is None else run.verdict.reason,
        "rationale": rationale.id if rationale else None,
        "text": rationale.text if rationale else "",
    }


def _flags(found: Mapping[str, CheckRow], run: Run) -> list[str]:
    """What checks say against a run, in sentences."""
    row = found.get(run.trace.id) if run.trace is not None else None
    return (
        [text for check, _, text in row.findings if check in row.flags] if row is not None else []
    )


def _key(run: Run, task: Task) -> str | None:
    """What answers that mean the same have in common; None without an answer."""
    answer = run.trace.answer if run.trace is not None and run.trace.ok else None
    return None if answer is None else canonical(answer, task)


def _begin(
    candidates: Sequence[Mapping[str, Any]],
    mine: Standing | None,
    chosen: Run | None,
    repaired: bool,
) -> int:
    """The candidate to open: the one decided on, a repaired one that was asked for, the kept one,
    one that answers.
    """
    wanted = mine.trace_id if mine else None
    if wanted is None and not repaired and chosen is not None and chosen.trace is not None:
        wanted = chosen.trace.id
    if wanted is None and repaired:
        return len(candidates) - 1
    places = [at for at, one in enumerate(candidates) if one["trace"] == wanted]
    places += [at for at, one in enumerate(candidates) if one["answer"] is not None]
    return (places or [0])[0]


def _group(
    key: str, count: int, runs: Sequence[Numbered], keys: Sequence[str | None]
) -> dict[str, Any]:
    trace = runs[keys.index(key)][1].trace
    return {"answer": (trace.answer if trace else "") or "an empty answer", "count": count}


def _said(one: Standing, events: Sequence[Decision], runs: Sequence[Numbered]) -> dict[str, Any]:
    """What a reviewer says of the question now, in words."""
    event = next((event for event in events if event.seq == one.seq), None)
    number = next(
        (number for number, run in runs if run.trace and run.trace.id == one.trace_id), None
    )
    return {
        "author": one.author,
        "kind": one.kind,
        "cause": one.reason,
        "reason": REASON_WORDS[cast(Reason, one.reason)] if one.reason else "",
        "text": event.text if event else "",
        "number": number,
        "trace": one.trace_id,
        "event": event.id if event else None,
        "at": one.created_at.replace(tzinfo=UTC).isoformat() if one.created_at else None,
    }
