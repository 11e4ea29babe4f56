"""Snapshots as the Train page shows them: what is in one, and whether evaluation has pictures of
it.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.pipeline.snapshotting import FOLDER, evaluates
from workbench.snapshot import Content, Snapshot, alike
from workbench.store import Project
from workbench.store.reading import snapshots


def snapshot_list(project: Project) -> list[dict[str, Any]]:
    """The project's snapshots, the newest first."""
    return [
        {
            "hash": one.hash,
            "name": one.name,
            "at": one.created_at.isoformat(),
            "rows": one.counts["rows"],
            "rationales": one.counts["rationales"],
            "pictures": one.counts["pictures"],
            "accepted": one.filter.get("accepted", ""),
            "text": one.filter.get("text", ""),
        }
        for one in snapshots.snapshot_rows(project.database)
    ]


def folder_of(project: Project, hash: str) -> Path:
    """A snapshot's folder.  Raises InputError when the project has no such snapshot."""
    return project.path.resolve() / FOLDER / snapshots.find(project.database, hash).hash


def snapshot_view(project: Project, hash: str) -> dict[str, Any]:
    """One snapshot: counts by side, family, tool and kind, repeated questions, what was left out,
    what leaks.

    Raises InputError: the project has no such snapshot.  SnapshotError: it is damaged or gone.
    """
    folder = folder_of(project, hash)
    return {
        **snapshot_counts(folder, tuple(project.profile().tools)),
        "leak": leak(project, open_snapshot(folder).manifest.content),
    }


@lru_cache(maxsize=16)
def open_snapshot(folder: Path) -> Snapshot:
    """A snapshot, checked once: it never changes."""
    return Snapshot.open(folder)


@lru_cache(maxsize=16)
def snapshot_counts(folder: Path, tools: tuple[str, ...]) -> dict[str, Any]:
    """What a snapshot holds.  Raises SnapshotError."""
    snapshot = open_snapshot(folder)
    content, examples = snapshot.manifest.content, snapshot.examples()
    named = re.compile(rf"\b({'|'.join(map(re.escape, tools))})\s*\(") if tools else None
    by_tool = Counter(
        tool
        for one in examples
        if one.program and named
        for tool in sorted(set(named.findall(one.program)))
    )
    asked = Counter((one.image, " ".join(one.question.casefold().split())) for one in examples)
    answers = {
        (one.image, " ".join(one.question.casefold().split()), one.answer.casefold())
        for one in examples
    }
    sides = {side: int(held["count"]) for side, held in content.rows.items()}
    return {
        "hash": snapshot.hash,
        "name": snapshot.manifest.name,
        "sides": sides,
        "rows": sum(sides.values()),
        "rationales": content.counts["rationales"],
        "edited": content.counts["edited"],
        "pictures": content.counts["pictures"],
        "reviewers": content.counts["reviewers"],
        "families": content.counts["families"],
        "kinds": content.counts["kinds"],
        "sources": content.counts["sources"],
        "tools": dict(by_tool.most_common()),
        "programs": sum(one.program is not None for one in examples),
        "repeated": sum(asked.values()) - len(asked),
        "contradicting": len(answers) - len(asked),
        "left_out": [{"reason": row.reason, "count": row.count} for row in content.left_out],
    }


def leak(project: Project, content: Content) -> dict[str, Any]:
    """Pictures that an evaluation split or source of the project has too, as things stand now; zero
    is the aim.

    A picture whose fingerprint is not known yet counts in `unknown`: it was compared by its bytes
    alone.
    """
    wanted = content.filter
    database = project.database
    splits = [
        one
        for one in snapshots.splits(database)
        if evaluates(one) and one not in wanted.get("splits", ())
    ]
    held_out = snapshots.evaluation_images(database, splits, wanted.get("evaluation_sources", ()))
    ours = {str(row["digest"]) for row in content.images}
    same = ours & held_out
    known = snapshots.pictures(database, sorted((ours | held_out) - same))
    prints = {digest: picture.fingerprint for digest, picture in known.items()}
    near = _near(
        frozenset((key, value) for key, value in prints.items() if key in ours),
        frozenset((key, value) for key, value in prints.items() if key in held_out),
        int(wanted.get("near", 0)),
    )
    unknown = len(held_out - same - set(known))
    return {
        "splits": splits,
        "against": len(held_out),
        "same": len(same),
        "near": near,
        "unknown": unknown,
    }


@lru_cache(maxsize=4)
def _near(ours: frozenset[tuple[str, int]], theirs: frozenset[tuple[str, int]], bits: int) -> int:
    return len({one for one, _ in alike(dict(ours), dict(theirs), bits)})
