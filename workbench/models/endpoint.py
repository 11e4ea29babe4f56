"""A language model behind an OpenAI-compatible chat endpoint."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from workbench.cut_text import UnendedText
from workbench.errors import EngineError, RefusedRequest
from workbench.models.chat_endpoint import Endpoint
from workbench.models.connection import connection_of, takes_connection
from workbench.models.replies import is_cut, logprobs_of, problem_of, text_of
from workbench.models.thinking import answer_of
from workbench.records import PartRef
from workbench.safe_text import safe
from workbench.usage import Usage

T = TypeVar("T")
R = TypeVar("R")

_REMEMBERED = 4096
"""Most answers, and most refusals, of a language model that are remembered and not paid twice."""


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
        for key, result in self.endpoint.results(lambda key: function(key[1]), new):
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

        One that came to `max_tokens` without an end is an `UnendedText`.

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
            answer = answer_of(text_of(choice))
            return UnendedText(answer) if is_cut(choice) else answer

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
            return weigh(self.endpoint, row[0], row[1], self._logprobs)

        rows = [(prompt, tuple(row)) for prompt, row in zip(prompts, options, strict=True)]
        return self._all(one, rows, "choose")


def weigh(
    endpoint: Endpoint,
    prompt: str,
    choices: Sequence[str],
    logprobs: Mapping[str, Any],
    pictures: Sequence[Mapping[str, Any]] = (),
) -> list[float]:
    """The probability of each option as the answer; see `OpenAILanguage.choose`.

    Args:
        endpoint: what is asked.
        prompt: the question.
        choices: its options.
        logprobs: fields of the request that ask for log-probabilities; none where the server has
            none.
        pictures: parts of the content that stand before the question.

    Raises:
        EngineError: as `Endpoint.chat` raises it; a reply without an answer is a RefusedRequest.
    """
    request = f"{prompt}\nAnswer with exactly one of: {', '.join(choices)}."
    content = [*pictures, {"type": "text", "text": request}] if pictures else request
    turns = [{"role": "user", "content": content}]
    reply = endpoint.chat(turns, 32, temperature=0.0, **logprobs)
    choice = reply["choices"][0]
    if problem := problem_of(choice):
        raise RefusedRequest(f"no answer of the endpoint: {problem}", True)
    text = text_of(choice)
    answer = answer_of(text)
    # the first token of a thought says nothing about the answer
    tokens = logprobs_of(choice) if answer == text.strip() else []
    return _from_logprobs(tokens, choices) or _from_text(answer, choices)


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
