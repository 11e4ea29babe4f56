"""`vpd bench tools`: how often the embedded tools are right, on the bundled collages' test split.

find       the COCO detector alone (threshold .3, COCO's names only) and the embedded profile's
           `find` (every name of the catalogue).  A box is right when it overlaps a thing of that
           name by more than half (IoU > .5), each thing once; recall is the share of things that a
           right box belongs to.  Precision is given twice: over the names that are in the picture,
           and over all names, which counts the boxes of absent names too.
exists     the profile's `exists`: each category of a scene, and as many that are not there
llm_query  the profile's knowledge tool on the catalogue's facts, half of them true, in both
           wordings
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from workbench import registry
from workbench.bench.figure import Figure, bench_parser, print_figures, share_figure
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
"""Overlap (IoU) above which a box belongs to a thing."""
Pictured = Sequence[tuple[Scene, Region]]
"""Scenes, each with the region that is its whole picture."""


def match_boxes(boxes: Sequence[Box], things: Sequence[Box]) -> int:
    """Number of things that one of the boxes (best first) belongs to; a thing counts once."""
    left = list(things)
    for box in boxes:
        best = max(left, key=lambda thing: iou(box, thing), default=None)
        if best is not None and iou(box, best) > OVERLAP:
            left.remove(best)
    return len(things) - len(left)


def measure_find(
    tool: Tool, name: str, scenes: Pictured, images: Images, names: Sequence[str]
) -> list[Figure]:
    """Measure recall, precision and right counts of a tool that finds.

    Args:
        tool: asked for each of the names in each scene.
        name: how the figures call the tool.
        scenes: what is to be found, with its pictures.
        images: opens the pictures.
        names: categories to ask for.
    """
    things = hits = boxes_of_all = boxes_of_present = present = right_counts = 0
    for scene, region in scenes:
        calls = [ToolCall("find", {"patch": region, "object_name": word}) for word in names]
        for word, answer in zip(names, tool(calls, images), strict=True):
            boxes = _boxes(answer)
            true = [thing.box for thing in scene.objects if thing.category == word]
            boxes_of_all += len(boxes)
            hits += match_boxes(boxes, true)
            if true:
                things += len(true)
                boxes_of_present += len(boxes)
                present += 1
                right_counts += len(boxes) == len(true)
    shares = {
        "recall": Share(hits, things),
        "precision, names that are there": Share(hits, boxes_of_present),
        f"precision, all {len(names)} names": Share(hits, boxes_of_all),
        "counts right, names that are there": Share(right_counts, present),
    }
    return [share_figure(f"{name}: {what}", share) for what, share in shares.items()]


def _boxes(answer: Value | ToolFailure) -> list[Box]:
    """Boxes of the regions that a tool answered; none where it failed."""
    if not isinstance(answer, list):
        return []
    return [region.box for region in answer if isinstance(region, Region)]


def measure_exists(tool: Tool, scenes: Pictured, images: Images) -> list[Figure]:
    """Measure how often `exists` is right about what is there and about what is not.

    Args:
        tool: the tool `exists`.
        scenes: what is there, with its pictures.
        images: opens the pictures.
    """
    right: dict[bool, list[bool]] = {True: [], False: []}
    for scene, region in scenes:
        absent = [
            word
            for word in CATEGORIES
            if not any(word == here or confusable(word, here) for here in scene.categories)
        ]
        rng = np.random.default_rng([13, scene.seed])
        sample = rng.choice(absent, len(scene.categories), replace=False)
        questions = [
            *((word, True) for word in scene.categories),
            *((str(word), False) for word in sample),
        ]
        calls = [
            ToolCall("exists", {"patch": region, "object_name": word}) for word, _ in questions
        ]
        for (_, there), answer in zip(questions, tool(calls, images), strict=True):
            right[there].append(answer is there)
    return [
        _right("exists: right", [*right[True], *right[False]]),
        _right("exists: right where it is there", right[True]),
        _right("exists: right where it is not", right[False]),
    ]


def knowledge_questions(each: int) -> list[tuple[str, bool]]:
    """Questions about each fact in each wording, with whether the fact holds.

    There are `each` questions about categories for which a fact holds, and as many about others.
    """
    questions = []
    for number, (name, fact) in enumerate(FACTS.items()):
        rng = np.random.default_rng([17, number])
        for wording in (fact.train[0], fact.test[0]):
            for true in (True, False):
                words = [word for word in CATEGORIES if has(name, word) is true]
                for word in rng.permutation(words)[:each]:
                    questions.append((property_question(a(str(word)), wording), true))
    return questions


def measure_knowledge(tool: Tool, images: Images, each: int) -> list[Figure]:
    """Measure how often `llm_query` is right on `knowledge_questions`.

    Args:
        tool: the tool `llm_query`.
        images: what every tool is called with; not used here.
        each: true and false questions of each fact and wording.
    """
    questions = knowledge_questions(each)
    calls = [
        ToolCall("llm_query", {"question": text, "long_answer": False}) for text, _ in questions
    ]
    answers: list[Value | ToolFailure] = []
    for at in range(0, len(calls), max(tool.batch_size, 1)):
        answers += tool(calls[at : at + max(tool.batch_size, 1)], images)
    right: dict[bool, list[bool]] = {True: [], False: []}
    for answer, (_, holds) in zip(answers, questions, strict=True):
        right[holds].append(answer == ("yes" if holds else "no"))
    return [
        _right("llm_query: right", [*right[True], *right[False]]),
        _right("llm_query: right where it holds", right[True]),
        _right("llm_query: right where it does not", right[False]),
    ]


def _right(name: str, right: Sequence[bool]) -> Figure:
    return share_figure(name, Share(sum(right), len(right)))


def bench_tools(scenes: int, each: int, folder: Path) -> list[Figure]:
    """Take all figures.

    Args:
        scenes: number of test scenes, from the first.
        each: true and false questions of each fact and wording.
        folder: pictures are copied into it.
    """
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
    """Print the figures of `bench_tools`."""
    parser = bench_parser("tools", "Measure how often the embedded tools are right.")
    parser.add_argument(
        "--scenes", type=int, default=100, help="test scenes, from the first; there are 100"
    )
    parser.add_argument(
        "--facts", type=int, default=2, help="true and false statements of each fact and wording"
    )
    options = parser.parse_args(args)
    with tempfile.TemporaryDirectory(prefix="vpd-bench-") as folder:
        print_figures(bench_tools(options.scenes, options.facts, Path(folder)), options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
