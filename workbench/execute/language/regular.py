"""Regular expressions: read by Python's own parser, written again for the sandbox's engine.

Monty's engine accepts other patterns than Python does and reads some of the same ones otherwise
(`[a&&b]`, `\\<`, `(?<n>...)`, `a{2}{3}`, `\\1px` in a template).  So Python's parser reads every
pattern, in this process and without running it, and what it has understood is written in a form
that the engine reads in one way only.  What the two would still match differently is refused.
The engine keeps a bound on its work, so that no pattern runs for ever.
"""

from __future__ import annotations

import ast
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from workbench.execute.language.tables import OF_THE_PRELUDE

_parser: Any = import_module("re._parser")
_codes: Any = import_module("re._constants")

LONGEST = 2000
"""Most characters of a pattern."""
LARGEST = 1000
"""Largest number of repeats that a pattern may ask for."""

_IGNORECASE, _MULTILINE, _DOTALL = int(re.I), int(re.M), int(re.S)
_ASCII, _LOCALE = int(re.A), int(re.L)

_PARSING = threading.Lock()
"""`warnings.catch_warnings` holds for all threads."""


class Unreadable(Exception):
    """The sandbox's engine cannot be held to what Python makes of a pattern."""


@dataclass(frozen=True, slots=True)
class Expression:
    """What the sandbox has to know of a pattern."""

    plain: str
    """The pattern for a text of ASCII characters alone."""
    wide: str
    """The pattern for any text."""
    groups: int
    """Number of its groups."""
    names: Mapping[str, int]
    """Its groups by name."""
    may_be_empty: bool
    """Whether it may match the empty text."""
    flags: int
    """Python's flags of it, those inside the pattern included."""
    ignores_case: bool
    """Whether some part of it takes capitals for small letters."""


@lru_cache(maxsize=512)
def expression(pattern: str, flags: int) -> Expression:
    """A pattern as the sandbox's engine reads it.

    Raises:
        re.error: Python refuses the pattern.
        Unreadable: the engine would match otherwise than Python.
    """
    if len(pattern) > LONGEST:
        raise Unreadable(f"a pattern of more than {LONGEST} characters")
    try:
        with _PARSING, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = _parser.parse(pattern, flags)
    except (RecursionError, OverflowError) as error:
        raise Unreadable(f"a pattern that Python cannot read ({error})") from error
    except ValueError as error:  # flags that do not go together
        raise Unreadable(f"a pattern with these flags ({error})") from error
    all_flags = tree.state.flags
    if all_flags & (_ASCII | _LOCALE):
        raise Unreadable("the flags re.ASCII and re.LOCALE")
    writers = [_PatternWriter(tree.state, wide) for wide in (False, True)]
    plain, wide = (writer.whole(tree, all_flags) for writer in writers)
    return Expression(
        plain,
        wide,
        tree.state.groups - 1,
        dict(tree.state.groupdict),
        tree.getwidth()[0] == 0,
        all_flags,
        writers[0].ignores_case,
    )


def _symbol(character: int) -> str:
    """One character, written so that it means itself wherever it stands."""
    letter = chr(character)
    if letter.isascii():
        return letter if letter.isalnum() else f"\\x{character:02x}"
    if 0xD800 <= character < 0xE000:
        raise Unreadable("half of a surrogate pair in a pattern")
    return letter


_CATEGORIES: Mapping[str, tuple[str, str]] = {
    "CATEGORY_DIGIT": ("0-9", r"\p{Nd}"),
    "CATEGORY_SPACE": (r"\t-\r\x1c-\x20", r"\t-\r\x1c-\x20\x85\p{Z}"),
    "CATEGORY_WORD": ("A-Za-z0-9_", r"\p{L}\p{N}_"),
}
"""What `\\d`, `\\s` and `\\w` stand for in a text of ASCII characters, and in any text."""


Question = tuple[str, int, str | None]
"""Pattern, flags, and the replacement or None."""
Answer = tuple[Any, ...]
"""What the prelude is told: a word for what it is, then the facts."""


def answer(question: object) -> Answer:
    """What the prelude asks of a pattern, or of a replacement for it.

    Args:
        question: Pattern, flags, and the replacement or None.
    """
    match question:
        case (str() as pattern, int() as flags, None | str() as replacement):
            try:
                return _answer(pattern, flags, replacement)
            except re.error as error:
                return ("error", str(error))
            except IndexError as error:
                return ("index", str(error))
            except Unreadable as error:
                return ("refused", str(error))
    return ("refused", "a pattern that is no text")


def _answer(pattern: str, flags: int, replacement: str | None) -> Answer:
    facts = expression(pattern, flags)
    if replacement is not None:
        return ("template", template(replacement, facts.groups, facts.names))
    return (
        "pattern",
        facts.plain,
        facts.wide,
        facts.groups,
        list(facts.names.items()),
        facts.may_be_empty,
        facts.flags,
        facts.ignores_case,
    )


