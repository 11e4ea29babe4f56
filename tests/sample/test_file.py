"""Programs from a file: what a sampler wrote comes back, and what is wrong in a file is named."""

import gzip
import json
from collections import Counter
from dataclasses import replace

import pytest
from finished_project import finished_project
from typer.testing import CliRunner

from workbench.api import STANDARD
from workbench.cli import app
from workbench.errors import InputError
from workbench.records import PartRef, Program, Task
from workbench.registry import build
from workbench.sample.file import FileSampler, bundled_programs, write_programs
from workbench.store import Project
from workbench.store.reading import views

TASK = Task("t/1", "test", "test", "0" * 64, "How many?")
BODY = "def execute_command(image):\n    return formatting_answer({})\n"


def sampler(path):
    return FileSampler([STANDARD["find"]], str(path))


def lines(tmp_path, *rows):
    path = tmp_path / "programs.jsonl"
    path.write_text(
        "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    )
    return path


def sampled(path, k=1, task=TASK):
    return list(sampler(path).sample([task], k, 0))


def test_the_programs_of_a_project_come_back_in_another(tmp_path):
    folder, file = finished_project(tmp_path), tmp_path / "programs.jsonl.gz"
    result = CliRunner().invoke(app, ["programs", str(file), "-p", str(folder)])
    assert result.exit_code == 0, result.output
    with Project.open(folder, read_only=True) as project:
        scope, ids = project.scope(), project.browse_ids()
        tasks = project.tasks(ids)
        stored = views.programs(project.database, project.parts, ids, scope)
    again = {
        (one.task_id, one.index): one for one in sampler(file).sample(tasks, scope.k, scope.seed)
    }
    assert len(stored) == len(again) > 0
    for program in stored:
        other = again[program.task_id, program.index]
        assert (other.source, other.score, other.tokens, other.seconds) == (
            program.source,
            program.score,
            program.tokens,
            program.seconds,
        )


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    path = lines(tmp_path, "mine")
    with pytest.raises(InputError, match="name a new file"):
        write_programs(path, [])
    assert path.read_text() == "mine"


def test_equal_programs_make_equal_packed_files(tmp_path):
    program = Program("p", "t/1", 0, BODY.format(1), -0.5, 7, 1, PartRef("sampler", "s"))
    paths = [tmp_path / "a.gz", tmp_path / "b.gz"]
    for path in paths:
        assert write_programs(path, [(TASK, program)]) == 1
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert sampler(paths[0]).ref.version == sampler(paths[1]).ref.version


def test_a_changed_file_is_another_part(tmp_path):
    path = lines(tmp_path, {"task_id": "t/1", "program": BODY.format(1)})
    before = sampler(path).ref
    lines(tmp_path, {"task_id": "t/1", "program": BODY.format(2)})
    assert sampler(path).ref.version != before.version


def test_a_whole_reply_is_read_as_a_model_sends_it(tmp_path):
    reply = f"<think>Count them.</think>Here it is:\n```python\n{BODY.format(3)}```\nDone."
    [program] = sampled(lines(tmp_path, {"task_id": "t/1", "program": reply}))
    assert program.source == BODY.format(3)
    assert "Count them." in program.thinking


def test_what_the_file_lacks_is_a_row_with_the_reason(tmp_path):
    path = lines(tmp_path, {"task_id": "t/1", "program": BODY.format(1)})
    first, second = sampled(path, k=2)
    assert not first.problem
    assert second.problem == "the file holds no program number 1 for this question"
    [other] = sampled(path, task=replace(TASK, id="t/2"))
    assert other.problem == "the file holds no program number 0 for this question"


def test_a_program_that_did_not_come_keeps_its_reason(tmp_path):
    row = {"task_id": "t/1", "program": "# no program\n", "problem": "the server refused it"}
    [program] = sampled(lines(tmp_path, row))
    assert program.problem == "the server refused it"


def test_programs_of_another_question_with_the_same_id_are_not_taken(tmp_path):
    row = {"task_id": "t/1", "question": "How few?", "program": BODY}
    [program] = sampled(lines(tmp_path, row))
    assert program.problem == "the file's program was written for another question: How few?"
    [program] = sampled(lines(tmp_path, {**row, "question": TASK.question}))
    assert not program.problem


@pytest.mark.parametrize("value", [None, "0.5", True, float("nan"), [1]])
def test_a_number_that_is_none_counts_as_nothing(tmp_path, value):
    [program] = sampled(lines(tmp_path, {"task_id": "t/1", "program": BODY, "score": value}))
    assert program.score == 0.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{\n", "line 1 of .* is no JSON object"),
        ("[" * 100_000 + "\n", "line 1 of .* is no JSON object"),
        ("[1]\n", "needs the texts `task_id` and `program`"),
        ('{"task_id": 1, "program": "x"}\n', "needs the texts"),
        ('{"task_id": "t/1", "program": "x", "question": 3}\n', "a `question` that is no text"),
        ('\n{"task_id": "t/1", "program": "x", "index": -1}\n', "line 2 .* a whole number from 0"),
        ('{"task_id": "t/1", "program": "x", "index": true}\n', "a whole number from 0"),
    ],
)
def test_a_line_that_is_no_program_is_named(tmp_path, text, reason):
    with pytest.raises(InputError, match=reason):
        sampled(lines(tmp_path, text))


@pytest.mark.parametrize(
    "content", [b"\xff\xfe{", gzip.compress(b"{}" * 999, mtime=0)[:-20], b"\x1f\x8bno"]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "broken.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as lines of JSON"):
        sampled(path)


def test_a_missing_file_says_what_it_should_be(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .* `vpd programs` writes"):
        sampler(tmp_path / "nothing.jsonl")


def test_a_profile_names_it(tmp_path):
    path = lines(tmp_path, {"task_id": "t/1", "program": BODY.format(1)})
    part = build("sampler", "file", specs=[STANDARD["find"]], path=str(path), written_by="a paper")
    assert part.ref.arguments == {"file": "programs.jsonl", "written_by": "a paper"}


def test_nothing_to_write_says_how_to_sample(tmp_path):
    folder = finished_project(tmp_path)
    file = tmp_path / "f"
    result = CliRunner().invoke(
        app, ["programs", str(file), "-p", str(folder), "--filter", "nowhere-at-all"]
    )
    assert result.exit_code == 2
    assert "write some with `vpd run`" in " ".join(result.stderr.split())
    assert not file.exists()


def test_the_bundled_programs_are_five_for_each_question():
    counts = Counter()
    with gzip.open(bundled_programs(), "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            assert row["question"]
            assert row["task_id"].startswith("collages/train-")
            counts[row["task_id"]] += 1
    assert set(counts.values()) == {5}
    first = next(iter(counts))
    part = build("sampler", "file", specs=[STANDARD["find"]], path="bundled")
    programs = list(part.sample([replace(TASK, id=first, question="Another?")], 5, 0))
    assert all("written for another question" in program.problem for program in programs)
