"""The bundled student's architecture: a detector's regions in front of a small language model.

Region features take the place of a patch grid (bottom-up attention, Anderson et al., CVPR 2018;
VinVL, Zhang et al., CVPR 2021).  The embedded detector proposes up to `region_count` boxes; each
becomes one position that holds what is there (class scores and pooled backbone features, projected)
and, behind it, its box as the digits that rationales use.  The language model reads and writes
boxes in one notation, so that it can copy them.  A picture costs about a hundred positions instead
of several hundred, and almost nothing has to be learnt about digits, which is what makes training
on two processor cores possible.

Registered with transformers' Auto classes: importing this module makes
`AutoModelForImageTextToText.from_pretrained` and `AutoProcessor.from_pretrained` load such
checkpoints.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

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

from workbench.boxes import Box, grid_text
from workbench.models.coco import CLASSES as CLASS_NAMES
from workbench.models.detector import MIDDLE, bundled_detector
from workbench.models.kept_arrays import KeptArrays
from workbench.models.weights import with_detector
from workbench.records import content_key

CLASSES = len(CLASS_NAMES)
PLACE = 8
"""Numbers that tell where a region is: its corners, centre, width and height."""
POOLED = MIDDLE
"""Numbers of a region's pooled features."""
WIDTH = 2 + CLASSES + PLACE + POOLED
"""Numbers per region: two flags (mark, region), class scores, place, pooled features."""

FLOOR = 0.07
"""Lowest best class score of a region; about six regions of a collage have it."""

IMAGE_TOKEN = "<file_sep>"  # noqa: S105
"""A vocabulary entry that SmolLM2 does not need here; with a new one the embedding would grow."""
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['content'] is string -%}{{ message['content'] }}{%- else -%}"
    "{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' -%}"
    + IMAGE_TOKEN
    + "{%- else -%}{{ part['text'] }}{%- endif -%}"
    "{%- endfor -%}{%- endif -%}"
    "{%- if message['role'] == 'assistant' -%}<|im_end|>{%- else -%}{{ '\\n' }}{%- endif -%}"
    "{%- endfor -%}"
)


def region_vectors(
    boxes: NDArray[Any], scores: NDArray[Any], pooled: NDArray[Any], mask: NDArray[Any]
) -> tuple[NDArray[np.float32], list[str]]:
    """Vectors and texts of a picture's start mark and its regions, from left to right.

    Args:
        boxes: `(count, 4)`, x0 y0 x1 y1 in 0..1 of the picture.
        scores: `(count, 80)`, the detector's class scores in 0..1.
        pooled: `(count, POOLED)`, backbone features inside the box.
        mask: `(count,)`, True where a region is real.

    Returns:
        Vectors `(1 + count, WIDTH)`, float32, whose rows beyond the regions are zero; and the box
        of each used row as text, which is "" for the mark.
    """
    out = np.zeros((1 + len(boxes), WIDTH), np.float32)
    out[0, 0] = 1.0
    texts = [""]
    order = sorted(np.flatnonzero(mask), key=lambda i: (boxes[i, 0] + boxes[i, 2], boxes[i, 1]))
    for row, i in enumerate(order, start=1):
        x0, y0, x1, y1 = (float(v) for v in np.clip(boxes[i], 0.0, 1.0))
        out[row, 1] = 1.0
        out[row, 2 : 2 + CLASSES] = np.sqrt(scores[i])
        out[row, 2 + CLASSES : -POOLED] = (
            x0,
            y0,
            x1,
            y1,
            (x0 + x1) / 2,
            (y0 + y1) / 2,
            x1 - x0,
            y1 - y0,
        )
        out[row, -POOLED:] = pooled[i]
        texts.append(" " + grid_text(Box(x0, y0, max(x0, x1), max(y0, y1)), 1, 1))
    return out, texts


