"""Short names of parts for people, by which parts that differ are told apart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from workbench.records import JSON, PartRef

_SHORT = 8
"""Characters of a version or a digest that are shown."""


def part_name(ref: PartRef, others: Iterable[PartRef] = ()) -> str:
    """A part's name and the beginning of its version.

    Where another part would be called the same, the arguments that differ stand behind: two
    students may have the same weights and another chat template.

    Args:
        ref: The part.
        others: The parts beside which it is named; itself may be among them.
    """
    short = _short(ref)
    alike = [one for one in others if one.role == ref.role and one != ref and _short(one) == short]
    if not alike:
        return short
    if any(one.version != ref.version for one in alike):
        short = f"{ref.name} {ref.version}"
    names = sorted(
        name
        for name in {name for one in (ref, *alike) for name in one.arguments}
        if any(one.arguments.get(name) != ref.arguments.get(name) for one in alike)
    )
    words = ", ".join(f"{name} {_value(ref.arguments, name)}" for name in names)
    return f"{short} ({words})" if words else short


def _short(ref: PartRef) -> str:
    return f"{ref.name} {ref.version[:_SHORT]}"


def _value(arguments: Mapping[str, JSON], name: str) -> str:
    value = arguments.get(name)
    if value is None:
        return "as usual"
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:_SHORT]
