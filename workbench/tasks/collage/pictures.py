"""Collages: photographs of things, cut out and pasted on a drawn background, with exact labels.

>>> scene = make_scene("train", 7)
>>> picture = render(scene)             # PIL image, RGB, 640 x 480 pixels
>>> Scene.from_json(scene.to_json()) == scene
True
"""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageFilter, ImageOps

from workbench.settings import data_dir
from workbench.tasks.collage.backgrounds import background
from workbench.tasks.collage.scene import Scene, SceneObject, held_out, held_out_pairs, make_scene

__all__ = ["Scene", "SceneObject", "held_out", "held_out_pairs", "make_scene", "render"]

_SHADOW = 0.34
"""Darkness of a shadow, 0 to 1."""
_SHIFT = (5, 7)
"""Offset of a shadow to the right and down, pixels."""
_BLUR = 6
"""Radius of a shadow's blur, pixels."""


@lru_cache(maxsize=512)
def _decode(file: str) -> Image.Image:
    with Image.open(data_dir() / "collages" / "cutouts" / file) as picture:
        return picture.convert("RGBA")


def _paste(canvas: Image.Image, thing: SceneObject) -> None:
    size = (int(thing.box.width), int(thing.box.height))
    cutout = _decode(thing.cutout).resize(size, Image.Resampling.LANCZOS)
    if thing.mirrored:
        cutout = ImageOps.mirror(cutout)
    alpha = cutout.getchannel("A")
    edge = 2 * _BLUR
    shadow = Image.new("L", (size[0] + 2 * edge, size[1] + 2 * edge))
    shadow.paste(alpha, (edge, edge))
    shadow = shadow.filter(ImageFilter.BoxBlur(_BLUR)).point(lambda value: value * _SHADOW)
    x0, y0 = int(thing.box.x0), int(thing.box.y0)
    corner = (x0 - edge + _SHIFT[0], y0 - edge + _SHIFT[1])
    canvas.paste(
        (18, 18, 24), (*corner, corner[0] + shadow.width, corner[1] + shadow.height), shadow
    )
    canvas.paste(cutout, (x0, y0), alpha)


def render(scene: Scene) -> Image.Image:
    """The picture of a scene: RGB, `scene.width` x `scene.height` pixels.

    The same scene gives the same pixels.
    """
    canvas = background(scene.background).copy()
    for thing in scene.objects:
        _paste(canvas, thing)
    return canvas
