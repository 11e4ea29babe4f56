"""What of Python a program may use: the tables that `check` and `desugar` read.

A name stands here if tests have shown that Monty, or the prelude, treats it as Python does.  What
Python has and the sandbox has not is refused with name and line, and never run differently.

Where Python itself has no single answer, a program gets one that Python may give:

- A set of texts or patches is walked in the order of insertion; in Python the order changes with
  the hash seed.
- A set of numbers, or of tuples of numbers, has a fixed order in Python, which follows from the
  hashes and from how the set came about.  It is walked in that order (`7_sets.monty` rebuilds the
  table).  Refused is walking, printing or unpacking a set from which members were removed, and one
  put together from others (`|`, `copy`, constants in braces) in which members contend for a place.
  `len`, `in`, `sorted`, `min`, `max`, the `sum` of integers and the algebra
  of sets do not depend on the order and always run.
- `is` between equal texts or numbers is refused: Python does not define whether they are one
  object.
- The messages of errors are those of Python 3.14.  A handler that reads the text of an error is
  refused when it is reached, unless the sandbox is known to word that error as Python does.  The
  texts of the program's own errors and of tools can always be read.
- A regular expression means what Python's parser understands (`regular.py`).  Refused are: a repeat
  of what may be empty, a group named again inside its pattern, `re.IGNORECASE` with letters that
  are not ASCII, a pattern that may match the empty text where all matches are asked for, positions,
  and the attributes of a match that say where groups were closed.
- Iterators of itertools have one type, and combinations are made at once.
- The text of an iterator is refused, because it has an address in it.  The text of a function has
  another address than in Python.

Known differences that are neither refused nor mended:

- A nan that arithmetic makes (`inf - inf`) equals any other nan inside a container.
- The text of a program's own class lacks Python's qualified name.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILTINS = _words(
    """abs all any bin bool bytes callable chr dict divmod enumerate filter float format frozenset
    getattr hasattr hex int isinstance iter len list map max min next oct ord pow print range
    repr reversed round set setattr slice sorted str sum tuple type zip True False None Ellipsis
    ArithmeticError AssertionError AttributeError BaseException Exception IndexError KeyError
    LookupError NameError NotImplementedError OverflowError RecursionError RuntimeError
    StopIteration TypeError UnboundLocalError ValueError ZeroDivisionError"""
)
"""Builtins that programs may use."""

ALL_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
"""Builtins of Python; one that is not in `BUILTINS` is refused."""

MODULES: Mapping[str, frozenset[str]] = {
    "math": _words(
        """acos asin atan atan2 ceil cos degrees dist e exp fabs floor fmod gcd hypot inf isclose
        isfinite isinf isnan log log10 log2 nan pi pow prod radians sin sqrt tan trunc comb copysign
        factorial frexp fsum isqrt lcm ldexp log1p expm1 modf perm remainder tau cosh sinh tanh"""
    ),
    "re": _words(
        """compile error escape findall finditer fullmatch match search split sub subn
        I IGNORECASE M MULTILINE S DOTALL X VERBOSE"""
    ),
    "collections": _words("Counter defaultdict deque"),
    "bisect": _words("bisect bisect_left bisect_right insort insort_left insort_right"),
    "copy": _words("copy deepcopy"),
    "functools": _words("partial reduce"),
    "heapq": _words("heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest"),
    "itertools": _words(
        """accumulate chain combinations combinations_with_replacement compress count cycle
        dropwhile filterfalse groupby islice pairwise permutations product repeat starmap
        takewhile tee zip_longest"""
    ),
    "operator": _words(
        """abs add and_ attrgetter contains countOf eq floordiv ge getitem gt invert itemgetter le
        lshift lt mod mul ne neg not_ or_ pos pow rshift sub truediv truth xor"""
    ),
    "statistics": _words(
        """fmean mean median median_high median_low mode multimode pstdev pvariance stdev
        variance"""
    ),
    "string": _words(
        """ascii_letters ascii_lowercase ascii_uppercase digits hexdigits octdigits punctuation
        whitespace"""
    ),
    "sys": _words("maxsize"),
    "json": _words("dumps loads"),
    "typing": _words(
        """Any Callable DefaultDict Deque Dict FrozenSet Generator Iterable Iterator List Mapping
        Optional Sequence Set Tuple Type Union"""
    ),
}
"""Modules that programs may import, with the names they may use of each."""

LIBRARY = _words("bisect copy functools heapq itertools operator statistics string sys")
"""Modules that the prelude has as a whole."""

OF_THE_PRELUDE: Mapping[str, frozenset[str]] = {
    "re": _words("compile escape findall finditer fullmatch match search split sub subn"),
    **{module: MODULES[module] for module in LIBRARY},
}
"""What the prelude has of modules instead of Monty, as `__re_sub__`."""

OF_FUNCTIONS: Mapping[str, str] = {"__itertools_chain__": "from_iterable"}
"""Functions of the prelude that have an attribute, which is a function too."""

MATCH_ATTRIBUTES = _words("endpos expand lastgroup lastindex pos re regs")
"""Attributes that Python's matches have and the sandbox's have not."""

DROPPED_IMPORTS = frozenset({"__future__", "image_patch", "PIL", "typing"})
"""Modules whose imports are left out: what they give is there already, or only annotates."""

TYPES = _words("str list dict set tuple int float bytes frozenset")
"""Builtin types whose methods may be taken unbound, as in `key=str.lower`."""

METHODS = _words(
    """append capitalize casefold center clear copy count difference difference_update discard
    encode endswith extend find get index insert intersection isalnum isalpha isascii isdecimal
    isdigit isdisjoint islower isnumeric isspace issubset issuperset istitle isupper items join
    keys ljust lower lstrip partition pop popitem remove removeprefix removesuffix replace
    reverse rfind rindex rjust rpartition rsplit rstrip setdefault sort split splitlines
    startswith strip swapcase symmetric_difference title union update upper values zfill add
    format fromkeys is_integer"""
)
"""Methods of builtin types that programs may use."""

COUNTER_METHODS = _words("most_common elements subtract total")
"""Methods that Counter has beside those of dict."""

DEQUE_METHODS = _words("appendleft extendleft popleft rotate")
"""Methods that deque has beside those of list."""

BUILTIN_METHODS: Mapping[str, str] = {
    name: f"{kind.__name__}.{name}"
    for kind in (int, float, bytes, frozenset, tuple, set, dict, list, str)
    for name in dir(kind)
    if not name.startswith("_")
}
"""Methods of Python's builtin types; one that is not in `METHODS` is refused."""

