"""The values beside a search, each with the number of questions that it would leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workbench.store.kernel.database import Database
from workbench.store.reading import own_columns
from workbench.store.reading.outcome import split_names
from workbench.store.reading.search import (
    CLOSED,
    FACETS,
    META,
    NUMBERS,
    Query,
    parse_query,
    token,
)
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.reading.where import BUCKETS, COLUMNS, PICTURES, Where

MOST = 200
"""Values of a column of a table's own that are listed at most, the most frequent first."""


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value that can be added to a search."""

    value: str
    count: int
    """Number of questions that have it and fit everything else in the search."""
    token: str
    """The text that stands for it in the search box."""
    picked: bool
    """Whether the search names it."""
    excluded: bool = False
    """Whether a minus stands before it in the search."""


@dataclass(frozen=True, slots=True)
class Facet:
    """One group of values; a question fits that has any of the picked ones."""

    name: str
    title: str
    values: tuple[FacetValue, ...]
    """Ranges and closed lists in their own order, all others by count."""


def facets(database: Database, text: str) -> tuple[Facet, ...]:
    """The values of every facet, each with the number of questions that fit all other facets."""
    query = parse_query(text)
    where = Where(database, query, bring_up_to_date(database))
    table, head = "outcome", ""
    if where.words:  # looked up once; what they leave is counted
        rationale = {"faithful", "bare", "unchecked"}
        others = {"seq", "id", "chosen", "said_form", "gold", *rationale}
        columns = ", ".join({*COLUMNS.values(), *NUMBERS.values(), *others})
        table, head = (
            "fits",
            f"WITH fits AS MATERIALIZED (SELECT {columns} FROM outcome WHERE {where.words}) ",
        )
    sql = head + " UNION ALL ".join(_count_sql(name, table, where.rest(name)) for name in FACETS)
    counts: dict[str, dict[str, int]] = {name: {} for name in FACETS}
    for row in database.rows(sql, where.parameters(sql)):
        names = split_names(row["value"]) if row["name"] in ("tool", "kind") else (row["value"],)
        for name in names:
            group = counts[row["name"]]
            group[name] = group.get(name, 0) + row["n"]
    counts["review"]["pending"] = 2 * counts["review"].get("", 0) - sum(counts["review"].values())
    return tuple(_facet(name, FACETS[name], counts[name], query) for name in FACETS)


def _count_sql(name: str, table: str, where: str) -> str:
    among = f"FROM {table} WHERE {where}"
    column = COLUMNS.get(name)
    if name in BUCKETS:
        sign, last = "<=" if name == "steps" else "<", BUCKETS[name][-1]
        cases = " ".join(
            f"WHEN {column} {sign} {b.split('-')[1]} THEN '{b}'" for b in BUCKETS[name][:-1]
        )
        among += f" AND {column} IS NOT NULL"
        column = f"CASE {cases} ELSE '{last}' END"
    if name == "pictures":
        return " UNION ALL ".join(
            f"SELECT 'pictures' AS name, '{value}' AS value, count(*) AS n {among} AND {condition}"
            for value, condition in PICTURES.items()
        )
    if column is not None:
        return f"SELECT '{name}' AS name, {column} AS value, count(*) AS n {among} GROUP BY value"
    if name == "review":
        return f"""
        SELECT 'review' AS name, state AS value, count(*) AS n
        FROM curated JOIN (SELECT id {among}) ON id = task_id GROUP BY value
        UNION ALL SELECT 'review', '', count(*) {among}"""
    return f"""
    SELECT 'reviewer' AS name, author AS value, count(*) AS n
    FROM standing JOIN (SELECT id {among}) ON id = task_id WHERE kind <> 'none' GROUP BY value"""


def own_facets(database: Database, text: str, keys: Sequence[str]) -> tuple[Facet, ...]:
    """The values of columns of a table's own, each with the number of questions that fit all else.

    Args:
        database: the store.
        text: of the search.
        keys: of the columns; those that the search names come along.
    """
    query = parse_query(text)
    where = Where(database, query, bring_up_to_date(database))
    excluded = query.excluded or Query()
    named_keys = [name for name, _ in (*query.picked, *excluded.picked) if name.startswith(META)]
    facets = []
    for name in dict.fromkeys((*(META + key for key in keys), *named_keys)):
        key = name.removeprefix(META)
        condition = f"{where.words} AND {where.rest(name)}" if where.words else where.rest(name)
        sql = own_columns.count_sql("''", "$key", condition)
        parameters = {**where.parameters(sql), "key": own_columns.pointer(key)}
        counts = {
            row["value"]: row["n"]
            for row in database.rows(f"{sql} ORDER BY n DESC, value LIMIT {MOST}", parameters)
        }
        facets.append(_facet(name, key, counts, query))
    return tuple(facets)


def _facet(name: str, title: str, counts: Mapping[str, int], query: Query) -> Facet:
    """One facet with its values in order.

    Args:
        name: of the facet.
        title: for people.
        counts: number of questions of each value.
        query: the search.
    """
    picked, excluded = query.values(name), query.excluded_values(name)
    own = BUCKETS.get(name) or CLOSED.get(name)
    order: Iterable[str] = own or sorted(counts, key=lambda value: (-counts[value], value))
    chosen = {*picked, *excluded}
    values = [value for value in order if counts.get(value) or value in chosen]
    values += [value for value in (*picked, *excluded) if value not in values]
    return Facet(
        name,
        title,
        tuple(
            FacetValue(
                value,
                counts.get(value, 0),
                token(name, value),
                value in picked,
                value in excluded,
            )
            for value in values
        ),
    )
