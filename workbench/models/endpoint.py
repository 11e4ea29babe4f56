"""OpenAI-compatible chat endpoints: vLLM, `transformers serve`, TGI, llama.cpp, or a hosted one.

One `Endpoint` holds the connection, repeats a request with growing pauses when the server is busy
or away, and counts tokens and cost.  The key is read from the environment when a request is made
and gets into no record and no message.
"""

from __future__ import annotations

import math
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from workbench.errors import EngineError, InputError
from workbench.records import PartRef

T = TypeVar("T")
R = TypeVar("R")

_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP statuses after which the same request may succeed."""
LONGEST_PAUSE = 60.0
"""Longest pause before a further attempt, seconds, even where a server asks for more."""
LARGEST_REPLY = 20_000_000
"""Most bytes of one reply."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The requests that an endpoint answered so far, and what they cost."""

    requests: int = 0
    """Number of requests that were answered."""
    retries: int = 0
    """Number of further attempts at them."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """Their cost, in the currency of the prices."""


class Endpoint:
    """A chat endpoint.  Safe to use from several threads.

    Args:
        model: The model's name at the server.
        base_url: Up to and without `/chat/completions`, for example `http://localhost:8000/v1`.
        key_variable: Environment variable that holds the key; local servers need none.
        timeout: Seconds for one reply.
        retries: Further attempts after the first.
        concurrency: Requests at a time.
        prices: Cost of a million prompt tokens and of a million completion tokens.
        first_pause: Seconds before the second attempt; each further pause is twice as long.
    """

    def __init__(
        self,
        model: str,
        base_url: str = "http://localhost:8000/v1",
        key_variable: str = "OPENAI_API_KEY",
        timeout: float = 120.0,
        retries: int = 5,
        concurrency: int = 8,
        prices: Sequence[float] = (0.0, 0.0),
        first_pause: float = 1.0,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise InputError(f"base_url must begin with http:// or https://, found '{base_url}'")
        if len(prices) != 2 or concurrency < 1 or retries < 0:
            raise InputError("an endpoint needs two prices, concurrency >= 1 and retries >= 0")
        self.model, self.base_url = model, base_url.rstrip("/")
        self._key_variable, self._retries, self.concurrency = key_variable, retries, concurrency
        self._prices, self._first_pause = tuple(prices), first_pause
        self._usage, self._lock = Usage(), threading.Lock()
        self._client = httpx.Client(
            timeout=timeout, limits=httpx.Limits(max_connections=concurrency)
        )

    @property
    def usage(self) -> Usage:
        """Requests, tokens and cost since the start."""
        with self._lock:
            return self._usage

    def close(self) -> None:
        """Close the connections; the endpoint cannot be used after."""
        self._client.close()

    def chat(self, messages: Sequence[Mapping[str, str]], **options: Any) -> dict[str, Any]:
        """One reply of the server, with at least one choice.

        Raises:
            EngineError: the server refused, went away, or answered something else, after every
                retry.
        """
        payload = {"model": self.model, "messages": list(messages), **options}
        problem = ""
        for attempt in range(self._retries + 1):
            pause = 0.0
            try:
                status, reply, pause = self._post(payload)
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}"
            else:
                if status == 200 and isinstance(reply, dict) and reply.get("choices"):
                    self._count(reply, attempt)
                    return reply
                problem = f"HTTP {status}: {_short(reply)}"
                if status not in _AGAIN and status != 200:
                    break
            if attempt < self._retries:
                backoff = self._first_pause * 2**attempt * random.uniform(0.75, 1.25)
                time.sleep(min(max(backoff, pause), LONGEST_PAUSE))
        raise EngineError(
            f"the endpoint {self.base_url} gave no answer for model '{self.model}' ({problem}); "
            f"check that the server runs, the model's name, and the key in {self._key_variable}"
        )

    def _post(self, payload: Mapping[str, Any]) -> tuple[int, Any, float]:
        """Status, body (as JSON or else as text) and the pause that the server asks for."""
        key = os.environ.get(self._key_variable, "")
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
        used = reply.get("usage") or {}
        prompt_tokens = int(used.get("prompt_tokens") or 0)
        completion_tokens = int(used.get("completion_tokens") or 0)
        cost = (prompt_tokens * self._prices[0] + completion_tokens * self._prices[1]) / 1e6
        with self._lock:
            u = self._usage
            self._usage = Usage(
                u.requests + 1,
                u.retries + retries,
                u.prompt_tokens + prompt_tokens,
                u.completion_tokens + completion_tokens,
                u.cost + cost,
            )

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """The results of a function for some items, in their order, as they come.

        At most `concurrency` calls run at a time.  The first exception is raised in its place;
        calls that have not begun by then are not made.
        """
        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="endpoint")
        try:
            yield from pool.map(function, items)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _short(reply: Any) -> str:
    if isinstance(reply, dict):
        error = reply.get("error", reply)
        reply = error.get("message", error) if isinstance(error, dict) else error
    return " ".join(str(reply).split())[:300]


def text_of(choice: Mapping[str, Any]) -> str:
    """The text of one choice of a reply; empty where the server left it out."""
    message = choice.get("message") or {}
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""


def logprobs_of(choice: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The text, log-probability and likeliest alternatives of each token of a choice.

    The list is empty where the server left them out.
    """
    content = (choice.get("logprobs") or {}).get("content")
    return content if isinstance(content, list) else []


