"""Records of settings: values are read, every error is told, and a field is described by its
annotation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from workbench.errors import InputError
from workbench.schema import describe, problems, read, sentences


@dataclass(frozen=True, slots=True)
class Wheel:
    """A table of its own."""

    spokes: Annotated[int, Meta(ge=3)] = 8


@dataclass(frozen=True, slots=True)
class Cart:
    """A record with a field of every kind."""

    owner: str
    """Name of the person who
    pushes."""
    load: Annotated[float, Meta(ge=0, lt=9.5, title="Load")] = 1.0
    colour: Literal["red", "blue"] = "red"
    stops: tuple[str, ...] = ()
    wheels: Mapping[str, Wheel] = field(default_factory=dict)
    limit: int | float = 3
    extras: Mapping[str, Any] = field(default_factory=dict)


def test_plain_values_become_a_record() -> None:
    cart = read(
        Cart,
        {"owner": "ann", "stops": ["a"], "load": 2, "wheels": {"left": {"spokes": 1e1}}},
        "cart",
    )
    assert cart == Cart("ann", 2.0, stops=("a",), wheels={"left": Wheel(10)})
    assert (type(cart.load), type(cart.wheels["left"].spokes)) == (float, int)


def test_a_value_that_may_be_anything_stays_as_it_is() -> None:
    extras = {"far": float("inf"), "none": None, "list": [1, (2,)]}
    assert read(Cart, {"owner": "ann", "extras": extras, "limit": 2}, "cart") == Cart(
        "ann", limit=2, extras=extras
    )


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("load", 9.5, "must be a number from 0 to below 9.5, found 9.5"),
        ("load", float("inf"), "must be a number from 0 to below 9.5, found inf"),
        ("load", True, "must be a number from 0 to below 9.5, found True"),
        ("colour", "green", "must be one of red, blue, found 'green'"),
        ("stops", "a", "must be a list, every item text, found 'a'"),
        ("wheels", [], "must be a table, found []"),
        ("limit", "x", "must be a whole number or a number, found 'x'"),
        ("owner", "y" * 99, None),
        ("owner", ["y" * 99], "must be text, found ['" + "y" * 58),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected(
    key: str, value: Any, text: str | None
) -> None:
    assert problems(Cart, {"owner": "ann", key: value}) == ({key: text} if text else {})


def test_every_error_is_told_by_its_key() -> None:
    values = {"load": -1, "wheels": {"left": {"spokes": 2, "hub": 1}, "right": 3}}
    wrong = problems(Cart, values, "cart.")
    assert list(wrong) == [
        "cart.load",
        "cart.wheels.left.spokes",
        "cart.wheels.left.hub",
        "cart.wheels.right",
        "cart.owner",
    ]
    assert wrong["cart.owner"] == "is missing, expected text (Name of the person who pushes.)"
    with pytest.raises(InputError, match=r"the cart: 5 errors: load must be .*; owner is missing"):
        read(Cart, values, "the cart")


def test_a_field_is_described_by_its_annotation_and_its_docstring() -> None:
    setting = describe(Cart)["load"]
    assert (setting.label, setting.expected, setting.default) == (
        "Load",
        "a number from 0 to below 9.5",
        1.0,
    )
    assert describe(Cart)["colour"].options == ("red", "blue"), "in the order of the annotation"
    assert (describe(Cart)["owner"].required, setting.required) == (True, False)
    assert sentences(Cart) == {"owner": "Name of the person who pushes."}


def test_a_record_without_a_source_has_no_sentences() -> None:
    bare = make_dataclass("Bare", [("size", int)])
    assert sentences(bare) == {}
    assert problems(bare, {}) == {"size": "is missing, expected a whole number"}
