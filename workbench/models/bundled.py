"""The shipped weights put together: adapters in `data/models`, full checkpoints in the cache.

The repository ships what is ours (LoRA adapter, projector); the language model comes in a package
of the index.  On first use both are merged into one checkpoint folder that transformers' Auto
classes load.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from workbench.errors import InputError
from workbench.images import digest_of
from workbench.models.detector import CLASSES
from workbench.models.language import language_path, quiet
from workbench.models.region_vlm import (
    IMAGE_TOKEN,
    RegionVlmConfig,
    RegionVlmForConditionalGeneration,
    RegionVlmProcessor,
)
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
