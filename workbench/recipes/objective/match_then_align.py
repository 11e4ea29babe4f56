"""Kernel of DC-CLIP: first the teacher's features are matched, then pictures and sentences meet.

The paper compresses a model of pictures and sentences in two stages.  What carries over is the
order: in the first share of the steps a picture's and a sentence's vector are drawn to those of a
teacher; in the rest, each picture has to find its sentence among others, and each sentence its
picture.

    a = A mean of the student's places;  b = B counts of the example's words (hashed)
    match = SmoothL1(a, mean of the teacher's places) + SmoothL1(b, mean of its target states)
    align = (NCE(a; b, sentences of others) + NCE(b; a, teacher's pictures of others)) / 2
    NCE(x; y, others) = -log softmax(min(e^s, 100) cos(x, [y, others]))[0]
    L = language + weight (match while step < first * steps, align from then on)

The others are the same in every step, so that a step's loss does not change with its micro-batches.
Afterwards A and B stand beside the student, with how often they find each other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from workbench.errors import InputError, ProfileError
from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.recipes.features import bridge, dtype_of, lesson_means, real, teacher_width
from workbench.recipes.maths import bank_contrast, equal_rows
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="match_then_align",
    port="objective",
    paper="Kernel of DC-CLIP: feature distillation, then contrastive alignment",
    year=2024,
    grade="C",
    level="V2",
    needs=("teacher",),
    provenance="N",
    link="https://arxiv.org/abs/2404.11249",
    idea="Match a teacher's vectors of pictures and sentences first, and only then let pictures "
    "and sentences find each other: a small pair of encoders comes out beside the student.",
    formula="L = language + weight (SmoothL1(a, t_picture) + SmoothL1(b, t_sentence)) in the first "
    "share of the steps, then + weight (NCE(a; b) + NCE(b; a)) / 2",
    command="vpd train --student bundled --objective match_then_align --teacher bundled",
    expect="aligned.json in the finished student: how often a picture of the held-out side finds "
    "its sentence first or among five, and the other way; aligned.safetensors holds both encoders. "
    "What it does to accuracy was not measured yet.",
    defaults={"weight": 1.0, "first": 0.5},
    sources={"weight": "ours", "first": "ours: the paper's stages have settings of their own"},
    traps=(
        "Among 64 others a small pair learns what tells their pictures apart, and no more.",
        "Sentences of one wording are each other's negatives unless they are equal.",
    ),
    not_reproduced=(
        "Many languages, AltCLIP and its feature maps: here they are the means of states.",
        "A transformer for sentences: here it is one layer over counts of words.",
        "Negatives of the batch: a bank of up to 64 others takes their place.",
    ),
)
MOST_PICTURES = 64
"""Pictures of the teacher that a sentence is told apart from."""


class MatchThenAlign:
    """Language, and a pair of encoders that is matched first and aligned then.

    Args:
        weight: of either stage.
        first: share of the steps in which the teacher is matched, 0 to 1.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "image", "auxiliary", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden", "image"})
    layers: tuple[int, ...] = (-1,)
    tool = "words"

    def __init__(self, weight: float = 1.0, first: float = 0.5) -> None:
        numbers_from("match_then_align", 0, weight=weight, first=first)
        if first > 1:
            raise ProfileError(f"match_then_align takes first from 0 to 1, found {first!r}")
        self._weight, self._first = weight, first
        arguments = {"weight": weight, "first": first}
        self.ref = PartRef("objective", "match_then_align", arguments=arguments)
        self.begin(0, 1)

    def begin(self, step: int, total: int) -> None:
        """Take up the stage of a step.

        Args:
            step: counted from 0.
            total: number of steps.
        """
        matching = step < self._first * total
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(),
            "match": Term(self._weight if matching else 0.0),
            "align": Term(0.0 if matching else self._weight),
        }

    def survey(self, batches: Iterable[tuple[Outputs, Targets]], head: Tensor) -> None:
        """Keep the teacher's vectors of the first pictures.

        Args:
            batches: the teacher's outputs for all training lessons.
            head: unused.

        Raises:
            InputError: there is one picture alone, so that none can be told from another.
        """
        vectors: dict[str, Tensor] = {}
        for outputs, targets in batches:
            for image, vector in zip(targets.images, outputs.picture(-1)):
                vectors.setdefault(image, real(vector))
            if len(vectors) >= MOST_PICTURES:
                break
        if len(vectors) < 2:
            raise InputError(
                "match_then_align tells pictures from one another, and the snapshot has "
                f"{len(vectors)} to train on; take a snapshot of more pictures"
            )
        self._digests = list(vectors)[:MOST_PICTURES]
        self._pictures = torch.stack([vectors[one] for one in self._digests])

    def build(self, shapes: Shapes) -> nn.Module:
        """A, B, and the scale of the contrast, which begins at 1 / 0.07 as CLIP's does."""
        width = teacher_width("match_then_align", shapes)
        scale = nn.ParameterList([nn.Parameter(torch.tensor(math.log(1 / 0.07)))])
        self.maps = nn.ModuleDict(
            {
                "picture": bridge("match_then_align", shapes),
                "sentence": nn.Linear(shapes.auxiliary, width),
                "scale": scale,
            }
        )
        return self.maps

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language, match and align of each lesson."""
        assert teacher is not None, "the loop asks the teacher"
        assert targets.auxiliary is not None, "the loop gives the words of the example"
        assert targets.bank is not None, "and those of others"
        dtype = dtype_of(self.maps)
        pictures = self.maps["picture"](student.picture(-1).to(dtype))
        sentences = self.maps["sentence"](targets.auxiliary.to(dtype))
        others = self.maps["sentence"](targets.bank.to(dtype))
        distance = nn.functional.smooth_l1_loss
        tellings = lesson_means(real(teacher.states(-1)), targets)
        match = distance(pictures, teacher.picture(-1).to(dtype), reduction="none").mean(
            -1
        ) + distance(sentences, tellings.to(dtype), reduction="none").mean(-1)
        scale = self.maps["scale"][0].exp().clamp(max=100)  # type: ignore[index]
        same_words = equal_rows(targets.auxiliary, targets.bank)
        same_picture = torch.tensor(
            [[one == other for other in self._digests] for one in targets.images],
            device=pictures.device,
        )
        to_words = bank_contrast(pictures, sentences, others, scale, same_words)
        bank = self._pictures.to(pictures)
        to_picture = bank_contrast(sentences, pictures, bank, scale, same_picture)
        return {
            LANGUAGE: language(student, targets),
            "match": match,
            "align": (to_words + to_picture) / 2,
        }

    def leave(
        self,
        weights: Mapping[str, Tensor],
        folder: Path,
        outputs: Iterable[tuple[Outputs, Targets]],
    ) -> None:
        """Keep both encoders beside the student, and how often they find each other.

        Args:
            weights: of the encoders.
            folder: of the finished student.
            outputs: the finished student's outputs for the held-out side.
        """
        own = {name: weight.float().cpu().contiguous() for name, weight in weights.items()}
        rows: list[tuple[Tensor, Tensor]] = []
        for student, targets in outputs:
            assert targets.auxiliary is not None, "the loop gives the words of the example"
            rows.append((student.picture(-1).float().cpu(), targets.auxiliary.float().cpu()))
        figures: dict[str, object] = {"of": sum(len(one) for one, _ in rows)}
        if rows:
            sides = (("picture", [one for one, _ in rows]), ("sentence", [two for _, two in rows]))
            pictures, sentences = (
                nn.functional.linear(
                    torch.cat(parts), own[f"{name}.weight"], own.get(f"{name}.bias")
                )
                for name, parts in sides
            )
            figures["picture_to_sentence"] = recalls(pictures, sentences)
            figures["sentence_to_picture"] = recalls(sentences, pictures)
        save_file(own, folder / "aligned.safetensors")
        (folder / "aligned.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def recalls(queries: Tensor, keys: Tensor) -> dict[str, float]:
    """The share of queries that find their own key first, and among the first five.

    Args:
        queries: `(n, W)`.
        keys: `(n, W)`: the key of row i belongs to the query of row i; equal ones do no harm.
    """
    cosines = nn.functional.normalize(queries, dim=-1) @ nn.functional.normalize(keys, dim=-1).mT
    better = (cosines > cosines.diagonal()[:, None] + 1e-6).sum(1)
    return {
        "first": round(float((better < 1).float().mean()), 4),
        "among_5": round(float((better < 5).float().mean()), 4),
    }
