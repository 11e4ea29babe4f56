"""One person's habits in writing programs: names, prints, and how a step is put."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.api import STANDARD
from workbench.english import plural
from workbench.sample.prompt import HEADER
from workbench.tasks.collage.answerable import pick

TOOLS = tuple(STANDARD)
Form = Mapping[str, Any]
_WHOLE = ("What is this?", "What object is this?", "What kind of object is shown?")
ASKING = 0.1
"""Weight of a program that hands the whole question to one tool, where finding can answer it.

A writer that does not understand a question writes such a program, the shortest that there is; what
it does then should not be what it learnt to do.
"""


@dataclass(frozen=True, slots=True)
class Reference:
    """One way to answer a form."""

    source: str
    tools: frozenset[str]
    """Tools that it calls, by name."""
    exact: bool
    """Whether it is right whenever every tool is."""
    weight: float
    """How often it is learnt from, relative to the form's other ways."""


def variable(noun: str, many: bool = False) -> str:
    """A Python name for a noun: `traffic_light`, `dogs`, `sheep_list`."""
    single = re.sub(r"\W+", "_", noun.lower()).strip("_") or "item"
    single = f"{single}_patch" if single in ("object", "image", "patch") and not many else single
    if not many:
        return single
    several = re.sub(
        r"\W+", "_", plural(noun.lower()).removeprefix("pairs of ").removeprefix("pieces of ")
    ).strip("_")
    return f"{several}_list" if several == single else several


class Habits:
    """The steps that all programs share, as one person writes them; `rng` draws the person."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._whole = pick(("patch", "patch", "image_patch"), rng)
        self._asks = pick(_WHOLE, rng, (3, 1, 1))
        self._prints = bool(rng.random() < 0.7)
        self._references: list[Reference] = []

    def _add(self, weight: float, *lines: str, exact: bool = True) -> None:
        body = [f"{self._whole} = ImagePatch(image)", *(line for line in lines if line)]
        source = "\n    ".join([HEADER, *body]) + "\n"
        tools = frozenset(name for name in TOOLS if re.search(rf"\b{name}\(", source))
        self._references.append(Reference(source, tools, exact, weight))

    def _find(self, noun: str) -> str:
        return f'{self._whole}.find("{noun}")'

    def _ask(self, question: str) -> str:
        return f'{self._whole}.visual_question_answering("{question}")'

    def _say(self, text: str) -> str:
        """A line that prints a text, or an empty one where this person does not print."""
        return f'print(f"{text}")' if self._prints else ""

    def _yes(self, condition: str) -> str:
        plain = f"return formatting_answer({condition})"
        return pick((plain, f'return formatting_answer("yes" if {condition} else "no")'), self._rng)
