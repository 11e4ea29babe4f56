"""Records at the end of a cell, and what a saved notebook shows of everything: nothing hostile is
markup.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import page_project
import pytest
from IPython.core.interactiveshell import InteractiveShell
from ipywidgets import Widget
from page_project import HOSTILE

from workbench.errors import InputError
from workbench.records import Citation, Decision, Prediction, Program, Rationale, Trace, TraceEvent
from workbench.store import Project
from workbench.widgets import (
    ProgramTable,
    ReviewQueue,
    TracePlayer,
    current,
    load_ipython_extension,
    plain,
    show,
    use,
)


@pytest.fixture(autouse=True)
def no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "_open", {})


def markup(text: str) -> list[str]:
    """The tags in a text."""
    return re.findall(r"<([a-z]+)", text)


def hostile(project: Project) -> str:
    """A question of which everything is hostile; returns its id."""
    first = project.tasks(project.browse_ids()[:1])[0]
    task = replace(
        first,
        id="bad/1",
        question=HOSTILE,
        answers=(HOSTILE,),
        choices=(HOSTILE, "no"),
        answer_type="choice",
    )
    project.add_tasks([task])
    events = tuple(
        TraceEvent(
            one.seq,
            one.kind,
            one.line,
            one.frame,
            {**one.payload, "text": HOSTILE} if one.kind == "print" else one.payload,
        )
        for one in page_project.events_of(HOSTILE, [(1, 2, 30, 40)], (640, 480))
    )
    program = Program("bad-p", task.id, 0, f"# {HOSTILE}\n", -0.1, 9, 0, page_project.SAMPLER)
    trace = Trace(
        "bad-t", program.id, task.id, HOSTILE, None, events, 7, 1, 0.1, page_project.EXECUTOR
    )
    told = Rationale(
        "bad-r",
        trace.id,
        task.id,
        HOSTILE,
        HOSTILE,
        (Citation(0, 9, ()),),
        (HOSTILE,),
        page_project.WRITER,
    )
    said = Prediction("bad-s", task.id, HOSTILE, HOSTILE, 0.0, 0.1, page_project.STUDENT)
    project.add_programs([program], 0)
    project.add_traces([trace])
    project.add_verdicts(
        [
            [
                page_project.Verdict(
                    "bad-v",
                    trace.id,
                    program.id,
                    task.id,
                    1.0,
                    True,
                    True,
                    "gold",
                    HOSTILE,
                    page_project.VERIFIER,
                )
            ]
        ]
    )
    project.add_rationales([told])
    project.add_predictions([said])
    return task.id


def test_hostile_text_is_text_in_every_saved_record(own: Project) -> None:
    view = own.task_view(hostile(own))
    trace = own.run_view("bad-t")[1]
    verdict = replace(own.task_view(own.browse_ids()[0]).runs[0].verdict, reason=HOSTILE)  # type: ignore[type-var]
    records: list[Any] = [view.task, trace.program, trace.trace, verdict, view.predictions[0]]
    records.append(
        Rationale(
            "r", "t", "q", HOSTILE, "a", (Citation(0, 5, ()),), (HOSTILE,), page_project.WRITER
        )
    )
    for record in records:
        text = show(record)._repr_html_()  # type: ignore[union-attr]
        assert "onerror" in text, type(record)
        assert {"img", "script"}.isdisjoint(markup(text)), type(record)


def test_hostile_text_is_text_in_every_saved_widget(own: Project) -> None:
    task = hostile(own)
    player = TracePlayer("bad-t", project=own)
    own.curation.decide(
        [Decision("q" * 32, "queue", "ben", "admin", task)]
    )  # so that it comes first
    queue = ReviewQueue(own, name="ann")
    for widget in (player, ProgramTable(task, own), queue):
        bundle = widget._repr_mimebundle_()[0]
        assert "onerror" in bundle["text/html"]
        assert markup(bundle["text/html"]).count("img") == 1, "the picture, and nothing else"
        assert "script" not in markup(bundle["text/html"])
    queue.close()


def test_a_cell_shows_a_trace_as_a_player_where_its_picture_is_known(project: Project) -> None:
    shell = InteractiveShell()
    load_ipython_extension(shell)
    trace = project.task_view(project.browse_ids("family:count")[0]).runs[0].trace
    data, _ = shell.display_formatter.format(trace)
    assert "<table>" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" not in data
    use(project)
    data, _ = shell.display_formatter.format(trace)
    assert "application/vnd.jupyter.widget-view+json" in data
    assert 'src="data:image/webp;base64,' in data["text/html"]
    InteractiveShell.clear_instance()


def test_a_question_brings_its_picture_where_a_project_has_it(project: Project) -> None:
    task = project.tasks(project.browse_ids()[:1])[0]
    assert "<img" not in show(task)._repr_html_()  # type: ignore[union-attr]
    assert "<img" in show(task, project)._repr_html_()  # type: ignore[union-attr]


def test_the_project_is_named_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"widgets.use"):
        ProgramTable("any")
    monkeypatch.setenv("VPD_PROJECT", str(project.path))
    opened = use()
    try:
        assert use(project.path) is opened
        assert ProgramTable(project.browse_ids()[0]).rows
    finally:
        opened.close()


def test_no_widget_names_another_machine() -> None:
    folder = Path(str(current.__file__)).parent
    for path in [*folder.glob("static/*"), *(folder.parent / "screen" / "static").glob("*")]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text, path.name
        assert "innerHTML" not in text, path.name


def test_without_its_state_a_widget_reads_as_html(project: Project) -> None:
    """As nbviewer does it: the widget's state is not in the file, so the next best form is shown."""
    nbconvert, nbformat = pytest.importorskip("nbconvert"), pytest.importorskip("nbformat")
    player = TracePlayer(
        project.task_view(project.browse_ids("family:count")[0]).runs[0].program.id, project=project
    )
    data, metadata = player._repr_mimebundle_()
    shown = nbformat.v4.new_output("display_data", data, metadata=metadata)
    cell = nbformat.v4.new_code_cell("player", outputs=[shown])
    html, _ = nbconvert.HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert f"<td><b>{player.current.title}</b></td>" in html, "its steps, the one shown marked"
    assert 'alt="The picture asked about"' in html
    assert "widget-view+json" not in html


def test_the_state_of_a_player_is_small(project: Project) -> None:
    player = TracePlayer(
        project.task_view(project.browse_ids("family:count")[0]).runs[0].program.id, project=project
    )
    state = Widget.get_manager_state(widgets=[player])
    assert 50_000 < len(json.dumps(state)) < 200_000, "ten of them fit into a notebook of 2 MB"


def test_marks_of_direction_are_shown_as_their_codes(project: Project) -> None:
    first = project.tasks(project.browse_ids()[:1])[0]
    html = plain.task(replace(first, question="Is it \u202egnp.exe?", answers=("\u2067yes",)))
    assert r"Is it \u202egnp.exe?" in html
    assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", html)
