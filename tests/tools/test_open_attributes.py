"""Open attributes: chances by hand, drawn crops whose colour is known, typed failures, both eyes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from gallery import Gallery
from PIL import Image
from tiny_hub import clip
from tools_for_tests import a_program, a_task

from workbench.boxes import Box
from workbench.cli.run import with_tools
from workbench.errors import InputError, ProfileError, ToolFailure
from workbench.execute import Executor
from workbench.images import ImageFolder
from workbench.pipeline.parts import Parts
from workbench.ports import Images
from workbench.recipes.ports import TakesEyes
from workbench.recipes.tool.open_attributes import (
    KINDS,
    OpenAttributes,
    chance_of,
    words_against,
)
from workbench.records import Region, ToolCall
from workbench.settings import find_profile, read_profile
from workbench.tools.hub_images import ImageTextEyes
from workbench.tools.lending import lend_eyes
from workbench.tools.visual_questions import StudentEyes

COLOURS = {
    "red": (220, 20, 20), "green": (20, 160, 30), "blue": (20, 40, 220), "yellow": (240, 230, 20),
    "black": (5, 5, 5), "white": (250, 250, 250),
}  # fmt: skip


class ColourEyes:
    """Fits a word by how near its colour is to that of the crop; other words fit nothing."""

    version = "colours"

    def read(self, call: ToolCall, images: Images, name: str) -> tuple[Region, str]:
        return StudentEyes.read(self, call, images, name)  # type: ignore[arg-type]

    def fit(self, regions: Sequence[Region], words: Sequence[str], images: Images) -> list[float]:
        out = []
        for region, word in zip(regions, words, strict=True):
            seen = images.crop(region).resize((1, 1)).getpixel((0, 0))
            wanted = COLOURS.get(word, (128, 128, 128))
            out.append(5 - math.dist(seen, wanted) / 20)  # type: ignore[arg-type]
        return out


@pytest.fixture
def squares(tmp_path: Path) -> tuple[ImageFolder, dict[str, Region]]:
    """One picture with a square of each colour."""
    picture = Image.new("RGB", (60, 10))
    for at, colour in enumerate(COLOURS.values()):
        picture.paste(colour, (10 * at, 0, 10 * at + 10, 10))
    picture.save(tmp_path / "squares.png")
    images = ImageFolder(tmp_path / "images")
    digest = images.add(tmp_path / "squares.png")
    return images, {
        name: Region(digest, 60, 10, Box(10.0 * at, 0, 10.0 * at + 10, 10))
        for at, name in enumerate(COLOURS)
    }


def call(patch: object, name: object) -> ToolCall:
    return ToolCall("attribute", {"patch": patch, "name": name})  # type: ignore[dict-item]


def test_a_chance_is_against_the_others_of_its_kind() -> None:
    assert chance_of([1.0, 0.0, 2.0]) == pytest.approx(math.e / (math.e + 1 + math.e**2))
    assert chance_of([2.0]) == pytest.approx(1 / (1 + math.exp(-2)))
    assert chance_of([-2000.0]) == 0
    assert words_against("Red")[0] == "red"
    assert sorted(words_against("Red")) == sorted(KINDS[0])
    assert words_against(" grey ")[0] == "gray"
    assert words_against("fluffy") == ["fluffy"]


def test_drawn_squares_have_the_colour_that_they_have(
    squares: tuple[ImageFolder, dict[str, Region]],
) -> None:
    images, patches = squares
    tool, sure = OpenAttributes(), OpenAttributes(threshold=0.5)
    for one in (tool, sure):
        assert isinstance(one, TakesEyes)
        one.enter(ColourEyes())
    pairs = [(own, word) for own in COLOURS for word in COLOURS]
    calls = [call(patches[own], word) for own, word in pairs]
    chances, answers = tool(calls, images), sure(calls, images)
    assert [own == word for own, word in pairs] == answers
    assert all((chance > 0.5) == is_so for chance, is_so in zip(chances, answers))  # type: ignore[operator]
    assert (tool.spec.returns, sure.spec.returns) == ("float", "bool")
    assert tool.ref.version == "1+colours"


def test_a_bad_call_fails_alone(squares: tuple[ImageFolder, dict[str, Region]]) -> None:
    images, patches = squares
    tool = OpenAttributes()
    with pytest.raises(ProfileError, match="was lent no eyes"):
        tool([call(patches["red"], "red")], images)
    tool.enter(ColourEyes())
    gone = Region("0" * 64, 5, 5, Box(0, 0, 5, 5))
    given = [
        (patches["red"], "red"),
        (3, "red"),
        (patches["red"], ""),
        (patches["red"], 7),
        (gone, "red"),
    ]
    first, *others = tool([call(*one) for one in given], images)
    assert isinstance(first, float)
    assert [type(one) for one in others] == [ToolFailure] * 4
    assert "needs an ImagePatch as patch, found int" in str(others[0])
    assert tool([], images) == []


@pytest.mark.parametrize("threshold", [1, -0.1, "high", True])
def test_a_threshold_is_a_share(threshold: object) -> None:
    with pytest.raises(ProfileError, match="threshold"):
        OpenAttributes(threshold=threshold)  # type: ignore[arg-type]


def test_eyes_of_a_dual_encoder_compare_with_words_that_fit_anything(
    gallery: Gallery, tmp_path: Path
) -> None:
    eyes = ImageTextEyes(clip(tmp_path / "clip"))
    region = gallery.whole()
    red, nothing = eyes.fit([region, region], ["red", "blue"], gallery.images)
    assert red != nothing
    encoder = eyes._encoder
    crop, word, any_word = (
        encoder.crops([region], gallery.images)[0],
        encoder.texts([" red"])[0],
        encoder.texts([""])[0],
    )
    by_hand = encoder.scale() * float(crop @ word - crop @ any_word)
    assert red == pytest.approx(by_hand, abs=1e-5)
    assert eyes.fit([], [], gallery.images) == []


def test_eyes_that_there_are_not_are_told() -> None:
    with pytest.raises(ProfileError, match="eyes = 'owl'; there are: student, image-text"):
        lend_eyes(OpenAttributes(eyes="owl"))


def test_a_profile_lends_eyes_of_the_embedded_student(
    squares: tuple[ImageFolder, dict[str, Region]],
) -> None:
    images, patches = squares
    profile = with_tools(read_profile(find_profile("embedded")), ["attribute=open_attributes"])
    only = {"attribute": profile.tools["attribute"]}
    (tool,) = Parts(replace(profile, tools=only), images).tools
    chance, of_none = tool([call(patches["red"], "red"), call(patches["red"], "fluffy")], images)
    assert 0 <= chance <= 1  # type: ignore[operator]
    assert 0 <= of_none <= 1  # type: ignore[operator]
    with pytest.raises(InputError, match="--tool takes NAME=PART"):
        with_tools(profile, ["open_attributes"])


def test_a_program_asks_for_an_attribute_like_for_anything_else(
    squares: tuple[ImageFolder, dict[str, Region]],
) -> None:
    images, patches = squares
    tool = OpenAttributes(threshold=0.5)
    tool.enter(ColourEyes())
    source = (
        "def execute_command(image):\n"
        "    patch = ImagePatch(image).crop(0, 0, 10, 10)\n"
        "    answers = [patch.attribute('red'), patch.attribute('green')]\n"
        "    return ' '.join([str(one) for one in answers])\n"
    )
    task = replace(a_task(), image=patches["red"].image)
    with Executor([tool], images, workers=1) as executor:
        (trace,) = executor.run([(task, a_program(source, 0))])
    assert trace.answer is not None, trace
    assert trace.answer.casefold() in ("true false", "yes no")
