"""The program in a model's answer, without fences, chatter and what follows the function."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*[\w+.-]*[ \t]*$", re.MULTILINE)
_START = re.compile(r"^(?:def execute_command\b|from \w|import \w|def \w+\()", re.MULTILINE)
_TOP_LEVEL = ("def ", "from ", "import ", "@", "class ", "#")
LONGEST = 20_000
"""Most characters of a completion; the rest is ignored."""


def extract_program(text: str) -> str:
    """The source of `execute_command` in a completion, with helpers and imports before it.

    It ends in one newline.  Where there is no such function, it is the completion itself, stripped:
    as a program it fails with a message that quotes its own line, which is better than a guess.
    The text is hostile; in front of a completion that continues the header the header has to stand.
    """
    text = text[:LONGEST].replace("\r\n", "\n").replace("\t", "    ")
    block = next((part for part in _FENCE.split(text) if "def execute_command" in part), text)
    start = _START.search(block)
    if start is None or "def execute_command" not in block:
        return text.strip() + "\n"
    lines = block[start.start() :].splitlines()
    return "\n".join(_function(lines)).rstrip() + "\n"


def _function(lines: list[str]) -> list[str]:
    """The lines up to the end of `execute_command`, which chatter at the left margin ends."""
    inside = False
    for number, line in enumerate(lines):
        if line.startswith("def execute_command"):
            inside = True
        elif inside and line.strip() and not line[0].isspace() and line[0] != ")":
            return lines[:number]
        elif (
            not inside
            and line.strip()
            and not line[0].isspace()
            and not line.startswith(_TOP_LEVEL)
        ):
            first = next(
                i for i, later in enumerate(lines) if later.startswith("def execute_command")
            )
            return _function(lines[first:])
    return lines


def is_complete(body: str) -> bool:
    """Whether a completion of the header has come to the end of the function.

    A fence ends it, and so does text at the left margin.
    """
    _, _, rest = body.partition("\n")
    return "```" in body or re.search(r"^[^\s)]", rest, re.MULTILINE) is not None
