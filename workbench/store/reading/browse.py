"""Browse: pages of questions with what came of each, counts beside them, the total; saved views.

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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, get_args

from workbench.errors import InputError
from workbench.records import AnswerType, Task
from workbench.store.kernel.database import IDS, Database, id_list, now
from workbench.store.reading.outcome import Outcome, split_names, to_outcome
from workbench.store.reading.search import (
    CLOSED,
    FACETS,
    NUMBERS,
    Query,
    bounds,
    parse_query,
    token,
    word_condition,
)
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.records import rows as shape
from workbench.store.records.pending import VISITOR
from workbench.store.records.scope import Scope
from workbench.verify.answers import choice
from workbench.verify.normalise import normalise

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

BUCKETS: Mapping[str, tuple[str, ...]] = {
    "steps": ("0-5", "6-10", "11-20", "21-50", "51-100", "101-"),
    "seconds": ("0-0.1", "0.1-0.5", "0.5-1", "1-5", "5-30", "30-"),
}
"""Ranges that can be chosen: of steps with both ends, of seconds without the upper end."""

COLUMNS = {
    "status": "status", "source": "source", "split": "split", "family": "family",
    "type": "answer_type", "match": "match", "student": "student", "tool": "tools",
    "kind": "kinds", "steps": "steps", "seconds": "seconds", "evidence": "evidence",
}  # fmt: skip

_PLACES = tuple(f"option {number} of 26" for number in range(1, 27))
"""Options that only a letter names, to learn which place a text such as `(b)` means."""

NOBODY = "none"
"""`reviewer:none` finds the questions that nobody has decided on."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list of questions."""

    rows: tuple[tuple[Task, Outcome], ...]
    next: str | None
    """What the following page needs as `after`; None on the last page."""


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


@dataclass(frozen=True, slots=True)
class Facet:
    """One group of values; a question fits that has any of the picked ones."""

    name: str
    title: str
    values: tuple[FacetValue, ...]
    """Ranges and closed lists in their own order, all others by count."""


@dataclass(frozen=True, slots=True)
class View:
    """A search with a name."""

    name: str
    text: str
    sort: str
    author: str
    created_at: datetime


class Where:
    """A query as SQL over `outcome`, with its parameters."""

    def __init__(self, database: Database, query: Query, scope: Scope) -> None:
        self.database, self.query = database, query
        self.values: dict[str, Any] = {}
        """Values of the parameters, by name."""
        self.words = ""
        """The condition of the free words."""
        if query.words:
            self.words = f"seq IN ({word_condition(database, query.words)})"
            self.values.update(sampler=scope.sampler, executor=scope.executor, writer=scope.writer)
        self.comparisons = [f"{one.column} {one.operator} {one.number!r}" for one in query.compared]
        self.choices = {name: self._any(name) for name in dict(query.picked)}

    def sql(self) -> str:
        """All conditions, joined by AND."""
        return f"{self.words} AND {self.rest()}" if self.words else self.rest()

    def rest(self, but: str | None = None) -> str:
        """The conditions without that of the free words and without those of the facet `but`."""
        conditions = [
            *self.comparisons,
            *(condition for name, condition in self.choices.items() if name != but),
        ]
        return " AND ".join(conditions) or "true"

    def parameters(self, sql: str) -> dict[str, Any]:
        """The parameters that a statement uses."""
        return {name: value for name, value in self.values.items() if f"${name}" in sql}

    def _any(self, name: str) -> str:
        return "(" + " OR ".join(self._one(name, value) for value in self.query.values(name)) + ")"

    def _one(self, name: str, value: str) -> str:
        if name in BUCKETS:
            low, high = bounds(value)
            ends = f"{COLUMNS[name]} >= {low!r}"
            if high != float("inf"):
                sign = "<=" if name == "steps" or low == high else "<"
                ends += f" AND {COLUMNS[name]} {sign} {high!r}"
            return f"({ends})"
        mark = f"$p{len(self.values)}_"
        self.values[mark[1:]] = value
        if name in COLUMNS:
            return self._column(name, mark)
        if name == "answer":
            return self._answer(mark, value)
        return _OTHER[name](mark, value)

    def _answer(self, mark: str, value: str) -> str:
        """The questions whose answer means this value, each by the rule of its own type."""
        self.values[mark[1:]] = json.dumps(_naming(self.database, value))
        conditions = [f"""seq IN (SELECT unnest(from_json({mark}, '["BIGINT"]')))"""]
        for answer_type in get_args(AnswerType):
            if answer_type != "choice":
                form = f"{mark}{answer_type}"
                task = Task("", "", "", "", "", answer_type=answer_type)
                self.values[form[1:]] = shape.form_of(value, task)
                conditions.append(f"(answer_type = '{answer_type}' AND said_form = {form})")
        return "(" + " OR ".join(conditions) + ")"

    def _column(self, name: str, mark: str) -> str:
        if name in ("tool", "kind"):
            return f"contains({COLUMNS[name]}, '|' || {mark} || '|')"
        return f"{COLUMNS[name]} = {mark}"


