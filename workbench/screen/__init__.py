"""What a page or a notebook is shown, made from what the store holds: plain values and the step
player that draws them.

Files:
    charts/        a project's figures as charts, for the Dashboard and the report
    credit.py      what each tool call is worth, in words
    decide.py      what a person says of a question, stored as an event
    head.py        the head of a run: the player's model with the rationale and the first wrong step
    highlight.py   Python source in colours
    loop_boxes.py  the boxes of a loop's variable, through its rounds
    loop_steps.py  the loop as six steps with counts, and which of them makes sense next
    part_names.py  short names of parts, by which those that differ are told apart
    player.py      what the step player is given: model, folds, variables
    review.py      one question as a curator sees it
    static/        the step player: ES modules that import nothing but each other, and its styles
    step_pictures.py  what a step looked at and what it made, beside each other
    steps.py       trace events to the player's steps
    views.py       records in words for people
"""

from __future__ import annotations

import re
from pathlib import Path

PLAYER = Path(__file__).resolve().parent / "static"
"""Folder of the player's modules (`player.js` mounts it) and of `player.css`."""

_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=[a-z])", re.MULTILINE)


def joined_scripts(*paths: Path, bare: bool = False) -> str:
    """The player's modules and others as one script without imports, in this order.

    Args:
        paths: modules that import from the player and from each other.
        bare: without exports too, for the body of a function.
    """
    texts = (path.read_text(encoding="utf-8") for path in (*sorted(PLAYER.glob("*.js")), *paths))
    script = "\n".join(_IMPORT.sub("", text) for text in texts)
    return _EXPORT.sub("", script) if bare else script
