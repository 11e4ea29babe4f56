"""A folder of one's own: good rows come, bad ones are listed with file, line and reason."""

from __future__ import annotations

import csv
import io
import json
import re
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
    [task] = write(root, row(id=1, note="kept", split="train")).tasks()
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
        *(
            row(id=at, answer=answer)
            for at, answer in enumerate(("Yes", 3, 2.0, True, "-5", "False"))
        ),
        row(answers=["a", "b"], answer=None),
        row(answer="cat", choices=["cat", "dog"]),
        {"image": "images/red.png", "question": "?"},
        row(id=9, answer=2.0, choices=["1.0", "2.0"]),
    )
    tasks = list(source.tasks())
    assert [task.answer_type for task in tasks] == [
        *("yesno", "integer", "integer", "yesno", "integer", "yesno"),
        *("open", "choice", "open", "choice"),
    ]
    assert [task.answers for task in tasks] == [
        *(("Yes",), ("3",), ("2",), ("yes",), ("-5",), ("False",)),
        *(("a", "b"), ("cat",), (), ("2.0",)),
    ]
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
    (b"[" * 100_000, "more than 100 deep"),
]


@pytest.mark.parametrize(("wrong", "said"), BAD, ids=[said for _, said in BAD])
def test_a_bad_row_is_listed_and_the_others_come(root: Path, wrong: Any, said: str) -> None:
    source = write(root, row(id=1), wrong, row(id=3))
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
        root, *(row(id=name, image=name) for name in ("text.png", "cut.png", "huge.png", "red.png"))
    )
    assert [task.id for task in source.tasks()] == ["mine/red.png"]
    assert [bad.line for bad in source.bad] == [1, 2, 3]
    assert "8000x6000 pixels; at most 40 megapixels" in source.bad[2].reason


def test_reading_twice_lists_bad_rows_once(root: Path) -> None:
    source = write(root, row(question=""), row())
    assert list(source.tasks()) == list(source.tasks())
    assert len(source.bad) == 1


def test_a_split_can_be_asked_for(root: Path) -> None:
    source = write(root, row(id=1, split="train"), row(id=2))
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
    assert first.question == "Which, exactly?\r\nSay it."
    assert first.choices == ("red", "blue")
    assert first.meta == {"note": "n"}
    assert second.question == "What?"
    assert not second.labelled
    assert [bad.line for bad in source.bad] == [5, 6, 7]
    assert "2 cells; expected 5" in source.bad[0].reason
    assert "not UTF-8" in source.bad[2].reason


def test_a_header_without_question_cannot_be_read(root: Path) -> None:
    (root / "questions.csv").write_text("picture,text\nred.png,What?\n")
    with pytest.raises(DatasetError, match=r"expected image \(or images\) and question among them"):
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
        text for text in dict.fromkeys(texts) if text.strip()
    ]


# --- tables as spreadsheets and pandas write them, and with faults of the hand


def table(root: Path, text: str) -> Folder:
    (root / "questions.csv").write_text(text, encoding="utf-8", newline="")
    return Folder(root, name="mine")


def test_answers_of_spreadsheets_and_pandas_keep_their_type(root: Path) -> None:
    source = table(
        root,
        "image,question,answer,choices\n"
        "red.png,How many?,2.0,\n"
        "red.png,Is it so?,FALSE,\n"
        "red.png,Is it?,True,\n"
        "red.png,Which version?,2.0,1.0|2.0\n"
        "red.png,True or false?,TRUE,TRUE|FALSE\n"
        "red.png,How cold?,-5.0,\n"
        "red.png,How much?,2.5,\n"
        "red.png,Unknown?,,\n",
    )
    assert [(task.answers, task.answer_type) for task in source.tasks()] == [
        (("2",), "integer"),
        (("no",), "yesno"),
        (("yes",), "yesno"),
        (("2.0",), "choice"),
        (("TRUE",), "choice"),
        (("-5",), "integer"),
        (("2.5",), "open"),
        ((), "open"),
    ]
    assert source.bad == []


def numbered(count: int) -> list[str]:
    return [f"red.png,Question {n}?,{n}\n" for n in range(count)]


