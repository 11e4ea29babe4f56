"""A snapshot on disk: written once, checked whenever it is read.

snapshots/<hash>/
    manifest.json    counts, filter, what was left out and why, pictures, digests (`Manifest`)
    train.parquet    one row for each example (`Example`), sorted by task
    val.parquet
    images/          the pictures by digest, as hard links where the file system has them

A folder is complete by itself: copy it to another machine and train there.  Reading needs pyarrow
and Pillow.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench import __version__
from workbench.errors import SnapshotError
from workbench.images import ImageFolder, digest_of
from workbench.records import JSON, storable_json
from workbench.snapshot.example import SCHEMA, SPLITS, Example, Split, digest, from_row, to_row
from workbench.snapshot.manifest import CHANGED, Content, LeftOut, Manifest, load

IMAGES = "images"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable set of examples with their pictures.  Open it with `Snapshot.open`."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> Snapshot:
        """Open a snapshot's folder and check its manifest and its rows.

        Raises SnapshotError when it is missing, damaged, edited or of a newer format.
        """
        manifest = load(path)
        for name, held in manifest.files.items():
            try:
                with (path / name).open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise SnapshotError(
                    f"{path / name} cannot be read ({error.strerror}); make the snapshot again"
                ) from error
            if found != held["sha256"]:
                raise SnapshotError(f"{path / name} {CHANGED}")
        return cls(path, manifest)

    @property
    def hash(self) -> str:
        """The name of its content, 20 hex characters."""
        return self.manifest.hash

    @property
    def images(self) -> ImageFolder:
        """Its pictures by digest, decoded lazily (the `Images` port).  A new one, with its own
        cache, each time.
        """
        return ImageFolder(self.path / IMAGES)

    def examples(self, split: Split | None = None) -> list[Example]:
        """The examples of one side, or of both (train first), each side sorted by task."""
        return [
            from_row(row) for side in ([split] if split else SPLITS) for row in self._rows(side)
        ]

    def _rows(self, split: Split) -> list[dict[str, Any]]:
        path = self.path / f"{split}.parquet"
        try:
            found: list[dict[str, Any]] = pq.read_table(path, schema=SCHEMA).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise SnapshotError(
                f"{path} cannot be read ({error}); make the snapshot again"
            ) from error
        return found

    def problems(self) -> list[str]:
        """Everything that is wrong beyond what `open` checks: rows, and each picture's own digest."""
        found = []
        for split in SPLITS:
            if digest(self._rows(split)) != self.manifest.content.rows[split]["sha256"]:
                found.append(f"the rows of {split}.parquet are not those that the manifest names")
        images = self.images
        for row in self.manifest.content.images:
            path = images.path(str(row["digest"]))
            if path is None:
                found.append(f"picture {str(row['digest'])[:12]}… is missing")
            elif digest_of(path) != row["digest"]:
                found.append(
                    f"picture {str(row['digest'])[:12]}… is not the file that was taken in"
                )
        return found


