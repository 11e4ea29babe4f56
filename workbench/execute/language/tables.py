"""What of Python a program may use: the tables that `check` and `desugar` read.

A name stands here when Monty (or the prelude) has been seen to treat it as Python does; what Python
has and the sandbox has not is refused with name and line, never run differently.  Where Python
itself has no single answer, a program gets one that Python may give:

- Sets of texts and patches are walked in the order of insertion (in Python the order changes with
  the hash seed). Numbers have their order in Python: small ones that lie in it in ascending order
  do so here, and walking, printing or unpacking any other set of numbers, or of tuples of numbers,
  is refused.  len, in, sorted, min, max and sum of integers, and the algebra of sets have no order
  and always run.
- `is` between equal texts or numbers is refused: whether they are one object is Python's secret.
- Messages of errors are those of Python 3.14.  A handler that reads the text of an error whose
  wording in the sandbox is not known to be Python's is refused when it is reached; the texts of the
  program's own errors and of tools are free.
- The text of an iterator, which has an address in it, is refused; that of a function has another
  address.

Left: a nan that arithmetic makes (inf - inf) equals any other nan inside a container; a pattern
whose only empty matches touch others (`a|(?<=a)`) is found by looking at the empty text and at the
matches, not by proof; the text of a program's own class lacks Python's qualified name.
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
    "re": _words(
        "escape findall fullmatch match search split sub I IGNORECASE M MULTILINE S DOTALL"
    ),
    "collections": _words("Counter defaultdict"),
    "json": _words("dumps loads"),
    "typing": _words("Any Callable Dict Iterable List Optional Sequence Set Tuple Union"),
}
"""Modules that programs may import, with the names they may use of each."""

DROPPED_IMPORTS = frozenset({"__future__", "image_patch", "PIL", "typing"})
"""Imports of published programs that are left out: what they give is there already, or only
annotates.
"""

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

SET_MAKERS = _words("union intersection difference symmetric_difference")
"""Methods that give a set; with `set`, `frozenset` and braces they show that a program has sets."""

SET_REMOVERS = _words("remove discard pop difference symmetric_difference difference_update")
"""Methods that may leave a set in an order of its own."""

WALKED = _words(
    "list tuple iter next enumerate zip map filter sum dict sorted min max reversed Counter"
)
"""Builtins that give on the order of what they are given."""

WALKED_METHODS = _words("join extend update fromkeys")
"""Methods that give on the order of what they are given."""

SEARCHES = _words("startswith endswith find rfind index rindex count")
"""Methods that look for a text, from a position on."""

TEXT_OF = _words("str repr format print")
"""Builtins that make text of what they are given, of sets inside it too."""

DUNDERS = _words("__init__ __repr__ __str__ __eq__ __hash__ __call__")
"""Special methods that a program's own classes may define."""

LAZY = _words("map filter iter __ord_items__")
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
}
"""Syntax that the sandbox does not have."""
