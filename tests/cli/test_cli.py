"""The command line as a person uses it, in process; what needs a real process stands in
test_process.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from finished_project import finished_project
from small_parts import profile_text
from typer.testing import CliRunner, Result

from workbench import registry
from workbench.cli import app, parts
from workbench.cli.run import workers_of
from workbench.errors import InputError, MissingPart
from workbench.store import Project

HERE = Path(__file__).resolve().parent.parent
SQUARES = f"{HERE / 'small_parts.py'}:Squares"


def vpd(*arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(*arguments: object) -> str:
    """Run a command that must end with one line of error, and give that line."""
    result = vpd(*arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A profile of small parts, and a folder to draw in."""
    (tmp_path / "small.toml").write_text(profile_text())
    (tmp_path / "drawn").mkdir()
    return tmp_path


@pytest.fixture
def project(small: Path) -> Path:
    """A project of twelve tasks, not run yet."""
    result = vpd(
        "init",
        small / "p",
        "--profile",
        small / "small.toml",
        "--source",
        SQUARES,
        "--from",
        small / "drawn",
    )
    assert result.exit_code == 0, result.output
    return small / "p"


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """The same after `vpd run`."""
    return finished_project(tmp_path)


# --- init, import


def test_init_makes_a_project_and_says_what_comes_next(small: Path) -> None:
    result = vpd(
        "init",
        small / "p",
        "--profile",
        small / "small.toml",
        "--source",
        SQUARES,
        "--from",
        small / "drawn",
    )
    assert "12 tasks added" in result.stdout
    assert "next: vpd run --project" in result.stdout
    assert "import: 12 of 12 tasks" in result.stderr


def test_init_with_limit_takes_so_many(small: Path) -> None:
    vpd(
        "init",
        small / "p",
        "--profile",
        small / "small.toml",
        "--source",
        SQUARES,
        "--from",
        small / "drawn",
        "--limit",
        5,
    )
    with Project.open(small / "p") as project:
        assert project.count_tasks() == 5


def test_init_refuses_a_folder_with_something_in_it(small: Path) -> None:
    assert re.match(
        r"error: .* is not empty: .*a new project needs a new or empty folder",
        refused("init", small),
    )


def test_init_with_an_unknown_profile_lists_them(tmp_path: Path) -> None:
    line = refused("init", tmp_path / "p", "--profile", "nosuch")
    assert line.startswith("error: no profile is called 'nosuch'; shipped are: embedded")


def test_init_with_a_profile_that_is_not_there(tmp_path: Path) -> None:
    assert "no profile at nosuch.toml" in refused(
        "init", tmp_path / "p", "--profile", "nosuch.toml"
    )


def test_init_with_an_unknown_source_lists_them(tmp_path: Path) -> None:
    line = refused("init", tmp_path / "p", "--source", "nosuch")
    assert "no source is called 'nosuch'; registered are: aokvqa, collages, folder, gqa, " in line
    assert not (tmp_path / "p").exists()


def test_init_from_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "is not a folder; give the folder that holds the questions" in refused(
        "init", tmp_path / "p", "--from", tmp_path / "nosuch"
    )


def test_the_folder_source_needs_a_folder(tmp_path: Path) -> None:
    assert "the source 'folder' needs --from DIR" in refused(
        "init", tmp_path / "p", "--source", "folder"
    )


