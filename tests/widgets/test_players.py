"""TracePlayer and ProgramTable: one cursor, seen and set from Python."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import page_project
import pytest
from PIL import Image

from workbench.errors import InputError
from workbench.records import Program, Trace, TraceEvent
from workbench.store import Project
from workbench.widgets import ProgramTable, TracePlayer

SIZE = (640, 480)


def counted(project: Project) -> str:
    return project.browse_ids("family:count")[0]


def alone(events: Any = None) -> tuple[Trace, Program]:
    """A run that no project knows."""
    source = page_project.program_for("dog")
    program = Program("first", "nowhere", 0, source, 0.0, 0, 0, page_project.SAMPLER)
    events = events or page_project.events_of("dog", [(10, 20, 200, 220)], SIZE)
    return Trace(
        "t", "first", "nowhere", "1", None, events, 7, 1, 0.1, page_project.EXECUTOR
    ), program


def test_a_run_of_the_project_brings_program_picture_and_rationale(project: Project) -> None:
    run = project.task_view(counted(project)).chosen
    assert run is not None
    assert run.trace is not None
    player = TracePlayer(run.trace, project=project)
    assert "".join(word for _, word in player.run["source"][0]) == "def execute_command(image):"
    assert player.run["told"]["sentences"]
    assert player.run["head"]["state"] == "right"
    assert Image.open(io.BytesIO(player.picture)).size == (640, 480)


def test_it_opens_at_the_first_tool_call_and_goes_where_it_is_sent(project: Project) -> None:
    player = TracePlayer(project.task_view(counted(project)).runs[0].program.id, project=project)
    assert player.current.kind == "tool"
    player.step = 99
    assert player.step == len(player.steps) - 1
    assert player.current.kind in ("end", "error")


def test_the_step_can_be_observed(project: Project) -> None:
    player = TracePlayer(project.task_view(counted(project)).runs[0].program.id, project=project)
    seen: list[int] = []
    player.observe(lambda change: seen.append(change["new"]), "step")
    player.set_state({"step": 3, "wrong": 2})  # as the page does
    assert seen == [3]
    assert player.wrong == 2


def test_a_run_that_no_project_knows_is_shown_with_what_is_given(picture: Path) -> None:
    trace, program = alone()
    player = TracePlayer(trace, program=program, picture=picture)
    assert player.run["picture"] == {
        "image": "",
        "url": "bytes",
        "width": 64,
        "height": 48,
        "problem": "",
        "more": (),
    }
    assert len(TracePlayer(trace).run["source"]) <= 1
    assert TracePlayer(trace).run["picture"]["url"] is None


def test_pictures_that_the_run_made_come_along(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "new.png"
    Image.new("RGB", (40, 30), "red").save(path)
    digest = project.images.add(path)
    made = {"image": digest, "size": [40, 30], "box": [0, 0, 40, 30]}
    patch = {"type": "patch", "box": [0, 0, 20, 15], "label": None, "score": None, "made": made}
    events = (
        TraceEvent(0, "tool", 1, 0, {"call": 0, "tool": "zoom", "arguments": {}}),
        TraceEvent(
            1, "tool_result", 1, 0, {"call": 0, "tool": "zoom", "ok": True, "result": patch}
        ),
    )
    trace, program = alone(events)
    url = "data:image/webp;base64,"
    known = TracePlayer(trace, program=program, project=project).run["full"][0]["pictures"][-1]
    assert known["url"].startswith(url)
    assert TracePlayer(trace, program=program).run["full"][0]["pictures"][-1]["url"] is None


def test_a_large_picture_is_sent_no_larger_than_it_is_shown() -> None:
    trace, program = alone()
    noise = Image.effect_noise((3000, 2000), 90).convert("RGB")
    player = TracePlayer(trace, program=program, picture=noise)
    assert max(Image.open(io.BytesIO(player.picture)).size) == 720
    assert player.run["picture"]["width"] == 3000


def test_of_a_long_run_only_the_beginning_comes_along() -> None:
    trace, program = alone(page_project.loop_events(2000, SIZE))
    player = TracePlayer(trace, program=program)
    assert len(player.run["steps"]) == 2001
    assert len(player.run["full"]) == 60
    assert player.answer({"do": "load", "from": 1000, "to": 1032})[0]["changed"][0]["value"] == [
        {"text": "1000", "patch": None}
    ]


def test_what_the_page_cannot_ask_is_answered_in_words(project: Project) -> None:
    player = TracePlayer(alone()[0])
    said: list[Any] = []
    player.send = said.append  # type: ignore[method-assign]
    player._received(player, {"id": "1", "do": "format"}, [])
    assert said == [{"id": "1", "error": "this widget cannot do 'format'"}]


def test_an_unknown_run_is_an_error_in_words(project: Project) -> None:
    with pytest.raises(InputError, match="names no task"):
        TracePlayer("nothing", project=project)


def test_programs_stand_in_a_table_and_the_kept_one_is_chosen(project: Project) -> None:
    table = ProgramTable(counted(project), project)
    assert [row["number"] for row in table.rows] == [1, 2, 3, 4, 5]
    assert table.rows[table.selected]["kept"]
    assert table.chosen.program.id == project.task_view(counted(project)).chosen.program.id  # type: ignore[union-attr]


def test_choosing_a_program_shows_its_run(project: Project) -> None:
    table = ProgramTable(project.tasks([counted(project)])[0], project)
    failed = next(at for at, row in enumerate(table.rows) if row["state"] == "failed")
    table.set_state({"selected": failed})
    assert table.current.kind == "error"
    assert table.player().trace.id == table.chosen.trace.id  # type: ignore[union-attr]


def test_a_question_without_programs_has_an_empty_table(own: Project) -> None:
    digest = own.tasks(own.browse_ids()[:1])[0].image
    own.add_tasks([page_project.Task("bare/1", "bare", "test", digest, "Is it?", ("yes",))])
    table = ProgramTable("bare/1", own)
    assert (table.rows, table.selected, table.run) == ([], -1, {})
    assert "Is it?" in table.plain()
