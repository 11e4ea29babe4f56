"""What stands beside the queue: its settings, who holds what, the guidelines, and what a snapshot
would hold now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC
from typing import Annotated

from fastapi import Query

from app.people import Admin, Viewer
from app.site import Site
from workbench.catalogue import recipes
from workbench.curate.settings import Settings
from workbench.errors import InputError
from workbench.pipeline.selecting import loads_student
from workbench.pipeline.snapshotting import Accepted, SnapshotWish, preview, take
from workbench.pipeline.splits import evaluates
from workbench.records import JSON
from workbench.schema import read
from workbench.several_pictures import images_of
from workbench.store.people.rules_in_force import Guideline
from workbench.store.reading import snapshots

SentValues = dict[str, JSON]
"""Values by name as a caller sent them: any JSON until they are read as the record that they name,
whose fields alone say what is allowed.
"""


@dataclass(frozen=True)
class Text:
    """New guidelines."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class LeaseCount:
    """Questions that a reviewer holds."""

    name: str
    count: int = 0
    until: str = ""
    """End of the longest lease in ISO 8601."""


@dataclass(frozen=True, slots=True)
class QueueRules:
    """Settings of the queue, and who holds questions."""

    settings: Settings
    held: Sequence[LeaseCount]


@dataclass(frozen=True, slots=True)
class GuidelineText:
    """Guidelines for reviewers, in one version."""

    version: str
    text: str
    author: str
    at: str
    """Time in ISO 8601."""


@dataclass(frozen=True, slots=True)
class RowsLeftOut:
    """Questions that a snapshot leaves out for one reason."""

    reason: str
    count: int
    examples: Sequence[str]
    """Ids of some of them."""


@dataclass(frozen=True, slots=True)
class SnapshotPreview:
    """What a snapshot would hold now: rows, and how many of them are of which sort."""

    rows: int
    train: int
    val: int
    rationales: int
    edited: int
    pictures: int
    people: int
    """Rows that a person accepted."""
    reviewers: Sequence[str]
    left_out: Sequence[RowsLeftOut]


@dataclass(frozen=True, slots=True)
class SplitOffer:
    """A split that a snapshot can be told to take."""

    name: str
    questions: int
    evaluates: bool
    """Whether its questions are for evaluation, as its name says; then it enters only if named."""


@dataclass(frozen=True, slots=True)
class SelectorOffer:
    """A recipe that weighs the training rows of a snapshot."""

    name: str
    idea: str
    loads: bool
    """Whether the student is loaded for it, so that its weights come only when the snapshot is
    taken."""


@dataclass(frozen=True, slots=True)
class FrozenSnapshot:
    """A snapshot that was taken."""

    hash: str
    path: str
    rows: int


_WISH = {"q": "text"}
"""The field of `SnapshotWish` behind a key that pages name otherwise."""


def add(site: Site) -> None:
    """Register what the drawers of Curate call."""
    project, server = site.project, site.server
    curation = project.curation

    @server.get("/data/curate/queue")
    def queue(person: Viewer) -> QueueRules:
        holders: dict[str, LeaseCount] = {}
        for lease in curation.leases():
            row = holders.get(lease.holder, LeaseCount(lease.holder))
            until = max(row.until, lease.expires_at.replace(tzinfo=UTC).isoformat())
            holders[lease.holder] = replace(row, count=row.count + 1, until=until)
        return QueueRules(curation.settings(), list(holders.values()))

    @server.post("/do/curate/settings")
    def settings(body: SentValues, person: Admin) -> Settings:
        """Change the queue's rules; a rule that the body does not name stays as it is."""
        values = {**asdict(curation.settings()), **body}
        values.pop("id", None)
        curation.set_settings(read(Settings, values, "the rules of the queue"), person.name)
        return curation.settings()

    @server.get("/data/curate/guidelines")
    def guidelines(person: Viewer) -> list[GuidelineText]:
        return [_text(one) for one in curation.guidelines()]

    @server.post("/do/curate/guidelines")
    def put_in_force(body: Text, person: Admin) -> GuidelineText:
        return _text(curation.add_guideline(body.text, person.name))

    _snapshots(site)


def _snapshots(site: Site) -> None:
    """The dialog that takes a snapshot."""
    project, server = site.project, site.server

    @server.get("/data/curate/splits")
    def splits(person: Viewer) -> list[SplitOffer]:
        counts = snapshots.tasks_by_split(project.database)
        return [SplitOffer(name, counts[name], evaluates(name)) for name in counts]

    @server.get("/data/curate/selectors")
    def offered_selectors(person: Viewer) -> list[SelectorOffer]:
        return [
            SelectorOffer(one.card.name, one.card.idea, loads_student({"part": one.card.name}))
            for one in recipes()
            if one.card.port == "selector"
        ]

    @server.get("/data/curate/snapshot")
    def look(
        person: Viewer,
        split: Annotated[Sequence[str], Query()] = (),
        select: Annotated[Sequence[str], Query()] = (),
        accepted: Accepted = "person",
        q: str = "",
        labels: bool = False,
    ) -> SnapshotPreview:
        """Exactly what a snapshot would hold now, and what it would leave out and why; nothing is
        written.

        Args:
            person: who asks.
            split: the splits that it takes; none: every one that is not for evaluation.
            select: selectors that weigh its training rows; those that load the student are left
                to the taking.
            accepted: whose decisions count.
            q: a search as in Browse.
            labels: whether questions without a rationale are held with their label.
        """
        quick = [table for name in select if not loads_student(table := {"part": name})]
        wish = SnapshotWish(
            accepted=accepted, text=q, labels=labels, splits=tuple(split), select=tuple(quick)
        )
        snapshot = preview(project, wish)
        rows = snapshot.examples
        return SnapshotPreview(
            rows=len(rows),
            train=sum(one.split == "train" for one in rows),
            val=sum(one.split == "val" for one in rows),
            rationales=sum(one.rationale is not None for one in rows),
            edited=sum(one.edited for one in rows),
            pictures=len(images_of(rows)),
            people=sum(one.kind == "person" for one in rows),
            reviewers=sorted({name for one in rows for name in one.reviewers}),
            left_out=[
                RowsLeftOut(one.reason, one.count, one.examples) for one in snapshot.left_out
            ],
        )

    @server.post("/do/curate/snapshot")
    def freeze(body: SentValues, person: Admin) -> FrozenSnapshot:
        """Take a snapshot.  The body has the keys of `SnapshotWish`, but `q` for its search, and
        the snapshot's `name`.
        """
        name = body.get("name", "")
        if not isinstance(name, str):
            raise InputError(f"name must be a text, found {name!r:.80}")
        wish = {_WISH.get(key, key): body[key] for key in body if key not in ("id", "name")}
        snapshot = take(
            project, read(SnapshotWish, wish, "this snapshot cannot be taken"), name.strip()
        )
        rows = snapshot.manifest.content.rows
        count = sum(int(one["count"]) for one in rows.values())
        return FrozenSnapshot(snapshot.hash, str(snapshot.path), count)


def _text(one: Guideline) -> GuidelineText:
    at = one.created_at.replace(tzinfo=UTC).isoformat()
    return GuidelineText(one.version, one.text, one.author, at)
