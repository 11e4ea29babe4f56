"""Measuring tools: tools that know the scenes are right everywhere, and others are counted as they
are.
"""

from __future__ import annotations

import pytest

from workbench.bench.tools import (
    knowledge_questions,
    match_boxes,
    measure_exists,
    measure_find,
    measure_knowledge,
)
from workbench.boxes import Box
from workbench.evaluate.wrong_reasons.exact_tools import collage_record
from workbench.images import ImageFolder
from workbench.records import Region
from workbench.tasks.collage.catalogue import CATEGORIES
from workbench.tasks.collage.pictures import make_scene
from workbench.tools.oracle import OracleExists, OracleFind, OracleKnowledge

SCENES = {f"{number:064d}": make_scene("test", number) for number in range(8)}
PICTURED = [
    (scene, Region(digest, scene.width, scene.height, Box(0, 0, scene.width, scene.height)))
    for digest, scene in SCENES.items()
]


@pytest.fixture
def images(tmp_path):
    return ImageFolder(tmp_path)


class Late(OracleFind):
    """Leaves the first thing out and sees each other one twice."""

    def __call__(self, calls, images):
        return [regions[1:] * 2 for regions in super().__call__(calls, images)]


def test_no_thing_is_counted_twice():
    box, near, far = Box(0, 0, 10, 10), Box(1, 0, 11, 10), Box(50, 50, 60, 60)
    assert match_boxes([box, near], [box]) == 1
    assert match_boxes([near, box], [box, far]) == 1
    assert match_boxes([], [box]) == 0


def test_exact_tools_are_right_everywhere(images):
    record = collage_record(SCENES)
    rows = [
        *measure_find(OracleFind(**record), "find", PICTURED, images, list(CATEGORIES)),
        *measure_exists(OracleExists(**record), PICTURED, images),
        *measure_knowledge(OracleKnowledge(**record), images, 1),
    ]
    assert [row.value for row in rows] == [100] * len(rows)


def test_what_is_missed_and_what_is_seen_twice_is_counted(images):
    tool = Late(**collage_record(SCENES))
    rows = {row.name: row for row in measure_find(tool, "find", PICTURED, images, list(CATEGORIES))}
    things = sum(len(scene.objects) for scene in SCENES.values())
    present = sum(len(scene.categories) for scene in SCENES.values())
    recall, precision = rows["find: recall"], rows["find: precision, names that are there"]
    assert recall.value == pytest.approx(100 * (things - present) / things)
    assert recall.note.startswith(f"of {things} (")
    assert precision.value == pytest.approx(50)
    assert precision.note.startswith(f"of {2 * (things - present)} (")


def test_half_of_the_statements_are_true():
    questions = knowledge_questions(2)
    assert len(dict(questions)) == len(questions)
    assert sum(true for _, true in questions) * 2 == len(questions)
