"""Texts that a model did not end: at the bound of tokens they are taken away from it.

Such a text may lack its end, or say another thing than the whole would have said.  It is a text
like any other, of a type of its own, so that whoever takes it can say so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence


class UnendedText(str):
    """A text that ends at the bound of tokens, and not where its model ended it."""

    __slots__ = ()


def as_written(text: str, tokens: Sequence[int], bound: int, stops: Collection[int]) -> str:
    """The text of some tokens; an `UnendedText` where they came to the bound without an end.

    Args:
        text: of the tokens.
        tokens: what the model wrote, padding behind its end included.
        bound: most tokens that it was allowed.
        stops: tokens of which each ends a text.
    """
    ended = len(tokens) < bound or any(token in stops for token in tokens)
    return text if ended else UnendedText(text)


def cut_reason(bound: int, setting: str = "max_tokens") -> str:
    """Why a text is not whole, and what to do.

    Args:
        bound: most tokens that its model was allowed.
        setting: name of the bound.
    """
    return f"the answer was cut at {bound} tokens; raise {setting}"


def first_line(text: str) -> str:
    """The first line of a text that holds anything; of a cut text it is cut if it is the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = lines[0] if lines else ""
    cut = isinstance(text, UnendedText) and len(lines) < 2 and not text.rstrip(" ").endswith("\n")
    return UnendedText(line) if cut else line


def token_ids(ends: int | Sequence[int] | None) -> frozenset[int]:
    """The tokens that end a text, as transformers' settings of generation name them."""
    if ends is None:
        return frozenset()
    return frozenset([ends] if isinstance(ends, int) else ends)