_normal = lru_cache(maxsize=100_000)(normalise)


def _naming(database: Database, value: str) -> list[int]:
    """Numbers of the multiple-choice questions whose answer a text names: by the option's words,
    or by its letter, which stands for another option in each question.
    """
    words = f" {normalise(value)} "
    sql = "SELECT DISTINCT said_form AS form FROM outcome WHERE answer_type = 'choice'"
    forms = [row["form"] for row in database.rows(f"{sql} AND said_form <> ''")]
    forms = [form for form in forms if f" {_normal(form)} " in words]
    letter = choice(value, _PLACES)
    rows = database.rows(
        """
        SELECT seq, said_form, task.* FROM outcome JOIN task USING (seq)
        WHERE outcome.answer_type = 'choice' AND (
            list_contains(from_json($forms, '["VARCHAR"]'), said_form)
            OR said_form = task.choices[$letter])
        """,
        {"forms": json.dumps(forms), "letter": 0 if letter is None else letter + 1},
    )
    return [r["seq"] for r in rows if shape.form_of(value, shape.to_task(r)) == r["said_form"]]


def _flag(mark: str, value: str) -> str:
    fits = f"flags <> '' AND ({mark} = 'any' OR contains(flags, '|' || {mark} || '|'))"
    return f"chosen IN (SELECT trace_id FROM trace_check WHERE {fits})"


def _rationale(mark: str, value: str) -> str:
    condition = {
        "faithful": "faithful",
        "unfaithful": "NOT faithful",
        "none": "chosen IS NOT NULL AND faithful IS NULL",
    }.get(value, value)
    return f"({mark} <> '' AND coalesce({condition}, false))"


def _review(mark: str, value: str) -> str:
    # A question without a row in `curated` is pending as well.
    sign, among = ("<>", "NOT IN") if value == "pending" else ("=", "IN")
    return f"id {among} (SELECT task_id FROM curated WHERE state {sign} {mark})"


def _reviewer(mark: str, value: str) -> str:
    # A decision that was taken back stands as kind 'none', so that it does not count.
    among = "NOT IN" if value == NOBODY else "IN"
    fits = f"kind <> 'none' AND {mark} IN ('{NOBODY}', author)"
    return f"id {among} (SELECT task_id FROM standing WHERE {fits})"


def _tag(mark: str, value: str) -> str:
    fits = f"kind = 'tag' AND lower(text) = {mark}"
    return f"id IN (SELECT task_id FROM active_decision WHERE {fits})"


_OTHER: Mapping[str, Callable[[str, str], str]] = {
    "gold": lambda mark, value: f"contains(gold, chr(10) || {mark} || chr(10))",
    "id": lambda mark, value: f"(starts_with(id, {mark}) OR starts_with(chosen, {mark}))",
    "flag": _flag,
    "rationale": _rationale,
    "origin": lambda mark, value: f"({VISITOR} = ({mark} = 'visitor'))",
    "review": _review,
    "reviewer": _reviewer,
    "tag": _tag,
}
"""The condition of each name that has no column of its own, from the parameter and its value."""


