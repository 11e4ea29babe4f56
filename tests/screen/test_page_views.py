"""What the pages are made of, without a browser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.records import Citation, PartRef, Rationale, Task
from workbench.screen.highlight import LONGEST, highlight
from workbench.screen.views import duration, gold_of, pieces, rationale_view

WRITER = PartRef("writer", "template", "1")


def rationale(text: str, *citations: Citation, issues: tuple[str, ...] = ()) -> Rationale:
    return Rationale("r", "t", "q", text, "two", citations, issues, WRITER)


@given(st.text())
def test_highlighting_loses_no_character(source: str) -> None:
    shown = "\n".join("".join(text for _, text in line) for line in highlight(source))
    wanted = source.replace("\r\n", "\n").replace("\r", "\n")
    assert shown == wanted.removesuffix("\n")


def test_highlighting_knows_python() -> None:
    (line,) = highlight("return 'dog'  # why")
    assert line == (("k", "return"), ("", " "), ("s", "'dog'"), ("", "  "), ("c", "# why"))


def test_a_huge_program_is_shown_plain() -> None:
    lines = highlight("x = 1\n" * LONGEST)
    assert lines[0] == (("", "x = 1"),)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0, "0 ms"),
        (0.34, "340 ms"),
        (0.9996, "1.0 s"),
        (1.24, "1.2 s"),
        (59.96, "1 min 0 s"),
        (125.4, "2 min 5 s"),
        (119.7, "2 min 0 s"),
        (3599.7, "1 h 0 min"),
        (12_000, "3 h 20 min"),
    ],
)
def test_durations_are_for_people(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_boxes_are_found_in_prose() -> None:
    found = pieces("The bus at 469 124 726 351 is not yellow; 12 dogs.")
    assert [piece.text for piece in found] == [
        "The bus at ",
        "469 124 726 351",
        " is not yellow; 12 dogs.",
    ]
    assert found[1].box == (469, 124, 726, 351)


@given(st.text(alphabet="0123456789 .at", max_size=60))
def test_cutting_at_boxes_loses_nothing(text: str) -> None:
    assert "".join(piece.text for piece in pieces(text)) == text


def test_a_sentence_without_support_is_marked() -> None:
    text = "There are two dogs. They look happy."
    view = rationale_view(rationale(text, Citation(0, 19, (3, 4)), Citation(20, 36, ())))
    assert view is not None
    assert [sentence.supported for sentence in view.sentences] == [True, False]


def test_text_between_citations_is_kept_and_marked() -> None:
    text = "Nobody said this. There are two dogs."
    view = rationale_view(rationale(text, Citation(18, 37, (1,))))
    assert view is not None
    assert [(s.pieces[0].text, s.supported) for s in view.sentences] == [
        ("Nobody said this.", False),
        ("There are two dogs.", True),
    ]


@given(st.lists(st.tuples(st.integers(-5, 50), st.integers(-5, 50)), max_size=5))
def test_citations_of_any_kind_lose_no_text(spans: list[tuple[int, int]]) -> None:
    text = "One dog sits here. Thus, there is one dog."
    view = rationale_view(rationale(text, *(Citation(max(a, 0), b, (1,)) for a, b in spans)))
    assert view is not None
    shown = "".join(piece.text for sentence in view.sentences for piece in sentence.pieces)
    assert shown.replace(" ", "") == text.replace(" ", "")


def test_ten_answers_are_told_by_how_often_they_were_given() -> None:
    task = Task(
        "q",
        "s",
        "val",
        "d",
        "?",
        answers=("dog", "puppy", "dog", "dog", "hound", "animal", "puppy"),
    )
    assert gold_of(task) == "dog / puppy / hound"
