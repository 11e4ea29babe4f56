"""What a model thinks aloud before it answers, apart from the answer."""

from __future__ import annotations

import re

_TAGS = r"(?:seed:)?(?:think|thinking|thought|reasoning|reflection)"
_THOUGHT = re.compile(
    rf"<{_TAGS}>|\[THINK\]|◁think▷|<\|begin_of_thought\|>|<\|start_thinking\|>"
    r"|<\|channel\|>analysis",
    re.IGNORECASE,
)
"""Where a thought begins; `_end_of` says what ends it."""
_THOUGHT_END = re.compile(
    rf"</{_TAGS}>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>|<\|end_thinking\|>", re.IGNORECASE
)
_OTHER_ENDS = {
    "<|channel|>analysis": "<|end|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|start_thinking|>": "<|end_thinking|>",
}
"""Ends of thoughts that are not the beginning with a slash."""


def apart(text: str) -> tuple[str, str]:
    """The thoughts of a text, and the rest; a thought without an end goes on to the text's."""
    thoughts, pieces, at = [], [], 0
    low = text.lower()
    if len(low) != len(text):  # a few letters have longer small forms
        low = text
    while start := _THOUGHT.search(text, at):
        mark = _end_of(start[0] if low is text else start[0].lower())
        place = low.find(mark, start.end())
        end = len(text) if place < 0 else place + len(mark)
        thoughts.append(text[start.start() : end])
        pieces.append(text[at : start.start()])
        at = end
    rest = "\n".join([*pieces, text[at:]])
    closing = list(_THOUGHT_END.finditer(rest))
    if closing:  # the chat template opened the thought, so that the reply only ends it
        end = closing[-1].end()
        thoughts.append(rest[:end])
        rest = rest[end:]
    return "\n".join(thought.strip() for thought in thoughts), rest


def unclosed(text: str) -> tuple[str, str]:
    """The mark of a thought that a text leaves open, and the one that ends it; empty for none."""
    marks = list(_THOUGHT.finditer(text))
    if not marks:
        return "", ""
    end = _end_of(marks[-1][0])
    is_closed = end.lower() in text[marks[-1].end() :].lower()
    return ("", "") if is_closed else (marks[-1][0], end)


def answer_of(text: str) -> str:
    """A text without its thoughts."""
    return apart(text)[1].strip()


def _end_of(opening: str) -> str:
    """What ends a thought, in capitals where its beginning is: a model knows one spelling."""
    other = _OTHER_ENDS.get(opening.lower())
    if other is None:
        return f"{opening[0]}/{opening[1:]}"
    return other.upper() if opening.isupper() else other
