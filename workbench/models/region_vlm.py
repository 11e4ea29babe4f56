"""The bundled student's architecture: a detector's regions as visual tokens in front of a small language model.

Region features in place of a patch grid (bottom-up attention, Anderson et al., CVPR 2018; VinVL, Zhang et
al., CVPR 2021): the embedded detector proposes up to `region_count` boxes, and each becomes one position
that holds what the detector thinks is there, where it is, and the pooled backbone features.  A picture
costs 17 positions instead of hundreds, which is what makes training on two processor cores possible.

Registered with transformers' Auto classes: importing this module makes
`AutoModelForImageTextToText.from_pretrained` and `AutoProcessor.from_pretrained` load such checkpoints.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    BatchFeature,
    LlamaConfig,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.generation import GenerationMixin
from transformers.modeling_outputs import CausalLMOutputWithPast
from transformers.processing_utils import ProcessorMixin

from workbench.boxes import GRID
from workbench.models.detector import CLASSES as CLASS_NAMES
from workbench.models.detector import MIDDLE, bundled

CLASSES = len(CLASS_NAMES)
DIGITS = 4 * 3 * 10
"""One-hot decimal digits of a box on the 0-999 grid: the language model reads and writes coordinates digit by
digit, so the position code speaks the same language."""
PLACE = 8
POOLED = MIDDLE
WIDTH = 2 + CLASSES + DIGITS + PLACE + POOLED
"""Numbers per visual position."""

IMAGE_TOKEN = "<file_sep>"  # noqa: S105 - a vocabulary entry that SmolLM2 never needs here; reused so that the embedding does not grow
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['content'] is string -%}{{ message['content'] }}{%- else -%}"
    "{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' -%}" + IMAGE_TOKEN + "{%- else -%}{{ part['text'] }}{%- endif -%}"
    "{%- endfor -%}{%- endif -%}"
    "{%- if message['role'] == 'assistant' -%}<|im_end|>{%- else -%}{{ '\\n' }}{%- endif -%}"
    "{%- endfor -%}"
)


def region_vectors(
    boxes: NDArray[Any], scores: NDArray[Any], pooled: NDArray[Any], mask: NDArray[Any]
) -> NDArray[np.float32]:
    """One vector per visual position, a start mark and then regions from left to right.

    Args:
        boxes: `(count, 4)`, x0 y0 x1 y1 in 0..1 of the picture.
        scores: `(count, 80)`, detector's class scores in 0..1.
        pooled: `(count, POOLED)`, backbone features inside the box.
        mask: `(count,)`, True where a region is real.

    Returns:
        `(1 + count, WIDTH)` float32; positions without a region are zero.
    """
    count = len(boxes)
    out = np.zeros((1 + count, WIDTH), np.float32)
    out[0, 0] = 1.0
    order = sorted(np.flatnonzero(mask), key=lambda i: (boxes[i, 0] + boxes[i, 2], boxes[i, 1]))
    for row, i in enumerate(order, start=1):
        x0, y0, x1, y1 = np.clip(boxes[i], 0.0, 1.0)
        cells = np.clip(np.rint(np.array([y0, x0, y1, x1]) * GRID), 0, GRID).astype(int)
        digits = np.stack([cells // 100, cells // 10 % 10, cells % 10], axis=1)
        out[row, 1] = 1.0
        out[row, 2 : 2 + CLASSES] = np.sqrt(scores[i])
        out[row, 2 + CLASSES : 2 + CLASSES + DIGITS] = np.eye(10, dtype=np.float32)[digits].ravel()
        place = (x0, y0, x1, y1, (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0)
        out[row, 2 + CLASSES + DIGITS : 2 + CLASSES + DIGITS + PLACE] = place
        out[row, -POOLED:] = pooled[i]
    return out


class RegionVlmConfig(PreTrainedConfig):
    """Configuration: a causal language model's, plus the shape of the visual side."""

    model_type = "region_vlm"
    sub_configs = {"text_config": AutoConfig}

    def __init__(
        self,
        text_config: dict[str, Any] | PreTrainedConfig | None = None,
        region_count: int = 16,
        projector_width: int = 1024,
        image_token_id: int = 4,
        **kwargs: Any,
    ) -> None:
        if isinstance(text_config, dict):
            model_type = text_config.get("model_type", "llama")
            text_config = AutoConfig.for_model(
                model_type, **{k: v for k, v in text_config.items() if k != "model_type"}
            )
        self.text_config = text_config if text_config is not None else LlamaConfig()
        self.region_count = region_count
        self.projector_width = projector_width
        self.image_token_id = image_token_id
        kwargs.setdefault("tie_word_embeddings", True)
        super().__init__(**kwargs)


