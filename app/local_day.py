"""The day of the person who asks: each browser names its time zone in a cookie.

The store keeps UTC.  "Today" is the day where the person sits, which a server elsewhere cannot
know.
"""

from __future__ import annotations

from contextvars import ContextVar
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from workbench.store.kernel.local import day_begin

ZONE_COOKIE = "vpd-zone"
_zone: ContextVar[tzinfo | None] = ContextVar("zone", default=None)


def enter(name: str) -> None:
    """Take the zone of this name for the request that is answered now.

    A name that is not known, or none, stands for the zone of this machine.
    """
    try:
        _zone.set(ZoneInfo(name) if name else None)
    except (OSError, ValueError):
        _zone.set(None)


def zone() -> tzinfo | None:
    """The zone of the person who asks; None for this machine's own."""
    return _zone.get()


def today() -> datetime:
    """When the day began where the person sits, as UTC without a zone."""
    return day_begin(_zone.get())
