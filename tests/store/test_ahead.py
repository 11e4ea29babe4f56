"""What is read of questions before they are asked for, and how long it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from curation_project import Voice, make_project
from store_rows import Made

from workbench.records import content_key
from workbench.store import Project
from workbench.store.reading.ahead import AHEAD, ReadAhead


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Project, list[Made]]]:
    project, made = make_project(tmp_path, 4)
    with project:
        yield project, made


def ahead_of(project: Project) -> ReadAhead:
    return ReadAhead(project.database, lambda: project.parts)


def test_what_comes_next_is_read_with_the_first(home: tuple[Project, list[Made]]) -> None:
    project, made = home
    ahead, ids = ahead_of(project), [one.task.id for one in made]
    asked: list[int] = []

    def then() -> list[str]:
        asked.append(1)
        return [*ids, "unknown", *(f"more/{at}" for at in range(AHEAD))]

    first = ahead.views(ids[:1], then)
    assert first == {ids[0]: project.task_view(ids[0])}
    rest = ahead.views(ids[1:], then)
    assert rest == {id: project.task_view(id) for id in ids[1:]}
    assert len(asked) == 1, "the others were there"
    assert ahead.views(["unknown"], then) == {}


def test_a_record_that_is_written_is_seen_at_once(home: tuple[Project, list[Made]]) -> None:
    project, made = home
    ahead, id = ahead_of(project), made[0].task.id
    before = ahead.views([id])[id]
    event = Voice("ann").event("edit", id, rationale_id=made[0].rationale.id)
    edit = project.curation.edit_rationale(event, "There are 2 of them. Thus, the answer is 2.")
    after = ahead.views([id])[id]
    assert after.rationales == (edit, *before.rationales)
    parent = made[0].programs[0]
    repaired = replace(parent, id=content_key("repair"), source="# again", parent=parent.id)
    project.add_programs([repaired], 0)
    project.add_traces([replace(made[0].traces[1], id="repaired", program_id=repaired.id)])
    assert ahead.views([id])[id].edits == (repaired.id,)


def test_a_project_that_is_only_read_is_read_each_time(home: tuple[Project, list[Made]]) -> None:
    project, made = home
    id = made[0].task.id
    with Project.open(project.path, read_only=True) as reader:
        ahead = ahead_of(reader)
        before = ahead.views([id])[id]
        edit = Voice("ann").event("edit", id, rationale_id=made[0].rationale.id)
        project.curation.edit_rationale(edit, "There are 2 of them. Thus, the answer is 2.")
        assert len(ahead.views([id])[id].rationales) == len(before.rationales) + 1
