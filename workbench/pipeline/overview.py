"""A project at a glance: what came of its questions, tools, errors, people, models, disk; each figure with its n.

Made from what the store keeps up to date (table `outcome`), so that it costs the same whenever it is asked for.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.pipeline.compare import RIGHT
from workbench.store import Project, Scope
from workbench.verify.figures import Share, pass_at_k

_TARGET = "(state = 'accepted' OR (state = 'adjudicated' AND outcome = 'accept'))"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the funnel."""

    name: str
    tasks: int
    token: str | None
    """What to search for in Browse to see them; None where there is no such search."""


@dataclass(frozen=True, slots=True)
class Tool:
    """What came of the runs that called one tool."""

    name: str
    runs: int
    right: Share
    """Right runs, of those judged against a label."""
    accepted: Share
    """Standing accepts by people, of their accepts and rejects of a trace that called it."""
    blamed: int
    """First wrong steps that people marked in its calls."""


@dataclass(frozen=True, slots=True)
class Model:
    """How right and how slow one way of answering is."""

    name: str
    right: Share
    seconds: float
    """Mean per question."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes."""

    store: int
    images: int
    cache: int
    free: int
    backup: str | None
    """When the last backup was made, UTC, ISO 8601; None without one."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the dashboard shows."""

    at: str
    """When it was counted, UTC, ISO 8601."""
    k: int
    tasks: int
    programs: int
    executed: Share
    """Programs that ended with an answer, of those run."""
    kept: Share
    """Yield: labelled questions with a right trace kept, of those judged."""
    student: Share
    """Right answers of the student in force, of the labelled questions that it answered."""
    funnel: tuple[Step, ...]
    curve: tuple[tuple[int, Share], ...]
    """pass@1 to pass@k over judged labelled questions."""
    tools: tuple[Tool, ...]
    own_blame: int
    """First wrong steps marked in the program itself, at no tool's call."""
    errors: tuple[Mapping[str, Any], ...]
    """{kind, day, runs, tasks} by day (UTC)."""
    reviewers: tuple[Mapping[str, Any], ...]
    pace: tuple[Mapping[str, Any], ...]
    """{day, author, n}: standing decisions by day (UTC) and person."""
    agreement: tuple[Mapping[str, Any], ...]
    confusion: Mapping[str, int]
    models: tuple[Model, ...]
    disk: Disk

    def to_json(self) -> dict[str, Any]:
        """Plain values; a share has its value, n and Wilson's 95 % interval beside its hits."""
        found: dict[str, Any] = _plain(self)
        return found


def overview(project: Project) -> Overview:
    """The figures of a project as it stands, for the parts in force."""
    funnel = [Step(step.name, step.tasks, step.token) for step in project.funnel()]
    scope = project.scope()
    rows = project.database.rows
    (row,) = rows(
        """
        SELECT coalesce(sum(programs), 0)::BIGINT AS programs, coalesce(sum(traces), 0)::BIGINT AS traces,
            coalesce(sum(executed), 0)::BIGINT AS executed, count(*) AS tasks,
            count(*) FILTER (labelled AND status <> 'waiting') AS judged, count(*) FILTER (status = 'kept') AS kept,
            count(student_score) AS answered, count(*) FILTER (student_score >= $right) AS student
        FROM outcome
        """,
        {"right": RIGHT},
    )
    groups = rows(
        "SELECT judged, correct, count(*) AS n FROM outcome WHERE labelled AND status <> 'waiting' GROUP BY ALL"
    )
    kept = Share(row["kept"], row["judged"])
    curve = tuple((size, _passed(groups, size)) for size in range(1, scope.k + 1) if row["judged"])
    blamed = {one.tool: one.wrong for one in project.curation.blame()}
    return Overview(
        at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        k=scope.k,
        tasks=row["tasks"],
        programs=row["programs"],
        executed=Share(row["executed"], row["traces"]),
        kept=kept,
        student=Share(row["student"], row["answered"]),
        funnel=(*funnel, *_in_snapshot(project)),
        curve=curve,
        tools=_tools(project, blamed),
        own_blame=blamed.get("", 0),
        errors=tuple({**asdict(one), "day": str(one.day)} for one in project.errors(by_day=True)),
        reviewers=tuple(_plain(one) | {"per_day": one.per_day} for one in project.curation.reviewers()),
        pace=tuple(
            rows(
                "SELECT created_at::DATE::VARCHAR AS day, author, count(*) AS n FROM standing WHERE kind <> 'none' "
                "GROUP BY ALL ORDER BY day, author"
            )
        ),
        agreement=tuple(asdict(one) for one in project.curation.agreement()),
        confusion=asdict(project.curation.confusion()),
        models=tuple(_models(project, kept, curve, scope)),
        disk=_disk(project.path),
    )


