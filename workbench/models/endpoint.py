"""OpenAI-compatible chat endpoints: vLLM, `transformers serve`, TGI, llama.cpp, or a hosted one.

One `Endpoint` holds the connection, repeats a request with growing pauses when the server is busy
or away, and counts tokens and cost.  The key is read from the environment when a request is made
and gets into no record and no message.
"""

from __future__ import annotations

import math
import os
import random
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx

from workbench.errors import EngineError, RefusedRequest
from workbench.models.connection import Connection, connection_of, takes_connection
from workbench.models.replies import choices_of, logprobs_of, problem_of, text_of, usage_of
from workbench.models.thinking import answer_of
from workbench.records import PartRef
from workbench.safe_text import safe
from workbench.usage import Usage

T = TypeVar("T")
R = TypeVar("R")

_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP statuses after which the same request may succeed."""
LONGEST_PAUSE = 60.0
"""Longest pause before a further attempt, seconds, even where a server asks for more."""
LARGEST_REPLY = 20_000_000
"""Most bytes of one reply."""
_AWAY = 5.0
"""Seconds in which a server that gave no answer to every attempt is not asked again, so that a
batch that is asked for in parts does not wait for each of them."""
_REFUSED = frozenset({400, 403, 413, 422, 451})
"""HTTP statuses with which a server turns down a single request."""
_OWN_WORDS = re.compile(
    r"content.?filter|content management|policy|moderat|flagged|safety|unsafe|harm|blocked"
    r"|context.?length|context.?window|maximum context|too long|too large|too many tokens",
    re.IGNORECASE,
)
"""Reasons that lie in the words of a request, and not in settings that all requests share."""
_REMEMBERED = 4096
"""Most answers, and most refusals, of a language model that are remembered and not paid twice."""


class Endpoint:
    """A chat endpoint.  Safe to use from several threads.

    Args:
        model: The model's name at the server.
        connection: Where the server is and how it is asked.
    """

    def __init__(self, model: str, connection: Connection) -> None:
        self.model, self.base_url = model, connection.address
        self.concurrency = connection.concurrency
        self.request = connection.request()
        self._connection = connection
        self._usage, self._lock = Usage(), threading.Lock()
        self._away: tuple[float, str] | None = None
        self._client = httpx.Client(
            timeout=connection.timeout,
            limits=httpx.Limits(max_connections=connection.concurrency),
        )

    @property
    def usage(self) -> Usage:
        """Requests, tokens and cost since the start."""
        with self._lock:
            return self._usage

    def close(self) -> None:
        """Close the connections; the endpoint cannot be used after."""
        self._client.close()

    def chat(
        self, messages: Sequence[Mapping[str, str]], max_tokens: int, **options: Any
    ) -> dict[str, Any]:
        """One reply of the server, with at least one choice.

        Args:
            messages: The turns so far.
            max_tokens: Longest reply, in tokens.
            options: Further fields of the request, which the server may not know.

        Raises:
            RefusedRequest: the server turns down this request, and would each time.
            EngineError: the server went away or answered something else, after every retry.
        """
        self._raise_where_away()
        problem = ""
        attempt = 0
        while attempt <= self._connection.retries:
            fields = self.request.fields(max_tokens, options)
            pause = 0.0
            try:
                status, reply, pause = self._post(
                    {"model": self.model, "messages": list(messages), **fields}
                )
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}"
            else:
                if status == 200 and choices_of(reply):
                    self._count(reply, attempt)
                    return {**reply, "choices": choices_of(reply)}
                message = _short(reply)
                problem = f"HTTP {status}: {message}"
                if status in _REFUSED:
                    if self.request.adapt(message, fields):
                        continue  # not an attempt: the same question, without an unknown field
                    raise RefusedRequest(
                        f"the endpoint {self.base_url} refused the request ({problem}); change the "
                        "question, or the model's settings",
                        bool(_OWN_WORDS.search(message)),
                    )
                if status not in _AGAIN and status != 200:
                    break
            if attempt < self._connection.retries:
                backoff = self._connection.first_pause * 2**attempt * random.uniform(0.75, 1.25)
                time.sleep(min(max(backoff, pause), LONGEST_PAUSE))
            attempt += 1
        key = self._connection.key_variable
        words = (
            f"the endpoint {self.base_url} gave no answer for model '{self.model}' ({problem}); "
            f"check that the server runs, the model's name, and the key in {key}"
        )
        with self._lock:
            self._away = time.monotonic() + _AWAY, words
        raise EngineError(words)

    def _raise_where_away(self) -> None:
        with self._lock:
            away = self._away
        if away is not None and time.monotonic() < away[0]:
            raise EngineError(away[1])

    def _post(self, payload: Mapping[str, Any]) -> tuple[int, Any, float]:
        """Status, body (as JSON or else as text) and the pause that the server asks for."""
        key = os.environ.get(self._connection.key_variable, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with self._client.stream(
            "POST", f"{self.base_url}/chat/completions", json=payload, headers=headers
        ) as reply:
            body = b""
            for part in reply.iter_bytes():
                body += part
                if len(body) > LARGEST_REPLY:
                    raise httpx.DecodingError(f"the reply has more than {LARGEST_REPLY} bytes")
            wait = reply.headers.get("retry-after", "")
            pause = float(wait) if wait.replace(".", "", 1).isdigit() else 0.0
            text = httpx.Response(200, content=body)
            try:
                return reply.status_code, text.json(), pause
            except ValueError:
                return reply.status_code, body[:2000].decode(errors="replace"), pause

    def _count(self, reply: Mapping[str, Any], retries: int) -> None:
        used = usage_of(reply, tuple(self._connection.prices), retries)
        with self._lock:
            self._usage += used

    def each(
        self, function: Callable[[T], R], items: Sequence[T]
    ) -> Iterator[tuple[T, R | EngineError | None]]:
        """Each item with the result of a function, or with its error, in order, as they come.

        At most `concurrency` calls run at a time.  A refused request is the fault of its item
        alone.  Behind any other error of an endpoint no further call is begun, but those under way
        are waited for, since they are paid for; the items whose call was not made get None.
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

        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="endpoint")
        try:
            yield from zip(items, pool.map(one, items), strict=True)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _short(reply: Any) -> str:
    if isinstance(reply, dict):
        error = reply.get("error", reply)
        reply = error.get("message", error) if isinstance(error, dict) else error
    return " ".join(str(reply).split())[:300]


