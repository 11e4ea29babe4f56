"""Programs from an OpenAI-compatible chat endpoint."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.api import Style
from workbench.errors import EngineError, InputError, RefusedRequest
from workbench.models.chat_endpoint import Endpoint
from workbench.models.connection import connection_of, takes_connection
from workbench.models.replies import (
    is_cut,
    logprobs_of,
    number,
    problem_of,
    text_of,
    thinking_of,
)
from workbench.ports import Recall
from workbench.records import PartRef, Program, Task, ToolSpec, content_key
from workbench.sample.again import Attempt, child_of
from workbench.sample.extract import ends_with, read_reply
from workbench.sample.prompt import Prompt, Prompts, too_long
from workbench.sample.seeds import again_seed
from workbench.unanswered import no_program
from workbench.usage import Usage


@takes_connection
class OpenAISampler:
    """k programs per question from a chat endpoint, `concurrency` questions at a time.

    A question is one request with `n=k`.  Many servers ignore `n`; further requests then make up
    for what is missing.  Each request carries a seed made from the question, so that a server that
    honours it gives the same programs again.  A question that the server refuses, and a reply
    without a whole program, are rows with the reason.

    Args:
        specs: The tools that programs may call.
        model: The model's name at the server.
        temperature: Temperature of the sampling; 0 is greedy.
        top_p: Probability of the tokens that are sampled from; 1 is all.
        max_tokens: Longest program, in tokens.
        prompt: `full` or `compact`.
        shots: Examples per question in the full prompt.
        logprobs: Whether to ask the server for log-probabilities.
        settings: Those of `Connection`; where `omit` names `n`, each program is a request.

    Raises:
        InputError: the prompt's arguments or the endpoint's are wrong.
    """

    def __init__(
        self,
        specs: Sequence[ToolSpec],
        model: str,
        temperature: float = 0.5,
        top_p: float = 1.0,
        max_tokens: int = 400,
        prompt: Style = "full",
        shots: int = 5,
        logprobs: bool = True,
        **settings: Any,
    ) -> None:
        self._endpoint = Endpoint(model, connection_of("sampler 'openai'", settings))
        try:
            self._prompts = Prompts(specs, prompt, shots)
        except ValueError as error:
            raise InputError(f"the sampler's prompt: {error}") from error
        self._max_tokens = max_tokens
        self._options: dict[str, Any] = {"temperature": temperature, "top_p": top_p}
        self._logprobs = {"logprobs": True} if logprobs else {}
        arguments = {
            "model": model,
            "base_url": self._endpoint.base_url,
            "prompt": prompt,
            **self._options,
            "max_tokens": max_tokens,
            **self._endpoint.request.arguments,
        }
        # 2: the final program of a reply, without its thinking
        self.ref = PartRef("sampler", "openai", f"2-{self._prompts.version}", arguments)

    def remember(self, recall: Recall, version: str) -> None:
        """Show corrections before each question; see `ports.Remembering`.

        Args:
            recall: gives the corrections for a question.
            version: names the corrections and who chooses among them.
        """
        self._prompts.remember(recall)
        self.ref = replace(self.ref, version=f"{self.ref.version}-{version}")

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
            EngineError: the endpoint gave no answer, or refused all that it was asked; what it was
                paid for is yielded before.
        """
        waiting = [task.id for task in reversed(tasks)]
        early: dict[str, list[Program]] = {}
        try:
            for group in self._groups(tasks, k, seed):
                early[group[0].task_id] = group
                while waiting and waiting[-1] in early:
                    yield from early.pop(waiting.pop())
        except EngineError:
            for id in reversed(waiting):
                yield from early.pop(id, ())
            raise

    def sample_all(self, tasks: Iterable[Task], k: int, seed: int) -> Iterator[Program]:
        """k programs per question, grouped by question, in the order in which the groups come.

        Args:
            tasks: Questions, taken as requests become free.
            k: Programs per question.
            seed: The run's seed.

        Raises:
            EngineError: as in `sample`.
        """
        for group in self._groups(tasks, k, seed):
            yield from group

    def _groups(self, tasks: Iterable[Task], k: int, seed: int) -> Iterator[list[Program]]:
        for task, result in self._endpoint.answers(lambda task: self._task(task, k, seed), tasks):
            if isinstance(result, RefusedRequest):
                yield self._refused(task, range(k), seed, result)
            else:
                yield result

    def write_again(self, attempts: Sequence[Attempt], seed: int) -> Iterator[Program]:
        """One program for each attempt, as they come, with what came of the earlier one.

        Args:
            attempts: Questions, programs that did not answer them, and their traces.
            seed: The run's seed.

        Raises:
            EngineError: as in `sample`.
        """
        for attempt, result in self._endpoint.answers(lambda one: self._again(one, seed), attempts):
            task, parent, _ = attempt
            if isinstance(result, RefusedRequest):
                own = again_seed(parent, seed)
                yield child_of(parent, no_program(task, 0, own, self.ref, result))
            else:
                yield child_of(parent, result)

    def _again(self, attempt: Attempt, seed: int) -> Program:
        task, parent, _ = attempt
        own = again_seed(parent, seed)
        if reason := too_long(task):
            return no_program(task, 0, own, self.ref, reason)
        [program] = self._ask(task, self._messages(self._prompts.again(attempt)), 1, 0, own)
        return program

    @staticmethod
    def _messages(prompt: Prompt) -> list[dict[str, str]]:
        request = f"Answer with the function, which begins with\n{prompt.header}"
        return [{"role": "user", "content": prompt.text.removesuffix(prompt.header) + request}]

    @staticmethod
    def _seed(task: Task, seed: int, at: int) -> int:
        return int(content_key("sample", seed, task.id, task.question, at)[:7], 16)

    def _refused(
        self, task: Task, indices: Iterable[int], seed: int, reason: object
    ) -> list[Program]:
        """The rows of the samples of a question that did not come."""
        return [no_program(task, i, self._seed(task, seed, i), self.ref, reason) for i in indices]

    def _task(self, task: Task, k: int, seed: int) -> list[Program]:
        if reason := too_long(task):
            return self._refused(task, range(k), seed, reason)
        messages = self._messages(self._prompts(task))
        programs: list[Program] = []
        while len(programs) < k:
            try:
                at = len(programs)
                programs += self._ask(task, messages, k - at, at, self._seed(task, seed, at))
            except EngineError as error:
                if not programs:
                    raise
                # the samples that came are paid for, so those that did not are rows beside them
                return programs + self._refused(task, range(len(programs), k), seed, error)
        return programs

    def _ask(
        self, task: Task, messages: Sequence[Mapping[str, str]], most: int, at: int, seed: int
    ) -> list[Program]:
        """One request, for at most `most` programs, of which the first has the number `at`."""
        started = time.perf_counter()
        reply = self._endpoint.chat(
            messages, self._max_tokens, n=most, seed=seed, **self._options, **self._logprobs
        )
        choices = reply["choices"][:most]
        seconds = (time.perf_counter() - started) / len(choices)
        used = reply.get("usage")
        tokens = int(number(used.get("completion_tokens"))) if isinstance(used, dict) else 0
        share = tokens // len(choices)
        return [
            self._program(task, choice, at + i, seed, seconds, share)
            for i, choice in enumerate(choices)
        ]

    def _program(
        self,
        task: Task,
        choice: Mapping[str, Any],
        index: int,
        seed: int,
        seconds: float,
        share: int,
    ) -> Program:
        """One choice of a reply as a program.

        `share` is the choice's part of the reply's tokens, for servers that do not list them.
        """
        reply = read_reply(text_of(choice), thinking_of(choice))
        problem = problem_of(choice)
        if not problem and not reply.program:
            problem = "the reply holds a thought and no program; raise max_tokens"
        if not problem and is_cut(choice) and ends_with(text_of(choice), reply.program):
            problem = (
                f"the reply was cut within the program at max_tokens = {self._max_tokens}; "
                "raise max_tokens"
            )
        if problem:
            return no_program(task, index, seed, self.ref, problem, reply.thinking)
        tokens = logprobs_of(choice)
        total = -sum(number(_negative(token.get("logprob"))) for token in tokens)
        return Program(
            id=content_key("program", task.id, task.question, index, seed, reply.program, self.ref),
            task_id=task.id,
            index=index,
            source=reply.program,
            score=total / len(tokens) if tokens else 0.0,
            tokens=len(tokens) or share,
            seed=seed,
            sampler=self.ref,
            seconds=seconds,
            thinking=reply.thinking,
        )


def _negative(value: object) -> object:
    return -value if isinstance(value, int | float) else None
