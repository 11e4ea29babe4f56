"""Writes a folder of collages: scenes, pictures and a balanced choice of questions.

    python -m workbench.making.bundle data/collages
    python -m workbench.making.bundle MORE --pictures 900 --questions 2700
    python -m workbench.making.bundle MORE --pictures 900 --questions 2700 --test-pictures 400

The first command writes the bundled ones.  The second one draws new scenes of the splits train and
val, which nothing else has seen, and asks in the train wordings and in paraphrases of them.  The
third one adds a new test, asked in the test wordings as the bundled one is.  The same counts give
the same scenes and questions, byte for byte; the pictures depend on Pillow's WebP encoder as well.
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

from workbench.errors import InputError
from workbench.making.paraphrases import paraphrase
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
    first: int = 0
    """Number of the first scene."""
    paraphrased: float = 0.0
    """Share of the questions that are asked in other words than those of the phrasing."""


PLANS: Mapping[str, SplitPlan] = {
    "train": SplitPlan(240, 900, "train"),
    "val": SplitPlan(40, 120, "test"),
    "test": SplitPlan(100, 400, "test"),
}
"""The bundle in the repository."""

NEW_SCENE = 10_000_000
"""New scenes start here, in every split: far behind those of the bundle, and behind those by which
the models that come with the workbench were trained and measured.
"""
PARAPHRASED = 2 / 3
"""Share of paraphrases among new questions: each wording with two others, on average."""
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
    dice = {scene.id: np.random.default_rng([11, scene.seed]) for scene in scenes}
    return [
        _reworded(task, dice[str(task.meta["scene"])], plan.paraphrased)
        for task in choose(candidates, plan.questions)
    ]


def _reworded(task: Task, rng: np.random.Generator, share: float) -> Task:
    """A task in other words, for a share of them; its answer stays what it is."""
    if not share or rng.random() >= share:
        return task
    question, _ = paraphrase(task.meta["form"], rng, same=True)
    return replace(task, question=question, meta={**task.meta, "template": "paraphrase"})


def new_plans(
    pictures: int,
    count: int,
    val_pictures: int,
    val_count: int,
    first: int = NEW_SCENE,
    test_pictures: int = 0,
    test_count: int = 0,
) -> dict[str, SplitPlan]:
    """Plans of new questions: to learn from, others of their kind to choose by, and a test.

    Args:
        pictures: number of pictures to learn from.
        count: number of questions about them.
        val_pictures: number of held-out pictures.
        val_count: number of questions about them.
        first: number of the first scene of each split; other numbers give other scenes.
        test_pictures: number of pictures of a new test, asked in the test wordings; 0 for none.
        test_count: number of questions about them.

    Raises:
        InputError: there are too few pictures for so many questions, or the scenes are bundled.
    """
    plans = {
        "train": SplitPlan(pictures, count, "train", first, PARAPHRASED),
        "val": SplitPlan(val_pictures, val_count, "train", first, PARAPHRASED),
    }
    if test_pictures:
        plans["test"] = SplitPlan(test_pictures, test_count, "test", first)
    for split, plan in plans.items():
        if plan.scenes < 1 or not 1 <= plan.questions <= len(FAMILIES) * plan.scenes:
            raise InputError(
                f"found {plan.questions} questions on {plan.scenes} pictures of the {split} split; "
                f"expected at least 1 question and at most {len(FAMILIES)} for each picture"
            )
        if first < PLANS[split].scenes:
            raise InputError(
                f"scene {first} of the {split} split is bundled; begin at a number from "
                f"{PLANS[split].scenes} on, or leave it out ({NEW_SCENE})"
            )
    return plans


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
        scenes = [make_scene(split, plan.first + index) for index in range(plan.scenes)]
        _write_lines(folder / f"{split}.jsonl", (scene.to_json() for scene in scenes))
        tasks += questions(scenes, plan)
        for scene in scenes if pictures else ():
            path = folder / image_name(scene)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_webp(render(scene)))
    _write_lines(folder / "questions.jsonl", (task_to_json(task) for task in tasks))
    return dict(Counter(task.split for task in tasks))


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and write the folder."""
    parser = argparse.ArgumentParser(
        description="Writes the bundled collages, or with --pictures new ones to learn from."
    )
    parser.add_argument("folder", type=Path, help="where to write, for example data/collages")
    parser.add_argument("--no-pictures", action="store_true", help="scenes and questions only")
    for option, default, words in (
        ("--pictures", None, "number of new pictures to learn from"),
        ("--questions", None, "questions about them (3 for each picture)"),
        ("--val-pictures", None, "new held-out pictures (a ninth of those to learn from)"),
        ("--val-questions", None, "questions about them (3 for each picture)"),
        ("--test-pictures", 0, "new pictures of the test split (none)"),
        ("--test-questions", None, "questions about them (3 for each picture)"),
        ("--first", NEW_SCENE, f"number of the first new scene ({NEW_SCENE})"),
    ):
        parser.add_argument(option, type=int, metavar="N", default=default, help=words)
    options = parser.parse_args(arguments)
    plans = PLANS if options.pictures is None else _plans_of(options)
    for split, count in write_bundle(options.folder, plans, not options.no_pictures).items():
        print(f"{split}: {plans[split].scenes} pictures, {count} questions")


def _plans_of(options: argparse.Namespace) -> dict[str, SplitPlan]:
    def or_else(value: int | None, otherwise: int) -> int:
        return otherwise if value is None else value

    pictures = options.pictures
    held_out = or_else(options.val_pictures, max(pictures // 9, 1))
    return new_plans(
        pictures,
        or_else(options.questions, 3 * pictures),
        held_out,
        or_else(options.val_questions, 3 * held_out),
        options.first,
        options.test_pictures,
        or_else(options.test_questions, 3 * options.test_pictures),
    )


if __name__ == "__main__":
    main()
