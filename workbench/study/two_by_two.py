"""Pipeline against student: who is right, question by question, and whether that may be chance.

The two answers to one question belong together, so the test is McNemar's (Psychometrika 12, 1947),
in its exact form: under chance alone, of the questions that exactly one side got right, each side
has half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.errors import InputError
from workbench.evaluate.statistics.comparisons import mcnemar
from workbench.shares import Share
from workbench.store import Outcome
from workbench.verify.answers import RIGHT

Counting = Literal["any", "vote", "first"]
COUNTINGS: Mapping[Counting, str] = {
    "first": "the first program is right (k = 1)",
    "vote": "the most frequent answer of the k programs is right",
    "any": "best of k by the label: any of the k programs is right",
}
"""When the pipeline counts as right.

Curation works with `any`.  It is no way of answering, since the label chooses among the programs:
it has no p value.
"""

Cell = Literal["both", "pipeline", "student", "neither"]
CELLS: Mapping[Cell, str] = {
    "both": "both right",
    "pipeline": "pipeline right, student wrong",
    "student": "student right, pipeline wrong",
    "neither": "neither right",
}
FILTERS: Mapping[Cell, str] = {
    "both": "right>=1 student:right",
    "pipeline": "right>=1 student:wrong",
    "student": "right<1 student:right",
    "neither": "right<1 student:wrong",
}
"""The query that shows a cell in Browse, counted by `any`."""


@dataclass(frozen=True, slots=True)
class Table:
    """Number of questions by who is right."""

    both: int = 0
    pipeline: int = 0
    student: int = 0
    neither: int = 0
    by_label: bool = False
    """Whether the label chose among the programs; then the two sides cannot be tested."""

    @property
    def of(self) -> int:
        return self.both + self.pipeline + self.student + self.neither

    @property
    def pipeline_right(self) -> Share:
        return Share(self.both + self.pipeline, self.of)

    @property
    def student_right(self) -> Share:
        return Share(self.both + self.student, self.of)

    @property
    def p(self) -> float | None:
        """McNemar's exact two-sided p.

        None where no question separates the two, or where the label chose.
        """
        return None if self.by_label else mcnemar(self.pipeline, self.student)

    def to_json(self) -> dict[str, Any]:
        """Plain values: counts, shares with their intervals, and p."""
        shares = {"pipeline_right": self.pipeline_right, "student_right": self.student_right}
        return {
            **{cell: getattr(self, cell) for cell in CELLS},
            "of": self.of,
            **{
                name: {"value": s.value, "low": s.interval[0], "high": s.interval[1]}
                for name, s in shares.items()
            },
            "p": self.p,
        }


@dataclass(frozen=True, slots=True)
class TwoByTwo:
    """Pipeline and student over a project's labelled questions that both have answered."""

    counting: Counting
    all: Table
    families: Mapping[str, Table]
    tools: Mapping[str, Table]
    """By tool, the questions with a program that calls it; a question may count several times."""
    left_out: int
    """Number of questions without a label, verdicts or the student's answer."""

    def to_json(self) -> dict[str, Any]:
        return {
            "counting": self.counting,
            "all": self.all.to_json(),
            "families": {name: table.to_json() for name, table in self.families.items()},
            "tools": {name: table.to_json() for name, table in self.tools.items()},
            "left_out": self.left_out,
        }


def compare(outcomes: Iterable[Outcome], counting: Counting = "any") -> TwoByTwo:
    """The 2x2 table and its slices, the largest first.

    A small p among twenty slices is not a finding yet.

    Raises:
        InputError: there is no such way of counting.
    """
    cells: Counter[Cell] = Counter()
    families: dict[str, Counter[Cell]] = {}
    tools: dict[str, Counter[Cell]] = {}
    left_out = 0
    for outcome in outcomes:
        cell = cell_of(outcome, counting)
        if cell is None:
            left_out += 1
            continue
        cells[cell] += 1
        families.setdefault(outcome.family, Counter())[cell] += 1
        for tool in outcome.tools:
            tools.setdefault(tool, Counter())[cell] += 1
    return TwoByTwo(
        counting,
        _table(cells, counting),
        _tables(families, counting),
        _tables(tools, counting),
        left_out,
    )


def in_cell(outcomes: Iterable[Outcome], cell: Cell, counting: Counting = "any") -> list[str]:
    """Ids of a cell's questions, in order of import.

    Args:
        outcomes: of the questions.
        cell: which of the four.
        counting: when the pipeline counts as right.

    Raises:
        InputError: there is no such cell or way of counting.
    """
    if cell not in CELLS:
        raise InputError(f"no cell is called '{cell}'; there are: {', '.join(CELLS)}")
    return [outcome.task_id for outcome in outcomes if cell_of(outcome, counting) == cell]


def cell_of(outcome: Outcome, counting: Counting = "any") -> Cell | None:
    """The cell of a question; None without a label or without the answers of both sides.

    Raises:
        InputError: there is no such way of counting.
    """
    if counting not in COUNTINGS:
        raise InputError(
            f"the pipeline cannot be counted by '{counting}'; there are: {', '.join(COUNTINGS)}"
        )
    if not outcome.labelled or outcome.status == "waiting" or outcome.student_score is None:
        return None
    pipeline, student = _right(outcome, counting), outcome.student_score >= RIGHT
    if pipeline:
        return "both" if student else "pipeline"
    return "student" if student else "neither"


def _right(outcome: Outcome, counting: Counting) -> bool:
    if counting == "any":
        return outcome.correct > 0
    if counting == "first":
        return bool(outcome.runs) and outcome.runs[0].result == "right"
    return any(run.index == outcome.vote and run.result == "right" for run in outcome.runs)


def _tables(slices: Mapping[str, Counter[Cell]], counting: Counting) -> dict[str, Table]:
    order: Sequence[str] = sorted(slices, key=lambda name: (-slices[name].total(), name))
    return {name: _table(slices[name], counting) for name in order}


def _table(cells: Counter[Cell], counting: Counting) -> Table:
    counts = (cells["both"], cells["pipeline"], cells["student"], cells["neither"])
    return Table(*counts, by_label=counting == "any")
