"""Programs from an OpenAI-compatible chat endpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from workbench.api import Style
from workbench.errors import InputError
from workbench.models.endpoint import Endpoint, Usage, logprobs_of, text_of
from workbench.records import PartRef, Program, Task, ToolSpec, content_key
from workbench.sample.extract import extract_program
from workbench.sample.prompt import HEADER, Prompts


class OpenAISampler:
    """k programs per question from a chat endpoint, several questions at a time.

    A question is one request with `n=k`.  Many servers ignore `n`; further requests then make up
    for what is missing.  Each request carries a seed made from the question, so that a server that
    honours it gives the same programs again.

    Args:
        specs: The tools that programs may call.
        model: As for `Endpoint`.
        base_url: As for `Endpoint`.
        key_variable: As for `Endpoint`.
        temperature: Temperature of the sampling; 0 is greedy.
        top_p: Probability of the tokens that are sampled from; 1 is all.
        max_tokens: Longest program, in tokens.
        prompt: `full` or `compact`.
        shots: Examples per question in the full prompt.
        logprobs: Whether to ask the server for log-probabilities.
        timeout: As for `Endpoint`.
        retries: As for `Endpoint`.
        concurrency: As for `Endpoint`.
        prices: As for `Endpoint`.
        first_pause: As for `Endpoint`.

    Raises:
        InputError: the prompt's arguments or the endpoint's are wrong.
    """

    def __init__(
        self,
        specs: Sequence[ToolSpec],
        model: str,
        base_url: str = "http://localhost:8000/v1",
        key_variable: str = "OPENAI_API_KEY",
        temperature: float = 0.5,
        top_p: float = 1.0,
        max_tokens: int = 400,
        prompt: Style = "full",
        shots: int = 5,
        logprobs: bool = True,
        timeout: float = 120.0,
        retries: int = 5,
        concurrency: int = 8,
        prices: Sequence[float] = (0.0, 0.0),
        first_pause: float = 1.0,
    ) -> None:
        self._endpoint = Endpoint(
            model, base_url, key_variable, timeout, retries, concurrency, prices, first_pause
        )
        try:
            self._prompts = Prompts(specs, prompt, shots)
        except ValueError as error:
            raise InputError(f"the sampler's prompt: {error}") from error
        self._options: dict[str, Any] = {
            "temperature": temperature,
            "top_p": top_p,
            "max_tokens": max_tokens,
        }
        self._logprobs = {"logprobs": True} if logprobs else {}
        arguments = {
            "model": model,
            "base_url": self._endpoint.base_url,
            "prompt": prompt,
            **self._options,
        }
        self.ref = PartRef("sampler", "openai", f"1-{self._prompts.version}", arguments)

    @property
    def usage(self) -> Usage:
        """Requests, tokens and cost since the start."""
        return self._endpoint.usage

    def sample(self, tasks: Sequence[Task], k: int, seed: int) -> Iterator[Program]:
        """k programs per question, grouped by question in the questions' order.

        Args:
            tasks: Questions.
            k: Programs per question.
            seed: The run's seed.

        Raises:
            EngineError: the endpoint gave no answer.
        """
        for programs in self._endpoint.map(lambda task: self._task(task, k, seed), tasks):
            yield from programs

    def _task(self, task: Task, k: int, seed: int) -> list[Program]:
        prompt = self._prompts(task)
        request = f"Answer with the function, which begins with\n{HEADER}"
        text = prompt.text.removesuffix(HEADER) + request
        messages = [{"role": "user", "content": text}]
        programs: list[Program] = []
        while len(programs) < k:
            started = time.perf_counter()
            missing = k - len(programs)
            own = int(content_key("sample", seed, task.id, task.question, len(programs))[:7], 16)
            reply = self._endpoint.chat(
                messages, n=missing, seed=own, **self._options, **self._logprobs
            )
            choices = reply["choices"][:missing]
            seconds = (time.perf_counter() - started) / len(choices)
            tokens = int((reply.get("usage") or {}).get("completion_tokens") or 0)
            share = tokens // len(choices)
            for choice in choices:
                programs.append(self._program(task, choice, len(programs), own, seconds, share))
        return programs

    def _program(
        self, task: Task, choice: Any, index: int, seed: int, seconds: float, share: int
    ) -> Program:
        """One choice of a reply as a program.

        `share` is the choice's part of the reply's tokens, for servers that do not list them.
        """
        source = extract_program(text_of(choice))
        tokens = logprobs_of(choice)
        total = sum(float(token.get("logprob") or 0.0) for token in tokens)
        return Program(
            id=content_key("program", task.id, task.question, index, seed, source, self.ref),
            task_id=task.id,
            index=index,
            source=source,
            score=total / len(tokens) if tokens else 0.0,
            tokens=len(tokens) or share,
            seed=seed,
            sampler=self.ref,
            seconds=seconds,
        )
