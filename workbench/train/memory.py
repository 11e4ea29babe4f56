"""What a job needs on a graphics card, before anything is loaded: memory and arithmetic by shapes.

The student is built on the meta device, where a tensor has a shape and no numbers.  Its decoder is
run there with as many rows and tokens as the longest micro-batch has: the tensors that the backward
pass keeps are counted, and so is every multiplication.  The vision tower's shapes depend on the
numbers themselves in some families, so its part follows from its size (34 bytes for each unit of
width, position and layer in 16 bits: Korthikanti et al. 2022, equation 2, attention in one kernel).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import AttentionInterface, AutoConfig, AutoModelForImageTextToText

from workbench.records import Lesson
from workbench.snapshot import Example
from workbench.train.examples import Adapter
from workbench.train.job import Job
from workbench.train.load import with_adapters

CARDS = (8, 24, 80)
"""Memory of common graphics cards, in GiB."""
USABLE = 0.93
"""Share of a card's memory that a run gets: the driver and what lies between blocks take the rest.
"""
CONTEXT = 0.6
"""GiB that CUDA itself takes."""
ATTENTION = "vpd_shapes"
"""Name of the attention of shapes among those of transformers."""
_TOWER = 34
_QUARTER = 0.55
"""Bytes of a weight in four bits, its scales included."""


@dataclass(frozen=True, slots=True)
class MicroShape:
    """The longest micro-batch of a job."""

    examples: int
    lessons: int
    """Most lessons of an example."""
    tokens: int
    """Of the longest lesson, the picture included."""
    targets: int
    """Of the longest lesson."""
    patches: int
    """Of the largest picture, before they are merged."""

    @property
    def rows(self) -> int:
        """Number of rows of tokens."""
        return self.examples * self.lessons


def longest_shape(
    job: Job,
    adapter: Adapter,
    examples: Sequence[Example],
    lessons: Sequence[Sequence[Lesson]],
    patch: int,
) -> MicroShape:
    """The longest micro-batch that the examples give.

    Args:
        job: whose micro-batch counts.
        adapter: the student's processor.
        examples: to train on, at least one.
        lessons: of each example.
        patch: side of a patch of the picture, in pixels.
    """
    lengths = [
        adapter.longest(own) + sum(adapter.picture_length(*size) for size in example.sizes)
        for example, own in zip(examples, lessons, strict=True)
    ]
    largest = max(examples, key=lambda example: example.width * example.height)
    answers = [adapter.length(lesson.target) for own in lessons for lesson in own]
    return MicroShape(
        examples=min(job.micro_batch, job.batch, len(examples)),
        lessons=max(map(len, lessons)),
        tokens=max(lengths),
        targets=max(answers) + len(adapter.end),
        patches=_patches(adapter, (largest.width, largest.height), patch),
    )


def _patches(adapter: Adapter, size: tuple[int, int], patch: int) -> int:
    if adapter.detects or not patch:
        return 0
    batch = adapter.batch([Image.new("RGB", size)], [adapter.prompt("")], [()])
    pixels = batch.inputs.get("pixel_values")
    if pixels is None:
        return 0
    # one patch a row in the families of dynamic resolution, whole pictures or tiles elsewhere
    return pixels.shape[0] if pixels.dim() == 2 else pixels.numel() // (3 * patch * patch)


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """What a micro-batch needs, in GiB, and what it computes."""

    weights: float
    """All weights, those that are trained among them."""
    training: float
    """Gradients and the optimizer's state, copies in full precision among it."""
    activations: float
    """What the backward pass keeps."""
    logits: float
    flops: float
    """Floating-point operations of forward and backward pass."""

    @property
    def total(self) -> float:
        """All of it, with what CUDA itself takes."""
        return self.weights + self.training + self.activations + self.logits + CONTEXT


@dataclass(frozen=True, slots=True)
class CardFit:
    """Whether a job fits on a card, and what would."""

    card: int
    """Memory of the card, in GiB."""
    need: float
    """Of the job as it stands, in GiB."""
    fits: bool
    change: Mapping[str, int | bool]
    """Settings with which it would fit and learn the same; empty where none is needed or known."""


class _Kernel(torch.autograd.Function):
    """Attention in one kernel by shapes: it keeps inputs and output, no square of weights."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """The output's shape.

        Args:
            ctx: keeps what the backward pass needs.
            query: `(rows, heads, tokens, width)`.
            key: the same, of fewer heads in some families.
            value: like the keys.
        """
        out = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, out)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The shapes of the gradients."""
        query, key, value, _ = ctx.saved_tensors
        return torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)


