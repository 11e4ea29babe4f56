"""Browse's filters: the values beside the list, and columns of a table's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query as Parameter

from app.site import Site
from workbench.store import Facet, FacetValue, Query, parse_query
from workbench.store.reading import own_columns
from workbench.store.reading.facets import own_facets
from workbench.store.reading.own_columns import OwnColumn

Keys = Annotated[Sequence[str], Parameter(max_length=20)]
"""Columns of a table's own, each as one parameter of the address."""


@dataclass(frozen=True, slots=True)
class FacetChoice:
    """One value of a facet."""

    value: str
    count: int
    picked: bool
    excluded: bool
    to: str
    """The search that a click leads to, and `unless` the one that refuses the value."""
    unless: str


@dataclass(frozen=True, slots=True)
class FacetView:
    """A facet with its values."""

    name: str
    title: str
    values: Sequence[FacetChoice]


def add(site: Site) -> None:
    """Register what the page's script asks for its filters."""
    project, server = site.project, site.server

    @server.get("/data/browse/facets")
    def facets(q: str = "") -> list[FacetView]:
        query = parse_query(q)
        return [_facet(facet, query) for facet in project.browse_facets(q)]

    @server.get("/data/browse/columns")
    def columns() -> list[OwnColumn]:
        """Columns of the table's own that questions have, the most frequent first."""
        return own_columns.own_columns(project.database)

    @server.get("/data/browse/own")
    def own(q: str = "", columns: Keys = ()) -> list[FacetView]:
        """The values of such columns, and of those that the search names."""
        query = parse_query(q)
        return [_facet(facet, query) for facet in own_facets(project.database, q, columns)]


def _facet(facet: Facet, query: Query) -> FacetView:
    """A facet, each value with the search that a click leads to."""
    return FacetView(facet.name, facet.title, [_choice(one, query) for one in facet.values])


def _choice(one: FacetValue, query: Query) -> FacetChoice:
    token, refusal = one.token, f"-{one.token}"
    without = parse_query(parse_query(query.without_token(token)).without_token(refusal))
    return FacetChoice(
        value=one.value,
        count=one.count,
        picked=one.picked,
        excluded=one.excluded,
        to=str(without) if one.picked else without.with_token(token),
        unless=str(without) if one.excluded else without.with_token(refusal),
    )