def write(
    folder: Path,
    examples: Sequence[Example],
    pictures: Mapping[str, Path],
    *,
    filter: Mapping[str, JSON],
    left_out: Sequence[LeftOut] = (),
    leakage: Mapping[str, JSON] | None = None,
    parts: Sequence[Mapping[str, JSON]] = (),
    name: str = "",
    as_of: str | None = None,
) -> Snapshot:
    """Write a snapshot under `folder`, or open the one of the same content that is there already.

    Args:
        folder: the project's `snapshots/`; the snapshot's own folder in it is named by the hash.
        examples: in any order; each with its side.
        pictures: the file of every picture, by digest.
        filter, left_out, leakage, parts, name, as_of: for the manifest.

    Raises: SnapshotError: no example; a picture on both sides, or without a file; no room; a
        damaged folder of the
            same content is in the way.
    """
    if not examples:
        raise SnapshotError(
            "no example fits, so there is no snapshot to write" + _reasons(left_out)
        )
    ordered = sorted(examples, key=lambda e: (e.task_id, e.trace_id or "", e.rationale_id or ""))
    side_of = _sides(ordered)
    if lacking := sorted(set(side_of) - set(pictures)):
        raise SnapshotError(
            f"the picture {lacking[0][:12]}… of an example has no file; vpd doctor lists what is missing"
        )
    rows = {
        split: [to_row(example) for example in ordered if example.split == split]
        for split in SPLITS
    }
    size = {example.image: (example.width, example.height) for example in ordered}
    content = Content(
        filter=storable_json(dict(filter)),
        rows={split: {"count": len(held), "sha256": digest(held)} for split, held in rows.items()},
        images=tuple(
            {"digest": key, "split": side_of[key], "width": size[key][0], "height": size[key][1]}
            for key in sorted(side_of)
        ),
        counts=_counts(ordered),
        left_out=tuple(sorted(left_out, key=lambda row: row.reason)),
        leakage=storable_json(dict(leakage or {})),
        parts=tuple(storable_json(dict(part)) for part in parts),
        guidelines=tuple(sorted({example.guideline for example in ordered if example.guideline})),
    )
    target = folder / content.hash
    if target.exists():
        return Snapshot.open(target)
    part = folder / f".{content.hash}.{uuid.uuid4().hex}.part"
    try:
        part.mkdir(parents=True)
        for key in sorted(side_of):
            if digest_of(pictures[key]) != key:
                raise SnapshotError(
                    f"{pictures[key]} is not the file that was taken in; vpd doctor lists such files"
                )
            place(pictures[key], part / IMAGES / key[:2] / f"{key}{pictures[key].suffix}")
        for split, held in rows.items():
            pq.write_table(
                pa.Table.from_pylist(held, schema=SCHEMA),
                part / f"{split}.parquet",
                compression="zstd",
            )
        Manifest(
            content=content,
            hash=content.hash,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            version=__version__,
            name=name,
            as_of=as_of,
            files={f"{split}.parquet": _file(part, split) for split in SPLITS},
        ).save(part)
        _settle(part, target)
    except OSError as error:
        raise SnapshotError(
            f"the snapshot cannot be written to {folder} ({error.strerror}); make room there"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Snapshot.open(target)


def _settle(part: Path, target: Path) -> None:
    """Rename into place.  Of two writers of one content the second finds the first's folder, as
    good as its own.
    """
    try:
        part.rename(target)
    except OSError:
        if not target.exists():
            raise


def place(source: Path, target: Path) -> None:
    """The file of `source` at `target`, as a hard link where the file system has them, else as a
    copy.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)  # a hard link to a symbolic one would hold nothing
    except OSError:
        shutil.copyfile(source, target)


def _file(folder: Path, split: str) -> dict[str, JSON]:
    path = folder / f"{split}.parquet"
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}


def _sides(examples: Sequence[Example]) -> dict[str, Split]:
    side_of: dict[str, Split] = {}
    for example in examples:
        if side_of.setdefault(example.image, example.split) != example.split:
            raise SnapshotError(
                f"the picture {example.image[:12]}… is on both sides; split by picture (`sides`)"
            )
    return side_of


def _counts(examples: Sequence[Example]) -> dict[str, JSON]:
    def by(values: Sequence[str]) -> dict[str, int]:
        return dict(sorted(Counter(values).items()))

    counts: dict[str, JSON] = storable_json(
        {
            "rows": len(examples),
            "rationales": sum(example.rationale is not None for example in examples),
            "edited": sum(example.edited for example in examples),
            "pictures": len({example.image for example in examples}),
            "kinds": by([example.kind for example in examples]),
            "families": by([example.family for example in examples]),
            "sources": by([example.source for example in examples]),
            "reviewers": by([name for example in examples for name in example.reviewers]),
        }
    )
    return counts


def _reasons(left_out: Sequence[LeftOut]) -> str:
    return "".join(f"; {row.count} left out: {row.reason}" for row in left_out)
