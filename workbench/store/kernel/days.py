"""The days of the person who asks: the store keeps UTC, and a day begins where somebody sits."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from workbench.store.kernel.database import Database

DAYS = """(SELECT unnest(
    from_json($days, '[{"begin": "TIMESTAMP", "day": "DATE"}]'), recursive := true))"""
"""The table of the days that `local_days` gives as the parameter `days`, for an ASOF JOIN."""


def midnight(day: date, zone: tzinfo | None = None) -> datetime:
    """When a day begins in a zone, as UTC without a zone; None takes this machine's own zone."""
    return datetime.combine(day, time.min, zone).astimezone(UTC).replace(tzinfo=None)


def local_days(database: Database, table: str, zone: tzinfo | None) -> dict[str, Any]:
    """The parameter of `DAYS`: every day on which a row of a table can have been written.

    Args:
        database: the store.
        table: of the store, with a column `created_at`.
        zone: whose days they are; None for this machine's own zone.
    """
    sql = f"SELECT min(created_at) AS first, max(created_at) AS last FROM {table}"
    ((first, last),) = (tuple(row.values()) for row in database.rows(sql))
    days = []
    if first is not None:
        day, end = (one.replace(tzinfo=UTC).astimezone(zone).date() for one in (first, last))
        while day <= end:
            days.append({"begin": str(midnight(day, zone)), "day": str(day)})
            day += timedelta(days=1)
    return {"days": json.dumps(days)}
