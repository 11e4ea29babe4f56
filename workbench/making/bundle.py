"""Writes the bundled collages: scenes, pictures and a balanced choice of questions.

    python -m workbench.making.bundle data/collages

The same counts give the same scenes and questions, byte for byte; the pictures depend on Pillow's
WebP encoder as well.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from workbench.records import Task
from workbench.tasks.collage.pictures import make_scene, render
from workbench.tasks.collage.questions import FAMILIES, ask, image_name
from workbench.tasks.collage.scene import SPLITS, Scene
from workbench.tasks.rows import task_to_json


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """What one split holds."""

    scenes: int
    """Number of pictures."""
    questions: int
    """Number of questions, at most 9 for each picture."""
    phrasing: str
    """`train` or `test`."""


PLANS: Mapping[str, SplitPlan] = {
    "train": SplitPlan(240, 900, "train"),
    "val": SplitPlan(40, 120, "test"),
    "test": SplitPlan(100, 400, "test"),
}
"""The bundle in the repository."""

_LARGEST = 32_000
"""Bytes that a bundled picture should not exceed."""
_ROUNDS = 6
"""How often the questions of each scene are drawn before the choice."""


def _cell(task: Task) -> str:
    """The answer, or the place of the right option: each is to be as frequent in a family."""
    if task.answer_type == "choice":
        return f"option {task.choices.index(task.answers[0])}"
    if task.answer_type == "phrase":
        form = task.meta["form"]
        return str(form.get("by") or form.get("rel") or form["op"])
    return task.answers[0]


def choose(candidates: Sequence[Sequence[Task]], total: int) -> list[Task]:
    """About `total` tasks, spread evenly over scenes, families and answers.

    Yes and no are equally frequent in a family.

    Args:
        candidates: the tasks to choose from, one sequence for each scene.
        total: how many to choose; fewer come back when the candidates run out.

    Returns:
        The tasks, grouped by scene, numbered from 0 within each.
    """
    families: Counter[str] = Counter()
    types: Counter[tuple[str, str]] = Counter()
    cells: Counter[tuple[str, str, str]] = Counter()
    chosen: list[list[Task]] = [[] for _ in candidates]

    def cost(task: Task) -> float:
        key = (task.family, task.answer_type, _cell(task))
        value = families[task.family] + 0.6 * types[key[:2]] + 0.9 * cells[key]
        if task.answer_type == "yesno":
            other = (task.family, "yesno", "no" if task.answers[0] == "yes" else "yes")
            value += 1000 * max(0, cells[key] - cells[other])
        return value

    count = 0
    while count < total:
        before = count
        for tasks, some in zip(candidates, chosen, strict=True):
            own = {task.family for task in some}
            free = [task for task in tasks if task.family not in own and cost(task) < 1000]
            if free and count < total:
                best = min(free, key=cost)
                families[best.family] += 1
                types[(best.family, best.answer_type)] += 1
                cells[(best.family, best.answer_type, _cell(best))] += 1
                some.append(best)
                count += 1
        if count == before:
            break
    return [
        replace(task, id=f"{task.id.rpartition('/')[0]}/{number}")
        for some in chosen
        for number, task in enumerate(some)
    ]


def questions(scenes: Sequence[Scene], plan: SplitPlan) -> list[Task]:
    """The bundled questions about some scenes: the same scenes and plan give the same tasks."""
    candidates = []
    for scene in scenes:
        rng = np.random.default_rng([7, SPLITS.index(scene.split), scene.seed])
        tasks = ask(scene, phrasing=plan.phrasing, rng=rng, families=FAMILIES * _ROUNDS)
        distinct = {
            json.dumps([task.meta["form"], task.answers], sort_keys=True): task for task in tasks
        }
        candidates.append(list(distinct.values()))
    return choose(candidates, plan.questions)


def _write_lines(path: Path, rows: Iterable[object]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def _webp(picture: Image.Image) -> bytes:
    """A picture as WebP: quality 82, less where that takes more than `_LARGEST` bytes."""
    data = b""
    for quality in (82, 74, 66, 58):
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=quality, method=6)
        data = file.getvalue()
        if len(data) <= _LARGEST:
            break
    return data


def write_bundle(
    folder: Path, plans: Mapping[str, SplitPlan] = PLANS, pictures: bool = True
) -> dict[str, int]:
    """Write `<split>.jsonl` (scenes), `questions.jsonl` and `images/<split>/<id>.webp`.

    Args:
        folder: where to write.
        plans: what each split holds, by its name.
        pictures: whether to write the pictures.

    Returns:
        The number of questions of each split.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tasks: list[Task] = []
    for split, plan in plans.items():
        scenes = [make_scene(split, index) for index in range(plan.scenes)]
        _write_lines(folder / f"{split}.jsonl", (scene.to_json() for scene in scenes))
        tasks += questions(scenes, plan)
        for scene in scenes if pictures else ():
            path = folder / image_name(scene)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_webp(render(scene)))
    _write_lines(folder / "questions.jsonl", (task_to_json(task) for task in tasks))
    return dict(Counter(task.split for task in tasks))


def main() -> None:
    """Read the command line and write the bundle."""
    parser = argparse.ArgumentParser(description="Writes the bundled collages.")
    parser.add_argument("folder", type=Path, help="where to write, for example data/collages")
    parser.add_argument("--no-pictures", action="store_true", help="scenes and questions only")
    arguments = parser.parse_args()
    for split, count in write_bundle(arguments.folder, pictures=not arguments.no_pictures).items():
        print(f"{split}: {PLANS[split].scenes} pictures, {count} questions")


if __name__ == "__main__":
    main()