def browse(database: Database, text: str, sort: str, after: str | None, limit: int) -> Page:
    """One page of a list.

    Args:
        database: the store.
        text: what to search for.
        sort: one of `SORTS`; a minus before it turns it round.
        after: the `next` of the page before; None gives the first page.
        limit: how many questions at most.

    Raises:
        InputError: the text, the order or the place cannot be understood.
    """
    value, order, descending = _order(sort)
    where = Where(database, parse_query(text), bring_up_to_date(database))
    sql = f"SELECT seq, {value} AS value FROM outcome WHERE {where.sql()}"
    parameters = where.parameters(sql)
    if after is not None:
        last, seq = _place(after)
        sign = "<" if descending else ">"
        sql += f" AND ({value} {sign} $last OR ({value} = $last AND seq > $seq))"
        parameters |= {"last": last, "seq": seq}
    rows = database.rows(f"{sql} ORDER BY {order} LIMIT {max(limit, 0) + 1}", parameters)
    page = rows[:limit]
    place = json.dumps([page[-1]["value"], page[-1]["seq"]]) if page and len(rows) > limit else None
    return Page(
        _with_tasks(database, [row["seq"] for row in page]),
        base64.urlsafe_b64encode(place.encode()).decode() if place else None,
    )


def _order(sort: str) -> tuple[str, str, bool]:
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
    _, order, _ = _order(sort)
    where = Where(database, parse_query(text), bring_up_to_date(database))
    sql = f"SELECT id FROM outcome WHERE {where.sql()} ORDER BY {order}"
    return [row["id"] for row in database.rows(sql, where.parameters(sql))]


def facets(database: Database, text: str) -> tuple[Facet, ...]:
    """The values of every facet, each with the number of questions that fit all other facets."""
    query = parse_query(text)
    where = Where(database, query, bring_up_to_date(database))
    table, head = "outcome", ""
    if query.words:  # looked up once; what they leave is counted
        others = {"seq", "id", "chosen", "said_form", "gold"}
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
    return tuple(_facet(name, counts[name], query.values(name)) for name in FACETS)


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


def save_view(
    database: Database, name: str, text: str, sort: str, author: str, others: bool = True
) -> View:
    """Give a search a name; a saved search of the same name gives way.

    Args:
        database: the store.
        name: 1 to 80 characters.
        text: what to search for.
        sort: one of `SORTS`; a minus before it turns it round.
        author: who saves it.
        others: whether another person's search of this name may give way.

    Raises:
        InputError: the name, the text or the order cannot be used, or the name is another's.
    """
    name = name.strip()
    if not name or len(name) > 80:
        raise InputError("a view needs a name of 1 to 80 characters")
    _order(sort)
    view = View(name, str(parse_query(text)), sort, author, now())
    values = [view.name, view.text, view.sort, view.author, view.created_at]

    def work(cursor: Any) -> None:
        _refuse_others(cursor, view.name, None if others else author)
        cursor.execute("INSERT OR REPLACE INTO saved_view VALUES (?, ?, ?, ?, ?)", values)

    database.transaction(work)
    return view


def saved_views(database: Database) -> list[View]:
    """All saved searches, by name."""
    return [
        View(**row) for row in database.rows("SELECT * FROM saved_view ORDER BY lower(name), name")
    ]


def delete_view(database: Database, name: str, author: str | None = None) -> None:
    """Delete a saved search; nothing happens where there is none of this name.

    Args:
        database: the store.
        name: of the search.
        author: whose it has to be; None deletes anybody's.

    Raises:
        InputError: it is another person's.
    """

    def work(cursor: Any) -> None:
        _refuse_others(cursor, name, author)
        cursor.execute("DELETE FROM saved_view WHERE name = ?", [name])

    database.transaction(work)


def _refuse_others(cursor: Any, name: str, author: str | None) -> None:
    """Raise InputError where a saved search is not this person's; None may change anybody's."""
    row = cursor.execute("SELECT author FROM saved_view WHERE name = ?", [name]).fetchone()
    if author is not None and row is not None and row[0] != author:
        raise InputError(
            f"the view '{name}' is {row[0]}'s; an admin can delete it, or choose another name"
        )
