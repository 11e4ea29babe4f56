"""Collage pictures in a folder by digest, as tools see them."""

from __future__ import annotations

from pathlib import Path

import pytest
from gallery import Gallery

from workbench.images import ImageFolder
from workbench.tasks.collage.pictures import make_scene, render


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    folder = tmp_path_factory.mktemp("gallery")
    images, scenes = ImageFolder(folder / "images"), {}
    for i in range(4):
        scene = make_scene("val", i)
        path = Path(folder) / f"{i}.png"
        render(scene).save(path)
        scenes[images.add(path)] = scene
    return Gallery(images, scenes)
