"""What every export shares: the folder, the pictures, the text of its README."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import InputError
from workbench.records import storable_json
from workbench.snapshot.folder import IMAGES, Snapshot, place


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    path: Path
    rows: int
    usage: str
    """How to use it in the other tool; the folder's README has the same text."""


Writer = Callable[[Snapshot, Path], tuple[int, str]]
"""Writes a snapshot into an empty folder.

Returns the number of rows, and the text for people who use them in the other tool.
"""


def into(snapshot: Snapshot, folder: Path, write: Writer, readme: str = "README.txt") -> Exported:
    """Run a writer in a folder beside the target, which gets its name when the writer is done.

    Args:
        snapshot: what to write.
        folder: the target, new or empty.
        write: writes the files.
        readme: name of the file for the writer's text, unless the writer makes that file itself.

    Raises:
        InputError: the folder holds something already, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already; an export needs a new or empty folder")
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    try:
        part.mkdir(parents=True)
        rows, usage = write(snapshot, part)
        if not (part / readme).exists():
            (part / readme).write_text(usage + "\n", encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    except OSError as error:
        raise InputError(
            f"nothing can be written to {folder} ({error.strerror}); choose another folder"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Exported(folder, rows, usage)


def check_single(snapshot: Snapshot, name: str) -> None:
    """Hold that every example has one picture, for a format that shows one.

    Raises:
        InputError: one has several.
    """
    several = (one for one in snapshot.examples() if one.more_images)
    if (first := next(several, None)) is not None:
        raise InputError(
            f"the format {name} takes one picture; question '{first.task_id:.80}' has "
            f"{len(first.images)}: export with --to chat or --to datasets, or take a snapshot "
            "without it (--filter)"
        )


def pictures(snapshot: Snapshot, folder: Path, under: str = IMAGES) -> dict[str, str]:
    """Put a snapshot's pictures into a folder; returns their paths relative to it, by digest.

    They are what models saw and boxes describe: where a file would be shown otherwise elsewhere, an
    upright RGB copy takes its place.

    Args:
        snapshot: whose pictures.
        folder: of the export.
        under: folder of the pictures in it.

    Raises:
        InputError: a picture is missing.
    """
    images = snapshot.images
    paths = {}
    for row in snapshot.manifest.content.images:
        digest = str(row["digest"])
        path = present_picture(snapshot, digest)
        if images.is_shown_as_seen(digest):
            paths[digest] = f"{under}/{digest[:2]}/{path.name}"
            place(path, folder / paths[digest])
        else:
            data, suffix = images.as_seen(digest)
            paths[digest] = f"{under}/{digest[:2]}/{digest}{suffix}"
            (folder / paths[digest]).parent.mkdir(parents=True, exist_ok=True)
            (folder / paths[digest]).write_bytes(data)
    return paths


def present_picture(snapshot: Snapshot, digest: str) -> Path:
    """Path of a picture in a snapshot.

    Raises:
        InputError: it is missing.
    """
    path = snapshot.images.path(digest)
    if path is None:
        raise InputError(
            f"picture {digest[:12]}… is missing in {snapshot.path}; vpd doctor says what is wrong "
            "with it"
        )
    return path


def json_lines(path: Path, rows: Iterable[Any]) -> int:
    """Write one JSON object per line; returns how many."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            # Text may hold line separators that some readers split at: everything beyond ASCII is
            # escaped.
            file.write(json.dumps(storable_json(row)) + "\n")
            count += 1
    return count


def json_file(path: Path, value: Any) -> None:
    """Write one JSON document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(storable_json(value), indent=1), encoding="utf-8")
