"""The embedded detector on drawn collages and a photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.errors import InputError
from workbench.models.coco import CLASSES, COCO
from workbench.models.detector import SSDLite, bundled_detector, pool, suppress
from workbench.settings import data_dir
from workbench.tasks.collage.pictures import make_scene, render


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    return [render(make_scene("val", i)) for i in range(4)]


def test_class_names_are_the_80_of_coco() -> None:
    assert len(CLASSES) == len(set(CLASSES)) == 80
    assert COCO[1] == "person"
    assert COCO[90] == "toothbrush"


def test_finds_most_coco_objects_of_collages_where_they_are() -> None:
    hits = total = 0
    for i in range(12):
        scene = make_scene("val", i)
        found = bundled_detector().detect([render(scene)])[0]
        for thing in scene.objects:
            if thing.category in CLASSES and thing.covered < 0.1:
                total += 1
                near = [
                    d
                    for d in found
                    if d.label == thing.category
                    and abs(d.box.center[0] - thing.box.center[0]) < thing.box.width / 4
                    and abs(d.box.center[1] - thing.box.center[1]) < thing.box.height / 4
                ]
                hits += bool(near)
    assert total > 20
    assert 0.4 < hits / total < 1.0


def test_boxes_are_pixels_inside_the_picture_and_best_first(pictures: list[Image.Image]) -> None:
    for picture, found in zip(
        pictures, bundled_detector().detect(pictures, threshold=0.1), strict=True
    ):
        assert found
        assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)
        for d in found:
            assert 0 <= d.box.x0 <= d.box.x1 <= picture.width
            assert 0 <= d.box.y0 <= d.box.y1 <= picture.height


def test_a_higher_threshold_keeps_a_part_of_a_lower_ones_detections(
    pictures: list[Image.Image],
) -> None:
    low, high = (
        bundled_detector().detect(pictures, threshold=0.2),
        bundled_detector().detect(pictures, threshold=0.6),
    )
    assert sum(map(len, high)) < sum(map(len, low))
    for few, many in zip(high, low, strict=True):
        assert set(few) <= set(many)


def test_only_the_classes_asked_for_are_looked_for(pictures: list[Image.Image]) -> None:
    found = [
        d
        for here in bundled_detector().detect(pictures, threshold=0.05, classes={"dog"})
        for d in here
    ]
    assert {d.label for d in found} <= {"dog"}


def test_batching_changes_nothing(pictures: list[Image.Image]) -> None:
    together = bundled_detector().regions(pictures)
    for i, picture in enumerate(pictures):
        alone = bundled_detector().regions([picture])
        for name in ("boxes", "scores", "features", "objectness", "mask", "whole"):
            assert np.array_equal(getattr(together, name)[i], getattr(alone, name)[0]), name


def test_regions_have_fixed_shapes_and_an_honest_mask(pictures: list[Image.Image]) -> None:
    blank = Image.new("RGB", (50, 40), "white")
    r = bundled_detector().regions([*pictures, blank], count=10)
    assert r.boxes.shape == (5, 10, 4)
    assert r.scores.shape == (5, 10, 80)
    assert r.features.shape == (5, 10, 576)
    assert r.whole.shape == (5, 1280)
    assert r.mask[:4, 0].all()
    assert not r.features[~r.mask].any()
    assert (r.objectness[r.mask] >= 0.05).all()
    assert (np.diff(np.where(r.mask, r.objectness, 0), axis=1) <= 0).all()


def test_pooling_averages_the_covered_cells() -> None:
    cells = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    boxes = np.array(
        [[0, 0, 1, 1], [0.25, 0, 0.5, 0.25], [0, 0, 0.375, 0.25], [1, 1, 1, 1]], np.float32
    )
    assert pool(cells, boxes)[:, 0] == pytest.approx([7.5, 1.0, 1 / 3, 15.0], rel=1e-3)


def test_suppression_keeps_the_best_of_overlapping_boxes() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]], np.float32)
    assert suppress(boxes, np.array([0.5, 0.9, 0.1]), 0.5).tolist() == [1, 2]
    assert suppress(boxes[:0], np.array([]), 0.5).tolist() == []


def test_one_pixel_and_very_long_pictures_are_taken() -> None:
    found = bundled_detector().detect(
        [Image.new("RGB", (1, 1)), Image.new("RGB", (4000, 3)), Image.new("L", (9, 9))]
    )
    assert len(found) == 3


def test_a_missing_or_foreign_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="convert_detector"):
        SSDLite(tmp_path / "none.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes((data_dir() / "models" / "detector" / "README.md").read_bytes())
    with pytest.raises(InputError, match="onnxruntime"):
        SSDLite(broken)
