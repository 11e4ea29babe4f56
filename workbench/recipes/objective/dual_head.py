"""DHO's two heads: one learns what people accepted, the other what the teacher says of every row.

A student with one head that learns from both has to serve two masters whose gradients disagree.
Here the student's own head is taught by the labels of the rows that a person accepted, and a second
head over the same states by the teacher's distribution on all rows.  At the end the two are mixed;
how much of each is chosen on the held-out side.

    L = (1 - weight) CE(head) on accepted rows + weight T^2 KL(t || second head; T) on all rows
    answer ~ a softmax(head) + (1 - a) softmax(second / b)

With weight 0.5 it is the paper's few-shot loss.  The mixture is part of the finished student: who
asks it, asks the mixture.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from workbench.errors import ProfileError
from workbench.recipes.card import Card
from workbench.recipes.maths import kl
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Shapes, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="dual_head",
    port="objective",
    paper="DHO: dual-head optimization, simple semi-supervised knowledge distillation",
    year=2025,
    grade="A",
    level="V2",
    needs=("teacher",),
    provenance="C",
    link="https://github.com/erjui/DHO",
    idea="One head learns the few rows that people accepted, a second one the teacher's view of "
    "all rows; the two are mixed when the student answers.",
    formula="L = (1 - weight) CE on accepted rows + weight T^2 KL(t||second; T); answer = "
    "a softmax(z) + (1 - a) softmax(z_second / b)",
    command="vpd train --student bundled --objective dual_head --teacher bundled",
    expect="second_head.json in the finished student holds the mixture, with the held-out answers "
    "that each of both heads has right; in accuracy it was not measured yet.",
    defaults={"temperature": 2.0, "weight": 0.5, "accepted": "person"},
    sources={
        "temperature": "the released code: 2",
        "weight": "the released few-shot loss: 0.5 CE + 0.5 KL",
        "accepted": "ours: rows that a person accepted are the labelled ones",
    },
    traps=(
        "The release searches a and b on the test split; here it is the held-out side.",
        "The evaluations during training ask the first head alone.",
    ),
    not_reproduced=(
        "The paper takes KL as a mean over labelled and one over unlabelled rows; here it is one "
        "mean over all rows.",
        "a and b are chosen by answers whose every word is right behind the right beginning.",
    ),
)
SHARES = [round(step * 0.05, 2) for step in range(21)]
"""Shares of the first head, as the paper searches them."""
TEMPERATURES = [0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 4.0]
"""Temperatures of the second head, as the paper searches them."""


class DualHead:
    """Two heads over the same states.

    Args:
        temperature: of teacher and second head.
        weight: of the second head's term; the first one's has the rest.
        accepted: which rows the first head learns: `person`, or `all`.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "teacher"})
    layers: tuple[int, ...] = (-1,)

    def __init__(
        self, temperature: float = 2.0, weight: float = 0.5, accepted: str = "person"
    ) -> None:
        if temperature <= 0 or not 0 <= weight <= 1 or accepted not in ("person", "all"):
            raise ProfileError(
                "dual_head takes a temperature above 0, a weight from 0 to 1 and accepted = "
                f"'person' or 'all', found {temperature!r}, {weight!r} and {accepted!r}"
            )
        self._temperature, self._everybody = temperature, accepted == "all"
        arguments = {"temperature": temperature, "weight": weight, "accepted": accepted}
        self.ref = PartRef("objective", "dual_head", arguments=arguments)
        self.terms: Mapping[str, Term] = {LANGUAGE: Term(1 - weight), "second": Term(weight)}

    def build(self, shapes: Shapes) -> nn.Module:
        """The second head, which begins as the first one.

        Raises:
            ProfileError: no training row was accepted by a person.
        """
        if not self._everybody and not shapes.by_person:
            raise ProfileError(
                "dual_head teaches its first head the rows that a person accepted, and the "
                "snapshot has none; accept some in Curate, or set accepted = 'all'"
            )
        words, width = shapes.head.shape
        self.second = nn.Linear(width, words, bias=False, dtype=shapes.head.dtype)
        with torch.no_grad():
            self.second.weight.copy_(shapes.head)
        return self.second

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Cross-entropy of the first head on accepted rows, divergence of the second on all."""
        assert teacher is not None, "the loop asks the teacher"
        labelled = targets.by_person | self._everybody
        first = language(student, targets)
        guess = self.second(student.states(-1).to(self.second.weight.dtype))
        each = kl(teacher.logits.to(guess.dtype), guess, self._temperature)
        return {
            LANGUAGE: torch.where(labelled, first, torch.zeros_like(first)),
            "second": self._temperature**2 * targets.mean(each, teacher.speaks),
        }

    def leave(
        self,
        weights: Mapping[str, Tensor],
        folder: Path,
        outputs: Iterable[tuple[Outputs, Targets]],
    ) -> None:
        """Choose the mixture on the held-out side, and keep the second head beside the student.

        Args:
            weights: of the second head.
            folder: of the finished student.
            outputs: the finished student's outputs for the held-out labels.
        """
        weight = weights["weight"].float()
        right = torch.zeros(len(SHARES), len(TEMPERATURES), dtype=torch.float64)
        nats, count = torch.zeros_like(right), 0
        for student, targets in outputs:
            second = student.states(-1).float() @ weight.to(student.logits.device).T
            for row, share in enumerate(SHARES):
                for column, temperature in enumerate(TEMPERATURES):
                    chances = mixture(student.logits.float(), second, share, temperature)
                    hits, loss = _judged(chances, targets)
                    right[row, column] += hits
                    nats[row, column] += loss
            count += len(targets.lessons)
        # the most answers right, then the likeliest; without a question, as the paper's middle
        best = max(
            ((row, column) for row in range(len(SHARES)) for column in range(len(TEMPERATURES))),
            key=lambda at: (float(right[at]), -float(nats[at])),
        )
        share, temperature = (SHARES[best[0]], TEMPERATURES[best[1]]) if count else (0.5, 1.0)
        figures = {
            "share": share,
            "temperature": temperature,
            "of": count,
            "right": int(right[best]),
            "first_alone": int(right[-1, 2]),
            "second_alone": int(right[0, 2]),
        }
        save_file({"weight": weight.contiguous()}, folder / "second_head.safetensors")
        text = json.dumps(figures, indent=1)
        (folder / "second_head.json").write_text(text + "\n", encoding="utf-8")


def mixture(first: Tensor, second: Tensor, share: float, temperature: float) -> Tensor:
    """Probabilities of the mixture, `(N, V)`: share softmax(first) + (1 - share) softmax(second/b).

    Args:
        first: logits of the first head.
        second: logits of the second head.
        share: of the first head.
        temperature: b.
    """
    return share * first.softmax(-1) + (1 - share) * (second / temperature).softmax(-1)


def _judged(chances: Tensor, targets: Targets) -> tuple[float, float]:
    """How many lessons are right in every token, and the sum of their losses in nats."""
    right = targets.mean((chances.argmax(-1) == targets.tokens).to(chances.dtype)) == 1
    own = chances.gather(1, targets.tokens[:, None]).squeeze(1).clamp(min=1e-30)
    return float(right.sum()), float(targets.mean(-own.log()).sum())
