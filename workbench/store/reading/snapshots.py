"""What a training snapshot is made of, and the snapshots that were taken."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from workbench.errors import InputError
from workbench.records import JSON
from workbench.snapshot import Picture, Snapshot
from workbench.store.kernel.database import IDS, Database, id_list, now
from workbench.store.records.scope import Scope

_TEXT, _TIME = pa.string(), pa.timestamp("us")


@dataclass(frozen=True, slots=True)
class Target:
    """What was accepted or kept for a task, and what its state is where nothing was."""

    task_id: str
    state: str
    """Of a person's decisions: as `curated.state` says, an adjudicated item by its outcome.  Of the
    verifier's: `kept`, `agreed` (unlabelled) or `wrong`.
    """
    reason: str | None
    """Why a person rejected it; one of the closed list."""
    waiting: bool
    """A person has decided, and another has to."""
    trace_id: str | None
    program_id: str | None
    rationale_id: str | None
    said: str | None
    """The trace's answer."""
    right: bool | None
    """What the verifier says of it; None where it said nothing."""
    program: str | None
    rationale: str | None
    faithful: bool | None
    edited: bool
    reviewers: tuple[str, ...]
    guideline: str | None
    parts: tuple[str, ...]
    """Keys of the parts that made the program, the trace and the rationale."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot that was taken."""

    hash: str
    name: str
    filter: Mapping[str, JSON]
    counts: Mapping[str, JSON]
    as_of: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SnapshotQuestions:
    """How many questions snapshots hold."""

    newest: int
    """Questions in the newest snapshot."""
    taught: int
    """Questions that any model of the project was trained on."""


_TOLD = """
    {trace}.answer AS said, program.id AS program_id, program.source AS program, rationale.text AS rationale,
    len(rationale.issues) = 0 AS faithful, list_filter([program.sampler, {trace}.executor, rationale.writer],
    lambda key: key IS NOT NULL) AS parts"""


def decided_targets(database: Database) -> list[Target]:
    """What people decided, one target for each task that has a decision."""
    sql = f"""
    WITH opinion AS (
        SELECT trace_id, bool_or(correct) AS correct FROM verdict SEMI JOIN curated USING (trace_id) GROUP BY trace_id
    ),
    voice AS (
        SELECT standing.task_id, standing.author, standing.seq, decision.guideline
        FROM standing JOIN decision USING (seq) WHERE standing.kind = 'accept'
        UNION
        SELECT curated.task_id, decision.author, decision.seq, decision.guideline
        FROM curated JOIN decision USING (seq) WHERE decision.kind = 'adjudicate'
    ),
    voices AS (
        SELECT task_id, list_sort(list_distinct(list(author))) AS reviewers, arg_max(guideline, seq) AS guideline
        FROM voice GROUP BY task_id
    )
    SELECT curated.task_id, CASE WHEN state <> 'adjudicated' THEN state
            WHEN outcome = 'accept' THEN 'accepted' ELSE 'rejected' END AS state,
        curated.reason, state = 'pending' AND votes > 0 AS waiting, curated.trace_id, curated.rationale_id,
        curated.edited, opinion.correct AS right, coalesce(voices.reviewers, []) AS reviewers, voices.guideline,
        {_TOLD.format(trace="trace")}
    FROM curated
    LEFT JOIN trace ON trace.id = curated.trace_id
    LEFT JOIN program ON program.id = trace.program_id
    LEFT JOIN rationale ON rationale.id = curated.rationale_id
    LEFT JOIN opinion ON opinion.trace_id = curated.trace_id
    LEFT JOIN voices ON voices.task_id = curated.task_id
    """
    return [_target(row) for row in database.rows(sql)]


