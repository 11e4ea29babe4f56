"""Browse: pages of tasks with what came of each, counts beside them, the total apart; saved views.

What makes it fast at a million traces, layout by layout:

- `outcome` has one narrow row per task (k traces each), so that filters, sorts and counts scan a
  fifth of the rows and never a program, an event or a picture.  Names in it repeat and are stored
  as dictionaries; lists of names are one text ('|exists|find|'), since grouping lists costs ten
  times as much.
- A page is a top-N over one column with the last row's place as the start (keyset), then 50 rows by
  their numbers, through the indexes `outcome_seq` and `task_seq`.
- `posting` gives a word's tasks as one list of integers per batch, merged into order now and then
  (`summary.py`); the rarest word is looked up first, each through the index `posting_word`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from workbench.errors import InputError
from workbench.records import Task
from workbench.store.kernel.database import IDS, Database, id_list, now
from workbench.store.reading.outcome import Outcome, split_names, to_outcome
from workbench.store.reading.search import (
    CLOSED,
    FACETS,
    NUMBERS,
    Query,
    bounds,
    found_by,
    parse_query,
    token,
)
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.records import rows as shape
from workbench.store.records.scope import Scope

SORTS: Mapping[str, tuple[str, bool]] = {
    "import": ("seq", False),
    "newest": ("epoch_us(updated_at)", True),
    "seconds": ("seconds", True),
    "steps": ("steps", True),
    "siblings": ("siblings", True),
    "student": ("apart", True),
}
"""Order of a list: its column, and whether the largest comes first; a minus sign before the name
turns it round. What has no value comes last; equal ones stand in order of import.
"""

BUCKETS: Mapping[str, tuple[str, ...]] = {
    "steps": ("0-5", "6-10", "11-20", "21-50", "51-100", "101-"),
    "seconds": ("0-0.1", "0.1-0.5", "0.5-1", "1-5", "5-30", "30-"),
}
"""Whole numbers of steps, both ends included; seconds from the first end up to the second, not
included.
"""

COLUMNS = {
    "status": "status", "source": "source", "split": "split", "family": "family", "type": "answer_type",
    "match": "match", "student": "student", "tool": "tools", "kind": "kinds", "steps": "steps", "seconds": "seconds",
}  # fmt: skip

NOBODY = "none"
"""`reviewer:none`: nobody has said anything yet."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list of tasks."""

    rows: tuple[tuple[Task, Outcome], ...]
    next: str | None
    """Give it as `after` for the following page; None on the last."""


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value that can be chosen."""

    value: str
    count: int
    """Tasks that have it, under everything else that is chosen."""
    token: str
    """What to write in the search box for it."""
    picked: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One group of values: any of the picked ones fits."""

    name: str
    title: str
    values: tuple[FacetValue, ...]
    """Buckets and closed lists in their own order, all others by count."""


@dataclass(frozen=True, slots=True)
class View:
    """A search that was given a name."""

    name: str
    text: str
    sort: str
    author: str
    created_at: datetime