def constant_questions(nodes: Iterable[ast.AST], modules: Mapping[str, str]) -> list[Question]:
    """What a program will ask of the patterns that stand in it as texts.

    Asked before it starts, they cost it no turn, and it may use them where it cannot wait.

    Args:
        nodes: All syntax nodes of the program.
        modules: Modules by the names under which the program imported them.
    """
    questions: list[Question] = []
    if "re" not in modules.values():
        return questions
    for node in nodes:
        if not isinstance(node, ast.Call) or _name(node.func) not in OF_THE_PRELUDE["re"]:
            continue
        if node.args and _is_text(node.args[0]):
            pattern, flags = node.args[0].value, _flags(node)  # type: ignore[attr-defined]
            questions.append((pattern, flags, None))
            if len(node.args) > 1 and _is_text(node.args[1]):
                questions.append((pattern, flags, node.args[1].value))  # type: ignore[attr-defined]
    return questions


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is str


def _flags(call: ast.Call) -> int:
    """The flags that a call names as `re.I | re.M`, wherever they stand in it."""
    named = [
        node.attr
        for argument in [*call.args[1:], *(keyword.value for keyword in call.keywords)]
        for node in ast.walk(argument)
        if isinstance(node, ast.Attribute) and node.attr in re.RegexFlag.__members__
    ]
    return sum(int(re.RegexFlag[name]) for name in set(named))


class _PatternWriter:
    """Writes one pattern again.

    Args:
        state: The parser's notes: the groups and their names.
        wide: Whether the text may hold other characters than ASCII.
    """

    def __init__(self, state: Any, wide: bool) -> None:
        self._names = {number: name for name, number in state.groupdict.items()}
        self._wide = wide
        self.ignores_case = False
        """Whether a part that was written takes capitals for small letters."""
        self._flags = 0
        """Python's flags of the part that is being written."""
        self._write: Mapping[Any, Callable[[Any], str]] = {
            _codes.LITERAL: self._literal,
            _codes.NOT_LITERAL: lambda code: f"[^{self._literal(code)}]",
            _codes.ANY: lambda _: "(?s:.)" if self._flags & _DOTALL else r"[^\n]",
            _codes.IN: self._class,
            _codes.AT: self._position,
            _codes.BRANCH: lambda value: "(?:" + "|".join(map(self._all, value[1])) + ")",
            _codes.SUBPATTERN: self._group,
            _codes.MAX_REPEAT: lambda value: self._repeat(value, ""),
            _codes.MIN_REPEAT: lambda value: self._repeat(value, "?"),
            _codes.POSSESSIVE_REPEAT: lambda value: f"(?>{self._repeat(value, '')})",
            _codes.ATOMIC_GROUP: lambda value: f"(?>{self._all(value)})",
            _codes.ASSERT: lambda value: self._look(value, "="),
            _codes.ASSERT_NOT: lambda value: self._look(value, "!"),
        }

    def whole(self, tree: Any, flags: int) -> str:
        """The whole pattern with its flags."""
        self._flags = flags
        text = self._all(tree)
        return f"(?i:{text})" if flags & _IGNORECASE else text

    def _all(self, items: Iterable[tuple[Any, Any]]) -> str:
        return "".join(self._one(code, value) for code, value in items)

    def _one(self, code: Any, value: Any) -> str:
        write = self._write.get(code)
        self.ignores_case |= bool(self._flags & _IGNORECASE)
        if write is None:
            raise Unreadable(_WORDS.get(str(code), f"{code} in a pattern"))
        return write(value)

    def _literal(self, character: int) -> str:
        if self._flags & _IGNORECASE and not chr(character).isascii():
            raise Unreadable("re.IGNORECASE with letters that are not ASCII")
        return _symbol(character)

    def _class(self, items: Iterable[tuple[Any, Any]]) -> str:
        parts = list(items)
        negated = bool(parts) and parts[0][0] == _codes.NEGATE
        parts = parts[1:] if negated else parts
        inside = "".join(self._member(code, value) for code, value in parts)
        return f"[{'^' if negated else ''}{inside}]"

    def _member(self, code: Any, value: Any) -> str:
        if code == _codes.LITERAL:
            return self._literal(value)
        if code == _codes.RANGE:
            return f"{self._literal(value[0])}-{self._literal(value[1])}"
        name = str(value)
        negated = "_NOT_" in name
        inside = _CATEGORIES[name.replace("_NOT", "")][self._wide]
        return f"[^{inside}]" if negated else inside

    def _position(self, where: Any) -> str:
        name = str(where)
        if name in ("AT_BOUNDARY", "AT_NON_BOUNDARY"):
            return self._boundary(name == "AT_BOUNDARY")
        many = bool(self._flags & _MULTILINE)
        if name == "AT_BEGINNING" and many:
            return "(?m:^)"
        if name == "AT_END":
            return r"(?=\n|\z)" if many else r"(?=\n?\z)"
        return r"\z" if name == "AT_END_STRING" else r"\A"

    def _boundary(self, positive: bool) -> str:
        if not self._wide:
            return r"\b" if positive else r"(?:\B(?!\A\z))"
        # the engine's words have other letters than Python's
        word = f"[{_CATEGORIES['CATEGORY_WORD'][1]}]"
        second = (f"(?!{word})", f"(?={word})")
        first = second if positive else second[::-1]
        return f"(?:(?<={word}){first[0]}|(?<!{word}){first[1]})"

    def _group(self, value: tuple[Any, int, int, Any]) -> str:
        number, add, remove, items = value
        before = self._flags
        self._flags = (before | add) & ~remove
        text = self._all(items)
        ignores = self._flags & _IGNORECASE
        changes = ignores != before & _IGNORECASE
        self._flags = before
        if number is None:
            mark = "i" if ignores else "-i"
            return f"(?{mark}:{text})" if changes else f"(?:{text})"
        name = self._names.get(number)
        return f"(?P<{name}>{text})" if name else f"({text})"

    def _repeat(self, value: tuple[int, Any, Any], mark: str) -> str:
        least, most, items = value
        endless = most == _codes.MAXREPEAT
        if least > LARGEST or (not endless and most > LARGEST):
            raise Unreadable(f"more than {LARGEST} repeats in a pattern")
        narrowest, widest = items.getwidth()
        if widest == 0 or (narrowest == 0 and (endless or most > 1)):
            raise Unreadable("a repeat of what may be empty, in a pattern")
        times = f"{{{least},}}" if endless else f"{{{least},{most}}}"
        return f"(?:{self._all(items)}){times}{mark}"

    def _look(self, value: tuple[int, Any], mark: str) -> str:
        direction, items = value
        least, most = items.getwidth()
        if direction < 0 and least != most:
            raise re.error("look-behind requires fixed-width pattern")
        return f"(?{'<' if direction < 0 else ''}{mark}{self._all(items)})"


