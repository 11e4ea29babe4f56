"""Kernel of neuro-analytic servoing: a calculation teaches, not a network.

The paper's teacher is an analytic controller.  Here it is the number that a verified program has
counted: unlike a plain label it says that 6 is nearer to 7 than 1 is.  The student gets a bell of
chances around the number.

    p(n) ~ exp(-(n - v)^2 / (2 spread^2)) over whole n from 0 on, |n - v| <= 3 spread
    what it says = the next word of the answers n, with their shares; nothing of other answers
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from workbench.errors import ProfileError
from workbench.recipes.arguments import numbers_above
from workbench.recipes.card import Card
from workbench.recipes.mixtures import next_words
from workbench.recipes.teaching import Classroom, Need, Outputs, Targets
from workbench.records import Lesson, PartRef

CARD = Card(
    name="analytic_teacher",
    port="teacher",
    paper="Kernel of neuro-analytic visual servoing: a deterministic calculation as the teacher",
    year=2025,
    grade="C",
    level="V2",
    needs=("objective",),
    provenance="R",
    idea="The number that a verified program counted teaches as a bell around it, so that a near "
    "miss costs less than a far one.",
    formula="p(n) ~ exp(-(n - v)^2 / (2 spread^2)), n = 0, 1, ..., |n - v| <= 3 spread",
    command="vpd train --objective anchor_kl --teacher analytic_teacher --set teacher.spread=0.5",
    expect="A term on questions that a number answers, and none on others; the mean error of "
    "counts "
    "was not measured yet.",
    defaults={"spread": 0.5, "smoothing": 0.01},
    sources={"spread": "ours", "smoothing": "ours: as of the teacher 'programs'"},
    traps=("A student that writes numbers in digits learns nothing of 9 from 10 by its words.",),
    not_reproduced=(
        "Servoing, and the squared error of velocities: the student has words and no numbers.",
        "Distances and boxes: only whole numbers.",
    ),
)
DIGITS = 6
"""Longer numbers are names of something, no counts."""


class AnalyticTeacher:
    """A bell around the number of a label.

    Args:
        spread: of the bell, in units of the count.
        smoothing: share that is divided equally among all words.
    """

    gives: frozenset[Need] = frozenset({"logits"})

    def __init__(self, spread: float = 0.5, smoothing: float = 0.01) -> None:
        numbers_above("analytic_teacher", 0, spread=spread, smoothing=smoothing)
        if smoothing >= 1 or spread > 100:
            raise ProfileError(
                "analytic_teacher takes a smoothing below 1 and a spread up to 100, found "
                f"{smoothing!r} and {spread!r}"
            )
        self._spread, self._smoothing = spread, smoothing
        arguments = {"spread": spread, "smoothing": smoothing}
        self.ref = PartRef("teacher", "analytic_teacher", arguments=arguments)

    def enter(self, room: Classroom) -> None:
        """Take the student's words."""
        self._room = room

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        """The bell around each label that is a number.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            needs: what is read: logits.
            layers: unused.
        """
        return next_words(targets, self._room, self.bell, self._smoothing)

    def bell(self, lesson: Lesson) -> Mapping[str, float]:
        """The shares of the answers around a lesson's number; none where it is no number."""
        text = lesson.target.strip()
        if not (text.isascii() and text.isdecimal()) or len(text) > DIGITS:
            return {}
        middle, reach = int(text), math.floor(3 * self._spread)
        weights = {
            n: math.exp(-((n - middle) ** 2) / (2 * self._spread**2))
            for n in range(max(middle - reach, 0), middle + reach + 1)
        }
        total = sum(weights.values())
        return {str(n): weight / total for n, weight in weights.items()}
