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

    A question is one request with `n=k`; where the server gives fewer (many ignore `n`), further
    requests fill up. Each request carries a seed made from the task, so that a server that honours
    it gives the same again.

    Args: specs: the tools that programs may call. model, base_url, key_variable, timeout, retries,
        concurrency, prices, first_pause: as `Endpoint`. temperature, top_p, max_tokens: of
        sampling. prompt: `full` or `compact`. shots: examples per question in the full prompt.
        logprobs: ask for log-probabilities.
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
        """k programs per task, grouped by task in the tasks' order.  Raises EngineError."""
        for programs in self._endpoint.map(lambda task: self._task(task, k, seed), tasks):
            yield from programs

    def _task(self, task: Task, k: int, seed: int) -> list[Program]:
        prompt = self._prompts(task)
        said = (
            prompt.text.removesuffix(HEADER)
            + f"Answer with the function, which begins with\n{HEADER}"
        )
        messages = [{"role": "user", "content": said}]
        programs: list[Program] = []
        while len(programs) < k:
            started = time.perf_counter()
            chosen = int(content_key("sample", seed, task.id, task.question, len(programs))[:7], 16)
            reply = self._endpoint.chat(
                messages, n=k - len(programs), seed=chosen, **self._options, **self._logprobs
            )
            choices = reply["choices"][: k - len(programs)]
            seconds = (time.perf_counter() - started) / len(choices)
            written = int((reply.get("usage") or {}).get("completion_tokens") or 0)
            for choice in choices:
                programs.append(
                    self._program(
                        task, choice, len(programs), chosen, seconds, written // len(choices)
                    )
                )
        return programs

    def _program(
        self, task: Task, choice: Any, index: int, seed: int, seconds: float, share: int
    ) -> Program:
        """One choice as a program; `share` is its part of the reply's tokens, for servers that do
        not list them.
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
