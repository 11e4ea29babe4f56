"""The manifest of a snapshot: what is in it, what was left out and why, and the hash that names it.

`content` is what the hash is taken of: no time, no path, no file format.  Everything else may
differ between two writings of the same content.  The seal covers the whole manifest, so that an
edit by hand is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from workbench.errors import SnapshotError
from workbench.records import JSON, storable
from workbench.snapshot.example import SPLITS, canonical

FORMAT = 1
"""Changes whenever older readers would misread a snapshot."""
WEIGHTED = 2
"""Format of a snapshot whose rows have weights, which a reader of format 1 would leave out."""
SEVERAL = 3
"""Format of a snapshot with questions about several pictures, of which an earlier reader would take
the first one alone."""

NAME = "manifest.json"
FILES = tuple(f"{split}.parquet" for split in SPLITS)
"""Files whose digests stand in a manifest."""
PAIRS = "pairs.parquet"
"""File of a snapshot with preference pairs, whose digest stands there as well."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Questions that fitted the filter and are not in, for one reason."""

    reason: str
    count: int
    examples: tuple[str, ...]
    """The first few task ids."""


@dataclass(frozen=True, slots=True)
class Content:
    """The part of a manifest that the hash is taken of."""

    filter: Mapping[str, JSON]
    """What the snapshot was to hold: who accepted, splits, sources, share of val, seed, ..."""
    rows: Mapping[str, Mapping[str, JSON]]
    """By side: `count` and `sha256` of the rows in canonical form."""
    images: tuple[Mapping[str, JSON], ...]
    """Of each picture: `digest`, `split`, `width`, `height`; sorted by digest."""
    counts: Mapping[str, JSON]
    """Rows with a rationale, by kind, by family, by source, by reviewer."""
    left_out: tuple[LeftOut, ...]
    leakage: Mapping[str, JSON]
    """Against which evaluation pictures it was checked, with what threshold, and what was found."""
    parts: tuple[Mapping[str, JSON], ...]
    """The parts that made the rows: role, name, version, arguments."""
    guidelines: tuple[str, ...]
    """Versions of the guidelines that the decisions followed."""
    format: int = FORMAT
    pairs: Mapping[str, JSON] | None = None
    """Of its preference pairs: `count`, `sha256` of the rows in canonical form, and how many are of
    each side, kind and origin; None without any.
    """

    @property
    def hash(self) -> str:
        """20 hex characters that name this content."""
        return hashlib.sha256(canonical(content_values(self))).hexdigest()[:20]


def content_values(content: Content) -> dict[str, Any]:
    """The values of a content; one without pairs has those of before there were any."""
    values = asdict(content)
    if content.pairs is None:
        del values["pairs"]
    return values


@dataclass(frozen=True, slots=True)
class Manifest:
    """A snapshot's manifest as read."""

    content: Content
    hash: str
    created_at: str
    """UTC, ISO 8601."""
    version: str
    """Of the workbench that wrote it."""
    name: str = ""
    """What a person calls it."""
    as_of: str | None = None
    """The last decision that was taken into account, by id."""
    files: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)
    """sha256 and bytes of each Parquet file."""

    def save(self, folder: Path) -> None:
        """Write `manifest.json`."""
        values = {**asdict(self), "content": content_values(self.content)}
        text = json.dumps(
            {**values, "seal": _seal(values)}, indent=1, ensure_ascii=False, sort_keys=True
        )
        (folder / NAME).write_bytes(storable(text).encode())


def files_of(content: Content) -> tuple[str, ...]:
    """The files of a snapshot whose digests stand in its manifest."""
    return (*FILES, PAIRS) if content.pairs else FILES


def _seal(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(
        canonical({key: value for key, value in values.items() if key != "seal"})
    ).hexdigest()


def load(folder: Path) -> Manifest:
    """Read and check `manifest.json`.

    Raises:
        SnapshotError: it is missing, unreadable, newer, edited or damaged.
    """
    path = folder / NAME
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise SnapshotError(
            f"there is no snapshot at {folder} (no {NAME}); vpd snapshot list names them"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise SnapshotError(
            f"{path} cannot be read ({error}); make the snapshot again with: vpd snapshot"
        ) from error
    if not isinstance(values, dict) or not isinstance(content := values.get("content"), dict):
        raise SnapshotError(
            f"{path} is not a manifest of a snapshot; expected an object with 'content'"
        )
    if content.get("format") not in (FORMAT, WEIGHTED, SEVERAL):
        raise SnapshotError(
            f"{path} has format {content.get('format')!r:.40}; this workbench reads format "
            f"{FORMAT} to {SEVERAL}: upgrade it, or make the snapshot again"
        )
    if values.get("seal") != _seal(values):
        raise SnapshotError(f"{path} {CHANGED}")
    try:
        lists = {name: tuple(content[name]) for name in ("images", "parts", "guidelines")}
        left = tuple(
            LeftOut(**{**row, "examples": tuple(row["examples"])}) for row in content["left_out"]
        )
        body = Content(**{**content, **lists, "left_out": left})
        manifest = Manifest(
            body, **{f.name: values[f.name] for f in fields(Manifest) if f.name != "content"}
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise SnapshotError(
            f"{path} is not a manifest of a snapshot ({error}); make the snapshot again"
        ) from error
    if (
        manifest.hash != body.hash
        or set(manifest.files) != set(files_of(body))
        or set(body.rows) != set(SPLITS)
    ):
        raise SnapshotError(f"{path} {CHANGED}")
    return manifest


CHANGED = (
    "was changed after it was written: a snapshot never changes; delete its folder and make it "
    "again"
)
