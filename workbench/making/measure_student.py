"""How well a student sees, and how well it reasons: figures for the log and the model card.

    python -m workbench.making.measure_student --checkpoint bundled --scenes 60 --questions 400

Perception is measured on drawn scenes of the test split (whose pairs of categories never occur in
training): naming and listing as precision and recall over things (a listed box counts at IoU > .5
with the right name), locating and naming at a box as accuracy.  Reasoning is the bundled test
questions, per family, with Wilson intervals.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from workbench.boxes import Box, iou
from workbench.boxes_in_text import boxes_in, without_boxes
from workbench.images import ImageFolder
from workbench.models.student import TransformersStudent
from workbench.models.vlm import Vlm
from workbench.prompts import LABEL_SUFFIX, question_text
from workbench.records import Region, Task
from workbench.shares import wilson
from workbench.tasks.bundled import Collages
from workbench.tasks.collage.perception import FAMILIES, perceive
from workbench.tasks.collage.pictures import make_scene, render
from workbench.tasks.collage.scene import Scene
from workbench.verify.answers import RIGHT, score

FIRST_SCENE = 500_000
"""Number of the first scene; the bundled ones have lower numbers."""


def _boxes(text: str, scene: Scene) -> list[Box]:
    return [box.pixels(scene.width, scene.height) for box in boxes_in(text)]


def _things(text: str, scene: Scene) -> list[tuple[str, Box | None]]:
    out: list[tuple[str, Box | None]] = []
    for part in text.split(", "):
        boxes = _boxes(part, scene)
        out.append((without_boxes(part).strip(), boxes[0] if boxes else None))
    return out


def perception(scene: Scene, task: Task, answer: str, tally: Counter[str]) -> None:
    """Add one answer to a tally of hits and tries.

    Args:
        scene: what is there.
        task: a question of perception about it.
        answer: of the student.
        tally: counts with keys such as `list recall/hit` and `list recall/of`.
    """
    if task.family == "name":
        words = Counter(answer.split(", "))
        true = Counter(thing.category for thing in scene.objects)
        _add_both(tally, "name", (words & true).total(), words.total(), true.total())
    elif task.family == "list":
        things = _things(answer, scene)
        hits = _match_count(things, scene)
        _add_both(tally, "list", hits, len(things), len(scene.objects))
    elif task.family == "locate":
        true_boxes = _boxes(task.answers[0], scene)
        boxes = _boxes(answer, scene)
        hits = sum(any(iou(true_box, box) > 0.5 for box in boxes) for true_box in true_boxes)
        _add(tally, "locate", hits, len(true_boxes))
    else:
        _add(tally, task.family, answer == task.answers[0], 1)


def _add(tally: Counter[str], name: str, hits: int, of: int) -> None:
    tally[f"{name}/hit"] += hits
    tally[f"{name}/of"] += of


def _add_both(tally: Counter[str], name: str, hits: int, answers: int, things: int) -> None:
    _add(tally, f"{name} precision", hits, answers)
    _add(tally, f"{name} recall", hits, things)


def _match_count(things: Sequence[tuple[str, Box | None]], scene: Scene) -> int:
    """Number of the scene's objects that a list names at their place; each counts once."""
    left = list(scene.objects)
    for name, box in things:
        match = next(
            (t for t in left if box and t.category == name and iou(t.box, box) > 0.5), None
        )
        if match is not None:
            left.remove(match)
    return len(scene.objects) - len(left)


def measure(checkpoint: str, scenes: int, questions: int, folder: Path) -> dict[str, object]:
    """Take all figures, as plain values for JSON.

    Args:
        checkpoint: the student, `bundled` or a folder.
        scenes: number of drawn scenes.
        questions: number of bundled test questions.
        folder: pictures are drawn into it.
    """
    vlm = Vlm.load(checkpoint)
    images = ImageFolder(folder)
    tally: Counter[str] = Counter()
    rows: list[tuple[Scene, Task, Region]] = []
    for index in range(scenes):
        scene = make_scene("test", FIRST_SCENE + index)
        path = folder / f"{scene.id}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        render(scene).save(path)
        region = images.whole(images.add(path))
        path.unlink()
        rng = np.random.default_rng([11, index])
        rows += [(scene, task, region) for task in perceive(scene, rng=rng, families=FAMILIES)]
    for family in FAMILIES:
        part = [row for row in rows if row[1].family == family]
        limit = 200 if family == "list" else 60
        prompts = [task.question + LABEL_SUFFIX for _, task, _ in part]
        answers = vlm.generate([region for _, _, region in part], prompts, images, limit)
        for (scene, task, _), answer in zip(part, answers, strict=True):
            perception(scene, task, answer, tally)
    shares = {k[:-4]: [tally[k], tally[k[:-4] + "/of"]] for k in tally if k.endswith("/hit")}
    return {"perception": shares, **_families(checkpoint, images, questions)}


def _families(checkpoint: str, images: ImageFolder, limit: int) -> dict[str, object]:
    source = Collages()
    tasks = list(source.tasks("test"))[:limit]
    questions = [replace(t, image=images.add(source.image_path(t))) for t in tasks]
    student = TransformersStudent(checkpoint)
    started = time.perf_counter()
    answers = student.answer(questions, images)
    seconds = time.perf_counter() - started
    hits: dict[str, list[bool]] = defaultdict(list)
    for task, prediction in zip(questions, answers, strict=True):
        right = score(task, prediction.answer).score >= RIGHT
        hits[task.family].append(right)
        hits["all"].append(right)
    figures = {}
    for family, values in sorted(hits.items()):
        low, high = wilson(sum(values), len(values))
        figures[family] = [sum(values), len(values), round(low, 3), round(high, 3)]
    samples: Sequence[object] = [
        [t.question, question_text(t)[len(t.question) :], t.answers[0], p.answer]
        for t, p in list(zip(questions, answers, strict=True))[:50]
    ]
    return {
        "families": figures,
        "seconds_per_question": round(seconds / max(len(questions), 1), 3),
        "samples": samples,
    }


def main(args: list[str] | None = None) -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="bundled")
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument(
        "--images", type=Path, required=True, help="a folder for the pictures drawn"
    )
    options = parser.parse_args(args)
    print(
        json.dumps(
            measure(options.checkpoint, options.scenes, options.questions, options.images), indent=1
        )
    )


if __name__ == "__main__":
    main()
