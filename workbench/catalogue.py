"""The recipes that are installed, by their cards: ours and strangers', read without running them.

A card is read from the text of a recipe's file, so that a table of recipes needs neither torch nor
ten seconds.  A registered part without a card is no recipe and is passed over.
"""

from __future__ import annotations

import ast
import importlib.util
from dataclasses import dataclass, fields
from importlib.metadata import EntryPoint
from pathlib import Path

from workbench import registry
from workbench.errors import InputError
from workbench.parsing import parse
from workbench.recipes.card import PORTS, Card


@dataclass(frozen=True, slots=True)
class Recipe:
    """A registered part and what its card says."""

    card: Card
    point: EntryPoint

    @property
    def part(self) -> str:
        """`package.module:Name` of the class or function."""
        return self.point.value


def recipes() -> list[Recipe]:
    """All recipes, by extension point in the order of `PORTS`, then by name.

    Raises:
        InputError: a card cannot be read; the text names the file.
    """
    listed = []
    for port in PORTS:
        for name, point in registry.parts(port).items() if port in registry.ROLES else ():
            card = read_card(point)
            if card is None:
                continue
            if (card.port, card.name) != (port, name):
                raise InputError(
                    f"the card in {point.module} is of {card.port} '{card.name}', and the part is "
                    f"registered as {port} '{name}'; make them equal"
                )
            listed.append(Recipe(card, point))
    return listed


def recipe(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        InputError: there is none; the text lists those there are.
    """
    present = recipes()
    for one in present:
        if one.card.name == name:
            return one
    names = ", ".join(one.card.name for one in present) or "none"
    raise InputError(f"no recipe is called '{name}'; there are: {names}")


def read_card(point: EntryPoint) -> Card | None:
    """The card in the file of a registered part; None where it has none.

    Raises:
        InputError: the card holds something else than plain values, or lacks a field.
    """
    file = _file_of(point.module)
    if file is None:
        return None
    for node in parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CARD":
            return _card(node.value, file)
    return None


def _file_of(module: str) -> Path | None:
    """The file of a module, which is not imported; its packages are."""
    try:
        spec = importlib.util.find_spec(module)
    except ImportError:
        return None
    origin = spec.origin if spec is not None else None
    return Path(origin) if origin is not None and origin.endswith(".py") else None


def _card(node: ast.expr, file: Path) -> Card:
    names = ", ".join(field.name for field in fields(Card))
    try:
        if not isinstance(node, ast.Call) or node.args:
            raise ValueError("it is not one call with named values")
        values = {str(one.arg): ast.literal_eval(one.value) for one in node.keywords}
        return Card(**values)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"the card in {file} cannot be read ({error}); write CARD = Card(name=..., ...) with "
            f"plain values for some of: {names}"
        ) from error