@takes_connection
class OpenAILanguage:
    """A language model behind an OpenAI-compatible chat endpoint.

    An answer is remembered, so that a question is not paid for twice when others of its batch
    failed; so is the refusal of a question's own words.

    Args:
        model: The model's name at the server.
        temperature: Temperature of completions; 0 is greedy.
        logprobs: Whether the server is asked for log-probabilities where options are weighed.
        settings: Those of `Connection`.

    Raises:
        InputError: a setting does not exist or has a wrong value.
    """

    def __init__(
        self, model: str, temperature: float = 0.0, logprobs: bool = True, **settings: Any
    ) -> None:
        self.endpoint = Endpoint(model, connection_of("language 'openai'", settings))
        self._temperature = temperature
        self._logprobs = {"logprobs": True, "top_logprobs": 20} if logprobs else {}
        self._answers: OrderedDict[object, Any] = OrderedDict()
        self._refusals: OrderedDict[object, RefusedRequest] = OrderedDict()
        arguments = {
            "model": model,
            "base_url": self.endpoint.base_url,
            "temperature": temperature,
            **self.endpoint.request.arguments,
            **({} if logprobs else {"logprobs": False}),
        }
        self.ref = PartRef("language", "openai", arguments=arguments)

    @property
    def usage(self) -> Usage:
        """Requests, tokens and cost since the start."""
        return self.endpoint.usage

    def _all(self, function: Callable[[T], R], items: Sequence[T], kind: object) -> list[R]:
        """The results of all items.

        Raises:
            EngineError: one of them failed; the others are remembered, and so is a refusal that
                names the item's own words.
        """
        keys = [(kind, item) for item in items]
        distinct = list(dict.fromkeys(keys))
        failures: list[EngineError] = [
            self._refusals[key] for key in distinct if key in self._refusals
        ]
        new = [key for key in distinct if key not in self._answers and key not in self._refusals]
        for key, result in self.endpoint.each(lambda key: function(key[1]), new):
            if isinstance(result, EngineError):
                failures.append(result)
            self._remember(key, result)
        if failures:
            raise next((e for e in failures if not isinstance(e, RefusedRequest)), failures[0])
        results: list[R] = [self._answers[key] for key in keys]
        for remembered in (self._answers, self._refusals):
            while len(remembered) > _REMEMBERED:
                remembered.popitem(last=False)
        return results

    def _remember(self, key: object, result: object) -> None:
        """Keep an answer, or a refusal that would come again."""
        if isinstance(result, RefusedRequest) and result.certain:
            self._refusals[key] = result
        elif result is not None and not isinstance(result, EngineError):
            self._answers[key] = result

    def complete(self, prompts: Sequence[str], max_tokens: int) -> Sequence[str]:
        """The completion of each prompt, which is a user's turn, in the same order.

        Raises:
            RefusedRequest: the endpoint refused a prompt.
            EngineError: the endpoint gave no answer.
        """

        def one(prompt: str) -> str:
            reply = self.endpoint.chat(
                [{"role": "user", "content": prompt}], max_tokens, temperature=self._temperature
            )
            choice = reply["choices"][0]
            if problem := problem_of(choice):
                raise RefusedRequest(f"no answer of the endpoint: {problem}", True)
            return answer_of(text_of(choice))

        return self._all(one, prompts, max_tokens)

    def choose(
        self, prompts: Sequence[str], options: Sequence[Sequence[str]]
    ) -> Sequence[list[float]]:
        """For each prompt, the probability of each of its options as the answer; they add to 1.

        They come from the first token's likeliest alternatives, where the server gives them and
        they tell the options apart.  Otherwise the option that the answer names gets 1.0.

        Raises:
            RefusedRequest: an answer names none of its options, or the endpoint refused a prompt.
            EngineError: the endpoint gave no answer.
        """

        def one(row: tuple[str, tuple[str, ...]]) -> list[float]:
            prompt, choices = row
            request = f"{prompt}\nAnswer with exactly one of: {', '.join(choices)}."
            turns = [{"role": "user", "content": request}]
            reply = self.endpoint.chat(turns, 32, temperature=0.0, **self._logprobs)
            choice = reply["choices"][0]
            if problem := problem_of(choice):
                raise RefusedRequest(f"no answer of the endpoint: {problem}", True)
            text = text_of(choice)
            answer = answer_of(text)
            # the first token of a thought says nothing about the answer
            tokens = logprobs_of(choice) if answer == text.strip() else []
            return _from_logprobs(tokens, choices) or _from_text(answer, choices)

        rows = [(prompt, tuple(row)) for prompt, row in zip(prompts, options, strict=True)]
        return self._all(one, rows, "choose")


