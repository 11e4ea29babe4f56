"""After MulKI: two teachers keep a student in its second round: the round before, and the
beginning.

The student of the round before knows what was learnt there; the model that everything began with
knows what every round may lose.  For each lesson the surer of the two says more.

    c_e = mean over the target's tokens of teacher e's highest chance
    w = softmax_e(c_e / heat)
    what it says = log sum_e w_e softmax(z_e)

KL from this mixture has the gradient of w_0 KL(t_0 || s) + w_1 KL(t_1 || s).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from workbench.recipes.arguments import numbers_above
from workbench.recipes.card import Card
from workbench.recipes.mixtures import ask, confidence, log_mixture, members
from workbench.recipes.teaching import Classroom, Need, Outputs, Targets, Teacher
from workbench.records import PartRef

CARD = Card(
    name="continual_pair",
    port="teacher",
    paper="MulKI: multi-stage knowledge integration of vision-language models for continual "
    "learning",
    year=2026,
    grade="B",
    level="V2",
    needs=("objective",),
    provenance="R",
    link="https://arxiv.org/abs/2411.06764",
    idea="In a second round of training the student of the round before and the model that it all "
    "began with teach together; of each lesson, the surer one says more.",
    formula="t = log sum_e w_e softmax(z_e), w = softmax_e(mean highest chance of e / heat)",
    command="vpd train --student bundled --objective anchor_kl --teacher continual_pair "
    "--set teacher.first=bundled --set teacher.last=bundled",
    expect="The objective's own curves; how much of the first round is kept was not measured yet.",
    defaults={"first": "bundled", "last": "bundled", "heat": 0.1},
    sources={
        "first": "ours: what every bundled round begins with",
        "last": "ours: to be set to the job of the round before",
        "heat": "ours: the paper's weights were not reached",
    },
    traps=("Being sure is not being right: a teacher that is wrong and sure says most.",),
    not_reproduced=(
        "Prototypes, and the relations within and between pictures and texts.",
        "The formula of the paper's weights was not reached; confidence is ours.",
    ),
)


class ContinualPair:
    """The first model and the last one, the surer the more.

    Args:
        first: the checkpoint that all rounds begin with.
        last: the checkpoint of the round before.
        heat: divides the confidences; a high one gives both the same weight.
    """

    gives: frozenset[Need] = frozenset({"logits"})

    def __init__(self, first: str = "bundled", last: str = "bundled", heat: float = 0.1) -> None:
        numbers_above("continual_pair", 0, heat=heat)
        self._paths, self._heat = (first, last), heat
        arguments = {"first": first, "last": last, "heat": heat}
        self.ref = PartRef("teacher", "continual_pair", arguments=arguments)

    def enter(self, room: Classroom) -> None:
        """Load both models.

        Raises:
            InputError: one of them cannot teach this student.
        """
        self.pair: list[Teacher] = members("continual_pair", room, self._paths)

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        """The mixture for each target token.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            needs: what is read: logits.
            layers: unused.
        """
        both = ask(self.pair, targets)
        sure = torch.stack([confidence(one, targets) for one in both])
        weights = (sure / self._heat).softmax(0)[:, targets.owners]
        return Outputs(
            logits=log_mixture([one.logits for one in both], weights),
            places=both[0].places,
            mask=both[0].mask,
            image=both[0].image,
        )
