"""Hub tools on tiny random checkpoints of the very classes they load, without torchvision."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_hub
import torch
from gallery import Gallery
from PIL import Image

from workbench.boxes import Box
from workbench.errors import InputError, ToolFailure
from workbench.records import Region, ToolCall
from workbench.tools.hub_detect import (
    HubClosedDetection,
    HubClosedExists,
    HubDetection,
    HubZeroShotExists,
    _square,
)
from workbench.tools.hub_images import HubDepth, HubImageText, HubSimilarity, HubTextMatch, _median

Folder = Callable[[str], str]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Makes each checkpoint once."""
    made: dict[str, str] = {}

    def folder(kind: str) -> str:
        if kind not in made:
            made[kind] = getattr(tiny_hub, kind)(Path(tmp_path_factory.mktemp(kind)))
        return made[kind]

    return folder


def call(patch: Any, name: Any, tool: str = "find") -> ToolCall:
    return ToolCall(tool, {"patch": patch, "object_name": name})


def crop(gallery: Gallery) -> Region:
    return dataclasses.replace(gallery.whole(), box=Box(100, 80, 400, 300))


@pytest.mark.parametrize("kind", ["owlv2", "grounding_dino", "mm_grounding_dino"])
@pytest.mark.parametrize("half", [False, True])
def test_zero_shot_detectors_give_patches_inside_the_crop_best_first(
    gallery: Gallery, checkpoint: Folder, kind: str, half: bool
) -> None:
    tool = HubDetection(checkpoint(kind), threshold=0.0, device="cpu", half=half)
    found = tool([call(crop(gallery), "dog")], gallery.images)[0]
    assert isinstance(found, list)
    assert found
    scores = [patch.score or 0 for patch in found]
    assert scores == sorted(scores, reverse=True)
    for patch in found:
        assert (patch.image, patch.width, patch.height, patch.label) == (
            gallery.whole().image,
            640,
            480,
            "dog",
        )
        assert 100 <= patch.box.x0 <= patch.box.x1 <= 400
        assert 80 <= patch.box.y0 <= patch.box.y1 <= 300


@pytest.mark.parametrize("kind", ["owlv2", "grounding_dino"])
def test_zero_shot_results_do_not_depend_on_the_batch(
    gallery: Gallery, checkpoint: Folder, kind: str
) -> None:
    tool = HubDetection(checkpoint(kind), threshold=0.3, device="cpu", batch_size=2)
    patches = [gallery.whole(0), crop(gallery), gallery.whole(1)]
    calls = [call(patch, name) for patch in patches for name in ("dog", "traffic light")]
    together = tool(calls, gallery.images)
    apart = [tool([c], gallery.images)[0] for c in calls]
    for a, b in zip(together, apart, strict=True):
        assert isinstance(a, list)
        assert isinstance(b, list)
        assert [p.box for p in a] == [p.box for p in b]
        assert [p.score for p in a] == pytest.approx([p.score for p in b], abs=2e-4)


def test_zero_shot_exists_follows_the_threshold(gallery: Gallery, checkpoint: Folder) -> None:
    def exists(threshold: float) -> Any:
        tool = HubZeroShotExists(checkpoint("owlv2"), threshold=threshold, device="cpu")
        return tool([call(gallery.whole(), "dog", "exists")], gallery.images)[0]

    assert exists(0.0) is True
    assert exists(1.0) is False


def test_owl_pictures_stand_in_the_upper_left_of_a_square() -> None:
    squared = _square(Image.new("RGB", (8, 4), "white"))
    assert squared.size == (8, 8)
    assert squared.getpixel((7, 3)) == (255, 255, 255)
    assert squared.getpixel((0, 4)) == (0, 0, 0)


@pytest.mark.parametrize("half", [False, True])
def test_closed_detectors_answer_for_their_own_labels(
    gallery: Gallery, checkpoint: Folder, half: bool
) -> None:
    tool = HubClosedDetection(checkpoint("yolos"), threshold=0.0, iou=1.0, device="cpu", half=half)
    names = ["cat", "Traffic lights", "tennis ball", "animal", "object", "giraffe"]
    *known, unknown = tool([call(crop(gallery), name) for name in names], gallery.images)
    found = [p for here in known if isinstance(here, list) for p in here]
    assert {p.label for p in found} <= {"cat", "traffic light", "tennis ball"}
    assert all(p.box.x0 >= 100 and p.box.x1 <= 400 for p in found)
    assert isinstance(unknown, ToolFailure)
    assert "traffic light" in str(unknown)


def test_closed_exists_is_find_with_something_found(gallery: Gallery, checkpoint: Folder) -> None:
    arguments = {"model": checkpoint("yolos"), "threshold": 0.3, "device": "cpu"}
    names = ["cat", "traffic light", "tennis ball"]
    found = HubClosedDetection(**arguments)(
        [call(gallery.whole(), n) for n in names], gallery.images
    )
    exists = HubClosedExists(**arguments)(
        [call(gallery.whole(), n, "exists") for n in names], gallery.images
    )
    assert exists == [bool(f) for f in found]