def _from_logprobs(
    tokens: Sequence[Mapping[str, Any]], choices: Sequence[str]
) -> list[float] | None:
    """Shares of the options by the first token's alternatives.

    They are None where a token could begin two options, or no token begins one.
    """
    if not tokens or not isinstance(tokens[0].get("top_logprobs"), list):
        return None
    shares = [0.0] * len(choices)
    for alternative in tokens[0]["top_logprobs"]:
        start = str(alternative.get("token", "")).strip().lower()
        fits = [
            i
            for i, choice in enumerate(choices)
            if start and choice.strip().lower().startswith(start)
        ]
        if len(fits) > 1:
            return None
        if fits:
            shares[fits[0]] += math.exp(min(float(alternative.get("logprob", -math.inf)), 0.0))
    total = sum(shares)
    return [share / total for share in shares] if total > 0 else None


def _from_text(text: str, choices: Sequence[str]) -> list[float]:
    """1.0 for the option that stands first in a text, the longest of those that start there.

    An option is a word or several: "I do not know" does not name "no".

    Raises:
        RefusedRequest: the text names none of them.
    """
    low = text.lower()
    places = [
        (match.start(), -len(choice), i)
        for i, choice in enumerate(choices)
        if choice.strip() and (match := _as_words(choice.strip().lower()).search(low))
    ]
    if not places:
        raise RefusedRequest(
            f"the endpoint was to answer with one of {', '.join(choices)}, and answered "
            f"{safe(text.strip(), 100)!r}",
            True,
        )
    chosen = min(places)[2]
    return [1.0 if i == chosen else 0.0 for i in range(len(choices))]


def _as_words(option: str) -> re.Pattern[str]:
    before = r"(?<!\w)" if option[0].isalnum() else ""
    behind = r"(?!\w)" if option[-1].isalnum() else ""
    return re.compile(before + re.escape(option) + behind)
