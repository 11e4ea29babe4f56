"""Broken official files: good rows come, bad ones are listed with file, line and id, and nothing is
lost silently.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import official_files as made
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench import registry
from workbench.errors import DatasetError
from workbench.records import Task


def read(name: str, root: Path) -> tuple[list[Task], list[str]]:
    source = registry.build("source", name, root=str(root))
    return list(source.tasks()), [
        f"{Path(bad.file).name}:{bad.line}: {bad.reason}" for bad in source.bad
    ]


def gqa(root: Path, *rows: Any) -> None:
    made.gqa(root)
    made.write(
        root / "questions" / "testdev_balanced_questions.json",
        {f"q{n}": row for n, row in enumerate(rows)},
    )


def aokvqa(root: Path, *rows: Any) -> None:
    made.aokvqa(root)
    (root / "aokvqa_v1p0_test.json").unlink()
    made.write(root / "aokvqa_v1p0_val.json", list(rows))


def tallyqa(root: Path, *rows: Any) -> None:
    made.tallyqa(root)
    (root / "train.json").unlink()
    made.write(root / "test.json", list(rows))


def pope(root: Path, *rows: Any) -> None:
    made.pope(root)
    for split in ("popular", "adversarial"):
        (root / f"coco_pope_{split}.json").unlink()
    made.write_lines(root / "coco_pope_random.json", *rows)


def hateful(root: Path, *rows: Any) -> None:
    made.hateful(root)
    (root / "test_seen.jsonl").unlink()
    made.write_lines(root / "dev_seen.jsonl", *rows)


def mmbench(root: Path, *rows: Any) -> None:
    made.write_table(root / "mmbench_dev.tsv", *rows)


def without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


BAD: list[tuple[Callable[..., None], Any, Any, str]] = [
    (
        gqa,
        made.gqa_row(),
        made.gqa_row(question=None),
        "entry 2, question_id 'q1': the question is missing",
    ),
    (gqa, made.gqa_row(), made.gqa_row(question=" "), "the question is empty; expected text"),
    (
        gqa,
        made.gqa_row(),
        without(made.gqa_row(), "answer"),
        "the answer is missing; expected text",
    ),
    (gqa, made.gqa_row(), made.gqa_row(answer=math.nan), "the answer is float nan; expected text"),
    (
        gqa,
        made.gqa_row(),
        made.gqa_row(isBalanced="yes"),
        "the isBalanced is str 'yes'; expected true or false",
    ),
    (gqa, made.gqa_row(), made.gqa_row(imageId="n2"), "no picture n2.jpg in"),
    (
        gqa,
        made.gqa_row(),
        made.gqa_row(imageId="../../n2"),
        "expected a path inside the folder of pictures",
    ),
    (
        gqa,
        made.gqa_row(),
        made.gqa_row(imageId="/n2"),
        "expected a path inside the folder of pictures",
    ),
    (gqa, made.gqa_row(), made.gqa_row(imageId="n" * 5000), "no picture nnn"),
    (gqa, made.gqa_row(), made.gqa_row(question="\ud800?"), "half of a surrogate pair"),
    (gqa, made.gqa_row(), made.gqa_row(types=[]), "the types are list []; expected an object"),
    (
        gqa,
        made.gqa_row(),
        made.gqa_row(entailed=[1]),
        "an entry of entailed is int 1; expected text",
    ),
    (
        gqa,
        made.gqa_row(),
        [1],
        "entry 2, question_id 'q1': the entry is list [1]; expected an object",
    ),
    (
        aokvqa,
        made.aokvqa_row("a"),
        made.aokvqa_row("b", choices=["x", "y"]),
        "expected 4 texts",
    ),
    (
        aokvqa,
        made.aokvqa_row("a"),
        made.aokvqa_row("b", choices=["x"] * 5),
        "expected 4 texts",
    ),
    (
        aokvqa,
        made.aokvqa_row("a"),
        made.aokvqa_row("b", correct_choice_idx=4),
        "is 4; expected 0 to 3",
    ),
    (
        aokvqa,
        made.aokvqa_row("a"),
        made.aokvqa_row("b", correct_choice_idx=None),
        "expected a whole number",
    ),
    (
        aokvqa,
        made.aokvqa_row("a"),
        made.aokvqa_row("b", direct_answers=["x"]),
        "are 1; expected 10",
    ),
    (
        aokvqa,
        made.aokvqa_row("a"),
        made.aokvqa_row("a"),
        "already used by entry 1 of aokvqa_v1p0_val.json",
    ),
    (
        aokvqa,
        made.aokvqa_row("a"),
        made.aokvqa_row("b", image_id="9"),
        "the image_id is str '9'; expected a whole",
    ),
    (
        aokvqa,
        made.aokvqa_row("a"),
        made.aokvqa_row("b", question_id=True),
        "the question_id is bool True; expected short text",
    ),
    (
        aokvqa,
        made.aokvqa_row("a"),
        made.aokvqa_row("b" * 300),
        "expected short text or a whole number",
    ),
    (
        tallyqa,
        made.tallyqa_row(1),
        made.tallyqa_row(2, answer="3"),
        "the answer is str '3'; expected a whole number",
    ),
    (
        tallyqa,
        made.tallyqa_row(1),
        made.tallyqa_row(2, answer=-1),
        "the answer is -1; expected 0 or more",
    ),
    (
        tallyqa,
        made.tallyqa_row(1),
        made.tallyqa_row(2, answer=10**20),
        "has 21 digits; expected at most 18",
    ),
    (
        tallyqa,
        made.tallyqa_row(1),
        made.tallyqa_row(2, image="a\0b"),
        "expected a path inside the folder",
    ),
    (
        tallyqa,
        made.tallyqa_row(1),
        made.tallyqa_row(1),
        "entry 2, question_id 1: the question_id is already used",
    ),
    (
        pope,
        made.pope_row(1),
        made.pope_row(2, label="maybe"),
        ":2: entry 2, question_id 2: the label is 'maybe'",
    ),
    (pope, made.pope_row(1), made.pope_row(2, text=""), "the text is empty; expected text"),
    (pope, made.pope_row(1), 7, ":2: entry 2: the entry is int 7; expected an object"),
    (
        hateful,
        made.hateful_row(1),
        made.hateful_row(2, label=2),
        "the label is 2; expected 0, 1 or none",
    ),
    (
        hateful,
        made.hateful_row(1),
        made.hateful_row(9),
        "entry 2, id 9: no picture img/00009.png in",
    ),
    (
        mmbench,
        made.mmbench_row(1, "a", "b"),
        made.mmbench_row(2, "a"),
        ":4: entry 2, index 2: the options are ['a']",
    ),
    (
        mmbench,
        made.mmbench_row(1, "a", "b"),
        made.mmbench_row(2, "a", "b", answer="C"),
        "one of the letters A, B",
    ),
    (
        mmbench,
        made.mmbench_row(1, "a", "b"),
        made.mmbench_row(2, "a", "b", answer="nan"),
        "the answer is missing",
    ),
    (
        mmbench,
        made.mmbench_row(1, "a", "b"),
        made.mmbench_row(2, "a", "b", image="nan"),
        "the image is missing",
    ),
    (
        mmbench,
        made.mmbench_row(1, "a", "b"),
        made.mmbench_row(2, "a", "b", image="77"),
        "a row that has none above",
    ),
    (
        mmbench,
        made.mmbench_row(1, "a", "b"),
        made.mmbench_row(1, "a", "b"),
        "the index is already used by entry 1",
    ),
    (
        mmbench,
        made.mmbench_row(1, "a", "b"),
        made.mmbench_row(2, "a", "b", index="x"),
        "index 'x': the index is str",
    ),
    (
        mmbench,
        made.mmbench_row(1, "a", "b"),
        ["2", "short"],
        "the row has 2 cells; expected 12, as the header has",
    ),
]


@pytest.mark.parametrize(
    ("files", "good", "wrong", "said"), BAD, ids=[f"{b[0].__name__}-{b[3]}" for b in BAD]
)
def test_a_bad_row_is_listed_and_the_good_ones_come(
    files: Callable[..., None], good: Any, wrong: Any, said: str, tmp_path: Path
) -> None:
    files(tmp_path, good, wrong)
    tasks, bad = read(files.__name__, tmp_path)
    assert len(tasks) == 1
    assert len(bad) == 1
    assert said in bad[0]


def test_of_a_table_a_quote_that_never_ends_costs_its_own_row(tmp_path: Path) -> None:
    mmbench(tmp_path, made.mmbench_row(1, "a", "b"))
    with (tmp_path / "mmbench_dev.tsv").open("a") as file:
        file.write('2\t"endless\n3\tmore\n')
        csv.writer(file, delimiter="\t").writerow(
            made.mmbench_row(4, "a", "b", question="One line?")
        )
    tasks, bad = read("mmbench", tmp_path)
    assert [task.id for task in tasks] == ["mmbench/dev/1", "mmbench/dev/4"]
    assert [line.partition(": ")[0] for line in bad] == ["mmbench_dev.tsv:4", "mmbench_dev.tsv:5"]
    assert "a quote" in bad[0]


def test_a_table_with_another_header_cannot_be_read(tmp_path: Path) -> None:
    made.write_table(
        tmp_path / "mmbench_dev.tsv", header=("index", "question", "A", "B", "category")
    )
    with pytest.raises(
        DatasetError,
        match=r"mmbench_dev\.tsv:1 lacks the column image; expected index, question, A",
    ):
        read("mmbench", tmp_path)
    (tmp_path / "mmbench_dev.tsv").write_text('"index" x')
    with pytest.raises(
        DatasetError, match=r"mmbench_dev\.tsv:1 is not tab-separated .*expected the columns index"
    ):
        read("mmbench", tmp_path)


def vqa(root: Path, questions: list[Any], annotations: list[Any]) -> tuple[list[Task], list[str]]:
    made.vqav2(root)
    made.write(root / "v2_OpenEnded_mscoco_val2014_questions.json", {"questions": questions})
    made.write(root / "v2_mscoco_val2014_annotations.json", {"annotations": annotations})
    return read("vqav2", root)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"answers": []},
            "entry 2: the annotation of question_id 2: the answers are 0 entries; expected a list of 10",
        ),
        ({"answers": None}, "the answers are missing; expected a list of 10 objects"),
        ({"answers": [{"answer": 1}] * 10}, "the answer is int 1; expected text"),
        ({"answer_type": "colour"}, "the answer_type is 'colour'; expected yes/no, number, other"),
        ({"question_id": "2"}, "the question_id is str '2'; expected a whole number"),
    ],
)
def test_a_bad_annotation_is_listed_and_so_is_its_question(
    changes: Any, said: str, tmp_path: Path
) -> None:
    tasks, bad = vqa(
        tmp_path,
        [made.vqa_question(1), made.vqa_question(2)],
        [made.vqa_annotation(1), made.vqa_annotation(2, **changes)],
    )
    assert [task.id for task in tasks] == ["vqav2/val/1"]
    assert said in bad[0]
    assert "entry 2, question_id 2: no annotation is left for this question_id" in bad[1]


def test_what_has_no_partner_is_listed(tmp_path: Path) -> None:
    tasks, bad = vqa(
        tmp_path,
        [made.vqa_question(1), made.vqa_question(2), made.vqa_question(1)],
        [made.vqa_annotation(1), made.vqa_annotation(3), made.vqa_annotation(1)],
    )
    assert [task.id for task in tasks] == ["vqav2/val/1"]
    left = "no annotation is left for this question_id: it has none, a bad one, or stands above already"
    assert [line.partition(": ")[2] for line in bad] == [
        "entry 3: question_id 1 has another annotation; expected one",
        f"entry 2, question_id 2: {left}",
        f"entry 3, question_id 1: {left}",
        "entry 2: question_id 3 has an annotation and no question in v2_OpenEnded_mscoco_val2014_questions.json",
    ]


def test_a_question_and_its_annotation_must_be_about_one_picture(tmp_path: Path) -> None:
    tasks, bad = vqa(tmp_path, [made.vqa_question(1)], [made.vqa_annotation(1, image_id=8)])
    assert tasks == []
    assert "the image_id is 9, and 8 in its annotation; expected the same" in bad[0]


def test_questions_without_the_annotations_file_cannot_be_read(tmp_path: Path) -> None:
    made.vqav2(tmp_path)
    (tmp_path / "v2_mscoco_val2014_annotations.json").unlink()
    with pytest.raises(
        DatasetError, match=r"has no v2_mscoco_val2014_annotations\.json, which the split val needs"
    ):
        read("vqav2", tmp_path)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("gqa", "questions/testdev_balanced_questions.json"),
        ("aokvqa", "aokvqa_v1p0_val.json"),
        ("tallyqa", "test.json"),
        ("vqav2", "v2_OpenEnded_mscoco_val2014_questions.json"),
    ],
)
def test_of_a_file_that_breaks_off_the_whole_rows_come(
    name: str, file: str, tmp_path: Path
) -> None:
    made.BENCHMARKS[name](tmp_path)
    path = tmp_path / file
    text = path.read_text()
    path.write_text(text[: text.rindex("question") - 3])
    tasks, bad = read(name, tmp_path)
    assert tasks
    assert f"{path.name}:1: entry " in bad[0]
    assert "the file ends too early; the file is of no use from here" in bad[0]
    path.write_text(text[:20])
    with pytest.raises(DatasetError, match="the file ends too early; expected an"):
        read(name, tmp_path)


def test_when_no_picture_is_there_the_folder_is_named(tmp_path: Path) -> None:
    pope(tmp_path, *(made.pope_row(n, image=f"{n}.jpg") for n in range(1500)))
    with pytest.raises(
        DatasetError, match=r"none of the first 1000 questions has its picture .*--images"
    ):
        read("pope", tmp_path)


def test_one_bad_row_in_a_hundred_of_fifty_thousand(tmp_path: Path) -> None:
    rows = [made.tallyqa_row(n) for n in range(50_000)]
    for at in range(7, 50_000, 100):
        rows[at] = [
            made.tallyqa_row(at, answer=None),
            made.tallyqa_row(0),
            made.tallyqa_row(at, image="x.jpg"),
            None,
        ][at // 100 % 4]
    tallyqa(tmp_path, *rows)
    tasks, bad = read("tallyqa", tmp_path)
    assert (len(tasks), len(bad)) == (49_500, 500)
    assert bad[0].startswith("test.json:1: entry 8, question_id 7: the answer is missing")
    assert bad[3].startswith("test.json:1: entry 308: the entry is missing")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = sorted(
    {
        *made.gqa_row(),
        *made.aokvqa_row("a"),
        *made.tallyqa_row(1),
        *made.hateful_row(1),
        *made.pope_row(1),
    }
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(
        [
            (gqa, made.gqa_row()),
            (aokvqa, made.aokvqa_row("a")),
            (tallyqa, made.tallyqa_row(1)),
            (pope, made.pope_row(1)),
            (hateful, made.hateful_row(1)),
        ]
    ),
    st.lists(JUNK | st.dictionaries(st.sampled_from(FIELDS), JUNK, max_size=3), max_size=5),
)
def test_wild_rows_never_lose_a_good_one(
    tmp_path: Path, known: tuple[Callable[..., None], dict[str, Any]], rows: list[Any]
) -> None:
    files, good = known
    wild = [
        {**good, "question_id": f"w{n}", "id": n + 9, **row} if isinstance(row, dict) else row
        for n, row in enumerate(rows)
    ]
    files(tmp_path, good, *wild)
    tasks, bad = read(files.__name__, tmp_path)
    assert len(tasks) + len(bad) == len(rows) + 1
    assert tasks[0].labelled
    json.dumps([list(task.meta.items()) for task in tasks], allow_nan=False).encode()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=80))
def test_hostile_bytes_after_good_rows_lose_none_of_them(tmp_path: Path, junk: bytes) -> None:
    made.tallyqa(tmp_path)
    good = ", ".join(json.dumps(made.tallyqa_row(n)) for n in range(3)).encode()
    (tmp_path / "test.json").write_bytes(b"[" + good + b", " + junk)
    tasks, bad = read("tallyqa", tmp_path)
    assert [task.id for task in tasks][:4] == [
        "tallyqa/train/7",
        *(f"tallyqa/test/{n}" for n in range(3)),
    ]
    assert bad
