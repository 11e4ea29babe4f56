"""Browse: pages of questions with what came of each, and their number.

What makes it fast at a million traces, layout by layout:

- `outcome` has one narrow row per task (k traces each), so that filters, sorts and counts scan a
  fifth of the rows and never a program, an event or a picture.  Names in it repeat and are stored
  as dictionaries; lists of names are one text ('|exists|find|'), since grouping lists costs ten
  times as much.
- A page is a top-N over one column with the last row's place as the start (keyset), then 50 rows by
  their numbers, in whose order both tables lie.
- `posting` gives a word's tasks as one list of integers per batch, merged into order now and then
  (`summary.py`); the rarest word is looked up first, in a table that lies in their order.

The conditions of a search stand in `where.py`, the counts beside a list in `facets.py`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from workbench.errors import InputError
from workbench.records import Task
from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.reading.outcome import Outcome, to_outcome
from workbench.store.reading.search import parse_query
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.reading.where import Where
from workbench.store.records import rows as shape

SORTS: Mapping[str, tuple[str, bool]] = {
    "import": ("seq", False),
    "newest": ("epoch_us(updated_at)", True),
    "seconds": ("seconds", True),
    "steps": ("steps", True),
    "siblings": ("siblings", True),
    "student": ("apart", True),
}
"""Orders of a list: the column, and whether the largest value comes first.

A minus sign before the name turns the order round.  What has no value comes last; equal values
stand in order of import.
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list of questions."""

    rows: tuple[tuple[Task, Outcome], ...]
    next: str | None
    """What the following page needs as `after`; None on the last page."""


def browse(
    database: Database, text: str, sort: str, after: str | None, limit: int, before: int = 0
) -> Page:
    """One page of a list.

    Args:
        database: the store.
        text: what to search for.
        sort: one of `SORTS`; a minus before it turns it round.
        after: the `next` of the page before; None gives the first page.
        limit: how many questions at most.
        before: how many questions to pass over, from there on.

    Raises:
        InputError: the text, the order or the place cannot be understood.
    """
    value, order, descending = check_order(sort)
    where = Where(database, parse_query(text), bring_up_to_date(database))
    sql = f"SELECT seq, {value} AS value FROM outcome WHERE {where.sql()}"
    parameters = where.parameters(sql)
    if after is not None:
        last, seq = _place(after)
        sign = "<" if descending else ">"
        sql += f" AND ({value} {sign} $last OR ({value} = $last AND seq > $seq))"
        parameters |= {"last": last, "seq": seq}
    sql += f" ORDER BY {order} LIMIT {max(limit, 0) + 1} OFFSET {max(before, 0)}"
    rows = database.rows(sql, parameters)
    page = rows[:limit]
    place = json.dumps([page[-1]["value"], page[-1]["seq"]]) if page and len(rows) > limit else None
    return Page(
        _with_tasks(database, [row["seq"] for row in page]),
        base64.urlsafe_b64encode(place.encode()).decode() if place else None,
    )


def check_order(sort: str) -> tuple[str, str, bool]:
    """The column, the SQL and the direction of an order; raises InputError where there is none."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise InputError(
            f"no order is called '{sort}'; there are: {', '.join(SORTS)}, "
            "each also with a minus before it"
        )
    column, descending = SORTS[name]
    descending ^= sort.startswith("-")
    value = column
    if name not in ("import", "newest"):
        value = f"coalesce({column}, {'-1' if descending else '1e300'})"
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
    outcomes = {
        row["seq"]: row for row in database.rows(f"SELECT * FROM outcome WHERE seq IN ({among})")
    }
    tasks = {
        row["seq"]: shape.to_task(row)
        for row in database.rows(f"SELECT * FROM task WHERE seq IN ({among})")
    }
    ids = id_list(row["id"] for row in outcomes.values())
    reviews = {
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
    pairs = []
    for seq in seqs:
        outcome, review = to_outcome(outcomes[seq]), reviews.get(outcomes[seq]["id"])
        if review is not None:
            outcome = replace(
                outcome, review=review["state"], reviewers=tuple(review["authors"] or ())
            )
        pairs.append((tasks[seq], outcome))
    return tuple(pairs)


def total(database: Database, text: str) -> int:
    """How many questions a search finds."""
    where = Where(database, parse_query(text), bring_up_to_date(database))
    sql = f"SELECT count(*) AS n FROM outcome WHERE {where.sql()}"
    return int(database.rows(sql, where.parameters(sql))[0]["n"])


def ids(database: Database, text: str, sort: str) -> list[str]:
    """Ids of all questions that a search finds, in order.

    Args:
        database: the store.
        text: what to search for.
        sort: one of `SORTS`; a minus before it turns it round.
    """
    _, order, _ = check_order(sort)
    where = Where(database, parse_query(text), bring_up_to_date(database))
    sql = f"SELECT id FROM outcome WHERE {where.sql()} ORDER BY {order}"
    return [row["id"] for row in database.rows(sql, where.parameters(sql))]