def test_own_pictures_with_a_broken_row(small: Path, picture: Path) -> None:
    own = small / "mine"
    own.mkdir()
    (own / "a.png").write_bytes(picture.read_bytes())
    (own / "b.png").write_bytes(b"\x89PNG and then nothing")
    rows = [
        {"image": "a.png", "question": "How many red squares are there?", "answer": "1"},
        {"image": "b.png", "question": "How many?", "answer": "1"},
        {"image": "c.png", "question": "How many?", "answer": "1"},
        {"image": "a.png", "question": "  "},
    ]
    (own / "questions.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    result = vpd("init", small / "p", "--profile", small / "small.toml", "--from", own)
    assert "folder: 1 tasks added" in result.stdout
    assert "3 rows were left out; why: vpd sql 'FROM bad_row'" in result.stdout
    found = json.loads(vpd("sql", "FROM bad_row", "-p", small / "p", "--json").stdout)
    assert len(found) == 3
    assert all(row["reason"] for row in found)


def test_import_adds_another_source(project: Path, small: Path) -> None:
    (small / "more").mkdir()
    result = vpd("import", SQUARES, "--from", small / "more", "-p", project)
    assert f"0 tasks added\n12 tasks in {project}\n" in result.stdout, "the same ids: nothing new"
    with Project.open(project) as opened:
        assert len(opened.sources()) == 2


# --- run, status


def test_run_prints_the_table(project: Path) -> None:
    result = vpd("run", "--project", project)
    assert result.exit_code == 0
    assert re.search(
        r"run 1: sample 48 in .*execute 48 in .*verify 48 in .*predict 12 in", result.stdout
    )
    for word in (
        "pass@1",
        "pass@4",
        "yield",
        "executed",
        "student",
        "count",
        "exists",
        "an answer by programs:",
    ):
        assert word in result.stdout
    assert "execute: 48 of 48 programs" in result.stderr


def test_a_second_run_has_nothing_to_do(ran: Path) -> None:
    assert "run 2: nothing was left to do" in vpd("run", "-p", ran).stdout


def test_k_and_limit(project: Path) -> None:
    assert "run 1: sample 6 in" in vpd("run", "-p", project, "--k", 2, "--limit", 3).stdout


def test_an_unknown_stage_lists_them(project: Path) -> None:
    assert "no stage is called 'train'; there are: import, sample" in refused(
        "run", "-p", project, "--upto", "train"
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"sampler": '{ part = "nosuch" }'}, "no sampler is called 'nosuch'; registered are:"),
        (
            {"sampler": '{ part = "%s:Nobody" }' % (HERE / "small_parts.py")},
            "small_parts.py has no 'Nobody'",
        ),
        ({"verifier": '{ part = "answers", nosuch = 1 }'}, "was given arguments it does not take"),
        ({"find": '"nosuch"'}, "no tool is called 'nosuch'"),
        ({"chef": '"me"'}, "chef is an unknown key (there are: name, sampler"),
        ({"k": '"many"'}, "k must be a whole number from 1 to 100, found 'many'"),
        (
            {"limits": "{ nosuch = 3 }"},
            "limits.nosuch is an unknown key (there are: steps, seconds",
        ),
    ],
)
def test_a_wrong_profile_is_one_line_of_error(
    project: Path, change: dict[str, str], text: str
) -> None:
    (project / "profile.toml").write_text(profile_text(**change))
    assert text in refused("run", "-p", project)


def test_outside_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused("status").startswith("error: no project in ")
    assert "there is no project at nosuch; make one with: vpd init nosuch" in refused(
        "status", "-p", "nosuch"
    )


def test_the_project_is_found_from_a_folder_inside(
    ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ran / "images")
    assert f"project {ran}" in vpd("status").stdout


def test_status_before_any_run(project: Path) -> None:
    result = vpd("status", "-p", project)
    assert result.exit_code == 0
    assert "12 tasks (11 labelled), 0 programs" in result.stdout
    found = json.loads(vpd("status", "-p", project, "--json").stdout)
    assert found["pass@1"] is None
    assert found["seconds_per_question"] is None


def test_status_as_json(ran: Path) -> None:
    result = vpd("status", "-p", ran, "--json")
    found = json.loads(result.stdout)
    assert {
        "pass@1",
        "pass@4",
        "yield",
        "seconds_per_question",
        "student_accuracy",
        "counts",
        "families",
    } <= set(found)
    assert found["counts"]["traces"] == 48
    assert result.stderr == ""


def test_status_of_one_split(ran: Path) -> None:
    assert (
        json.loads(vpd("status", "-p", ran, "--json", "--split", "test").stdout)["counts"]["tasks"]
        == 4
    )


def test_a_newer_store_is_one_line_of_error(project: Path) -> None:
    with Project.open(project) as opened:
        opened.database.transaction(
            lambda c: c.execute("INSERT INTO migration VALUES (999, 'later', now()::TIMESTAMP)")
        )
    assert "was written by a newer workbench (store version 999" in refused("status", "-p", project)


# --- show, sql, parts, make-models


