"""Random outputs of a student and a teacher, and objectives that are ready to be asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from workbench import registry
from workbench.recipes.teaching import HasLayers, Objective, Outputs, Shapes, Surveys, Targets
from workbench.records import Lesson

WIDTH, WORDS = 6, 12


def some(
    lessons: int = 3,
    seed: int = 0,
    width: int = WIDTH,
    places: int = 2,
    looks: int = 4,
    **changes: Any,
) -> tuple[Outputs, Targets]:
    """Random outputs for lessons of two target tokens each, one in a row of a picture and text.

    Args:
        lessons: how many.
        seed: of the numbers.
        width: of the states.
        places: how many positions the picture has, in front; three more follow.
        looks: how many further looks the student takes.
        changes: of the targets.
    """
    dice = torch.Generator().manual_seed(seed)
    count, length = 2 * lessons, places + 3
    owners = torch.arange(lessons).repeat_interleave(2)
    image = torch.zeros(lessons, length, dtype=torch.bool)
    image[:, :places] = True
    drawn = (
        torch.randn(lessons, length, width, generator=dice, dtype=torch.float64) for _ in range(2)
    )
    last, first = (states.requires_grad_() for states in drawn)
    outputs = Outputs(
        logits=torch.randn(count, WORDS, generator=dice, dtype=torch.float64).requires_grad_(),
        places=torch.stack([owners, torch.tensor([places, places + 1]).repeat(lessons)], 1),
        mask=torch.ones(lessons, length, dtype=torch.bool),
        image=image,
        hidden={-1: last, 0: first},
    )
    if looks:
        further = [some(lessons, seed + 40 + at, width, places, 0)[0] for at in range(looks)]
        outputs = replace(outputs, views=tuple(further))
    targets = Targets(
        tokens=torch.randint(WORDS, (count,), generator=dice),
        owners=owners,
        lessons=[Lesson("label", "?", "yes" if at % 2 else "no") for at in range(lessons)],
        images=[str(at) for at in range(lessons)],
        by_person=torch.arange(lessons) % 2 == 0,
        auxiliary=torch.rand(lessons, 4, generator=dice, dtype=torch.float64),
        bank=torch.randn(5, 4, generator=dice, dtype=torch.float64),
    )
    return outputs, replace(targets, **changes)


def quiet(outputs: Outputs) -> Outputs:
    """The same outputs without gradient, as a teacher gives them."""
    hidden = {layer: states.detach() for layer, states in outputs.hidden.items()}
    return replace(outputs, logits=outputs.logits.detach(), hidden=hidden, views=())


def alone(outputs: Outputs, number: int) -> Outputs:
    """What is said in one of the lessons."""
    own = outputs.places[:, 0] == number
    rows = slice(number, number + 1)
    return replace(
        outputs,
        logits=outputs.logits[own],
        places=outputs.places[own] * torch.tensor([0, 1]),
        mask=outputs.mask[rows],
        image=outputs.image[rows],
        views=tuple(alone(one, number) for one in outputs.views),
        hidden={layer: states[rows] for layer, states in outputs.hidden.items()},
    )


def alone_targets(targets: Targets, number: int) -> Targets:
    """What should be said in one of the lessons."""
    own, rows = targets.owners == number, slice(number, number + 1)
    assert targets.auxiliary is not None
    return replace(
        targets,
        tokens=targets.tokens[own],
        owners=torch.zeros(int(own.sum()), dtype=torch.long),
        lessons=targets.lessons[rows],
        images=targets.images[rows],
        by_person=targets.by_person[rows],
        auxiliary=targets.auxiliary[rows],
    )


def ready(name: str, width: int = WIDTH, /, **arguments: Any) -> Objective:
    """An objective with its layers, after its survey.

    Args:
        name: of the objective.
        width: of the teacher's states.
        arguments: of the objective.
    """
    objective = registry.build("objective", name, **arguments)
    assert isinstance(objective, Objective)
    torch.manual_seed(1)
    if isinstance(objective, Surveys):
        batches = [survey_batch(seed, width) for seed in range(6)]
        objective.survey(batches, torch.randn(WORDS, width, dtype=torch.float64))
    if isinstance(objective, HasLayers):
        head = torch.randn(WORDS, WIDTH, dtype=torch.float64)
        objective.build(Shapes(WIDTH, head, 2, 4, width)).double()
    return objective


def survey_batch(seed: int, width: int = WIDTH) -> tuple[Outputs, Targets]:
    """A teacher's outputs, where an answer always begins with its own token."""
    outputs, targets = some(4, seed, width)
    tokens: Tensor = targets.tokens.clone()
    tokens[targets.first()] = torch.tensor(
        [3 if one.target == "yes" else 7 for one in targets.lessons]
    )
    return quiet(outputs), replace(targets, tokens=tokens)
