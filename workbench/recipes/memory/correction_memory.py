"""DROC: corrections of a person are kept, and the relevant ones come back when code is written.

A program that a person edited in Step or Curate is a correction: the question, and the program as
it should have been.  When programs are sampled for a question, the corrections of the questions
most alike stand in its prompt as worked examples.  Likeness is the cosine of TF-IDF vectors over
words: a word that stands in every corrected question says little.

DROC takes the nearest k whatever their distance.  Here a correction has to share a word that tells
something, so that a memory of counting programs does not teach a question about colours.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from workbench.errors import ProfileError
from workbench.recipes.card import Card
from workbench.recipes.ports import ProgramCorrection
from workbench.records import PartRef

CARD = Card(
    name="correction_memory",
    port="memory",
    paper="DROC: Distilling and Retrieving Generalizable Knowledge for Robot Manipulation via "
    "Language Corrections",
    year=2023,
    grade="A",
    level="V2",
    provenance="C",
    link="https://github.com/Stanford-ILIAD/droc",
    idea="What people corrected in programs comes back into the prompt of like questions, so that "
    "the next round needs fewer corrections.",
    formula="idf(w) = ln((1 + n) / (1 + df(w))) + 1; v(q) = tf . idf, normalised; recall the k "
    "corrections with the highest v(q) . v(c) that is at least `least`, the nearest last",
    defaults={"mode": "nearest", "number": 3, "least": 0.2, "seed": 0},
    sources={
        "mode": "`random` is the control: as many corrections, drawn",
        "number": "the released code's count for plans (its parameter is called threshold)",
        "least": "ours: the released code has no cut-off",
    },
    command="vpd run --memory correction_memory --limit 20 && vpd curate status",
    expect="`vpd curate status` counts the corrections of each round; the paper halves them in the "
    "first round. Nothing was measured with people here yet.",
    traps=(
        "The released parameters named threshold are counts, not distances.",
        "A correction about an evaluation question would be its answer: those are never recalled.",
        "The bundled writer was taught without examples in its prompt, and may not heed them; "
        "models that follow instructions do.",
    ),
    not_reproduced=(
        "Knowledge that a language model distils from a correction; here the program stands whole.",
        "Retrieval by the picture's features.",
    ),
)

_WORD = re.compile(r"[a-z0-9]+")


class CorrectionMemory:
    """Recalls the corrections of the questions that are most alike.

    Args:
        mode: `nearest`; or `random`, the control, which draws as many for each question.
        number: most corrections for a question.
        least: lowest likeness of a correction, 0 to 1.
        seed: of the drawing.
    """

    def __init__(
        self,
        mode: Literal["nearest", "random"] = "nearest",
        number: int = 3,
        least: float = 0.2,
        seed: int = 0,
    ) -> None:
        if mode not in ("nearest", "random"):
            raise ProfileError(
                f"correction_memory has the modes nearest and random, found {mode!r}"
            )
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise ProfileError(
                f"correction_memory needs number as a whole number from 1 on, found {number!r:.40}"
            )
        if not isinstance(least, int | float) or isinstance(least, bool) or not 0 <= least <= 1:
            raise ProfileError(
                f"correction_memory needs least as a number from 0 to 1, found {least!r:.40}"
            )
        self._mode, self._number, self._least, self._seed = mode, number, least, seed
        arguments = {"mode": mode, "number": number, "least": least, "seed": seed}
        self.ref = PartRef("memory", "correction_memory", arguments=arguments)

    def recall(
        self, question: str, corrections: Sequence[ProgramCorrection]
    ) -> Sequence[ProgramCorrection]:
        """The corrections to show for a question, the one that fits best last."""
        if self._mode == "random":
            dice = random.Random(f"{self._seed}/{question}")
            return dice.sample(list(corrections), min(self._number, len(corrections)))
        likeness = self.likeness(question, corrections)
        fits = [at for at, value in enumerate(likeness) if value > 0 and value >= self._least]
        # of equals the newest is nearest: a person may have thought again
        order = sorted(fits, key=lambda at: (likeness[at], at))[-self._number :]
        return [corrections[at] for at in order]

    def likeness(self, question: str, corrections: Sequence[ProgramCorrection]) -> list[float]:
        """How alike a question is to that of each correction, 0 to 1."""
        documents = [Counter(_words(one.question)) for one in corrections]
        frequency = Counter(word for document in documents for word in document)
        weight = {
            word: math.log((1 + len(documents)) / (1 + count)) + 1
            for word, count in frequency.items()
        }
        asked_for = _vector(Counter(_words(question)), weight, len(documents))
        vectors = [_vector(document, weight, len(documents)) for document in documents]
        return [
            sum(value * asked_for.get(word, 0.0) for word, value in vector.items())
            for vector in vectors
        ]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _vector(counts: Counter[str], weight: dict[str, float], documents: int) -> dict[str, float]:
    """The TF-IDF vector of a text, of length 1; a word that no document has weighs most."""
    new = math.log(1 + documents) + 1
    values = {word: count * weight.get(word, new) for word, count in counts.items()}
    length = math.sqrt(sum(value * value for value in values.values()))
    return {word: value / length for word, value in values.items()} if length else {}