@pytest.mark.parametrize("at", [0, 3, 297, 299])
@pytest.mark.parametrize(
    "stray",
    [
        'red.png,"How many cats?,2\n',
        'red.png,"How many, ""cats?,2\n',
        '"red.png,How many cats?,2\n',
    ],
)
def test_a_stray_quote_costs_its_own_row_only(root: Path, at: int, stray: str) -> None:
    rows = numbered(300)
    source = table(root, "".join(["image,question,answer\n", *rows[:at], stray, *rows[at:]]))
    assert [task.question for task in source.tasks()] == [f"Question {n}?" for n in range(300)]
    [bad] = source.bad
    assert bad.line == at + 2
    assert "quote" in bad.reason


def test_two_stray_quotes_that_make_a_cell_together_are_two_bad_rows_at_most(root: Path) -> None:
    first, second = 'red.png,"How many?,2\n', 'red.png,How many others",3\n'
    rows = numbered(100)
    source = table(root, "".join(["image,question,answer\n", first, *rows, second]))
    questions = [task.question for task in source.tasks()]
    assert questions[:100] == [f"Question {n}?" for n in range(100)]
    assert [bad.line for bad in source.bad] == [2]


def test_a_question_of_several_lines_stays_one_row(root: Path) -> None:
    lines = "\n".join(f"line {n}, with a comma, and another" for n in range(20))
    source = table(root, f'image,question,answer\nred.png,"{lines}",x\nred.png,Next?,y\n')
    assert [task.question for task in source.tasks()] == [lines, "Next?"]
    assert source.bad == []


@pytest.mark.parametrize("mark", [";", "\t"])
def test_cells_may_be_separated_as_a_spreadsheet_likes(root: Path, mark: str) -> None:
    rows = [["image", "question", "answer"], ["red.png", "Which, exactly?", "red"]]
    [task] = table(root, "\n".join(mark.join(row) for row in rows) + "\n").tasks()
    assert (task.question, task.answers) == ("Which, exactly?", ("red",))


def test_a_header_names_what_a_column_may_be(root: Path) -> None:
    with pytest.raises(DatasetError, match="'img' may be image; 'Prompt' may be question"):
        list(table(root, "img,Prompt,answer\nred.png,What?,x\n").tasks())


# --- ids from content, duplicates, columns


def test_a_row_keeps_its_id_wherever_it_stands(root: Path) -> None:
    before = {task.question: task.id for task in write(root, *map(ask, "abc")).tasks()}
    after = {task.question: task.id for task in write(root, *map(ask, "xcab")).tasks()}
    assert {name: after[name] for name in before} == before
    assert len(set(after.values())) == 4


def ask(question: str) -> dict[str, Any]:
    return row(question=question)


def test_the_answer_is_no_part_of_the_id(root: Path) -> None:
    (first,), (second,) = (write(root, row(answer=answer)).tasks() for answer in ("red", "blue"))
    assert first.id == second.id


def test_rows_that_say_the_same_count_once(root: Path) -> None:
    source = write(root, row(), row(), row(answer="blue"), row(image="images/red.png"))
    assert len(list(source.tasks())) == 1
    same, other, path = source.bad
    assert same.reason == "the row is the same as line 1; it counts once"
    assert "line 1 asks the same about the same picture, with the answer ['red']" in other.reason
    assert path.reason == same.reason


def test_columns_are_counted_and_near_misses_named(root: Path) -> None:
    source = write(
        root,
        row(question="1", anwser="x", answer=None),
        row(question="2", choices=["red", "blue"], note="n"),
        row(question="3", image="nope.png", Label="y"),
    )
    columns = source.columns()
    assert (columns.rows, columns.answered, columns.with_choices, columns.pictured) == (3, 2, 1, 2)
    assert columns.unknown == {"anwser": 1, "note": 1, "Label": 1}
    assert columns.near() == {"anwser": "answer", "Label": "answer"}


def test_a_long_value_makes_no_long_reason(root: Path) -> None:
    long = "x" * 5000
    source = write(root, row(id=long), row(id=long), row(choices=[long]), row(image=long))
    assert len(list(source.tasks())) == 1
    assert [len(bad.reason) < 400 for bad in source.bad] == [True] * 3
    assert source.bad[1].reason.endswith("expected two or more different ones, or none")


# --- pictures as they lie