class RegionVlmConfig(PreTrainedConfig):  # type: ignore[misc]
    """The configuration of a causal language model, and the shape of the visual side."""

    model_type = "region_vlm"
    sub_configs: ClassVar[dict[str, Any]] = {"text_config": AutoConfig}

    def __init__(
        self,
        text_config: dict[str, Any] | PreTrainedConfig | None = None,
        region_count: int = 12,
        projector_width: int = 1024,
        image_token_id: int = 4,
        **kwargs: Any,
    ) -> None:
        if isinstance(text_config, dict):
            model_type = text_config.get("model_type", "llama")
            text_config = AutoConfig.for_model(
                model_type, **{k: v for k, v in text_config.items() if k != "model_type"}
            )
        self.text_config: Any = text_config if text_config is not None else LlamaConfig()
        self.region_count = region_count
        self.projector_width = projector_width
        self.image_token_id = image_token_id
        kwargs.setdefault("tie_word_embeddings", True)
        super().__init__(**kwargs)


class RegionProjector(nn.Module):
    """Maps `(regions, WIDTH)` to `(regions, hidden)`.

    The result has the size of the language model's own embeddings.  Class scores enter through a
    linear map that starts as the embeddings of the class names, so that "dog" at a position means
    "dog" before any training.
    """

    def __init__(self, hidden: int, width: int) -> None:
        super().__init__()
        self.names = nn.Linear(CLASSES, hidden, bias=False)
        self.pooled_norm = nn.LayerNorm(POOLED)
        self.mix = nn.Sequential(nn.Linear(WIDTH, width), nn.GELU(), nn.Linear(width, hidden))
        self.size = nn.Parameter(torch.ones(()))

    def forward(self, regions_RW: Tensor) -> Tensor:
        scores, pooled = (
            regions_RW[..., 2 : 2 + CLASSES],
            self.pooled_norm(regions_RW[..., -POOLED:]),
        )
        rest = torch.cat([regions_RW[..., :-POOLED], pooled * regions_RW[..., 1:2]], -1)
        mixed = self.names(scores) + self.mix(rest)
        return nn.functional.normalize(mixed.float(), dim=-1).to(mixed.dtype) * self.size

    def start_from_names(self, embeddings: Tensor, name_tokens: Sequence[Sequence[int]]) -> None:
        """Set the map of class scores to the mean embedding of each class name's tokens."""
        with torch.no_grad():
            columns = [embeddings[list(tokens)].mean(0) for tokens in name_tokens]
            self.names.weight.copy_(torch.stack(columns, dim=1))
            self.size.copy_(embeddings.norm(dim=-1).mean())


