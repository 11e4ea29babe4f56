"""What of Python a program may use: the tables that `check` and `desugar` read.

A name stands here when Monty (or the prelude) has been seen to treat it as Python does; what Python has and
the sandbox has not is refused with name and line, never run differently.  Known to differ, and left:
equal keys of different types (`{1: "a", True: "b"}`) keep the last key where Python keeps the first; a set is
walked in the order of insertion (Python leaves the order open); the wording of some error messages.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILTINS = _words(
    """abs all any bin bool bytes callable chr dict divmod enumerate filter float format frozenset getattr
    hasattr hex int isinstance iter len list map max min next oct ord pow print range repr reversed round set setattr
    slice sorted str sum tuple type zip True False None Ellipsis
    ArithmeticError AssertionError AttributeError BaseException Exception IndexError KeyError LookupError NameError
    NotImplementedError OverflowError RecursionError RuntimeError StopIteration TypeError UnboundLocalError ValueError
    ZeroDivisionError"""
)
"""Builtins that programs have."""

ALL_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
"""Builtins of Python; one that is not in `BUILTINS` is refused."""

MODULES: Mapping[str, frozenset[str]] = {
    "math": _words(
        """acos asin atan atan2 ceil cos degrees dist e exp fabs floor fmod gcd hypot inf isclose isfinite isinf isnan
        log log10 log2 nan pi pow prod radians sin sqrt tan trunc"""
    ),
    "re": _words("escape findall fullmatch match search split sub I IGNORECASE M MULTILINE S DOTALL"),
    "collections": _words("Counter defaultdict"),
    "json": _words("dumps loads"),
    "typing": _words("Any Callable Dict Iterable List Optional Sequence Set Tuple Union"),
}
"""Modules that programs may import, with the names they may use of each."""

DROPPED_IMPORTS = frozenset({"__future__", "image_patch", "PIL", "typing"})
"""Imports of published programs that are left out: what they give is there already, or only annotates."""

TYPES = _words("str list dict set tuple int float bytes frozenset")
"""Builtin types whose methods may be taken unbound, as in `key=str.lower`."""

METHODS = _words(
    """append capitalize casefold center clear copy count difference difference_update discard encode endswith extend
    find get index insert intersection isalnum isalpha isascii isdecimal isdigit isdisjoint islower isnumeric isspace
    issubset issuperset istitle isupper items join keys ljust lower lstrip partition pop popitem remove removeprefix
    removesuffix replace reverse rfind rindex rjust rpartition rsplit rstrip setdefault sort split splitlines
    startswith strip swapcase symmetric_difference title union update upper values zfill add format fromkeys
    is_integer"""
)
"""Methods of builtin types that programs have."""

BUILTIN_METHODS: Mapping[str, str] = {
    name: f"{kind.__name__}.{name}"
    for kind in (int, float, bytes, frozenset, tuple, set, dict, list, str)
    for name in dir(kind)
    if not name.startswith("_")
}
"""Methods of Python's builtin types; one that is not in `METHODS` is refused."""

DUNDERS = _words("__init__ __repr__ __str__ __eq__ __hash__ __call__")
"""Special methods that a program's own classes may define."""

LAZY = _words("map filter iter")
"""Builtins whose items may be tool calls made one by one; their callers are rewritten."""

WRAPPERS = _words("zip enumerate")
"""Builtins that are lazy when what they are given is."""

REFUSED: Mapping[type[ast.AST], str] = {
    ast.AsyncFunctionDef: "async functions",
    ast.Await: "await",
    ast.AsyncFor: "async for",
    ast.AsyncWith: "async with",
    ast.Yield: "yield (generator functions)",
    ast.YieldFrom: "yield from (generator functions)",
    ast.With: "with statements",
    ast.TryStar: "except*",
    ast.Match: "match statements",
}
"""Syntax that the sandbox does not have."""
