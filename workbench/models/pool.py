"""Many calls at a time, in threads, each result as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")


def as_completed(
    function: Callable[[T], R], items: Iterable[T], at_once: int, hurry: Callable[[], None]
) -> Iterator[tuple[T, R]]:
    """Each item with the result of a function, in the order in which the results come.

    Items are taken lazily, in the caller's thread and at most twice `at_once` ahead of the results
    that were handed out, so that no thread idles while the caller writes.  Ctrl-C ends it behind
    the results of the calls under way, since they are paid for; a second one ends it at once.

    Args:
        function: what is called in the threads.
        items: what it is called with.
        at_once: calls at a time.
        hurry: called at Ctrl-C; calls that have not begun should then give up.
    """
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="endpoint")
    # a queue, and no futures: what a thread has put there cannot be lost to an interrupt
    results: SimpleQueue[tuple[T, R | None, BaseException | None]] = SimpleQueue()

    begun: SimpleQueue[None] = SimpleQueue()

    def call(item: T) -> None:
        begun.put(None)
        try:
            results.put((item, function(item), None))
        except BaseException as error:
            results.put((item, None, error))

    def value(result: tuple[T, R | None, BaseException | None]) -> tuple[T, R]:
        item, outcome, error = result
        if error is not None:
            raise error
        return item, cast(R, outcome)

    rest = iter(items)
    open_calls = came = 0
    interrupt: KeyboardInterrupt | None = None
    try:
        while interrupt is None:
            try:
                for item in islice(rest, 2 * at_once - open_calls):
                    pool.submit(call, item)
                    open_calls += 1
                if not open_calls:
                    return
                result = results.get()
            except KeyboardInterrupt as error:
                interrupt = error
                hurry()
                pool.shutdown(wait=True, cancel_futures=True)
                continue
            open_calls -= 1
            came += 1
            yield value(result)
        # a thread whose start was interrupted is none that the pool waits for
        while came < begun.qsize():
            came += 1
            yield value(results.get())
        raise interrupt
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
