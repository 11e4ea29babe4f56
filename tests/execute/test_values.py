"""The border: what crosses it and what is refused, one exact type at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from workbench.api import STANDARD
from workbench.boxes import Box
from workbench.execute.values import Border, Unfit, answer_text
from workbench.limits import Limits
from workbench.records import Region

WHOLE = Region("a" * 64, 100, 80, Box(0, 0, 100, 80))
BORDER = Border((WHOLE,), Limits(items=50, text=100, depth=4))


class Sneaky(str):
    """A subclass of a plain type."""


@pytest.mark.parametrize(
    ("packed", "value"),
    [
        (None, None),
        (True, True),
        (2**62, 2**62),
        (1.5, 1.5),
        ("é", "é"),
        (("l", [1, ("t", ["a"])]), [1, ("a",)]),
        (("e", ["b", "a"]), ["a", "b"]),
        (("d", [("k", 1), (2, None)]), {"k": 1, "2": None}),
        (
            ("p", (10, 20, 30, 60), "cup", 0.5),
            replace(WHOLE, box=Box(10, 20, 30, 60), label="cup", score=0.5),
        ),
    ],
)
def test_what_crosses(packed: Any, value: Any) -> None:
    assert BORDER.read(packed) == value


def test_a_patch_keeps_its_place_both_ways() -> None:
    region = replace(WHOLE, box=Box(10, 5, 30, 60), label="cup", score=0.5)
    packed = BORDER.write([region])
    assert packed == ("l", [("p", (10, 20, 30, 75), "cup", 0.5)])
    assert BORDER.read(packed) == [region]


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (2**63, "an integer of more than 63 bits"),
        (Sneaky("x"), "a value of type Sneaky"),
        (b"x", "a value of type bytes"),
        ([1], "a value of type list"),
        ((), "a value of type tuple"),
        (object(), "a value of type object"),
        (("z", [1]), "a value of an unknown kind"),
        (("l", (1,)), "a value of an unknown kind"),
        (("l", [1], 2), "a value of an unknown kind"),
        (("d", [1]), "a dict of an unknown form"),
        (("d", [(("l", []), 1)]), "a dict key that is no plain value"),
        ("x" * 101, "a text of 101 characters; at most 100 may cross"),
        ("\ud800", "a text with lone surrogates"),
        (("l", [1] * 60), "more than 50 values"),
        (("l", [("l", [("l", [("l", [("l", [1])])])])]), "nesting of more than 4"),
        (("p", (0, 0, 101, 5), None, None), r"a patch outside the picture: \(0, 0, 101, 5\)"),
        (("p", (5, 5, 5, 9), None, None), "a patch outside the picture"),
        (("p", (-1, 0, 5, 5), None, None), "a patch outside the picture"),
        (("p", (0.0, 0, 5, 5), None, None), "a patch with a strange box"),
        (("p", (True, 0, 5, 5), None, None), "a patch with a strange box"),
        (("p", (0, 0, 5), None, None), "a patch with a strange box"),
        (("p", (0, 0, 5, 5), 3, None), "a patch with a strange label"),
        (("p", (0, 0, 5, 5), "x" * 201, None), "a patch with a strange label"),
        (("p", (0, 0, 5, 5), None, "high"), "a patch with a strange score"),
    ],
)
def test_what_is_refused(packed: Any, message: str) -> None:
    with pytest.raises(Unfit, match=message):
        BORDER.read(packed)


@pytest.mark.parametrize(
    ("box", "snapped"),
    [
        (Box(1.4, 2.6, 10.5, 20.49), Box(1, 3, 10, 20)),
        (Box(-5, -5, 500, 500), Box(0, 0, 100, 80)),
        (Box(99.9, 79.9, 99.95, 79.95), Box(99, 79, 100, 80)),
        (Box(10.1, 10.1, 10.2, 10.2), Box(10, 10, 11, 11)),
        (Box(200, 200, 300, 300), Box(99, 79, 100, 80)),
    ],
)
def test_boxes_of_tools_are_whole_pixels_inside_the_picture(box: Box, snapped: Box) -> None:
    made = BORDER.result([replace(WHOLE, box=box)], STANDARD["find"])
    assert isinstance(made, list)
    assert made[0] == replace(WHOLE, box=snapped)


@pytest.mark.parametrize(
    ("tool", "result", "message"),
    [
        ("exists", "yes", "exists returned a str, its spec says bool"),
        ("exists", 1, "exists returned a int, its spec says bool"),
        ("compute_depth", True, "compute_depth returned a bool, its spec says float"),
        ("compute_depth", float("nan"), r"a number that is not finite \(nan\)"),
        ("image_caption", None, "image_caption returned a NoneType, its spec says str"),
        ("image_caption", WHOLE, "image_caption returned a Region, its spec says str"),
        ("find", {"a": 1}, r"find returned a dict, its spec says list\[ImagePatch\]"),
        ("find", [replace(WHOLE, image="b" * 64)], "a patch of another picture"),
        ("find", [WHOLE] * 60, "more than 50 values"),
        ("image_caption", "x" * 101, "a text of 101 characters"),
    ],
)
def test_results_that_a_spec_does_not_allow(tool: str, result: Any, message: str) -> None:
    with pytest.raises(Unfit, match=message):
        BORDER.result(result, STANDARD[tool])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (False, "no"),
        (3, "3"),
        (3.0, "3"),
        (2.5, "2.5"),
        (1e20, "1e+20"),
        (" red ", "red"),
        (["a", 1.0, True], "a, 1, yes"),
        (("a", ""), "a, "),
        (replace(WHOLE, label="cup"), "cup"),
    ],
)
def test_answers_as_text(value: Any, text: str) -> None:
    assert answer_text(value) == text


@pytest.mark.parametrize("value", [None, "", [], ["", ""], {}, WHOLE, float("nan"), [None]])
def test_what_is_no_answer(value: Any) -> None:
    with pytest.raises(Unfit):
        answer_text(value)
