"""Programs from a causal language model in this process.

What all questions share (API, guidelines) goes through the model once, each question's own words
once for all its samples, and samples that have written the same so far are one row until they
part; those that have ended leave the batch.  The random numbers of a sample come from its question
and number alone, so that neither the batch nor the order of questions changes a program; one that
is drawn again because its program is there already looks at the programs of its own question that
stand before it, and at nothing else.  That holds in float32.  In bfloat16 the rounding of products
depends on the number of rows, and in another batch about a fifth of the programs come out
otherwise; in whole numbers two thirds do, for each rounding is coarse.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from workbench.api import Style
from workbench.errors import EngineError, InputError
from workbench.images import digest_of
from workbench.models.chat_turn import chat_turn
from workbench.models.checkpoint_state import with_state
from workbench.models.decoding import Opening, opening
from workbench.models.lanes import side_by_side
from workbench.models.language import (
    LoadedLanguage,
    adapter_folder,
    load_language,
    preferred_device,
)
from workbench.models.weights import folder_digest
from workbench.ports import Recall
from workbench.records import PartRef, Program, Task, ToolSpec, content_key
from workbench.sample.again import Attempt, child_of
from workbench.sample.dice import TokenDice
from workbench.sample.drawings import Drawing, Place, ahead, different
from workbench.sample.extract import is_complete, read_completion
from workbench.sample.outline import outline
from workbench.sample.prompt import HEADER, SEVERAL_HEADER, Prompt, Prompts, header_of, too_long
from workbench.sample.seeds import again_seed, sample_seed
from workbench.unanswered import no_program

_PROMPT: dict[bool, Style] = {True: "compact", False: "full"}
_LENGTH = {True: 160, False: 400}
"""Prompt and longest program of models with an adapter, which learnt them, and of others."""
_ADAPTER = {"bundled": "bundled"}
"""Adapter of a model where none is named."""
_CHECK_EVERY = 8
"""Tokens between two checks whether a function has ended, which some models do not notice."""


_LANE = 80
"""Programs that are worth a lane of their own."""

Item = TypeVar("Item")


_Watch = Callable[[Drawing], None]
"""Called with a sample after each of its tokens; an error that it raises stops the writing."""


class TransformersSampler:
    """k programs per question from a causal model of transformers, loaded at the first call.

    Args:
        specs: The tools that programs may call.
        model: `bundled`, a folder, or a hub id.
        adapter: A LoRA adapter's folder, `bundled`, or `none`; None takes the bundled adapter for
            the bundled model.
        temperature: Temperature of the sampling; at 0, greedy, all k are alike.
        top_p: Probability of the tokens that are sampled from; 1 is all.
        redraws: How many times at most a program is drawn again that the question has already,
            names of variables and prints set aside; the last drawing stays, whatever it is.  The
            first program of a question is never drawn again.
        greedy_first: Whether the first program of a question is the likeliest one, token by token,
            and only the others are drawn.
        max_tokens: Longest program, in tokens; None is 160 with an adapter, else 400.
        prompt: `compact` for models that were trained on it, `full` for models that follow
            instructions; None is `compact` with an adapter, else `full`.
        shots: Examples per question in the full prompt.
        batch_size: Programs that are written at a time, by all lanes of threads together; a quarter
            as many where a program is written again, as those prompts are long.
        device: A device as torch names it; None chooses.
        exact: Whether to compute in float32, which takes half as long again on a processor with
            bfloat16; None does so for the bundled model alone.
        int8: Whether to multiply in eight-bit whole numbers where that can be done, for a plain
            Llama on the processor; quicker, and then a program depends on its batch.

    Raises:
        InputError: an argument is out of its range, or the adapter is not there.
    """

    def __init__(
        self,
        specs: Sequence[ToolSpec],
        model: str = "bundled",
        adapter: str | None = None,
        temperature: float = 0.5,
        top_p: float = 1.0,
        redraws: int = 0,
        greedy_first: bool = False,
        max_tokens: int | None = None,
        prompt: Style | None = None,
        shots: int = 5,
        batch_size: int = 320,
        device: str | None = None,
        exact: bool | None = None,
        int8: bool = False,
    ) -> None:
        chosen = adapter or _ADAPTER.get(model, "none")
        prompt = prompt or _PROMPT[chosen != "none"]
        max_tokens = _LENGTH[chosen != "none"] if max_tokens is None else max_tokens
        wrong = temperature < 0 or not 0 < top_p <= 1 or min(max_tokens, batch_size) < 1
        if wrong or redraws < 0:
            raise InputError(
                "the sampler needs temperature >= 0, 0 < top_p <= 1, redraws >= 0, max_tokens >= 1 "
                f"and batch_size >= 1, found {temperature}, {top_p}, {redraws}, {max_tokens} and "
                f"{batch_size}"
            )
        self._adapter = None if chosen == "none" else chosen
        self._model, self._device = model, device
        self._exact = model == "bundled" if exact is None else exact
        self._int8 = int8
        self._dice = TokenDice(temperature, top_p)
        self._redraws = redraws if temperature else 0  # greedy drawings are all alike
        self._greedy_first = greedy_first and temperature > 0
        self._max_tokens, self._batch_size = max_tokens, batch_size
        # tokenizers change their settings between two texts, and a memory may be anybody's
        self._one_thread = threading.Lock()
        try:
            self._prompts = Prompts(specs, prompt, shots)
        except ValueError as error:
            raise InputError(f"the sampler's prompt: {error}") from error
        arguments = {
            "model": model,
            "adapter": chosen,
            "temperature": temperature,
            "top_p": top_p,
            "max_tokens": max_tokens,
            "prompt": prompt,
        }
        # what is off is left out, as it was before these could be set
        switches = {
            "redraws": self._redraws,
            "greedy_first": self._greedy_first,
            "exact": self._exact,
            "int8": self._int8,
        }
        arguments |= {name: value for name, value in switches.items() if value}
        version = f"1-{self._prompts.version}-{self._adapter_state()}"
        self.ref = PartRef("sampler", "transformers", with_state(version, model), arguments)

    def remember(self, recall: Recall, version: str) -> None:
        """Show corrections before each question; see `ports.Remembering`.

        Args:
            recall: gives the corrections for a question.
            version: names the corrections and who chooses among them.
        """
        self._prompts.remember(recall)
        self.ref = replace(self.ref, version=f"{self.ref.version}-{version}")

    def _adapter_state(self) -> str:
        """What tells two states of the adapter apart; a rank or scale is in its configuration."""
        if self._adapter is None:
            return "0"
        folder = adapter_folder(self._adapter)
        if self._adapter == "bundled":
            return digest_of(folder / "adapter_model.safetensors")[:8]
        return folder_digest(folder)[:8]

    def sample(self, tasks: Sequence[Task], k: int, seed: int) -> Iterator[Program]:
        """k programs per question, grouped by question in the questions' order, as they are ready.

        Args:
            tasks: Questions.
            k: Programs per question.
            seed: The run's seed.

        Raises:
            EngineError: the model breaks, for example for lack of memory; try again, or with a
                smaller `batch_size`.
        """
        reasons = {task.id: reason for task in tasks if (reason := too_long(task))}
        for task in tasks:
            for index in range(k if task.id in reasons else 0):
                own = sample_seed(task, seed, index)
                yield no_program(task, index, own, self.ref, reasons[task.id])
        tasks = [task for task in tasks if task.id not in reasons]

        def write(batch: Sequence[Task], watch: _Watch) -> list[Drawing]:
            return self._different(batch, k, seed, watch)

        drawings = 1 + (k - 1) * ahead(self._redraws)
        for batch, samples, seconds in self._in_lanes(tasks, drawings, self._batch_size, write):
            for sample in samples:
                yield self._program(batch[sample.task], sample, seconds)

    def write_again(self, attempts: Sequence[Attempt], seed: int) -> Iterator[Program]:
        """One program for each attempt, in the attempts' order, with what came of the earlier one.

        Args:
            attempts: Questions, programs that did not answer them, and their traces.
            seed: The run's seed.

        Raises:
            EngineError: as in `sample`.
        """

        def write(batch: Sequence[Attempt], watch: _Watch) -> list[Drawing]:
            keys = [again_seed(parent, seed) for _, parent, _ in batch]
            samples = [Drawing(i, 0, 0, key, self._chance(key)) for i, key in enumerate(keys)]
            with self._one_thread:
                prompts = [self._prompts.again(attempt) for attempt in batch]
            self._fill(prompts, samples, watch)
            return samples

        few = max(self._batch_size // 4, 1)
        for batch, samples, seconds in self._in_lanes(attempts, 1, few, write):
            for (task, parent, _), sample in zip(batch, samples, strict=True):
                yield child_of(parent, self._program(task, sample, seconds))

    def stream(self, task: Task, seed: int, watch: Callable[[str], None]) -> Program:
        """The first program of a question, as `sample` gives it, with its text as it is written.

        Args:
            task: The question.
            seed: The run's seed.
            watch: Called with each piece of the text; an error that it raises stops the writing.

        Raises:
            EngineError: as in `sample`.
        """
        shown_text = ""

        def show(sample: Drawing) -> None:
            nonlocal shown_text
            text = header_of(task) + self._text(sample)
            # the last token may hold half a character
            if len(text) > len(shown_text) and not text.endswith("\ufffd"):
                piece, shown_text = text[len(shown_text) :], text
                watch(piece)

        if reason := too_long(task):
            return no_program(task, 0, sample_seed(task, seed, 0), self.ref, reason)
        started = time.perf_counter()
        with self._inference():
            [sample] = self._different([task], 1, seed, show)
        return self._program(task, sample, time.perf_counter() - started)

    def _in_lanes(
        self,
        items: Sequence[Item],
        k: int,
        most: int,
        write: Callable[[Sequence[Item], _Watch], list[Drawing]],
    ) -> Iterator[tuple[Sequence[Item], list[Drawing], float]]:
        """Items in batches, the samples of each batch, and the seconds that one of them took.

        Args:
            items: What programs are written for.
            k: Programs for each.
            most: Programs that are written at a time.
            write: Gives all samples of a batch; the other argument is to be called with each.
        """
        if not items:
            return
        with self._inference():
            apart = self._shared[0].apart
        lanes = max(min(torch.get_num_threads(), len(items) * k // _LANE), 1) if apart else 1
        size = max(min(most // max(k, 1) // lanes, -(-len(items) // lanes)), 1)
        batches = [items[at : at + size] for at in range(0, len(items), size)]

        def work(
            batch: Sequence[Item], check: Callable[[], None]
        ) -> tuple[Sequence[Item], list[Drawing], float]:
            started = time.perf_counter()
            with self._inference():
                samples = write(batch, lambda _: check())
            seconds = time.perf_counter() - started
            # lanes share the time that passes
            return batch, samples, seconds / max(len(samples), 1) / min(lanes, len(batches))

        yield from side_by_side(work, batches, lanes)

    @contextmanager
    def _inference(self) -> Iterator[None]:
        """Without gradients, and with what breaks in the model as an EngineError."""
        try:
            with torch.inference_mode():
                yield
        except (RuntimeError, MemoryError) as error:
            raise EngineError(
                f"the sampler's model '{self._model}' broke: {str(error)[:300]}"
            ) from error

    def _text(self, sample: Drawing) -> str:
        kept = [token for token in sample.tokens if token not in self._loaded.stops]
        decode = self._loaded.tokenizer.decode
        with self._one_thread:
            return str(decode(kept, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def _program(self, task: Task, sample: Drawing, seconds: float) -> Program:
        reply = read_completion(header_of(task), self._text(sample))
        source = reply.program
        if not source:
            problem = "the model wrote a thought and no program; raise max_tokens"
            return no_program(task, sample.index, sample.seed, self.ref, problem, reply.thinking)
        return Program(
            id=content_key(
                "program", task.id, task.question, sample.index, sample.seed, source, self.ref
            ),
            task_id=task.id,
            index=sample.index,
            source=source,
            score=sample.logp / max(len(sample.tokens), 1),
            tokens=len(sample.tokens),
            seed=sample.seed,
            sampler=self.ref,
            seconds=seconds,
            thinking=reply.thinking,
            draws=sample.draw + 1,
        )

    def warm(self) -> None:
        """Load the model and read the shared prompt, so that neither counts as sampling time."""
        with torch.inference_mode():
            _ = self._shared

    @cached_property
    def _loaded(self) -> LoadedLanguage:
        on_processor = preferred_device(self._device).type == "cpu"
        exact = self._exact or (self._int8 and on_processor)
        return load_language(self._model, self._adapter, self._device, exact)

    @cached_property
    def _shared(self) -> tuple[Opening, dict[str, list[int]]]:
        """What stands before the question's own tokens, in the model, and the tokens after them, by
        the program's first line.
        """
        after = dict[str, list[int]]()
        if self._prompts.style == "compact":
            before = self._ids(self._prompts.shared)
        else:
            turn = chat_turn(self._loaded.tokenizer)
            before = self._ids(turn.before, special=True) + self._ids(self._prompts.shared)
            if turn.after:
                end = self._ids(turn.after, special=True)
                after = {
                    line: end + self._ids(f"```python\n{line}") for line in (HEADER, SEVERAL_HEADER)
                }
        return opening(self._loaded, before, self._int8), after

    def _ids(self, text: str, special: bool = False) -> list[int]:
        split = {} if special else {"split_special_tokens": True}
        tokenizer = self._loaded.tokenizer
        with self._one_thread:
            return list(tokenizer(text, add_special_tokens=False, **split)["input_ids"])

    def _different(self, tasks: Sequence[Task], k: int, seed: int, watch: _Watch) -> list[Drawing]:
        """All programs of some questions, those drawn again that are there already."""
        prompts = self._prompts_of(tasks)

        def write(keys: Iterable[tuple[Place, int]]) -> list[Drawing]:
            drawings = [self._drawing(tasks, place, draw, seed) for place, draw in keys]
            self._fill(prompts, drawings, watch)
            return drawings

        def outline_of(drawing: Drawing) -> str:
            return outline(HEADER + self._text(drawing)) if self._redraws else ""

        places = [(task, index) for task in range(len(tasks)) for index in range(k)]
        return different(places, self._redraws, write, outline_of)

    def _drawing(self, tasks: Sequence[Task], place: Place, draw: int, seed: int) -> Drawing:
        """A drawing still without tokens.

        Args:
            tasks: The questions.
            place: What it is a drawing of.
            draw: How many times that was drawn before.
            seed: The run's seed.
        """
        task, index = place
        key = sample_seed(tasks[task], seed, index, draw)
        greedy = self._greedy_first and index == 0
        return Drawing(task, index, draw, key, self._chance(key), greedy=greedy)

    def _chance(self, key: int) -> np.ndarray:
        return np.random.Generator(np.random.Philox(key)).random(self._max_tokens)

    def _prompts_of(self, tasks: Sequence[Task]) -> list[Prompt]:
        with self._one_thread:
            return [self._prompts(task) for task in tasks]

    def _fill(
        self,
        prompts: Sequence[Prompt],
        samples: list[Drawing],
        watch: _Watch,
    ) -> None:
        """Write samples, each after the prompt of its question.

        Args:
            prompts: Of the questions.
            samples: Still without tokens.
            watch: Called with each sample after each of its tokens.
        """
        if not samples:
            return
        start, after = self._shared
        used = sorted({sample.task for sample in samples})
        own = [self._ids(prompts[t].own) + after.get(prompts[t].header, []) for t in used]
        rows, logits = start.begin(own, len(samples), self._max_tokens)
        live = [(used.index(sample.task), sample) for sample in samples]
        while live:
            self._add_tokens(logits, live, watch)
            live = [one for one in live if not self._over(one[1])]
            if live:
                # samples that have written the same so far are one row
                paths = dict.fromkeys((row, sample.tokens[-1]) for row, sample in live)
                place = {path: number for number, path in enumerate(paths)}
                logits = rows.go_on([row for row, _ in paths], [token for _, token in paths])
                live = [(place[row, sample.tokens[-1]], sample) for row, sample in live]

    def _add_tokens(
        self,
        logits: Tensor,
        live: Sequence[tuple[int, Drawing]],
        watch: _Watch,
    ) -> None:
        """Give each sample its next token.

        Args:
            logits: `(rows, vocabulary)`.
            live: The samples, each with its row.
            watch: As `_fill` takes it.
        """
        rows = torch.tensor([row for row, _ in live])
        chance = torch.tensor([sample.chance[len(sample.tokens)] for _, sample in live])
        greedy = torch.tensor([sample.greedy for _, sample in live]) if self._greedy_first else None
        chosen, logp = self._dice.draw(logits, rows, chance, greedy)
        for (_, sample), token, value in zip(live, chosen.tolist(), logp.tolist(), strict=True):
            sample.tokens.append(token)
            sample.logp += value
            watch(sample)

    def _over(self, sample: Drawing) -> bool:
        if sample.tokens[-1] in self._loaded.stops or len(sample.tokens) == self._max_tokens:
            return True
        if len(sample.tokens) % _CHECK_EVERY:
            return False
        with self._one_thread:
            text = self._loaded.tokenizer.decode(sample.tokens)
        return is_complete(text)
