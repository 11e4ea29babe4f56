"""Drawn pictures: their answers are exact, and a picture that lies about its program is refused."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from PIL import Image

from workbench.boxes import Box
from workbench.errors import ProfileError
from workbench.recipes.ports import LabelledRegion, Synthesizer
from workbench.recipes.synthesizer.code_grounded import (
    COLOURS,
    CodeGrounded,
    Shape,
    ask,
    caption_of,
    code_of,
    code_score,
    picture_of,
    visible,
)
from workbench.records import Region

RED = Shape("circle", "red", 80, 80, 30)
BLUE = Shape("square", "blue", 200, 90, 25)
GREEN = Shape("triangle", "green", 140, 220, 28)


class Room:
    """Keeps pictures by number, and answers nothing."""

    def __init__(self) -> None:
        self.pictures: list[Image.Image] = []

    def answer(self, regions: Sequence[Region], questions: Sequence[str]) -> Sequence[str | None]:
        raise AssertionError("exact answers ask no model")

    def open(self, digest: str) -> Image.Image:
        return self.pictures[int(digest)]

    def keep(self, picture: Image.Image) -> Region:
        self.pictures.append(picture)
        size = picture.size
        return Region(str(len(self.pictures) - 1), *size, Box(0, 0, *size))

    def write(self, prompts: Sequence[str]) -> Sequence[str]:
        raise AssertionError("no model writes")

    def alike(self, answer: str, other: str) -> bool:
        return answer == other


def places(count: int) -> list[LabelledRegion]:
    dice = random.Random(0)
    boxes = [(dice.randint(10, 380), dice.randint(10, 280)) for _ in range(count)]
    return [
        LabelledRegion(
            f"task {at}", "train", Region("p", 400, 300, Box(x, y, x + 10, y + 10), "cup")
        )
        for at, (x, y) in enumerate(boxes)
    ]


def test_the_program_draws_the_picture() -> None:
    shapes = [RED, BLUE, GREEN]
    names: dict[str, Image.Image] = {}
    exec(code_of(shapes, 320), names)
    assert names["picture"].tobytes() == picture_of(shapes, 320).tobytes()
    assert caption_of([BLUE, RED]) == "From left to right: a red circle, a blue square."


def test_answers_follow_from_the_programs_values() -> None:
    options = {ask([RED, BLUE, GREEN], random.Random(seed)) for seed in range(300)}
    assert ("How many squares are there?", "1") in options
    assert ("What color is the triangle?", "green") in options
    assert ("Is the red circle to the left of the blue square?", "yes") in options
    assert ("Is the blue square to the left of the red circle?", "no") in options
    twins = {
        ask([RED, Shape("circle", "blue", 200, 90, 25)], random.Random(seed)) for seed in range(99)
    }
    assert not [text for text, _ in twins if text.startswith("What color")], "which of two circles?"


def test_planted_errors_are_caught() -> None:
    part = CodeGrounded()
    whole = picture_of([RED, BLUE], 320)
    assert part.fault(whole, [RED, BLUE], "?") == ""
    assert [visible(whole, one) == 1 for one in (BLUE, GREEN)] == [True, False]
    covered = [RED, BLUE, Shape("square", "green", 95, 80, 30)]
    cut = [RED, Shape("square", "blue", 318, 90, 25)]
    other = [RED, Shape("square", "orange", 200, 90, 25)]
    for picture, shapes in (
        (picture_of(covered, 320), covered),
        (picture_of(cut, 320), cut),
        (whole, other),
        (whole, [RED, BLUE, GREEN]),
    ):
        assert part.fault(picture, shapes, "?").startswith("a shape is hidden, cut off")
    assert part.fault(whole, [RED, BLUE], "").startswith("no question has one answer")


def test_candidates_say_where_they_come_from_and_the_taken_ones_are_true() -> None:
    part, room = CodeGrounded(), Room()
    assert isinstance(part, Synthesizer)
    origins = places(60)
    candidates = list(part.propose(origins, room))
    assert [one.origin for one in candidates] == origins
    taken = [one for one in candidates if not one.reason]
    assert len(taken) > 15
    assert len(room.pictures) == len(taken) < 60
    for one in taken:
        names: dict[str, Image.Image] = {}
        exec(str(one.facts["code"]), names)
        picture = room.open(one.picture)
        assert names["picture"].tobytes() == picture.tobytes()
        if one.question.startswith("What color"):
            colours = {pixel for _, pixel in picture.getcolors(10**6)}
            assert COLOURS[one.answer] in colours
        if one.question.startswith("How many"):
            kind = one.question.split()[2].removesuffix("s")
            assert str(one.facts["code"]).count(f" {kind}\n") == int(one.answer)
    again = list(CodeGrounded().propose(origins, Room()))
    assert [one.question for one in again] == [one.question for one in candidates]
    other = list(CodeGrounded(seed=1).propose(origins, Room()))
    assert [one.question for one in other] != [one.question for one in candidates]


def test_a_program_that_does_not_run_counts_as_0() -> None:
    assert code_score([(80, 60), (100, 80), None, None]) == pytest.approx((45 + 35 + 50) / 3)
    assert code_score([None]) == 0
    assert code_score([]) == 0


@pytest.mark.parametrize("wrong", [{"shapes": 1}, {"side": 10}, {"visible": 0}])
def test_wrong_settings_are_told(wrong: dict[str, float]) -> None:
    with pytest.raises(ProfileError, match="code_grounded takes 2 to 12 shapes"):
        CodeGrounded(**wrong)  # type: ignore[arg-type]
