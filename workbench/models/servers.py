"""Several servers of one model: the least busy one is asked, and one that went away rests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

LONGEST_REST = 60.0
"""Most seconds for which a server that gave no answer is passed over."""


@dataclass(slots=True)
class ChatServer:
    """One server."""

    address: str
    busy: int = 0
    """Requests that wait for its answer."""
    failures: int = 0
    """Requests without an answer since it last gave one."""
    until: float = 0.0
    """Until when it rests, by the clock of its group."""


class Servers:
    """The servers of one model.  Safe to use from several threads.

    Args:
        addresses: base addresses, at least one.
        rest: seconds for which a server rests after its first failure; each further one doubles it.
        clock: gives the time in seconds.
    """

    def __init__(
        self, addresses: Sequence[str], rest: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._servers = [ChatServer(address) for address in addresses]
        self._rest, self._clock = rest, clock
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._servers)

    @contextmanager
    def least_busy(self) -> Iterator[ChatServer]:
        """The server to ask now, which is busy until the block ends.

        One that rests is passed over where another does not.  Behind its rest it gets a single
        request, and others once it has answered that.
        """
        with self._lock:
            now = self._clock()
            server = min(self._servers, key=lambda one: (not self._serves(one, now), one.busy))
            server.busy += 1
        try:
            yield server
        finally:
            with self._lock:
                server.busy -= 1

    @staticmethod
    def _serves(server: ChatServer, now: float) -> bool:
        return not server.failures or (now >= server.until and not server.busy)

    def answered(self, server: ChatServer) -> None:
        """Note that a server gave an answer, be it a refusal."""
        with self._lock:
            server.failures = 0

    def failed(self, server: ChatServer) -> bool:
        """Note that a server gave none; returns whether another one can be asked at once."""
        with self._lock:
            now = self._clock()
            server.failures += 1
            # the exponent is bounded, as no pause needs a larger one
            server.until = now + min(self._rest * 2 ** min(server.failures - 1, 10), LONGEST_REST)
            return any(self._serves(one, now) for one in self._servers if one is not server)