def _passed(groups: Sequence[Mapping[str, Any]], size: int) -> Share:
    enough = [group for group in groups if group["judged"] >= size]
    hits = sum(group["n"] * pass_at_k(group["judged"], group["correct"], size) for group in enough)
    return Share(hits, sum(group["n"] for group in enough))


def _in_snapshot(project: Project) -> list[Step]:
    """Questions of the newest snapshot."""
    (row,) = project.database.rows(
        "SELECT count(*) AS n FROM snapshot_row WHERE snapshot = (SELECT arg_max(hash, created_at) FROM snapshot)"
    )
    return [Step("in snapshot", row["n"], None)]


def _tools(project: Project, blamed: Mapping[str, int]) -> tuple[Tool, ...]:
    said = project.database.rows(
        """
        SELECT tool, count(*) AS n, count(*) FILTER (kind = 'accept') AS accepted
        FROM (SELECT kind, unnest(string_split(trim(tools, '|'), '|')) AS tool
              FROM standing JOIN trace ON trace.id = standing.trace_id
              WHERE kind IN ('accept', 'reject') AND tools <> '')
        GROUP BY tool
        """
    )
    people = {row["tool"]: Share(row["accepted"], row["n"]) for row in said}
    return tuple(
        Tool(
            one.tool, one.runs, Share(one.right, one.judged), people.get(one.tool, Share(0, 0)), blamed.get(one.tool, 0)
        )
        for one in project.by_tool()
    )


def _models(project: Project, kept: Share, curve: Sequence[tuple[int, Share]], scope: Scope) -> list[Model]:
    """The pipeline with k programs and with one, and every model that has answered labelled questions."""
    found = []
    spent = project.seconds(scope)
    stages = [spent[stage] for stage in ("sample", "execute", "verify") if stage in spent]
    if curve and len(stages) == 3 and all(rows for rows, _ in stages):
        one = sum(seconds / rows for rows, seconds in stages)  # per program: a program's own times hold its waiting
        found.append(Model(f"pipeline, any of {scope.k} programs", kept, one * scope.k))
        if scope.k > 1:
            found.append(Model("pipeline, one program", curve[0][1], one))
    answered = project.database.rows(
        """
        SELECT part.name AS name, part.version AS version, count(*) AS n,
            count(*) FILTER (score >= $right) AS hits, avg(seconds) AS seconds
        FROM prediction JOIN task ON task.id = prediction.task_id JOIN part ON part.key = prediction.model
        WHERE rationale = '' AND len(answers) > 0 GROUP BY part.key, part.name, part.version ORDER BY n DESC, name
        """,
        {"right": RIGHT},
    )
    models = [(f"{one['name']} {one['version'][:8]}", Share(one["hits"], one["n"]), one["seconds"]) for one in answered]
    return found + [Model(*one) for one in models]


def _disk(path: Path) -> Disk:
    backups = sorted(path.glob("backups/*/backup.json"))
    try:
        last = str(json.loads(backups[-1].read_text(encoding="utf-8"))["created_at"]) if backups else None
    except (OSError, ValueError, KeyError):
        last = None
    return Disk(
        store=sum(file.stat().st_size for file in path.glob("vpd.duckdb*")),
        images=_size(path / "images", int(time.monotonic() // 60)),
        cache=_size(path / "cache", int(time.monotonic() // 60)),
        free=shutil.disk_usage(path).free,
        backup=last,
    )


@lru_cache(maxsize=8)
def _size(folder: Path, minute: int) -> int:
    """Bytes in a folder, counted once a minute: it may hold a great many files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _plain(value: Any) -> Any:
    if isinstance(value, Share):
        low, high = value.interval
        return {"value": value.value, "hits": round(value.hits, 4), "of": value.of, "low": low, "high": high}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value
