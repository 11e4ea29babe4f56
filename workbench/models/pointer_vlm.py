"""The student for two processor cores: a small language model of its own over a picture's regions.

It is made of frozen parts that see and read, and of a little that learns.  Each region of the
bundled detector is one position: a soft name by a frozen classifier, the place of its box, and its
pointer, the token by which an answer refers to it.  The question is read by the first layers of a
frozen language model (`text_tower`).  What learns is a language model of about a million parameters
over both, with words of its own (`pointer_words`).  Regions and question see each other both ways;
the answer behind them is written one word after the other.

Registered with transformers' Auto classes, as `region_vlm` is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.modeling_outputs import CausalLMOutputWithPast

from workbench.models.region_vlm import (
    CLASSES,
    PLACE,
    POOLED,
    RegionVlmConfig,
    RegionVlmForConditionalGeneration,
)

LAYOUT = 1
"""Changes when a checkpoint of an earlier workbench would be read wrongly."""
WAVES = 6
"""Waves by which a length between 0 and 1 is told."""


class PointerVlmConfig(RegionVlmConfig):
    """The configuration of the small language model, and of what it sees and reads."""

    model_type = "pointer_vlm"

    def __init__(
        self,
        text_config: dict[str, Any] | PreTrainedConfig | None = None,
        names: int = 1,
        reader_width: int = 576,
        question_token_id: int = 3,
        mark_token_ids: Sequence[int] = (4, 5, 6),
        pointer_token_id: int = 7,
        layout: int = LAYOUT,
        **kwargs: Any,
    ) -> None:
        """Describe a student.

        Args:
            text_config: Of the small language model.
            names: Number of names that the frozen classifier tells apart.
            reader_width: Numbers of a state of the frozen language model.
            question_token_id: Stands where a state of the question belongs.
            mark_token_ids: End the question; what stands behind is the answer.
            pointer_token_id: Points to the first region; the others follow.
            layout: Of the checkpoint.
            kwargs: Further settings, as `RegionVlmConfig` takes them.

        Raises:
            ValueError: the checkpoint is of another layout.
        """
        if layout != LAYOUT:
            raise ValueError(
                f"this checkpoint of a pointer student has layout {layout}, and this version of "
                f"the workbench reads layout {LAYOUT}; train the student again, or install the "
                "version that wrote it"
            )
        self.names = names
        self.reader_width = reader_width
        self.question_token_id = question_token_id
        self.mark_token_ids = list(mark_token_ids)
        self.pointer_token_id = pointer_token_id
        self.layout = layout
        super().__init__(text_config, **kwargs)


class RegionReader(nn.Module):
    """Maps regions `(regions, WIDTH)` to `(regions, hidden)`: what is there, and where.

    The classifier that names a region is a buffer, so that no training changes it.
    """

    name_weight: Tensor
    name_bias: Tensor

    def __init__(self, names: int, hidden: int) -> None:
        super().__init__()
        self.register_buffer("name_weight", torch.zeros(names, CLASSES + POOLED))
        self.register_buffer("name_bias", torch.zeros(names))
        self.names = nn.Linear(names, hidden, bias=False)
        self.scores = nn.Linear(CLASSES, hidden, bias=False)
        self.place = nn.Linear((PLACE + 1) * (2 * WAVES + 1), hidden)

    def name_shares(self, regions_RW: Tensor) -> Tensor:
        """How probable each name is for each region, `(regions, names)`."""
        looks = appearance(regions_RW.to(self.name_weight.dtype))
        return nn.functional.linear(looks, self.name_weight, self.name_bias).softmax(-1)

    def forward(self, regions_RW: Tensor) -> Tensor:
        place = regions_RW[..., 2 + CLASSES : -POOLED]
        area = (place[..., -2:-1] * place[..., -1:]).clamp(min=0).sqrt()
        mixed: Tensor = (
            self.names(self.name_shares(regions_RW))
            + self.scores(regions_RW[..., 2 : 2 + CLASSES])
            + self.place(waves(torch.cat([place, area], -1)))
        )
        return mixed


def appearance(regions_RW: Tensor) -> Tensor:
    """What a region's name is told from: class scores, and pooled features of one scale."""
    pooled = nn.functional.layer_norm(regions_RW[..., -POOLED:], (POOLED,))
    return torch.cat([regions_RW[..., 2 : 2 + CLASSES], pooled], -1)


def waves(lengths: Tensor) -> Tensor:
    """Lengths `(..., n)` between 0 and 1 and their waves, `(..., n * (2 * WAVES + 1))`."""
    turns = math.pi * 2.0 ** torch.arange(WAVES, device=lengths.device, dtype=lengths.dtype)
    angles = (lengths.unsqueeze(-1) * turns).flatten(-2)
    return torch.cat([lengths, angles.sin(), angles.cos()], -1)