class RegionProjector(nn.Module):
    """`(batch, positions, WIDTH)` to `(batch, positions, hidden)`.

    Class scores enter through a linear map that starts as the language model's own embeddings of the class
    names, so that "dog" at a position means "dog" before any training.
    """

    def __init__(self, hidden: int, width: int) -> None:
        super().__init__()
        self.names = nn.Linear(CLASSES, hidden, bias=False)
        self.rest = nn.Linear(WIDTH - CLASSES - POOLED, hidden)
        self.pooled_norm = nn.LayerNorm(POOLED)
        self.mix = nn.Sequential(nn.Linear(WIDTH, width), nn.GELU(), nn.Linear(width, hidden))
        self.gain = nn.Parameter(torch.ones(hidden))

    def forward(self, regions_BPW: Tensor) -> Tensor:
        head, scores = regions_BPW[..., :2], regions_BPW[..., 2 : 2 + CLASSES]
        place, pooled = regions_BPW[..., 2 + CLASSES : -POOLED], regions_BPW[..., -POOLED:]
        pooled = self.pooled_norm(pooled) * (head.sum(-1, keepdim=True) > 0)
        rest = torch.cat([head, place], -1)
        return (
            self.names(scores) + self.rest(rest) + self.mix(torch.cat([head, scores, place, pooled], -1))
        ) * self.gain

    def start_from_names(self, embeddings: Tensor, name_tokens: Sequence[Sequence[int]]) -> None:
        """Set the map of class scores to the mean embedding of each class name's tokens."""
        with torch.no_grad():
            columns = [embeddings[list(tokens)].mean(0) for tokens in name_tokens]
            self.names.weight.copy_(torch.stack(columns, dim=1))
            scale = float(embeddings.std())
            for layer in (self.rest, self.mix[2]):
                nn.init.normal_(layer.weight, std=scale / layer.in_features**0.5)
                nn.init.zeros_(layer.bias)


