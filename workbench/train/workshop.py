"""What the loop lends a transform that learns: the snapshot's lessons, and a student's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.models.eyes import projector_of
from workbench.models.vlm import Vlm
from workbench.recipes.workshop import Row, TaughtExample, Workshop
from workbench.records import Task
from workbench.settings import data_dir
from workbench.several_pictures import only_picture
from workbench.snapshot import Example, Snapshot
from workbench.snapshot.example import task_of
from workbench.tasks.fields import answer_type
from workbench.train.held_out import held_out
from workbench.train.job import Job
from workbench.train.loss import StudentLoss, lesson_losses
from workbench.train.plan import Plan
from workbench.verify.answers import score

FACTS = Path("knowledge") / "prices.tsv"
"""The bundled facts, in the data folder."""


def workshop_of(
    plan: Plan, job: Job, folder: Path, snapshot: Snapshot, loss: StudentLoss
) -> Workshop:
    """The workshop of a run whose student is finished.

    Args:
        plan: the parts of the job.
        job: the settings.
        folder: of the job.
        snapshot: what is taught.
        loss: of the run.
    """
    for one in snapshot.examples():
        only_picture(task_of(one), "a transform that learns from lessons")
    whole = StudentLoss(loss.adapter, loss.images, loss.device)
    sides = {"train": snapshot.examples("train"), "val": held_out(snapshot, 10**9)}
    tasks = {one.id: task_of(one) for side in sides.values() for one in side}

    def side_of(side: str) -> list[TaughtExample]:
        lessons = ((one, tuple(plan.lessons(one))) for one in sides[side])
        return [_example_of(one, own) for one, own in lessons if loss.takes(one.image, own[0])]

    def nats(model: Any, rows: Sequence[Row]) -> Tensor:
        return lesson_losses(model, whole.encode(rows, 0).to(loss.device))

    def right(model: Any, rows: Sequence[Row]) -> list[float]:
        return _right(model, rows, loss, tasks, job.max_tokens)

    def file(name: str) -> Path:
        if name == "prices":
            return data_dir() / FACTS
        path = Path(name).expanduser()
        return path if path.is_absolute() or not (folder / path).is_file() else folder / path

    return Workshop(
        training=side_of("train"),
        held_out=side_of("val"),
        nats=nats,
        right=right,
        eyes=projector_of,
        file=file,
        seed=job.seed,
    )


def _example_of(example: Example, lessons: tuple[Any, ...]) -> TaughtExample:
    return TaughtExample(
        image=example.image,
        source=example.source,
        family=example.family,
        by_person=example.kind == "person",
        things=frozenset(box.label.lower() for box in example.boxes),
        lessons=lessons,
    )


@torch.no_grad()
def _right(
    model: Any, rows: Sequence[Row], loss: StudentLoss, tasks: Mapping[str, Task], most: int
) -> list[float]:
    """How right a student's answers are, as programs are judged.

    Args:
        model: the student.
        rows: what it is asked.
        loss: opens pictures.
        tasks: the question of each example, by the example's id.
        most: longest answer, in tokens.
    """
    vlm = Vlm(model, loss.adapter.processor, "in a transform", 8)
    regions = [loss.images.whole(image) for image, _ in rows]
    prompts = [lesson.prompt for _, lesson in rows]
    answers = vlm.generate(regions, prompts, loss.images, most)
    scores = []
    for (image, lesson), answer in zip(rows, answers, strict=True):
        task = tasks.get(lesson.example) if lesson.name == "label" else None
        if task is None:
            gold = (lesson.target,)
            kind = answer_type(gold)
            task = Task("", "", "", image, lesson.prompt, gold, kind)
        scores.append(score(task, answer).score)
    return scores
