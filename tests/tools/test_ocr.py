"""Reading text with the real engine."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

pytest.importorskip("rapidocr")

from workbench.boxes import Box
from workbench.errors import ToolFailure
from workbench.images import ImageFolder
from workbench.records import Region, ToolCall
from workbench.tools.ocr import ReadText


@pytest.fixture(scope="module")
def sign(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageFolder, Region]:
    folder = tmp_path_factory.mktemp("sign")
    picture = Image.new("RGB", (320, 200), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(36)
    draw.text((40, 30), "EXIT 24", fill="black", font=font)
    draw.text((40, 110), "Main Street", fill="black", font=font)
    path = Path(folder) / "sign.png"
    picture.save(path)
    images = ImageFolder(folder / "images")
    return images, images.whole(images.add(path))


def test_lines_are_read_from_top_to_bottom_and_inside_the_patch_only(
    sign: tuple[ImageFolder, Region],
) -> None:
    images, whole = sign
    lower = dataclasses.replace(whole, box=Box(0, 95, 320, 200))
    blank = dataclasses.replace(whole, box=Box(0, 0, 30, 20))
    calls = [ToolCall("read_text", {"patch": patch}) for patch in (whole, lower, blank, "sign")]
    read, part, nothing, bad = ReadText()(calls, images)
    assert read == "EXIT 24 Main Street"
    assert part == "Main Street"
    assert nothing == ""
    assert isinstance(bad, ToolFailure)
