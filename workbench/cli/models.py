"""`vpd make-models`: trains an embedded model again."""

from __future__ import annotations

import importlib

from workbench.cli.text import console
from workbench.errors import InputError, MissingPart

MODELS = {
    "base-student": (
        "workbench.making.base_student",
        "the base student: sees well, counts and composes badly",
    ),
    "small-student": (
        "workbench.making.small_student",
        "the student for two processor cores, trained until it can look",
    ),
    "program-writer": ("workbench.making.program_writer", "the LoRA that writes programs"),
}
"""Module with `main(arguments)` and description of each model, by name."""


def main(name: str, arguments: list[str]) -> None:
    """Train one model, or list the models."""
    if name in ("", "-h", "--help"):
        out = console()
        for model, (_, doc) in MODELS.items():
            out.print(f"{model:<16} {doc}")
        out.print(
            "make one with: vpd make-models NAME [OPTIONS]; its options: "
            "vpd make-models NAME --help"
        )
        return
    if name not in MODELS:
        raise InputError(f"no embedded model is called '{name}'; there are: {', '.join(MODELS)}")
    try:
        module = importlib.import_module(MODELS[name][0])
    except ImportError as error:
        raise MissingPart(
            f"making models needs a package that is not installed ({error}); "
            "pip install 'vpd-workbench[models]'"
        ) from error
    module.main(arguments)
