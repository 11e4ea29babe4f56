"""A first wrong step is shown while it counts, in Curate and in Step alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from finished_project import finished_project

from app.runs import Runs
from app.site import Site
from workbench.records import Decision, Role
from workbench.screen.review import Items
from workbench.store import Project


@dataclass(frozen=True)
class Reviewer:
    name: str
    role: Role = "curator"


class Desk:
    """A run of the project, where people name its first wrong step."""

    def __init__(self, project: Project) -> None:
        self.project = project
        site = Site(project)
        self.items, self.runs = Items(project, site.picture_of), Runs(site)
        kept = next(outcome for outcome in project.outcomes() if outcome.status == "kept")
        self.task, self.trace = kept.task_id, str(kept.chosen)
        self.events = 0

    def say(self, kind: Any, author: str, role: Role = "curator", **fields: Any) -> Decision:
        self.events += 1
        return self.project.curation.decide(
            [Decision(f"event-{self.events:05d}", kind, author, role, **fields)]
        )[0]

    def name_step(
        self, author: str, step: int, kind: str = "wrong_step", **fields: Any
    ) -> Decision:
        seq = self.runs.with_steps(self.trace)[2][step].raw[0]["seq"]
        return self.say(kind, author, task_id=self.task, trace_id=self.trace, step=seq, **fields)

    def wrong(self, name: str) -> tuple[int | None, int | None]:
        """The step that Curate shows to a person, and the step that Step shows to everybody."""
        head = self.items.candidate(Reviewer(name), self.task, self.trace)
        return head.wrong, self.runs.head(self.trace).wrong


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Project.open(finished_project(tmp_path)) as project:
        yield Desk(project)


def test_a_mark_is_shown_to_its_author_in_curate_and_to_all_in_step(desk: Desk) -> None:
    desk.name_step("ann", 1)
    assert desk.wrong("ann") == (1, 1)
    assert desk.wrong("bob") == (None, 1)


def test_a_mark_that_an_admin_rolled_back_is_not_shown(desk: Desk) -> None:
    desk.name_step("ann", 1)
    since = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=1)
    back = desk.say(
        "rollback", "root", "admin", subject="ann", since=since, until=since + timedelta(days=1)
    )
    assert desk.project.curation.blame() == []
    assert desk.wrong("ann") == (None, None)
    desk.say("undo", "root", "admin", target=back.id)
    assert desk.wrong("ann") == (1, 1)


def test_a_mark_that_was_taken_back_with_its_batch_is_not_shown(desk: Desk) -> None:
    desk.name_step("ann", 1, batch="batch-0001")
    desk.say("undo", "ann", target="batch-0001")
    assert desk.wrong("ann") == (None, None)


def test_a_batch_that_somebody_else_took_back_leaves_a_mark_in_it(desk: Desk) -> None:
    desk.name_step("ann", 1, batch="batch-0001")
    desk.name_step("bob", 0, batch="batch-0001")
    desk.say("undo", "bob", target="batch-0001")
    assert desk.wrong("ann") == (1, 1)


def test_the_mark_before_one_that_was_taken_back_is_shown_again(desk: Desk) -> None:
    desk.name_step("ann", 1)
    later = desk.name_step("bob", 0)
    assert desk.wrong("ann") == (1, 0)
    desk.say("undo", "bob", task_id=desk.task, target=later.id)
    assert desk.wrong("ann") == (1, 1)


def test_a_step_named_with_a_reject_is_shown_but_is_not_a_mark_to_take_back(desk: Desk) -> None:
    desk.name_step("ann", 1, kind="reject", reason="wrong_reason")
    assert desk.wrong("ann") == (1, 1)
    assert desk.items.candidate(Reviewer("ann"), desk.task, desk.trace).mark is None