_WORDS = {
    "GROUPREF": "a group that is named again inside its pattern",
    "GROUPREF_EXISTS": "(?(group)yes|no) in a pattern",
    "FAILURE": "(?!) in a pattern",
}


_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}


def template(text: str, groups: int, names: Mapping[str, int]) -> list[str | int]:
    """A replacement, as texts and the numbers of the groups that stand between them.

    Args:
        text: The replacement as `re.sub` takes it.
        groups: Number of the pattern's groups.
        names: The pattern's groups by name.

    Raises:
        re.error: Python refuses the replacement.
        IndexError: it names a group that the pattern has not.
    """
    parts: list[str | int] = []
    at = 0
    while (start := text.find("\\", at)) >= 0:
        parts.append(text[at:start])
        part, at = _escape(text, start, groups, names)
        parts.append(part)
    parts.append(text[at:])
    return [part for part in parts if part != ""]


def _escape(text: str, start: int, groups: int, names: Mapping[str, int]) -> tuple[str | int, int]:
    """What one escape of a replacement stands for, and the place behind it."""
    if start + 1 == len(text):
        raise re.error("bad escape (end of pattern)", text, start)
    letter = text[start + 1]
    if letter == "g":
        return _named(text, start, groups, names)
    if letter in "0123456789":
        return _numbered(text, start, groups)
    if letter in _ESCAPES:
        return _ESCAPES[letter], start + 2
    if letter.isascii() and letter.isalpha():
        raise re.error(f"bad escape \\{letter}", text, start)
    return text[start : start + 2], start + 2


def _numbered(text: str, start: int, groups: int) -> tuple[str | int, int]:
    digits = re.compile(r"0[0-7]{0,2}|[0-3][0-7]{2}|[4-7][0-7]{2}|[1-9][0-9]?").match(
        text, start + 1
    )
    assert digits is not None
    number, end = digits[0], digits.end()
    if number[0] == "0" or len(number) == 3:
        value = int(number, 8)
        if value > 0o377:
            raise re.error(f"octal escape value \\{number} outside of range 0-0o377", text, start)
        return chr(value), end
    if int(number) > groups:
        raise re.error(f"invalid group reference {number}", text, start + 1)
    return int(number), end


def _named(text: str, start: int, groups: int, names: Mapping[str, int]) -> tuple[int, int]:
    if text[start + 2 : start + 3] != "<":
        raise re.error("missing <", text, start + 2)
    end = text.find(">", start + 3)
    name = text[start + 3 : end] if end >= 0 else text[start + 3 :]
    if not name:
        raise re.error("missing group name", text, start + 3)
    if end < 0:
        raise re.error("missing >, unterminated name", text, start + 3)
    if name.isidentifier():
        if name not in names:
            raise IndexError(f"unknown group name {name!r}")
        return names[name], end + 1
    if not (name.isascii() and name.isdecimal()):
        raise re.error(f"bad character in group name {name!r}", text, start + 3)
    if int(name) > groups:
        raise re.error(f"invalid group reference {int(name)}", text, start + 3)
    return int(name), end + 1
