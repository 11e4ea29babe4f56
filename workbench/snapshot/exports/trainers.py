"""Configurations of other trainers for the chat rows of a snapshot, ready to be started.

Each bounds the picture as the workbench's own trainer does, tells templates that can think aloud
not to, and cuts nothing off: an answer behind a cut would teach nothing, and nobody would hear of
it.  The model is one that all four know; another takes one line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.images import LARGEST_PICTURE

MODEL = "Qwen/Qwen3-VL-2B-Instruct"
LOSS_FILE = "vpd_loss.py"

_NOTE = """The paper's loss is L_label + L_rationale, each divided by its own length (Hu et
al. 2024, section 3.3). LLaMA-Factory, ms-swift and verl average over all target tokens of a
step instead: an answer of 3 tokens beside a rationale of 90 weighs a thirtieth of it, so the
two terms no longer weigh alike. trl_sft.py restores it by VpdLoss in vpd_loss.py; vpd train
computes it by itself."""

CHAT = """Each question is one conversation with the short answer, and one with the rationale
where there is one (two prompts, two targets: Hu et al. 2024, section 3.3)."""
TOOLS = """Each question is one conversation in which the model calls the tools that the program
called, and then answers. The checkpoint's template has to know tool calls, as Qwen's does."""

_USAGE = """{rows} Paths of
pictures are relative: run in this folder. The files below are ready to run with
{model}; each bounds the picture to {pixels} pixels.

TRL             python trl_sft.py
LLaMA-Factory   llamafactory-cli train llama_factory.yaml
ms-swift        sh ms_swift.sh
verl            sh verl_sft.sh
Unsloth         the rows of train.typed.jsonl; UnslothVisionDataCollator(completion_only_loss=True)

{note}{val}"""

_WITHOUT_VAL = """

The snapshot has no held-out questions, so nothing is named for validation: no trainer reads
an empty file."""

_TRL = '''"""SFT by TRL (pip install 'trl>=1.9,<2' peft) with the loss of the method, VpdLoss."""

import json
import os
from pathlib import Path

from datasets import Image, List, load_dataset
from peft import LoraConfig
from trl import SFTConfig, SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling
from transformers import AutoModelForImageTextToText, AutoProcessor

from vpd_loss import VpdLoss

MODEL = "{model}"
MAX_PIXELS = {pixels}  # a larger picture is scaled down, in training as when the model is asked
FILES = {files}
OUT = os.environ.get("VPD_MODEL", "trl-model")  # a job of the workbench names its folder


def within(picture):
    share = (MAX_PIXELS / (picture.width * picture.height)) ** 0.5
    if share >= 1:
        return picture
    return picture.resize((max(int(picture.width * share), 1), max(int(picture.height * share), 1)))


class Collator(DataCollatorForVisionLanguageModeling):
    """TRL's own, which gets pictures of at most MAX_PIXELS."""

    def torch_call(self, examples):
        bounded = [{{**row, "images": [within(p) for p in row["images"]]}} for row in examples]
        return super().torch_call(bounded)


def collator(processor):
    # Nothing is cut: a cut would take the answer, or the picture's positions, without a word.
    return Collator(processor, max_length=None, completion_only_loss=True)


def rows_of(name):
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def main():
    data = load_dataset("json", data_files=FILES).cast_column("images", List(Image()))
    rows = rows_of(FILES["train"])
    arguments = SFTConfig(
        output_dir=OUT + "-checkpoints",
        per_device_train_batch_size=4,
        gradient_accumulation_steps=8,
        num_train_epochs=3,
        learning_rate=1e-4,
        lr_scheduler_type="cosine",
        warmup_steps=10,
        bf16=True,
        max_length=None,
        completion_only_loss=True,
        loss_type="nll",  # not chunked_nll, which makes no logits for VpdLoss
        remove_unused_columns=False,  # chat_template_kwargs says: no thinking aloud
        dataloader_num_workers=8,
    )
    processor = AutoProcessor.from_pretrained(MODEL)
    trainer = SFTTrainer(
        model=AutoModelForImageTextToText.from_pretrained(MODEL, dtype="bfloat16"),
        args=arguments,
        processing_class=processor,
        data_collator=collator(processor),
        train_dataset=data["train"],
        eval_dataset=data.get("val"),
        peft_config=LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"),
        compute_loss_func=VpdLoss(arguments, len({{row["task"] for row in rows}}) / len(rows)),
    )
    trainer.train()
    model = trainer.accelerator.unwrap_model(trainer.model).merge_and_unload()
    model.config.vpd_max_pixels = MAX_PIXELS  # the workbench asks it with the same budget
    model.save_pretrained(OUT)
    processor.save_pretrained(OUT)