@pytest.mark.parametrize("half", [False, True])
def test_depth_is_the_median_inside_the_patch(
    gallery: Gallery, checkpoint: Folder, half: bool
) -> None:
    tool = HubDepth(checkpoint("depth_anything"), device="cpu", half=half)
    whole, part = tool(
        [ToolCall("compute_depth", {"patch": p}) for p in (gallery.whole(), crop(gallery))],
        gallery.images,
    )
    depth = tool._maps[gallery.whole().image]
    assert tuple(depth.shape) == (480, 640)
    assert whole == pytest.approx(float(depth.median()), abs=1e-4)
    assert part == pytest.approx(float(depth[80:300, 100:400].median()), abs=1e-4)


def test_larger_is_farther_whatever_the_model_gives(gallery: Gallery, checkpoint: Folder) -> None:
    points = [
        dataclasses.replace(gallery.whole(), box=Box(x, y, x + 9, y + 9))
        for x, y in ((5, 5), (300, 200))
    ]
    calls = [ToolCall("compute_depth", {"patch": p}) for p in points]
    near, far = HubDepth(checkpoint("depth_anything"), device="cpu")(calls, gallery.images)
    one, two = HubDepth(checkpoint("depth_anything"), inverse=False, device="cpu")(
        calls, gallery.images
    )
    assert (near < far) == (one > two)


def test_a_small_depth_map_is_read_at_the_patchs_share_of_the_picture() -> None:
    depth = torch.arange(8.0).reshape(1, 8).repeat(4, 1)
    left, right, point = (
        Region("", 80, 40, Box(*b)) for b in ((0, 0, 40, 40), (70, 0, 80, 40), (79, 39, 80, 40))
    )
    assert [_median(depth, region) for region in (left, right, point)] == [1.0, 7.0, 7.0]


def test_metric_depth_models_are_taken_as_they_are(gallery: Gallery, tmp_path: Path) -> None:
    assert (
        HubDepth(tiny_hub.depth_anything(tmp_path, "metric"), device="cpu").ref.arguments["inverse"]
        is False
    )


@pytest.mark.parametrize("kind", ["clip", "siglip"])
@pytest.mark.parametrize("half", [False, True])
def test_image_text_tools_agree_with_each_other(
    gallery: Gallery, checkpoint: Folder, kind: str, half: bool
) -> None:
    arguments = {"model": checkpoint(kind), "device": "cpu", "half": half}
    patches = [gallery.whole(0), crop(gallery), gallery.whole(2)]
    words = ["a dog", "a bus"]
    scores = [
        HubSimilarity(**arguments)(
            [ToolCall("similarity", {"patch": p, "text": w}) for w in words], gallery.images
        )
        for p in patches
    ]
    assert all(-1 <= s <= 1 for row in scores for s in row)
    means = [sum(row) for row in scores]
    match = HubImageText(**arguments)
    best = match(
        [ToolCall("best_image_match", {"list_patches": patches, "content": words})], gallery.images
    )[0]
    assert means[best] == pytest.approx(max(means), abs=5e-4)
    option = HubTextMatch(**arguments)(
        [ToolCall("best_text_match", {"patch": patches[0], "options": words, "prefix": None})],
        gallery.images,
    )[0]
    assert scores[0][words.index(option)] == pytest.approx(max(scores[0]), abs=5e-4)


def test_no_patches_have_no_best_match(gallery: Gallery, checkpoint: Folder) -> None:
    tool = HubImageText(checkpoint("clip"), device="cpu")
    assert tool(
        [ToolCall("best_image_match", {"list_patches": [], "content": ["dog"]})], gallery.images
    ) == [None]


@pytest.mark.parametrize(
    "arguments",
    [
        {"list_patches": "dog", "content": ["dog"]},
        {"list_patches": [1], "content": ["dog"]},
        {"list_patches": None, "content": ["dog"]},
        {"list_patches": [], "content": []},
        {"list_patches": [], "content": 5},
        {"list_patches": [], "content": ["x" * 5000]},
        {"list_patches": [None] * 500, "content": ["dog"]},
        {},
    ],
)
def test_hostile_lists_fail_their_own_call(
    gallery: Gallery, checkpoint: Folder, arguments: dict[str, Any]
) -> None:
    tool = HubImageText(checkpoint("clip"), device="cpu")
    good = {"list_patches": [gallery.whole()], "content": ["dog"]}
    bad, index = tool([ToolCall("best_image_match", a) for a in (arguments, good)], gallery.images)
    assert isinstance(bad, ToolFailure)
    assert index == 0


@pytest.mark.parametrize("name", [".", "...", "", 3, None, "x" * 1000])
def test_hostile_names_fail_their_own_call(gallery: Gallery, checkpoint: Folder, name: Any) -> None:
    tool = HubDetection(checkpoint("grounding_dino"), device="cpu")
    bad, good = tool(
        [call(gallery.whole(), name), call(gallery.whole(), "dog. cat")], gallery.images
    )
    assert isinstance(bad, ToolFailure)
    assert isinstance(good, list)


def test_a_wrong_checkpoint_is_an_input_error(tmp_path: Path, checkpoint: Folder) -> None:
    with pytest.raises(InputError, match="no model folder"):
        HubDetection(str(tmp_path / "none"))
    with pytest.raises(InputError, match="cannot load"):
        HubDepth(checkpoint("clip"))
    with pytest.raises(InputError, match="cannot load"):
        HubDetection("nobody/has-this-model")


def test_nothing_imports_torchvision() -> None:
    assert "torchvision" not in sys.modules
