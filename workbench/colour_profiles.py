"""Pictures in other colours than sRGB, as sRGB.

Phones write Display P3, cameras Adobe RGB, printers CMYK, each with a profile that says what its
numbers mean.  Browsers heed the profile and models are given numbers, so the numbers are those of
sRGB: what a model sees is what people are shown.  A PNG may say it in four bytes instead (cICP)
and a camera by a mark in the EXIF; `colour_marks` reads those and has profiles that say the same.
"""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms

from workbench import colour_marks

_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
"""Modes whose numbers a profile can explain, each with the profile's name for it."""
_STEPS = range(0, 256, 15)
"""Values of each colour with which a profile is tried."""
_SAME = 3
"""Largest difference, of 255, that is rounding; other people's sRGB profiles stay below it."""
_SRGB_GAMMA = 0.45455
_SRGB_CORNERS = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
"""What a PNG says of sRGB where it has no profile: white, red, green and blue."""


def profile_of(picture: Image.Image) -> bytes:
    """The profile that an opened file brings along or names; empty where it does neither.

    Call it before a pixel is read.
    """
    if (code := colour_marks.code_of(picture)) is not None:  # PNG puts it above a profile
        return colour_marks.of_code(code)
    profile = picture.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        return profile
    return colour_marks.adobe_rgb() if colour_marks.is_marked_adobe(picture) else b""


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """A picture with the numbers of sRGB and without a profile.

    A picture whose profile is broken, of another kind than its numbers, or sRGB's own keeps its
    numbers.  A transparent one stays transparent.

    Args:
        picture: The picture, its pixels read.
        profile: Its profile.
    """
    picture.info.pop("icc_profile", None)  # Pillow would write it into copies
    if not profile:
        return picture
    if picture.has_transparency_data and picture.mode != "RGBA":
        picture = picture.convert("LA" if picture.mode in ("L", "LA") else "RGBA")
    if picture.mode in ("RGBA", "LA"):
        *bands, alpha = picture.split()
        plain = Image.merge("RGB", bands) if len(bands) == 3 else bands[0]
        colours = to_srgb(plain, profile)
        if colours is plain:
            return picture
        colours.putalpha(alpha)
        return colours
    if picture.mode == "P":
        colours = picture.convert("RGB")
        converted = to_srgb(colours, profile)
        return picture if converted is colours else converted
    transform = _transform(profile, picture.mode)
    return picture if transform is None else _applied(transform, picture)


def changes_nothing(picture: Image.Image) -> bool:
    """Whether an opened file's numbers are those of sRGB to everybody who reads it.

    They are not where it has a profile of another kind, which some programs heed and some do not,
    or where a PNG names another gamma or other corners of its colours.
    """
    profile = profile_of(picture)
    if not profile and colour_marks.code_of(picture) is not None:
        return False  # of a screen that shows more light than sRGB knows
    if profile:
        mode = "RGB" if picture.mode == "P" else picture.mode
        return _space(profile) == _SPACES.get(mode) and _transform(profile, mode) is None
    if "srgb" in picture.info:
        return True
    gamma = picture.info.get("gamma", _SRGB_GAMMA)
    corners = picture.info.get("chromaticity", _SRGB_CORNERS)
    return abs(gamma - _SRGB_GAMMA) < 1e-3 and all(
        abs(one - other) < 2e-3 for one, other in zip(corners, _SRGB_CORNERS, strict=False)
    )


def _space(profile: bytes) -> str | None:
    """A profile's name for what its numbers are; None where it cannot be read."""
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
    except (OSError, ImageCms.PyCMSError):
        return None


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from a profile's numbers to those of sRGB; None where there is none to go."""
    if mode not in _SPACES or _space(profile) != _SPACES[mode]:
        return None
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
        )
        return None if _is_srgb(transform, mode) else transform
    except (OSError, ValueError, ImageCms.PyCMSError):
        return None


def _is_srgb(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode == "CMYK":
        return False
    tried = (
        [(v, v, v) for v in range(256)]
        if mode == "L"
        else [(r, g, b) for r in _STEPS for g in _STEPS for b in _STEPS]
    )
    before = Image.new("RGB", (len(tried), 1))
    before.putdata(tried)
    after = _applied(transform, before.convert(mode)).tobytes()
    return max(abs(a - b) for a, b in zip(before.tobytes(), after, strict=True)) <= _SAME


def _applied(transform: ImageCms.ImageCmsTransform, picture: Image.Image) -> Image.Image:
    converted = Image.new("RGB", picture.size)
    transform.apply(picture, converted)
    converted.info.pop("icc_profile", None)  # of sRGB, which needs none
    return converted
