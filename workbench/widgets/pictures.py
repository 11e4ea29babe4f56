"""Pictures as bytes, sized to what is shown: large for the player, small for a saved notebook."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from workbench.errors import ImageError
from workbench.images import ImageFolder, decode

LARGE = 720
"""Longest side in a widget, pixels."""
SMALL = 320
"""Longest side in a saved notebook."""

INK = {"result": "#12a36b", "receiver": "#ffffff", "variable": "#e6b800"}


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
    """WebP of at most `side` pixels a side."""
    small = picture.copy()
    small.thumbnail((side, side))
    out = io.BytesIO()
    small.save(out, "WEBP", quality=quality)
    return out.getvalue()


def picture_view(image: str, picture: Image.Image | None, problem: str = "") -> dict[str, Any]:
    """What the player is told of a picture: `url` is put in by the page, from the bytes."""
    if picture is None:
        return {"image": image, "url": None, "width": 4, "height": 3, "problem": problem}
    return {"image": image, "url": "bytes", "width": picture.width, "height": picture.height}


def of_project(images: ImageFolder, digest: str) -> tuple[Image.Image | None, dict[str, Any]]:
    """A project's picture and what the player is told of it; a missing one is a sentence, not an
    error.
    """
    try:
        picture = images.open(digest)
    except ImageError as error:
        return None, picture_view(digest, None, str(error))
    return picture, picture_view(digest, picture)


def inline(picture: Image.Image, boxes: Sequence[Mapping[str, Any]] = (), side: int = SMALL) -> str:
    """An <img> that needs no address, with boxes drawn in."""
    small = picture.copy()
    small.thumbnail((side, side))
    scale = small.width / picture.width
    pen = ImageDraw.Draw(small)
    for one in boxes:
        x0, y0, x1, y1 = (round(edge * scale) for edge in one["box"])
        pen.rectangle(
            (x0, y0, max(x1, x0), max(y1, y0)), outline=INK.get(one["role"], INK["result"]), width=2
        )
    data = base64.b64encode(to_webp(small, side, 70)).decode()
    return f'<img alt="The picture asked about" src="data:image/webp;base64,{data}">'