class OpenAILanguage:
    """A language model behind an OpenAI-compatible chat endpoint.

    Arguments as `Endpoint`, and the `temperature` of completions, of which 0 is greedy.
    """

    def __init__(
        self,
        model: str,
        base_url: str = "http://localhost:8000/v1",
        key_variable: str = "OPENAI_API_KEY",
        temperature: float = 0.0,
        timeout: float = 120.0,
        retries: int = 5,
        concurrency: int = 8,
        prices: Sequence[float] = (0.0, 0.0),
        first_pause: float = 1.0,
    ) -> None:
        self.endpoint = Endpoint(
            model, base_url, key_variable, timeout, retries, concurrency, prices, first_pause
        )
        self._temperature = temperature
        arguments = {"model": model, "base_url": self.endpoint.base_url, "temperature": temperature}
        self.ref = PartRef("language", "openai", arguments=arguments)

    def complete(self, prompts: Sequence[str], max_tokens: int) -> Sequence[str]:
        """The completion of each prompt, which is a user's turn, in the same order.

        Raises:
            EngineError: the endpoint gave no answer.
        """

        def one(prompt: str) -> str:
            reply = self.endpoint.chat(
                [{"role": "user", "content": prompt}],
                max_tokens=max_tokens,
                temperature=self._temperature,
            )
            return text_of(reply["choices"][0]).strip()

        return list(self.endpoint.map(one, prompts))

    def choose(
        self, prompts: Sequence[str], options: Sequence[Sequence[str]]
    ) -> Sequence[list[float]]:
        """For each prompt, the probability of each of its options as the answer; they add to 1.

        They come from the first token's likeliest alternatives, where the server gives them and
        they tell the options apart.  Otherwise the option that the answer names gets 1.0; when it
        names none, all get the same share.
        """

        def one(row: tuple[str, Sequence[str]]) -> list[float]:
            prompt, choices = row
            request = f"{prompt}\nAnswer with exactly one of: {', '.join(choices)}."
            reply = self.endpoint.chat(
                [{"role": "user", "content": request}],
                max_tokens=32,
                temperature=0.0,
                logprobs=True,
                top_logprobs=20,
            )
            choice = reply["choices"][0]
            return _from_logprobs(logprobs_of(choice), choices) or _from_text(
                text_of(choice), choices
            )

        return list(self.endpoint.map(one, list(zip(prompts, options, strict=True))))


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
    """1.0 for the option that stands first in a text, the longest of those that start there."""
    low = text.lower()
    places = [
        (low.find(choice.strip().lower()), -len(choice), i)
        for i, choice in enumerate(choices)
        if choice.strip()
    ]
    positions = sorted(place for place in places if place[0] >= 0)
    if not positions:
        return [1 / len(choices)] * len(choices) if choices else []
    return [1.0 if i == positions[0][2] else 0.0 for i in range(len(choices))]
