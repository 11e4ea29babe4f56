"""How much of a picture a checkpoint gets to see, in the words of every family's processor.

A picture is most of a lesson: 300 positions in one family, 1,053 in another that cuts it into tiles
first.  The budget is set once, on the processor, and saved with it, so that a student is asked with
the budget that it was taught with.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from workbench.errors import InputError

_TILES: Mapping[str, Any] = {
    "do_image_splitting": False,  # Idefics, SmolVLM, LFM-VL
    "crop_to_patches": False,  # InternVL, GOT-OCR, Cohere, Ovis
    "do_pan_and_scan": False,  # Gemma 3
    "slice_mode": False,  # MiniCPM-V
}
"""Settings of the families that cut a picture into tiles, with the value that does not."""
_SOFT_TOKENS = ("max_soft_tokens", "max_image_tokens")
"""Settings of the families that bound the positions of a picture by their number."""


@dataclass(frozen=True, slots=True)
class PictureBudget:
    """How much of a picture is seen."""

    tiles: bool = True
    """Whether a family that cuts pictures into tiles may."""
    soft_tokens: int = 0
    """Largest number of positions of a picture; 0 leaves the family's own bound."""

    def apply(self, processor: Any) -> None:
        """Set the budget on a processor.

        Raises:
            InputError: the processor has no such setting, or refuses the value.
        """
        pictures = getattr(processor, "image_processor", None)
        if not self.tiles:
            _without_tiles(pictures)
        if self.soft_tokens:
            _bound_positions(pictures, self.soft_tokens)

    @property
    def words(self) -> str:
        """The budget for people; empty where it leaves everything as it is."""
        tiles = () if self.tiles else ("one tile",)
        bound = (f"at most {self.soft_tokens} positions",) if self.soft_tokens else ()
        return ", ".join((*tiles, *bound))


def _without_tiles(pictures: Any) -> None:
    for name, value in _TILES.items():
        if hasattr(pictures, name):
            setattr(pictures, name, value)
    if grid := getattr(pictures, "image_grid_pinpoints", None):  # LLaVA-NeXT, LLaVA-OneVision
        smallest = min(min(side) for side in grid)
        pictures.image_grid_pinpoints = [[smallest, smallest]]


def _bound_positions(pictures: Any, most: int) -> None:
    for name in _SOFT_TOKENS:
        if hasattr(pictures, name):
            setattr(pictures, name, most)
            lower = name.replace("max_", "min_")
            if hasattr(pictures, lower):
                setattr(pictures, lower, min(getattr(pictures, lower), most))
            return
    patch, merge = getattr(pictures, "patch_size", None), getattr(pictures, "merge_size", None)
    size: Any = getattr(pictures, "size", None)
    if isinstance(patch, int) and isinstance(merge, int) and size and size.get("longest_edge"):
        # the Qwen families name a number of pixels an edge; a position is merge x merge patches
        pixels = most * (patch * merge) ** 2
        least = min(int(size["shortest_edge"]), pixels)
        edges = {"shortest_edge": least, "longest_edge": pixels}
        if isinstance(size, dict):
            pictures.size = {**size, **edges}
        else:
            pictures.size = copy(size)
            for name, edge in edges.items():
                setattr(pictures.size, name, edge)
        return
    raise InputError(
        f"soft_tokens = {most}: the pictures of this family always take as many positions "
        f"({type(pictures).__name__} has no setting for it); set max_pixels or tiles = false"
    )