def kept(database: Database, scope: Scope) -> list[Target]:
    """What the verifier kept, one target for each task that it judged; the newest rationale of the
    scope's writer.
    """
    sql = f"""
    WITH judged AS (
        SELECT trace.task_id, trace.id AS trace_id, trace.program_id, trace.answer, trace.executor, verdict.chosen,
            verdict.correct
        FROM verdict JOIN trace ON trace.id = verdict.trace_id JOIN program ON program.id = trace.program_id
        WHERE verdict.verifier = $verifier AND verdict.runs = $k AND trace.executor = $executor
            AND program.sampler = $sampler AND program.base_seed = $seed AND program.index < $k
            AND program.parent IS NULL
    ),
    best AS (SELECT * FROM judged QUALIFY row_number() OVER (PARTITION BY task_id ORDER BY chosen DESC, trace_id) = 1)
    SELECT best.task_id, CASE WHEN NOT chosen THEN 'wrong' WHEN len(task.answers) > 0 THEN 'kept' ELSE 'agreed' END
            AS state, best.trace_id, rationale.id AS rationale_id, best.correct AS right, {_TOLD.format(trace="best")}
    FROM best JOIN task ON task.id = best.task_id JOIN program ON program.id = best.program_id
    LEFT JOIN rationale ON rationale.trace_id = best.trace_id AND rationale.writer = $writer
    QUALIFY row_number() OVER (PARTITION BY best.task_id ORDER BY rationale.created_at DESC, rationale.id) = 1
    """
    given = {
        name: scope.parameters()[name]
        for name in ("sampler", "executor", "verifier", "writer", "seed", "k")
    }
    extra: dict[str, Any] = {
        "reason": None,
        "waiting": False,
        "edited": False,
        "reviewers": [],
        "guideline": None,
    }
    return [_target({**row, **extra}) for row in database.rows(sql, given)]


def _target(row: Mapping[str, Any]) -> Target:
    return Target(**{**row, "reviewers": tuple(row["reviewers"]), "parts": tuple(row["parts"])})


def tasks(database: Database, ids: Sequence[str] | None) -> list[dict[str, Any]]:
    """Tasks as rows, in order of import: all, or those of these ids."""
    columns = "id, source, split, image, question, answers, answer_type, choices, family"
    if ids is None:
        return database.rows(f"SELECT {columns} FROM task ORDER BY seq")
    sql = f"SELECT {columns} FROM task WHERE id IN {IDS} ORDER BY seq"
    return database.rows(sql, {"ids": id_list(ids)})


def splits(database: Database) -> list[str]:
    """Every split that a task has."""
    return [row["split"] for row in database.rows("SELECT DISTINCT split FROM task ORDER BY split")]


def evaluation_images(
    database: Database, splits: Sequence[str], sources: Sequence[str]
) -> set[str]:
    """Digests of the pictures of every task of these splits or these sources."""
    sql = "SELECT DISTINCT image FROM task WHERE list_contains($splits, split) OR list_contains($sources, source)"
    return {
        row["image"]
        for row in database.rows(sql, {"splits": list(splits), "sources": list(sources)})
    }


def last_decision(database: Database) -> str | None:
    """Id of the newest decision."""
    found = database.rows("SELECT id FROM decision ORDER BY seq DESC LIMIT 1")
    return str(found[0]["id"]) if found else None


# --- pictures


def pictures(database: Database, digests: Sequence[str]) -> dict[str, Picture]:
    """What is known of these pictures."""
    sql = f"SELECT digest, width, height, fingerprint FROM picture WHERE digest IN {IDS}"
    return {
        row["digest"]: Picture(
            row["digest"], row["width"], row["height"], int(row["fingerprint"], 16)
        )
        for row in database.rows(sql, {"ids": id_list(digests)})
    }


def add_pictures(database: Database, found: Sequence[Picture]) -> None:
    """Remember pictures' sizes and fingerprints."""
    columns = [
        ("digest", _TEXT),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("fingerprint", _TEXT),
    ]
    rows = [
        {
            "digest": p.digest,
            "width": p.width,
            "height": p.height,
            "fingerprint": f"{p.fingerprint:032x}",
        }
        for p in found
    ]
    database.insert({"picture": _table(columns, rows)})


