"""`find` and `exists` by the bundled student's names, on real weights and drawn pictures."""

from __future__ import annotations

import pytest
from gallery import Gallery

from workbench.boxes import iou
from workbench.errors import InputError, ToolFailure
from workbench.models.find_by_name import vocabulary
from workbench.records import Region, ToolCall
from workbench.tools.coco_names import classes_of
from workbench.tools.regions import ExistsNamed, FindNamed


@pytest.fixture(scope="module")
def find() -> FindNamed:
    return FindNamed()


def call(patch: Region, name: str, tool: str = "find") -> ToolCall:
    return ToolCall(tool, {"patch": patch, "object_name": name})


def test_most_things_of_the_pictures_are_found_by_name(gallery: Gallery, find: FindNamed) -> None:
    hits = total = 0
    for i, scene in enumerate(gallery.scenes.values()):
        for thing in scene.objects:
            found = find([call(gallery.whole(i), thing.category)], gallery.images)[0]
            assert isinstance(found, list)
            total += 1
            hits += any(iou(region.box, thing.box) > 0.5 for region in found)
    assert hits > total / 2


def test_exists_agrees_with_find(gallery: Gallery, find: FindNamed) -> None:
    exists, names = ExistsNamed(), ["dog", "lion", "guitar", "animal", "object"]
    found = find([call(gallery.whole(0), n) for n in names], gallery.images)
    seen = exists([call(gallery.whole(0), n, "exists") for n in names], gallery.images)
    assert seen == [bool(f) for f in found]


def test_a_name_that_nobody_taught_fails_its_call_alone(gallery: Gallery, find: FindNamed) -> None:
    unknown, known = find(
        [call(gallery.whole(0), "unicorn"), call(gallery.whole(0), "object")], gallery.images
    )
    assert isinstance(unknown, ToolFailure)
    assert "does not know 'unicorn'" in str(unknown)
    assert isinstance(known, list)


def test_taught_names_join_the_wider_words() -> None:
    more = {"lion": ("animal",), "guitar": ("musical instrument",)}
    assert classes_of("lions", more) == ("lion",)
    assert classes_of("lion") is None
    assert "lion" in (classes_of("animals", more) or ())
    assert "guitar" not in (classes_of("animals", more) or ())
    assert classes_of("musical instruments", more) == ("guitar",)


def test_a_missing_table_says_how_to_make_it(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="make-models base-student"):
        vocabulary(tmp_path / "names.json")
