"""Profiles for pictures that say in few bytes which colours their numbers are.

A PNG's chunk cICP holds four code points of ITU-T H.273; browsers heed it.  Cameras mark Adobe RGB
in the EXIF (interoperability index R03, or colour space 2) and often leave the profile out.
"""

from __future__ import annotations

import struct
from functools import lru_cache

from PIL import Image

Corner = tuple[float, float, float]

_D50: Corner = (0.9642, 1.0, 0.8249)
_SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
_BT2020 = ((0.67346, 0.27903, -0.00193), (0.16566, 0.67534, 0.02998), (0.12510, 0.04563, 0.79716))
_ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
"""Red, green and blue as XYZ under D50."""

_CORNERS = {1: _SRGB, 9: _BT2020, 12: _P3}
"""Colour primaries by their code point."""
_CURVES: dict[int, tuple[float, ...]] = {
    4: (2.2,),
    8: (1.0,),
    13: (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    **dict.fromkeys((1, 6, 14, 15), (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)),
}
"""From a number to light, by the code point: a power, or one with a line below a limit."""

_MOST_CHUNKS = 1000
"""Most chunks of a PNG that are looked at in front of its pixels."""
_EXIF, _INTEROPERABILITY, _COLOUR_SPACE = 0x8769, 0xA005, 0xA001


def code_of(picture: Image.Image) -> tuple[int, int] | None:
    """Primaries and curve that a PNG's cICP names; None for any other file."""
    file = getattr(picture, "fp", None)
    if picture.format != "PNG" or file is None:
        return None
    place = file.tell()
    try:
        file.seek(8)
        for _ in range(_MOST_CHUNKS):
            head = file.read(8)
            if len(head) < 8 or head[4:] in (b"IDAT", b"IEND"):
                return None
            if head[4:] == b"cICP":
                body = file.read(4)
                return (body[0], body[1]) if len(body) == 4 else None
            file.seek(int.from_bytes(head[:4], "big") + 4, 1)
        return None
    finally:
        file.seek(place)


@lru_cache(maxsize=32)
def of_code(code: tuple[int, int]) -> bytes:
    """The profile of primaries and a curve; empty for those of other screens, as PQ and HLG."""
    corners, curve = _CORNERS.get(code[0]), _CURVES.get(code[1])
    return b"" if corners is None or curve is None else _profile(corners, _parametric(curve))


@lru_cache(maxsize=1)
def adobe_rgb() -> bytes:
    """The profile of Adobe RGB (1998)."""
    return _profile(_ADOBE, _parametric((2.19921875,)))


def is_marked_adobe(picture: Image.Image) -> bool:
    """Whether a camera has marked a JPEG as Adobe RGB."""
    if picture.format not in ("JPEG", "MPO"):
        return False
    try:
        exif = picture.getexif()
        if exif.get_ifd(_EXIF).get(_COLOUR_SPACE) == 2:
            return True
        index = exif.get_ifd(_INTEROPERABILITY).get(1)
    except Exception:  # Pillow raises nearly anything on a hostile EXIF, which then marks nothing
        return False
    return str(index or "").strip("\0 ") == "R03"


def _profile(corners: tuple[Corner, ...], curve: bytes) -> bytes:
    """A profile of three primaries and one curve."""
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 7) + b"colours" + b"\0" * 79,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": _xyz(_D50),
    }
    for letter, corner in zip("rgb", corners, strict=True):
        tags[f"{letter}XYZ".encode()] = _xyz(corner)
        tags[f"{letter}TRC".encode()] = curve
    place = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        body += b"\0" * (-len(body) % 4)
        table += struct.pack(">4sII", name, place + len(data), len(body))
        data += body
    head = struct.pack(">I4xI4s4s4s", place + len(data), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + _numbers(_D50)
    return head.ljust(128, b"\0") + table + data


def _parametric(curve: tuple[float, ...]) -> bytes:
    return b"para\0\0\0\0" + struct.pack(">HH", 3 if len(curve) > 1 else 0, 0) + _numbers(curve)


def _xyz(values: Corner) -> bytes:
    return b"XYZ \0\0\0\0" + _numbers(values)


def _numbers(values: tuple[float, ...]) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)
