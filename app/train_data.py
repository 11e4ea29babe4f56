"""Snapshots as the Train page shows them: what one holds, and which pictures evaluation has too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from pathlib import Path

from workbench.local_files import real_path
from workbench.pipeline.snapshotting import FOLDER
from workbench.pipeline.splits import evaluates
from workbench.snapshot import Content, Example, Snapshot, alike
from workbench.store import Project
from workbench.store.reading import snapshots


@dataclass(frozen=True, slots=True)
class SnapshotLine:
    """A snapshot in the list of those that a job can learn from."""

    hash: str
    name: str
    at: str
    """When it was taken, UTC, ISO 8601 without an offset."""
    rows: int
    rationales: int
    """Number of rows with a rationale."""
    pictures: int
    accepted: str
    """Whose acceptance counted: person, automatic or both."""
    text: str
    """The search that chose its questions; empty for all of them."""


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """Why questions are not in a snapshot, and how many."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class SharedPictures:
    """Pictures that a snapshot and the project's evaluation have in common."""

    splits: tuple[str, ...]
    """The evaluation splits that were looked at."""
    against: int
    """Number of pictures of evaluation."""
    same: int
    """Number of pictures that evaluation has byte by byte; the aim is zero."""
    near: int
    """Number of pictures that look like one of evaluation; the aim is zero."""
    unknown: int
    """Number of evaluation's pictures without a fingerprint, of which only bytes were compared."""


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """The contents of a snapshot."""

    hash: str
    name: str
    sides: Mapping[str, int]
    """Number of rows by side: train, val."""
    rows: int
    rationales: int
    """Number of rows with a rationale."""
    edited: int
    """Number of rationales that a person edited."""
    pictures: int
    reviewers: Mapping[str, int]
    """Number of rows by the person who accepted them."""
    families: Mapping[str, int]
    """Number of rows by kind of question."""
    kinds: Mapping[str, int]
    """Number of rows by what the target was taken from."""
    sources: Mapping[str, int]
    """Number of rows by source of questions."""
    tools: Mapping[str, int]
    """Number of programs by the tool that they call, the most frequent tool first."""
    programs: int
    repeated: int
    """Number of rows whose picture and question an earlier row has."""
    contradicting: int
    """Number of further answers to questions that have one already."""
    left_out: list[ReasonCount]
    leak: SharedPictures


def snapshot_list(project: Project) -> list[SnapshotLine]:
    """The project's snapshots, the newest first."""
    return [
        SnapshotLine(
            hash=one.hash,
            name=one.name,
            at=one.created_at.replace(tzinfo=UTC).isoformat(),
            rows=one.counts["rows"],
            rationales=one.counts["rationales"],
            pictures=one.counts["pictures"],
            accepted=one.filter.get("accepted", ""),
            text=one.filter.get("text", ""),
        )
        for one in snapshots.snapshot_rows(project.database)
    ]


def folder_of(project: Project, hash: str) -> Path:
    """A snapshot's folder.

    Raises:
        InputError: the project has no such snapshot.
    """
    return real_path(project.path) / FOLDER / snapshots.find(project.database, hash).hash


def snapshot_view(project: Project, hash: str) -> SnapshotReport:
    """The contents of one snapshot, and the pictures that evaluation has too.

    Raises:
        InputError: the project has no such snapshot.
        SnapshotError: it is damaged or gone.
    """
    folder = folder_of(project, hash)
    leak = shared_pictures(project, open_snapshot(folder).manifest.content)
    return _report(folder, tuple(project.profile().tools), leak)


@lru_cache(maxsize=16)
def open_snapshot(folder: Path) -> Snapshot:
    """A snapshot, checked once: it never changes."""
    return Snapshot.open(folder)


@lru_cache(maxsize=16)
def _report(folder: Path, tools: tuple[str, ...], leak: SharedPictures) -> SnapshotReport:
    snapshot = open_snapshot(folder)
    content, examples = snapshot.manifest.content, snapshot.examples()
    counts = content.counts
    questions = {_question(one) for one in examples}
    answers = {(*_question(one), one.answer.casefold()) for one in examples}
    sides = {side: int(rows["count"]) for side, rows in content.rows.items()}
    return SnapshotReport(
        hash=snapshot.hash,
        name=snapshot.manifest.name,
        sides=sides,
        rows=sum(sides.values()),
        rationales=counts["rationales"],
        edited=counts["edited"],
        pictures=counts["pictures"],
        reviewers=counts["reviewers"],
        families=counts["families"],
        kinds=counts["kinds"],
        sources=counts["sources"],
        tools=_programs_by_tool(examples, tools),
        programs=sum(one.program is not None for one in examples),
        repeated=len(examples) - len(questions),
        contradicting=len(answers) - len(questions),
        left_out=[ReasonCount(row.reason, row.count) for row in content.left_out],
        leak=leak,
    )


def _question(example: Example) -> tuple[str, str]:
    """Pictures and words of a question; capitals and spaces do not count."""
    return example.pictures, " ".join(example.question.casefold().split())


def _programs_by_tool(examples: Iterable[Example], tools: Sequence[str]) -> dict[str, int]:
    """Number of programs that call each tool, the most frequent tool first."""
    if not tools:
        return {}
    call = re.compile(rf"\b({'|'.join(map(re.escape, tools))})\s*\(")
    names = (sorted(set(call.findall(one.program))) for one in examples if one.program)
    return dict(Counter(name for some in names for name in some).most_common())


def shared_pictures(project: Project, content: Content) -> SharedPictures:
    """Pictures of a snapshot that an evaluation split or source of the project has now.

    A picture whose fingerprint was not taken yet counts in `unknown`: only its bytes were compared.
    """
    wish = content.filter
    database = project.database
    splits = tuple(
        one
        for one in snapshots.splits(database)
        if evaluates(one) and one not in wish.get("splits", ())
    )
    theirs = snapshots.evaluation_images(database, splits, wish.get("evaluation_sources", ()))
    ours = {str(row["digest"]) for row in content.images}
    same = ours & theirs
    pictures = snapshots.pictures(database, sorted((ours | theirs) - same))
    prints = {digest: picture.fingerprint for digest, picture in pictures.items()}
    near = _near(
        frozenset((key, value) for key, value in prints.items() if key in ours),
        frozenset((key, value) for key, value in prints.items() if key in theirs),
        int(wish.get("near", 0)),
    )
    unknown = len(theirs - same - set(pictures))
    return SharedPictures(splits, len(theirs), len(same), near, unknown)


@lru_cache(maxsize=4)
def _near(ours: frozenset[tuple[str, int]], theirs: frozenset[tuple[str, int]], bits: int) -> int:
    """Number of our pictures that differ from one of theirs in at most so many bits."""
    return len({one for one, _ in alike(dict(ours), dict(theirs), bits)})
