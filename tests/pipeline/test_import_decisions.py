"""Decisions from other tools: through their own files and back, once, however often they are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.pipeline.import_decisions import DecisionImport, import_decisions
from workbench.pipeline.snapshotting import SnapshotWish, take
from workbench.snapshot import Snapshot
from workbench.snapshot.exports import export
from workbench.store import Project


@pytest.fixture
def snapshot(project: Project) -> Snapshot:
    return take(project, SnapshotWish(accepted="automatic"))


def answered(record: dict[str, Any], user: str, **given: str) -> None:
    """Answer an argilla record."""
    for name, value in given.items():
        record["responses"].setdefault(name, []).append(
            {"value": value, "user_id": user, "status": "submitted"}
        )


def imported(
    project: Project, path: Path, tool: str, entries: list[dict[str, Any]]
) -> DecisionImport:
    path.write_text(json.dumps(entries))
    return import_decisions(project, path, tool)


def test_there_and_back_through_argilla(
    project: Project, snapshot: Snapshot, tmp_path: Path
) -> None:
    records = json.loads(
        (export(snapshot, "argilla", tmp_path / "out").path / "records.json").read_text()
    )
    answered(
        records[0],
        "u1",
        decision="accept",
        rationale=records[0]["suggestions"]["rationale"]["value"],
    )
    answered(
        records[1], "u1", decision="reject", reason="wrong_program", note="it counts one too many"
    )
    answered(records[2], "u1", decision="accept", rationale="There are many. Thus, it is so.")
    found = imported(project, tmp_path / "d.json", "argilla", records)
    assert (found.added, found.repeats, found.edited, found.refused) == (3, 0, 1, ())
    tasks = [record["metadata"]["task_id"] for record in records[:3]]
    items = project.curation.items(tasks)
    assert [items[task].state for task in tasks] == ["accepted", "rejected", "accepted"]
    assert items[tasks[0]].rationale_id == records[0]["metadata"]["rationale_id"]
    by_task = {example.task_id: example for example in take(project, SnapshotWish()).examples()}
    assert by_task[tasks[2]].rationale == "There are many. Thus, it is so."
    assert by_task[tasks[2]].edited
    assert by_task[tasks[2]].reviewers == ("argilla:u1",)


def test_a_second_import_adds_nothing(project: Project, snapshot: Snapshot, tmp_path: Path) -> None:
    records = json.loads(
        (export(snapshot, "argilla", tmp_path / "out").path / "records.json").read_text()
    )
    answered(records[0], "u1", decision="accept", rationale="Other words.")
    answered(records[1], "u1", decision="skip")
    imported(project, tmp_path / "d.json", "argilla", records)
    before = project.database.rows("SELECT id, seq FROM decision ORDER BY seq")
    assert len(before) == 3, "an edit, its accept and a skip"
    again = imported(project, tmp_path / "d.json", "argilla", records)
    assert (again.added, again.repeats, again.refused) == (0, 2, ())
    assert project.database.rows("SELECT id, seq FROM decision ORDER BY seq") == before


def test_who_changed_their_mind_over_there_says_so_here(
    project: Project, snapshot: Snapshot, tmp_path: Path
) -> None:
    records = json.loads(
        (export(snapshot, "argilla", tmp_path / "out").path / "records.json").read_text()
    )[:1]
    answered(records[0], "u1", decision="accept")
    imported(project, tmp_path / "d.json", "argilla", records)
    records[0]["responses"] = {}
    answered(records[0], "u1", decision="reject", reason="bad_gold")
    assert imported(project, tmp_path / "d.json", "argilla", records).added == 1
    task = records[0]["metadata"]["task_id"]
    assert project.curation.item(task).state == "rejected"
    assert imported(project, tmp_path / "d.json", "argilla", records).notes == ()
    # back to the first opinion, or an old file: that cannot be told, so it is said
    records[0]["responses"] = {}
    answered(records[0], "u1", decision="accept")
    again = imported(project, tmp_path / "d.json", "argilla", records)
    assert (again.added, again.repeats) == (0, 1)
    assert "argilla:u1 decided 'reject' since" in again.notes[0].reason
    assert project.curation.item(task).state == "rejected"


def test_a_rationale_that_was_mended_and_not_accepted_is_listed(
    project: Project, snapshot: Snapshot, tmp_path: Path
) -> None:
    records = json.loads(
        (export(snapshot, "argilla", tmp_path / "out").path / "records.json").read_text()
    )[:2]
    answered(records[0], "u1", decision="skip", rationale="Other words.")
    answered(records[1], "u1", decision="accept", rationale="Other words.")
    result = imported(project, tmp_path / "d.json", "argilla", records)
    assert (result.added, result.edited, result.refused) == (2, 1, ())
    [note] = result.notes
    assert note.where == "record 1"
    assert "only an accepted rationale is kept as an edit" in note.reason


def test_there_and_back_through_label_studio(
    project: Project, snapshot: Snapshot, tmp_path: Path
) -> None:
    tasks = json.loads(
        (export(snapshot, "label-studio", tmp_path / "out").path / "tasks.json").read_text()
    )
    for number, (decision, task) in enumerate(zip(("accept", "reject"), tasks)):
        result = [{"from_name": "decision", "type": "choices", "value": {"choices": [decision]}}]
        if decision == "reject":
            result.append(
                {"from_name": "reason", "type": "choices", "value": {"choices": ["unsafe"]}}
            )
        told = [
            part for part in task["predictions"][0]["result"] if part["from_name"] == "rationale"
        ]
        task |= {
            "id": number,
            "annotations": [
                {"id": 10 + number, "completed_by": 1, "result": result + told, "lead_time": 2.5}
            ],
        }
    found = imported(project, tmp_path / "d.json", "label-studio", tasks[:2])
    assert (found.added, found.edited, found.refused) == (2, 0, ())
    events = project.curation.events()
    assert [(event.kind, event.author, event.reason, event.seconds) for event in events] == [
        ("accept", "label-studio:1", None, 2.5),
        ("reject", "label-studio:1", "unsafe", 2.5),
    ]


def test_what_is_not_of_this_project_is_listed(
    project: Project, snapshot: Snapshot, tmp_path: Path
) -> None:
    records = json.loads(
        (export(snapshot, "argilla", tmp_path / "out").path / "records.json").read_text()
    )[:3]
    for record in records:
        answered(record, "u1", decision="accept")
    records[0]["metadata"]["task_id"] = "elsewhere/1"
    records[1]["metadata"]["trace_id"] = "nosuchtrace"
    found = imported(project, tmp_path / "d.json", "argilla", records)
    assert found.added == 1
    assert [row.where for row in found.refused] == ["record 1", "record 2"]
    assert found.refused[0].reason == "there is no task 'elsewhere/1' in this project"
    assert "nosuchtrace" in found.refused[1].reason
