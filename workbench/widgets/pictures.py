"""Pictures as bytes, sized to what is shown: large for the player, small for a saved notebook."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw

from workbench.errors import ImageError
from workbench.images import ImageFolder, decode
from workbench.records import Task
from workbench.screen.steps import BoxRole, StepBox
from workbench.screen.views import PictureView
from workbench.store import Project

LARGE = 720
"""Longest side in a widget, pixels."""
SMALL = 320
"""Longest side in a saved notebook."""

INK: Mapping[BoxRole, str] = {
    "result": "#12a36b",
    "receiver": "#ffffff",
    "variable": "#e6b800",
    "loop": "#b7b08a",
}


def open_picture(
    picture: Path | str | Image.Image | None, images: ImageFolder | None = None
) -> Image.Image | None:
    """A picture by path, by its digest in `images`, or as it is.  Raises ImageError when it cannot
    be read.
    """
    if picture is None or isinstance(picture, Image.Image):
        return picture if picture is None else picture.convert("RGB")
    if images is not None and images.path(str(picture)) is not None:
        return images.open(str(picture))
    return decode(Path(picture))


def to_webp(picture: Image.Image, side: int = LARGE, quality: int = 82) -> bytes:
    """A picture as WebP.

    Args:
        picture: any size.
        side: longest side of the result, pixels.
        quality: of the compression, 0 to 100.
    """
    small = picture.copy()
    small.thumbnail((side, side))
    out = io.BytesIO()
    small.save(out, "WEBP", quality=quality)
    return out.getvalue()


def picture_view(image: str, picture: Image.Image | None, problem: str = "") -> PictureView:
    """A picture as the player takes it: the page makes its address from the bytes.

    Args:
        image: digest of the picture.
        picture: None where there is none.
        problem: why there is none.
    """
    if picture is None:
        return PictureView(image, None, 4, 3, problem)
    return PictureView(image, "bytes", picture.width, picture.height)


def of_project(images: ImageFolder, digest: str) -> tuple[Image.Image | None, PictureView]:
    """A project's picture, and how the player draws it; a missing one is words, not an error."""
    try:
        picture = images.open(digest)
    except ImageError as error:
        return None, picture_view(digest, None, str(error))
    return picture, picture_view(digest, picture)


def of_task(images: ImageFolder, task: Task) -> tuple[Image.Image | None, PictureView]:
    """The picture of a question, and how the player draws it with the others behind it."""
    picture, view = of_project(images, task.image)
    others = [
        replace(of_project(images, digest)[1], url=address(images, digest))
        for digest in task.more_images
    ]
    return picture, replace(view, more=others)


def address(images: ImageFolder | None, digest: str, side: int = SMALL) -> str | None:
    """A picture's address that needs no server; None where it is not in the folder.

    Args:
        images: the folder; None where there is no project.
        digest: of the picture.
        side: longest side, pixels.
    """
    try:
        picture = images.open(digest) if images is not None else None
    except ImageError:
        return None
    if picture is None:
        return None
    return f"data:image/webp;base64,{base64.b64encode(to_webp(picture, side)).decode()}"


def inline(picture: Image.Image, boxes: Sequence[StepBox] = (), side: int = SMALL) -> str:
    """An <img> that needs no address, with boxes drawn in.

    Args:
        picture: any size.
        boxes: in pixels of the picture.
        side: longest side of the result, pixels.
    """
    small = picture.copy()
    small.thumbnail((side, side))
    scale = small.width / picture.width
    pen = ImageDraw.Draw(small)
    for one in boxes:
        x0, y0, x1, y1 = (round(edge * scale) for edge in one.box)
        pen.rectangle((x0, y0, max(x1, x0), max(y1, y0)), outline=INK[one.role], width=2)
    data = base64.b64encode(to_webp(small, side, 70)).decode()
    return f'<img alt="The picture asked about" src="data:image/webp;base64,{data}">'


def inline_all(project: Project | None, task: Task) -> str:
    """Every picture of a question that is there, as <img>; nothing without a project."""
    if project is None:
        return ""
    opened = (of_project(project.images, digest)[0] for digest in task.images)
    return "".join(inline(picture) for picture in opened if picture is not None)
