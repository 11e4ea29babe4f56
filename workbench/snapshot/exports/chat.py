"""Chat JSONL for TRL, Unsloth, LLaMA-Factory and ms-swift: each example is two conversations, as
VPD trains.

Two spellings of the same rows, because the four take pictures in two ways:

tagged (`train.jsonl`)        `<image>` in the user's text.  LLaMA-Factory (`data/README.md`, sharegpt with role and
                              content; it counts the tags) and ms-swift (`docs/.../Custom-dataset.md`, standard format).
typed (`train.typed.jsonl`)   content as a list of parts, an image part without a path, and the column `images`.
                              TRL 1.x (`data_utils.prepare_multimodal_messages` fills the parts from the column) and
                              Unsloth (`UnslothVisionDataCollator`, likewise).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.snapshot.example import SPLITS, Example
from workbench.snapshot.exports.common import json_file, json_lines, pictures
from workbench.snapshot.folder import Snapshot

_TAG = re.compile(
    r"<(?=/?\s*(?:image|video|audio|bbox|ref-object|cot-process|img|box|quad|ref)\b)", re.IGNORECASE
)

USAGE = """Each question is one conversation with the short answer, and one with the rationale where there is one
(two prompts, two targets: Hu et al. 2024, section 3.3). Paths of pictures are relative: run in this folder.

LLaMA-Factory   dataset_dir: .   dataset: vpd_train   eval_dataset: vpd_val
ms-swift        swift sft --dataset train.jsonl --val_dataset val.jsonl ...
TRL, Unsloth    from datasets import Image, List, load_dataset
                data = load_dataset("json", data_files={"train": "train.typed.jsonl", "val": "val.typed.jsonl"})
                data = data.cast_column("images", List(Image()))"""


def conversations(example: Example) -> Iterator[tuple[str, str, str]]:
    """The example's prompts and targets: (`label` or `rationale`, prompt, target)."""
    asked = question_text(example)
    yield "label", asked + LABEL_SUFFIX, example.answer
    if example.rationale is not None:
        yield "rationale", asked + RATIONALE_SUFFIX, example.rationale


def without_tags(text: str) -> str:
    """Text in which nothing reads as a picture's place any more: `<image>` becomes `< image>`."""
    return _TAG.sub("< ", text)


def write(snapshot: Snapshot, folder: Path) -> tuple[int, str]:
    """Both spellings for each side, `dataset_info.json` and the pictures; rows are conversations of
    one spelling.
    """
    path_of = pictures(snapshot, folder)
    count = 0
    for split in SPLITS:
        tagged, typed = [], []
        for example in snapshot.examples(split):
            for target, prompt, answer in conversations(example):
                common: dict[str, Any] = {
                    "images": [path_of[example.image]],
                    "id": f"{example.id}-{target}",
                    "task": example.task_id,
                    "target": target,
                }
                tagged.append(
                    {
                        "messages": _turns("<image>" + without_tags(prompt), without_tags(answer)),
                        **common,
                    }
                )
                parts = [{"type": "image"}, {"type": "text", "text": prompt}]
                typed.append(
                    {"messages": _turns(parts, [{"type": "text", "text": answer}]), **common}
                )
        json_lines(folder / f"{split}.jsonl", tagged)
        count += json_lines(folder / f"{split}.typed.jsonl", typed)
    tags = {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
    }
    columns = {"messages": "messages", "images": "images"}
    json_file(
        folder / "dataset_info.json",
        {
            f"vpd_{split}": {
                "file_name": f"{split}.jsonl",
                "formatting": "sharegpt",
                "columns": columns,
                "tags": tags,
            }
            for split in SPLITS
        },
    )
    return count, USAGE


def _turns(asked: Any, answered: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
