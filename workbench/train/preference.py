"""Learning from preference pairs: DPO and KTO as objectives, and the curriculum of pairs.

DPO (Rafailov et al. 2023, arXiv 2305.18290, equation 7): -log sigmoid(beta (r_chosen -
r_rejected)), where r is the logarithm of how much more probable the student finds a text than the
reference does.
KTO (Ethayarajh et al. 2024, arXiv 2402.01306, equation 8): each text alone, against a point z0:
good (1 - sigmoid(beta (r - z0))) for what is preferred, bad (1 - sigmoid(beta (z0 - r))) for what
is not.  z0 is the mean r of texts that belong to other questions, at least 0, over a micro-batch
and without gradient, as in the authors' code.  The reference is the student before training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid

from workbench.errors import ProfileError, SnapshotError
from workbench.ports import Teachable
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.recipes.teaching import Need, Outputs, Targets, Term
from workbench.records import Lesson, PartRef
from workbench.snapshot import Example, Pair, Snapshot

CHOSEN, REJECTED, ELSEWHERE = "chosen", "rejected", "elsewhere"
"""Names of the lessons of a pair; the last one is another question's text, which KTO compares."""
PREFERENCE, REWARD, MARGIN = "preference", "reward", "margin"
"""The loss; beta times r of a text; and by how much the better text of a pair has more of it."""


class Pairs:
    """The pairs of rationales of a snapshot, in place of its examples.

    Held-out questions are asked for their short answer, and their loss is that of their pair.

    Args:
        unrelated: each pair comes with the text of another question, as KTO needs it.
    """

    def __init__(self, unrelated: bool = False) -> None:
        self._unrelated = bool(unrelated)
        self.ref = PartRef("curriculum", "pairs", arguments={"unrelated": self._unrelated})
        self._other: dict[str, str] = {}
        """A text that belongs to another question, by the id of a pair."""
        self._held_out: dict[str, Pair] = {}
        """The first held-out pair of each question."""

    def rows(self, snapshot: Snapshot) -> Sequence[Pair]:
        """What is learnt from: the training side's pairs of rationales.

        Raises:
            SnapshotError: there are none.
        """
        pairs = [one for one in snapshot.pairs() if one.kind == "rationale"]
        train = [one for one in pairs if one.split == "train"]
        if not train:
            others = len(snapshot.pairs())
            raise SnapshotError(
                f"the snapshot {snapshot.hash} has no preference pair of rationales to train on "
                f"({others} pairs in all; those of programs teach a program writer: vpd export "
                "--to preferences); take one that has: vpd snapshot --pairs --both"
            )
        self._held_out = {one.task_id: one for one in reversed(pairs) if one.split == "val"}
        for at, one in enumerate(pairs):
            behind = [*pairs[at + 1 :], *pairs[:at]]
            # with one question alone its own better text has to do
            other = next((two for two in behind if two.task_id != one.task_id), one)
            self._other[one.id] = other.chosen
        return train

    def lessons(self, example: Teachable) -> Sequence[Lesson]:
        """The lessons of a pair; of a held-out question, the label's and those of its pair."""
        if isinstance(example, Pair):
            return self._of_pair(example)
        label = Lesson("label", question_text(example) + LABEL_SUFFIX, example.answer)
        pair = self._held_out.get(example.task_id) if isinstance(example, Example) else None
        return [label, *(self._of_pair(pair) if pair is not None else ())]

    def _of_pair(self, pair: Pair) -> list[Lesson]:
        prompt = question_text(pair) + RATIONALE_SUFFIX
        lessons = [Lesson(CHOSEN, prompt, pair.chosen), Lesson(REJECTED, prompt, pair.rejected)]
        if self._unrelated:
            lessons.append(Lesson(ELSEWHERE, prompt, self._other[pair.id], 0.0))
        return lessons


