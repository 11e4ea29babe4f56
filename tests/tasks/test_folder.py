"""A folder of one's own: good rows come, bad ones are listed with file, line and reason."""

from __future__ import annotations

import csv
import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from workbench.errors import DatasetError
from workbench.ports import TaskSource
from workbench.tasks.folder import Folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (8, 6), (200, 30, 30)).save(tmp_path / "images" / "red.png")
    return tmp_path


def write(root: Path, *rows: Any) -> Folder:
    lines = (row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
    (root / "questions.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return Folder(root, name="mine")


def row(**changes: Any) -> dict[str, Any]:
    return {"image": "red.png", "question": "What colour?", "answer": "red", **changes}


def test_a_good_row_becomes_a_task(root: Path) -> None:
    [task] = write(root, row(note="kept", split="train")).tasks()
    assert (task.id, task.source, task.split, task.image) == (
        "mine/1",
        "mine",
        "train",
        "images/red.png",
    )
    assert task.answers == ("red",)
    assert task.answer_type == "open"
    assert task.meta == {"note": "kept"}
    assert Folder(root).image_path(task).is_file()
    assert isinstance(Folder(root), TaskSource)


def test_answers_and_choices_give_the_type(root: Path) -> None:
    source = write(
        root,
        row(answer="Yes"),
        row(answer=3),
        row(answers=["a", "b"], answer=None),
        row(answer="cat", choices=["cat", "dog"]),
        {"image": "images/red.png", "question": "?"},
        row(answer=2.0),
    )
    tasks = list(source.tasks())
    assert [task.answer_type for task in tasks] == [
        "yesno",
        "integer",
        "open",
        "choice",
        "open",
        "integer",
    ]
    assert [task.answers for task in tasks] == [("Yes",), ("3",), ("a", "b"), ("cat",), (), ("2",)]
    assert source.bad == []


def test_html_is_kept_as_it_is(root: Path) -> None:
    text = "<script>alert('x')</script> & what <b>colour</b>?"
    [task] = write(root, row(question=text)).tasks()
    assert task.question == text


BAD = [
    (row(image="blue.png"), "no picture 'blue.png'"),
    (row(image=None), "the image is missing; expected a path"),
    (row(image="../secret.png"), "lies outside"),
    (row(image="/etc/hostname"), "lies outside"),
    (row(image="a\0b"), "is not a usable path"),
    (row(question=""), "the question is empty"),
    (row(question="  \n"), "the question is empty"),
    (row(question=7), "the question is int 7; expected text"),
    (row(answer=True), "the answer is bool True; expected text or a number"),
    (row(answer=["red"]), "the answer is list"),
    (row(answer=""), "the answer is empty"),
    (row(answer=None, answers="red"), "answers is str 'red'; expected a list of texts"),
    (row(answers=["red"]), "both 'answer' and 'answers' are given; choose one"),
    (row(choices=["red"]), "expected two or more different ones"),
    (row(choices=["red", "red"]), "expected two or more different ones"),
    (row(choices=["blue", "green"]), "the answer 'red' is not among the choices"),
    (row(split=1), "the split is int 1"),
    (row(id=1.5), "the id is float 1.5"),
    (row(id=""), "the id is str ''"),
    ([1, 2], "the line is a list; expected an object"),
    (b'{"image": "red.png", "question": "?", "answer": NaN}', "NaN is not a value"),
    (b'{"image": "red.png", "question"', "the line is not JSON"),
    (b'{"image": "red.png", "question": "\xff"}', "the line is not UTF-8"),
    (b'{"image": "red.png", "question": "\\ud800?"}', "half of a surrogate pair"),
    (b"[" * 100_000, "the line is not JSON"),
]


@pytest.mark.parametrize(("wrong", "said"), BAD, ids=[said for _, said in BAD])
def test_a_bad_row_is_listed_and_the_others_come(root: Path, wrong: Any, said: str) -> None:
    source = write(root, row(), wrong, row())
    assert [task.id for task in source.tasks()] == ["mine/1", "mine/3"]
    [bad] = source.bad
    assert bad.line == 2
    assert bad.file.endswith("questions.jsonl")
    assert said in bad.reason


def test_a_duplicate_id_is_listed_with_the_first_line(root: Path) -> None:
    source = write(root, row(id="a"), row(id="b"), row(id="a"))
    assert [task.id for task in source.tasks()] == ["mine/a", "mine/b"]
    assert str(source.bad[0]).endswith("questions.jsonl:3: the id 'a' is already used in line 1")


def test_broken_and_huge_pictures_are_listed(root: Path) -> None:
    (root / "images" / "text.png").write_text("not a picture")
    whole = (root / "images" / "red.png").read_bytes()
    (root / "images" / "cut.png").write_bytes(whole[: len(whole) // 2])
    size = struct.pack(">IIBBBBB", 8000, 6000, 8, 2, 0, 0, 0)
    head = struct.pack(">I", 13) + b"IHDR" + size + struct.pack(">I", zlib.crc32(b"IHDR" + size))
    (root / "images" / "huge.png").write_bytes(whole[:8] + head + whole[33:])
    source = write(
        root, *(row(image=name) for name in ("text.png", "cut.png", "huge.png", "red.png"))
    )
    assert [task.id for task in source.tasks()] == ["mine/4"]
    assert [bad.line for bad in source.bad] == [1, 2, 3]
    assert "8000x6000 pixels; at most 40 megapixels" in source.bad[2].reason


def test_reading_twice_lists_bad_rows_once(root: Path) -> None:
    source = write(root, row(question=""), row())
    assert list(source.tasks()) == list(source.tasks())
    assert len(source.bad) == 1


def test_a_split_can_be_asked_for(root: Path) -> None:
    source = write(root, row(split="train"), row())
    assert [task.id for task in source.tasks("train")] == ["mine/1"]
    assert [task.id for task in source.tasks("mine")] == ["mine/2"]


def test_csv_gives_the_same_tasks(root: Path) -> None:
    (root / "questions.csv").write_bytes(
        b"\xef\xbb\xbfimage,question,answer,choices,note\r\n"
        b'red.png,"Which, exactly?\r\nSay it.",red,red|blue,n\r\n'
        b"red.png,What?,,,\r\n"
        b"red.png,too few\r\n"
        b"red.png,What?,nan,,\r\n"
        b"red.png,\xff?,x,,\r\n"
    )
    source = Folder(root, name="mine")
    first, second = source.tasks()
    assert (first.id, first.question) == ("mine/2", "Which, exactly?\r\nSay it.")
    assert first.choices == ("red", "blue")
    assert first.meta == {"note": "n"}
    assert second.id == "mine/4"
    assert not second.labelled
    assert [bad.line for bad in source.bad] == [5, 6, 7]
    assert "2 cells; expected 5" in source.bad[0].reason
    assert "not UTF-8" in source.bad[2].reason


def test_a_header_without_question_cannot_be_read(root: Path) -> None:
    (root / "questions.csv").write_text("picture,text\nred.png,What?\n")
    with pytest.raises(DatasetError, match="expected image and question among them"):
        list(Folder(root).tasks())


def test_a_folder_without_one_table_cannot_be_read(root: Path) -> None:
    with pytest.raises(DatasetError, match=r"neither questions\.jsonl nor questions\.csv"):
        list(Folder(root).tasks())
    with pytest.raises(DatasetError, match="no table"):
        list(Folder(root, questions="q.txt").tasks())
    for name in ("questions.jsonl", "questions.csv"):
        (root / name).write_text("")
    with pytest.raises(DatasetError, match="has both"):
        list(Folder(root).tasks())
    with pytest.raises(DatasetError, match="is not a folder"):
        list(Folder(root / "nowhere").tasks())


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.binary(max_size=60).filter(lambda b: b"\n" not in b and b"\r" not in b), max_size=6)
)
def test_hostile_lines_never_lose_a_good_row(root: Path, lines: list[bytes]) -> None:
    source = write(root, *lines, row(id="good"))
    assert [task.id for task in source.tasks()][-1] == "mine/good"
    blank = sum(not line.decode("utf-8", "replace").strip("\ufeff").strip() for line in lines)
    assert len(source.bad) >= len(lines) - blank - 1


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_any_question_text_comes_through_csv_unchanged(root: Path, texts: list[str]) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerows([("image", "question"), *(("red.png", text) for text in texts)])
    (root / "questions.csv").write_text(file.getvalue(), encoding="utf-8", newline="")
    assert [task.question for task in Folder(root).tasks()] == [
        text for text in texts if text.strip()
    ]