if __name__ == "__main__":
    main()
'''

_LLAMA_FACTORY = """# llamafactory-cli train llama_factory.yaml
{note}
model_name_or_path: {model}
template: qwen3_vl_nothink  # of the model's family, in the form without thoughts
enable_thinking: false
image_max_pixels: {pixels}
stage: sft
do_train: true
finetuning_type: lora
lora_rank: 8
lora_alpha: 16
lora_target: all
freeze_vision_tower: false
dataset_dir: .
media_dir: .
dataset: vpd_train
{val}cutoff_len: 8192  # room for the largest picture; a shorter one cuts answers off
packing: false
per_device_train_batch_size: 4
gradient_accumulation_steps: 8
num_train_epochs: 3.0
learning_rate: 1.0e-4
lr_scheduler_type: cosine
warmup_ratio: 0.01
bf16: true
dataloader_num_workers: 8
output_dir: llama-factory-model
"""

_SWIFT = """#!/bin/sh
{note}
# Rows beyond max_length are left out; with this budget a picture has some 1,300 positions.
MAX_PIXELS={pixels} swift sft \\
    --model {model} \\
    --dataset train.jsonl \\
    {val}--enable_thinking false \\
    --loss_scale ignore_empty_think \\
    --max_length 8192 \\
    --tuner_type lora --lora_rank 8 --lora_alpha 16 --target_modules all-linear \\
    --freeze_vit false --freeze_aligner false \\
    --torch_dtype bfloat16 \\
    --num_train_epochs 3 \\
    --per_device_train_batch_size 4 \\
    --gradient_accumulation_steps 8 \\
    --learning_rate 1e-4 \\
    --warmup_ratio 0.01 \\
    --dataloader_num_workers 8 \\
    --output_dir ms-swift-model
"""

_VERL = """#!/bin/sh
{note}
# Each picture's budget, {pixels} pixels, stands in its row (max_pixels).
torchrun --standalone --nproc-per-node="${{GPUS:-1}}" -m verl.trainer.sft_trainer \\
    data.train_files=train.parquet \\
    {val}data.messages_key=messages \\
    data.truncation=error \\
    data.max_length=8192 \\
    data.train_batch_size=32 \\
    data.enable_thinking_default=false \\
    model.path={model} \\
    model.lora_rank=8 model.lora_alpha=16 model.target_modules=all-linear \\
    optim.lr=1e-4 \\
    optim.lr_warmup_steps_ratio=0.01 \\
    trainer.total_epochs=3 \\
    trainer.default_local_dir=verl-model
"""


def usage(rows: str, has_val: bool) -> str:
    """How the folder is used, for people.

    Args:
        rows: what a row is, `CHAT` or `TOOLS`.
        has_val: whether the folder has held-out questions.
    """
    return _USAGE.format(
        rows=rows,
        model=MODEL,
        pixels=LARGEST_PICTURE,
        note=_NOTE,
        val="" if has_val else _WITHOUT_VAL,
    )


def llama_factory_entry(file: str) -> dict[str, Any]:
    """How LLaMA-Factory's `dataset_info.json` describes a file of tagged rows."""
    tags = {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
    }
    return {
        "file_name": file,
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "images": "images"},
        "tags": tags,
    }


def write_configurations(folder: Path, has_val: bool) -> None:
    """Write a configuration for each trainer into the folder of an export.

    Args:
        folder: of the export.
        has_val: whether it has held-out questions; nothing is named for validation otherwise.
    """
    files = {"train": "train.typed.jsonl"} | ({"val": "val.typed.jsonl"} if has_val else {})
    note = "".join(f"# {line}\n" for line in _NOTE.splitlines()).rstrip()
    texts = {
        "trl_sft.py": (_TRL, str(files)),
        "llama_factory.yaml": (_LLAMA_FACTORY, "eval_dataset: vpd_val\n"),
        "ms_swift.sh": (_SWIFT, "--val_dataset val.jsonl \\\n    "),
        "verl_sft.sh": (_VERL, "data.val_files=val.parquet \\\n    "),
    }
    for name, (text, val) in texts.items():
        filled = text.format(
            model=MODEL, pixels=LARGEST_PICTURE, note=note, files=files, val=val if has_val else ""
        )
        (folder / name).write_text(filled, encoding="utf-8")
    loss = Path(__file__).with_name(LOSS_FILE).read_text(encoding="utf-8")
    (folder / LOSS_FILE).write_text(loss, encoding="utf-8")
