"""The shipped weights put together: adapters in `data/models`, full checkpoints in the cache.

The repository ships what is ours (LoRA adapter, projector); the language model comes in a package
of the index.  On first use both are merged into one checkpoint folder that transformers' Auto
classes load.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from workbench.english import a as with_article
from workbench.english import plural, the
from workbench.errors import InputError
from workbench.images import digest_of
from workbench.models.coco import CLASSES
from workbench.models.language import language_path, quiet
from workbench.models.pointer_processor import PointerVlmProcessor
from workbench.models.pointer_vlm import PointerVlmConfig, PointerVlmForConditionalGeneration
from workbench.models.pointer_words import MARKS, QUESTION, pointer, word_tokenizer
from workbench.models.region_vlm import (
    IMAGE_TOKEN,
    RegionVlmConfig,
    RegionVlmForConditionalGeneration,
    RegionVlmProcessor,
)
from workbench.models.text_tower import text_tower
from workbench.settings import cache_dir, data_dir


def fresh_student(
    dtype: torch.dtype = torch.float32,
) -> tuple[RegionVlmForConditionalGeneration, RegionVlmProcessor]:
    """An untrained student: the bundled language model behind a projector.

    The projector starts from the embeddings of the class names.
    """
    path = language_path("bundled")
    with quiet():
        language = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(path)
    config = RegionVlmConfig(
        text_config=language.config,
        image_token_id=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN),
        eos_token_id=tokenizer.convert_tokens_to_ids("<|im_end|>"),
        pad_token_id=tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        bos_token_id=None,
    )
    model = RegionVlmForConditionalGeneration(config)
    model.language_model = language
    names = [tokenizer(f" {name}", add_special_tokens=False)["input_ids"] for name in CLASSES]
    model.projector.start_from_names(language.get_input_embeddings().weight, names)
    model.generation_config.eos_token_id = config.eos_token_id
    model.generation_config.pad_token_id = config.pad_token_id
    tokenizer.pad_token = "<|endoftext|>"  # noqa: S105
    return model.to(dtype), RegionVlmProcessor(tokenizer)


@dataclass(frozen=True, slots=True)
class PointerShape:
    """How large a pointer student is, and what it is made of."""

    hidden: int = 128
    """Numbers of a position."""
    layers: int = 4
    heads: int = 4
    regions: int = 12
    """Most regions of a picture."""
    reader: str = "bundled"
    """The frozen language model that reads questions."""
    reader_layers: int = 8
    """Number of its layers."""


def fresh_pointer_student(
    words: Iterable[str], names: Sequence[str], shape: PointerShape = PointerShape()
) -> tuple[PointerVlmForConditionalGeneration, PointerVlmProcessor]:
    """An untrained pointer student.

    A region's soft name starts from the embeddings of its names; the classifier that gives the
    names has yet to be put in.

    Args:
        words: What it need not spell.
        names: What its classifier tells apart.
        shape: Its size and its reader.
    """
    tokenizer = word_tokenizer(words, shape.regions)
    number, scale = tokenizer.convert_tokens_to_ids, 0.05
    language = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=shape.hidden * 11 // 4,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=2048,
        initializer_range=scale,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    config = PointerVlmConfig(
        language,
        names=len(names),
        reader_width=text_tower(shape.reader, shape.reader_layers).width,
        question_token_id=number(QUESTION),
        mark_token_ids=[number(mark) for mark in MARKS],
        pointer_token_id=number(pointer(0)),
        region_count=shape.regions,
        image_token_id=number(IMAGE_TOKEN),
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        initializer_range=scale,
    )
    model = PointerVlmForConditionalGeneration(config)
    _start_looking(model, tokenizer, names, shape)
    processor = PointerVlmProcessor(
        tokenizer,
        region_count=shape.regions,
        reader=shape.reader,
        reader_layers=shape.reader_layers,
    )
    return model, processor


_WORDINGS = (
    "Is there {a}",
    "Where is {the}",
    "How many {many}",
    "the {one}",
    "Do you see any {many}",
)
"""Ways to name a thing, with the beginnings of questions."""


@torch.no_grad()
def _start_looking(
    model: PointerVlmForConditionalGeneration,
    tokenizer: Any,
    names: Sequence[str],
    shape: PointerShape,
) -> None:
    """Begin where what is asked for looks like what is there, and like attends to like.

    To look a named thing up is what forms last in training.  So the name of a region, the same word
    in a question and the same word in an answer begin as one vector, and queries equal keys.

    Args:
        model: fresh.
        tokenizer: of its answers.
        names: what regions are called.
        shape: of the student.
    """
    table: Tensor = model.get_input_embeddings().weight  # type: ignore[assignment]
    scale = float(model.config.initializer_range)
    means = torch.stack([table[tokenizer(f" {name}")["input_ids"]].mean(0) for name in names])
    region, read = model.region_reader, text_tower(shape.reader, shape.reader_layers)
    region.names.weight.copy_(2 * means.T)
    region.scores.weight.zero_()
    region.place.weight.normal_(std=scale / (0.5 * region.place.in_features) ** 0.5)
    states, targets = [], []
    for name, mean in zip(names, means, strict=True):
        for wording in _WORDINGS:
            text = wording.format(a=with_article(name), the=the(name), many=plural(name), one=name)
            state = torch.from_numpy(read(text))
            states.append(state[-1:])
            targets.append(2 * mean[None])
            states.append(state[:2])  # the words in front of a name are not the name
            targets.append(torch.zeros(len(state[:2]), len(mean)))
    rows = torch.nn.functional.layer_norm(torch.cat(states), (model.config.reader_width,)).double()
    penalty = 10 * torch.eye(rows.shape[1], dtype=torch.float64)
    weight = torch.linalg.solve(rows.T @ rows + penalty, rows.T @ torch.cat(targets).double())
    model.question_reader.weight.copy_(weight.T)
    model.pointed_at.weight.copy_(torch.eye(len(model.pointed_at.weight)))
    model.to_point_at.weight.copy_(model.pointing.weight)
    model.pointed_at.bias.normal_(std=2 * scale)  # a pointer is not the region itself
    for layer in model.language_model.model.layers:
        layer.self_attn.k_proj.weight.copy_(layer.self_attn.q_proj.weight)


def save_checkpoint(model: Any, processor: Any, target: Path) -> None:
    """Write a checkpoint folder whole or not at all.

    Args:
        model: A model of transformers.
        processor: The processor that belongs to it.
        target: The folder; another process may write the same one at the same time.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        with quiet():
            model.save_pretrained(part)
            processor.save_pretrained(part)
        part.chmod(0o755)
        part.replace(target)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        if not target.is_dir():  # another process was faster: its folder is as good
            raise


def student_folder() -> Path:
    """The folder of the bundled base student, which is made from the shipped adapter on first use.

    Raises:
        InputError: the adapter is not there.
    """
    shipped = data_dir() / "models" / "base-student"
    adapter, projector = shipped / "adapter_model.safetensors", shipped / "projector.safetensors"
    if not adapter.is_file() or not projector.is_file():
        raise InputError(
            f"no base student in {shipped}; run `vpd make-models base-student` or set VPD_DATA"
        )
    key = digest_of(adapter)[:8] + digest_of(projector)[:8]
    target = cache_dir() / f"base-student-{key}"
    if not target.is_dir():
        model, processor = fresh_student()
        model.projector.load_state_dict({k: v.float() for k, v in load_file(projector).items()})
        with quiet():
            model.language_model = PeftModel.from_pretrained(
                model.language_model, os.fspath(shipped)
            ).merge_and_unload()
        save_checkpoint(model.to(torch.bfloat16), processor, target)
    return target
