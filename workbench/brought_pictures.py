"""Pictures that people bring, as files that the workbench decodes.

HEIC of phones becomes JPEG, where pillow-heif is installed.  A picture with more pixels than are
decoded at once is scaled down and becomes JPEG too.  Everything else stays as it is, byte by byte.
"""

from __future__ import annotations

import importlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from PIL import Image

from workbench.colour_profiles import profile_of
from workbench.errors import ImageError
from workbench.images import FORMATS, MAX_PIXELS, as_seen

LARGEST = 160_000_000
"""Most pixels of a picture that is scaled down; JPEG costs far less memory than its pixels."""

SIDE = 4096
"""Longest side of a picture that was scaled down, pixels."""

_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""Brands of files in the container of HEIF; AVIF stands in the same container."""

_one_at_a_time = Lock()
"""Large pictures are decoded one after another: each may need half a gigabyte for a moment."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A picture's file as it is kept."""

    data: bytes
    change: str = ""
    """What was done to it, in words; empty where nothing was."""


def acceptable(data: bytes, name: str) -> Brought:
    """A picture's file in a form that `workbench.images` decodes, as far as that can be had.

    What is no picture at all comes back as it is: whoever keeps it says what is wrong with it.

    Args:
        data: content of the file.
        name: what error messages call it.

    Raises:
        ImageError: it is HEIC and pillow-heif is missing, it is HEIC and broken, or it has more
            than 160 megapixels.
    """
    if is_heic(data):
        with _one_at_a_time:
            return _from_heic(data, name)
    size = _size(data)
    if size is None or size[0] * size[1] <= MAX_PIXELS:
        return Brought(data)
    _check(size, name)
    with _one_at_a_time, _quietly():
        try:
            return _scaled(Image.open(io.BytesIO(data), formats=FORMATS))
        except Exception as error:  # Pillow's decoders raise nearly anything on hostile bytes
            raise ImageError(f"{name} is a picture that is cut off or broken ({error})") from error


def is_heic(data: bytes) -> bool:
    """Whether these are the first bytes of a HEIC file, as phones write it."""
    return data[4:8] == b"ftyp" and data[8:12] in _HEIC and b"avif" not in data[12:40]


@contextmanager
def _quietly() -> Iterator[None]:
    """Pillow warns of many pixels, which are counted here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height; None where Pillow cannot tell, or takes it for an attack."""
    try:
        with _quietly(), Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            return picture.size
    except Exception:  # Pillow's parsers raise nearly anything on hostile bytes
        return None


def _check(size: tuple[int, int], name: str) -> None:
    if size[0] * size[1] > LARGEST:
        raise ImageError(
            f"{name} has {size[0]}x{size[1]} pixels; at most {LARGEST // 1_000_000} megapixels are "
            "scaled down here, make it smaller first"
        )


def _from_heic(data: bytes, name: str) -> Brought:
    try:
        library: Any = importlib.import_module("pillow_heif")
    except ModuleNotFoundError as error:
        raise ImageError(
            f"{name} is a HEIC picture, and pillow-heif, which reads them, is not installed: "
            "pip install 'vpd-workbench[heic]', or save it as JPEG (phones: camera settings, "
            "'Most compatible')"
        ) from error
    library.register_heif_opener()
    try:
        picture = Image.open(io.BytesIO(data), formats=("HEIF",))
        _check(picture.size, name)
        if picture.width * picture.height > MAX_PIXELS:
            return _scaled(picture)
        return Brought(_jpeg(as_seen(picture, profile_of(picture))), "made JPEG, from HEIC")
    except ImageError:
        raise
    except Exception as error:  # the library's decoder raises nearly anything on hostile bytes
        raise ImageError(
            f"{name} is a HEIC picture that cannot be read: it is cut off or broken, or holds "
            "something else than one picture; save it as JPEG"
        ) from error


def _scaled(picture: Image.Image) -> Brought:
    """A picture with its longest side at `SIDE`."""
    before, profile = picture.size, profile_of(picture)
    picture.draft("RGB", (SIDE, SIDE))  # JPEG alone: it is decoded smaller
    picture.thumbnail((SIDE, SIDE))
    small = as_seen(picture, profile)
    words = f"scaled down from {before[0]}x{before[1]} to {small.width}x{small.height} pixels"
    return Brought(_jpeg(small), words)


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()
