"""Columns of a table's own: what a question's `meta` holds beside what the workbench reads.

A search names them `meta.KEY`.  They are read from the questions themselves, and only where
somebody asks for one: a project may have none of them, or hundreds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.store.kernel.database import Database

MOST_KEYS = 100
"""Keys that are named at most, the most frequent first."""

LONGEST = 200
"""Characters of a value that can be chosen in a list."""


@dataclass(frozen=True, slots=True)
class OwnColumn:
    """One key of the questions' `meta`."""

    key: str
    questions: int
    """Number of questions that have it."""
    example: str
    """Beginning of one of its values."""


def own_columns(database: Database) -> list[OwnColumn]:
    """The keys that questions have, the most frequent first."""
    rows = database.rows(
        """
        SELECT key, count(*) AS n, arg_min(meta, seq) AS meta FROM (
            SELECT seq, meta, unnest(json_keys(meta)) AS key FROM task
        ) GROUP BY key ORDER BY n DESC, key LIMIT $most
        """,
        {"most": MOST_KEYS},
    )
    columns = []
    for row in rows:
        (first,) = database.rows(
            "SELECT json_extract_string($meta, $pointer) AS value",
            {"meta": row["meta"], "pointer": pointer(row["key"])},
        )
        columns.append(OwnColumn(row["key"], row["n"], (first["value"] or "")[:40]))
    return columns


def pointer(key: str) -> str:
    """The place of a key, as JSON Pointer (RFC 6901) writes it."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def equal(place: str, value: str) -> str:
    """SQL: a question's value, or one of its list, is this one.

    Args:
        place: SQL for the key's pointer.
        value: SQL for the value, as text.
    """
    return f"seq IN (SELECT seq FROM task WHERE list_contains({_values(place)}, {value}))"


def compared(place: str, operator: str, number: float) -> str:
    """SQL: a question's value is a number that fits.

    Args:
        place: SQL for the key's pointer.
        operator: of the comparison.
        number: what it is compared with.
    """
    value = f"try_cast(json_extract_string(meta, {place}) AS DOUBLE)"
    return f"seq IN (SELECT seq FROM task WHERE {value} {operator} {number!r})"


def count_sql(name: str, place: str, where: str) -> str:
    """SQL that counts the values of a key over questions, as `name`, `value` and `n`.

    Args:
        name: SQL for the facet's name.
        place: SQL for the key's pointer.
        where: condition over `outcome`.
    """
    return f"""
    SELECT {name} AS name, value, count(*) AS n FROM (
        SELECT unnest(list_distinct({_values(place)})) AS value FROM task
        WHERE seq IN (SELECT seq FROM outcome WHERE {where})
            AND json_type(meta, {place}) <> 'OBJECT'
    ) WHERE length(value) <= {LONGEST} GROUP BY value"""


def _values(place: str) -> str:
    """SQL for a question's values as texts: those of a list, else the only one."""
    return f"""CASE json_type(meta, {place})
        WHEN 'ARRAY' THEN CAST(json_extract(meta, {place}) AS VARCHAR[])
        ELSE [json_extract_string(meta, {place})] END"""


def in_a_line(value: object) -> str:
    """A value of `meta` in a line of text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(in_a_line(one) for one in value)[:LONGEST]
    return str(value)[:LONGEST]
