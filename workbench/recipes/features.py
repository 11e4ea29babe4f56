"""What recipes that match inner states share: places of the picture in student and teacher.

Letters of shapes: R rows, P places of the picture in the row that has most, W numbers of a state.
Places beyond those of a row are masked, and hold zeros.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import InputError, ProfileError
from workbench.recipes.teaching import Outputs, Shapes, Targets


@dataclass(frozen=True, slots=True)
class Places:
    """The same places of the pictures, as two models see them."""

    student: Tensor
    """`(R, P, W)`, with a gradient."""
    teacher: Tensor
    """`(R, P, W)` of the teacher's own width, without one."""
    mask: Tensor
    """`(R, P)`, bool: false beyond a row's own places."""

    @property
    def pairs(self) -> Tensor:
        """`(R, P, P)`, bool: where both places are the row's own."""
        return self.mask[:, :, None] & self.mask[:, None, :]


def real(values: Tensor) -> Tensor:
    """The values as float64 where they are it already, and as float32 otherwise."""
    return values if values.dtype == torch.float64 else values.float()


def dtype_of(layers: nn.Module) -> torch.dtype:
    """The type of the numbers that some layers compute with."""
    return next(layers.parameters()).dtype


def place_mask(image: Tensor) -> Tensor:
    """`(R, P)`, bool: the places that each row has, from `(R, T)`, the picture's positions."""
    counts = image.sum(1)
    most = max(int(counts.max()), 1) if len(counts) else 1
    numbers = torch.arange(min(most, image.shape[1]), device=image.device)
    return numbers[None] < counts[:, None]


def states_of_places(outputs: Outputs, layer: int) -> tuple[Tensor, Tensor]:
    """The states of the picture's positions, `(R, P, W)`, in their order, and their mask."""
    mask = place_mask(outputs.image)
    order = torch.argsort((~outputs.image).int(), dim=1, stable=True)[:, : mask.shape[1]]
    states = outputs.hidden[layer]
    at = order.unsqueeze(-1).expand(-1, -1, states.shape[-1])
    own = states.gather(1, at)
    return real(torch.where(mask.unsqueeze(-1), own, torch.zeros_like(own))), mask


def places_of(student: Outputs, teacher: Outputs | None, layer: int) -> Places:
    """The places of the pictures as student and teacher see them.

    Args:
        student: has hidden states of the layer and the picture's mask.
        teacher: has them too.
        layer: of both models.

    Raises:
        InputError: they see different numbers of places, which cannot be matched.
    """
    assert teacher is not None, "the loop asks the teacher"
    own, mask = states_of_places(student, layer)
    other, its_mask = states_of_places(teacher, layer)
    counts, its_counts = (one.sum(1).tolist() for one in (mask, its_mask))
    if counts != its_counts:
        row = next(at for at, pair in enumerate(zip(counts, its_counts)) if pair[0] != pair[1])
        raise InputError(
            f"the student sees {counts[row]} places of a picture and the teacher "
            f"{its_counts[row]}: "
            "places can be matched only between models that cut a picture alike; take a teacher "
            "of the student's own family, or an objective that reads logits"
        )
    return Places(own, other.detach(), mask)


def row_mean(values: Tensor, mask: Tensor) -> Tensor:
    """`(R,)`: the mean of each row's values where its mask is true; 0 where it is nowhere.

    Args:
        values: `(R, ...)`.
        mask: bool, of the same shape.
    """
    kept = torch.where(mask, values, torch.zeros_like(values)).flatten(1)
    return kept.sum(1) / mask.flatten(1).sum(1).clamp(min=1)


def lesson_means(values: Tensor, targets: Targets) -> Tensor:
    """The mean of `(N, V)` over each lesson's own target tokens, `(L, V)`."""
    sums = values.new_zeros(len(targets.lessons), values.shape[1])
    counts = values.new_zeros(len(targets.lessons))
    sums = sums.index_add(0, targets.owners, values)
    counts = counts.index_add(0, targets.owners, torch.ones_like(values[:, 0]))
    return sums / counts.clamp(min=1)[:, None]


def relations(states: Tensor) -> Tensor:
    """`(R, P, P)`: the cosine of every two places of a row; 0 with a place that holds zeros."""
    unit = nn.functional.normalize(states, dim=-1)
    return unit @ unit.mT


def neighbours(states: Tensor, mask: Tensor, count: int) -> Tensor:
    """`(R, P, P)`, bool: the places that are nearest to each place, itself not counted.

    A row with fewer places has all others as neighbours.

    Args:
        states: `(R, P, W)`.
        mask: `(R, P)`, bool.
        count: number of neighbours.
    """
    apart = torch.cdist(states.detach(), states.detach())
    itself = torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
    apart = apart.masked_fill(itself | ~mask[:, None, :], torch.inf)
    nearest = apart.topk(min(count, mask.shape[1]), dim=-1, largest=False)
    near = torch.zeros_like(apart, dtype=torch.bool).scatter(-1, nearest.indices, True)
    return near & apart.isfinite() & mask[:, :, None]


def hidden_places(targets: Targets, mask: Tensor, share: float) -> Tensor:
    """`(R, P)`, bool: a share of each row's places, at least one, chosen by lot.

    The lot is cast by the lesson, so that a run that goes on hides the same places, and neither
    the order of lessons nor the number of processes changes them.

    Args:
        targets: one lesson for each row.
        mask: `(R, P)`, bool: the places there are.
        share: of them that is hidden.
    """
    rows = []
    for row, lesson in enumerate(targets.lessons):
        words = "\0".join([targets.images[row], lesson.name, lesson.prompt])
        seed = int.from_bytes(hashlib.sha256(words.encode()).digest()[:4], "big")
        count = int(mask[row].sum())
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
        own = torch.zeros(mask.shape[1], dtype=torch.bool)
        own[order[: max(round(share * count), min(count, 1))]] = True
        rows.append(own)
    return torch.stack(rows).to(mask.device) & mask


def teacher_width(part: str, shapes: Shapes) -> int:
    """Numbers of a state of the teacher.

    Args:
        part: name of the recipe, for the error.
        shapes: what the loop says.

    Raises:
        ProfileError: the teacher is not one model.
    """
    if not shapes.teacher:
        raise ProfileError(
            f"{part} makes a layer between the student's states and the teacher's, and this "
            "teacher is not one model; take the teacher 'checkpoint'"
        )
    return shapes.teacher


def bridge(part: str, shapes: Shapes) -> nn.Linear:
    """A layer from the student's states to the teacher's; it begins as the identity if it can.

    Args:
        part: name of the recipe, for the error.
        shapes: widths of both.
    """
    layer = nn.Linear(shapes.width, teacher_width(part, shapes))
    if shapes.teacher == shapes.width:
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
    return layer


def linear_layers(model: Any) -> Iterator[tuple[str, nn.Linear]]:
    """The linear layers of a model but its head, by name."""
    head = model.get_output_embeddings()
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and module is not head:
            yield name, module
