"""The record that oracle tools answer from, made of collage scenes and the catalogue's facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.tasks.catalogue import KINDS, of_kind
from workbench.tasks.knowledge import FACTS
from workbench.tasks.scene import Scene


def collage_record(scenes: Mapping[str, Scene]) -> dict[str, Any]:
    """`scenes`, `kinds` and `facts` as `tools.oracle` takes them (arguments, or a JSON file for `record`).

    `scenes` is keyed by the digest of each scene's picture.  A fact stands under both of its wordings.
    """
    facts: dict[str, list[str]] = {}
    for fact in FACTS.values():
        for wording in (fact.train[0], fact.test[0]):
            facts[wording] = sorted(fact.yes)
    return {
        "scenes": {
            digest: [{"category": thing.category, "box": list(thing.box.as_tuple())} for thing in scene.objects]
            for digest, scene in scenes.items()
        },
        "kinds": {kind: list(of_kind(kind)) for kind in KINDS},
        "facts": facts,
    }
