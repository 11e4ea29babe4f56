"""Which splits are for evaluation: what is measured on them may not be taught, nor recalled."""

from __future__ import annotations


def evaluates(split: str) -> bool:
    """Whether tasks of a split are for evaluation, as its name says."""
    return split.lower().startswith(("val", "dev", "test"))
