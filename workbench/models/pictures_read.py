"""Pictures that a student of regions has read, and answers behind them.

Programs ask about the same picture in many words, and about many options in the same words.  A
student whose language model is a plain Llama on the processor keeps what it has read of a picture,
so that a question about a known one costs its own words alone.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from workbench.models.llama_rows import Llama, LlamaOpening, serves
from workbench.models.region_vlm import RegionVlmForConditionalGeneration

_CHANGING = (
    *("repetition_penalty", "encoder_repetition_penalty", "no_repeat_ngram_size", "guidance_scale"),
    *("num_beams", "penalty_alpha", "sequence_bias", "bad_words_ids", "stop_strings"),
    *("suppress_tokens", "begin_suppress_tokens", "min_length", "min_new_tokens"),
    *("forced_bos_token_id", "forced_eos_token_id", "exponential_decay_length_penalty"),
)
"""Settings of generation under which a greedy answer is not the likeliest token each time."""
MOST_BYTES = 256 << 20
"""Most memory of what is kept, the last picture not counted."""


class PicturesRead:
    """The pictures that a student has read last.

    Args:
        model: The student, which nobody trains.
    """

    def __init__(self, model: RegionVlmForConditionalGeneration) -> None:
        self._model, self._llama = model, Llama(model.language_model, "float32")
        ends = model.generation_config.eos_token_id
        self._stops = set(ends if isinstance(ends, list) else [ends])
        self._size = 0
        self._openings: OrderedDict[str, LlamaOpening] = OrderedDict()
        self._lock = threading.Lock()

    def answers(self, inputs: Mapping[str, Tensor], max_tokens: int) -> list[list[int]]:
        """The likeliest tokens behind each question, as transformers' greedy `generate` gives them.

        Args:
            inputs: Of the processor: `input_ids` and `attention_mask`, `(rows, tokens)`, and
                `region_features`, `(rows, regions, width)`.
            max_tokens: Most tokens of an answer.
        """
        with self._lock, torch.inference_mode():
            begun = [self._row(inputs, row) for row in range(len(inputs["input_ids"]))]
            openings, questions = zip(*begun, strict=True)
            longest = max(map(len, questions))
            rows = self._llama.side_by_side(openings, longest + max_tokens)
            vectors = torch.zeros(len(questions), longest, questions[0].shape[1])
            real = torch.zeros(len(questions), longest, dtype=torch.bool)
            for place, question in enumerate(questions):
                vectors[place, longest - len(question) :] = question
                real[place, longest - len(question) :] = True
            logits = self._llama.to_logits(rows.hidden(vectors, real)[:, -1])
            tokens_of: list[list[int]] = [[] for _ in questions]
            live = list(range(len(questions)))
            while live:
                chosen = logits.argmax(-1).tolist()
                for row, token in zip(live, chosen, strict=True):
                    tokens_of[row].append(token)
                parents = [
                    place
                    for place, row in enumerate(live)
                    if tokens_of[row][-1] not in self._stops and len(tokens_of[row]) < max_tokens
                ]
                live = [live[place] for place in parents]
                if live:
                    logits = rows.go_on(parents, [tokens_of[row][-1] for row in live])
            return tokens_of

    def likelihoods(
        self, inputs: Mapping[str, Tensor], answers: Sequence[Sequence[int]]
    ) -> list[float]:
        """Log-probability of each answer behind its question, in nats.

        Args:
            inputs: As `answers` takes them.
            answers: Tokens, at least one in each.
        """
        with self._lock, torch.inference_mode():
            same: dict[tuple[bytes, ...], list[int]] = {}
            for row in range(len(answers)):
                parts = (inputs["input_ids"], inputs["attention_mask"], inputs["region_features"])
                same.setdefault(tuple(_bytes(part[row]) for part in parts), []).append(row)
            sums = [0.0] * len(answers)
            for rows in same.values():
                opening, question = self._row(inputs, rows[0])
                values = opening.longer_by(question).likelihoods([answers[row] for row in rows])
                for row, value in zip(rows, values, strict=True):
                    sums[row] = value
            return sums

    def forget(self) -> None:
        """Keep nothing of what was read."""
        with self._lock:
            self._openings.clear()
            self._size = 0

    def _row(self, inputs: Mapping[str, Tensor], row: int) -> tuple[LlamaOpening, Tensor]:
        """What a row has up to the end of its picture, and the rest, `(tokens, hidden)`."""
        ids = inputs["input_ids"][row][inputs["attention_mask"][row].bool()]
        features = inputs["region_features"][row : row + 1]
        vectors = self._model.embed(ids[None], features)[0]
        places = (ids == self._model.config.image_token_id).nonzero()
        cut = min(int(places[-1]) + 1, len(ids) - 1)
        key = hashlib.sha256(_bytes(ids[:cut]) + _bytes(features)).hexdigest()
        if key in self._openings:
            self._openings.move_to_end(key)
        else:
            opening = self._llama.opening_by(vectors[:cut])
            self._openings[key] = opening
            self._size += opening.size
            while self._size > MOST_BYTES and len(self._openings) > 1:
                self._size -= self._openings.popitem(last=False)[1].size
        return self._openings[key], vectors[cut:]


def pictures_read(model: Any) -> PicturesRead | None:
    """What a student has read; None where it is none of regions with a plain Llama.

    A kind of its own, such as the pointer student, reads otherwise, and one whose settings of
    generation are others than the likeliest token each time writes otherwise.

    Args:
        model: A model of transformers, which nobody trains from now on.
    """
    if type(model) is not RegionVlmForConditionalGeneration or not serves(model.language_model):
        return None
    settings = [getattr(model.generation_config, name, None) for name in _CHANGING]
    return PicturesRead(model) if all(one in (None, 0, 1, [], {}) for one in settings) else None


def _bytes(values: Tensor) -> bytes:
    return values.contiguous().numpy().tobytes()
