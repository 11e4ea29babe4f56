"""Work that is divided among the processor's threads by the piece, rather than within a product.

A small model leaves a processor idle between its many short products, for all threads wait for each
other after every one.  Where there are pieces that do not depend on each other, such as batches of
programs, a thread for each keeps them all busy.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Piece = TypeVar("Piece")
Result = TypeVar("Result")


class Interrupted(Exception):
    """Nobody waits for the rest of a piece of work any more."""


class _Threads:
    """The number of threads that a product uses, lowered while lanes are at work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users, self._usual = 0, 1

    @contextmanager
    def divided(self, lanes: int) -> Iterator[int]:
        """Threads of a product in each of so many lanes; the usual number is back at the end."""
        with self._lock:
            if not self._users:
                self._usual = torch.get_num_threads()
            self._users += 1
        try:
            yield max(self._usual // lanes, 1)
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    torch.set_num_threads(self._usual)


_THREADS = _Threads()


def side_by_side(
    work: Callable[[Piece, Callable[[], None]], Result], pieces: Sequence[Piece], lanes: int
) -> Iterator[Result]:
    """The result of each piece, in the pieces' order.

    Args:
        work: Does one piece; what it is given besides is to be called now and then, and raises
            Interrupted as soon as the caller has gone away, for example by Ctrl-C.
        pieces: What there is to do.
        lanes: Number of pieces that are worked on at a time.
    """
    lanes = min(lanes, len(pieces))
    if lanes <= 1:
        for piece in pieces:
            yield work(piece, lambda: None)
        return
    end = threading.Event()

    def check() -> None:
        if end.is_set():
            raise Interrupted

    with (
        _THREADS.divided(lanes) as threads,
        ThreadPoolExecutor(lanes, "lane", torch.set_num_threads, (threads,)) as pool,
    ):
        futures: list[Future[Result]] = []
        try:
            futures += [pool.submit(work, piece, check) for piece in pieces]
            for future in futures:
                yield future.result()
        finally:
            end.set()
            for future in futures:
                future.cancel()