def log_ratios(student: Outputs, reference: Outputs, targets: Targets) -> Tensor:
    """`(L,)`: r of each lesson's text, in nats; has a gradient to the student.

    Args:
        student: who is taught.
        reference: the student before training; without gradient.
        targets: the texts.
    """

    def surprise(outputs: Outputs) -> Tensor:
        return cross_entropy(outputs.logits.float(), targets.tokens, reduction="none")

    gains = surprise(reference) - surprise(student)
    return gains.new_zeros(len(targets.lessons)).index_add(0, targets.owners, gains)


def pairs_of(targets: Targets) -> list[tuple[int, int]]:
    """Numbers of the lessons that stand against each other: the better one, then the other."""
    names = [lesson.name for lesson in targets.lessons]
    return [(at, at + 1) for at, pair in enumerate(pairwise(names)) if pair == (CHOSEN, REJECTED)]


class Dpo:
    """Direct preference optimisation: the better text of a pair rises against the other.

    Args:
        beta: how dearly the student pays for leaving the reference.
    """

    needs: frozenset[Need] = frozenset({"logits", "teacher"})
    layers: tuple[int, ...] = ()

    def __init__(self, beta: float = 0.1) -> None:
        self.beta = _positive("beta", beta)
        self.terms: Mapping[str, Term] = {
            PREFERENCE: Term(1.0, (CHOSEN, REJECTED)),
            REWARD: Term(0.0, (CHOSEN, REJECTED)),
            MARGIN: Term(0.0, (CHOSEN,)),
        }
        self.ref = PartRef("objective", "dpo", arguments={"beta": self.beta})

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """The loss of each pair, half of it at each of its texts."""
        assert teacher is not None, "there is no reference"
        rewards = self.beta * log_ratios(student, teacher, targets)
        loss, margin = rewards.new_zeros(len(rewards)), rewards.new_zeros(len(rewards))
        if pairs := pairs_of(targets):
            better, worse = (rewards.new_tensor(side).long() for side in zip(*pairs))
            half = -logsigmoid(rewards[better] - rewards[worse]) / 2
            loss = loss.index_add(0, better, half).index_add(0, worse, half)
            margin = margin.index_add(0, better, rewards[better] - rewards[worse])
        return {PREFERENCE: loss, REWARD: rewards, MARGIN: margin}


class Kto:
    """Kahneman-Tversky optimisation: each text is good or bad by itself.

    Args:
        beta: as of `Dpo`.
        good: weight of the texts that are preferred.
        bad: weight of the others.
    """

    needs: frozenset[Need] = frozenset({"logits", "teacher"})
    layers: tuple[int, ...] = ()

    def __init__(self, beta: float = 0.1, good: float = 1.0, bad: float = 1.0) -> None:
        self.beta = _positive("beta", beta)
        self.good, self.bad = _positive("good", good), _positive("bad", bad)
        self.terms: Mapping[str, Term] = {
            PREFERENCE: Term(1.0, (CHOSEN, REJECTED)),
            REWARD: Term(0.0, (CHOSEN, REJECTED)),
        }
        arguments = {"beta": self.beta, "good": self.good, "bad": self.bad}
        self.ref = PartRef("objective", "kto", arguments=arguments)

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """The loss of each text."""
        assert teacher is not None, "there is no reference"
        ratios = log_ratios(student, teacher, targets)
        chosen, rejected = (
            targets.with_names(name).to(ratios.dtype) for name in (CHOSEN, REJECTED)
        )
        elsewhere = targets.with_names(ELSEWHERE)
        point = ratios[elsewhere].detach().mean().clamp(min=0) if elsewhere.any() else 0.0
        gain = self.beta * (ratios - point)
        loss = self.good * chosen * (-gain).sigmoid() + self.bad * rejected * gain.sigmoid()
        return {PREFERENCE: loss, REWARD: self.beta * ratios}


def _positive(name: str, value: float) -> float:
    """A setting as a number.

    Raises:
        ProfileError: it is none above 0.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        raise ProfileError(f"{name} must be a number above 0, found {value!r}")
    return float(value)
