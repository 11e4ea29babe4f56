"""What endpoints were asked and what that cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Usage:
    """The requests that an endpoint answered so far, and what they cost."""

    requests: int = 0
    """Number of requests that were answered."""
    retries: int = 0
    """Number of further attempts at them."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """Their cost, in the currency of the prices."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Usage) -> Usage:
        return Usage(*(a - b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __str__(self) -> str:
        text = (
            f"{self.requests} requests, {self.prompt_tokens} prompt tokens, "
            f"{self.completion_tokens} completion tokens"
        )
        return text + (f", cost {self.cost:.4f}" if self.cost else "")


def per_rationale(usage: Usage, rationales: int) -> str:
    """What one kept rationale cost, in words; empty where nothing was asked or none is kept.

    Args:
        usage: of all stages.
        rationales: number of rationales of kept runs.
    """
    if not usage.requests or not rationales:
        return ""
    tokens = (usage.prompt_tokens + usage.completion_tokens) / rationales
    cost = f", cost {usage.cost / rationales:.6f}" if usage.cost else ""
    return f"{tokens:,.0f} tokens{cost}"


@runtime_checkable
class Metered(Protocol):
    """A part of any role that asks an endpoint."""

    @property
    def usage(self) -> Usage:
        """Requests, tokens and cost since the start."""
        ...


def total(parts: Iterable[object]) -> Usage:
    """The usage of those of some parts that are metered."""
    return sum((part.usage for part in parts if isinstance(part, Metered)), Usage())