class _Where:
    """A query as SQL over `outcome`, with its parameters."""

    def __init__(self, database: Database, query: Query, scope: Scope) -> None:
        self.query = query
        self.given: dict[str, Any] = {}
        self.found = ""
        """The condition of the free words."""
        if query.words:
            self.found = f"seq IN ({found_by(database, query.words)})"
            self.given.update(sampler=scope.sampler, executor=scope.executor, writer=scope.writer)
        self.compared = [f"{one.column} {one.operator} {one.number!r}" for one in query.compared]
        self.named = {name: self._any(name) for name in dict(query.picked)}

    def sql(self) -> str:
        """Every condition."""
        return f"{self.found} AND {self.rest()}" if self.found else self.rest()

    def rest(self, but: str | None = None) -> str:
        """The conditions without the words, those of one facet left out."""
        held = [
            *self.compared,
            *(condition for name, condition in self.named.items() if name != but),
        ]
        return " AND ".join(held) or "true"

    def parameters(self, sql: str) -> dict[str, Any]:
        """Of these, the ones that a statement uses."""
        return {name: value for name, value in self.given.items() if f"${name}" in sql}

    def _any(self, name: str) -> str:
        return "(" + " OR ".join(self._one(name, value) for value in self.query.values(name)) + ")"

    def _one(self, name: str, value: str) -> str:
        if name in BUCKETS:
            low, high = bounds(value)
            ends = f"{COLUMNS[name]} >= {low!r}"
            if high != float("inf"):
                ends += f" AND {COLUMNS[name]} {'<=' if name == 'steps' or low == high else '<'} {high!r}"
            return f"({ends})"
        mark = f"$p{len(self.given)}_"
        self.given[mark[1:]] = value
        if name in ("tool", "kind"):
            return f"contains({COLUMNS[name]}, '|' || {mark} || '|')"
        if name in COLUMNS:
            return f"{COLUMNS[name]} = {mark}"
        if name == "answer":
            return f"lower(trim(said)) = {mark}"
        if name == "gold":
            return f"contains(gold, chr(10) || {mark} || chr(10))"
        if name == "id":
            return f"(starts_with(id, {mark}) OR starts_with(chosen, {mark}))"
        if name == "flag":
            fits = f"flags <> '' AND ({mark} = 'any' OR contains(flags, '|' || {mark} || '|'))"
            return f"chosen IN (SELECT trace_id FROM trace_check WHERE {fits})"
        if name == "review":
            mine = f"(SELECT task_id FROM curated WHERE state {'<>' if value == 'pending' else '='} {mark})"
            return f"id {'NOT IN' if value == 'pending' else 'IN'} {mine}"
        # What was taken back stands as kind 'none', so that no other is.
        mine = f"(SELECT task_id FROM standing WHERE kind <> 'none' AND {mark} IN ('{NOBODY}', author))"
        return f"id {'NOT IN' if value == NOBODY else 'IN'} {mine}"


def browse(database: Database, text: str, sort: str, after: str | None, limit: int) -> Page:
    """One page.  Raises InputError for a text, sort or place that is none."""
    value, order, descending = _order(sort)
    where = _Where(database, parse_query(text), bring_up_to_date(database))
    sql = f"SELECT seq, {value} AS value FROM outcome WHERE {where.sql()}"
    given = where.parameters(sql)
    if after is not None:
        last, seq = _place(after)
        sign = "<" if descending else ">"
        sql += f" AND ({value} {sign} $last OR ({value} = $last AND seq > $seq))"
        given |= {"last": last, "seq": seq}
    found = database.rows(f"{sql} ORDER BY {order} LIMIT {max(limit, 0) + 1}", given)
    shown = found[:limit]
    place = (
        json.dumps([shown[-1]["value"], shown[-1]["seq"]]) if shown and len(found) > limit else None
    )
    return Page(
        _with_tasks(database, [row["seq"] for row in shown]),
        base64.urlsafe_b64encode(place.encode()).decode() if place else None,
    )


def _order(sort: str) -> tuple[str, str, bool]:
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise InputError(
            f"no order is called '{sort}'; there are: {', '.join(SORTS)}, each also with a minus before it"
        )
    column, descending = SORTS[name]
    descending ^= sort.startswith("-")
    value = (
        column
        if name in ("import", "newest")
        else f"coalesce({column}, {'-1' if descending else '1e300'})"
    )
    return value, f"{value} {'DESC' if descending else ''}, seq", descending


def _place(after: str) -> tuple[float, int]:
    try:
        value, seq = json.loads(base64.urlsafe_b64decode(after.encode()))
        if type(value) in (int, float) and type(seq) is int:
            return value, seq
    except (binascii.Error, ValueError, TypeError):
        pass
    raise InputError(
        "this is no place in a list; leave `after` out for the first page, or give a page's `next`"
    )


def _with_tasks(database: Database, seqs: list[int]) -> tuple[tuple[Task, Outcome], ...]:
    # Numbers as literals, which the indexes are asked for.
    among = ", ".join(map(str, seqs)) or "NULL"
    found = {
        row["seq"]: row for row in database.rows(f"SELECT * FROM outcome WHERE seq IN ({among})")
    }
    tasks = {
        row["seq"]: shape.to_task(row)
        for row in database.rows(f"SELECT * FROM task WHERE seq IN ({among})")
    }
    ids = id_list(row["id"] for row in found.values())
    said = {
        row["task_id"]: row
        for row in database.rows(
            f"""
            SELECT task_id, any_value(state) AS state,
                list(DISTINCT author ORDER BY author) FILTER (kind <> 'none') AS authors
            FROM curated LEFT JOIN standing USING (task_id) WHERE task_id IN {IDS} GROUP BY task_id
            """,
            {"ids": ids},
        )
    }
    shown = []
    for seq in seqs:
        outcome, review = to_outcome(found[seq]), said.get(found[seq]["id"])
        if review is not None:
            outcome = replace(
                outcome, review=review["state"], reviewers=tuple(review["authors"] or ())
            )
        shown.append((tasks[seq], outcome))
    return tuple(shown)


