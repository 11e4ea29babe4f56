"""Scenes: in the frame, bounded overlap, deterministic, held-out pairs kept apart."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.tasks.collage.backgrounds import BACKGROUNDS, VARIANTS, background
from workbench.tasks.collage.catalogue import (
    CATEGORIES,
    CONFUSABLE,
    KINDS,
    cutouts,
    is_a,
    members,
    of_kind,
)
from workbench.tasks.collage.pictures import render
from workbench.tasks.collage.scene import (
    MAX_COUNT,
    MAX_COVERED,
    SPLITS,
    Scene,
    held_out,
    held_out_pairs,
    make_scene,
)

places = st.tuples(st.sampled_from(SPLITS), st.integers(0, 10**6))


@settings(max_examples=60, deadline=None)
@given(places)
def test_objects_are_in_the_frame_and_visible(place: tuple[str, int]) -> None:
    scene = make_scene(*place)
    assert 2 <= len(scene.objects) <= 7
    assert max(Counter(thing.category for thing in scene.objects).values()) <= MAX_COUNT
    for number, thing in enumerate(scene.objects):
        box = thing.box
        assert 0 <= box.x0 < box.x1 <= scene.width
        assert 0 <= box.y0 < box.y1 <= scene.height
        hidden = np.zeros((scene.height, scene.width), dtype=bool)
        for later in scene.objects[number + 1 :]:
            x0, y0, x1, y1 = (int(v) for v in later.box.as_tuple())
            hidden[y0:y1, x0:x1] = True
        x0, y0, x1, y1 = (int(v) for v in box.as_tuple())
        assert hidden[y0:y1, x0:x1].mean() == pytest.approx(thing.covered, abs=1e-4)
        assert thing.covered <= MAX_COVERED


@settings(max_examples=40, deadline=None)
@given(places)
def test_a_scene_is_made_again_and_survives_json(place: tuple[str, int]) -> None:
    scene = make_scene(*place)
    assert make_scene(*place) == scene
    assert Scene.from_json(scene.to_json()) == scene


def test_held_out_pairs_stand_together_in_test_scenes_only() -> None:
    for index in range(150):
        for split in SPLITS:
            scene = make_scene(split, index)
            held = any(held_out(a, b) for a, b in combinations(scene.categories, 2))
            assert held is (split == "test")


def test_about_fifteen_per_cent_of_the_pairs_are_held_out() -> None:
    pairs = list(combinations(CATEGORIES, 2))
    assert 0.13 < len(held_out_pairs()) / len(pairs) < 0.17
    assert held_out("dog", "cat") == held_out("cat", "dog")
    assert not any(held_out(*sorted(pair)) for pair in CONFUSABLE)


def test_confusable_categories_never_share_a_scene() -> None:
    for index in range(300):
        present = set(make_scene("train", index).categories)
        assert not any(pair <= present for pair in CONFUSABLE)


def test_a_wrong_split_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of train, val, test"):
        make_scene("training", 0)


def test_more_than_half_of_the_categories_are_coco_and_each_has_a_cutout() -> None:
    assert len(CATEGORIES) >= 44
    assert sum(category.coco for category in CATEGORIES.values()) > len(CATEGORIES) / 2
    assert all(cutouts()[name] for name in CATEGORIES)


def test_kinds_and_members_agree() -> None:
    assert is_a("tomato", "fruit") is None
    assert is_a("dog", "animal") is True
    assert is_a("car", "animal") is False
    for kind in KINDS:
        assert members(kind) == of_kind(kind)
        assert all(is_a(name, kind) for name in members(kind))
    assert members("dog") == ("dog",)
    assert len(members("object")) == len(CATEGORIES)


def test_render_draws_every_object_inside_its_box() -> None:
    scene = make_scene("val", 3)
    picture = np.asarray(render(scene), dtype=int)
    assert picture.shape == (480, 640, 3)
    empty = np.asarray(background(scene.background), dtype=int)
    for thing in scene.objects:
        x0, y0, x1, y1 = (int(v) for v in thing.box.as_tuple())
        changed = np.abs(picture - empty)[y0:y1, x0:x1].max(axis=2) > 20
        assert changed.mean() > 0.1
    assert np.array_equal(picture, np.asarray(render(scene), dtype=int))


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_each_background_is_a_full_picture(name: str) -> None:
    picture = background(f"{name}/0")
    assert picture.size == (640, 480)
    assert picture.mode == "RGB"
    assert np.asarray(picture).std() > 1


def test_an_unknown_background_is_refused() -> None:
    for name in ("lava/0", f"wall/{VARIANTS}", "wall", "wall/x"):
        with pytest.raises(ValueError, match="no background is called"):
            background(name)
