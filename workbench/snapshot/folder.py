"""A snapshot on disk: written once, checked whenever it is read.

snapshots/<hash>/
    manifest.json    counts, filter, what was left out and why, pictures, digests (`Manifest`)
    train.parquet    one row for each example (`Example`), sorted by task
    val.parquet
    pairs.parquet    preference pairs of both sides (`Pair`), where it was taken with any
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
from workbench.local_files import real_path
from workbench.records import JSON, storable_json
from workbench.snapshot.example import (
    LATER,
    SCHEMA,
    SPLITS,
    Example,
    Split,
    digest,
    from_row,
    to_row,
)
from workbench.snapshot.manifest import (
    CHANGED,
    FORMAT,
    PAIRS,
    SEVERAL,
    WEIGHTED,
    Content,
    LeftOut,
    Manifest,
    files_of,
    load,
)
from workbench.snapshot.pair import PAIR_SCHEMA, Pair, pair_row, to_pair

IMAGES = "images"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable set of examples with their pictures.  Open it with `Snapshot.open`."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> Snapshot:
        """Open a snapshot's folder and check its manifest and its rows.

        Raises:
            SnapshotError: it is missing, damaged, edited or of a newer format.
        """
        manifest = load(path)
        for name, entry in manifest.files.items():
            try:
                with (path / name).open("rb") as file:
                    sha = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise SnapshotError(
                    f"{path / name} cannot be read ({error.strerror}); make the snapshot again"
                ) from error
            if sha != entry["sha256"]:
                raise SnapshotError(f"{path / name} {CHANGED}")
        return cls(path, manifest)

    @property
    def hash(self) -> str:
        """The name of its content, 20 hex characters."""
        return self.manifest.hash

    @property
    def images(self) -> ImageFolder:
        """The pictures by digest (the `Images` port), each time with a new cache of its own."""
        return ImageFolder(self.path / IMAGES)

    def examples(self, split: Split | None = None) -> list[Example]:
        """The examples of one side, or of both (train first), each side sorted by task."""
        return [
            from_row(row) for side in ([split] if split else SPLITS) for row in self._rows(side)
        ]

    def _rows(self, split: Split) -> list[dict[str, Any]]:
        path = self.path / f"{split}.parquet"
        try:
            rows: list[dict[str, Any]] = pq.read_table(path, schema=SCHEMA).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise SnapshotError(
                f"{path} cannot be read ({error}); make the snapshot again"
            ) from error
        for row in rows:
            for name in LATER:
                if row[name] is None:
                    del row[name]
        return rows

    def pairs(self, split: Split | None = None) -> list[Pair]:
        """The preference pairs of one side, or of both (train first), each side sorted by task."""
        if not self.manifest.content.pairs:
            return []
        path = self.path / PAIRS
        try:
            rows = pq.read_table(path, schema=PAIR_SCHEMA).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise SnapshotError(
                f"{path} cannot be read ({error}); make the snapshot again"
            ) from error
        return [
            to_pair(row)
            for side in ([split] if split else SPLITS)
            for row in rows
            if row["split"] == side
        ]

    def problems(self) -> list[str]:
        """Faults beyond those that `open` finds: in the rows, and in each picture's own digest."""
        faults = []
        for split in SPLITS:
            if digest(self._rows(split)) != self.manifest.content.rows[split]["sha256"]:
                faults.append(f"the rows of {split}.parquet are not those that the manifest names")
        pairs = self.manifest.content.pairs
        if pairs and _pair_digest(self.pairs()) != pairs:
            faults.append(f"the rows of {PAIRS} are not those that the manifest names")
        images = self.images
        for row in self.manifest.content.images:
            path = images.path(str(row["digest"]))
            if path is None:
                faults.append(f"picture {str(row['digest'])[:12]}… is missing")
            elif digest_of(path) != row["digest"]:
                faults.append(
                    f"picture {str(row['digest'])[:12]}… is not the file that was taken in"
                )
        return faults


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
    pairs: Sequence[Pair] = (),
) -> Snapshot:
    """Write a snapshot under `folder`, or open the one of the same content that is there already.

    Args:
        folder: the project's `snapshots/`; the snapshot's own folder in it is named by the hash.
        examples: in any order; each with its side.
        pictures: the file of every picture, by digest.
        filter, left_out, leakage, parts, name, as_of: for the manifest.
        pairs: preference pairs, in any order; each with its side.

    Raises:
        SnapshotError: there is no example; a picture is on both sides, or without a file; there is
            no room; a damaged folder of the same content is in the way.
    """
    if not examples and not pairs:
        raise SnapshotError(
            "no example fits, so there is no snapshot to write" + _reasons(left_out)
        )
    ordered, ordered_pairs = _in_order(examples, pairs)
    side_of = _sides((*ordered, *ordered_pairs))
    _check_files(side_of, pictures)
    rows = {split: [to_row(one) for one in ordered if one.split == split] for split in SPLITS}
    content = Content(
        filter=storable_json(dict(filter)),
        rows={split: _row_digest(side) for split, side in rows.items()},
        images=_image_rows((*ordered, *ordered_pairs), side_of),
        counts=_counts(ordered),
        left_out=tuple(sorted(left_out, key=lambda row: row.reason)),
        leakage=storable_json(dict(leakage or {})),
        parts=tuple(storable_json(dict(part)) for part in parts),
        guidelines=_guidelines(ordered),
        format=_format(ordered),
        pairs=_pair_digest(ordered_pairs),
    )
    target = folder / content.hash
    if target.exists():
        return Snapshot.open(target)
    part = folder / f".{content.hash}.{uuid.uuid4().hex}.part"
    try:
        _fill(part, rows, ordered_pairs, {key: pictures[key] for key in sorted(side_of)})
        Manifest(
            content=content,
            hash=content.hash,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            version=__version__,
            name=name,
            as_of=as_of,
            files={name: _file(part / name) for name in files_of(content)},
        ).save(part)
        _settle(part, target)
    except OSError as error:
        raise SnapshotError(
            f"the snapshot cannot be written to {folder} ({error.strerror}); make room there"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Snapshot.open(target)


def _format(examples: Sequence[Example]) -> int:
    """The oldest format whose readers understand these rows."""
    if any(example.more_images for example in examples):
        return SEVERAL
    return WEIGHTED if any(example.weight != 1.0 for example in examples) else FORMAT


def _check_files(side_of: Mapping[str, Split], pictures: Mapping[str, Path]) -> None:
    if lacking := sorted(set(side_of) - set(pictures)):
        raise SnapshotError(
            f"the picture {lacking[0][:12]}… of an example has no file; vpd doctor lists what is "
            "missing"
        )


def _image_rows(
    examples: Sequence[Example | Pair], side_of: Mapping[str, Split]
) -> tuple[Mapping[str, JSON], ...]:
    """What the manifest says of each picture, sorted by digest."""
    size = {
        image: own
        for example in examples
        for image, own in zip(example.images, example.sizes, strict=True)
    }
    return tuple(
        {"digest": key, "split": side_of[key], "width": size[key][0], "height": size[key][1]}
        for key in sorted(side_of)
    )


def _fill(
    folder: Path,
    rows: Mapping[Split, list[dict[str, Any]]],
    pairs: Sequence[Pair],
    pictures: Mapping[str, Path],
) -> None:
    """Put the pictures and the Parquet files into a new folder.

    Args:
        folder: is made here.
        rows: the rows of each side.
        pairs: of both sides; without any there is no file of them.
        pictures: the file of each picture, by digest.
    """
    folder.mkdir(parents=True)
    for key, path in pictures.items():
        if digest_of(path) != key:
            raise SnapshotError(
                f"{path} is not the file that was taken in; vpd doctor lists such files"
            )
        place(path, folder / IMAGES / key[:2] / f"{key}{path.suffix}")
    for split, side in rows.items():
        table = pa.Table.from_pylist(side, schema=SCHEMA)
        pq.write_table(table, folder / f"{split}.parquet", compression="zstd")
    if pairs:
        table = pa.Table.from_pylist([pair_row(one) for one in pairs], schema=PAIR_SCHEMA)
        pq.write_table(table, folder / PAIRS, compression="zstd")


def _settle(part: Path, target: Path) -> None:
    """Rename a folder into its place.

    Of two writers of one content the second finds the first one's folder, which is as good as its
    own.
    """
    try:
        part.rename(target)
    except OSError:
        if not target.exists():
            raise


def place(source: Path, target: Path) -> None:
    """Put a file at `target`, as a hard link where the file system has them, else as a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(real_path(source), target)  # a hard link to a symbolic one would hold nothing
    except OSError:
        shutil.copyfile(source, target)


def _guidelines(examples: Sequence[Example]) -> tuple[str, ...]:
    return tuple(sorted({example.guideline for example in examples if example.guideline}))


def _row_digest(rows: Sequence[Mapping[str, Any]]) -> dict[str, JSON]:
    return {"count": len(rows), "sha256": digest(rows)}


def _in_order(
    examples: Sequence[Example], pairs: Sequence[Pair]
) -> tuple[list[Example], list[Pair]]:
    """Examples and pairs in the order in which they are written."""
    return (
        sorted(examples, key=lambda e: (e.task_id, e.trace_id or "", e.rationale_id or "")),
        sorted(pairs, key=lambda one: (one.task_id, one.kind, one.id)),
    )


def _pair_digest(pairs: Sequence[Pair]) -> dict[str, JSON] | None:
    """What the manifest says of pairs; None without any."""
    if not pairs:
        return None
    _, ordered = _in_order((), pairs)
    counts = {
        name: dict(sorted(Counter(str(getattr(one, field)) for one in ordered).items()))
        for name, field in (("sides", "split"), ("kinds", "kind"), ("origins", "origin"))
    }
    return {**_row_digest([pair_row(one) for one in ordered]), **counts}


def _file(path: Path) -> dict[str, JSON]:
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}


def _sides(examples: Sequence[Example | Pair]) -> dict[str, Split]:
    side_of: dict[str, Split] = {}
    for example in examples:
        for image in example.images:
            if side_of.setdefault(image, example.split) != example.split:
                raise SnapshotError(
                    f"the picture {image[:12]}… is on both sides; split by picture (`sides`)"
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
            "pictures": len({image for example in examples for image in example.images}),
            "kinds": by([example.kind for example in examples]),
            "families": by([example.family for example in examples]),
            "sources": by([example.source for example in examples]),
            "reviewers": by([name for example in examples for name in example.reviewers]),
        }
    )
    return counts


def _reasons(left_out: Sequence[LeftOut]) -> str:
    return "".join(f"; {row.count} left out: {row.reason}" for row in left_out)
