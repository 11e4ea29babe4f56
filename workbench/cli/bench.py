"""`vpd bench`: measurements that a room brings with it."""

from __future__ import annotations

import importlib

from workbench.errors import InputError

BENCHES = {
    "app": "workbench.bench.pages",
    "execute": "workbench.bench.execute",
    "store": "workbench.bench.store",
    "tools": "workbench.bench.tools",
}
"""Name -> module with `main(arguments)`."""


def main(what: str, arguments: list[str]) -> None:
    """Run one measurement."""
    if what.startswith("-"):
        what, arguments = "execute", [what, *arguments]
    if what not in BENCHES:
        raise InputError(f"no measurement is called '{what}'; there are: {', '.join(BENCHES)}")
    importlib.import_module(BENCHES[what]).main(arguments)
