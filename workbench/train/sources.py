"""The local files that a job computes with: student, teacher and whatever its parts are given.

A job names them by their paths, under which others may lie by tomorrow: their digests stand in the
job's record, in its checkpoints, and in the key by which a study knows a job again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.local_files import digest, local_paths
from workbench.models.checkpoint_state import with_state
from workbench.models.weights import (
    EMBEDDED,
    SMALL,
    folder_digest,
    reader_of,
    small_folder,
    with_detector,
    with_language,
)
from workbench.train.job import PARTS, Job


def own_sources(job: Job) -> dict[str, str]:
    """The digest of each local file or folder that a job names, by its path as the job has it."""
    return {str(path): _state(path) for path in _local(job)}


def sources(job: Job) -> dict[str, str]:
    """The digests of `own_sources`, and of a small student with what it reads and sees by.

    The bundled one is made anew by each version of the workbench, and by nobody else.
    """
    if job.student not in SMALL:
        return own_sources(job)
    state = with_detector(with_language(folder_digest(small_folder(job.student))))
    return {job.student: state, **own_sources(job)}


def changed_sources(state: Mapping[str, Any], job: Job) -> str:
    """Which files or folders of a job are others than at a checkpoint; empty where none is.

    Args:
        state: of the checkpoint; those of earlier versions hold no digests.
        job: its job.
    """
    before = state.get("sources")
    if not isinstance(before, dict):
        return ""
    now = sources(job)
    return ", ".join(sorted(path for path in now if before.get(path, now[path]) != now[path]))


def _local(job: Job) -> list[Path]:
    """The files and folders that stand in a job's settings, in their order, each once."""
    settings = asdict(job)
    own: Mapping[str, Any] = {name: settings[name] for name in ("student", "arguments", *PARTS)}
    return list(dict.fromkeys(local_paths({k: v for k, v in own.items() if v not in EMBEDDED})))


def _state(path: Path) -> str:
    """What tells two states of a file, a folder or a model's folder apart."""
    if not (path / "config.json").is_file():
        return digest([path])
    reader = reader_of(path)
    return folder_digest(path) + (with_state("", reader) if reader else "")
