"""Recipes: the published methods that can be chosen by name, as a table and a card for each.

The page is made from the cards alone; its script only hides what a search does not find.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from fastapi import Request, Response

from app.site import Site
from workbench.catalogue import Recipe, recipes
from workbench.recipes.card import LEVEL_WORDS, PORT_WORDS, PROVENANCE_WORDS, Card, Port

PLACES: Mapping[Port, tuple[str, str]] = {
    "objective": ("train?new=1&{name}", "Use in a new job"),
    "selector": ("train?new=1", "Weigh a new snapshot by it"),
    "critic": ("curate?order=acceptance", "To the queue that it orders"),
    "probe": ("curate?mode=rate", "Rate models"),
}
"""By extension point, the page where a recipe is chosen, and what the link says."""


@dataclass(frozen=True, slots=True)
class RecipeCard:
    """A recipe as the page shows it."""

    card: Card
    part: str
    level: str
    """What its level says."""
    provenance: str
    """How its formula is known."""
    link: str
    """Address of the page where it is chosen; empty where the command alone runs it."""
    action: str
    """What the link says."""


def view_of(one: Recipe) -> RecipeCard:
    """A recipe as the page shows it."""
    card = one.card
    address, action = PLACES.get(card.port, ("", ""))
    return RecipeCard(
        card,
        one.part,
        LEVEL_WORDS[card.level],
        PROVENANCE_WORDS[card.provenance],
        address.format(name=urlencode({card.port: card.name})),
        action,
    )


def add(site: Site) -> None:
    """Register the page."""

    @site.server.get("/recipes")
    def page(request: Request) -> Response:
        ports = [
            (port, PORT_WORDS[port], [view_of(one) for one in group])
            for port, group in groupby(recipes(), key=lambda one: one.card.port)
        ]
        return site.page(request, "recipes.html", "train", {"ports": ports})
