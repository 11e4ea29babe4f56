"""Texts that a causal model goes on with side by side, after one beginning.

What begins a text alike goes through the model once: the beginning that all share (`Opening`), and
whatever rows still have in common, for a row may be gone on with in several ways (`Rows.go_on`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from workbench.models.language import LoadedLanguage
from workbench.models.llama_rows import Llama, serves
from workbench.models.padding import pad_left


class Rows(Protocol):
    """Texts side by side, a row each."""

    def go_on(self, parents: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Make new rows of the rows that are there, each with one token more.

        Args:
            parents: For each new row, the row that it goes on with; a row may have several that go
                on with it, or none, which ends it.
            tokens: For each new row, its token.

        Returns:
            The logits behind each new row, `(new rows, vocabulary)`.
        """


class Opening(Protocol):
    """A beginning that has gone through the model."""

    apart: bool
    """Whether several threads may have rows of it under way, each its own."""

    def begin(self, own: Sequence[Sequence[int]], most: int, longest: int) -> tuple[Rows, Tensor]:
        """Rows that begin alike.

        Args:
            own: Tokens of each row behind the beginning, at least one.
            most: Most rows that there will be at a time.
            longest: Most tokens that will be added to a row.

        Returns:
            The rows, and the logits behind each, `(rows, vocabulary)`.
        """


def opening(loaded: LoadedLanguage, before: Sequence[int], int8: bool = False) -> Opening:
    """A beginning, by the way that is quickest for a model.

    Args:
        loaded: The model.
        before: Tokens that all rows begin with.
        int8: Whether to multiply in eight-bit whole numbers where that can be done; see
            `llama_rows`.
    """
    if serves(loaded.model):
        return Llama(loaded.model, "int8" if int8 else "float32").opening(before)
    return CachedOpening(loaded, before)


class CachedOpening:
    """A beginning in a cache of transformers, for any causal model and any device."""

    apart = False  # models of many kinds keep a state of their own, and a GPU is one lane

    def __init__(self, loaded: LoadedLanguage, before: Sequence[int]) -> None:
        self._loaded, self._length = loaded, len(before)
        ids = torch.tensor([list(before)], device=loaded.device)
        out = loaded.model(input_ids=ids, use_cache=True, logits_to_keep=1)
        self._cache = out.past_key_values

    def begin(
        self, own: Sequence[Sequence[int]], most: int, longest: int
    ) -> tuple[CachedRows, Tensor]:
        """As `Opening.begin`.

        Args:
            own: Tokens of each row behind the beginning.
            most: Most rows at a time.
            longest: Most tokens that will be added to a row.
        """
        ids, mask, positions = pad_left(
            own, self._loaded.tokenizer.pad_token_id, self._loaded.device
        )
        cache = copy.deepcopy(self._cache)
        cache.batch_repeat_interleave(len(own))
        mask = torch.cat([mask.new_ones(len(own), self._length), mask], dim=1)
        rows = CachedRows(self._loaded.model, cache, mask)
        return rows, rows.read(ids, positions + self._length)


class CachedRows:
    """Rows in a cache of transformers.

    Args:
        model: A causal model.
        cache: Of the rows so far.
        mask: The attention mask of the cache and of what is read next, `(rows, tokens)`.
    """

    def __init__(self, model: Any, cache: Any, mask: Tensor) -> None:
        self._model, self._cache, self._mask = model, cache, mask

    def read(self, ids: Tensor, positions: Tensor) -> Tensor:
        """Take tokens, `(rows, tokens)`, at their positions; gives the logits behind the last."""
        self._next = positions[:, -1:] + 1
        out = self._model(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return out.logits[:, -1]  # type: ignore[no-any-return]

    def go_on(self, parents: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """As `Rows.go_on`."""
        if list(parents) != list(range(len(self._mask))):
            rows = torch.tensor(parents, device=self._mask.device)
            self._cache.batch_select_indices(rows)
            self._mask, self._next = self._mask[rows], self._next[rows]
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=1)
        ids = torch.tensor(tokens, device=self._mask.device)
        return self.read(ids[:, None], self._next)