class RegionVlmForConditionalGeneration(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """A causal language model that reads a picture's regions where `image_token_id` stands."""

    config_class: ClassVar[type[RegionVlmConfig]] = RegionVlmConfig
    base_model_prefix = "language_model"
    _supports_sdpa = True
    supports_gradient_checkpointing = True
    _no_split_modules: ClassVar[list[str]] = ["LlamaDecoderLayer"]
    _tied_weights_keys: ClassVar[dict[str, str]] = {
        "language_model.lm_head.weight": "language_model.model.embed_tokens.weight"
    }

    def __init__(self, config: RegionVlmConfig) -> None:
        super().__init__(config)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.projector = RegionProjector(config.text_config.hidden_size, config.projector_width)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return cast(nn.Module, self.language_model.get_input_embeddings())

    def get_output_embeddings(self) -> nn.Module:
        return cast(nn.Module, self.language_model.get_output_embeddings())

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        self.language_model.set_output_embeddings(new_embeddings)

    def embed(self, input_ids: Tensor, region_features: Tensor | None) -> Tensor:
        """Token embeddings with every image position replaced by its projected region.

        Args:
            input_ids: `(batch, tokens)`.
            region_features: `(pictures, 1 + region_count, WIDTH)`, in the order of the pictures'
                positions; None without pictures.  Rows without a flag are filling.

        Raises:
            ValueError: the text has another number of image positions than the pictures have
                regions.
        """
        embeds: Tensor = self.get_input_embeddings()(input_ids)
        if region_features is None:
            return embeds
        real = region_features[region_features[..., :2].sum(-1) > 0]
        visual = self.projector(real.to(self.projector.size.dtype)).to(embeds.dtype)
        places = input_ids == self.config.image_token_id
        if int(places.sum()) != len(visual):
            raise ValueError(
                f"{int(places.sum())} image positions in the text, {len(visual)} from the "
                "pictures; use the processor"
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
        """Logits of the next tokens, `(batch, tokens, vocab)`, and with labels the loss.

        Args:
            input_ids: `(batch, tokens)`.
            region_features: As `embed` takes them.
            attention_mask: `(batch, tokens)`.
            position_ids: `(batch, tokens)`.
            past_key_values: The cache of earlier tokens.
            inputs_embeds: `(batch, tokens, hidden)`, in place of the first two.
            labels: `(batch, tokens)`; the loss is the mean cross-entropy where they are 0 or more.
            logits_to_keep: Number of last positions to compute logits of; 0 for all.
            use_cache: Whether to return a cache.
            kwargs: Further arguments of the language model.
        """
        if inputs_embeds is None:
            assert input_ids is not None, "give input_ids or inputs_embeds"
            inputs_embeds = self.embed(input_ids, region_features)
        return self.language_model(
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
        self,
        input_ids: Tensor,
        past_key_values: Any = None,
        region_features: Tensor | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The arguments of the next forward pass; the regions belong to the first one only.

        Args:
            input_ids: `(batch, tokens)`.
            past_key_values: The cache of earlier tokens.
            region_features: As `embed` takes them.
            kwargs: What transformers prepares as well.
        """
        inputs: dict[str, Any] = super().prepare_inputs_for_generation(
            input_ids, past_key_values=past_key_values, **kwargs
        )
        started = past_key_values is not None and past_key_values.get_seq_length() > 0
        inputs["region_features"] = None if started else region_features
        return inputs


@dataclass(frozen=True, slots=True)
class RegionView:
    """A picture as the detector sees it."""

    vectors: NDArray[np.float32]
    """`(1 + region_count, WIDTH)`, as `region_vectors` gives them."""
    stand_in: str
    """The text in place of the picture: an image mark, and one with its box for each region."""
    width: int
    height: int
    """Of the picture, pixels, as `width`."""

    @property
    def cells(self) -> list[tuple[int, ...]]:
        """The box of each region, as rationales write it: ymin, xmin, ymax, xmax on the grid."""
        return [tuple(map(int, box.split())) for box in self.stand_in.split(IMAGE_TOKEN)[2:]]


class RegionVlmProcessor(ProcessorMixin):  # type: ignore[misc]
    """Turns pictures into region features, and text into tokens.

    The features come from the embedded detector and are remembered by the pictures' pixels.
    """

    _auto_class = None

    def __init__(
        self, tokenizer: Any, chat_template: str | None = None, region_count: int = 12
    ) -> None:
        self.region_count = region_count
        self._views: OrderedDict[bytes, RegionView] = OrderedDict()
        self._kept: KeptArrays | None = None
        super().__init__(tokenizer, chat_template=chat_template or CHAT_TEMPLATE)

    def features(
        self, pictures: Sequence[Image.Image | RegionView]
    ) -> tuple[NDArray[np.float32], list[str]]:
        """Features `(pictures, 1 + region_count, WIDTH)`, and the text in place of each picture.

        Each distinct picture goes through the detector once.
        """
        views = self.look(pictures)
        return np.stack([view.vectors for view in views]), [view.stand_in for view in views]

    def look(self, pictures: Sequence[Image.Image | RegionView]) -> list[RegionView]:
        """What the detector sees of each picture; it may be given in place of the picture."""
        keys = [
            None
            if isinstance(picture, RegionView)
            else hashlib.sha256(picture.tobytes() + repr(picture.size).encode()).digest()
            for picture in pictures
        ]
        new = {
            key: picture.convert("RGB")
            for key, picture in zip(keys, pictures, strict=True)
            if key is not None and key not in self._views and not isinstance(picture, RegionView)
        }
        self._add_views(new)
        out = []
        for key, picture in zip(keys, pictures, strict=True):
            if key is not None:
                self._views.move_to_end(key)
                picture = self._views[key]
            assert isinstance(picture, RegionView)
            out.append(picture)
        while len(self._views) > 4096:
            self._views.popitem(last=False)
        return out

    def _add_views(self, new: Mapping[bytes, Image.Image]) -> None:
        """Look at pictures, by the digest of their pixels; each once, in all processes."""
        if self._kept is not None:
            self._views |= self._seen_before(self._kept, new)
        unseen = {key: picture for key, picture in new.items() if key not in self._views}
        if unseen:
            self._views |= zip(unseen, self._detect(list(unseen.values())), strict=True)
            if self._kept is not None:
                self._keep(self._kept, unseen)

    def _detect(self, pictures: Sequence[Image.Image]) -> list[RegionView]:
        regions = bundled_detector().regions(pictures, count=self.region_count, floor=FLOOR)
        views = []
        for row, picture in enumerate(pictures):
            vectors, texts = region_vectors(
                regions.boxes[row], regions.scores[row], regions.features[row], regions.mask[row]
            )
            stand_in = "".join(IMAGE_TOKEN + text for text in texts)
            views.append(RegionView(vectors, stand_in, picture.width, picture.height))
        return views

    def keep_in(self, root: Path) -> None:
        """Keep what is seen of pictures in a folder from here on; other processes find it there."""
        layout = content_key(with_detector("1"), self.region_count)
        self._kept = KeptArrays(root / layout)

    def _seen_before(self, files: KeptArrays, keys: Iterable[bytes]) -> dict[bytes, RegionView]:
        """Views that are kept on disk; what cannot be one is left out."""
        views = {}
        for key in keys:
            kept = files.get(key.hex())
            if kept is None or set(kept) != {"vectors", "size", "stand_in"}:
                continue
            vectors, size = kept["vectors"], kept["size"]
            if vectors.shape != (1 + self.region_count, WIDTH) or size.shape != (2,):
                continue
            width, height = size.tolist()
            stand_in = str(kept["stand_in"])
            views[key] = RegionView(vectors.astype(np.float32), stand_in, width, height)
        return views

    def _keep(self, files: KeptArrays, keys: Iterable[bytes]) -> None:
        for key in keys:
            view = self._views[key]
            size, stand_in = np.array([view.width, view.height]), np.array(view.stand_in)
            files.put(key.hex(), vectors=view.vectors, stand_in=stand_in, size=size)

    def forget(self) -> None:
        """Forget all features, so that the next picture goes through the detector again."""
        self._views.clear()

    def __call__(
        self, images: Any = None, text: Any = None, return_tensors: str | None = None, **kwargs: Any
    ) -> BatchFeature:
        """Tokens, with each image mark replaced by its picture's regions, and `region_features`.

        Args:
            images: A picture, a list of them, or a list of lists of them.
            text: A text, or a list of them.
            return_tensors: As tokenizers take it.
            kwargs: Further arguments of the tokenizer.

        Raises:
            ValueError: the texts have another number of image marks than there are pictures.
        """
        texts = [text] if isinstance(text, str) else list(text or [])
        flat = pictures_in(images)
        marks = sum(t.count(IMAGE_TOKEN) for t in texts)
        if marks != len(flat):
            raise ValueError(
                f"{marks} image marks in the text, {len(flat)} pictures; use the chat template"
            )
        extra = {}
        if flat:
            features, stand_ins = self.features(flat)
            extra["region_features"] = torch.from_numpy(features)
            left = iter(stand_ins)
            texts = [
                "".join(p + next(left) for p in t.split(IMAGE_TOKEN)[:-1])
                + t.split(IMAGE_TOKEN)[-1]
                for t in texts
            ]
        return BatchFeature(
            {**self.tokenizer(texts, return_tensors=return_tensors, **kwargs), **extra}
        )

    @property
    def model_input_names(self) -> list[str]:
        return ["input_ids", "attention_mask", "region_features"]


def pictures_in(images: Any) -> list[Image.Image | RegionView]:
    """A picture, a list of them, a list of lists or None as one list of pictures."""
    if images is None:
        return []
    flat: list[Image.Image | RegionView] = []
    for item in images if isinstance(images, list | tuple) else [images]:
        flat.extend(item if isinstance(item, list | tuple) else [item])
    return flat


def register() -> None:
    """Make transformers' Auto classes know this architecture; safe to call again."""
    AutoConfig.register("region_vlm", RegionVlmConfig, exist_ok=True)
    AutoModelForImageTextToText.register(
        RegionVlmConfig, RegionVlmForConditionalGeneration, exist_ok=True
    )
    AutoProcessor.register(RegionVlmConfig, RegionVlmProcessor, exist_ok=True)


register()
