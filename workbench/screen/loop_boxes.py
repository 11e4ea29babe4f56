"""What a loop is about stays in sight: its variable's boxes, faint, at every step of a round."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace

from workbench.parsing import parse
from workbench.screen.steps import Step, StepBox


def add_loop_boxes(steps: Sequence[Step], source: str) -> None:
    """Give each step inside a `for` the boxes of the loop's variable, with the role `loop`.

    Args:
        steps: of one run.
        source: the program's text; nothing is added where it cannot be read.
    """
    ends = _loops(source)
    rounds: dict[tuple[int, int], list[StepBox]] = {}
    for step in steps:
        if step.form == "for":
            rounds[step.frame, step.line] = list(step.boxes)
        names = {one.patch for one in step.boxes}
        for (frame, line), boxes in rounds.items():
            if frame == step.frame and line < step.line <= ends.get(line, 0):
                fresh = [one for one in boxes if one.patch not in names]
                step.boxes += [replace(one, role="loop") for one in fresh]
                names |= {one.patch for one in fresh}


def _loops(source: str) -> Mapping[int, int]:
    """The last line of each `for`, by its first one."""
    try:
        tree = parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For)]
    return {node.lineno: node.end_lineno or node.lineno for node in loops}
