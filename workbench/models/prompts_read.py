"""Prompts that a model has read, and how likely answers are behind them.

Tools ask a language model about many things in the same few words: the prompt of one question is
often that of the next, and the words around a user's turn are those of all.  A plain Llama on the
processor keeps what it has read, so that a known prompt costs no more than its new answers.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch

from workbench.errors import EngineError
from workbench.models.llama_rows import Llama, LlamaOpening, serves

MOST_BYTES = 256 << 20
"""Most memory of the prompts that are kept, the last one not counted."""

_Tokens = tuple[int, ...]


class PromptsRead:
    """The prompts that a model has read last.

    Args:
        llama: The model.
        most: Most bytes of what is kept of them.
    """

    def __init__(self, llama: Llama, most: int = MOST_BYTES) -> None:
        self._llama, self._most = llama, most
        self._size = 0
        self._openings: OrderedDict[_Tokens, LlamaOpening] = OrderedDict()
        self._known: dict[_Tokens, dict[_Tokens, float]] = {}
        """Of each prompt that is kept, the answers whose likelihood was asked for."""
        self._lock = threading.Lock()

    def likelihoods(
        self, before: Sequence[int], rows: Sequence[tuple[Sequence[int], Sequence[int]]]
    ) -> list[float]:
        """Log-probability of each row's answer behind its prompt, in nats.

        Args:
            before: Tokens that most prompts begin with.
            rows: Tokens of a prompt and of an answer, at least one each.

        Raises:
            EngineError: the model breaks.
        """
        by_prompt: dict[_Tokens, dict[_Tokens, float]] = {}
        for prompt, answer in rows:
            by_prompt.setdefault(tuple(prompt), {})[tuple(answer)] = 0.0
        try:
            with self._lock, torch.inference_mode():
                for tokens, values in by_prompt.items():
                    opening = self._opening(tuple(before), tokens)
                    memory = self._known[tokens]
                    if fresh := [answer for answer in values if answer not in memory]:
                        memory |= zip(fresh, opening.likelihoods(fresh), strict=True)
                    values |= {answer: memory[answer] for answer in values}
        except (RuntimeError, MemoryError) as error:
            raise EngineError(f"the language model broke: {str(error)[:300]}") from error
        return [by_prompt[tuple(prompt)][tuple(answer)] for prompt, answer in rows]

    def forget(self) -> None:
        """Keep nothing of what was read."""
        with self._lock:
            self._openings.clear()
            self._known.clear()
            self._size = 0

    def _opening(self, before: _Tokens, prompt: _Tokens) -> LlamaOpening:
        if prompt in self._openings:
            self._openings.move_to_end(prompt)
            return self._openings[prompt]
        if 0 < len(before) < len(prompt) and prompt[: len(before)] == before:
            opening = self._opening((), before).longer(prompt[len(before) :])
        else:
            opening = self._llama.opening(prompt)
        self._keep(prompt, opening)
        return opening

    def _keep(self, prompt: _Tokens, opening: LlamaOpening) -> None:
        self._openings[prompt], self._known[prompt] = opening, {}
        self._size += opening.size
        while self._size > self._most and len(self._openings) > 1:
            oldest, gives_way = self._openings.popitem(last=False)
            del self._known[oldest]
            self._size -= gives_way.size


_OF_MODELS: WeakKeyDictionary[Any, PromptsRead] = WeakKeyDictionary()
_MAKING = threading.Lock()


def prompts_read(model: Any) -> PromptsRead | None:
    """What a model of transformers has read; None where it is no plain Llama on the processor."""
    if not serves(model):
        return None
    with _MAKING:
        if model not in _OF_MODELS:
            _OF_MODELS[model] = PromptsRead(Llama(model, "float32"))
        return _OF_MODELS[model]
