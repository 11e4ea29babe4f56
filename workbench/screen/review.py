"""One question as a curator sees it: its candidates, how far they agree, and the run of the one that is open; and
what the curator says of it, stored.

While verdicts are hidden, nothing here says what the verifier or another reviewer thinks: no right or wrong, no check
of the rationale, no other person's wording.  That a run failed is a fact and is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, cast

from workbench.curate.fold import Standing
from workbench.curate.queue import Lease
from workbench.curate.rules import REASON_WORDS
from workbench.errors import InputError
from workbench.records import Decision, DecisionKind, Rationale, Reason, Role, Task
from workbench.screen import views
from workbench.screen.player import Traces, full, model_of
from workbench.screen.steps import Step
from workbench.store import Project, Run, checks
from workbench.store.checks import CheckRow
from workbench.verify.answers import canonical

FULL = 32
"""Steps that come along in full, so that the first picture is drawn without another question."""


class Person(Protocol):
    """Who looks and decides."""

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> Role: ...


@dataclass(frozen=True)
class Say:
    """A verdict, a note or a ruling; `edited` is another wording of the rationale that is accepted with it."""

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


def said(person: Person, some_id: str, kind: DecisionKind, **fields: Any) -> Decision:
    """An event in this person's name; `some_id` was made by the client."""
    return Decision(some_id, kind, person.name, person.role, **fields)


def decide(project: Project, person: Person, say: Say) -> Decision:
    """Store what was said; the same words again are the same event.  Raises InputError where a rule is broken."""
    rationale = say.rationale
    common: dict[str, Any] = {"task_id": say.task, "guideline": say.guideline, "client_time": say.at}
    if say.edited is not None:
        edit = said(person, f"{say.id}.e", "edit", rationale_id=rationale, **common)
        rationale = project.curation.edit_rationale(edit, say.edited).id
    event = said(
        person, say.id, say.kind, trace_id=say.trace, rationale_id=rationale, verdict=say.verdict, reason=say.reason,
        text=say.text, seconds=say.seconds, hidden=say.hidden, **common,
    )  # fmt: skip
    return project.curation.decide([event])[0]


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
        return self._traces.steps(run, (picture["width"], picture["height"]) if picture["url"] else None)

    def item(self, person: Person, task_id: str, why: str = "", lease: Lease | None = None) -> dict[str, Any]:
        """The question with its candidates, the one to begin with in full."""
        project, curation = self.project, self.project.curation
        view = project.task_view(task_id)
        task = view.task
        shown = curation.may_show(task_id, person.name, person.role)
        events = curation.events(task_id=task_id)
        standing = curation.standing([task_id])
        mine = next((one for one in standing if one.author == person.name), None)
        repaired = edits(project, task_id)
        picture = self.picture_of(task.image)
        runs = [run for run in (*view.runs, *repaired) if run.trace is not None]
        numbers = [str(run.program.index + 1) for run in runs[: len(runs) - len(repaired)]]
        numbers += [f"edit {at}" for at in range(1, len(repaired) + 1)]
        told = _told(view.rationales, events, None if shown else person.name)
        found = checks.found(project.database, [run.trace.id for run in runs if run.trace]) if shown else {}
        keys = [_key(run, task) for run in runs]
        counts = Counter(key for key in keys if key is not None)
        order = [key for key, _ in counts.most_common()]
        candidates = [
            self._candidate(run, number, told, shown)
            | {"group": order.index(key) if key is not None else None, "flags": _flags(found, run)}
            for run, number, key in zip(runs, numbers, keys, strict=True)
        ]  # fmt: skip
        at = _begin(candidates, mine, view.chosen, bool(repaired) and why.startswith("sent by"))
        if candidates:
            candidates[at]["model"] = self._model(runs[at], picture, told, shown, events, person)
        stands = curation.item(task_id) if shown else None
        return {
            "task": task_id, "question": task.question, "choices": list(task.choices), "gold": views.gold_of(task),
            "family": views.spaced(task.family), "source": task.source, "split": task.split, "why": why,
            "picture": picture, "hidden": not shown, "candidates": candidates, "at": at,
            "groups": [_group(key, counts[key], runs, keys) for key in order], "failed": keys.count(None),
            "mine": _said(mine, events, runs, numbers) if mine else None,
            "others": [_said(one, events, runs, numbers) for one in standing if shown and one.author != person.name],
            "gold_item": stands.gold if stands and person.role == "admin" else None,
            "until": lease.expires_at.replace(tzinfo=UTC).isoformat() if lease else None,
        }  # fmt: skip

    def candidate(self, person: Person, task_id: str, trace_id: str) -> dict[str, Any]:
        """The run of another candidate."""
        project = self.project
        task, run = project.run_view(trace_id)
        if task.id != task_id or run.trace is None:
            raise InputError(f"question '{task_id}' has no run '{trace_id}'")
        shown = project.curation.may_show(task_id, person.name, person.role)
        events = project.curation.events(task_id=task_id)
        told = _told(project.task_view(task_id).rationales, events, None if shown else person.name)
        return self._model(run, self.picture_of(task.image), told, shown, events, person)

    def _candidate(self, run: Run, number: str, told: Mapping[str, Rationale], shown: bool) -> dict[str, Any]:
        trace = run.trace
        assert trace is not None
        rationale = told.get(trace.id)
        state = views.run_state(run)
        return {
            "number": number, "trace": trace.id, "program": run.program.id, "answer": trace.answer,
            "problem": views.problem_of(run), "facts": views.facts_of(run),
            "state": state if shown or state == "failed" else "none",
            "judged": run.verdict.reason if shown and run.verdict is not None else "",
            "rationale": rationale.id if rationale else None, "text": rationale.text if rationale else "",
        }  # fmt: skip

    def _model(
        self, run: Run, picture: Mapping[str, Any], told: Mapping[str, Rationale], shown: bool,
        events: Sequence[Decision], person: Person,
    ) -> dict[str, Any]:  # fmt: skip
        """What the player shows; its steps begin with `FULL` of them in full."""
        assert run.trace is not None
        steps = self.steps(run, picture)
        model = model_of(run, steps, picture, told.get(run.trace.id))
        if model["told"] is not None and not shown:
            for sentence in model["told"]["sentences"]:
                sentence["supported"] = True
            model["told"]["issues"] = []
        undone = {event.target for event in events if event.kind == "undo"}
        marks = [
            (event.id, event.step)
            for event in events
            if event.kind == "wrong_step" and event.trace_id == run.trace.id and event.author == person.name
            and event.id not in undone
        ]  # fmt: skip
        marked = marks[-1] if marks else (None, None)
        wrong = next((at for at, one in enumerate(steps) if any(raw["seq"] == marked[1] for raw in one.raw)), None)
        return model | {"full": full(steps, 0, FULL), "wrong": wrong, "mark": marked[0]}


