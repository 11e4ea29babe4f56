"""What a condition says of the things that it tests, and how it narrows a group of them."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.rationalize.claims.claims import (
    UNKNOWN,
    Clause,
    Count,
    Ground,
    Group,
    HowMany,
    Patch,
    ToolText,
    Truth,
    Untellable,
    Val,
)

_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a == b,
    ast.IsNot: lambda a, b: a != b,
}


def items_of(val: Val) -> list[Ground]:
    """What a condition's value rests on."""
    if isinstance(val.about, Truth):
        return list(val.about.items)
    if isinstance(val.about, ToolText) and val.about.item is not None:
        return [val.about.item]
    if isinstance(val.about, Count | Group):
        group = val.about.group if isinstance(val.about, Count) else val.about
        return [Ground(HowMany(group), bool(val.value), None, None)]
    return []


def compare(op: ast.cmpop, a: Any, b: Any) -> bool:
    """The value of a comparison.

    Args:
        op: the operator.
        a: the left value.
        b: the right value.

    Raises:
        Untellable: a value is not known, or the two cannot be compared.
    """
    if a is UNKNOWN or b is UNKNOWN or isinstance(a, ast.AST) or isinstance(b, ast.AST):
        raise Untellable("unknown value")
    try:
        return bool(_COMPARE[type(op)](a, b))
    except TypeError as error:
        raise Untellable("compare") from error


def exchange_sides(op: ast.cmpop) -> ast.cmpop:
    """The comparison with its sides exchanged."""
    pairs: dict[type[ast.cmpop], type[ast.cmpop]] = {
        ast.Lt: ast.Gt,
        ast.Gt: ast.Lt,
        ast.LtE: ast.GtE,
        ast.GtE: ast.LtE,
    }
    return pairs.get(type(op), type(op))()


def narrow(group: Group, tests: Sequence[tuple[Patch, bool, Sequence[Ground]]]) -> Group | None:
    """A group after a condition; None where the condition has no words.

    Args:
        group: the things that the condition tested.
        tests: for each thing in order: itself, whether it stays, and what that rests on.
    """
    if not tests:
        return group
    if all(holds and all(item.claim is None for item in items) for _, holds, items in tests):
        return group  # "other than the bus" left nothing out
    ways = {clauses(patch, items) for patch, holds, items in tests if holds}
    if not ways:
        # Nothing stays: what would have stayed is the opposite of the condition that failed.
        ways = {opposite(clauses(patch, items)) for patch, _, items in tests}
    if len(ways) != 1 or (way := next(iter(ways))) is None:
        return None
    patches = tuple(patch for patch, holds, _ in tests if holds)
    return replace(group, patches=patches, where=group.where + way)


def opposite(way: tuple[Clause, ...] | None) -> tuple[Clause, ...] | None:
    """The opposite of a condition; None where it does not consist of a single clause."""
    if way is None or len(way) != 1:
        return None
    predicate, truth = way[0]
    return ((predicate, not truth),)


def clauses(patch: Patch, items: Sequence[Ground]) -> tuple[Clause, ...] | None:
    """What a condition says of one thing; None where it rests on nothing or on something else."""
    about = [item for item in items if item.predicate is not None and item.patch == patch]
    if len(about) != len(items) or not items:
        return None
    return tuple((item.predicate, item.truth) for item in about if item.predicate is not None)