def _attend(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Any, **_: Any
) -> tuple[Tensor, None]:
    out: Tensor = _Kernel.apply(query, key, value)  # type: ignore[no-untyped-call]
    return out.transpose(1, 2).contiguous(), None


AttentionInterface.register(ATTENTION, _attend)


class Skeleton:
    """A job's student without numbers.

    Args:
        job: what would be trained.
        base: folder or hub id of the student's checkpoint.
        adapter: its processor.
    """

    def __init__(self, job: Job, base: str, adapter: Adapter) -> None:
        self._job, self._adapter = job, adapter
        config = AutoConfig.from_pretrained(base)
        self._kind = torch.float32 if job.precision == "fp32" else torch.bfloat16
        with torch.device("meta"):
            model: Any = AutoModelForImageTextToText.from_config(
                config, dtype=self._kind, attn_implementation=ATTENTION
            )
        self.parameters: int = sum(parameter.numel() for parameter in model.parameters())
        """Number of the student's own weights."""
        self._linear: int = sum(
            module.weight.numel() for module in model.modules() if isinstance(module, nn.Linear)
        )
        # as on a GPU, where adapters of 16 bits have copies in float32
        self._copied = job.adapter_precision != "fp32" and not job.sharded
        self._copied &= self._kind != torch.float32 and job.method != "full"
        if job.method == "full":
            model.requires_grad_(True)
        else:
            kind = self._kind if self._copied else torch.float32
            with torch.device("meta"):
                model = with_adapters(model, job.lora, job.seed, kind)
        self._model = model.train()
        self._text = config.get_text_config()
        tower = self._outside_the_decoder()
        self._tower = sum(p.numel() for p in tower)
        self._tower_learns = any(p.requires_grad for p in tower)
        vision = getattr(config, "vision_config", None)
        self._width = _size(vision, "hidden_size", "embed_dim")
        self._depth = _size(vision, "num_hidden_layers", "depth")
        self.patch = _size(vision, "patch_size")
        """Side of a patch of the picture, in pixels; 0 where the student has no tower."""

    def _outside_the_decoder(self) -> list[nn.Parameter]:
        """The vision tower's weights, its projector's among them."""
        inside = {id(p) for p in self._decoder.parameters()}
        head = self._model.get_output_embeddings()
        inside |= {id(p) for p in head.parameters()} if head is not None else set()
        return [p for p in self._model.parameters() if id(p) not in inside]

    @property
    def _decoder(self) -> Any:
        return self._model.get_decoder()

    @property
    def trained(self) -> int:
        """Number of weights that are trained."""
        return sum(p.numel() for p in self._model.parameters() if p.requires_grad)

    def need(self, shape: MicroShape, checkpointing: bool) -> MemoryNeed:
        """What a micro-batch needs.

        Args:
            shape: of the micro-batch.
            checkpointing: whether activations are computed again in the backward pass.
        """
        kept, flops = self.decoder_pass(shape.rows, shape.tokens)
        layers = max(int(self._text.num_hidden_layers), 1)
        tower, tower_flops = self._tower_pass(shape)
        inputs = shape.rows * shape.tokens * int(self._text.hidden_size) * self._kind.itemsize
        if checkpointing:  # the inputs of all layers, and one layer at work
            kept, tower = kept // layers + layers * inputs, tower // max(self._depth, 1)
        # logits in the model's own kind, as float32, and their gradient
        width = int(self._text.vocab_size) * (4 + self._kind.itemsize + 4)
        unit = 2**30
        return MemoryNeed(
            weights=self._weights() / unit,
            training=(16 if self._copied else 12) * self.trained / unit,
            activations=(kept + tower) / unit,
            logits=shape.rows * shape.targets * width / unit,
            flops=flops + tower_flops,
        )

    def _weights(self) -> float:
        if self._job.method == "full":  # float32, and a copy in 16 bits while it computes
            return self.parameters * (4.0 if self._kind == torch.float32 else 6.0)
        base = self.parameters * float(self._kind.itemsize)
        if self._job.method == "qlora":
            base -= self._linear * (self._kind.itemsize - _QUARTER)
        return float(base + (2.0 if self._copied else 4.0) * self.trained)

    def decoder_pass(self, rows: int, tokens: int) -> tuple[int, int]:
        """Bytes that the decoder keeps for its backward pass, and the operations of both passes.

        Args:
            rows: number of rows.
            tokens: number of tokens of each.
        """
        size = (rows, tokens, int(self._text.hidden_size))
        embedded = torch.empty(size, dtype=self._kind, device="meta", requires_grad=True)
        with FlopCounterMode(display=False) as counter, kept_bytes(self._model) as sizes:
            out = self._decoder(inputs_embeds=embedded, use_cache=False)[0]
            out.sum().backward()
        self._model.zero_grad(set_to_none=True)
        return sum(sizes.values()), counter.get_total_flops() + self._attention(rows, tokens)

    def _attention(self, rows: int, tokens: int) -> int:
        """Operations of the attention itself, which a kernel of its own computes.

        Two products forward and five backward, each over half of the square: what comes later is
        not looked at.
        """
        heads = int(self._text.num_attention_heads)
        width = int(getattr(self._text, "head_dim", None) or self._text.hidden_size // heads)
        return 7 * rows * tokens**2 * heads * width * int(self._text.num_hidden_layers)

    def _tower_pass(self, shape: MicroShape) -> tuple[int, float]:
        """The same for the vision tower, by its size."""
        pictures = 1 if self._adapter.shares_pictures else shape.lessons
        patches = shape.patches * shape.examples * pictures
        forward = 2.0 * self._tower * patches
        if not self._tower_learns:
            return 0, forward
        kept = _TOWER * self._width * self._depth * patches * self._kind.itemsize // 2
        return kept, forward * (3 if self._job.method == "full" else 2)


def _size(config: Any, *names: str) -> int:
    """The first of some settings that a family has; 0 where it has none."""
    return next((int(value) for name in names if (value := getattr(config, name, None))), 0)


@contextmanager
def kept_bytes(model: nn.Module) -> Iterator[dict[int, int]]:
    """Count the tensors that a backward pass keeps, by storage; weights are not among them."""
    own = {p.untyped_storage()._cdata for p in model.parameters()}
    sizes: dict[int, int] = {}
    alive: list[Any] = []  # a storage that is gone would lend its name to another

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            sizes[storage._cdata] = storage.nbytes()
            alive.append(storage)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield sizes


def fits(skeleton: Skeleton, shape: MicroShape, job: Job) -> list[CardFit]:
    """Whether a job fits on the common cards, and with which change it would.

    Args:
        skeleton: of the job's student.
        shape: the longest micro-batch as the job has it.
        job: whose `checkpointing` counts.
    """
    needs = {(micro, again): _need(skeleton, shape, micro, again) for micro, again in _ways(shape)}
    whole = needs.get((shape.examples, job.checkpointing)) or _need(
        skeleton, shape, shape.examples, job.checkpointing
    )
    out = []
    for card in CARDS:
        room = card * USABLE
        change: dict[str, int | bool] = {}
        if whole > room:
            way = next((way for way, need in needs.items() if need <= room), None)
            if way is not None:
                change = {"micro_batch": way[0], "checkpointing": way[1]}
        out.append(CardFit(card, round(whole, 2), whole <= room, change))
    return out


def _ways(shape: MicroShape) -> list[tuple[int, bool]]:
    """Micro-batches with and without checkpointing, the fastest first."""
    sizes = [shape.examples]
    while sizes[-1] > 1:
        sizes.append(sizes[-1] // 2)
    return [(size, again) for again in (False, True) for size in sizes]


def _need(skeleton: Skeleton, shape: MicroShape, examples: int, checkpointing: bool) -> float:
    smaller = MicroShape(examples, shape.lessons, shape.tokens, shape.targets, shape.patches)
    return skeleton.need(smaller, checkpointing).total


def in_words(needs: MemoryNeed, shape: MicroShape, cards: Sequence[CardFit]) -> list[str]:
    """Lines for people.

    Args:
        needs: of the job as it stands.
        shape: its longest micro-batch.
        cards: as `fits` gives them.
    """
    lines = [
        f"a micro-batch of {shape.examples} examples, {shape.rows} lessons of at most "
        f"{shape.tokens} tokens: {needs.weights:.2f} GiB weights, {needs.training:.2f} gradients "
        f"and optimizer, {needs.activations:.2f} activations, {needs.logits:.2f} logits; "
        f"{needs.flops / 1e12:.3g} TFLOP"
    ]
    for card in cards:
        if card.fits:
            lines.append(f"{card.card} GiB card: fits, {card.need:.1f} GiB")
        elif card.change:
            change = ", ".join(f"{key} = {str(v).lower()}" for key, v in card.change.items())
            lines.append(
                f"{card.card} GiB card: does not fit, {card.need:.1f} GiB; it would with {change}"
            )
        else:
            lines.append(
                f"{card.card} GiB card: does not fit, {card.need:.1f} GiB; take a smaller student, "
                "or a smaller max_pixels"
            )
    return lines
