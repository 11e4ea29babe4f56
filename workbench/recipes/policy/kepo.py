"""KEPO: the student's own answers, judged by the verifier, with a teacher where they are right.

GRPO raises the probability of answers that are better than their group.  Where no answer of a group
is right it learns nothing; there the question is asked again with a hint, and answers to that stand
in the group under the question's own prompt.  A teacher is followed only in answers that are right,
so that it does not pull the student along wrong paths.

    A_i = (r_i - mean r) / (std r + 1e-4)                   std: unbiased, over the group
    L = mean_i (-A_i mean_tokens log p(answer_i)) + distil mean_gated GJSD(t, s)
    gated: r_i >= tau;   GJSD = b KL(t||M) + (1 - b) KL(s||M),  M = b t + (1 - b) s

Each answer is used for one step right after it is drawn, so that the ratio of new to old
probabilities, which GRPO clips, is 1.  The hint is the rationale of the question's program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

import torch
from torch import Tensor

from workbench.errors import ProfileError
from workbench.recipes.card import Card
from workbench.recipes.maths import jensen_shannon
from workbench.recipes.teaching import LANGUAGE, Need, Outputs, Targets, Term, language
from workbench.records import Lesson, PartRef

CARD = Card(
    name="kepo",
    port="policy",
    paper="KEPO: knowledge-enhanced preference optimisation with gated distillation and hints",
    year=2026,
    grade="A",
    level="V1",
    needs=("teacher",),
    provenance="X+",
    link="https://arxiv.org/abs/2602.00400",
    idea="Reward the student's own right answers, follow a teacher only there, and hint at the way "
    "where none is right.",
    formula="L = mean_i (-A_i mean_tok log p_i) + distil mean_gated GJSD(t, s; beta); "
    "A_i = (r_i - mean) / (std + 1e-4), std unbiased",
    command="vpd train --student bundled --teacher bundled --set policy.part=kepo",
    expect="The curves reward and hints: how often answers are right, and how often a hint was "
    "needed.  In accuracy it was not measured yet.",
    defaults={
        "answers": 8,
        "temperature": 1.0,
        "tau": 1.0,
        "distil": 1.0,
        "beta": 0.5,
        "hinted": 2,
        "tries": 5,
    },
    sources={
        "answers": "the paper's n = 8",
        "tau": "the released gate of 1; here on the verifier's score alone",
        "distil": "the released weight of 1",
        "beta": "the released 0.5",
        "hinted": "the released 2",
        "tries": "the released 5",
    },
    traps=(
        "The release gates on accuracy plus format, so that a well-formed wrong answer passes.",
        "With an empty gate the released term is 0/0; here it is 0.",
        "The release draws the two places with replacement, and one hint replaces answers of all "
        "questions of the batch; here of its own question, in two places.",
    ),
    not_reproduced=(
        "Several updates for one set of answers, and the clipping that they need.",
        "The hint is not written by the teacher: it is the rationale of the program.",
        "The divergence from the start of training, whose weight is 0 in the release.",
        "It does not run on TRL: the loop's own steps, checkpoints and verifier are used.",
    ),
)
ANSWER, GATED = "answer", "right answer"
"""Names of the two lessons of each answer."""


class Kepo:
    """Answers by their advantage, and the teacher in right ones.

    Args:
        answers: G, for each question.
        temperature: at which the student answers.
        tau: reward from which the teacher is followed.
        distil: weight of the teacher.
        beta: the teacher's share in the mixture.
        hinted: how many answers with a hint take part.
        tries: how often a hint is tried until every answer with it is right; 0 for no hints.
    """

    needs: frozenset[Need] = frozenset({"logits", "teacher"})
    layers: tuple[int, ...] = ()

    def __init__(
        self,
        answers: int = 8,
        temperature: float = 1.0,
        tau: float = 1.0,
        distil: float = 1.0,
        beta: float = 0.5,
        hinted: int = 2,
        tries: int = 5,
    ) -> None:
        if answers < 2 or temperature <= 0 or not 0 < beta < 1 or not 0 <= hinted <= answers:
            raise ProfileError(
                "kepo takes 2 answers or more, a temperature above 0, beta between 0 and 1 and at "
                f"most as many hinted as answers; found answers {answers!r}, temperature "
                f"{temperature!r}, beta {beta!r}, hinted {hinted!r}"
            )
        self.answers, self.heat, self.tries = answers, temperature, tries
        self._tau, self._beta, self._hinted = tau, beta, hinted
        arguments = {
            "answers": answers,
            "temperature": temperature,
            "tau": tau,
            "distil": distil,
            "beta": beta,
            "hinted": hinted,
            "tries": tries,
        }
        self.ref = PartRef("policy", "kepo", arguments=arguments)
        self.terms: Mapping[str, Term] = {
            LANGUAGE: Term(1.0, (ANSWER, "label", "rationale")),
            "distil": Term(distil, (GATED,)),
        }

    def wants_hint(self, rewards: Sequence[float]) -> bool:
        """Whether no answer is right."""
        return self._hinted > 0 and not any(rewards)

    def replaced(self, hinted: Sequence[float]) -> int:
        """As many as the settings say where every answer with the hint is right, else none."""
        return self._hinted if all(reward >= self._tau for reward in hinted) else 0

    def lessons(
        self, question: Lesson, texts: Sequence[str], rewards: Sequence[float]
    ) -> Sequence[Lesson]:
        """Each answer twice: by its advantage, and with the teacher where it is right.

        Args:
            question: gives the prompt, which holds no hint.
            texts: the answers.
            rewards: of the answers.
        """
        right = [reward >= self._tau and bool(text) for text, reward in zip(texts, rewards)]
        gate = 1 / max(sum(right), 1)
        by_reward = [
            Lesson(ANSWER, question.prompt, text, value / len(texts), question.example)
            for text, value in zip(texts, advantages(rewards), strict=True)
        ]
        by_teacher = [
            Lesson(GATED, question.prompt, text, gate if passes else 0.0, question.example)
            for text, passes in zip(texts, right, strict=True)
        ]
        return [*by_reward, *by_teacher]

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Cross-entropy of answers, and the divergence from the teacher in right ones."""
        assert teacher is not None, "the loop asks the teacher"
        gated = targets.with_names(GATED)
        first = language(student, targets)
        s, t = (
            one if one.dtype == torch.float64 else one.float()
            for one in (student.logits, teacher.logits)
        )
        apart = targets.mean(jensen_shannon(t, s, self._beta), teacher.speaks)
        nothing = torch.zeros_like(first)
        return {
            LANGUAGE: torch.where(gated, nothing, first),
            "distil": torch.where(gated, apart, nothing),
        }


def advantages(rewards: Sequence[float]) -> list[float]:
    """How much better each answer is than its group, in units of the group's spread."""
    middle, spread = mean(rewards), stdev(rewards)
    return [(reward - middle) / (spread + 1e-4) for reward in rewards]