SET_TYPES = ("set", "frozenset")

SET_MAKERS = _words("union intersection difference symmetric_difference")
"""Methods that return a set; like `set`, `frozenset` and braces they show that there are sets."""

REMOVED, OWN_HASHES, SUMMED, MERGED = 1, 2, 4, 8
"""What is known of sets: `Survey.flags`, and `__HISTORY__` of the prelude."""

REMOVERS = _words("pop remove discard difference_update")
"""Methods that remove members from a set."""

SET_CHANGERS = SET_MAKERS | REMOVERS | {"copy", "update"}
"""Methods that remove members from a set, or put sets together; both tell on its order."""

WALKED = _words(
    """list tuple iter next enumerate zip map filter sum dict sorted min max reversed Counter deque
    prod"""
)
"""Builtins and the like whose result depends on the order of their argument."""

WALKED_METHODS = _words("join extend extendleft update fromkeys")
"""Methods whose result depends on the order of their argument."""

SEARCHES = _words("startswith endswith find rfind index rindex count")
"""Methods that search for a text, some of them from a position on."""

TEXT_OF = _words("str repr format print")
"""Builtins that write their argument as text, with the sets inside it."""

DUNDERS = _words("__init__ __repr__ __str__ __eq__ __hash__ __call__")
"""Special methods that a program's own classes may define."""

LAZY = _words("map filter iter __ord_items__")
"""Builtins whose items may be tool calls, made one by one; what walks them is rewritten."""

WRAPPERS = _words("zip enumerate")
"""Builtins that are lazy when an argument is."""

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
