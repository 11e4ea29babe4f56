"""Requests to OpenAI-compatible chat endpoints.

That is vLLM, `transformers serve`, TGI, llama.cpp, or a hosted one.

One `Endpoint` holds the connections to one or several servers of a model, repeats a request with
growing pauses when a server is busy or away, and counts tokens and cost.  The key is read from the
environment when a request is made and gets into no record and no message.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx

from workbench.errors import EngineError, RefusedRequest
from workbench.models.connection import Connection
from workbench.models.pool import as_completed
from workbench.models.replies import choices_of, usage_of
from workbench.models.servers import ChatServer, Servers
from workbench.usage import Usage

T = TypeVar("T")
R = TypeVar("R")

Messages = Sequence[Mapping[str, Any]]
"""The turns of a chat; the content of one is a text, or a list of texts and pictures."""

_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP statuses after which the same request may succeed."""
_BUSY = frozenset({429, 503, 529})
"""Those of them that say nothing about the request."""
MOST_WAITS = 100
"""Most times that a busy server, which answers others meanwhile, is asked again for one answer."""
MOST_UNANSWERED = 5
"""Requests that may stay without an answer while others get one, or a tenth of those where that is
more; with more of them the server is at fault."""
LONGEST_PAUSE = 60.0
"""Longest pause before a further attempt, seconds, where the server names none."""
LONGEST_WAIT = 120.0
"""Longest pause that a server may ask for, seconds."""
LARGEST_REPLY = 20_000_000
"""Most bytes of one reply."""
_AWAY = 5.0
"""Seconds in which an endpoint that gave no answer to every attempt is not asked again, so that a
batch that is asked for in parts does not wait for each of them."""
_REFUSED = frozenset({400, 403, 413, 422, 451})
"""HTTP statuses with which a server turns down a single request."""
_OWN_WORDS = re.compile(
    r"content.?filter|content management|policy|moderat|flagged|safety|unsafe|harm|blocked"
    r"|context.?length|context.?window|maximum context|too long|too large|too many tokens",
    re.IGNORECASE,
)
"""Reasons that lie in the words of a request, and not in settings that all requests share."""
_MOST_UNCLEAR = 64
"""Refusals without a reason of their own after which an endpoint that has answered nothing yet is
asked no more; more where more requests are under way at a time."""
_PROBE = ({"role": "user", "content": "Say yes."},)
"""A request that any working server answers."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one attempt."""

    status: int
    """Of HTTP; 0 where there was no answer."""
    reply: Any = None
    """The body, as JSON or else as text."""
    pause: float = 0.0
    """Seconds that the server asks to wait."""
    problem: str = ""
    """Why there is no answer, for people."""
    absent: bool = False
    """Whether no server listens at the address."""
    elsewhere: bool = False
    """Whether another server can be asked at once."""

    @property
    def good(self) -> bool:
        return self.status == 200 and bool(choices_of(self.reply))

    @property
    def again(self) -> bool:
        """Whether the same request may succeed."""
        return self.status in (0, 200) or self.status in _AGAIN

    @property
    def words(self) -> str:
        return self.problem or f"HTTP {self.status}: {_short(self.reply)}"