class PointerVlmForConditionalGeneration(RegionVlmForConditionalGeneration):
    """A small language model that reads a picture's regions and the states of a question."""

    config_class: ClassVar[type[RegionVlmConfig]] = PointerVlmConfig

    def __init__(self, config: PointerVlmConfig) -> None:
        PreTrainedModel.__init__(self, config)
        hidden = config.text_config.hidden_size
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.region_reader = RegionReader(config.names, hidden)
        self.question_norm = nn.LayerNorm(config.reader_width)
        self.question_reader = nn.Linear(config.reader_width, hidden)
        self.post_init()

    def embed(
        self,
        input_ids: Tensor,
        region_features: Tensor | None,
        question_features: Tensor | None = None,
    ) -> Tensor:
        """Token embeddings, with regions and states of the question in their positions.

        Args:
            input_ids: `(batch, tokens)`.
            region_features: `(batch, region_count, WIDTH)`; rows without a flag are filling.
            question_features: `(batch, parts, reader_width)`; rows of zeros are filling.

        Raises:
            ValueError: there are other numbers of positions than of regions or states.
        """
        table = self.get_input_embeddings()
        embeds: Tensor = table(input_ids)
        if region_features is not None:
            real = region_features[..., 1] > 0
            numbers = torch.arange(real.shape[1], device=real.device).expand_as(real)[real]
            regions = region_features[real].to(self.question_reader.weight.dtype)
            visual = self.region_reader(regions) + table(self.config.pointer_token_id + numbers)
            embeds = _put(embeds, input_ids == self.config.image_token_id, visual)
        if question_features is not None:
            real = question_features.abs().sum(-1) > 0
            states = question_features[real].to(self.question_reader.weight.dtype)
            words = self.question_reader(self.question_norm(states))
            embeds = _put(embeds, input_ids == self.config.question_token_id, words)
        return embeds

    def visible(self, input_ids: Tensor, attention_mask: Tensor | None) -> Tensor:
        """Which position sees which, `(batch, 1, tokens, tokens)`, true where attention is allowed.

        Regions and question see each other; what is behind them sees them and what is before it.

        Args:
            input_ids: `(batch, tokens)`.
            attention_mask: `(batch, tokens)`, or who sees whom already, for rows that lessons
                share.
        """
        marks = torch.tensor(self.config.mark_token_ids, device=input_ids.device)
        prefix = torch.isin(input_ids, marks).cumsum(1) == 0
        if attention_mask is not None and attention_mask.dim() == 4:
            allowed = attention_mask.bool()
        else:
            length = input_ids.shape[1]
            real = (torch.ones_like(input_ids) if attention_mask is None else attention_mask) > 0
            prefix = prefix & real
            whole = torch.ones(length, length, dtype=torch.bool, device=input_ids.device)
            itself = torch.eye(length, dtype=torch.bool, device=input_ids.device)
            # filling sees itself: a position that sees nothing has no defined value
            allowed = (whole.tril() & real[:, None, None, :]) | itself
        return allowed | (prefix[:, None, :, None] & prefix[:, None, None, :])

    def forward(
        self,
        input_ids: Tensor | None = None,
        region_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        use_cache: bool | None = None,
        question_features: Tensor | None = None,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Logits of the next tokens, `(batch, tokens, vocab)`, and with labels the loss.

        Args:
            input_ids: `(batch, tokens)`.
            region_features: As `embed` takes them.
            attention_mask: `(batch, tokens)`, or as `visible` takes it.
            position_ids: `(batch, tokens)`.
            past_key_values: The cache of earlier tokens.
            inputs_embeds: `(batch, tokens, hidden)`, in place of tokens and features.
            labels: `(batch, tokens)`; the loss is the mean cross-entropy where they are 0 or more.
            logits_to_keep: Number of last positions to compute logits of; 0 for all.
            use_cache: Whether to return a cache.
            question_features: As `embed` takes them.
            kwargs: Further arguments of the language model.
        """
        begins = past_key_values is None or past_key_values.get_seq_length() == 0
        if input_ids is not None and begins:
            attention_mask = self.visible(input_ids, attention_mask)
        if inputs_embeds is None:
            assert input_ids is not None, "give input_ids or inputs_embeds"
            inputs_embeds = self.embed(input_ids, region_features, question_features)
        return super().forward(
            None,
            None,
            attention_mask,
            position_ids,
            past_key_values,
            inputs_embeds,
            labels,
            logits_to_keep,
            use_cache,
            **kwargs,
        )

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        past_key_values: Any = None,
        region_features: Tensor | None = None,
        question_features: Tensor | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The arguments of the next forward pass; the features belong to the first one only.

        Args:
            input_ids: `(batch, tokens)`.
            past_key_values: The cache of earlier tokens.
            region_features: As `embed` takes them.
            question_features: As `embed` takes them.
            kwargs: What transformers prepares as well.
        """
        inputs = super().prepare_inputs_for_generation(
            input_ids, past_key_values, region_features, **kwargs
        )
        begins = inputs["region_features"] is not None
        inputs["question_features"] = question_features if begins else None
        return inputs


def _put(embeds: Tensor, places: Tensor, values: Tensor) -> Tensor:
    if int(places.sum()) != len(values):
        raise ValueError(
            f"{int(places.sum())} positions in the text for {len(values)} regions or words; use "
            "the processor"
        )
    return embeds.masked_scatter(places.unsqueeze(-1), values.to(embeds.dtype))


def as_regions(vectors: Sequence[NDArray[np.float32]]) -> Tensor:
    """Regions of some pictures for the model: `region_vectors` without the mark in front."""
    return torch.from_numpy(np.stack([rows[1:] for rows in vectors]))


def register() -> None:
    """Make transformers' Auto classes know this architecture; safe to call again."""
    AutoConfig.register("pointer_vlm", PointerVlmConfig, exist_ok=True)
    AutoModelForImageTextToText.register(
        PointerVlmConfig, PointerVlmForConditionalGeneration, exist_ok=True
    )


register()
