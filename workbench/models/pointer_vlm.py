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
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

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
from workbench.models.weights import POINTER_VLM

LAYOUT = 2
"""Changes when a checkpoint of an earlier workbench would be read wrongly."""
_INSIDES = ("output_hidden_states", "output_attentions")
"""Arguments that ask for more than logits."""
WAVES = 6
"""Waves by which a length between 0 and 1 is told."""


class PointerVlmConfig(RegionVlmConfig):
    """The configuration of the small language model, and of what it sees and reads."""

    model_type = POINTER_VLM

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


class Matching(nn.Module):
    """Tells regions which words of the question mean them, and words how much of it there is.

    To look a named thing up is what a small language model learns last, and after very many
    examples; it begins with it here.  A frozen classifier says which names a word of the question
    means, as another says which name a region has; that both mean the same is their match.
    """

    name_weight: Tensor
    name_bias: Tensor

    def __init__(self, names: int, reader_width: int, hidden: int, regions: int) -> None:
        super().__init__()
        self.register_buffer("name_weight", torch.zeros(names, reader_width))
        self.register_buffer("name_bias", torch.zeros(names))
        self.region_of_word = nn.Linear(hidden, hidden, bias=False)
        self.word_of_region = nn.Linear(hidden, hidden, bias=False)
        self.named = nn.Linear(1, hidden, bias=False)
        self.number = nn.Linear(regions + 1, hidden, bias=False)

    def word_shares(self, states: Tensor) -> Tensor:
        """How probably a word means each name, `(..., names)`; a word may mean several or none.

        Args:
            states: Of the words of a question, `(..., reader_width)`.
        """
        rows = nn.functional.layer_norm(states, states.shape[-1:])
        return nn.functional.linear(rows, self.name_weight, self.name_bias).sigmoid()

    def forward(
        self, words_BTH: Tensor, word_shares_BTN: Tensor, regions_BRH: Tensor, shares_BRN: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What words and regions gain, `(batch, parts, hidden)` and `(batch, regions, hidden)`.

        Args:
            words_BTH: Words of the questions.
            word_shares_BTN: What they mean; 0 for filling.
            regions_BRH: Regions of the pictures.
            shares_BRN: What they are; 0 for filling.
        """
        match = torch.einsum("btn,brn->btr", word_shares_BTN, shares_BRN).clamp(max=1.0)
        most = match.amax(1).unsqueeze(-1)
        whole = torch.arange(self.number.in_features, device=match.device, dtype=match.dtype)
        shares = (1 - (match.sum(-1, keepdim=True) - whole).abs()).clamp(min=0)
        is_name = word_shares_BTN.amax(-1, keepdim=True)
        words = self.word_of_region(match @ regions_BRH) + is_name * self.number(shares)
        regions = self.region_of_word(match.transpose(1, 2) @ words_BTH) + self.named(most)
        return words, regions


@dataclass(frozen=True, slots=True)
class Reading:
    """A picture and a question, as the language model takes them."""

    plain: Tensor
    """The regions by themselves, `(batch, regions, hidden)`."""
    regions: Tensor
    """The regions, with what the question says of them."""
    real: Tensor
    """Which of them are no filling, `(batch, regions)`."""
    words: Tensor | None = None
    """The words of the question, with what the picture says of them, `(batch, parts, hidden)`."""
    there: Tensor | None = None
    """Which of them are no filling, `(batch, parts)`."""

    def behind(self) -> Reading:
        """The reading for tokens behind the first ones: nothing has a position of its own."""
        return replace(self, real=torch.zeros_like(self.real), words=None, there=None)


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
        self.matching = Matching(config.names, config.reader_width, hidden, config.region_count)
        self.pointed_at = nn.Linear(hidden, hidden)
        self.pointing = nn.Linear(hidden, hidden)
        self.to_point_at = nn.Linear(hidden, hidden)
        self.post_init()

    def read(self, region_features: Tensor, question_features: Tensor | None) -> Reading:
        """What a picture and a question are to the language model, before it begins.

        Args:
            region_features: `(batch, region_count, WIDTH)`; rows without a flag are filling.
            question_features: `(batch, parts, reader_width)`; rows of zeros are filling.
        """
        dtype = self.question_reader.weight.dtype
        features, real = region_features.to(dtype), region_features[..., 1] > 0
        numbers = torch.arange(real.shape[1], device=real.device)
        pointers = self.get_input_embeddings()(self.config.pointer_token_id + numbers)
        plain = (self.region_reader(features) + pointers) * real[..., None]
        if question_features is None:
            return Reading(plain, plain, real)
        there = question_features.abs().sum(-1) > 0
        states = question_features.to(dtype)
        words = self.question_reader(self.question_norm(states)) * there[..., None]
        more_words, more_regions = self.matching(
            words,
            self.matching.word_shares(states) * there[..., None],
            plain,
            self.region_reader.name_shares(features) * real[..., None],
        )
        return Reading(plain, plain + more_regions, real, words + more_words, there)

    def embed(
        self,
        input_ids: Tensor,
        region_features: Tensor | None,
        question_features: Tensor | None = None,
    ) -> Tensor:
        """Token embeddings, with regions and states of the question in their positions.

        Args:
            input_ids: `(batch, tokens)`.
            region_features: As `read` takes them.
            question_features: As `read` takes them.

        Raises:
            ValueError: there are other numbers of positions than of regions or states.
        """
        if region_features is None:
            return cast(Tensor, self.get_input_embeddings()(input_ids))
        return self._placed(input_ids, self.read(region_features, question_features))

    def _placed(self, input_ids: Tensor, reading: Reading) -> Tensor:
        """Token embeddings; a pointer, wherever it stands, brings along what it points to."""
        embeds: Tensor = self.get_input_embeddings()(input_ids)
        embeds = embeds + self._pointed_at(input_ids, reading.plain)
        if reading.words is not None and reading.there is not None:
            words = reading.words[reading.there]
            embeds = _put(embeds, input_ids == self.config.question_token_id, words)
        return _put(embeds, input_ids == self.config.image_token_id, reading.regions[reading.real])

    def _pointed_at(self, input_ids: Tensor, regions_BRH: Tensor) -> Tensor:
        """What each pointer points to, `(batch, tokens, hidden)`; zeros for other tokens."""
        numbers = input_ids - self.config.pointer_token_id
        points = (numbers >= 0) & (numbers < regions_BRH.shape[1])
        index = numbers.clamp(0, regions_BRH.shape[1] - 1).unsqueeze(-1)
        regions = regions_BRH.gather(1, index.expand(-1, -1, regions_BRH.shape[2]))
        what: Tensor = self.pointed_at(regions) * points.unsqueeze(-1)
        return what

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
        reading = None
        if region_features is not None:
            reading = self.read(region_features, question_features)
        if inputs_embeds is None:
            assert input_ids is not None, "give input_ids or inputs_embeds"
            if reading is None:
                inputs_embeds = self.get_input_embeddings()(input_ids)
            else:
                # behind the first pass of a generation, regions and words have their positions
                inputs_embeds = self._placed(input_ids, reading if begins else reading.behind())
        states = self.language_model.model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
            **{name: kwargs[name] for name in _INSIDES if name in kwargs},
        )
        last = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        hidden = states.last_hidden_state[:, last]
        logits = self.language_model.lm_head(hidden)
        if reading is not None:
            logits = self._point(logits, hidden, reading)
        loss = None
        if labels is not None:
            loss = self.language_model.loss_function(
                logits, labels, self.config.text_config.vocab_size, **kwargs
            )
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=states.past_key_values,
            hidden_states=states.hidden_states,
            attentions=states.attentions,
        )

    def _point(self, logits: Tensor, hidden: Tensor, reading: Reading) -> Tensor:
        """The logits, those of pointers by which region fits; there is no pointer to filling."""
        first, count = self.config.pointer_token_id, reading.real.shape[1]
        fits = self.pointing(hidden) @ self.to_point_at(reading.regions).transpose(1, 2)
        pointers = logits[..., first : first + count] + fits / hidden.shape[-1] ** 0.5
        pointers = pointers.masked_fill(~reading.real[:, None], torch.finfo(logits.dtype).min)
        return torch.cat([logits[..., :first], pointers, logits[..., first + count :]], -1)

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        past_key_values: Any = None,
        region_features: Tensor | None = None,
        question_features: Tensor | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The arguments of the next forward pass, which points at regions as the first one does.

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
        inputs["region_features"] = region_features
        inputs["question_features"] = question_features
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
    AutoConfig.register(POINTER_VLM, PointerVlmConfig, exist_ok=True)
    AutoModelForImageTextToText.register(
        PointerVlmConfig, PointerVlmForConditionalGeneration, exist_ok=True
    )


register()