def test_a_picture_may_be_a_link_to_anywhere(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = tmp_path_factory.mktemp("cache")
    (root / "images" / "red.png").rename(cache / "0a1b")
    (root / "images" / "red.png").symlink_to(cache / "0a1b")
    (root / "more").symlink_to(cache)
    tasks = list(write(root, row(), row(image="more/0a1b")).tasks())
    assert [task.image for task in tasks] == ["images/red.png", "more/0a1b"]


@pytest.mark.parametrize("there", ["caf\u00e9.png", "cafe\u0301.png"])
@pytest.mark.parametrize("written", ["caf\u00e9.png", "cafe\u0301.png"])
def test_a_name_may_be_composed_or_not(root: Path, there: str, written: str) -> None:
    (root / "images" / "red.png").rename(root / "images" / there)
    [task] = write(root, row(image=written)).tasks()
    assert (root / task.image).is_file()


def test_a_name_may_have_the_slashes_of_windows(root: Path) -> None:
    [task] = write(root, row(image="images\\red.png")).tasks()
    assert task.image == "images/red.png"
    source = write(root, row(image="..\\secret.png"))
    assert list(source.tasks()) == []
    assert "lies outside" in source.bad[0].reason


@pytest.mark.parametrize("deep", [101, 900, 100_000])
def test_a_row_nested_too_deep_is_a_bad_row(root: Path, deep: int) -> None:
    for field in ("note", "answer", "image", "id"):
        lists = f'{{"image": "red.png", "question": "Why?", "{field}": {"[" * deep}{"]" * deep}}}'
        source = write(root, row(id=1), lists.encode(), row(id=2))
        assert [task.id for task in source.tasks()] == ["mine/1", "mine/2"]
        [bad] = source.bad
        assert bad.line == 2
        assert "more than 100 deep" in bad.reason


def test_links_in_a_circle_are_pictures_that_are_not_there(root: Path) -> None:
    (root / "images" / "loop.png").symlink_to("loop.png")
    (root / "images" / "folder").symlink_to("folder")
    outside = root.parent / f"{root.name}-loop"
    outside.symlink_to(outside.name)
    names = ("loop.png", "folder/a.png", str(outside), f"../{outside.name}", f"{outside}/a.png")
    source = write(root, row(), *(row(image=name) for name in names))
    assert len(list(source.tasks())) == 1
    assert [bad.line for bad in source.bad] == [2, 3, 4, 5, 6]
    with pytest.raises(DatasetError, match="is not a folder"):
        list(Folder(outside).tasks())
    outside.unlink()


# Several pictures


@pytest.fixture
def two(root: Path) -> Path:
    Image.new("RGB", (8, 6), (30, 30, 200)).save(root / "images" / "blue.png")
    return root


def test_a_row_may_have_several_pictures_in_order(two: Path) -> None:
    asked = {"question": "Which is red?", "answer": "the first"}
    first, second, one = write(
        two,
        {"images": ["red.png", "images/blue.png"], **asked},
        {"images": ["blue.png", "red.png"], **asked},
        {"images": ["red.png"], **asked},
    ).tasks()
    assert first.images == ("images/red.png", "images/blue.png")
    assert second.images == ("images/blue.png", "images/red.png")
    assert len({first.id, second.id, one.id}) == 3
    assert write(two, {"image": "red.png", **asked}).tasks().__next__() == one
    assert "images" not in first.meta


def test_pictures_in_csv_stand_between_bars(two: Path) -> None:
    (two / "questions.csv").write_text("images,question\nred.png|blue.png,Which is red?\n")
    (task,) = Folder(two, name="mine").tasks()
    assert task.images == ("images/red.png", "images/blue.png")


@pytest.mark.parametrize(
    ("images", "why"),
    [
        (["red.png", "green.png"], "no picture 'green.png' in"),
        (["red.png", 3], "the image is int 3; expected a path"),
        ([], r"images is list \[\]; expected a list of 1 to 16 paths"),
        (["red.png"] * 17, "expected a list of 1 to 16 paths"),
        ("red.png", "images is str 'red.png'; expected a list"),
    ],
)
def test_pictures_that_cannot_be_taken(two: Path, images: Any, why: str) -> None:
    source = write(two, {"images": images, "question": "?"})
    assert list(source.tasks()) == []
    (bad,) = source.bad
    assert re.search(why, bad.reason)


def test_one_name_for_pictures_is_given(two: Path) -> None:
    source = write(two, {"image": "red.png", "images": ["blue.png"], "question": "?"})
    assert list(source.tasks()) == []
    assert "both 'image' and 'images' are given; choose one" in source.bad[0].reason
