"""`vpd bench`: runs a measurement of `workbench.bench`."""

from __future__ import annotations

import importlib

from workbench.errors import InputError

BENCHES = {
    "app": "workbench.bench.pages",
    "execute": "workbench.bench.execute",
    "sample": "workbench.bench.sample",
    "store": "workbench.bench.store",
    "tools": "workbench.bench.tools",
    "train": "workbench.bench.train",
    "train-gpu": "workbench.bench.train_gpu",
}
"""Module with `main(arguments)` of each measurement, by name."""


def main(what: str, arguments: list[str]) -> None:
    """Run one measurement; an option in place of its name means `execute`."""
    if what.startswith("-"):
        what, arguments = "execute", [what, *arguments]
    if what not in BENCHES:
        raise InputError(f"no measurement is called '{what}'; there are: {', '.join(BENCHES)}")
    importlib.import_module(BENCHES[what]).main(arguments)
