"""Sentences that a predicate of a knowledge question gives: `can fly`, `has wheels`."""

from __future__ import annotations


def questions_of(predicate: str) -> tuple[str, str]:
    """Two ways to ask about `{name}`.

    `can fly` gives `Can a {name} fly?` and `Is it true that a {name} can fly?`.
    """
    first, _, rest = predicate.partition(" ")
    if first in ("can", "is"):
        plain = f"{first.capitalize()} a {{name}} {rest}?"
    else:
        plain = f"Does a {{name}} {_bare(first)} {rest}".strip() + "?"
    return plain, f"Is it true that a {{name}} {predicate}?"


def _bare(verb: str) -> str:
    if verb == "has":
        return "have"
    if verb.endswith(("ches", "shes", "sses", "xes")):
        return verb[:-2]
    return verb.removesuffix("s")


def plural_predicate(predicate: str) -> str:
    """A predicate as it follows a plural: `has wheels` gives `have wheels`."""
    first, _, rest = predicate.partition(" ")
    verb = {"is": "are", "can": "can"}.get(first, _bare(first))
    return f"{verb} {rest}".strip()
