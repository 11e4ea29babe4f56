"""How often a password may be tried, and how many are hashed at once.

Hashing is slow on purpose.  Two hashes run at a time and a few wait; whoever comes then is told to
try again, so that a crowd of guesses keeps nobody else waiting.  Wrong passwords are counted by
address and by name from that address: somebody who guesses elsewhere locks nobody out.  Behind a
proxy the address is what the proxy says in X-Forwarded-For, where it runs on this machine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address

PAUSE = 60.0
"""Seconds for which wrong passwords count."""
TRIES = 5
"""Wrong passwords for one name from one address; then that name waits there."""
TRIES_OF_ADDRESS = 20
"""Wrong passwords from one address for all names; then all that never logged in from there wait."""
AT_ONCE = 2
"""Passwords that are hashed at a time: each takes 128 MB for a moment."""
WAITING = 8
"""Passwords that may wait for their turn."""
MOST = 10_000
"""Counts that are kept."""


class TooMany(Exception):
    """A password is not tried now; the text says when it may be."""


class Guesses:
    """The wrong passwords of the last minute, and the places where passwords are hashed."""

    def __init__(self) -> None:
        self._wrong: dict[tuple[str, str], list[float]] = {}
        """Moments of wrong passwords by address and name; the empty name stands for all names."""
        self._right: dict[tuple[str, str], None] = {}
        """Pairs of address and name that logged in, in order."""
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._crowd = threading.BoundedSemaphore(AT_ONCE + WAITING)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place where a password may be hashed.

        Raises:
            TooMany: as many passwords wait as may.
        """
        if not self._crowd.acquire(blocking=False):
            raise TooMany("too many people log in at this moment; try again in a few seconds")
        try:
            with self._places:
                yield
        finally:
            self._crowd.release()

    def check(self, name: str, address: str) -> None:
        """Whether a password may be tried.

        Raises:
            TooMany: there were too many wrong ones.
        """
        address = _network(address)
        with self._lock:
            self._wait(self._recent(address, name), TRIES, "for this name")
            if (address, name) not in self._right:
                self._wait(self._recent(address, ""), TRIES_OF_ADDRESS, "from your address")

    def count(self, name: str, address: str, right: bool) -> None:
        """Remember how a try ended.

        Args:
            name: who was to log in.
            address: where the try came from.
            right: whether the password was right.
        """
        address, now = _network(address), time.monotonic()
        with self._lock:
            if right:
                self._wrong.pop((address, name), None)
                self._right[address, name] = None
                if len(self._right) > MOST:
                    del self._right[next(iter(self._right))]
                return
            if len(self._wrong) > MOST:
                rows = self._wrong.items()
                self._wrong = {key: at for key, at in rows if now - at[-1] < PAUSE}
            for key in ((address, name), (address, "")):
                self._wrong[key] = [*self._recent(*key), now]

    def _recent(self, address: str, name: str) -> list[float]:
        now = time.monotonic()
        return [at for at in self._wrong.get((address, name), ()) if now - at < PAUSE]

    @staticmethod
    def _wait(recent: list[float], most: int, whose: str) -> None:
        if len(recent) >= most:
            seconds = PAUSE - time.monotonic() + recent[-most]
            raise TooMany(f"too many wrong passwords {whose}; wait {max(seconds, 1):.0f} seconds")


def _network(address: str) -> str:
    """An address as it is counted: one household of IPv6 has 2^64 of them."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return address
