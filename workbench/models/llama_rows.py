"""Rows of tokens that a Llama goes on with on a processor, several times faster than transformers'.

Three things cost time where many short texts are written after one beginning: the cache of the
beginning is copied for each row and grows by a copy of itself with every token, each projection is
a product of its own, and all is float32.  Here the beginning is kept once for all rows, what is
each row's own has its place from the start, products that share their input are one, and weights
and inputs may be whole numbers (`Precision`).

The result is transformers' own up to rounding (tested).  Models of other families, and other
devices, go through `decoding.CachedRows`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import linear, scaled_dot_product_attention, silu

from workbench.models.padding import pad_left

Precision = Literal["float32", "int8"]
"""How products are computed.

In `int8` a weight has 127 steps for each output and an input 255 for each row, so that no sum of
two products leaves 16 bits, which is where processors without VNNI clip.  Sums are whole numbers
and the scale is the row's own, so that a product does not depend on the rows beside it.  Attention
does, in its last digits, and coarse rounding makes much of them: texts depend on their batch.
"""
_WEIGHT_STEPS = 63
_ENDS = 8
"""Columns behind an input, of which two are 1 and -1: the scale that torch finds is then fixed."""

Product = Callable[[Tensor], Tensor]


def _plain(weight: Tensor) -> Product:
    def product(inputs: Tensor) -> Tensor:
        return linear(inputs, weight)

    return product


def _whole_numbers(weight: Tensor) -> Product:
    """`(outputs, inputs)` as a product of `(rows, inputs)` in whole numbers."""
    scale = weight.abs().amax(1).double().clamp_min(1e-12) / _WEIGHT_STEPS
    wide = torch.cat([weight, weight.new_zeros(len(weight), _ENDS)], dim=1)
    with warnings.catch_warnings():
        # a later torch will drop these, and has nothing for processors in their place so far
        warnings.filterwarnings("ignore", message=".*quantized tensor creation")
        numbers = torch.quantize_per_channel(
            wide, scale, torch.zeros(len(weight), dtype=torch.long), 0, torch.qint8
        )
    packed = torch.ops.quantized.linear_prepack(numbers, None)
    ends = torch.tensor([1.0, -1.0] + [0.0] * (_ENDS - 2))

    def product(inputs: Tensor) -> Tensor:
        size = inputs.abs().amax(-1, keepdim=True).clamp_min(1e-12)
        scaled = torch.cat([inputs / size, ends.expand(*inputs.shape[:-1], _ENDS)], dim=-1)
        outputs: Tensor = torch.ops.quantized.linear_dynamic(scaled, packed, False)
        return outputs.mul_(size)

    return product


def serves(model: Any) -> bool:
    """Whether a model is a plain Llama in float32 on the processor, which this file computes."""
    config = model.config
    return (
        type(model).__name__ == "LlamaForCausalLM"
        and model.device.type == "cpu"
        and model.dtype == torch.float32
        and config.hidden_act == "silu"
        and not config.attention_bias
        and not config.mlp_bias
        and config.rope_parameters.get("rope_type", "default") == "default"
        and all(map(_is_plain, _products(model)))
    )


def _products(model: Any) -> Iterator[Any]:
    yield model.lm_head
    for layer in model.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        yield from (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj)
        yield from (mlp.gate_proj, mlp.up_proj, mlp.down_proj)


def _is_plain(module: Any) -> bool:
    """Whether a module multiplies by its weight and does nothing else; an adapter's does more."""
    return type(module) is torch.nn.Linear and module.bias is None and not module._forward_hooks


@dataclass(frozen=True, slots=True)
class _Layer:
    norm: Tensor
    queries_keys_values: Product
    output: Product
    second_norm: Tensor
    gates: Product
    down: Product


