"""How much a program may use.  Counted limits come first: they are the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from workbench.errors import ProfileError


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run; each ends it with its own error kind (in brackets)."""

    steps: int = 20_000
    """Statements, loop rounds and tests executed. [steps]"""
    seconds: float = 5.0
    """Seconds that the sandbox computes, waiting for tools not counted. [time]"""
    memory: int = 64 * 2**20
    """Bytes of heap inside the sandbox. [memory]"""
    recursion: int = 150
    """Nested calls. [recursion]"""
    tool_calls: int = 200
    """Calls of tools. [tool_calls]"""
    output: int = 20_000
    """Characters printed. [output]"""
    text: int = 4_000
    """Characters of one text handed to a tool or returned. [value]"""
    items: int = 1_000
    """Values inside one argument or result, containers included. [value]"""
    depth: int = 8
    """Nesting of one argument or result. [value]"""
    source: int = 20_000
    """Characters of source. [source]"""
    nodes: int = 6_000
    """Syntax nodes of the source. [source]"""
    nesting: int = 40
    """Nesting of blocks and expressions in the source. [source]"""
    events: int = 20_000
    """Events kept in a trace; the rest is counted and left out."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**40:
                raise ProfileError(f"limit '{field.name}' must be a positive number, found {value!r}")

    @classmethod
    def of(cls, overrides: Mapping[str, Any]) -> Limits:
        """The defaults with some fields changed, as a profile's `[limits]` gives them.

        Raises ProfileError for an unknown name, listing the right ones.
        """
        known = {field.name: field.type for field in fields(cls)}
        if unknown := sorted(set(overrides) - set(known)):
            raise ProfileError(f"no limit is called '{unknown[0]}'; there are: {', '.join(known)}")
        typed = {k: v if k == "seconds" or isinstance(v, bool) or v != int(v) else int(v) for k, v in overrides.items()}
        return replace(cls(), **typed)
