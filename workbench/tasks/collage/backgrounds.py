"""Procedural backgrounds, each a name with the number of a variant; drawn once and kept.

A variant is drawn from its own seed, so that the same name and number give the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

VARIANTS = 8
"""How many variants each background has."""
_W, _H = 640, 480

Pixels = NDArray[np.float32]
"""`(height, width)` or `(height, width, 3)`, values on the scale 0 to 255."""


def _noise(rng: np.random.Generator, cells_x: int, cells_y: int) -> Pixels:
    """Smooth noise `(480, 640)` of about -1 to 1 with `cells_x` x `cells_y` blobs."""
    small = Image.fromarray((rng.random((cells_y, cells_x)) * 255).astype(np.uint8))
    large = small.resize((_W, _H), Image.Resampling.BICUBIC)
    return np.asarray(large, dtype=np.float32) / 127.5 - 1.0


def _colour(rng: np.random.Generator, base: tuple[int, int, int], spread: float) -> Pixels:
    """`base` shifted a little, as a whole and per channel; shape `(3,)`."""
    shift = (rng.random() - 0.5) * 2 * spread + (rng.random(3) - 0.5) * spread
    return np.clip(np.asarray(base, dtype=np.float32) + shift, 0, 255).astype(np.float32)


def _flat(colour: Pixels) -> Pixels:
    return np.broadcast_to(colour, (_H, _W, 3)).astype(np.float32)


def _blend(top: Pixels, bottom: Pixels, start: float = 0.0, end: float = 1.0) -> Pixels:
    """A vertical gradient between two colours; `start` and `end` are shares of the height."""
    t: Pixels = np.clip((np.linspace(0, 1, _H, dtype=np.float32) - start) / (end - start), 0, 1)[
        :, None, None
    ]
    return np.broadcast_to(top * (1 - t) + bottom * t, (_H, _W, 3)).astype(np.float32)


def _wall(rng: np.random.Generator) -> Pixels:
    base = ((205, 196, 182), (176, 190, 200), (196, 203, 180), (214, 190, 178))[
        int(rng.integers(4))
    ]
    colour = _colour(rng, base, 18)
    return (
        _blend(colour * 1.08, colour * 0.86)
        + (_noise(rng, 5, 4) * 5 + _noise(rng, 320, 240) * 3)[..., None]
    )


def _grass(rng: np.random.Generator) -> Pixels:
    near, far = _colour(rng, (94, 128, 58), 14), _colour(rng, (128, 152, 84), 12)
    blades = _noise(rng, 320, 90) * 17 + _noise(rng, 110, 34) * 11 + _noise(rng, 9, 7) * 9
    strength = np.linspace(0.45, 1.0, _H, dtype=np.float32)[:, None]
    return _blend(far, near) + (blades * strength)[..., None] * np.asarray(
        (1.0, 1.0, 0.6), dtype=np.float32
    )


def _meadow(rng: np.random.Generator) -> Pixels:
    horizon = int(_H * (0.16 + 0.12 * rng.random()))
    sky = _blend(
        _colour(rng, (120, 165, 214), 14), _colour(rng, (208, 224, 236), 10), 0.0, horizon / _H
    )
    sky = sky + np.clip(_noise(rng, 6, 12), 0, 1)[..., None] * 26
    ground = _grass(rng)
    hills = horizon + _noise(rng, 5, 2)[0] * 9
    t: Pixels = np.clip((np.arange(_H, dtype=np.float32)[:, None] - hills[None, :]) / 3, 0, 1)[
        ..., None
    ]
    return sky * (1 - t) + ground * t


def _sand(rng: np.random.Generator) -> Pixels:
    colour = _colour(rng, (214, 190, 146), 14)
    ripples = _noise(rng, 12, 44) * 8 + _noise(rng, 300, 220) * 8 + _noise(rng, 6, 5) * 9
    return _blend(colour * 1.06, colour * 0.92) + ripples[..., None]


def _snow(rng: np.random.Generator) -> Pixels:
    colour = _colour(rng, (226, 232, 240), 6)
    drifts = _noise(rng, 7, 9) * 9 + _noise(rng, 240, 180) * 3
    return _blend(colour * 0.97, colour * 1.01) + drifts[..., None] * np.asarray(
        (1, 0.9, 0.7), dtype=np.float32
    )


def _water(rng: np.random.Generator) -> Pixels:
    far, near = _colour(rng, (142, 184, 200), 14), _colour(rng, (52, 104, 138), 14)
    waves = _noise(rng, 36, 100) * 10 + _noise(rng, 14, 40) * 9 + _noise(rng, 120, 240) * 4
    strength = np.linspace(0.5, 1.2, _H, dtype=np.float32)[:, None]
    return _blend(far, near) + (waves * strength)[..., None]


def _sky(rng: np.random.Generator) -> Pixels:
    base = _blend(_colour(rng, (98, 148, 206), 16), _colour(rng, (196, 218, 236), 12))
    clouds: Pixels = np.clip(_noise(rng, 7, 8) * 0.7 + _noise(rng, 19, 20) * 0.4, 0, 1)[..., None]
    mixed: Pixels = base * (1 - clouds * 0.75) + np.float32(242) * clouds * 0.75
    return mixed


def _wood(rng: np.random.Generator) -> Pixels:
    base = ((172, 126, 82), (140, 98, 64), (196, 156, 112))[int(rng.integers(3))]
    boards = 4 + int(rng.integers(4))
    lines = np.linspace(0, boards, _H, endpoint=False, dtype=np.float32)
    shades = (rng.random(boards) - 0.5).astype(np.float32) * 26
    picture = _flat(_colour(rng, base, 12)) + shades[lines.astype(int)][:, None, None]
    grain = _noise(rng, 7, 200) * 12 + _noise(rng, 22, 420) * 7 + _noise(rng, 3, 40) * 7
    gaps: Pixels = np.where(lines % 1.0 < 0.022, -46.0, 0.0).astype(np.float32)[:, None]
    boarded: Pixels = picture + (grain + gaps)[..., None] * np.asarray(
        (1, 0.9, 0.75), dtype=np.float32
    )
    return boarded


def _tiles(rng: np.random.Generator) -> Pixels:
    size = 62 + int(rng.integers(50))
    colours = ((188, 200, 204), (206, 196, 184), (170, 186, 176), (196, 184, 196))
    colour = _colour(rng, colours[int(rng.integers(4))], 12)
    ys, xs = np.mgrid[0:_H, 0:_W]
    shade = (rng.random((_H // size + 1, _W // size + 1)) - 0.5).astype(np.float32) * 13
    joint: Pixels = np.where((xs % size < 3) | (ys % size < 3), -30.0, 0.0).astype(np.float32)
    tiled: Pixels = (
        _flat(colour) + (shade[ys // size, xs // size] + joint + _noise(rng, 90, 70) * 4)[..., None]
    )
    return tiled


def _bricks(rng: np.random.Generator) -> Pixels:
    base = ((158, 92, 74), (172, 138, 112), (150, 142, 136))[int(rng.integers(3))]
    tall, long = 34, 86
    ys, xs = np.mgrid[0:_H, 0:_W]
    rows = ys // tall
    shifted = xs + (rows % 2) * (long // 2)
    shade = (rng.random((_H // tall + 2, _W // long + 3)) - 0.5).astype(np.float32) * 34
    picture = (
        _flat(_colour(rng, base, 10))
        + (shade[rows, shifted // long] + _noise(rng, 200, 160) * 8)[..., None]
    )
    mortar = ((ys % tall < 4) | (shifted % long < 4))[..., None]
    return np.where(mortar, _flat(_colour(rng, (190, 184, 174), 8)), picture) * np.float32(0.96)


def _asphalt(rng: np.random.Generator) -> Pixels:
    colour = _colour(rng, (112, 114, 118), 10)
    grain = _noise(rng, 480, 360) * 13 + _noise(rng, 8, 6) * 7
    picture = _blend(colour * 1.14, colour * 0.94) + grain[..., None]
    middle = int(_H * (0.35 + 0.3 * rng.random()))
    dashes = np.zeros((_H, _W), dtype=np.float32)
    dashes[middle : middle + 9, (np.arange(_W) // 80 + int(rng.integers(2))) % 2 == 0] = 74
    return picture + dashes[..., None]


def _carpet(rng: np.random.Generator) -> Pixels:
    base = ((138, 76, 78), (84, 100, 132), (150, 132, 98), (92, 118, 104))[int(rng.integers(4))]
    weave = _noise(rng, 320, 240) * 12 + _noise(rng, 40, 30) * 5
    ys, xs = np.mgrid[0:_H, 0:_W]
    step = 50 + int(rng.integers(40))
    figure = np.where(((xs // step) + (ys // step)) % 2 == 0, 7.0, -7.0).astype(np.float32)
    return _flat(_colour(rng, base, 14)) + (weave + figure)[..., None]


_DRAWN: dict[str, Callable[[np.random.Generator], Pixels]] = {
    "wall": _wall,
    "grass": _grass,
    "meadow": _meadow,
    "sand": _sand,
    "snow": _snow,
    "water": _water,
    "sky": _sky,
    "wood": _wood,
    "tiles": _tiles,
    "bricks": _bricks,
    "asphalt": _asphalt,
    "carpet": _carpet,
}

BACKGROUNDS = tuple(_DRAWN)
"""Names of all backgrounds."""


@lru_cache(maxsize=128)
def background(name: str) -> Image.Image:
    """The background `<name>/<variant>` as RGB, 640 x 480 pixels; do not write into it.

    Raises:
        ValueError: no such background or variant.
    """
    kind, _, variant = name.partition("/")
    if kind not in _DRAWN or not variant.isdecimal() or int(variant) >= VARIANTS:
        raise ValueError(
            f"no background is called '{name}'; expected one of {', '.join(BACKGROUNDS)} "
            f"with /0 to /{VARIANTS - 1}"
        )
    pixels = _DRAWN[kind](np.random.default_rng([BACKGROUNDS.index(kind), int(variant)]))
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return picture.filter(ImageFilter.GaussianBlur(0.7))
