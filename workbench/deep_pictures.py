"""Pictures of more than eight bits a value, as eight bits.

Cameras, scanners and microscopes write 10, 12 or 14 bits into 16, and TIFF files hold whole numbers
of 32 bits and floats.  Cut off or shifted blindly they become black or white.  A picture's values
are divided by the depth that they use: the smallest usual one that holds the largest value.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_DEPTHS = (8, 10, 12, 14, 16)
"""Usual numbers of bits of a value."""
_OTHER_HALF = {
    "16B": "16L",
    "16L": "16B",
    "16N": "16B" if sys.byteorder == "little" else "16L",
}
"""Pillow reads the upper byte of a 16-bit colour; under the other order it reads the lower one."""


def to_grey(picture: Image.Image) -> Image.Image:
    """A grey picture of whole numbers or floats (`I`, `I;16`, `F`) as eight bits."""
    if picture.mode == "F":
        return Image.fromarray(_floats(np.asarray(picture, dtype=np.float32)))
    return Image.fromarray(_whole(np.asarray(picture.convert("I"), dtype=np.int64)))


def _whole(values: NDArray[np.int64]) -> NDArray[np.uint8]:
    low, high = int(values.min()), int(values.max())
    for bits in _DEPTHS if low >= 0 else ():
        if high < 2**bits:
            return (values >> (bits - 8)).astype(np.uint8)
    return _stretched(values.astype(np.float64), low, high)


def _floats(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Floats are from 0 to 1, or as wide as whole numbers of a usual depth."""
    real = np.isfinite(values)
    values = np.where(real, values, 0.0)
    low, high = float(values.min()), float(values.max())
    for top in (1, *(2**bits - 1 for bits in _DEPTHS)) if low >= 0 else ():
        if high <= top:
            return _stretched(values, 0.0, top)
    return _stretched(values, low, high)


def _stretched(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    share = (values - low) * (255.0 / max(high - low, 1e-12))
    return np.rint(share).clip(0, 255).astype(np.uint8)


def is_deep(picture: Image.Image) -> bool:
    """Whether an opened file has 16 bits a colour, of which Pillow reads the upper eight."""
    return bool(_orders(picture)) and picture.mode in ("RGB", "RGBA", "LA")


def _orders(picture: Image.Image) -> list[str]:
    tiles = getattr(picture, "tile", None) or []
    names = [tile.args if isinstance(tile.args, str) else str(tile.args[0]) for tile in tiles]
    return names if names and all(n.rpartition(";")[2] in _OTHER_HALF for n in names) else []


def read_lower(picture: Image.Image) -> None:
    """Make a file that is deep, opened once more, give the lower eight bits instead."""
    tiles: Any = picture.tile  # type: ignore[attr-defined]
    other = []
    for tile, name in zip(tiles, _orders(picture), strict=True):
        bands, _, order = name.rpartition(";")
        swap = f"{bands};{_OTHER_HALF[order]}"
        args = swap if isinstance(tile.args, str) else (swap, *tile.args[1:])
        other.append(tile._replace(args=args))
    picture.tile = other  # type: ignore[attr-defined]


def uses_few_bits(upper: Image.Image) -> bool:
    """Whether the upper bytes of a deep picture show that its colours use fewer than 16 bits."""
    colours = np.asarray(upper)[..., : 1 if upper.mode == "LA" else 3]
    return int(colours.max(initial=0)) < 1 << (_DEPTHS[-2] - 8)


def joined(upper: Image.Image, lower: Image.Image) -> Image.Image:
    """A deep picture as eight bits a colour, from both of its halves."""
    values = np.asarray(upper).astype(np.int64) << 8 | np.asarray(lower)
    number = 1 if upper.mode == "LA" else 3
    bands = [_whole(values[..., :number])]
    if values.shape[-1] > number:
        bands.append(_whole(values[..., number:]))
    return Image.fromarray(np.concatenate(bands, axis=-1), upper.mode)
