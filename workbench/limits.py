"""How much a program may use.  Counted limits come first: they are the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from msgspec import Meta

from workbench.errors import ProfileError
from workbench.schema import check, problems, refuse

Count = Annotated[int, Meta(ge=1, le=2**40)]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run; each ends it with its own error kind (in brackets)."""

    steps: Count = 20_000
    """Statements, loop rounds and tests executed. [steps]"""
    seconds: Annotated[float, Meta(gt=0, le=2**40)] = 5.0
    """Seconds that the program computes: of the processor, where the system tells; what its trace
    costs is counted, waiting for tools and for a busy machine is not. [time]"""
    memory: Count = 64 * 2**20
    """Bytes of heap inside the sandbox. [memory]"""
    recursion: Count = 150
    """Nested calls. [recursion]"""
    tool_calls: Count = 200
    """Calls of tools. [tool_calls]"""
    output: Count = 20_000
    """Characters printed. [output]"""
    text: Count = 4_000
    """Characters of one text handed to a tool or returned. [value]"""
    items: Count = 1_000
    """Values inside one argument or result, containers included. [value]"""
    depth: Count = 8
    """Nesting of one argument or result. [value]"""
    source: Count = 20_000
    """Characters of source. [source]"""
    nodes: Count = 6_000
    """Syntax nodes of the source. [source]"""
    nesting: Count = 40
    """Nesting of blocks and expressions in the source. [source]"""
    events: Count = 20_000
    """Events kept in a trace; the rest is counted and left out."""
    trace: Count = 4 * 2**20
    """Bytes of these events as JSON, 64 MiB at most; the rest is counted and left out."""

    def __post_init__(self) -> None:
        check(self, "limits", ProfileError)

    @classmethod
    def of(cls, overrides: Mapping[str, Any]) -> Limits:
        """The defaults with some fields changed, as a profile's `[limits]` gives them.

        Raises:
            ProfileError: a name is unknown or a value is out of bounds; the text lists all of them.
        """
        refuse(problems(cls, overrides), "limits", ProfileError)
        # `seconds` stays as it is written: the key of a trace holds it, and 2 and 2.0 are two keys.
        return replace(cls(), **{k: v if k == "seconds" else int(v) for k, v in overrides.items()})
