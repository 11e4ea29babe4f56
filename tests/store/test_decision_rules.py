"""Whatever people say in whatever order: the store, the view, the replay of the events and the
pages say the same.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from curation_project import make_project, states
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.runs import Runs
from app.site import Site
from workbench.curate.fold import History
from workbench.curate.settings import Settings
from workbench.errors import InputError
from workbench.records import Decision, Role
from workbench.screen.review import Items
from workbench.store import Project
from workbench.store.people.decisions import to_item

PEOPLE = {"ann": "curator", "bob": "curator", "cy": "adjudicator", "root": "admin"}
QUESTIONS = 3

people = st.sampled_from(sorted(PEOPLE))
questions = st.integers(0, QUESTIONS - 1)
TABLES = ("decision", "standing", "curated", "lease", "curation")

_home: list[tuple[tempfile.TemporaryDirectory[str], Project, Any]] = []


@dataclass(frozen=True)
class Reviewer:
    name: str
    role: Role


def home() -> tuple[Project, Any]:
    """One store for all examples, emptied before each: making one takes longer than an example."""
    if not _home:
        folder = tempfile.TemporaryDirectory()
        _home.append((folder, *make_project(Path(folder.name), QUESTIONS)))
    _, project, made = _home[0]

    def empty(cursor: Any) -> None:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")

    project.database.transaction(empty)
    return project, made


class People(RuleBasedStateMachine):
    """Events of every kind that changes a state, lawful or not."""

    def __init__(self) -> None:
        super().__init__()
        self.project, self.made = home()
        self.events: list[Decision] = []
        self.overlap = 1
        self.n = 0

    def say(self, kind: Any, who: str, task: str = "", **more: Any) -> None:
        self.n += 1
        event = Decision(f"event-{self.n:05d}", kind, who, PEOPLE[who], task, **more)  # type: ignore[arg-type]
        try:
            self.events += self.project.curation.decide([event])
        except InputError:
            return  # the invariants hold after a refusal, too
        assert self.project.curation.decide([event]) == self.events[-1:], (
            "a retry is the same event"
        )

    @rule(
        who=people,
        at=questions,
        trace=st.sampled_from([0, 1, 2]),
        batch=st.sampled_from([None, "batch-0001"]),
    )
    def accept(self, who: str, at: int, trace: int, batch: str | None) -> None:
        made = self.made[at]
        told = made.rationale.id if trace == 1 else None
        self.say(
            "accept",
            who,
            made.task.id,
            trace_id=made.traces[trace].id,
            rationale_id=told,
            batch=batch,
        )

    @rule(
        who=people,
        at=questions,
        trace=st.sampled_from([0, 1, 2]),
        step=st.sampled_from([0, 1, 2]),
        batch=st.sampled_from([None, "batch-0001"]),
        kind=st.sampled_from(["wrong_step", "wrong_step", "reject"]),
    )
    def name_step(
        self, who: str, at: int, trace: int, step: int, batch: str | None, kind: str
    ) -> None:
        made = self.made[at]
        reason = "unsafe" if kind == "reject" else None
        self.say(
            kind,
            who,
            made.task.id,
            trace_id=made.traces[trace].id,
            step=step,
            batch=batch,
            reason=reason,
        )

    @rule(who=people, at=questions, kind=st.sampled_from(["reject", "skip", "queue", "note"]))
    def speak(self, who: str, at: int, kind: str) -> None:
        reason = "unsafe" if kind == "reject" else None
        self.say(kind, who, self.made[at].task.id, reason=reason, text="so")

    @rule(
        who=people,
        at=questions,
        kind=st.sampled_from(["adjudicate", "gold"]),
        accepted=st.booleans(),
    )
    def settle(self, who: str, at: int, kind: str, accepted: bool) -> None:
        more: dict[str, Any] = {"ruling": "reject", "reason": "bad_gold"}
        if accepted:
            more = {"ruling": "accept", "trace_id": self.made[at].traces[1].id}
        self.say(kind, who, self.made[at].task.id, **more)

    @precondition(lambda self: self.events)
    @rule(back=st.integers(0, 5), own=st.booleans(), who=people)
    def undo(self, back: int, own: bool, who: str) -> None:
        target = self.events[-1 - back % len(self.events)]
        self.say("undo", target.author if own else who, target.task_id, target=target.id)

    @rule(who=people)
    def undo_batch(self, who: str) -> None:
        self.say("undo", who, target="batch-0001")

    @precondition(lambda self: self.events)
    @rule(who=people, subject=people, first=st.integers(0, 20), last=st.integers(0, 20))
    def roll_back(self, who: str, subject: str, first: int, last: int) -> None:
        times = [event.created_at for event in self.events if event.created_at is not None]
        since, until = (
            times[first % len(times)],
            times[last % len(times)] + timedelta(microseconds=1),
        )
        self.say("rollback", who, subject=subject, since=since, until=until)

    @rule(overlap=st.integers(1, 3))
    def ask_for_more(self, overlap: int) -> None:
        self.overlap = overlap
        self.project.curation.set_settings(Settings(overlap=overlap), "root")

    @invariant()
    def table_view_and_replay_agree(self) -> None:
        stored = self.project.curation.events()
        assert stored == self.events
        replay = History(stored)
        tasks = sorted({event.task_id for event in stored} - {""})
        items = [replay.item(task, self.overlap) for task in tasks]
        held = self.project.curation.items(tasks)
        assert [held[task] for task in tasks] == items
        assert states(self.project, "curated") == states(self.project, "item")
        counting = [
            event
            for event in stored
            if event.kind not in ("undo", "rollback") and replay.counts(event)
        ]
        assert self.project.database.rows("SELECT seq FROM active_decision ORDER BY seq") == [
            {"seq": event.seq} for event in counting
        ]
        said = [one for task in tasks for one in replay.standing(task)]
        assert self.project.curation.standing() == said
        view = "SELECT * FROM standing_at(TIMESTAMP 'infinity') ORDER BY task_id, author"
        table = "SELECT * FROM standing WHERE kind <> 'none' ORDER BY task_id, author"
        assert self.project.database.rows(view) == self.project.database.rows(table)

    def teardown(self) -> None:
        self.pages_show_what_counts()
        self.past_is_replayed()

    def pages_show_what_counts(self) -> None:
        """Curate's first wrong step, Step's, and the list of a person's last decisions follow the
        view.
        """
        counting = {
            row["seq"]: row
            for row in self.project.database.rows("SELECT * FROM active_decision ORDER BY seq")
        }
        site = Site(self.project)
        items, runs = Items(self.project, site.picture_of), Runs(site)
        # Where nobody ever named a step there is nothing to get wrong, and each look costs several
        # questions.
        for trace, task, who in {
            (e.trace_id, e.task_id, e.author) for e in self.events if e.step is not None
        }:
            steps = {
                raw["seq"]: at
                for at, one in enumerate(runs.with_steps(str(trace))[2])
                for raw in one.raw
            }
            marks = [
                row
                for row in counting.values()
                if row["step"] is not None and row["trace_id"] == trace
            ]
            own = [row for row in marks if row["author"] == who]
            assert runs.head(str(trace)).wrong == (steps.get(marks[-1]["step"]) if marks else None)
            head = items.candidate(Reviewer(who, PEOPLE[who]), task, str(trace))  # type: ignore[arg-type]
            assert head.wrong == (steps.get(own[-1]["step"]) if own else None)
        undone = {event.target for event in self.events if event.kind == "undo"}
        for name in PEOPLE:
            for one in self.project.curation.recent(name, 1000):
                event = one.decision
                counts = (
                    event.id not in undone if event.kind == "rollback" else event.seq in counting
                )
                assert one.undone == (not counts)

    def past_is_replayed(self) -> None:
        """As of any event's time, the view is the replay of what had been said by then."""
        for at in {0, len(self.events) // 2, len(self.events) - 1} if self.events else ():
            moment = self.events[at].created_at or datetime.now(UTC)
            replay = History(
                event for event in self.events if event.created_at and event.created_at <= moment
            )
            rows = self.project.database.rows("SELECT * FROM item_at(?)", [moment])
            past = {row["task_id"]: to_item(row) for row in rows}
            overlap = {item.needed for item in past.values()}
            assert past == {
                task: replay.item(task, *overlap) for task in set(replay.by_task) - {""}
            }


TestPeople = People.TestCase
TestPeople.settings = settings(
    max_examples=4, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.slow
class TestPeopleAtLength(People.TestCase):  # type: ignore[misc]
    settings = settings(
        max_examples=15,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def teardown_module() -> None:
    for folder, project, _ in _home:
        project.close()
        folder.cleanup()
    _home.clear()
