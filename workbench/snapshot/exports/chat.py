"""Chat JSONL for TRL, Unsloth, LLaMA-Factory and ms-swift, two conversations for each example.

Rows are spelt in two ways, because the four take pictures in two ways:

tagged (`train.jsonl`)
    `<image>` in the user's text.  For LLaMA-Factory (`data/README.md`, sharegpt with role and
    content; it counts the tags) and ms-swift (`docs/.../Custom-dataset.md`, standard format).
typed (`train.typed.jsonl`)
    Content as a list of parts, an image part without a path, and the column `images`.  For TRL 1.x
    (`data_utils.prepare_multimodal_messages` fills the parts from the column) and Unsloth
    (`UnslothVisionDataCollator`, likewise).
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

USAGE = """Each question is one conversation with the short answer, and one with the rationale where
there is one (two prompts, two targets: Hu et al. 2024, section 3.3). Paths of pictures are
relative: run in this folder.

LLaMA-Factory   dataset_dir: .   dataset: vpd_train%(llama)s
ms-swift        swift sft --dataset train.jsonl%(swift)s ...
TRL, Unsloth    from datasets import Image, List, load_dataset
                files = {"train": "train.typed.jsonl"%(files)s}
                data = load_dataset("json", data_files=files)
                data = data.cast_column("images", List(Image()))%(note)s"""
_WITH_VAL = {
    "llama": "   eval_dataset: vpd_val",
    "swift": " --val_dataset val.jsonl",
    "files": ', "val": "val.typed.jsonl"',
    "note": "",
}
_WITHOUT_VAL = {
    "llama": "",
    "swift": "",
    "files": "",
    "note": "\n\nThe snapshot has no held-out questions, so nothing is named for validation: no "
    "trainer reads\nan empty file.",
}


def conversations(example: Example) -> Iterator[tuple[str, str, str]]:
    """The example's prompts and targets: (`label` or `rationale`, prompt, target)."""
    question = question_text(example)
    yield "label", question + LABEL_SUFFIX, example.answer
    if example.rationale is not None:
        yield "rationale", question + RATIONALE_SUFFIX, example.rationale


def without_tags(text: str) -> str:
    """Text in which nothing can be taken for a picture's place: `<image>` becomes `< image>`."""
    return _TAG.sub("< ", text)


def write(snapshot: Snapshot, folder: Path) -> tuple[int, str]:
    """Write both spellings for each side, `dataset_info.json` and the pictures."""
    path_of = pictures(snapshot, folder)
    count = 0
    sizes = {}
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
        sizes[split] = json_lines(folder / f"{split}.jsonl", tagged)
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
            if sizes[split]
        },
    )
    return count, USAGE % (_WITH_VAL if sizes["val"] else _WITHOUT_VAL)


def _turns(prompt: Any, answer: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
