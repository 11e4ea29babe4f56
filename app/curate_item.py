"""One question as a curator sees it: its candidates, how far they agree, and the run of the one that is open.

While verdicts are hidden, nothing here says what the verifier or another reviewer thinks: no right or wrong, no check
of the rationale, no other person's wording.  That a run failed is a fact and is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, cast

from app import views
from app.people import Person
from app.player import Traces, full, model_of
from app.site import Site
from app.step import edits
from workbench.curate.fold import Standing
from workbench.curate.queue import Lease
from workbench.curate.rules import REASON_WORDS
from workbench.errors import InputError
from workbench.records import Decision, Rationale, Reason, Task
from workbench.store import Run
from workbench.verify import compare

FULL = 32
"""Steps that come along in full, so that the first picture is drawn without another question."""


class Items:
    """Questions of a site's project for the page Curate."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._traces = Traces()

    def item(self, person: Person, task_id: str, why: str = "", lease: Lease | None = None) -> dict[str, Any]:
        """The question with its candidates, the one to begin with in full."""
        project, curation = self.site.project, self.site.project.curation
        view = project.task_view(task_id)
        task = view.task
        shown = curation.may_show(task_id, person.name, person.role)
        events = curation.events(task_id=task_id)
        standing = curation.standing([task_id])
        mine = next((one for one in standing if one.author == person.name), None)
        repaired = edits(project, task_id)
        picture = self.site.picture_of(task.image)
        runs = [run for run in (*view.runs, *repaired) if run.trace is not None]
        numbers = [str(run.program.index + 1) for run in runs[: len(runs) - len(repaired)]]
        numbers += [f"edit {at}" for at in range(1, len(repaired) + 1)]
        told = _told(view.rationales, events, None if shown else person.name)
        keys = [_key(run, task) for run in runs]
        counts = Counter(key for key in keys if key is not None)
        order = [key for key, _ in counts.most_common()]
        candidates = [
            self._candidate(run, number, told, shown) | {"group": order.index(key) if key is not None else None}
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
        project = self.site.project
        task, run = project.run_view(trace_id)
        if task.id != task_id or run.trace is None:
            raise InputError(f"question '{task_id}' has no run '{trace_id}'")
        shown = project.curation.may_show(task_id, person.name, person.role)
        events = project.curation.events(task_id=task_id)
        told = _told(project.task_view(task_id).rationales, events, None if shown else person.name)
        return self._model(run, self.site.picture_of(task.image), told, shown, events, person)

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
        steps = self._traces.steps(run, (picture["width"], picture["height"]) if picture["url"] else None)
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


def _told(rationales: Sequence[Rationale], events: Sequence[Decision], only: str | None) -> dict[str, Rationale]:
    """The newest rationale of each trace; `only`: leave out what other people than this one made."""
    edited = [(event.made, event.author) for event in events if event.kind == "edit"]
    foreign = {made for made, _ in edited} - {made for made, author in edited if only in (None, author)}
    found: dict[str, Rationale] = {}
    for rationale in rationales:
        if rationale.id not in foreign:
            found.setdefault(rationale.trace_id, rationale)
    return found


def _key(run: Run, task: Task) -> str | None:
    """What answers that mean the same have in common; None without an answer."""
    answer = run.trace.answer if run.trace is not None and run.trace.ok else None
    return None if answer is None else compare.canonical(answer, task)


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
