"""LELP: linear embeddings as pseudo-subclasses, for questions with few answers.

Of a yes or no a teacher's logits hold about one number; its embedding holds more.  Each answer is
divided into S subclasses along linear directions of the teacher's embeddings of its examples, and
the student learns S times C outputs instead of C.

    e' = e - W^+ W e             the part of the embedding that the teacher's answers do not show
    u_c = (e' - mean_c) P_c Q    P_c: first S principal directions of the class; Q: a rotation
    p(c, j) = softmax(z / T)_c * softmax(beta u_c / rms_c)_j
    L = language + weight KL(p || softmax(head / T))

W holds the rows of the teacher's output weights that begin the answers, W^+ is its pseudo-inverse,
and Q is random and orthonormal, so that the S directions have about one variance.  Everything but
the head is computed once, before the first step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from workbench.errors import InputError, ProfileError
from workbench.recipes.card import Card
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="lelp",
    port="objective",
    paper="LELP: linear projections of a teacher's embeddings for few-class distillation",
    year=2024,
    grade="A",
    level="V2",
    needs=("teacher",),
    provenance="N",
    link="https://openreview.net/search?term=LELP",
    idea="Divide each of few answers into pseudo-subclasses by the teacher's embeddings, so that "
    "the student learns more than one number of each example.",
    formula="p(c, j) = softmax(z/T)_c softmax(beta u_c / rms_c)_j; u_c = (e' - mean_c) P_c Q; "
    "L = language + weight KL(p || softmax(head/T))",
    command="vpd train --student bundled --objective lelp --teacher bundled",
    expect="One more curve, subclasses, that falls; what it is worth in accuracy was not measured "
    "yet.",
    defaults={"subclasses": 4, "beta": 1.0, "temperature": 1.0, "weight": 1.0, "seed": 0},
    sources={
        "subclasses": "ours; the reviews that were read name no default",
        "beta": "ours, as above",
        "temperature": "ours, as above",
    },
    traps=(
        "Principal directions have falling variances, so that without the rotation the first one "
        "alone would make the subclasses.",
        "Subclasses of one answer must add up to the teacher's share of it.",
    ),
    not_reproduced=(
        "The scale of the projections is unpublished: here it is their root mean square over the "
        "class.",
        "The paper's student is a classifier and learns no true label; here the head stands beside "
        "the language model, whose own loss stays.",
    ),
)
MOST_ANSWERS = 16
"""More answers are no closed question."""


class Lelp:
    """Language, and the teacher's pseudo-subclasses of the answers.

    Args:
        subclasses: S, for each answer.
        beta: how sharply an example belongs to one subclass.
        temperature: T, of teacher and head.
        weight: of the term.
        seed: of the rotation.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden"})
    layers: tuple[int, ...] = (-1,)

    def __init__(
        self,
        subclasses: int = 4,
        beta: float = 1.0,
        temperature: float = 1.0,
        weight: float = 1.0,
        seed: int = 0,
    ) -> None:
        if subclasses < 2 or temperature <= 0:
            raise ProfileError(
                "lelp takes subclasses from 2 and a temperature above 0, found "
                f"{subclasses!r} and {temperature!r}"
            )
        self._count, self._beta, self._temperature = subclasses, beta, temperature
        self._seed = seed
        arguments = {
            "subclasses": subclasses,
            "beta": beta,
            "temperature": temperature,
            "weight": weight,
            "seed": seed,
        }
        self.ref = PartRef("objective", "lelp", arguments=arguments)
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(),
            "subclasses": Term(weight, ("label",)),
        }

    def survey(self, batches: Iterable[tuple[Outputs, Targets]], head: Tensor) -> None:
        """Find the answers, and the directions of each in the teacher's embeddings.

        Args:
            batches: the teacher's outputs for all training lessons.
            head: `(V, W)`: the teacher's output weights.

        Raises:
            InputError: the answers are fewer than two or too many to be classes.
        """
        embeddings: dict[str, list[Tensor]] = {}
        tokens: dict[str, int] = {}
        for teacher, targets in batches:
            firsts = targets.first()
            for lesson, first in zip(targets.lessons, firsts.tolist(), strict=True):
                if lesson.name == "label":
                    state = teacher.states(-1)[first].double().cpu()
                    embeddings.setdefault(lesson.target, []).append(state)
                    tokens[lesson.target] = int(targets.tokens[first])
        if not 2 <= len(embeddings) <= MOST_ANSWERS:
            raise InputError(
                f"lelp is for questions of 2 to {MOST_ANSWERS} answers, and the snapshot has "
                f"{len(embeddings)}; take a snapshot of such questions, for example of yes and no"
            )
        if len(set(tokens.values())) < len(tokens):
            raise InputError(
                "lelp tells answers apart by the token that they begin with, and some of "
                f"{', '.join(sorted(tokens))} begin with the same one; take answers that do not"
            )
        self._answers = sorted(embeddings)
        self._tokens = torch.tensor([tokens[answer] for answer in self._answers])
        weights = head.detach().double().cpu()[self._tokens]
        self._hidden_part = (
            torch.eye(weights.shape[1]).double() - torch.linalg.pinv(weights) @ weights
        )
        self._planes = [
            plane(torch.stack(embeddings[answer]) @ self._hidden_part, self._count, self._seed)
            for answer in self._answers
        ]

    def build(self, shapes: Shapes) -> nn.Module:
        """The head of S times C outputs."""
        self.head = nn.Linear(shapes.width, self._count * len(self._answers))
        return self.head

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Language, and for labels with an answer of the survey the divergence."""
        assert teacher is not None, "the loop asks the teacher"
        first = targets.first()
        shares = self.shares(teacher.logits[first], teacher.states(-1)[first]).to(first.device)
        guess = self.head(student.states(-1)[first].to(self.head.weight.dtype))
        log_guess = (guess / self._temperature).log_softmax(-1)
        shares = shares.to(log_guess.dtype)
        each = (torch.xlogy(shares, shares) - shares * log_guess).sum(-1)
        counts = [one.name == "label" and one.target in self._answers for one in targets.lessons]
        applies = torch.tensor(counts, device=each.device)
        return {
            LANGUAGE: language(student, targets),
            "subclasses": torch.where(applies, each, torch.zeros_like(each)),
        }

    def shares(self, logits: Tensor, embeddings: Tensor) -> Tensor:
        """The teacher's distribution over all subclasses, `(L, C * S)`, answer by answer.

        Args:
            logits: `(L, V)`: the teacher's, where the answer begins.
            embeddings: `(L, W)`: the states that they come from.
        """
        chances = (logits.double().cpu()[:, self._tokens] / self._temperature).softmax(-1)
        rest = embeddings.double().cpu() @ self._hidden_part
        within = [
            (self._beta * (rest - mean) @ directions).softmax(-1)
            for mean, directions in self._planes
        ]
        return (chances[:, :, None] * torch.stack(within, 1)).flatten(1)


def plane(embeddings: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """The mean of a class, and its turned principal directions, `(W, count)`.

    Projections onto them have a root mean square of 1 over the class; directions that the class
    does not have are 0.

    Args:
        embeddings: `(n, W)`.
        count: number of directions.
        seed: of the rotation.
    """
    mean = embeddings.mean(0)
    _, lengths, axes = torch.linalg.svd(embeddings - mean, full_matrices=False)
    kept = axes[:count] * (lengths[:count, None] > 1e-9)
    kept = torch.cat([kept, kept.new_zeros(count - len(kept), kept.shape[1])])
    dice = torch.Generator().manual_seed(seed)
    turn, _ = torch.linalg.qr(torch.randn(count, count, generator=dice, dtype=torch.float64))
    directions = kept.T @ turn
    spread = ((embeddings - mean) @ directions).square().mean().sqrt()
    return mean, directions / spread.clamp(min=1e-12)
