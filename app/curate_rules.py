"""What stands beside the queue: its settings, who holds what, the guidelines, and what a snapshot
would hold now.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC
from typing import Any, Literal

from app.people import Admin, Viewer
from app.site import Site
from workbench.curate.settings import Settings
from workbench.pipeline.snapshotting import SnapshotWish, preview, take
from workbench.store.people.curation import Guideline


@dataclass(frozen=True)
class Rules:
    """`workbench.curate.settings.Settings`, as an admin sends them."""

    id: str
    overlap: int
    gold_rate: float
    hide_verdicts: bool
    lease_minutes: float
    daily_goal: int
    order: str


@dataclass(frozen=True)
class Text:
    id: str
    text: str


@dataclass(frozen=True)
class Freeze:
    id: str
    accepted: Literal["person", "automatic", "both"] = "person"
    q: str = ""
    labels: bool = False
    name: str = ""

    def wanted(self) -> SnapshotWish:
        return SnapshotWish(accepted=self.accepted, text=self.q, labels=self.labels)


def add(site: Site) -> None:
    project, server = site.project, site.server
    curation = project.curation

    @server.get("/data/curate/queue")
    def queue(person: Viewer) -> dict[str, Any]:
        held: dict[str, dict[str, Any]] = {}
        for lease in curation.leases():
            row = held.setdefault(lease.holder, {"name": lease.holder, "count": 0, "until": ""})
            row["count"] += 1
            row["until"] = max(row["until"], lease.expires_at.replace(tzinfo=UTC).isoformat())
        return {"settings": asdict(curation.settings()), "held": list(held.values())}

    @server.post("/do/curate/settings")
    def settings(body: Rules, person: Admin) -> dict[str, Any]:
        given = {name: value for name, value in asdict(body).items() if name != "id"}
        curation.set_settings(Settings(**given), person.name)
        return asdict(curation.settings())

    @server.get("/data/curate/guidelines")
    def guidelines(person: Viewer) -> list[dict[str, str]]:
        return [_text(one) for one in curation.guidelines()]

    @server.post("/do/curate/guidelines")
    def put_in_force(body: Text, person: Admin) -> dict[str, str]:
        return _text(curation.add_guideline(body.text, person.name))

    @server.get("/data/curate/snapshot")
    def look(
        person: Viewer,
        accepted: Literal["person", "automatic", "both"] = "person",
        q: str = "",
        labels: bool = False,
    ) -> dict[str, Any]:
        """Exactly what a snapshot would hold now, and what it would leave out and why; nothing is
        written.
        """
        found = preview(project, Freeze("", accepted, q, labels).wanted())
        rows = found.examples
        rest = [
            {"reason": one.reason, "count": one.count, "examples": list(one.examples)}
            for one in found.left_out
        ]
        return {
            "rows": len(rows),
            "train": sum(one.split == "train" for one in rows),
            "val": sum(one.split == "val" for one in rows),
            "rationales": sum(one.rationale is not None for one in rows),
            "edited": sum(one.edited for one in rows),
            "pictures": len({one.image for one in rows}),
            "people": sum(one.kind == "person" for one in rows),
            "reviewers": sorted({name for one in rows for name in one.reviewers}),
            "left_out": rest,
        }

    @server.post("/do/curate/snapshot")
    def freeze(body: Freeze, person: Admin) -> dict[str, Any]:
        found = take(project, body.wanted(), body.name.strip())
        rows = found.manifest.content.rows
        return {
            "hash": found.hash,
            "path": str(found.path),
            "rows": sum(int(one["count"]) for one in rows.values()),
        }


def _text(one: Guideline) -> dict[str, str]:
    return {
        "version": one.version,
        "text": one.text,
        "author": one.author,
        "at": one.created_at.replace(tzinfo=UTC).isoformat(),
    }