def test_show_lists_tasks(ran: Path) -> None:
    result = vpd("show", "-p", ran, "--limit", 3)
    assert result.stdout.count("How many red squares are there?") == 2
    assert result.stdout.endswith("12 tasks, 9 not shown; give --limit\n")


def test_show_a_task(ran: Path) -> None:
    text = vpd("show", "squares/0002/0", "-p", ran).stdout
    assert "question: How many red squares are there?\nlabel: 3\n" in text
    assert "  2      image_patch = ImagePatch(image)" in text
    assert "find(object_name='red square') -> [<red square 0.90 at " in text
    assert "answer: 3" in text
    assert "right, kept: " in text
    assert "rationale: Thus, the answer is 3." in text
    assert "the student says: " in text


def test_show_a_failed_run_marks_the_line(ran: Path) -> None:
    with Project.open(ran) as project:
        (row, *_) = project.database.rows("SELECT id FROM trace WHERE failure_kind = 'runtime'")
    text = vpd("show", row["id"][:10], "-p", ran).stdout
    assert "> 4      return str(squares[99])" in text
    assert "failed in line 4, runtime: IndexError" in text


def test_show_something_that_is_not_there(ran: Path) -> None:
    assert "'nosuch' names no task, program or trace here" in refused("show", "nosuch", "-p", ran)


def test_show_with_an_unknown_status(ran: Path) -> None:
    assert "no status is called 'good'" in refused("show", "--status", "good", "-p", ran)


def test_sql_reads(ran: Path) -> None:
    found = json.loads(vpd("sql", "SELECT count(*) AS n FROM trace", "-p", ran, "--json").stdout)
    assert found == [{"n": 48}]


def test_sql_never_writes(ran: Path) -> None:
    assert "only one SELECT" in refused("sql", "DELETE FROM task", "-p", ran)
    assert "syntax error" in refused("sql", "SELEC 1", "-p", ran)
    assert "the query is empty" in refused("sql", " ", "-p", ran)


def test_sql_cuts_long_results_and_blobs(ran: Path) -> None:
    text = vpd("sql", "SELECT id, events FROM trace", "-p", ran, "--limit", 2).stdout
    assert "only the first 2 rows; give --limit for more" in text
    assert re.search(r"<\d+ bytes>", text)


def test_the_text_of_a_part_is_that_of_the_part_itself() -> None:
    """Our own parts are read from their source; they say what they would say when loaded."""
    compared = 0
    for role in registry.ROLES:
        for name, point in registry.parts(role).items():
            try:
                text, whole = parts._read(point), parts._load(role, name)
            except MissingPart:
                continue
            if text is not None:
                assert text == whole, name
                compared += 1
    assert compared > 3


def test_parts_lists_every_part() -> None:
    rows = {(row["role"], row["name"]): row for row in json.loads(vpd("parts", "--json").stdout)}
    assert rows["verifier", "answers"]["doc"].startswith("Compares each trace's answer")
    assert "threshold=0.5" in rows["verifier", "answers"]["arguments"]
    assert ("tool", "ssdlite-coco") in rows
    assert "answers" in vpd("parts").stdout


def test_make_models_lists_them() -> None:
    assert "program-writer" in vpd("make-models").stdout
    assert "program-writer" in vpd("make-models", "--help").stdout
    assert (
        "no embedded model is called 'nosuch'; there are: base-student, small-student, program-writer"
        in refused("make-models", "nosuch")
    )


def test_every_embedded_model_has_a_command() -> None:
    from importlib.util import find_spec

    from workbench.cli.models import MODELS

    for module, _ in MODELS.values():
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        assert "\ndef main(" in Path(spec.origin).read_text()


def test_a_port_that_does_not_exist(project: Path) -> None:
    assert "port must be 0 to 65535 (0 takes a free one), found 70000" in refused(
        "app", "-p", project, "--port", 70000
    )


def test_bench_goes_to_the_rooms_own_command() -> None:
    assert "no measurement is called 'nosuch'; there are: app, execute" in refused(
        "bench", "nosuch"
    )
    result = vpd("bench", "execute", "--programs", "nosuch")
    assert result.exit_code == 2
    assert "argument --programs: invalid int value: 'nosuch'" in result.stderr
    assert "--held" in vpd("bench", "--help").stdout


