"""Snapshots in the formats of other tools.

Files:
    argilla.py       a folder for rg.Dataset.from_disk
    chat.py          rows for TRL, Unsloth, LLaMA-Factory, ms-swift and verl
    common.py        folder, pictures and README of every export
    datasets.py      Parquet with pictures for Hugging Face datasets
    fiftyone.py      samples with detections
    label_studio.py  tasks with predictions, and the interface
    preferences.py   pairs for TRL and LLaMA-Factory
    questions.py     what people are asked in other tools
    tool_calls.py    the same rows with the program's tool calls, a picture in each turn
    trainers.py      configurations of other trainers, ready to be started
    vpd_loss.py      the loss of the method for TRL's trainer, copied into the export
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.errors import InputError
from workbench.records import TraceEvent
from workbench.snapshot.exports import (
    argilla,
    chat,
    datasets,
    fiftyone,
    label_studio,
    preferences,
    tool_calls,
)
from workbench.snapshot.exports.common import Exported, Writer, check_single, into
from workbench.snapshot.folder import Snapshot

__all__ = ["FORMATS", "TOOL_CALLS", "Exported", "export"]

TOOL_CALLS = "tool-calls"
"""The format that needs the traces of the project, beside the snapshot."""

FORMATS: Mapping[str, Writer] = {
    "chat": chat.write,
    "datasets": datasets.write,
    "argilla": argilla.write,
    "label-studio": label_studio.write,
    "fiftyone": fiftyone.write,
    "preferences": preferences.write,
}


SEVERAL_PICTURES = ("chat", "datasets")
"""Formats that hold questions about several pictures."""


def export(
    snapshot: Snapshot,
    to: str,
    folder: Path,
    events_of: Mapping[str, Sequence[TraceEvent]] | None = None,
) -> Exported:
    """Write a snapshot for another tool into a new or empty folder.

    Args:
        snapshot: any snapshot.
        to: name of the format, one of `FORMATS`, or `TOOL_CALLS`.
        folder: where to write.
        events_of: for `TOOL_CALLS`, the events of the examples' traces by the trace's id.

    Raises:
        InputError: the format is unknown; the folder holds something or cannot be written; or a
            picture is missing.
    """
    writers = {**FORMATS, TOOL_CALLS: tool_calls.writer(events_of or {})}
    if to not in writers:
        raise InputError(f"no format is called '{to}'; there are: {', '.join(writers)}")
    if to not in SEVERAL_PICTURES:
        check_single(snapshot, to)
    return into(snapshot, folder, writers[to])
