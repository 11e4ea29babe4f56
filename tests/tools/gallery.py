"""A few collages and their scenes by digest."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.images import ImageFolder
from workbench.records import Region
from workbench.tasks.collage.scene import Scene


@dataclass(frozen=True)
class Gallery:
    """Pictures in a folder, as tools get them."""

    images: ImageFolder
    scenes: dict[str, Scene]

    def whole(self, index: int = 0) -> Region:
        return self.images.whole(list(self.scenes)[index])

    def scene(self, index: int = 0) -> Scene:
        return self.scenes[list(self.scenes)[index]]