def _table(columns: list[tuple[str, pa.DataType]], rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    stamp = now()
    schema = pa.schema([*columns, ("created_at", _TIME)])
    return pa.Table.from_pylist([{**row, "created_at": stamp} for row in rows], schema=schema)


# --- snapshots taken


def register(database: Database, snapshot: Snapshot) -> None:
    """Remember a snapshot and what is in it; nothing changes for one that is known already."""
    manifest = snapshot.manifest
    rows = [
        {
            "snapshot": snapshot.hash,
            "task_id": e.task_id,
            "trace_id": e.trace_id,
            "rationale_id": e.rationale_id,
            "side": e.split,
        }
        for e in snapshot.examples()
    ]
    columns = [
        (name, _TEXT) for name in ("snapshot", "task_id", "trace_id", "rationale_id", "side")
    ]
    held = {
        "hash": snapshot.hash,
        "name": manifest.name,
        "filter": json.dumps(manifest.content.filter),
        "counts": json.dumps(manifest.content.counts),
        "as_of": manifest.as_of,
    }
    database.insert(
        {
            "snapshot": _table([(name, _TEXT) for name in held], [held]),
            "snapshot_row": pa.Table.from_pylist(rows, schema=pa.schema(columns)),
        }
    )


def rename(database: Database, hash_: str, name: str) -> None:
    """Call a snapshot otherwise."""
    database.transaction(
        lambda cursor: cursor.execute("UPDATE snapshot SET name = ? WHERE hash = ?", [name, hash_])
    )


def snapshot_rows(database: Database) -> list[Taken]:
    """All snapshots taken, the newest first."""
    found = database.rows("SELECT * FROM snapshot ORDER BY created_at DESC, hash")
    return [
        Taken(**{**row, "filter": json.loads(row["filter"]), "counts": json.loads(row["counts"])})
        for row in found
    ]


def snapshot_questions(database: Database) -> SnapshotQuestions:
    """Questions of the newest snapshot, and those that any model was trained on."""
    (row,) = database.rows(
        """
        SELECT count(*) FILTER (
                snapshot = (SELECT arg_max(hash, created_at) FROM snapshot)
            ) AS newest,
            count(DISTINCT task_id) FILTER (side = 'train' AND snapshot IN (
                SELECT job.snapshot FROM job JOIN model ON model.job = job.id)) AS taught
        FROM snapshot_row
        """
    )
    return SnapshotQuestions(**row)


def review_minutes(database: Database) -> dict[str, float]:
    """Minutes that reviewers spent on the decisions up to each snapshot, by its hash."""
    rows = database.rows(
        """
        SELECT snapshot.hash AS hash, sum(active_decision.seconds) / 60 AS minutes
        FROM snapshot JOIN decision ON decision.id = snapshot.as_of
            JOIN active_decision ON active_decision.seq <= decision.seq
        GROUP BY snapshot.hash
        """
    )
    return {row["hash"]: row["minutes"] or 0.0 for row in rows}


def find(database: Database, given: str) -> Taken:
    """A snapshot by its name, its hash or the unique beginning of its hash; of several with one
    name the newest.

    Raises InputError when nothing or more than one thing fits.
    """
    known = snapshot_rows(database)
    if named := [row for row in known if given and row.name == given]:
        return named[0]
    fits = [row for row in known if given and row.hash.startswith(given)]
    if len(fits) == 1:
        return fits[0]
    why = f"fits {len(fits)} snapshots; give more of it" if fits else "names no snapshot"
    names = ", ".join(row.name or row.hash[:8] for row in known[:8])
    raise InputError(
        f"'{given}' {why}; " + (f"there are: {names}" if known else "take one with: vpd snapshot")
    )
