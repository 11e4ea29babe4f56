"""Snapshots that a study makes of another one, for its own questions alone.

The manifest says so: its filter has `study`, with what was done and to which snapshot.  They lie
in a folder of their own and are no snapshots of the project, so that nobody takes one for lessons
by being the newest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.records import JSON
from workbench.snapshot import Example, Snapshot, write
from workbench.store import Project

FOLDER = "study-snapshots"
MARK = "study"
"""Key of a manifest's filter that says that a snapshot is for a study."""


def derive(
    project: Project,
    source: Snapshot,
    examples: Sequence[Example],
    mark: Mapping[str, JSON],
    name: str,
) -> Snapshot:
    """Write a snapshot with other examples than those of its source.

    Args:
        project: keeps it.
        source: has the pictures.
        examples: of both sides.
        mark: what was done.
        name: what people call it.

    Raises:
        SnapshotError: there is no example, or it cannot be written.
    """
    images = source.images
    paths: dict[str, Path] = {}
    for example in examples:
        for digest in example.images:
            path = images.path(digest)
            if path is not None:
                paths[digest] = path
    content = source.manifest.content
    return write(
        project.path / FOLDER,
        examples,
        paths,
        filter={**content.filter, MARK: {**mark, "of": source.hash}},
        leakage=content.leakage,
        parts=content.parts,
        name=name,
        as_of=source.manifest.as_of,
    )