# --- ask


@pytest.fixture
def squares(ran: Path) -> Path:
    return ran.parent / "drawn" / "0003.png"


def test_ask_shows_both_answers(ran: Path, squares: Path) -> None:
    text = vpd("ask", squares, "How many  red squares are there?", "-p", ran, "--k", 6).stdout
    assert text.startswith("question: How many red squares are there?\n")
    assert len(re.findall(r"^  \d\. \[(?:kept|-)\] ", text, re.M)) == 6
    assert "find(object_name='red square') -> " in text
    assert re.search(r"^by programs:  4  \(\d+\.\d\d s, 6 programs\)$", text, re.M)
    assert re.search(
        r"^by student:   (yes|no)  \(\d+\.\d\d s, small_parts\.py:ShareOfRed\)$", text, re.M
    )


def test_ask_shows_the_other_answer_where_one_side_refuses(squares: Path, tmp_path: Path) -> None:
    choosy, down = tmp_path / "choosy.toml", tmp_path / "down.toml"
    choosy.write_text(profile_text(student=f'{{ part = "{HERE}/small_parts.py:Choosy" }}'))
    down.write_text(
        profile_text(sampler=f'{{ part = "{HERE}/small_parts.py:Scribe", breaks_at = 0 }}')
    )
    text = vpd("ask", squares, "How many?", "--profile", choosy, "--k", 6).stdout
    assert re.search(r"^by programs:  4  ", text, re.M)
    assert "by student:   none, ValueError: absolute aspect ratio must be smaller" in text
    text = vpd("ask", squares, "Are there more than two?", "--profile", down, "--k", 2).stdout
    assert text.count("the endpoint did not answer; ask again") == 2
    assert re.search(r"^by student:   (yes|no)  ", text, re.M)


def test_ask_leaves_the_store_alone(ran: Path, squares: Path) -> None:
    with Project.open(ran) as held:
        before = held.counts()
        assert vpd("ask", squares, "How many?", "-p", ran).exit_code == 0, (
            "also while the store is in use"
        )
        assert held.counts() == before


def test_ask_with_an_empty_question(ran: Path, squares: Path) -> None:
    assert (
        "the question is empty; write one (on the command line in quotes behind the picture)"
        in refused("ask", squares, " \n", "-p", ran)
    )


def test_ask_with_a_book_for_a_question(ran: Path, squares: Path) -> None:
    assert "the question has 4999 characters; at most 1000" in refused(
        "ask", squares, "why? " * 1000, "-p", ran
    )


def test_ask_with_k_out_of_range(ran: Path, squares: Path) -> None:
    assert "k must be 1 to 100, found 0" in refused("ask", squares, "Why?", "-p", ran, "--k", 0)


def test_ask_about_a_picture_that_is_not_there(ran: Path) -> None:
    assert "no picture at nosuch.png; check the path" in refused(
        "ask", "nosuch.png", "What is it?", "-p", ran
    )


def test_ask_about_a_broken_picture(ran: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\x00" * 50)
    assert "is not a picture that can be read" in refused(
        "ask", tmp_path / "a.png", "What is it?", "-p", ran
    )


def test_ask_about_a_huge_picture(ran: Path, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("1", (14_000, 12_000)).save(tmp_path / "huge.png")
    assert "14000x12000 pixels; at most 160 megapixels are scaled down" in refused(
        "ask", tmp_path / "huge.png", "What is it?", "-p", ran
    )


def test_ask_about_a_folder(ran: Path, tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in refused("ask", tmp_path, "What is it?", "-p", ran)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"engine": "dask"}, "--engine takes processes or ray, found 'dask'"),
        ({"address": "auto"}, "--address and --gpus are for --engine ray"),
        ({"gpus": 0.5}, "--address and --gpus are for --engine ray"),
        ({"engine": "ray", "slurm": 2}, "or --slurm for an array, not both"),
        ({"workers": 2, "slurm": 2}, "or --slurm for an array, not both"),
    ],
)
def test_engines_that_exclude_each_other_are_refused(choices: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        workers_of(**{"workers": None, "slurm": None, "sbatch": "sbatch", **choices})
