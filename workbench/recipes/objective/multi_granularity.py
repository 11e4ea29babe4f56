"""MGD's granularities: answer, step and token, over rows with and without a person's word.

Rows that a person accepted teach by their own words.  On the others the teacher's likeliest words
are the labels.  On all of them the mean logits of a lesson are drawn to the teacher's, as one view
of the whole, and so are the cosines between the states of its target tokens, as a view of how its
parts hang together.

    pseudo = CE(s, argmax t) on rows that nobody accepted
    whole  = sum over words |mean_tokens z_s - mean_tokens z_t|
    parts  = mean over pairs of tokens (cos_s - cos_t)^2
    L = language on accepted rows + pseudo_weight pseudo + whole_weight whole + parts_weight parts
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.errors import ProfileError
from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.recipes.features import lesson_means, real
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Targets, Term, language
from workbench.records import PartRef

CARD = Card(
    name="multi_granularity",
    port="objective",
    paper="MGD: multi-granularity distillation scheme towards lightweight segmentation",
    year=2022,
    grade="B",
    level="V2",
    needs=("teacher",),
    provenance="C",
    link="https://github.com/JayQine/MGD-SSSS",
    idea="A few rows that people accepted and many that nobody looked at: the first teach by their "
    "words, the others by the teacher's, and all by how an answer hangs together.",
    formula="L = language on accepted rows + pseudo CE(s, argmax t) on others + whole sum|mean z_s "
    "- mean z_t| + parts mean (cos_s - cos_t)^2",
    command="vpd train --student bundled --objective multi_granularity --teacher bundled "
    "--set arguments.accepted=all",
    expect="Three more curves, pseudo, whole and parts; pseudo is absent where every row counts as "
    "accepted.  Accuracy was not measured yet.",
    defaults={"pseudo": 1.0, "whole": 0.002, "parts": 100.0, "accepted": "person"},
    sources={
        "pseudo": "the released code: 1",
        "whole": "the released code: 0.002 for VOC",
        "parts": "the released code: 100",
        "accepted": "ours: rows that a person accepted are the labelled ones",
    },
    traps=("The whole term is a sum over words, so that its weight depends on the vocabulary.",),
    not_reproduced=(
        "A second teacher, and CutMix: the paper labels mixtures of pictures.",
        "Pooled maps of 7 by 7 places: here the parts are the target tokens.",
    ),
)


class MultiGranularity:
    """Language, the teacher's words, and two views of how an answer hangs together.

    Args:
        pseudo: weight of the teacher's words on rows that nobody accepted.
        whole: weight of the mean logits.
        parts: weight of the cosines between target tokens.
        accepted: which rows teach by their own words: `person`, or `all`.
    """

    needs: frozenset[Need] = frozenset({"logits", "hidden", "teacher"})
    of_teacher: frozenset[Need] = frozenset({"logits", "hidden"})
    layers: tuple[int, ...] = (-1,)

    def __init__(
        self,
        pseudo: float = 1.0,
        whole: float = 0.002,
        parts: float = 100.0,
        accepted: str = "person",
    ) -> None:
        numbers_from("multi_granularity", 0, pseudo=pseudo, whole=whole, parts=parts)
        if accepted not in ("person", "all"):
            raise ProfileError(
                f"multi_granularity takes accepted = 'person' or 'all', found {accepted!r:.40}"
            )
        self._everybody = accepted == "all"
        arguments = {"pseudo": pseudo, "whole": whole, "parts": parts, "accepted": accepted}
        self.ref = PartRef("objective", "multi_granularity", arguments=arguments)
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(),
            "pseudo": Term(pseudo),
            "whole": Term(whole),
            "parts": Term(parts),
        }

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """The four terms of each lesson."""
        assert teacher is not None, "the loop asks the teacher"
        labelled = targets.by_person | self._everybody
        own = language(student, targets)
        s, t = real(student.logits), real(teacher.logits)
        words = targets.mean(nn.functional.cross_entropy(s, t.argmax(-1), reduction="none"))
        return {
            LANGUAGE: torch.where(labelled, own, torch.zeros_like(own)),
            "pseudo": torch.where(labelled, torch.zeros_like(words), words),
            "whole": (lesson_means(s, targets) - lesson_means(t, targets)).abs().sum(-1),
            "parts": torch.stack(
                [
                    (cosines(student, targets, at) - cosines(teacher, targets, at)).square().mean()
                    for at in range(len(targets.lessons))
                ]
            ),
        }


def cosines(outputs: Outputs, targets: Targets, lesson: int) -> Tensor:
    """The cosine of every two target tokens of a lesson, by their last states, `(n, n)`.

    Args:
        outputs: of student or teacher.
        targets: whose tokens they are.
        lesson: its number.
    """
    own = nn.functional.normalize(real(outputs.states(-1)[targets.owners == lesson]), dim=-1)
    return own @ own.mT
