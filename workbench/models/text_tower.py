"""The first layers of a language model, frozen: what a question means, word by word.

A student of two processor cores cannot learn English; it reads a question as the bundled language
model sees it after a few layers.  The states of a question are computed once and remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoModel, AutoTokenizer

from workbench.errors import InputError
from workbench.models.language import language_path, quiet

REMEMBERED = 4096
"""Questions whose states stay in memory."""


class TextTower:
    """Reads questions.  It is safe for several threads.

    Args:
        model: `bundled`, a folder, or a hub id of a causal model.
        layers: Number of its layers.

    Raises:
        InputError: there is no such model.
        MissingPart: the bundled model's package is absent.
    """

    def __init__(self, model: str, layers: int) -> None:
        path = language_path(model)
        try:
            with quiet():
                self._tokenizer: Any = AutoTokenizer.from_pretrained(path)
                self._model: Any = AutoModel.from_pretrained(
                    path, num_hidden_layers=layers, dtype=torch.float32
                ).eval()
        except (OSError, ValueError) as error:
            raise InputError(
                f"the student's questions are read by the model '{model}', which cannot be loaded "
                f"({str(error).splitlines()[0][:200]}); put it where it was, or take another "
                "student"
            ) from error
        self._model.norm = nn.Identity()  # its scales belong to the last layer
        self._states: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    @property
    def width(self) -> int:
        """Numbers of a state."""
        return int(self._model.config.hidden_size)

    def count(self, text: str) -> int:
        """Number of the parts that a text is read in."""
        return len(self._tokenizer(text)["input_ids"])

    @torch.no_grad()
    def __call__(self, question: str) -> NDArray[np.float32]:
        """The states of a question, `(parts, width)`."""
        with self._lock:
            if question not in self._states:
                tokens = self._tokenizer(question, return_tensors="pt")["input_ids"]
                states = np.zeros((0, self.width), np.float32)
                if tokens.shape[1]:  # one question at a time: a batch would change the last digits
                    hidden = self._model(input_ids=tokens, use_cache=False).last_hidden_state
                    states = hidden[0].numpy().copy()
                self._states[question] = states
                while len(self._states) > REMEMBERED:
                    self._states.popitem(last=False)
            self._states.move_to_end(question)
            return self._states[question]


@lru_cache(maxsize=2)
def text_tower(model: str, layers: int) -> TextTower:
    """The tower of these layers, loaded once per process."""
    return TextTower(model, layers)
