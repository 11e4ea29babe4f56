"""`vpd bench tools`: how right the embedded tools are, on the bundled collages' test split with its
exact labels.

find       the COCO detector alone (threshold .3, COCO's names only) and the embedded profile's `find` (every name of
           the catalogue).  A box is right when it overlaps a thing of that name by more than half (IoU > .5), each
           thing once, and recall is the share of things so found.  Precision is given twice: over the names that are in
           the picture, and over all names, which counts what is seen in absent ones too.
exists     the profile's `exists`: each category of a scene, and as many that are not there
llm_query  the profile's knowledge tool on the catalogue's facts, half of them true, in both wordings
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from workbench import registry
from workbench.boxes import Box, iou
from workbench.english import a
from workbench.errors import ToolFailure
from workbench.images import ImageFolder
from workbench.ports import Images, Tool
from workbench.records import Region, ToolCall, Value
from workbench.settings import find_profile, read_profile
from workbench.shares import Share
from workbench.tasks.bundled import Collages
from workbench.tasks.collage.catalogue import CATEGORIES, confusable
from workbench.tasks.collage.knowledge import FACTS, has
from workbench.tasks.collage.scene import Scene
from workbench.tools.yesno import property_question

OVERLAP = 0.5
Row = tuple[str, Share]
Pictured = Sequence[tuple[Scene, Region]]


def match_boxes(found: Sequence[Box], things: Sequence[Box]) -> int:
    """How many of the boxes found (best first) are things; no thing is counted twice."""
    left = list(things)
    for box in found:
        best = max(left, key=lambda thing: iou(box, thing), default=None)
        if best is not None and iou(box, best) > OVERLAP:
            left.remove(best)
    return len(things) - len(left)


def measure_find(
    tool: Tool, name: str, scenes: Pictured, images: Images, names: Sequence[str]
) -> list[Row]:
    """Recall, precision and right counts of a tool that finds, asked for each of the names in each
    scene.
    """
    things = hits = shown = shown_there = present = counts = 0
    for scene, region in scenes:
        calls = [ToolCall("find", {"patch": region, "object_name": word}) for word in names]
        for word, found in zip(names, tool(calls, images), strict=True):
            boxes = (
                [r.box for r in found if isinstance(r, Region)] if isinstance(found, list) else []
            )
            true = [thing.box for thing in scene.objects if thing.category == word]
            shown += len(boxes)
            hits += match_boxes(boxes, true)
            if true:
                things, shown_there = things + len(true), shown_there + len(boxes)
                present, counts = present + 1, counts + (len(boxes) == len(true))
    return [
        (f"{name}: recall", Share(hits, things)),
        (f"{name}: precision, names that are there", Share(hits, shown_there)),
        (f"{name}: precision, all {len(names)} names", Share(hits, shown)),
        (f"{name}: counts right, names that are there", Share(counts, present)),
    ]


def measure_exists(tool: Tool, scenes: Pictured, images: Images) -> list[Row]:
    """Accuracy of `exists` on what is there and what is not."""
    right: dict[bool, list[bool]] = {True: [], False: []}
    for scene, region in scenes:
        absent = [
            word
            for word in CATEGORIES
            if not any(word == here or confusable(word, here) for here in scene.categories)
        ]
        chosen = np.random.default_rng([13, scene.seed]).choice(
            absent, len(scene.categories), replace=False
        )
        asked = [
            *((word, True) for word in scene.categories),
            *((str(word), False) for word in chosen),
        ]
        calls = [ToolCall("exists", {"patch": region, "object_name": word}) for word, _ in asked]
        for (_, there), said in zip(asked, tool(calls, images), strict=True):
            right[there].append(said is there)
    return [
        ("exists: right", _share([*right[True], *right[False]])),
        ("exists: right where it is there", _share(right[True])),
        ("exists: right where it is not", _share(right[False])),
    ]


def knowledge_questions(each: int) -> list[tuple[str, bool]]:
    """Of each fact and wording, `each` questions about categories for which it holds and `each` for
    which not.
    """
    asked = []
    for number, (name, fact) in enumerate(FACTS.items()):
        rng = np.random.default_rng([17, number])
        for wording in (fact.train[0], fact.test[0]):
            for true in (True, False):
                known = [word for word in CATEGORIES if has(name, word) is true]
                for word in rng.permutation(known)[:each]:
                    asked.append((property_question(a(str(word)), wording), true))
    return asked


def measure_knowledge(tool: Tool, images: Images, each: int) -> list[Row]:
    """Accuracy of `llm_query` on `knowledge_questions`."""
    asked = knowledge_questions(each)
    calls = [
        ToolCall("llm_query", {"question": question, "long_answer": False}) for question, _ in asked
    ]
    said: list[Value | ToolFailure] = []
    for at in range(0, len(calls), max(tool.batch_size, 1)):
        said += tool(calls[at : at + max(tool.batch_size, 1)], images)
    right = [
        answer == ("yes" if true else "no") for answer, (_, true) in zip(said, asked, strict=True)
    ]
    parts = {
        true: [ok for ok, (_, wanted) in zip(right, asked, strict=True) if wanted is true]
        for true in (True, False)
    }
    return [
        ("llm_query: right", _share(right)),
        ("llm_query: right where it holds", _share(parts[True])),
        ("llm_query: right where it does not", _share(parts[False])),
    ]


def _share(values: Sequence[bool]) -> Share:
    return Share(sum(values), len(values))


def bench_tools(scenes: int, each: int, folder: Path) -> list[Row]:
    """All figures; pictures are copied into `folder`."""
    source, images = Collages(), ImageFolder(folder)
    pictured = []
    for scene in list(source.scenes("test"))[:scenes]:
        digest = images.add(source.root / "images" / scene.split / f"{scene.id}.webp")
        pictured.append((scene, images.whole(digest)))
    choices = read_profile(find_profile("embedded")).tools
    tools = {
        name: registry.build("tool", choices[name].part, **choices[name].arguments)
        for name in ("find", "exists", "llm_query")
    }
    coco = [name for name, category in CATEGORIES.items() if category.coco]
    detector = registry.build("tool", "ssdlite-coco", threshold=0.3)
    return [
        *measure_find(detector, "ssdlite-coco", pictured, images, coco),
        *measure_find(tools["find"], choices["find"].part, pictured, images, list(CATEGORIES)),
        *measure_exists(tools["exists"], pictured, images),
        *measure_knowledge(tools["llm_query"], images, each),
    ]


def main(args: list[str]) -> None:
    """Print the table of `bench_tools`."""
    parser = argparse.ArgumentParser(
        prog="vpd bench tools", description="Measure how right the embedded tools are."
    )
    parser.add_argument(
        "--scenes", type=int, default=100, help="test scenes, from the first; there are 100"
    )
    parser.add_argument(
        "--facts", type=int, default=2, help="true and false statements of each fact and wording"
    )
    given = parser.parse_args(args)
    with tempfile.TemporaryDirectory(prefix="vpd-bench-") as folder:
        for name, share in bench_tools(given.scenes, given.facts, Path(folder)):
            print(f"{name:<56}{share}")


if __name__ == "__main__":
    main(sys.argv[1:])
