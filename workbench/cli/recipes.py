"""`vpd recipes`: the published methods that can be chosen by name, and the card of each."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from workbench.catalogue import Recipe, recipe, recipes
from workbench.cli.text import console, safe
from workbench.recipes.card import LEVEL_WORDS, PORT_WORDS, PROVENANCE_WORDS


def list_(as_json: bool) -> None:
    """Print all recipes, by extension point."""
    rows = recipes()
    if as_json:
        print(json.dumps([_record(row) for row in rows], indent=1))
        return
    table = Table(box=SIMPLE, pad_edge=False)
    longest = max((len(row.card.name) for row in rows), default=0)
    for title in ("recipe", "extension point", "grade", "level", "idea"):
        # a name that is cut off could not be typed
        table.add_column(title, min_width=min(longest, 40) if title == "recipe" else None)
    for row in rows:
        card = row.card
        table.add_row(
            Text(safe(card.name, 40)), card.port, card.grade, card.level, Text(safe(card.idea, 200))
        )
    console().print(table)
    console().print("the card of one: vpd recipes show NAME")


def _record(row: Recipe) -> dict[str, Any]:
    return {**asdict(row.card), "from": row.part}


def show(name: str, as_json: bool) -> None:
    """Print the card of a recipe.

    Args:
        name: of the recipe.
        as_json: print JSON instead of text.
    """
    row = recipe(name)
    if as_json:
        print(json.dumps(_record(row), indent=1))
        return
    out, card = console(), row.card
    out.print(f"{safe(card.name)}, a {card.port}: {PORT_WORDS[card.port]}")
    out.print(f"  paper           {safe(card.paper)} ({card.year})")
    if card.link:
        out.print(f"                  {safe(card.link)}")
    out.print(f"  idea            {safe(card.idea)}")
    out.print(f"  formula         {safe(card.formula)}")
    for key, value in card.defaults.items():
        source = card.sources.get(key)
        remark = f": {source}" if source else ""
        out.print(f"  default         {safe(key)} = {safe(json.dumps(value))}{safe(remark)}")
    for trap in card.traps:
        out.print(f"  trap            {safe(trap)}")
    for part in card.not_reproduced:
        out.print(f"  not reproduced  {safe(part)}")
    out.print(f"  provenance      {card.provenance}: {PROVENANCE_WORDS[card.provenance]}")
    out.print(f"  grade           {card.grade}")
    out.print(f"  level           {card.level}, {LEVEL_WORDS[card.level]}")
    out.print(f"  expect          {safe(card.expect)}")
    out.print(f"  from            {safe(row.part)}")
    out.print(f"run it with: {safe(card.command)}")
