"""Which state of a checkpoint a part computes with, as its key says it.

The weights in a folder, and those behind a name of a hub, change while the name stays.
"""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import hf_hub_download

from workbench.models.weights import (
    SMALL,
    folder_digest,
    is_folder,
    small_folder,
    with_language,
)


def checkpoint_state(checkpoint: str) -> str:
    """What tells two states of a checkpoint apart.

    It is the digest of a folder's files, or the commit of a hub's repository.  It is empty for
    `bundled`, whose digest its parts know themselves, and where the hub cannot say.
    """
    if checkpoint == "bundled":
        return ""
    if checkpoint in SMALL:
        return folder_digest(small_folder(checkpoint))
    if is_folder(checkpoint):
        folder = Path(checkpoint).expanduser()
        return folder_digest(folder) if folder.is_dir() else ""
    try:
        config = Path(hf_hub_download(checkpoint, "config.json"))
    except (OSError, ValueError):  # every error of the hub's client is one of these
        return ""
    return config.parent.name


def with_state(version: str, checkpoint: str) -> str:
    """A part's version that names the state of its checkpoint.

    It is unchanged for the language model that came with the workbench.
    """
    if checkpoint == "bundled":
        return with_language(version)
    state = checkpoint_state(checkpoint)
    return f"{version}-{state[:20]}" if state else version
