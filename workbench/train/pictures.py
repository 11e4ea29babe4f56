"""The picture of an example, or its pictures, as students take them."""

from __future__ import annotations

from workbench.images import ImageFolder
from workbench.models.conversation import RowOfSeen
from workbench.models.vlm import RowOfRegions
from workbench.snapshot import Example, Pair


def seen_of(example: Example | Pair, images: ImageFolder) -> RowOfSeen:
    """The picture of an example, decoded; all of them where it has several."""
    if not example.more_images:
        return images.open(example.image)
    return tuple(images.open(digest) for digest in example.images)


def wholes_of(example: Example | Pair, images: ImageFolder) -> RowOfRegions:
    """The region that shows all of an example's picture; one for each where it has several."""
    if not example.more_images:
        return images.whole(example.image)
    return tuple(images.whole(digest) for digest in example.images)