def edits(project: Project, task_id: str) -> list[Run]:
    """Repaired programs of the task that were run, the oldest first."""
    found = project.database.rows(
        """
        SELECT program.id FROM program WHERE program.task_id = ? AND program.parent IS NOT NULL
        AND EXISTS (SELECT 1 FROM trace WHERE trace.program_id = program.id) ORDER BY program.created_at, program.id
        """,
        [task_id],
    )
    return [project.run_view(row["id"])[1] for row in found]


def _told(rationales: Sequence[Rationale], events: Sequence[Decision], only: str | None) -> dict[str, Rationale]:
    """The newest rationale of each trace; `only`: leave out what other people than this one made."""
    edited = [(event.made, event.author) for event in events if event.kind == "edit"]
    foreign = {made for made, _ in edited} - {made for made, author in edited if only in (None, author)}
    found: dict[str, Rationale] = {}
    for rationale in rationales:
        if rationale.id not in foreign:
            found.setdefault(rationale.trace_id, rationale)
    return found


def _flags(found: Mapping[str, CheckRow], run: Run) -> list[str]:
    """What checks say against a run, in sentences."""
    row = found.get(run.trace.id) if run.trace is not None else None
    return [text for check, _, text in row.findings if check in row.flags] if row is not None else []


def _key(run: Run, task: Task) -> str | None:
    """What answers that mean the same have in common; None without an answer."""
    answer = run.trace.answer if run.trace is not None and run.trace.ok else None
    return None if answer is None else canonical(answer, task)


def _begin(candidates: Sequence[Mapping[str, Any]], mine: Standing | None, chosen: Run | None, repaired: bool) -> int:
    """The candidate to open: the one decided on, a repaired one that was asked for, the kept one, one that answers."""
    wanted = mine.trace_id if mine else None
    if wanted is None and not repaired and chosen is not None and chosen.trace is not None:
        wanted = chosen.trace.id
    if wanted is None and repaired:
        return len(candidates) - 1
    places = [at for at, one in enumerate(candidates) if one["trace"] == wanted]
    places += [at for at, one in enumerate(candidates) if one["answer"] is not None]
    return (places or [0])[0]


def _group(key: str, count: int, runs: Sequence[Run], keys: Sequence[str | None]) -> dict[str, Any]:
    trace = runs[keys.index(key)].trace
    return {"answer": (trace.answer if trace else "") or "an empty answer", "count": count}


def _said(one: Standing, events: Sequence[Decision], runs: Sequence[Run], numbers: Sequence[str]) -> dict[str, Any]:
    """What a reviewer says of the question now, in words."""
    event = next((e for e in events if e.seq == one.seq), None)
    number = next((n for n, run in zip(numbers, runs, strict=True) if run.trace and run.trace.id == one.trace_id), None)
    return {
        "author": one.author, "kind": one.kind, "cause": one.reason,
        "reason": REASON_WORDS[cast(Reason, one.reason)] if one.reason else "",
        "text": event.text if event else "", "number": number, "trace": one.trace_id,
        "event": event.id if event else None,
        "at": one.created_at.replace(tzinfo=UTC).isoformat() if one.created_at else None,
    }  # fmt: skip
