"""Python source as coloured words, line by line: data for a template or the player, not markup."""

from __future__ import annotations

from functools import cache

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

Words = tuple[tuple[str, str], ...]
"""(class, text) in order; class is "" for plain text, else one of k s n f c."""

_CLASSES = (
    (Comment, "c"),
    (String, "s"),
    (Number, "n"),
    (Operator.Word, "k"),
    (Keyword, "k"),
    (Name.Function, "f"),
    (Name.Builtin, "f"),
)

LONGEST = 200_000
"""Most characters that are coloured; a longer text stays plain: hostile programs cost nothing."""


@cache
def _class(token: _TokenType) -> str:
    return next((name for kind, name in _CLASSES if token in kind), "")


def highlight(source: str) -> list[Words]:
    """The words of each line of `source`; lines are counted as an editor counts them."""
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > LONGEST:
        return [(("", line),) for line in text.split("\n")]
    lines: list[list[tuple[str, str]]] = [[]]
    for token, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens(text):
        first, *rest = value.split("\n")
        for index, piece in enumerate((first, *rest)):
            if index:
                lines.append([])
            if piece:
                _append(lines[-1], _class(token), piece)
    if not lines[-1]:  # the newline that ends the last line begins none
        lines.pop()
    return [tuple(line) for line in lines]


def _append(line: list[tuple[str, str]], name: str, piece: str) -> None:
    """Add a piece to a line; neighbours of one class become one word, for half the elements."""
    if line and line[-1][0] == name:
        line[-1] = (name, line[-1][1] + piece)
    else:
        line.append((name, piece))
