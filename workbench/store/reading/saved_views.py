"""Searches that were given a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.errors import InputError
from workbench.store.kernel.database import Database, now
from workbench.store.reading.browse import check_order
from workbench.store.reading.search import parse_query


@dataclass(frozen=True, slots=True)
class View:
    """A search with a name."""

    name: str
    text: str
    sort: str
    author: str
    created_at: datetime


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
    check_order(sort)
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
