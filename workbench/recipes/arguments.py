"""The arguments of recipes, checked once: people type them, and a wrong one is told in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.errors import ProfileError


def numbers_from(part: str, low: float, **values: float) -> None:
    """Hold that every value is a finite number from `low` on.

    Args:
        part: name of the recipe.
        low: the lowest value.
        **values: by the name of the argument.

    Raises:
        ProfileError: one is not.
    """
    for name, value in values.items():
        if not _is_number(value) or value < low:
            raise ProfileError(
                f"{part} takes {name} as a number from {low:g} on, found {value!r:.40}"
            )


def numbers_above(part: str, low: float, **values: float) -> None:
    """Hold that every value is a finite number above `low`.

    Args:
        part: name of the recipe.
        low: what the value has to exceed.
        **values: by the name of the argument.

    Raises:
        ProfileError: one is not.
    """
    for name, value in values.items():
        if not _is_number(value) or value <= low:
            raise ProfileError(
                f"{part} takes {name} as a number above {low:g}, found {value!r:.40}"
            )


def whole_numbers(part: str, low: int, **values: int) -> None:
    """Hold that every value is a whole number from `low` on.

    Args:
        part: name of the recipe.
        low: the lowest value.
        **values: by the name of the argument.

    Raises:
        ProfileError: one is not.
    """
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise ProfileError(
                f"{part} takes {name} as a whole number from {low} on, found {value!r:.40}"
            )


def yes_or_no(part: str, **values: bool) -> None:
    """Hold that every value is true or false, and no text that says so.

    Args:
        part: name of the recipe.
        **values: by the name of the argument.

    Raises:
        ProfileError: one is not.
    """
    for name, value in values.items():
        if not isinstance(value, bool):
            raise ProfileError(f"{part} takes {name} as true or false, found {value!r:.40}")


def layer_numbers(part: str, layers: Sequence[int]) -> tuple[int, ...]:
    """The layers that a recipe reads.

    Args:
        part: name of the recipe.
        layers: their numbers, negative ones from the end.

    Raises:
        ProfileError: there is none, or one is no whole number.
    """
    fits = isinstance(layers, list | tuple) and layers
    if not fits or any(isinstance(at, bool) or not isinstance(at, int) for at in layers):
        raise ProfileError(
            f"{part} takes layers as whole numbers, at least one, found {layers!r:.40}; 0 is what "
            "the embeddings give, -1 the last layer"
        )
    return tuple(layers)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
