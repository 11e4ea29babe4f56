"""When four numbers of a text are a box: one table of texts that holds everybody who reads boxes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.boxes_in_text import boxes_in, split_at_boxes, without_boxes
from workbench.evaluate.faithfulness.corrupt import Pool
from workbench.evaluate.faithfulness.read_answer import read_answer
from workbench.rationalize.check.faithful import _SentenceCheck
from workbench.rationalize.check.support import Support
from workbench.rationalize.say.conclude import says
from workbench.records import Task
from workbench.screen.views import pieces

ROOT = Path(__file__).resolve().parent.parent

PROBES = {
    "469 124 726 351": ["469 124 726 351"],
    "0 0 0 0": ["0 0 0 0"],
    "0 0 999 999": ["0 0 999 999"],
    "100 200 100 300": ["100 200 100 300"],
    "100 200 300 200": ["100 200 300 200"],
    "1 2 3 4, 5 6 7 8 and 9 10 11 12": ["1 2 3 4", "5 6 7 8", "9 10 11 12"],
    "1 2 3 4,": ["1 2 3 4"],
    "(1 2 3 4)": ["1 2 3 4"],
    "726 124 469 351": [],
    "469 351 726 124": [],
    "1000 124 726 351": [],
    "469 124 726 1000": [],
    "2000 2001 2002 2003": [],
    "1 2 3": [],
    "1 2 3 4 5": [],
    "1 2 3 4 5 6 7 8": [],
    "3 469 124 726 351": [],
    "2.5 469 124 726 351": [],
    "1,469 124 726 351": [],
    "469 124 726 351,5": [],
    "469 124 726 351.5": [],
    "469 124 726 351-5": [],
    "-469 124 726 351": [],
    "469 124 726 351st": [],
    "469 124 726 351 2nd": [],
    "x469 124 726 351": [],
    "007 124 726 351": [],
    "469  124 726 351": [],
    "４６９ 124 726 351": [],
}
"""What follows `the bus at `, and the boxes in it."""

SENTENCES = {
    **{f"The bus at {probe} is red": boxes for probe, boxes in PROBES.items()},
    "In 2019 100 200 300 400 is red": [],
    "In 2019, 100 200 300 400 is red": ["100 200 300 400"],
    "There are 3. 100 200 300 400 is red": ["100 200 300 400"],
}


@pytest.fixture(params=SENTENCES)
def text(request: pytest.FixtureRequest) -> str:
    return request.param


def test_the_reader(text: str) -> None:
    assert [box.text for box in boxes_in(text)] == SENTENCES[text]
    assert [text[box.start : box.end] for box in boxes_in(text)] == SENTENCES[text]


def test_the_pages(text: str) -> None:
    cut = pieces(text)
    assert [piece.text for piece in cut if piece.box] == SENTENCES[text]
    assert "".join(piece.text for piece in cut) == text


def test_the_faithfulness_check(text: str) -> None:
    """A trace that holds every four numbers of the text: what is refused is refused for its form."""
    numbers = text.split()
    rows = {" ".join(numbers[at : at + 4]).strip("(),.") for at in range(len(numbers))}
    known = Support(
        boxes={row: {"bus"} for row in rows},
        box_events={row: {7} for row in rows},
        stems={"bus", "red"},
    )
    sentence = _SentenceCheck(text, known, set(), {"2019", "3"})
    refused = [
        issue for issue in sentence.issues() if "is not a box" in issue or "The number" in issue
    ]
    assert bool(refused) == (not SENTENCES[text])
    assert (7 in sentence.events) == bool(SENTENCES[text])


def test_the_probe_of_students(text: str) -> None:
    assert Pool.of([text]).boxes == tuple(sorted(SENTENCES[text]))


@pytest.mark.parametrize("probe", PROBES)
def test_the_reader_of_endings(probe: str) -> None:
    """An answer is never read off a box, and the numbers of what is not a box are numbers."""
    asked = Task("t", "s", "test", "d", "?", (), "integer")
    answer = read_answer(asked, f"Thus, the bus at {probe} has 17 wheels.")
    assert (answer == "17") == bool(PROBES[probe])


@pytest.mark.parametrize(
    "probe", [probe for probe, boxes in PROBES.items() if len(boxes) < 2 and probe[-1].isalnum()]
)
def test_the_writer_of_conclusions(probe: str) -> None:
    assert says(f"the bus at {probe} is red", "the bus is red") == bool(PROBES[probe])


def test_nobody_else_reads_boxes() -> None:
    """A pattern of numbers with spaces between them stands in one module, and where the check finds
    faulty rows.
    """
    row = re.compile(r"(?:\\d|\[0-9\])(?:[+*]|\{[0-9,]+\})?\)? \(?(?:\\d|\[0-9\])")
    paths = [
        path
        for folder in ("workbench", "app")
        for kind in ("*.py", "*.js")
        for path in (ROOT / folder).rglob(kind)
    ]
    readers = {path.name for path in paths if row.search(path.read_text(encoding="utf-8"))}
    assert readers == set(), "ask workbench.boxes_in_text"


def test_labels_are_in_the_singular_and_count_for_a_list() -> None:
    text = (
        "There is 1 cat in the image, at 208 312 333 437. The red buses at 493 331 691 512 and 1 2 3 4 differ. "
        "One of them, at 5 6 7 8, is near 6 7 8 9."
    )
    assert [(box.label, box.text) for box in boxes_in(text)] == [
        ("cat", "208 312 333 437"),
        ("red bus", "493 331 691 512"),
        ("red bus", "1 2 3 4"),
        ("them", "5 6 7 8"),
        ("", "6 7 8 9"),
    ]


def test_a_box_in_pixels() -> None:
    (box,) = boxes_in("the dog at 0 333 999 666")
    assert [round(side) for side in box.pixels(300, 150).as_tuple()] == [100, 0, 200, 150]


cells = st.integers(0, 999)


@given(st.lists(st.tuples(cells, cells, cells, cells), max_size=5))
def test_boxes_are_read_back_as_written(rows: list[tuple[int, int, int, int]]) -> None:
    ordered = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in rows]
    text = ", and ".join("a thing at " + " ".join(map(str, row)) for row in ordered)
    assert [box.cells for box in boxes_in(text)] == ordered
    assert without_boxes(text) == ", and ".join(["a thing"] * len(ordered))


@given(st.text(alphabet="0123456789 .,-at", max_size=60))
def test_a_text_comes_apart_at_its_boxes_and_nowhere_else(text: str) -> None:
    cut = split_at_boxes(text)
    assert "".join(cut) == text
    assert cut[1::2] == [box.text for box in boxes_in(text)]
