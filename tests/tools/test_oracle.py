"""Oracle tools answer exactly what the scene record says."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from gallery import Gallery

from workbench.errors import InputError, ToolFailure
from workbench.evaluate.wrong_reasons.exact_tools import collage_record
from workbench.records import Region, ToolCall
from workbench.tasks.collage.catalogue import CATEGORIES, members
from workbench.tasks.collage.knowledge import FACTS, has
from workbench.tools.oracle import (
    OracleCaption,
    OracleExists,
    OracleFind,
    OracleKnowledge,
    OracleProperty,
    OracleQuestions,
    OracleTextMatch,
    Record,
)


@pytest.fixture(scope="module")
def record(gallery: Gallery) -> dict[str, Any]:
    return collage_record(gallery.scenes)


def ask(tool: Any, gallery: Gallery, **arguments: Any) -> Any:
    return tool([ToolCall(tool.spec.name, arguments)], gallery.images)[0]


def test_find_gives_every_object_with_its_exact_box(
    gallery: Gallery, record: dict[str, Any]
) -> None:
    tool = OracleFind(**record)
    for i in range(4):
        scene = gallery.scene(i)
        for name in [*sorted({o.category for o in scene.objects}), "animal", "vehicle", "object"]:
            found = ask(tool, gallery, patch=gallery.whole(i), object_name=name)
            exact = sorted(o.box for o in scene.objects if o.category in members(name))
            assert sorted(p.box for p in found) == exact


def test_find_on_a_crop_gives_what_has_its_centre_there(
    gallery: Gallery, record: dict[str, Any]
) -> None:
    thing = gallery.scene().objects[0]
    crop = dataclasses.replace(gallery.whole(), box=thing.box)
    found = ask(OracleFind(**record), gallery, patch=crop, object_name=thing.category)
    assert thing.box in [p.box for p in found]


def test_exists_is_find(gallery: Gallery, record: dict[str, Any]) -> None:
    present = {o.category for o in gallery.scene().objects}
    tool = OracleExists(**record)
    for name in CATEGORIES:
        assert ask(tool, gallery, patch=gallery.whole(), object_name=name) == (name in present)


def test_questions_about_a_patch_and_the_whole(gallery: Gallery, record: dict[str, Any]) -> None:
    tool, scene = OracleQuestions(**record), gallery.scene()
    thing = scene.objects[-1]
    crop = dataclasses.replace(gallery.whole(), box=thing.box)
    assert ask(tool, gallery, patch=crop, question="What is this?") == thing.category
    assert ask(tool, gallery, patch=crop, question=f"Is this a {thing.category}?") == "yes"
    count = sum(o.category == thing.category for o in scene.objects)
    assert ask(
        tool, gallery, patch=gallery.whole(), question=f"How many {thing.category}s are there?"
    ) == str(count)
    assert (
        ask(
            tool,
            gallery,
            patch=gallery.whole(),
            question=f"Is there a {thing.category} in the picture?",
        )
        == "yes"
    )
    assert ask(tool, gallery, patch=gallery.whole(), question="Is there a piano?") == "no"
    assert isinstance(ask(tool, gallery, patch=crop, question="Why is it there?"), ToolFailure)


@pytest.mark.parametrize("fact", sorted(FACTS))
def test_knowledge_agrees_with_the_facts_in_both_wordings(
    gallery: Gallery, record: dict[str, Any], fact: str
) -> None:
    tool = OracleKnowledge(**record)
    for category in (
        "bird",
        "apple",
        "guitar",
        "cell phone",
        "sports ball",
        "bus",
        "teddy bear",
        "saw",
        "fish",
    ):
        truth = has(fact, category)
        for wording in (FACTS[fact].train[0], FACTS[fact].test[0]):
            said = ask(
                tool, gallery, question=f"Is it true that a {category} {wording}? Answer yes or no."
            )
            if truth is not None:
                assert said == ("yes" if truth else "no"), (category, wording)


def test_knowledge_answers_direct_questions(gallery: Gallery, record: dict[str, Any]) -> None:
    tool = OracleKnowledge(**record)
    assert ask(tool, gallery, question="Can a bird fly?") == "yes"
    assert ask(tool, gallery, question="Is a banana a fruit?") == "yes"
    assert ask(tool, gallery, question="Is a car a fruit? Answer yes or no.") == "no"
    assert isinstance(ask(tool, gallery, question="Who made it?"), ToolFailure)


def test_properties_are_kinds_and_facts(gallery: Gallery, record: dict[str, Any]) -> None:
    tool = OracleProperty(**record)
    thing = gallery.scene().objects[-1]
    crop = dataclasses.replace(gallery.whole(), box=thing.box)
    kind = (CATEGORIES[thing.category].kinds or (thing.category,))[0]
    assert ask(tool, gallery, patch=crop, object_name=thing.category, attribute=kind) is True
    assert ask(
        tool, gallery, patch=crop, object_name=thing.category, attribute="musical instrument"
    ) is ("musical instrument" in CATEGORIES[thing.category].kinds)
    failure = ask(tool, gallery, patch=crop, object_name=thing.category, attribute="nostalgic")
    assert isinstance(failure, ToolFailure)


def test_text_match_and_caption_name_what_is_there(
    gallery: Gallery, record: dict[str, Any]
) -> None:
    thing = gallery.scene().objects[-1]
    crop = dataclasses.replace(gallery.whole(), box=thing.box)
    options = ["piano", thing.category, "spaceship"]
    assert (
        ask(OracleTextMatch(**record), gallery, patch=crop, options=options, prefix=None)
        == thing.category
    )
    assert thing.category in ask(OracleCaption(**record), gallery, patch=gallery.whole())


def test_a_picture_without_a_record_fails(gallery: Gallery) -> None:
    failure = ask(OracleFind(scenes={}), gallery, patch=gallery.whole(), object_name="dog")
    assert isinstance(failure, ToolFailure)


def test_a_record_can_be_a_file(gallery: Gallery, record: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record))
    tool = OracleFind(record=str(path))
    assert tool.ref == OracleFind(**record).ref
    found: list[Region] = ask(tool, gallery, patch=gallery.whole(), object_name="object")
    assert len(found) == len(gallery.scene().objects)


def test_malformed_records_say_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="category"):
        Record({"a": [{"box": [0, 0, 1, 1]}]})
    path = tmp_path / "bad.json"
    path.write_text("[]")
    with pytest.raises(InputError, match="scenes"):
        Record.read(path)