class RegionVlmForConditionalGeneration(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """A causal language model that reads a picture's regions where `image_token_id` stands."""

    config_class = RegionVlmConfig
    base_model_prefix = "language_model"
    _supports_sdpa = True
    _no_split_modules = ["LlamaDecoderLayer"]
    _tied_weights_keys = {"language_model.lm_head.weight": "language_model.model.embed_tokens.weight"}

    def __init__(self, config: RegionVlmConfig) -> None:
        super().__init__(config)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.projector = RegionProjector(config.text_config.hidden_size, config.projector_width)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.get_input_embeddings()

    def get_output_embeddings(self) -> nn.Module:
        return self.language_model.get_output_embeddings()

    def embed(self, input_ids: Tensor, region_features: Tensor | None) -> Tensor:
        """Token embeddings with every image position replaced by its projected region.

        Args:
            input_ids: `(batch, tokens)`.
            region_features: `(pictures, 1 + region_count, WIDTH)`, in the order in which the image
                positions appear, or None when there are none.

        Raises:
            ValueError: the number of image positions is not pictures x (1 + region_count).
        """
        embeds: Tensor = self.get_input_embeddings()(input_ids)
        if region_features is None:
            return embeds
        dtype = self.projector.gain.dtype
        visual = self.projector(region_features.to(dtype)).to(embeds.dtype).flatten(0, 1)
        places = input_ids == self.config.image_token_id
        if int(places.sum()) != len(visual):
            raise ValueError(
                f"{int(places.sum())} image positions in the text, {len(visual)} from the pictures; use the processor"
            )
        return embeds.masked_scatter(places.unsqueeze(-1), visual)

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
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Next-token logits `(batch, tokens, vocab)`, and the mean cross-entropy where `labels` >= 0."""
        if inputs_embeds is None:
            assert input_ids is not None, "give input_ids or inputs_embeds"
            inputs_embeds = self.embed(input_ids, region_features)
        return self.language_model(  # type: ignore[no-any-return]
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            labels=labels,
            logits_to_keep=logits_to_keep,
            use_cache=use_cache,
            **kwargs,
        )

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, past_key_values: Any = None, region_features: Tensor | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        inputs: dict[str, Any] = super().prepare_inputs_for_generation(
            input_ids, past_key_values=past_key_values, **kwargs
        )
        started = past_key_values is not None and past_key_values.get_seq_length() > 0
        inputs["region_features"] = None if started else region_features
        return inputs


class RegionVlmProcessor(ProcessorMixin):  # type: ignore[misc]
    """Pictures to region features (through the embedded detector, cached by pixels), text to tokens."""

    _auto_class = None

    def __init__(self, tokenizer: Any, chat_template: str | None = None, region_count: int = 16) -> None:
        self.region_count = region_count
        self._features: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        super().__init__(tokenizer, chat_template=chat_template or CHAT_TEMPLATE)

    def features(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """`(pictures, 1 + region_count, WIDTH)`; each distinct picture goes through the detector once."""
        keys = [hashlib.sha256(p.tobytes() + repr(p.size).encode()).digest() for p in pictures]
        new = {k: p.convert("RGB") for k, p in zip(keys, pictures, strict=True) if k not in self._features}
        if new:
            found = bundled().regions(list(new.values()), count=self.region_count)
            for row, key in enumerate(new):
                self._features[key] = region_vectors(
                    found.boxes[row], found.scores[row], found.features[row], found.mask[row]
                )
        out = np.stack([self._features[k] for k in keys])
        for key in keys:
            self._features.move_to_end(key)
        while len(self._features) > 4096:
            self._features.popitem(last=False)
        return out

    def __call__(
        self, images: Any = None, text: Any = None, return_tensors: str | None = None, **kwargs: Any
    ) -> BatchFeature:
        """Tokens (with one position per region in place of each image mark) and `region_features`."""
        texts = [text] if isinstance(text, str) else list(text or [])
        marks = IMAGE_TOKEN * (1 + self.region_count)
        texts = [t.replace(IMAGE_TOKEN, marks) for t in texts]
        kwargs.pop("images_kwargs", None)
        encoded = dict(self.tokenizer(texts, return_tensors=return_tensors, **kwargs))
        if images is not None:
            flat: list[Image.Image] = []
            for item in images if isinstance(images, list | tuple) else [images]:
                flat.extend(item if isinstance(item, list | tuple) else [item])
            encoded["region_features"] = torch.from_numpy(self.features(flat))
        return BatchFeature(encoded)

    @property
    def model_input_names(self) -> list[str]:
        return ["input_ids", "attention_mask", "region_features"]


def register() -> None:
    """Make transformers' Auto classes know this architecture; safe to call again."""
    AutoConfig.register("region_vlm", RegionVlmConfig, exist_ok=True)
    AutoModelForImageTextToText.register(RegionVlmConfig, RegionVlmForConditionalGeneration, exist_ok=True)
    AutoProcessor.register(RegionVlmConfig, RegionVlmProcessor, exist_ok=True)


register()