class Endpoint:
    """A chat endpoint.  Safe to use from several threads.

    Args:
        model: The model's name at the server.
        connection: Where the servers are and how they are asked.
    """

    def __init__(self, model: str, connection: Connection) -> None:
        self.model, self.base_url = model, connection.addresses[0]
        self.concurrency = connection.concurrency
        self.request = connection.request()
        self._connection = connection
        self._usage, self._lock = Usage(), threading.Lock()
        self._unanswered = 0
        """Requests that were given up though the server answered others."""
        self._away: tuple[float, str] | None = None
        self._hurry = threading.Event()
        """Set at Ctrl-C: who waits before a further attempt gives up."""
        self._servers = Servers(connection.addresses, connection.first_pause)
        self._client = httpx.Client(
            # waiting for a free connection is no failure of the server
            timeout=httpx.Timeout(connection.timeout, pool=None),
            limits=httpx.Limits(
                max_connections=connection.concurrency,
                max_keepalive_connections=connection.concurrency,
            ),
        )

    @property
    def usage(self) -> Usage:
        """Requests, tokens and cost since the start."""
        with self._lock:
            return self._usage

    def close(self) -> None:
        """Close the connections; the endpoint cannot be used after."""
        self._client.close()

    def chat(self, messages: Messages, max_tokens: int, **options: Any) -> dict[str, Any]:
        """One reply of a server, with at least one choice.

        Args:
            messages: The turns so far.
            max_tokens: Longest reply, in tokens.
            options: Further fields of the request, which the server may not know.

        Raises:
            RefusedRequest: the server turns down this request, and would each time; or gives no
                answer to it, every time, while it answers another one.
            EngineError: the servers went away or answered something else, after every retry.
        """
        self._raise_where_away()
        attempts = waits = 0
        served = self.usage.requests
        while True:
            fields = self.request.fields(max_tokens, options)
            outcome = self._attempt(messages, fields)
            if outcome.good:
                self._count(outcome.reply, attempts + waits)
                return {**outcome.reply, "choices": choices_of(outcome.reply)}
            if outcome.status in _REFUSED:
                if self.request.adapt(_short(outcome.reply), fields):
                    continue  # not an attempt: the same question, without an unknown field
                raise self._refusal(outcome)
            if not outcome.again:
                raise self._no_answer(outcome)
            # a busy server that answers others has a turn for this request too
            before, served = served, self.usage.requests
            if outcome.status in _BUSY and served > before and waits < MOST_WAITS:
                waits += 1
            else:
                attempts += 1
            # each server may be away once before an attempt counts
            if attempts > self._connection.retries + len(self._servers) - 1:
                return self._last_try(messages, fields, outcome, attempts)
            self._wait(attempts, outcome)

    def _attempt(self, messages: Messages, fields: Mapping[str, Any]) -> _Outcome:
        """Ask the server that is least busy, once."""
        with self._servers.least_busy() as server:
            try:
                outcome = self._post(
                    server, {"model": self.model, "messages": list(messages), **fields}
                )
            except httpx.HTTPError as error:
                outcome = _Outcome(
                    0,
                    problem=f"{type(error).__name__}: {error}",
                    absent=isinstance(error, httpx.ConnectError),
                )
            if outcome.good or outcome.status in _REFUSED:
                self._servers.answered(server)
                return outcome
            elsewhere = self._servers.failed(server)
        return _Outcome(
            outcome.status,
            outcome.reply,
            outcome.pause,
            outcome.problem,
            outcome.absent,
            elsewhere,
        )

    def _wait(self, attempts: int, outcome: _Outcome) -> None:
        """Pause before a further attempt, unless another server is free.

        Args:
            attempts: those before it.
            outcome: what came of the last one.

        Raises:
            EngineError: the work is being stopped.
        """
        if outcome.elsewhere:
            return
        growth = 2 ** min(max(attempts - 1, 0), 10)
        backoff = self._connection.first_pause * growth * random.uniform(0.75, 1.25)
        pause = max(min(backoff, LONGEST_PAUSE), min(outcome.pause, LONGEST_WAIT))
        if self._hurry.wait(pause):
            raise EngineError("stopped before the endpoint had answered; run again to go on")

    def _refusal(self, outcome: _Outcome) -> RefusedRequest:
        return RefusedRequest(
            f"the endpoint {self.base_url} refused the request ({outcome.words}); change the "
            "question, or the model's settings",
            bool(_OWN_WORDS.search(_short(outcome.reply))),
        )

    def _last_try(
        self, messages: Messages, fields: Mapping[str, Any], outcome: _Outcome, attempts: int
    ) -> dict[str, Any]:
        """Ask once more where the server is well, though no attempt was answered.

        A server that answers something else, and still not this, is not at fault: the work can go
        on without the request.  Where that is said of many requests, it is.

        Args:
            messages: The turns so far.
            fields: Of the request.
            outcome: What came of the last attempt.
            attempts: That were made.

        Raises:
            RefusedRequest: the request is at fault.
            EngineError: the server is.
        """
        if outcome.status in _BUSY or outcome.absent or not self._is_well():
            raise self._no_answer(outcome)
        last = self._attempt(messages, fields)
        if last.good:
            self._count(last.reply, attempts)
            return {**last.reply, "choices": choices_of(last.reply)}
        with self._lock:
            self._unanswered += 1
            are_many = self._unanswered > max(MOST_UNANSWERED, self._usage.requests // 10)
        if are_many or last.status in _BUSY or last.absent:
            raise self._no_answer(last)
        raise RefusedRequest(
            f"the endpoint {self.base_url} gave no answer to this request, {attempts + 1} times "
            f"({last.words}), and answers another one; change the question, or the model's "
            "settings",
            False,
        )

    def _is_well(self) -> bool:
        outcome = self._attempt(_PROBE, self.request.fields(8, {}))
        if outcome.good:
            self._count(outcome.reply, 0)
        return outcome.good

    def _no_answer(self, outcome: _Outcome) -> EngineError:
        key = self._connection.key_variable
        addresses = ", ".join(self._connection.addresses)
        words = (
            f"the endpoint {addresses} gave no answer for model '{self.model}' ({outcome.words}); "
            f"check that the server runs, the model's name, and the key in {key}"
        )
        with self._lock:
            self._away = time.monotonic() + _AWAY, words
        return EngineError(words)

    def _raise_where_away(self) -> None:
        with self._lock:
            away = self._away
        if away is not None and time.monotonic() < away[0]:
            raise EngineError(away[1])

    def _post(self, server: ChatServer, payload: Mapping[str, Any]) -> _Outcome:
        key = os.environ.get(self._connection.key_variable, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with self._client.stream(
            "POST", f"{server.address}/chat/completions", json=payload, headers=headers
        ) as reply:
            parts, size = [], 0
            for part in reply.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > LARGEST_REPLY:
                    raise httpx.DecodingError(f"the reply has more than {LARGEST_REPLY} bytes")
            body = b"".join(parts)
            pause = _seconds_of(reply.headers.get("retry-after", ""))
            try:
                return _Outcome(reply.status_code, httpx.Response(200, content=body).json(), pause)
            except ValueError:
                text = body[:2000].decode(errors="replace")
                return _Outcome(reply.status_code, text, pause)

    def _count(self, reply: Mapping[str, Any], retries: int) -> None:
        used = usage_of(reply, tuple(self._connection.prices), retries)
        with self._lock:
            self._usage += used

    def results(
        self, function: Callable[[T], R], items: Iterable[T]
    ) -> Iterator[tuple[T, R | EngineError | None]]:
        """Each item with the result of a function, or with its error, as they come.

        At most `concurrency` calls run at a time, and items are taken as they are needed.  A
        refused request is the fault of its item alone.  Behind any other error of an endpoint no
        further call is begun, but those under way are waited for, since they are paid for; an item
        whose call was not made gets None, or does not come at all.
        """
        broken = threading.Event()

        def one(item: T) -> R | EngineError | None:
            if broken.is_set():
                return None
            try:
                return function(item)
            except RefusedRequest as error:
                return error
            except EngineError as error:
                broken.set()
                return error

        def lazily() -> Iterator[T]:
            for item in items:
                yield item
                if broken.is_set():
                    return

        def hurry() -> None:
            broken.set()
            self._hurry.set()

        try:
            yield from as_completed(one, lazily(), self.concurrency, hurry)
        finally:
            self._hurry.clear()

    def each(
        self, function: Callable[[T], R], items: Sequence[T]
    ) -> Iterator[tuple[T, R | EngineError | None]]:
        """As `results`, in the order of the items."""
        early: dict[int, tuple[T, R | EngineError | None]] = {}
        following = 0
        for (place, item), result in self.results(lambda pair: function(pair[1]), enumerate(items)):
            early[place] = item, result
            while following in early:
                yield early.pop(following)
                following += 1

    def answers(
        self, function: Callable[[T], R], items: Iterable[T]
    ) -> Iterator[tuple[T, R | RefusedRequest]]:
        """Each item with the result of a function, or with the refusal of that item alone, as they
        come.

        A refusal without a reason of its own may be of a setting that all requests share: it is
        held back until something is answered.

        Raises:
            EngineError: the endpoint gave no answer, or refused all that it was asked; what it was
                paid for is yielded before.
        """
        broken: EngineError | None = None
        unclear: list[tuple[T, RefusedRequest]] = []
        for item, result in self.results(function, items):
            if isinstance(result, RefusedRequest):
                if result.certain or self.usage.requests:
                    yield item, result
                    continue
                unclear.append((item, result))
                if len(unclear) >= max(_MOST_UNCLEAR, 4 * self.concurrency):
                    break
            elif isinstance(result, EngineError):
                broken = broken or result
            elif result is not None:
                yield item, result
        if unclear and not self.usage.requests:
            broken = broken or unclear[0][1]
        else:
            yield from unclear
        if broken is not None:
            raise EngineError(str(broken)) from broken


def _seconds_of(wait: str) -> float:
    """The pause that a header Retry-After asks for: seconds, or a date; 0 for anything else."""
    if wait.strip().replace(".", "", 1).isdigit():
        return float(wait)
    try:
        until = parsedate_to_datetime(wait)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)


def _short(reply: Any) -> str:
    if isinstance(reply, dict):
        error = reply.get("error", reply)
        reply = error.get("message", error) if isinstance(error, dict) else error
    return " ".join(str(reply).split())[:300]