def total(database: Database, text: str) -> int:
    """How many tasks fit."""
    where = _Where(database, parse_query(text), bring_up_to_date(database))
    sql = f"SELECT count(*) AS n FROM outcome WHERE {where.sql()}"
    return int(database.rows(sql, where.parameters(sql))[0]["n"])


def ids(database: Database, text: str, sort: str) -> list[str]:
    """Every task that fits."""
    _, order, _ = _order(sort)
    where = _Where(database, parse_query(text), bring_up_to_date(database))
    sql = f"SELECT id FROM outcome WHERE {where.sql()} ORDER BY {order}"
    return [row["id"] for row in database.rows(sql, where.parameters(sql))]


def facets(database: Database, text: str) -> tuple[Facet, ...]:
    """Counts of every facet's values; each under what is chosen in all the others."""
    query = parse_query(text)
    where = _Where(database, query, bring_up_to_date(database))
    table, head = "outcome", ""
    if query.words:  # looked up once; what they leave is counted
        columns = ", ".join({*COLUMNS.values(), *NUMBERS.values(), "id", "chosen", "said", "gold"})
        table, head = (
            "fits",
            f"WITH fits AS MATERIALIZED (SELECT {columns} FROM outcome WHERE {where.found}) ",
        )
    sql = head + " UNION ALL ".join(_counted(name, table, where.rest(name)) for name in FACETS)
    counts: dict[str, dict[str, int]] = {name: {} for name in FACETS}
    for row in database.rows(sql, where.parameters(sql)):
        names = split_names(row["value"]) if row["name"] in ("tool", "kind") else (row["value"],)
        for name in names:
            held = counts[row["name"]]
            held[name] = held.get(name, 0) + row["n"]
    counts["review"]["pending"] = 2 * counts["review"].get("", 0) - sum(counts["review"].values())
    return tuple(_facet(name, counts[name], query.values(name)) for name in FACETS)


def _counted(name: str, table: str, where: str) -> str:
    among = f"FROM {table} WHERE {where}"
    column = COLUMNS.get(name)
    if name in BUCKETS:
        sign, last = "<=" if name == "steps" else "<", BUCKETS[name][-1]
        cases = " ".join(
            f"WHEN {column} {sign} {b.split('-')[1]} THEN '{b}'" for b in BUCKETS[name][:-1]
        )
        among += f" AND {column} IS NOT NULL"
        column = f"CASE {cases} ELSE '{last}' END"
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


def _facet(name: str, counts: Mapping[str, int], picked: list[str]) -> Facet:
    own = BUCKETS.get(name) or CLOSED.get(name)
    order: Iterable[str] = own or sorted(counts, key=lambda value: (-counts[value], value))
    values = [value for value in order if counts.get(value) or value in picked]
    values += [value for value in picked if value not in values]
    return Facet(
        name,
        FACETS[name],
        tuple(
            FacetValue(value, counts.get(value, 0), token(name, value), value in picked)
            for value in values
        ),
    )


# --- saved views


def save_view(database: Database, name: str, text: str, sort: str, author: str) -> View:
    """Give a search a name; one of this name gives way.  Raises InputError when it is no search."""
    name = name.strip()
    if not name or len(name) > 80:
        raise InputError("a view needs a name of 1 to 80 characters")
    _order(sort)
    view = View(name, str(parse_query(text)), sort, author, now())
    values = [view.name, view.text, view.sort, view.author, view.created_at]
    database.transaction(
        lambda cursor: cursor.execute(
            "INSERT OR REPLACE INTO saved_view VALUES (?, ?, ?, ?, ?)", values
        )
    )
    return view


def saved_views(database: Database) -> list[View]:
    """By name."""
    return [
        View(**row) for row in database.rows("SELECT * FROM saved_view ORDER BY lower(name), name")
    ]


def delete_view(database: Database, name: str) -> None:
    """Forget a view; one that is not there is forgotten already."""
    database.transaction(
        lambda cursor: cursor.execute("DELETE FROM saved_view WHERE name = ?", [name])
    )
