"""Rooms, the arrows of imports between them, floors and circles: the structure of the house in figures."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol


class Parsed(Protocol):
    """A module with its dotted name and its syntax nodes."""

    @property
    def name(self) -> str: ...

    @property
    def nodes(self) -> list[ast.AST]: ...


def arrows(files: Sequence[Parsed], room: str) -> set[tuple[str, str]]:
    """Which parts of a room import which: a part is a folder or a file directly in it.

    Args:
        files: every module, as `modules` gives them.
        room: dotted name of the room; '' for the top sheet, whose parts are the rooms of
            `workbench`, its loose files, and `app`.
    """
    names = {module.name for module in files}
    pairs = set()
    for module in files:
        source = _part(module.name, room)
        for target in _targets(module, names):
            part = _part(target, room)
            if source and part and source != part:
                pairs.add((source, part))
    return pairs


def _targets(module: Parsed, names: set[str]) -> Iterator[str]:
    """Modules of the house that a module imports."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in names else node.module


def _part(name: str, room: str) -> str:
    """The part of a room that a module lies in; '' where it lies in none."""
    if room:
        return (
            name.removeprefix(f"{room}.").partition(".")[0] if name.startswith(f"{room}.") else ""
        )
    top, _, rest = name.partition(".")
    return "app" if top == "app" else rest.partition(".")[0]


def floors(pairs: set[tuple[str, str]]) -> int:
    """Number of floors that parts need so that every arrow points down; parts of a circle share one."""
    heights = dict.fromkeys({part for pair in pairs for part in pair}, 1)
    for _ in heights:  # the longest way has at most as many arrows as there are parts
        for source, target in pairs:
            if heights[source] <= heights[target] < len(heights):
                heights[source] = heights[target] + 1
    return max(heights.values(), default=1)


def circles(files: Sequence[Parsed]) -> int:
    """Pairs of modules that reach each other by imports."""
    names = {module.name for module in files}
    edges = {module.name: set(_targets(module, names)) & names for module in files}
    reach = {name: _reach(name, edges) for name in names}
    return sum(a < b and b in reach[a] and a in reach[b] for a in names for b in names)


def _reach(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    reach: set[str] = set()
    stack = [start]
    while stack:
        for name in edges.get(stack.pop(), ()):
            if name not in reach:
                reach.add(name)
                stack.append(name)
    return reach


def structure(files: Sequence[Parsed]) -> dict[str, str]:
    sheet = arrows(files, "")
    parts = {_part(module.name, "") for module in files} - {""}
    table = {
        "rooms on the top sheet, arrows (share of possible)": (
            f"{len(parts)}, {len(sheet)} ({len(sheet) / (len(parts) * (len(parts) - 1)):.0%})"
        ),
        "pairs of files that import each other": f"{circles(files)}",
    }
    for room in ("store", "rationalize", "evaluate", "execute", "tasks", "pipeline"):
        name = f"workbench.{room}"
        inner = {_part(module.name, name) for module in files} - {""}
        pairs = arrows(files, name)
        table[f"inside {room}: parts, arrows, floors"] = (
            f"{len(inner)}, {len(pairs)}, {floors(pairs)}"
        )
    return table
