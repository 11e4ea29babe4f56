"""The first layers of a language model, frozen: what a question means, word by word.

A student of two processor cores cannot learn English; it reads a question as the bundled language
model sees it after a few layers.  The states of a question are computed once and remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoModel, AutoTokenizer

from workbench.errors import InputError
from workbench.models.checkpoint_state import checkpoint_state
from workbench.models.kept_arrays import KeptArrays
from workbench.models.language import language_path, quiet
from workbench.records import content_key

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
        self._key = content_key(checkpoint_state(model) or Path(path).name, layers)
        self._kept: KeptArrays | None = None
        self._states: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    @property
    def width(self) -> int:
        """Numbers of a state."""
        return int(self._model.config.hidden_size)

    def count(self, text: str) -> int:
        """Number of the parts that a text is read in."""
        return len(self._tokenizer(text)["input_ids"])

    def keep_in(self, root: Path) -> None:
        """Keep states in a folder from here on, where other processes find them."""
        self._kept = KeptArrays(root / self._key)

    def __call__(self, question: str) -> NDArray[np.float32]:
        """The states of a question, `(parts, width)`."""
        with self._lock:
            if question not in self._states:
                self._states[question] = self._read(question)
                while len(self._states) > REMEMBERED:
                    self._states.popitem(last=False)
            self._states.move_to_end(question)
            return self._states[question]

    @torch.no_grad()
    def _read(self, question: str) -> NDArray[np.float32]:
        """The states of a question, from the folder if they are there."""
        key = content_key(question)
        kept = self._kept.get(key) if self._kept is not None else None
        states = (kept or {}).get("states")
        if states is not None and states.ndim == 2 and states.shape[1] == self.width:
            return states.astype(np.float32)
        tokens = self._tokenizer(question, return_tensors="pt")["input_ids"]
        if not tokens.shape[1]:
            return np.zeros((0, self.width), np.float32)
        # one question at a time: a batch would change the last digits
        hidden = self._model(input_ids=tokens, use_cache=False).last_hidden_state
        read: NDArray[np.float32] = hidden[0].numpy().copy()
        if self._kept is not None:
            self._kept.put(key, states=read)
        return read


@lru_cache(maxsize=2)
def text_tower(model: str, layers: int) -> TextTower:
    """The tower of these layers, loaded once per process."""
    return TextTower(model, layers)
