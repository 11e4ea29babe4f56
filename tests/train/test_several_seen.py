"""Students that take several pictures for one question, and the words of those that do not."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from PIL import Image
from tiny_vlms import FAMILIES, make

from workbench.boxes import Box
from workbench.errors import InputError
from workbench.models.student import TransformersStudent
from workbench.models.vlm import Vlm
from workbench.records import Lesson, PartRef, Region, Task
from workbench.study.answering import _bearing
from workbench.train.examples import Adapter
from workbench.train.loss import StudentLoss

SHADES = {"red": (200, 30, 30), "blue": (30, 30, 200), "green": (20, 180, 20)}
EMBEDDED = ("region", "pointer")
HUB = tuple(name for name in FAMILIES if name not in EMBEDDED)


class Shades:
    """Plain pictures by the name of their colour."""

    def open(self, digest: str) -> Image.Image:
        return Image.new("RGB", (40, 32), SHADES[digest])

    def crop(self, region: Region) -> Image.Image:
        return self.open(region.image)


def parts(*names: str) -> tuple[Region, ...]:
    return tuple(Region(name, 40, 32, Box(0, 0, 40, 32)) for name in names)


def shares(vlm: Vlm, *names: str) -> list[float]:
    return vlm.choose([parts(*names)], ["Is it so?"], [("yes", "no")], Shades())[0]


@pytest.mark.parametrize("family", HUB)
def test_a_second_picture_is_seen(family: str) -> None:
    vlm = Vlm(*make(family), family)
    first = shares(vlm, "red", "blue")
    assert first == pytest.approx(shares(vlm, "red", "blue"))
    assert first != pytest.approx(shares(vlm, "red", "green"), abs=1e-7)
    assert first != pytest.approx(shares(vlm, "blue", "red"), abs=1e-7)


def test_questions_about_one_and_two_pictures_are_answered_together() -> None:
    vlm = Vlm(*make("qwen2_vl"), "tiny")
    rows = [parts("red")[0], parts("red", "blue"), parts("green")[0]]
    together = vlm.generate(rows, ["What?"] * 3, Shades(), 4)
    assert together == [vlm.generate([row], ["What?"], Shades(), 4)[0] for row in rows]


PAIR = Task("mine/2", "mine", "test", "red", "Are both red?", ("no",), more_images=("blue",))


def student(family: str) -> Any:
    one = object.__new__(TransformersStudent)
    one._vlm, one._max = Vlm(*make(family), family), {False: 4, True: 4}
    one.ref = PartRef("student", family)
    return one


@pytest.mark.parametrize("family", EMBEDDED)
def test_an_embedded_student_says_that_it_takes_one(family: str) -> None:
    one = student(family)
    words = f"the student '{family}' takes one picture; question 'mine/2' has 2"
    with pytest.raises(InputError, match=words):
        one.answer([PAIR], Shades())
    (row,) = _bearing([PAIR], lambda tasks: one.answer(tasks, Shades()), one.ref, Shades())
    assert (row.answer, row.problem) == ("", words)


def test_a_template_of_one_picture_is_refused() -> None:
    model, processor = make("llava")
    processor.chat_template = "{{ '<image>' }}{{ messages[0]['content'][-1]['text'] }}"
    processor.chat_template += (
        "{% if messages | length > 1 %} {{ messages[1]['content'][0]['text'] }}{% endif %}"
    )
    with pytest.raises(InputError, match="writes one picture; the question has 2"):
        shares(Vlm(model, processor, "tiny"), "red", "blue")


# Taught


LESSON = Lesson("label", "Are both red?", "no")


@pytest.mark.parametrize("family", ["qwen2_vl", "smolvlm"])
def test_a_lesson_is_taught_about_all_pictures(family: str) -> None:
    model, processor = make(family)
    loss = StudentLoss(Adapter(processor), Shades(), torch.device("cpu"))  # type: ignore[arg-type]
    both, other, first = (
        float(loss(model, [(key, LESSON)], examples=1).share.detach())
        for key in ("red+blue", "red+green", "red")
    )
    assert len({both, other, first}) == 3


def test_a_student_of_one_picture_leaves_it_out_with_the_reason() -> None:
    _, processor = make("region")
    loss = StudentLoss(Adapter(processor), Shades(), torch.device("cpu"))  # type: ignore[arg-type]
    assert not loss.takes("red+blue", LESSON)
    assert "takes one picture; the question has 2" in loss.refused["red+blue"]
