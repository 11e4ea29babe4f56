"""From lessons about pictures to their losses, for training steps and for held-out questions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from workbench.errors import ImageError, SnapshotError
from workbench.images import ImageFolder
from workbench.models.conversation import Seen
from workbench.models.region_vlm import RegionView
from workbench.records import Lesson
from workbench.train.batch import Batch
from workbench.train.examples import Adapter
from workbench.train.shared_prefix import share_prefixes
from workbench.unanswered import REFUSED, reason_line

KEPT = 8192
"""Pictures that stay in memory as a student saw them; each takes some ten kilobytes."""


@dataclass(frozen=True, slots=True)
class LossShare:
    """The losses of some lessons of a step."""

    share: Tensor
    """Their share in the loss of the step, a scalar that has a gradient."""
    lessons: Tensor
    """`(lessons,)`: the loss of each lesson, in nats per target token."""
    names: tuple[str, ...]
    """The name of each lesson."""
    tokens: int
    """Number of tokens that the student read, padding not counted."""
    weights: Tensor
    """`(lessons,)`: their weights; 0 for one that is left out or fills the batch."""


class StudentLoss:
    """Runs a student over lessons about pictures, once.

    Args:
        adapter: turns lessons into the student's tokens.
        images: opens pictures by digest.
        device: where the student is.
    """

    def __init__(self, adapter: Adapter, images: ImageFolder, device: torch.device) -> None:
        self.adapter, self.images, self.device = adapter, images, device
        self.skips_broken = False
        """Whether examples of a picture whose file is broken are left out; else the run ends."""
        self.tasks: Mapping[str, str] = {}
        """A question about each picture, by digest: how people know it."""
        self.refused: dict[str, str] = {}
        """Pictures that the student cannot take, by digest, and why."""
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        """What a student that points saw of pictures, by digest."""

    def _broken(self, image: str, error: ImageError) -> SnapshotError:
        return SnapshotError(
            f"the picture {image[:12]}… of {self.tasks.get(image, 'the snapshot')} cannot be read "
            f"({error}); copy the snapshot's whole folder again, or leave its examples out with "
            "skip_broken = true"
        )

    def _picture(self, image: str) -> Seen:
        """A picture as the adapter takes it; one that was looked at is not decoded again."""
        if not self.adapter.points:
            return self.images.open(image)
        if image not in self._seen:
            self._seen[image] = self.adapter.look(self.images.open(image))
            while len(self._seen) > KEPT:
                self._seen.popitem(last=False)
        return self._seen[image]

    def pictures_without_regions(self, pictures: Iterable[str]) -> int:
        """In how many pictures a student that points sees no region; 0 for other students."""
        if not self.adapter.points:
            return 0
        return sum(not self._sees(image) for image in pictures)

    def _sees(self, image: str) -> bool:
        try:
            view = self._picture(image)
        except REFUSED:  # a step names it
            return True
        return not isinstance(view, RegionView) or bool(view.cells)

    def takes(self, image: str, lesson: Lesson) -> bool:
        """Whether the student takes a picture; if not, the reason is noted in `refused`."""
        if image not in self.refused:
            try:
                self.adapter.encode([(self._picture(image), lesson)])
            except ImageError as error:
                if not self.skips_broken:
                    raise self._broken(image, error) from error
                self.refused[image] = reason_line(error)
            except REFUSED as error:
                self.refused[image] = reason_line(f"{type(error).__name__}: {error}")
        return image not in self.refused

    def encode(self, rows: Sequence[tuple[str, Lesson]], fillers: int) -> Batch:
        """The lessons in tokens; one about a picture that the student cannot take weighs nothing.

        It stays in the batch, about a white picture: all processes of a run compute as often.
        """
        try:
            return self.adapter.encode(
                [(self._picture(image), lesson) for image, lesson in rows], fillers
            )
        except REFUSED:
            bad = [not self.takes(image, lesson) for image, lesson in rows]
            if not any(bad):
                raise
        white = Image.new("RGB", (64, 64), "white")
        pictures = [
            (white, replace(lesson, weight=0.0)) if is_bad else (self._picture(image), lesson)
            for is_bad, (image, lesson) in zip(bad, rows, strict=True)
        ]
        return self.adapter.encode(pictures, fillers)

    def __call__(
        self,
        model: Any,
        rows: Sequence[tuple[str, Lesson]],
        examples: int,
        fillers: int = 0,
        together: bool = False,
        ready: Batch | None = None,
    ) -> LossShare:
        """The losses of some lessons.

        Args:
            model: the student, as the processes of a run have wrapped it.
            rows: the digest of a picture and a lesson about it.
            examples: number of examples in the whole step.
            fillers: number of lessons at the end that weigh nothing.
            together: whether neighbouring lessons about one picture stand in one row (see
                `shared_prefix`), where the student's family allows it.
            ready: the rows in tokens, where somebody has encoded them before.
        """
        batch = self.encode(rows, fillers) if ready is None else ready
        if together and self.adapter.shares:
            batch = share_prefixes(batch, [self.adapter.source(*row) for row in rows])
        batch = batch.to(self.device)
        losses = lesson_losses(model, batch)
        return LossShare(
            weighted_loss(losses, batch, examples),
            losses,
            batch.names,
            batch.tokens,
            batch.weights,
        )


def lesson_losses(model: Any, batch: Batch) -> Tensor:
    """Mean cross-entropy of each lesson over its own target tokens, in nats, `(lessons,)` float32.

    The head runs only at positions that some row predicts a target from: with a vocabulary of
    150,000 the logits of a picture's positions would be most of the memory.
    """
    is_target = batch.targets[:, 1:] >= 0
    at = is_target.any(0).nonzero().squeeze(1)
    logits = model(**batch.inputs, logits_to_keep=at, use_cache=False).logits
    chosen = is_target[:, at]
    losses = torch.nn.functional.cross_entropy(
        logits[chosen].float(), batch.targets[:, 1:][:, at][chosen], reduction="none"
    )
    owners = batch.owners[:, 1:][:, at][chosen]
    sums, counts = (torch.zeros(len(batch.names), device=losses.device) for _ in range(2))
    return sums.index_add(0, owners, losses) / counts.index_add(0, owners, torch.ones_like(losses))


def weighted_loss(losses: Tensor, batch: Batch, examples: float) -> Tensor:
    """The weighted sum of the losses, divided by the number of examples in the whole step.

    The shares of the batches that a step is divided into add up to the loss of the step.

    Args:
        losses: `(lessons,)`, as `lesson_losses` gives them.
        batch: the lessons.
        examples: number of examples in the step; the sum of the weights gives the weighted mean of
            this batch.
    """
    return (losses * batch.weights).sum() / examples
