"""Text from a model, a dataset or a file name, without its effect in a terminal or a prompt."""

from __future__ import annotations

import unicodedata

LONGEST = 2000
"""Characters of one text that are kept."""


def safe(text: object, longest: int = LONGEST, lines: bool = False) -> str:
    """Text from a model, a dataset or a file name, harmless in a terminal.

    Control characters (escape sequences among them), invisible formatting (text direction) and lone
    surrogates are shown as `\\x1b` and the like; long text is cut.

    Args:
        text: anything; its `str` is taken.
        longest: number of characters that are kept.
        lines: keep line breaks and tabs.
    """
    whole = str(text)
    cut = whole[:longest]
    harmless = "".join(
        char
        if (lines and char in "\n\t") or unicodedata.category(char) not in _UNSAFE
        else _escape(char)
        for char in cut
    )
    return harmless + f"… ({len(whole) - longest} more characters)" * (len(whole) > longest)


_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode()
