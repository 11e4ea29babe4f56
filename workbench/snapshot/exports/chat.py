"""Chat rows for TRL, Unsloth, LLaMA-Factory, ms-swift and verl, two conversations an example.

Rows are spelt in three ways, because the five take pictures in three ways:

tagged (`train.jsonl`)
    `<image>` in the user's text.  For LLaMA-Factory (`data/README.md`, sharegpt with role and
    content; it counts the tags) and ms-swift (`docs/.../Custom-dataset.md`, standard format).  Both
    count the assistant's turns in the loss and nothing else.
typed (`train.typed.jsonl`)
    Content as a list of parts, an image part without a path, and the column `images`.  For TRL 1.x
    (`data_utils.prepare_multimodal_messages` fills the parts from the column) and Unsloth
    (`UnslothVisionDataCollator`, likewise).  The columns are `prompt` and `completion`: of a row
    with one column `messages` TRL counts every position in the loss, the question and the
    picture's own among them.
`train.parquet`
    The tagged turns, and pictures as structs of a path and a budget.  For verl
    (`MultiTurnSFTDataset`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.images import LARGEST_PICTURE
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.records import storable_json
from workbench.snapshot.example import SPLITS, Example
from workbench.snapshot.exports.common import json_file, json_lines, pictures
from workbench.snapshot.exports.trainers import (
    CHAT,
    llama_factory_entry,
    usage,
    write_configurations,
)
from workbench.snapshot.folder import Snapshot

_TAG = re.compile(
    r"<(?=/?\s*(?:image|video|audio|bbox|ref-object|cot-process|img|box|quad|ref)\b)", re.IGNORECASE
)


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
    """Write every spelling of each side, the trainers' configurations and the pictures."""
    path_of = pictures(snapshot, folder)
    rows = {
        split: [
            row
            for example in snapshot.examples(split)
            for row in _rows(example, [path_of[image] for image in example.images])
        ]
        for split in SPLITS
    }
    for split, both in rows.items():
        json_lines(folder / f"{split}.jsonl", (tagged for tagged, _ in both))
        json_lines(folder / f"{split}.typed.jsonl", (typed for _, typed in both))
        verl_rows(folder / f"{split}.parquet", [tagged for tagged, _ in both])
    sides = [split for split in SPLITS if rows[split]]
    json_file(
        folder / "dataset_info.json",
        {f"vpd_{split}": llama_factory_entry(f"{split}.jsonl") for split in sides},
    )
    write_configurations(folder, has_val="val" in sides)
    return sum(map(len, rows.values())), usage(CHAT, "val" in sides)


def _rows(
    example: Example, paths: Sequence[str]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The conversations of an example, each tagged and typed."""
    for target, prompt, answer in conversations(example):
        common: dict[str, Any] = {
            "images": list(paths),
            "id": f"{example.id}-{target}",
            "task": example.task_id,
            "target": target,
        }
        tagged = [
            {"role": "user", "content": "<image>" * len(paths) + without_tags(prompt)},
            {"role": "assistant", "content": without_tags(answer)},
        ]
        parts = [*({"type": "image"} for _ in paths), {"type": "text", "text": prompt}]
        typed = {
            "prompt": [{"role": "user", "content": parts}],
            "completion": [{"role": "assistant", "content": [{"type": "text", "text": answer}]}],
            # a template that can think aloud is told not to: an answer is a word, not an essay
            "chat_template_kwargs": {"enable_thinking": False},
        }
        yield {"messages": tagged, **common}, {**typed, **common}


def verl_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Tagged rows as verl reads them; none where there is no row."""
    if not rows:
        return
    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    picture = pa.struct([("image", pa.string()), ("max_pixels", pa.int64())])
    schema = pa.schema([("messages", pa.list_(turn)), ("images", pa.list_(picture))])
    table = [
        {
            "messages": storable_json(row["messages"]),
            "images": [{"image": path, "max_pixels": LARGEST_PICTURE} for path in row["images"]],
        }
        for row in rows
    ]
    pq.write_table(pa.Table.from_pylist(table, schema=schema), path)
