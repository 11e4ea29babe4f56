"""Snapshots in the formats of other tools.

Files:
    argilla.py       a folder for rg.Dataset.from_disk
    chat.py          JSONL for TRL, Unsloth, LLaMA-Factory, ms-swift
    common.py        folder, pictures and README of every export
    datasets.py      Parquet with pictures for Hugging Face datasets
    fiftyone.py      samples with detections
    label_studio.py  tasks with predictions, and the interface
    preferences.py   pairs for TRL and LLaMA-Factory
    questions.py     what people are asked in other tools
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workbench.errors import InputError
from workbench.snapshot.exports import (
    argilla,
    chat,
    datasets,
    fiftyone,
    label_studio,
    preferences,
)
from workbench.snapshot.exports.common import Exported, Writer, into
from workbench.snapshot.folder import Snapshot

__all__ = ["FORMATS", "Exported", "export"]

FORMATS: Mapping[str, Writer] = {
    "chat": chat.write,
    "datasets": datasets.write,
    "argilla": argilla.write,
    "label-studio": label_studio.write,
    "fiftyone": fiftyone.write,
    "preferences": preferences.write,
}


def export(snapshot: Snapshot, to: str, folder: Path) -> Exported:
    """Write a snapshot for another tool into a new or empty folder.

    Args:
        snapshot: any snapshot.
        to: name of the format, one of `FORMATS`.
        folder: where to write.

    Raises:
        InputError: the format is unknown; the folder holds something or cannot be written; or a
            picture is missing.
    """
    if to not in FORMATS:
        raise InputError(f"no format is called '{to}'; there are: {', '.join(FORMATS)}")
    return into(snapshot, folder, FORMATS[to])
