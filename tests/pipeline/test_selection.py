"""A project remembers what it takes of its sources; tables change and are read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import official_files as made
import pytest
from PIL import Image
from small_parts import profile_text
from typer.testing import CliRunner, Result

from workbench.cli import app
from workbench.pipeline import importing, loop
from workbench.records import Task
from workbench.settings import Choice
from workbench.store import Project
from workbench.store.records import sources
from workbench.store.records.sources import SourceSelection


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "small.toml").write_text(profile_text())
    with Project.create(tmp_path / "project", str(tmp_path / "small.toml")) as project:
        yield project


@pytest.fixture
def tally(tmp_path: Path) -> Choice:
    (tmp_path / "files").mkdir()
    made.tallyqa(tmp_path / "files")
    rows = [made.tallyqa_row(n) for n in range(30)]
    made.write(tmp_path / "files" / "test.json", rows)
    return Choice("tallyqa", {"root": str(tmp_path / "files")})


def choose(project: Project, choice: Choice, split: str | None, limit: int | None) -> None:
    project.add_source(choice)
    sources.select(project.database, SourceSelection(choice, split, limit))


def imported(project: Project, **selection: Any) -> int:
    """Number of tasks after a run that imports."""
    loop.run(project, upto="import", **selection)
    return project.count_tasks()


def test_a_run_imports_what_was_selected_and_no_more(project: Project, tally: Choice) -> None:
    choose(project, tally, "test", 20)
    assert imported(project) == 20
    assert project.count_tasks("train") == 0
    assert importing.missing(project, None, None) == []
    assert imported(project) == 20


def test_a_selection_of_a_split_takes_all_of_it(project: Project, tally: Choice) -> None:
    choose(project, tally, "test", None)
    assert imported(project) == 30
    assert project.count_tasks("train") == 0


def test_a_run_takes_less_of_it_first_and_the_rest_later(project: Project, tally: Choice) -> None:
    choose(project, tally, "test", 20)
    assert imported(project, limit=4) == 4
    assert imported(project, limit=100) == 20
    assert imported(project) == 20


def test_a_run_that_asks_for_more_is_told_what_the_project_takes(
    project: Project, tally: Choice
) -> None:
    choose(project, tally, "test", 20)
    summary = loop.run(project, 100, upto="import")
    assert summary.notes == (
        "the project takes only the first 20 questions of split test of tallyqa; "
        "take more with: vpd import",
    )


def test_a_stopped_import_goes_on_to_the_end_of_the_selection(
    project: Project, tally: Choice
) -> None:
    choose(project, tally, "test", 20)

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.import_tasks(project, tally, "test", watch=stop, first=7)
    assert project.count_tasks() == 7
    assert imported(project) == 20


def test_another_selection_of_the_same_split_widens_it(project: Project, tally: Choice) -> None:
    choose(project, tally, "test", 5)
    assert imported(project) == 5
    choose(project, tally, "test", 12)
    assert imported(project) == 12
    choose(project, tally, "train", None)
    assert imported(project) == 13
    choose(project, tally, None, None)
    assert imported(project) == 31


def test_a_project_of_before_selections_takes_all(project: Project, tally: Choice) -> None:
    project.add_source(tally)
    assert sources.selections(project.database) == [SourceSelection(tally)]
    assert imported(project) == 31


# --- tables that change


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "mine" / "images").mkdir(parents=True)
    Image.new("RGB", (8, 6), (200, 30, 30)).save(tmp_path / "mine" / "images" / "red.png")
    return tmp_path / "mine" / "questions.jsonl"


def write(table: Path, *rows: dict[str, Any]) -> None:
    table.write_text("".join(json.dumps({"image": "red.png", **row}) + "\n" for row in rows))


def asked(project: Project) -> dict[str, tuple[str, ...]]:
    ids = [row["id"] for row in project.database.rows("SELECT id FROM task ORDER BY seq")]
    return {task.question: task.answers for task in project.tasks(ids)}


FIRST = [{"question": f"Question {n}?", "answer": f"a{n}"} for n in range(3)]


def test_a_row_inserted_at_the_top_is_one_new_question(project: Project, table: Path) -> None:
    choice = Choice("folder", {"root": str(table.parent)})
    write(table, *FIRST)
    importing.import_tasks(project, choice)
    write(table, {"question": "New?", "answer": "new"}, *FIRST)
    again = importing.import_tasks(project, choice)
    assert (again.added, again.present, again.changed) == (1, 3, ())
    assert asked(project) == {
        **{f"Question {n}?": (f"a{n}",) for n in range(3)},
        "New?": ("new",),
    }


def test_rows_that_were_numbered_by_their_line_are_found_again(
    project: Project, table: Path
) -> None:
    choice = Choice("folder", {"root": str(table.parent)})
    write(table, *({"id": str(n + 1), **row} for n, row in enumerate(FIRST)))
    importing.import_tasks(project, choice)  # as an earlier workbench named them
    write(table, {"question": "New?", "answer": "new"}, *FIRST)
    assert importing.import_tasks(project, choice).added == 1
    assert len(asked(project)) == project.count_tasks() == 4


# --- on the command line


def vpd(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def made_project(tmp_path: Path, table: Path) -> Path:
    (tmp_path / "small.toml").write_text(profile_text())
    write(table, *FIRST)
    words = ("--from", table.parent, "--profile", tmp_path / "small.toml", "--limit", 2)
    done = vpd("init", tmp_path / "p", *words)
    assert "questions.jsonl: 3 rows, 3 with an answer, 0 with choices, 3 with a pict" in done.stdout
    assert "with 2 tasks; next: vpd run" in done.stdout
    return tmp_path / "p"


def test_init_and_import_remember_the_limit(made_project: Path) -> None:
    assert "2 tasks in" in vpd("import", "--project", made_project).stdout
    assert "3 tasks in" in vpd("import", "--project", made_project, "--limit", 10).stdout


def test_a_project_without_a_question_is_not_made(tmp_path: Path, table: Path) -> None:
    write(table, {"image": "nope.png", "question": "What?", "answer": "x"})
    (tmp_path / "kept").mkdir()
    for name, stays in (("new", False), ("kept", True)):
        done = vpd("init", tmp_path / name, "--from", table.parent)
        assert done.exit_code != 0
        assert "no question could be imported, so no project was made" in done.output
        assert "no picture 'nope.png'" in done.output
        assert (tmp_path / name).exists() == stays
    assert list((tmp_path / "kept").iterdir()) == []
    write(table, *FIRST)
    done = vpd("init", tmp_path / "new", "--from", table.parent, "--split", "tset")
    assert "the source holds none in split 'tset'" in done.output


def test_a_table_without_answers_is_asked_about(tmp_path: Path, table: Path) -> None:
    write(table, {"question": "What?", "anwser": "x", "note": "n"})
    done = vpd("init", tmp_path / "p", "--from", table.parent)
    assert done.exit_code != 0
    assert "column 'anwser' (1 rows) is kept and not used; did you mean answer?" in done.output
    assert "column 'note' (1 rows) is kept and not used" in done.output
    assert "the column 'anwser' may be meant" in done.output
    assert "--unlabelled" in done.output
    assert not (tmp_path / "p").exists()
    assert (
        "with 1 tasks" in vpd("init", tmp_path / "p", "--from", table.parent, "--unlabelled").output
    )


def test_a_corrected_table_is_taken_over_when_asked_for(made_project: Path, table: Path) -> None:
    write(table, {**FIRST[0], "answer": "right"}, *FIRST[1:])
    left = vpd("import", "--project", made_project)
    assert "1 tasks differ from those imported before and were left as they are" in left.output
    nobody = vpd("import", "--project", made_project, "--correct")
    assert nobody.exit_code != 0
    assert "give --by NAME and --why TEXT" in nobody.output
    done = vpd("import", "--project", made_project, "--correct", "--by", "ann", "--why", "a typo")
    assert "1 tasks got other answers" in done.output
    with Project.open(made_project) as project:
        assert asked(project)["Question 0?"] == ("right",)
        (task,) = (one for one in everything(project) if one.answers == ("right",))
    shown = vpd("show", task.id, "--project", made_project)
    assert "label corrected: a0 became right, by ann on" in shown.output
    assert "a typo" in shown.output
    assert "differ" not in vpd("import", "--project", made_project).output


def everything(project: Project) -> list[Task]:
    return project.tasks([row["id"] for row in project.database.rows("SELECT id FROM task")])


def test_vpd_correct(made_project: Path) -> None:
    with Project.open(made_project) as project:
        task = everything(project)[0].id
    words = ("--project", made_project, "--by", "ann", "--why", "counted again")
    done = vpd("correct", task, "7", *words)
    assert f"{task}: a0 became 7, by ann: counted again" in done.output
    assert "are ['7'] already" in vpd("correct", task, "7", *words).output
    assert "there is no question 'nope'" in vpd("correct", "nope", "7", *words).output
    assert "give one or more that say something" in vpd("correct", task, " ", *words).output
