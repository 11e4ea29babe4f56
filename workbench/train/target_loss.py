"""How well a student already says the targets of lessons, before it is taught them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from workbench.images import ImageFolder
from workbench.models.vlm import Vlm
from workbench.records import Lesson
from workbench.train.examples import Adapter
from workbench.train.loss import StudentLoss

BATCH = 8
"""Examples that go through the student at once."""

ExampleLessons = tuple[str, Sequence[Lesson]]
"""The digest of a picture, and the lessons about it."""


@torch.no_grad()
def target_losses(
    student: str,
    examples: Sequence[ExampleLessons],
    images: ImageFolder,
    watch: Callable[[int, int], None] | None = None,
) -> list[tuple[float, ...]]:
    """The mean cross-entropy of each lesson's target under a student, in nats per token.

    Args:
        student: `bundled`, a checkpoint's folder, or a hub id.
        examples: each with at least one lesson.
        images: opens the pictures.
        watch: called with how many examples of how many are done.

    Returns:
        One value for each lesson of each example; none for an example whose picture the student
        cannot take.

    Raises:
        InputError: there is no such student, or it takes no pictures.
    """
    vlm = Vlm.load(student)
    loss = StudentLoss(Adapter(vlm.processor), images, vlm.model.device)
    loss.skips_broken = True
    losses: list[tuple[float, ...]] = []
    for at in range(0, len(examples), BATCH):
        some = examples[at : at + BATCH]
        fit = [loss.takes(image, lessons[0]) for image, lessons in some]
        rows = [
            (image, lesson)
            for fits, (image, lessons) in zip(fit, some, strict=True)
            for lesson in lessons
            if fits
        ]
        values = iter(loss(vlm.model, rows, examples=1).lessons.tolist() if rows else ())
        losses += [
            tuple(next(values) for _ in lessons) if fits else ()
            for fits, (_, lessons) in zip(fit, some, strict=True)
        ]
        if watch is not None:
            watch(len(losses), len(examples))
    return losses
