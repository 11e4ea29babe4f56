"""Submission files, read back as the official scripts read them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import InputError
from workbench.evaluate.benchmarks.scorers import scorer
from workbench.evaluate.benchmarks.scores import SystemAnswer
from workbench.evaluate.benchmarks.submission import write
from workbench.records import Task


def asked(
    source: str, number: int | str, split: str = "test", choices: tuple[str, ...] = (), **meta: Any
) -> Task:
    meta = {"question_id": number, **meta}
    name = f"{source}/{split}/{number}/{len(choices)}"
    return Task(
        name, source, split, "p", 'Is "it"\tred?\n<b>', choices=choices, family="kind", meta=meta
    )


def given(tasks: Sequence[Task], *texts: str) -> Mapping[str, SystemAnswer]:
    return {task.id: SystemAnswer(text) for task, text in zip(tasks, texts)}


def test_gqa_ids_are_text(tmp_path: Path) -> None:
    tasks = [asked("gqa", "0123"), asked("gqa", "456")]
    (written,) = write("gqa", tasks, given(tasks, "yes"), tmp_path)
    assert json.loads(written.path.read_text()) == [
        {"questionId": "0123", "prediction": "yes"},
        {"questionId": "456", "prediction": ""},
    ]
    assert (written.path.name, written.rows, written.missing) == ("gqa_test.json", 2, 1)


@pytest.mark.parametrize("source", ["vqav2", "okvqa", "tallyqa"])
def test_ids_are_whole_numbers(source: str, tmp_path: Path) -> None:
    tasks = [asked(source, 262148000)]
    (written,) = write(source, tasks, given(tasks, "3 é \udc80"), tmp_path)
    assert json.loads(written.path.read_text()) == [
        {"question_id": 262148000, "answer": "3 é \udc80"}
    ]


def test_aokvqa_has_both_settings_in_one_object(tmp_path: Path) -> None:
    tasks = [
        asked("aokvqa", "q", choices=("a dog", "cat")),
        asked("aokvqa", "q"),
        asked("aokvqa", "r"),
    ]
    (written,) = write(
        "aokvqa", tasks, given(tasks, "(b)", "a cat", "sun"), tmp_path, read_options=True
    )
    assert json.loads(written.path.read_text()) == {
        "q": {"multiple_choice": "cat", "direct_answer": "a cat"},
        "r": {"direct_answer": "sun"},
    }


def test_answers_are_written_as_given_unless_told_otherwise(tmp_path: Path) -> None:
    tasks = [asked("aokvqa", "q", choices=("dog", "cat"))]
    (written,) = write("aokvqa", tasks, given(tasks, "(b)"), tmp_path)
    assert json.loads(written.path.read_text()) == {"q": {"multiple_choice": "(b)"}}


def test_pope_has_a_file_per_set_in_the_order_of_its_ids(tmp_path: Path) -> None:
    tasks = [
        asked("pope", number, split) for split in ("random", "popular") for number in (2, 10, 1)
    ]
    texts = ["yes", "no", "No, not one.", "yes", "yes", "no"]
    random, popular = write("pope", tasks, given(tasks, *texts), tmp_path)
    rows = [json.loads(line) for line in random.path.read_text().splitlines()]
    assert [row["question_id"] for row in rows] == [1, 2, 10]
    assert [row["answer"] for row in rows] == ["No, not one.", "yes", "no"]
    assert rows[0]["question"] == tasks[0].question
    assert (random.path.name, popular.path.name) == ("pope_random.jsonl", "pope_popular.jsonl")


def test_mmbench_is_a_sheet_with_a_column_per_option(tmp_path: Path) -> None:
    options = ("cat", 'a "dog"', "x\ty")
    tasks = [
        asked("mmbench", 7, choices=options, index=7, letters="ABC", l2_category="fine"),
        asked("mmbench", 1_000_007, choices=("u", "v"), index=1_000_007, letters="AB"),
    ]
    (written,) = write("mmbench", tasks, given(tasks, 'a "dog"', "U."), tmp_path, read_options=True)
    with written.path.open(encoding="utf-8", newline="") as sheet:
        rows = list(csv.DictReader(sheet, delimiter="\t"))
    assert written.path.suffix == ".tsv"
    assert [rows[0][name] for name in ("index", "A", "B", "C", "D")] == ["7", *options, ""]
    assert [row["prediction"] for row in rows] == ["B", "A"]
    assert (rows[0]["question"], rows[0]["category"], rows[0]["l2-category"]) == (
        tasks[0].question,
        "kind",
        "fine",
    )


def test_hateful_has_probabilities_and_labels(tmp_path: Path) -> None:
    tasks = [asked("hateful", 42953, "test_unseen"), asked("hateful", 23058, "test_unseen")]
    answers = {tasks[0].id: SystemAnswer("no", 0.75), tasks[1].id: SystemAnswer("yes", 1e-05)}
    (written,) = write("hateful", tasks, answers, tmp_path)
    assert written.path.read_text() == "id,proba,label\n42953,0.75,1\n23058,1e-05,0\n"


def test_hateful_needs_every_probability_and_writes_nothing_else(tmp_path: Path) -> None:
    tasks = [asked("hateful", 1, "dev"), asked("hateful", 1, "test")]
    with pytest.raises(InputError, match=r"1 of 1 answers have no P\(hateful\)"):
        write("hateful", tasks, {tasks[0].id: SystemAnswer("no", 0.2)}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_split_cannot_leave_the_folder(tmp_path: Path) -> None:
    tasks = [asked("gqa", "1", "../../etc/x y")]
    (written,) = write("gqa", tasks, {}, tmp_path)
    assert written.path == tmp_path / "gqa_______etc_x_y.json"


def test_two_tasks_with_one_id_are_refused(tmp_path: Path) -> None:
    first, second = asked("gqa", "1"), asked("gqa", "1", choices=())
    with pytest.raises(InputError, match="have the question id '1'; give one"):
        write("gqa", [first, second], {}, tmp_path)


def test_what_has_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="'collages' has no submission format; there are: aokvqa, gqa"
    ):
        write("collages", [asked("collages", 1)], {}, tmp_path)
    with pytest.raises(InputError, match="there is no task of 'gqa'"):
        write("gqa", [], {}, tmp_path)


@pytest.mark.parametrize(
    "text", ["cat", "(b)", "It is a cat.", "b", "no idea", "cat or dog", "Cat"]
)
def test_the_printed_score_of_aokvqa_is_that_of_the_submission(text: str, tmp_path: Path) -> None:
    row = replace(asked("aokvqa", "q", choices=("a dog", "cat")), answers=("cat",))
    answers = given([row], text)
    (file,) = write("aokvqa", [row], answers, tmp_path, read_options=True)
    submitted = json.loads(file.path.read_text())["q"]["multiple_choice"]
    assert scorer("aokvqa").score([row], answers).value == float(submitted == "cat")


@pytest.mark.parametrize("text", ["B", "(B)", "It is a cat.", "b", "A cat", "the answer is b", "?"])
def test_the_printed_score_of_mmbench_is_that_of_the_submission(text: str, tmp_path: Path) -> None:
    row = asked("mmbench", 5, "dev", ("a dog", "cat"), index=5, base=5, letters="AB", answer="B")
    row = replace(row, answers=("cat",))
    answers = given([row], text)
    (file,) = write("mmbench", [row], answers, tmp_path, read_options=True)
    (submitted,) = csv.DictReader(file.path.open(newline=""), delimiter="\t")
    again = {row.id: SystemAnswer(submitted["prediction"])}
    figure = scorer("mmbench").score([row], answers).value
    assert figure == scorer("mmbench").score([row], again).value
    assert figure == float(submitted["prediction"] == "B")


def test_the_file_of_mmbench_holds_the_question_as_it_was(tmp_path: Path) -> None:
    row = asked("mmbench", 5, "dev", ("x", "y"), index=5, letters="AB", question="Only this?")
    (file,) = write("mmbench", [row], {}, tmp_path)
    (line,) = csv.DictReader(file.path.open(newline=""), delimiter="\t")
    assert line["question"] == "Only this?"


def test_both_ways_of_normalising_are_reported() -> None:
    rows = [
        replace(asked("vqav2", 1), answers=("dog",) * 10),
        replace(asked("vqav2", 2), answers=(*("dog",) * 9, "cat")),
    ]
    answers = given(rows, "The dog", "The dog")
    for mode, value in (("always", 1.0), ("official", 0.5)):
        scores = scorer("vqav2", mode).score(rows, answers)
        assert scores.value == pytest.approx(value)
        assert scores.metrics["accuracy, normalised always"].value == pytest.approx(1.0)
        assert scores.metrics["accuracy, normalised official"].value == pytest.approx(0.5)
