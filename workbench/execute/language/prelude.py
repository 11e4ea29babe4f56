"""The text that Monty runs before any program: `monty/`, with the limits and tools filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.api import PARAMETER_ALIASES, Api
from workbench.limits import Limits
from workbench.records import ToolSpec

_BUILTIN_TYPES: tuple[type, ...] = (bool, int, float, str, list, tuple, dict, set, frozenset)

PROBE: Any = 0
"""A tuple nested deeper than any message of the prelude; see `sandbox._step`."""
for _ in range(32):
    PROBE = (PROBE,)

_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    kind.__name__: tuple(name for name in dir(kind) if not name.startswith("_"))
    for kind in _BUILTIN_TYPES
}


def prelude_text(api: Api, limits: Limits) -> tuple[str, str]:
    """The prelude with the API's tools in it, and the part of it that few programs need."""
    methods = sorted(api.methods)
    lines = [
        f"    def {n}(self, *args, **kwargs):\n"
        f"        return __tool__({n!r}, None, self, args, kwargs)\n"
        for n in methods
    ]
    parts = sorted((Path(__file__).parent / "monty").glob("*.monty"))
    *most, rare = (part.read_text(encoding="utf-8") for part in parts)
    text = "\n".join(most)
    text = text.replace("    # __TOOL_METHODS__\n", "\n".join(lines))
    table = {name: _spec_row(spec) for name in methods if (spec := api.spec(name)) is not None}
    head = (
        f"__TOOLS__ = {table!r}\n"
        f"__MAX_STEPS__ = {limits.steps}\n"
        f"__MAX_OUTPUT__ = {limits.output}\n"
        f"__MAX_TEXT__ = {limits.text}\n"
        f"__MAX_ITEMS__ = {limits.items}\n"
        f"__MAX_DEPTH__ = {limits.depth}\n"
        "__EVERY__ = 64\n"
        "__picture__ = None\n"
        f"__PROBE__ = {PROBE!r}\n"
        f"__ATTRIBUTES__ = {_ATTRIBUTES!r}\n"
    )
    functions = [
        f"def {n}(*args, **kwargs):\n    return __tool__({n!r}, None, None, args, kwargs)\n"
        for n in sorted(api.functions)
    ]
    return head + text + "\n" + "\n".join(functions), rare


def _spec_row(spec: ToolSpec) -> tuple[Any, ...]:
    """A tool's declaration in the form that the prelude reads."""
    parameters = [
        (
            p.name,
            p.type.removesuffix(" | None"),
            p.default,
            p.required,
            PARAMETER_ALIASES.get(p.name, ()),
            p.type.endswith("| None"),
        )
        for p in spec.parameters
    ]
    return (spec.name, parameters, spec.method)
