"""`find` and `exists` on the real detector."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from gallery import Gallery
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.boxes import Box, iou
from workbench.errors import ToolFailure
from workbench.models.coco import CLASSES
from workbench.records import Region, ToolCall
from workbench.tools.coco_names import classes_of
from workbench.tools.detector import CropDetector, ExistsCoco, FindCoco


@pytest.fixture(scope="module")
def find() -> FindCoco:
    return FindCoco()


def call(patch: Any, name: Any, tool: str = "find") -> ToolCall:
    return ToolCall(tool, {"patch": patch, "object_name": name})


def seen(gallery: Gallery, find: FindCoco) -> tuple[Region, list[Region]]:
    """A picture in which something is found, and what."""
    for i in range(len(gallery.scenes)):
        found = find([call(gallery.whole(i), "object")], gallery.images)[0]
        if isinstance(found, list) and found:
            return gallery.whole(i), found
    raise AssertionError("nothing found in any collage")


def test_results_are_patches_of_the_whole_picture_surest_first(
    gallery: Gallery, find: FindCoco
) -> None:
    whole, found = seen(gallery, find)
    scores = [patch.score or 0 for patch in found]
    assert scores == sorted(scores, reverse=True)
    for patch in found:
        assert (patch.image, patch.width, patch.height) == (whole.image, whole.width, whole.height)
        assert patch.label in CLASSES
        assert patch.box.as_tuple() == tuple(map(round, patch.box.as_tuple()))


def test_what_is_found_in_a_crop_lies_in_that_crop(gallery: Gallery, find: FindCoco) -> None:
    whole, found = seen(gallery, find)
    best = found[0]
    b = best.box
    crop = dataclasses.replace(
        whole,
        box=Box(max(b.x0 - 40, 0), max(b.y0 - 40, 0), min(b.x1 + 40, 640), min(b.y1 + 40, 480)),
    )
    again = find([call(crop, best.label)], gallery.images)[0]
    assert isinstance(again, list)
    assert again
    assert max(iou(p.box, best.box) for p in again) > 0.5
    assert all(crop.box.x0 <= p.box.x0 and p.box.x1 <= crop.box.x1 for p in again)


def test_a_batch_equals_one_call_at_a_time(gallery: Gallery) -> None:
    calls = [
        call(gallery.whole(i % 4), name)
        for i, name in enumerate(["dog", "vehicle", "cup", "object", "cats", "x"])
    ]
    together = FindCoco(threshold=0.31)(calls, gallery.images)
    apart = [FindCoco(threshold=0.31)([c], gallery.images)[0] for c in calls]
    assert [str(r) for r in together] == [str(r) for r in apart]


def test_each_crop_is_looked_at_once_for_all_names(gallery: Gallery) -> None:
    class Counting:
        def __init__(self) -> None:
            self.looked = 0

        def detect(self, images: Any, threshold: float = 0.3, iou: float = 0.5) -> list[list[Any]]:
            self.looked += len(images)
            return [[] for _ in images]

    counting = Counting()
    detector = CropDetector(counting, 0.3, 0.5)
    for names in ("dog", "cat"):
        detector.find(
            [
                (gallery.whole(0), (names,)),
                (gallery.whole(0), ("car",)),
                (gallery.whole(1), (names,)),
            ],
            gallery.images,
        )
    assert counting.looked == 2


def test_exists_agrees_with_find(gallery: Gallery, find: FindCoco) -> None:
    names = ["dog", "person", "vehicle", "kite"]
    found = find([call(gallery.whole(), n) for n in names], gallery.images)
    exists = ExistsCoco()([call(gallery.whole(), n, "exists") for n in names], gallery.images)
    assert exists == [bool(f) for f in found]


def test_a_wider_word_counts_a_place_once(gallery: Gallery) -> None:
    low = FindCoco(threshold=0.05)
    for i in range(4):
        found = low([call(gallery.whole(i), "animal")], gallery.images)[0]
        assert isinstance(found, list)
        assert all(iou(a.box, b.box) <= 0.5 for k, a in enumerate(found) for b in found[:k])


def test_a_name_outside_the_table_fails_alone_and_says_what_can_be_found(
    gallery: Gallery, find: FindCoco
) -> None:
    good, bad = find(
        [call(gallery.whole(), "dog"), call(gallery.whole(), "unicorn")], gallery.images
    )
    assert isinstance(good, list)
    assert isinstance(bad, ToolFailure)
    assert "unicorn" in str(bad)
    assert "80 classes" in str(bad)
    assert "animal" in str(bad)


@pytest.mark.parametrize(
    ("patch", "name", "reason"),
    [
        ("whole", 7, "needs text"),
        ("whole", None, "needs text"),
        ("whole", "", "empty"),
        ("whole", " \n\t", "empty"),
        ("whole", "d" * 10_000, "characters"),
        ("whole", ["dog"], "found list"),
        (None, "dog", "ImagePatch"),
        ("text", "dog", "ImagePatch"),
        ("empty", "dog", "no area"),
        ("outside", "dog", "no area"),
        ("unknown", "dog", "import"),
    ],
)
def test_hostile_arguments_fail_their_own_call(
    gallery: Gallery, find: FindCoco, patch: Any, name: Any, reason: str
) -> None:
    whole = gallery.whole()
    patches = {
        "whole": whole,
        "empty": dataclasses.replace(whole, box=Box(5, 5, 5, 9)),
        "outside": dataclasses.replace(whole, box=Box(900, 0, 950, 10)),
        "unknown": dataclasses.replace(whole, image="0" * 64),
    }
    results = find([call(patches.get(patch, patch), name), call(whole, "dog")], gallery.images)
    assert isinstance(results[0], ToolFailure)
    assert reason in str(results[0])
    assert isinstance(results[1], list)


@pytest.mark.parametrize(
    ("word", "classes"),
    [
        ("dogs", ("dog",)),
        ("The Automobile", ("car",)),
        ("people", ("person",)),
        ("men", ("person",)),
        ("buses", ("bus",)),
        ("planes", ("airplane",)),
        ("motorbikes", ("motorcycle",)),
        ("ball", ("sports ball",)),
        ("fruit", ("banana", "apple", "orange")),
        ("pairs of scissors", ("scissors",)),
        ("teddy bears", ("teddy bear",)),
        ("things", CLASSES),
        ("lion", None),
        ("", None),
    ],
)
def test_words_stand_for_classes(word: str, classes: tuple[str, ...] | None) -> None:
    assert classes_of(word) == classes


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_name_or_unknown(word: str) -> None:
    names = classes_of(word)
    assert names is None or set(names) <= set(CLASSES)