class Llama:
    """The weights of a transformers Llama, for `LlamaRows`.

    Args:
        model: A `LlamaForCausalLM` that `serves` accepts and nobody trains; adapters are merged.
        precision: How products are computed.
    """

    def __init__(self, model: Any, precision: Precision) -> None:
        product = _whole_numbers if precision == "int8" else _plain
        config = model.config
        self.heads, self.groups = config.num_attention_heads, config.num_key_value_heads
        self.width = model.model.layers[0].self_attn.head_dim
        self.epsilon = config.rms_norm_eps
        self.embedding = model.model.embed_tokens.weight.float()
        self.norm = model.model.norm.weight.float()
        self.layers = [_layer(layer, product) for layer in model.model.layers]
        self.to_logits = product(model.lm_head.weight.float())
        self._frequencies = model.model.rotary_emb.inv_freq.float()
        self._nothing = torch.zeros(len(self.layers), 2, self.groups, 0, self.width)
        """Keys and values of no tokens."""

    def opening(self, before: Sequence[int]) -> LlamaOpening:
        """What begins with these tokens."""
        return self.opening_by(self.embedding[list(before)])

    def opening_by(self, vectors: Tensor) -> LlamaOpening:
        """What begins with these vectors, `(tokens, hidden)`."""
        return LlamaOpening(self, self._nothing, torch.empty(0)).longer_by(vectors)

    def side_by_side(self, openings: Sequence[LlamaOpening], room: int) -> LlamaRows:
        """A row behind each of several beginnings.

        Args:
            openings: The beginnings.
            room: Most tokens that will be added to a row.
        """
        filled = max(opening.length for opening in openings)
        rows = LlamaRows(self, self._nothing, len(openings), filled + room)
        for place, opening in enumerate(openings):
            rows.put(place, opening.shared, filled)
        return rows

    def turns(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the rotary embedding, each `(*positions, 1, width)`."""
        angles = positions[..., None].float() * self._frequencies
        angles = torch.cat([angles, angles], dim=-1)[..., None, :]
        return angles.cos(), angles.sin()

    def normal(self, hidden: Tensor, weight: Tensor) -> Tensor:
        """Root-mean-square normalisation of `(*, hidden)`."""
        return weight * (
            hidden * torch.rsqrt(hidden.square().mean(-1, keepdim=True) + self.epsilon)
        )


def _layer(layer: Any, product: Callable[[Tensor], Product]) -> _Layer:
    attention, mlp = layer.self_attn, layer.mlp

    def joined(*modules: Any) -> Product:
        return product(torch.cat([module.weight.float() for module in modules]))

    return _Layer(
        layer.input_layernorm.weight.float(),
        joined(attention.q_proj, attention.k_proj, attention.v_proj),
        joined(attention.o_proj),
        layer.post_attention_layernorm.weight.float(),
        joined(mlp.gate_proj, mlp.up_proj),
        joined(mlp.down_proj),
    )


def _turned(vectors: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Vectors `(*, heads, width)` with their position in them."""
    cosine, sine = turns
    left, right = vectors.chunk(2, dim=-1)
    return vectors * cosine + torch.cat([-right, left], dim=-1) * sine


class LlamaOpening:
    """A beginning that many rows share; see `decoding.Opening`."""

    apart = True  # weights and beginning are only read

    def __init__(self, llama: Llama, shared: Tensor, logits: Tensor) -> None:
        self._llama, self.shared = llama, shared
        self._logits = logits
        """Behind the beginning, `(vocabulary,)`."""

    @property
    def length(self) -> int:
        """Number of tokens."""
        return self.shared.shape[3]

    def begin(
        self, own: Sequence[Sequence[int]], most: int, longest: int
    ) -> tuple[LlamaRows, Tensor]:
        """As `decoding.Opening.begin`.

        Args:
            own: Tokens of each row behind the beginning.
            most: Most rows at a time.
            longest: Most tokens that will be added to a row.
        """
        ids, mask, _ = pad_left(own, 0, torch.device("cpu"))
        rows = LlamaRows(self._llama, self.shared, max(most, len(own)), ids.shape[1] + longest)
        return rows, rows.read(ids, mask.bool())

    @property
    def size(self) -> int:
        """Bytes of what is kept of the beginning."""
        return (self.shared.numel() + self._logits.numel()) * self.shared.element_size()

    def longer(self, tokens: Sequence[int]) -> LlamaOpening:
        """The beginning with more tokens behind it, at least one."""
        return self.longer_by(self._llama.embedding[list(tokens)])

    def longer_by(self, vectors: Tensor) -> LlamaOpening:
        """The beginning with more behind it, `(tokens, hidden)`, at least one."""
        rows = LlamaRows(self._llama, self.shared, 1, len(vectors))
        hidden = rows.hidden(vectors[None], torch.ones(1, len(vectors), dtype=torch.bool))
        shared = torch.cat([self.shared, rows.own[:, :, 0]], dim=3)
        return LlamaOpening(self._llama, shared, self._llama.to_logits(hidden[:, -1])[0])

    def likelihoods(self, rows: Sequence[Sequence[int]]) -> list[float]:
        """Log-probability of each row's tokens behind the beginning, in nats.

        Args:
            rows: Tokens, at least one in each row.
        """
        first = self._logits.log_softmax(-1)
        sums = [float(first[row[0]]) for row in rows]
        longest = max(map(len, rows)) - 1
        if longest:
            ids, mask, _ = pad_left([row[:-1] for row in rows], 0, torch.device("cpu"))
            side_by_side = LlamaRows(self._llama, self.shared, len(rows), longest)
            hidden = side_by_side.hidden(self._llama.embedding[ids], mask.bool())
            shares = self._llama.to_logits(hidden).log_softmax(-1)
            for i, row in enumerate(rows):
                rest = torch.tensor(row[1:], dtype=torch.long)
                places = range(longest - len(rest), longest)
                sums[i] += float(shares[i, places, rest].sum())
        return sums


class LlamaRows:
    """Rows with one beginning, and what each has written since; see `decoding.Rows`.

    A row lies at a place and stays there; one that parts from another is copied to a free place,
    and the last places move into those that rows leave behind, so that the rows lie side by side.

    Args:
        llama: The model.
        shared: Keys and values of the beginning, `(layers, 2, groups, tokens, width)`.
        most: Most rows at a time.
        room: Most tokens of a row behind the beginning.
    """

    def __init__(self, llama: Llama, shared: Tensor, most: int, room: int) -> None:
        self._llama, self.shared = llama, shared
        self.own = torch.empty(len(llama.layers), 2, most, llama.groups, room, llama.width)
        """Keys and values of the rows by place, `(layers, 2, places, groups, room, width)`."""
        self._seen = torch.zeros(most, room, dtype=torch.bool)
        """Where a row holds a token, `(places, room)`; padding stands on its left."""
        self._filled = 0
        self._places: list[int] = []
        """The place of each row."""

    def put(self, place: int, beginning: Tensor, filled: int) -> None:
        """Let a row begin otherwise than the others, before anything is read.

        Args:
            place: The row's place.
            beginning: Keys and values, `(layers, 2, groups, tokens, width)`.
            filled: Where all rows go on.
        """
        start = filled - beginning.shape[3]
        self.own[:, :, place, :, start:filled] = beginning
        self.own[:, :, place, :, :start] = 0.0  # what was never written may be no number
        self._seen[place, start:filled] = True
        self._filled = filled

    def go_on(self, parents: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """As `decoding.Rows.go_on`."""
        self._places = self._move([self._places[row] for row in parents])
        ids = torch.empty(len(tokens), 1, dtype=torch.long)
        ids[self._places, 0] = torch.tensor(tokens)
        return self.read(ids, torch.ones(len(tokens), 1, dtype=torch.bool))[self._places]

    def _move(self, origins: Sequence[int]) -> list[int]:
        """The places of new rows, each a copy of the row at its origin; they are the first ones."""
        number, stays, places = len(origins), set[int](), [-1] * len(origins)
        for row, origin in enumerate(origins):
            if origin < number and origin not in stays:
                places[row] = origin
                stays.add(origin)
        free = (place for place in range(number) if place not in stays)
        for row, origin in enumerate(origins):
            if places[row] < 0:
                places[row] = next(free)
                # what was at a free place has ended: nobody's origin is among the free ones
                self.own[:, :, places[row], :, : self._filled] = self.own[
                    :, :, origin, :, : self._filled
                ]
                self._seen[places[row]] = self._seen[origin]
        return places

    def read(self, ids: Tensor, real: Tensor) -> Tensor:
        """Take tokens behind those that are there.

        Args:
            ids: `(rows, tokens)`, by place.
            real: `(rows, tokens)`, False where there is padding.

        Returns:
            The logits behind the last token, `(rows, vocabulary)`, by place.
        """
        return self._llama.to_logits(self.hidden(self._llama.embedding[ids], real)[:, -1])

    def hidden(self, vectors: Tensor, real: Tensor) -> Tensor:
        """What logits are made of, `(rows, tokens, hidden)`, by place; otherwise as `read`.

        Args:
            vectors: What tokens are to the model, `(rows, tokens, hidden)`, by place.
            real: `(rows, tokens)`, False where there is padding.
        """
        llama, before = self._llama, self._filled
        rows, count = real.shape
        if not self._places:
            self._places = list(range(rows))
        self._filled = before + count
        self._seen[:rows, before : self._filled] = real
        filled = self._seen[:rows, : self._filled]
        positions = (filled.long().cumsum(1) - 1).clamp(min=0)[:, before:]
        turns = llama.turns(positions + self.shared.shape[3])
        past = torch.ones(count, before, dtype=torch.bool)
        causal = torch.cat([past, torch.ones(count, count, dtype=torch.bool).tril()], dim=1)
        hidden_places = ~(filled[:, None, :] & causal)
        bias = torch.zeros(hidden_places.shape)
        bias.masked_fill_(hidden_places, torch.finfo(torch.float32).min)
        hidden = vectors
        for number, layer in enumerate(llama.layers):
            mixed = layer.queries_keys_values(llama.normal(hidden, layer.norm))
            looked = self._attend(number, mixed, turns, bias)
            hidden = hidden + layer.output(looked)
            gate, up = layer.gates(llama.normal(hidden, layer.second_norm)).chunk(2, dim=-1)
            hidden = hidden + layer.down(silu(gate) * up)
        return llama.normal(hidden, llama.norm)

    def _attend(
        self, number: int, mixed: Tensor, turns: tuple[Tensor, Tensor], bias: Tensor
    ) -> Tensor:
        """Attention of one layer, `(rows, tokens, hidden)`.

        Args:
            number: Of the layer.
            mixed: Queries, keys and values side by side, `(rows, tokens, *)`.
            turns: As `Llama.turns` gives them for the tokens' places.
            bias: `(rows, tokens, places)`, added to the scores of what is the row's own.
        """
        llama = self._llama
        rows, count, _ = mixed.shape
        filled = bias.shape[-1]
        vectors = mixed.view(rows, count, -1, llama.width)
        queries, keys, values = torch.split(
            vectors, [llama.heads, llama.groups, llama.groups], dim=2
        )
        queries, keys = _turned(queries, turns), _turned(keys, turns)
        own = self.own[number, :, :rows]
        own[0, :, :, filled - count : filled] = keys.transpose(1, 2)
        own[1, :, :, filled - count : filled] = values.transpose(1, 2)
        own_keys, own_values = own[:, :, :, :filled]
        if count > 1:
            return self._attend_long(number, queries, bias)
        shared_keys, shared_values = self.shared[number]
        # one row of scores for each head of a group and each token
        heads = queries.reshape(rows, count, llama.groups, -1, llama.width).permute(2, 0, 3, 1, 4)
        heads = heads.reshape(llama.groups, -1, llama.width) * llama.width**-0.5
        ahead = shared_keys.shape[1]
        by_row = heads.view(llama.groups, rows, -1, llama.width).transpose(0, 1)
        scores = torch.cat(
            [
                (heads @ shared_keys.transpose(1, 2)).unflatten(1, (rows, -1)).transpose(0, 1),
                by_row @ own_keys.transpose(2, 3) + bias[:, None],
            ],
            dim=-1,
        )
        shares = scores.softmax(-1)
        of_shared = shares[..., :ahead].transpose(0, 1).flatten(1, 2) @ shared_values
        looked = of_shared.unflatten(1, (rows, -1)).transpose(0, 1)
        looked = looked + shares[..., ahead:] @ own_values
        # (rows, groups, heads of a group, tokens, width)
        looked = looked.view(rows, llama.groups, -1, count, llama.width)
        beside: Tensor = looked.permute(0, 3, 1, 2, 4).reshape(rows, count, -1)
        return beside

    def _attend_long(self, number: int, queries: Tensor, bias: Tensor) -> Tensor:
        """As `_attend`, for many tokens of each row, whose scores would not all have room at once.

        Args:
            number: Of the layer, whose keys and values hold these tokens already.
            queries: `(rows, tokens, heads, width)`.
            bias: As `_attend` takes it.
        """
        rows, count, heads, width = queries.shape
        ahead = self.shared.shape[3]
        own = self.own[number, :, :rows, :, : bias.shape[-1]]
        shared = self.shared[number][:, None].expand(-1, rows, -1, -1, -1)
        keys, values = torch.cat([shared, own], dim=3)
        whole = torch.cat([bias.new_zeros(rows, count, ahead), bias], dim=-1)
        looked = scaled_dot_product_attention(
            queries.transpose(1, 2), keys, values, whole[:, None], enable_gqa=True
        )
        return looked.transpose(1, 2).reshape(rows, count, heads * width)
