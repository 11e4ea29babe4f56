"""What tools say of examples, as vectors that an objective teaches: frozen, made once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AutoImageProcessor, AutoModel

from workbench.errors import ProfileError
from workbench.images import ImageFolder
from workbench.models.checkpoint import loading_errors
from workbench.models.coco import CLASSES
from workbench.models.detector import bundled_detector
from workbench.models.language import quiet
from workbench.models.vlm import Vlm
from workbench.ports import Images
from workbench.prompts import LABEL_SUFFIX
from workbench.records import Lesson
from workbench.snapshot import Example

GRID = 8
"""Cells of a side of the map that boxes are drawn on."""
MOST_OTHERS = 64
"""Other examples that a contrast is made with."""
WORDS = 256
"""Numbers that the words of an example are counted in."""
_SIDE = 1000
"""Steps of the grid of boxes in rationales."""

Encoder = Callable[[Example], Tensor]
"""What a tool says of an example, `(A,)` float32."""


def occupancy(example: Example) -> Tensor:
    """How much of each cell the boxes of the program's calls cover, `(GRID * GRID,)`, 0 to 1."""
    fine = torch.zeros(_SIDE // 10, _SIDE // 10)
    for box in example.boxes:
        rows = slice(box.ymin // 10, max(box.ymax // 10, box.ymin // 10 + 1))
        columns = slice(box.xmin // 10, max(box.xmax // 10, box.xmin // 10 + 1))
        fine[rows, columns] = 1.0
    return torch.nn.functional.adaptive_avg_pool2d(fine[None], GRID).flatten()


def word_counts(example: Example) -> Tensor:
    """The words of an example's rationale, or of its question and answer, `(WORDS,)`, length 1.

    Each word is one of `WORDS` numbers by its digest, so that there is no list of words to keep.
    """
    text = example.rationale or f"{example.question} {example.answer}"
    counts = torch.zeros(WORDS)
    for word in re.findall(r"\w+", text.lower()):
        counts[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % WORDS] += 1
    return torch.nn.functional.normalize(counts, dim=0)


class DetectorScores:
    """What the bundled detector finds in a picture: the sum of each class's scores."""

    def __init__(self, images: Images) -> None:
        self._images = images

    def __call__(self, example: Example) -> Tensor:
        """The sums, `(classes,)`."""
        regions = bundled_detector().regions([self._images.open(example.image)])
        scores = torch.from_numpy(regions.scores[0][regions.mask[0]])
        return scores.sum(0).float() if len(scores) else torch.zeros(len(CLASSES))


class HubEncoder:
    """The mean of the last states of a frozen vision model.

    Args:
        checkpoint: a folder or hub id of `AutoModel`.
        images: opens pictures.
    """

    def __init__(self, checkpoint: str, images: Images) -> None:
        self._images = images
        with loading_errors(checkpoint), quiet():
            self._processor = AutoImageProcessor.from_pretrained(checkpoint)
            model: Any = AutoModel.from_pretrained(checkpoint)
        self._model = getattr(model, "vision_model", model).eval()

    @torch.no_grad()
    def __call__(self, example: Example) -> Tensor:
        """The mean state, `(width,)`."""
        pixels = self._processor(self._images.open(example.image), return_tensors="pt")
        states: Tensor = self._model(**pixels).last_hidden_state
        return states.flatten(0, -2).mean(0).float()


class AspectAnswers:
    """How likely a vision-language model says yes to each of some questions of a picture.

    Args:
        checkpoint: `bundled`, `small`, `distilled`, a checkpoint's folder, or a hub id.
        aspects: the questions.
        images: opens pictures.
    """

    def __init__(self, checkpoint: str, aspects: Sequence[str], images: ImageFolder) -> None:
        self._vlm, self._aspects, self._images = Vlm.load(checkpoint), tuple(aspects), images
        self._answers: dict[str, Tensor] = {}

    def __call__(self, example: Example) -> Tensor:
        """The chances, `(aspects,)`; those of a picture are asked for once."""
        if example.image not in self._answers:
            count = len(self._aspects)
            shares = self._vlm.choose(
                [self._images.whole(example.image)] * count,
                [aspect + LABEL_SUFFIX for aspect in self._aspects],
                [("yes", "no")] * count,
                self._images,
            )
            self._answers[example.image] = torch.tensor([yes for yes, _ in shares])
        return self._answers[example.image]


def encoder_of(tool: str, images: Images) -> Encoder:
    """The tool of a name.

    Args:
        tool: `boxes`, `words`, `detector`, or the folder or hub id of a vision model.
        images: opens pictures.

    Raises:
        ProfileError: the name is empty.
        InputError: there is no such model.
    """
    if tool == "boxes":
        return occupancy
    if tool == "words":
        return word_counts
    if tool == "detector":
        return DetectorScores(images)
    if not tool:
        raise ProfileError(
            "the objective's tool has no name; take boxes (where the program looked), words (of "
            "its rationale), detector (what the bundled detector finds), or the checkpoint of a "
            "vision model"
        )
    return HubEncoder(tool, images)


class ToolTargets:
    """The vectors of examples, each made once.

    Args:
        encoder: makes them.
        examples: all examples, by id.
        training: those of the training side; the bank is drawn from them.
    """

    def __init__(
        self, encoder: Encoder, examples: Mapping[str, Example], training: Sequence[Example]
    ) -> None:
        self._encoder, self._examples = encoder, examples
        self._vectors: dict[str, Tensor] = {}
        by_hash = sorted(training, key=lambda one: hashlib.sha256(one.id.encode()).digest())
        # one of a picture: a contrast with the same picture would teach the opposite
        chosen = list({one.image: one for one in by_hash}.values())[:MOST_OTHERS]
        self.bank = torch.stack([self._vector(one.id) for one in chosen])
        """`(B, A)`: of examples about other pictures, the same ones in every step."""

    def _vector(self, example: str) -> Tensor:
        if example not in self._vectors:
            self._vectors[example] = self._encoder(self._examples[example])
        return self._vectors[example]

    def __call__(self, rows: Sequence[tuple[str, Lesson]]) -> Tensor:
        """The vectors of the examples of some lessons, `(L, A)`."""
        return torch.stack([self._vector(lesson.example) for _, lesson in rows])
