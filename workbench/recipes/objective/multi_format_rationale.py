"""EoTD's formats: one answer, told in words, as a program and as an equation.

What a student learns from one form of reasoning it misses in another.  Beside the label and the
rationale, an example teaches the program that was right, and where that program ends in arithmetic
over what it counted, the equation.

    label:     question + " Answer briefly."                   -> answer
    rationale: question + " Explain the rationale ..."         -> rationale
    program:   question + " Write a program ..."               -> the kept run's program
    equation:  question + " Write an equation ..."             -> e.g. cups + plates = 5
    L = sum over formats of weight CE, each normalised by its own length

Each format is a curve of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from workbench.parsing import parse
from workbench.ports import Teachable
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.records import Lesson, PartRef

CARD = Card(
    name="multi_format_rationale",
    port="objective",
    paper="Distilling mathematical reasoning capabilities into small language models (EoTD, ETD)",
    year=2024,
    grade="B",
    level="V2",
    provenance="R",
    link="https://arxiv.org/abs/2401.11864",
    idea="Teach the same answer in several forms of reasoning: in words, as the program that was "
    "right, and as an equation over what it counted.",
    formula="L = CE(label) + words CE(rationale) + program CE(program) + equation CE(equation)",
    command="vpd train --objective multi_format_rationale",
    expect="A curve for each format that the snapshot has; accuracy was not measured yet.",
    defaults={"words": 1.0, "program": 1.0, "equation": 1.0},
    sources={
        "words": "ours: all formats alike",
        "program": "ours: all formats alike",
        "equation": "ours: all formats alike",
    },
    traps=("A program of a wrong run is a wrong rationale: only kept runs are in a snapshot.",),
    not_reproduced=(
        "An external solver for the equations: they are made of the program's last line.",
        "A vote over the formats when the student answers; it is not in the paper's abstract.",
    ),
)
PROGRAM_SUFFIX = " Write a program that answers the question."
EQUATION_SUFFIX = " Write an equation that answers the question."


class MultiFormatRationale:
    """The label, and the reasoning in all the forms there are.

    Args:
        words: weight of the rationale; 0 leaves it out.
        program: weight of the program; 0 leaves it out.
        equation: weight of the equation; 0 leaves it out.
    """

    def __init__(self, words: float = 1.0, program: float = 1.0, equation: float = 1.0) -> None:
        weights = {"words": words, "program": program, "equation": equation}
        numbers_from("multi_format_rationale", 0, **weights)
        self._words, self._program, self._equation = words, program, equation
        self.ref = PartRef("objective", "multi_format_rationale", arguments=weights)

    def lessons(self, example: Teachable) -> Sequence[Lesson]:
        """The label's lesson, then those of the formats that the example has."""
        question, program = question_text(example), getattr(example, "program", None)
        lessons = [Lesson("label", question + LABEL_SUFFIX, example.answer)]
        formats = [
            ("rationale", RATIONALE_SUFFIX, example.rationale, self._words),
            ("program", PROGRAM_SUFFIX, program, self._program),
            ("equation", EQUATION_SUFFIX, equation_of(program, example.answer), self._equation),
        ]
        return lessons + [
            Lesson(name, question + suffix, target, weight)
            for name, suffix, target, weight in formats
            if target and weight
        ]


def equation_of(program: str | None, answer: str) -> str | None:
    """The arithmetic that a program ends in, over what it found; None where it ends otherwise.

    Args:
        program: source, or None.
        answer: what it is equal to.
    """
    if not program:
        return None
    try:
        tree = parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    values = {
        node.targets[0].id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
    }
    ends = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value]
    if len(ends) != 1:
        return None
    side = _arithmetic(ends[0], values, 0)
    return None if side is None else f"{side} = {answer}"


MOST_DEPTH = 8
"""Deeper expressions are no equations that people write."""
_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}


def _arithmetic(node: ast.expr, values: dict[str, ast.expr], depth: int) -> str | None:
    """An expression as people write it; None where it is no arithmetic over counts."""
    if depth > MOST_DEPTH:
        return None
    if isinstance(node, ast.Name) and node.id in values:
        return _arithmetic(values[node.id], values, depth + 1)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return str(node.value)
    if isinstance(node, ast.BinOp):
        return _sum(node, values, depth)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1):
        return None
    if node.func.id in ("str", "int", "formatting_answer"):
        return _arithmetic(node.args[0], values, depth)
    return _noun(node.args[0], values) if node.func.id == "len" else None


def _sum(node: ast.BinOp, values: dict[str, ast.expr], depth: int) -> str | None:
    sign = _SIGNS.get(type(node.op))
    left, right = (_arithmetic(side, values, depth + 1) for side in (node.left, node.right))
    if sign is None or left is None or right is None:
        return None
    text = f"{left} {sign} {right}"
    return f"({text})" if depth else text


def _noun(node: ast.expr, values: dict[str, ast.expr]) -> str | None:
    """The name of what was found and counted."""
    if isinstance(node, ast.Name):
        node = values.get(node.id, node)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "find"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ):
        return f"number of {node.args[0].value}"
    return None
