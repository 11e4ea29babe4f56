"""Whose error a wrong answer is, by a second run of the program with exact tools on the same scene.

When the second run is wrong too, it is the program's error; when it is right, the tools'.  Runs
that exact tools leave undecided are counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.evaluate.wrong_reasons.exact_tools import right, run_exactly, scene_of, undecided
from workbench.records import Program, Task, Trace
from workbench.shares import Share

Blamed = Literal["right", "lucky", "program", "tool", "undecided"]
"""`right` with both kinds of tools, `lucky` if wrong with exact tools; else whose error it is."""


@dataclass(frozen=True, slots=True)
class ErrorShares:
    """Number of programs by whose error their answer is."""

    right: int
    lucky: int
    program: int
    tool: int
    undecided: int

    @property
    def of(self) -> int:
        """Number of all programs."""
        return self.right + self.lucky + self.program + self.tool + self.undecided

    @property
    def program_share(self) -> Share:
        """Share of program errors among the wrong answers that could be decided."""
        return Share(self.program, self.program + self.tool)

    @property
    def tool_share(self) -> Share:
        """Share of tool errors among the wrong answers that could be decided."""
        return Share(self.tool, self.program + self.tool)

    @property
    def lucky_share(self) -> Share:
        """Share of right answers that are wrong with exact tools, among the decided right ones."""
        return Share(self.lucky, self.right + self.lucky)

    def to_json(self) -> dict[str, Any]:
        return {
            name: getattr(self, name)
            for name in ("of", "right", "lucky", "program", "tool", "undecided")
        }


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose errors a set of programs makes, altogether and by kind of question."""

    all: ErrorShares
    families: Mapping[str, ErrorShares]
    """By kind of question, in alphabetical order."""
    left_out: int
    """Number of programs whose question has no label or no drawn scene."""

    def to_json(self) -> dict[str, Any]:
        families = {name: one.to_json() for name, one in self.families.items()}
        return {"all": self.all.to_json(), "families": families, "left_out": self.left_out}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Attribution:
        """The inverse of `to_json`."""
        families = {name: _from_json(one) for name, one in data["families"].items()}
        return cls(_from_json(data["all"]), families, data["left_out"])


def _from_json(data: Mapping[str, int]) -> ErrorShares:
    return ErrorShares(*(data[name] for name in ErrorShares.__slots__))


def attribute(rows: Sequence[tuple[Task, Program, Trace]]) -> Iterator[Blamed | None]:
    """Whose error each run's answer is, in the rows' order.

    None stands for a question without a label or a drawn scene.

    Args:
        rows: task, program and its trace with the pipeline's own tools.
    """
    scene_per_row = [scene_of(task) if task.labelled else None for task, _, _ in rows]
    scenes = {
        task.image: scene
        for (task, _, _), scene in zip(rows, scene_per_row, strict=True)
        if scene is not None
    }
    able = [
        (task, program)
        for (task, program, _), scene in zip(rows, scene_per_row, strict=True)
        if scene is not None
    ]
    exact = run_exactly(able, scenes)
    for (task, _, trace), scene in zip(rows, scene_per_row, strict=True):
        if scene is None:
            yield None
            continue
        again = next(exact)
        if undecided(again) or undecided(trace):
            yield "undecided"
        elif right(task, trace):
            yield "right" if right(task, again) else "lucky"
        else:
            yield "tool" if right(task, again) else "program"


def count(blamed: Iterable[tuple[str, Blamed | None]]) -> Attribution:
    """The figures of (family, whose error) pairs."""
    families: dict[str, Counter[str]] = {}
    left_out = 0
    for family, whose in blamed:
        if whose is None:
            left_out += 1
        else:
            families.setdefault(family, Counter())[whose] += 1
    shares = {
        name: ErrorShares(*(families[name][key] for key in ErrorShares.__slots__))
        for name in sorted(families)
    }
    every = ErrorShares(
        *(sum(getattr(one, key) for one in shares.values()) for key in ErrorShares.__slots__)
    )
    return Attribution(every, shares, left_out)
