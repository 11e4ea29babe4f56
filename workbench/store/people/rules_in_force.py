"""The rules of curation and the guidelines, each with the versions that were in force before."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from workbench.curate.settings import Settings
from workbench.errors import InputError
from workbench.records import content_key, storable
from workbench.store.kernel.database import Database
from workbench.store.people import decisions


@dataclass(frozen=True, slots=True)
class Guideline:
    """One version of the guidelines."""

    version: str
    """Content key of the text."""
    text: str
    author: str
    created_at: datetime


def settings(database: Database) -> Settings:
    """The rules in force."""
    names = ", ".join(f'"{name}"' for name in Settings.__slots__)
    # all of the few rows: to sort them and take the last costs three times as much
    rows = database.rows(f"SELECT seq, {names} FROM curation")
    if not rows:
        return Settings()
    last = max(rows, key=lambda row: int(row.pop("seq")))
    return Settings(**last)


def set_settings(database: Database, wish: Settings, author: str, moment: datetime) -> None:
    """Put other rules in force; states that depend on the overlap change at once.

    Args:
        database: the project's store.
        wish: the rules.
        author: who sets them.
        moment: UTC without a zone.
    """

    def work(cursor: Any) -> None:
        before = decisions.overlap_in_force(cursor)
        row = {**asdict(wish), "author": author, "created_at": moment}
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        cursor.execute(
            f"INSERT INTO curation (seq, {names}) VALUES (nextval('curation_seq'), {marks})",
            list(row.values()),
        )
        if wish.overlap != before:
            decisions.write_all_states(cursor, moment)

    database.transaction(work)


def add_guideline(database: Database, text: str, author: str, moment: datetime) -> Guideline:
    """Put guidelines in force; nothing changes where the text is in force already.

    Args:
        database: the project's store.
        text: the guidelines.
        author: who gives them.
        moment: UTC without a zone.

    Raises:
        InputError: there are no words in them.
    """
    if not text.strip():
        raise InputError("the guidelines are empty; give a text file with words in it")
    cleaned = storable(text)
    guideline = Guideline(content_key("guideline", cleaned)[:12], cleaned, author, moment)

    def work(cursor: Any) -> None:
        latest = cursor.execute("SELECT arg_max(version, seq) FROM guideline").fetchone()
        if latest[0] != guideline.version:
            cursor.execute(
                "INSERT INTO guideline VALUES (nextval('guideline_seq'), ?, ?, ?, ?)",
                [guideline.version, guideline.text, guideline.author, guideline.created_at],
            )

    database.transaction(work)
    return guidelines(database)[0]


def guidelines(database: Database) -> list[Guideline]:
    """Every text that was put in force, the newest first."""
    rows = database.rows(
        "SELECT version, text, author, created_at FROM guideline ORDER BY seq DESC"
    )
    return [Guideline(**row) for row in rows]
