"""The state of a followed program: frames, and what loops gather in variables."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.rationalize.claims.claims import UNKNOWN, Clause, Count, Ground, Group, Patch, Val
from workbench.rationalize.follow.narrowing import clauses, opposite


@dataclass(slots=True)
class Loop:
    """One pass of a `for` statement."""

    base: Val
    next: int = 0
    """Index of the next item."""
    patch: Patch | None = None
    """The item of this iteration; None where it is not a part of the picture."""
    path: list[Ground] = field(default_factory=list)
    """What the tests of this iteration rest on."""
    clear: bool = True
    """Whether every test of this iteration could be followed."""


@dataclass(slots=True)
class Frame:
    """One call of a function of the program."""

    names: dict[str, Val]
    feed: deque[tuple[str, Val]] = field(default_factory=deque)
    lines: deque[int] = field(default_factory=deque)
    """The line of each call in `feed`."""
    returned: deque[tuple[str, Val]] = field(default_factory=deque)
    events: set[int] = field(default_factory=set)
    claims: list[int] = field(default_factory=list)
    """Claims of the tool calls since the last statement."""
    loops: dict[ast.For, Loop] = field(default_factory=dict)
    tests: dict[ast.stmt, list[Ground]] = field(default_factory=dict)
    """What the last test of each `if` and `while` rests on."""
    gathered: dict[str, list[tuple[Loop, Patch | None, tuple[Clause, ...] | None]]] = field(
        default_factory=dict
    )
    """What each variable gained: the loop, its item, and what its tests say of the item."""
    function: str = ""
    result: Val = field(default_factory=lambda: Val(UNKNOWN))


def gather(frame: Frame, loop: Loop | None, name: str) -> None:
    """A loop has just added one to a variable, or an item to its list: its group grows.

    Args:
        frame: the frame of the variable.
        loop: the innermost loop; None outside of loops.
        name: name of the variable.
    """
    val = frame.names.get(name)
    if loop is None or val is None:
        return
    way = clauses(loop.patch, loop.path) if loop.patch is not None and loop.clear else None
    if loop.patch is not None and not loop.path and loop.clear:
        way = ()
    added = frame.gathered.setdefault(name, [])
    added.append((loop, loop.patch, way))
    group = _group_of(loop, added)
    count = len(val.value) if isinstance(val.value, list) else val.value
    if group is not None and count == len(group.patches):
        about: Any = group if isinstance(val.value, list) else Count(group)
        frame.names[name] = Val(val.value, about, val.rests | loop.base.rests)
    else:
        frame.names[name] = replace(val, about=None)


def _group_of(
    loop: Loop, added: Sequence[tuple[Loop, Patch | None, tuple[Clause, ...] | None]]
) -> Group | None:
    ways = {way for _, _, way in added}
    patches = tuple(patch for _, patch, _ in added if patch is not None)
    same = all(other is loop for other, _, _ in added) and len(set(patches)) == len(added)
    if not same or len(ways) != 1 or not isinstance(loop.base.about, Group):
        return None
    way = next(iter(ways))
    base = loop.base.about
    return None if way is None else replace(base, patches=patches, where=base.where + way)


def leave_empty(frame: Frame, names: Sequence[str], loop: Loop, items: Sequence[Ground]) -> None:
    """A loop's test failed: each variable that it would fill is an empty group so far.

    Args:
        frame: the frame of the variables.
        names: variables that the body of the test fills.
        loop: the innermost loop.
        items: what the test rests on.
    """
    base = loop.base.about
    way = clauses(loop.patch, items) if loop.patch is not None and loop.clear else None
    others = opposite(way)
    if not isinstance(base, Group) or others is None:
        return
    group = replace(base, patches=(), where=base.where + others)
    for name in names:
        val = frame.names.get(name)
        if val is None or frame.gathered.get(name) or val.value is False:
            continue
        if val.value in (0, []):
            frame.names[name] = replace(val, about=group if val.value == [] else Count(group))


def adds_one(node: ast.BinOp, name: str) -> bool:
    """Whether an expression is `name + 1`."""
    return (
        isinstance(node.op, ast.Add)
        and isinstance(node.left, ast.Name)
        and node.left.id == name
        and isinstance(node.right, ast.Constant)
        and node.right.value == 1
    )
