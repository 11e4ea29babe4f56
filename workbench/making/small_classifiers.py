"""The small student's two linear classifiers: what a region shows, and what a word means.

They are fitted before its language model is trained, and stay as they are.  Where both name the
same thing, the word means the region (`pointer_vlm.Matching`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workbench.boxes import from_grid
from workbench.english import a as with_article
from workbench.english import plural
from workbench.making.base_student import NAMES, category_of
from workbench.models.pointer_vlm import appearance
from workbench.models.region_vlm import RegionView
from workbench.models.text_tower import TextTower
from workbench.tasks.collage.catalogue import CATEGORIES, KINDS
from workbench.tasks.collage.scene import Scene
from workbench.train.optimizer import ScheduledAdamW
from workbench.train.schedule import RateSchedule

BATCH = 128
_FRAMES = (
    "Where {are} the {name}?",
    "Is there {a}?",
    "How many {name} are there?",
    "Are there more {name} than {other}?",
    "Is the {other} left of the {name}?",
    "Which is larger, the {name} or the {other}?",
)
"""Questions that name things."""
_NEW_FRAMES = ("Do you see any {name}?", "Locate the {name}.")
"""Questions that the classifier of words is measured on."""


def train_names(model: Any, scenes: Sequence[tuple[Scene, RegionView]], epochs: int = 30) -> float:
    """Fit the classifier that names regions, and put it into a student.

    Args:
        model: gets the classifier.
        scenes: drawn scenes, and how the detector saw them.
        epochs: times that every region is taken.

    Returns:
        The share of regions that it names rightly, on a tenth of them that is held out.
    """
    vectors, labels = _labelled_regions(scenes)
    looks = appearance(vectors)
    tenth = len(labels) // 10
    classifier = _fitted(looks[tenth:], labels[tenth:], nn.functional.cross_entropy, epochs)
    with torch.no_grad():
        model.region_reader.name_weight.copy_(classifier.weight)
        model.region_reader.name_bias.copy_(classifier.bias)
        right = (classifier(looks[:tenth]).argmax(1) == labels[:tenth]).float().mean()
    return round(float(right), 3)


def train_words(model: Any, read: TextTower, epochs: int = 30) -> float:
    """Fit the classifier that tells which things a word of a question means; put it into a student.

    A kind, such as animals, means all things of it.

    Args:
        model: gets the classifier.
        read: reads questions.
        epochs: times that every word is taken.

    Returns:
        The share of words, in forms of questions that it was not fitted on, that mean what they
        should and nothing else.
    """
    states, meanings = _meant_words(read, _FRAMES)
    rows = nn.functional.layer_norm(states, states.shape[-1:])
    classifier = _fitted(rows, meanings, _all_names_loss, epochs)
    with torch.no_grad():
        model.matching.name_weight.copy_(classifier.weight)
        model.matching.name_bias.copy_(classifier.bias)
        states, meanings = _meant_words(read, _NEW_FRAMES)
        shares = model.matching.word_shares(states)
        right = ((shares > 0.5) == (meanings > 0.5)).all(1).float().mean()
    return round(float(right), 3)


def _all_names_loss(logits: Tensor, meanings: Tensor) -> Tensor:
    loss = nn.functional.binary_cross_entropy_with_logits(logits, meanings, reduction="none")
    return loss.sum(1).mean()


def _fitted(
    rows: Tensor, labels: Tensor, loss_of: Callable[[Tensor, Tensor], Tensor], epochs: int
) -> nn.Linear:
    """A linear classifier of rows into `NAMES`."""
    classifier = nn.Linear(rows.shape[1], len(NAMES))
    batches = epochs * len(labels) // BATCH
    optimizer = ScheduledAdamW(
        [(classifier.parameters(), 2e-3)],
        RateSchedule(batches, end=0.02),
        betas=(0.9, 0.999),
        weight_decay=0.05,
    )
    for batch in range(batches):
        chosen = torch.randint(len(labels), (BATCH,))
        loss = loss_of(classifier(rows[chosen]), labels[chosen])
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step(batch)
    return classifier


def _labelled_regions(scenes: Sequence[tuple[Scene, RegionView]]) -> tuple[Tensor, Tensor]:
    rows, labels = [], []
    for scene, view in scenes:
        for row, cells in enumerate(view.cells, start=1):
            rows.append(view.vectors[row])
            box = from_grid(list(cells), scene.width, scene.height)
            labels.append(category_of(scene, box))
    return torch.from_numpy(np.stack(rows)), torch.tensor(labels)


def _meant_words(read: TextTower, frames: Sequence[str]) -> tuple[Tensor, Tensor]:
    """States of words, `(words, width)`, and which names each means, `(words, names)`."""
    states, meanings = [], []
    for text, means in _naming_questions(frames):
        meaning = torch.zeros(read.count(text), len(NAMES))
        for word, names in means.items():
            match = re.search(rf"\b{re.escape(word)}\b", text)
            if match:  # what a thing's name means is known at its end
                at = read.count(text[: match.end()]) - 1
                meaning[at, [NAMES.index(name) for name in names]] = 1.0
        states.append(torch.from_numpy(read(text)))
        meanings.append(meaning)
    return torch.cat(states), torch.cat(meanings)


def _naming_questions(frames: Sequence[str]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Questions, and which names each of their words means."""
    dice = np.random.default_rng(29)
    meanings = {name: [name] for name in CATEGORIES}
    for kind in KINDS:
        meanings[kind] = [one.name for one in CATEGORIES.values() if kind in one.kinds]
    for name, meaning in meanings.items():
        for frame in frames:
            for form, are, one in (
                (name, "is", with_article(name)),
                (plural(name), "are", f"any {plural(name)}"),
            ):
                other = str(dice.choice(sorted(CATEGORIES)))
                text = frame.format(name=form, are=are, a=one, other=other)
                yield text, {other: [other], form: meaning}
