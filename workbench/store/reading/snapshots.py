"""The targets that training snapshots are made of, pictures' sizes, and the snapshots taken."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.errors import InputError
from workbench.evidence import FLAGGED
from workbench.records import JSON
from workbench.store.kernel.database import IDS, Database, id_list, now
from workbench.store.records.pending import PICTURES
from workbench.store.records.scope import Scope

if TYPE_CHECKING:
    from workbench.snapshot import Picture, Snapshot

_TEXT, _TIME = pa.string(), pa.timestamp("us")


@dataclass(frozen=True, slots=True)
class Target:
    """What a student may learn for one task, and why nothing where it may learn nothing."""

    task_id: str
    state: str
    """State of the task's review (an adjudicated one counts by its outcome), or the verifier's
    word: `kept`, `agreed` (unlabelled) or `wrong`.
    """
    reason: str | None
    """Why a person rejected it: one of the closed list of reasons."""
    waiting: bool
    """Whether a person has decided and another has yet to."""
    trace_id: str | None
    program_id: str | None
    rationale_id: str | None
    answer: str | None
    """The trace's answer."""
    right: bool | None
    """Whether the verifier takes the answer for right; None without a verdict."""
    program: str | None
    rationale: str | None
    faithful: bool | None
    bare: bool | None
    """Whether the rationale says no more than the answer."""
    flagged: bool
    """Whether the checks for wrong reasons flag the trace."""
    edited: bool
    reviewers: tuple[str, ...]
    guideline: str | None
    parts: tuple[str, ...]
    """Keys of the parts that made the program, the trace and the rationale."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot of the project's training data, as it was taken."""

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
    training: int
    """Questions that any model of the project was trained on."""


_RECORDS = """
    {trace}.answer, program.id AS program_id, program.source AS program,
    rationale.text AS rationale, len(rationale.issues) = 0 AS faithful, rationale.bare,
    coalesce((SELECT suspicion >= $flagged FROM trace_check
        WHERE trace_check.trace_id = {trace_id}), false) AS flagged,
    list_filter(
        [program.sampler, {trace}.executor, rationale.writer], lambda key: key IS NOT NULL
    ) AS parts"""


def decided_targets(database: Database) -> list[Target]:
    """One target for each task that people have decided on."""
    sql = f"""
    WITH opinion AS (
        SELECT trace_id, bool_or(correct) AS correct FROM verdict
            SEMI JOIN curated USING (trace_id) GROUP BY trace_id
    ),
    voice AS (
        SELECT standing.task_id, standing.author, standing.seq, decision.guideline
        FROM standing JOIN decision USING (seq) WHERE standing.kind = 'accept'
        UNION
        SELECT curated.task_id, decision.author, decision.seq, decision.guideline
        FROM curated JOIN decision USING (seq) WHERE decision.kind = 'adjudicate'
    ),
    voices AS (
        SELECT task_id, list_sort(list_distinct(list(author))) AS reviewers,
            arg_max(guideline, seq) AS guideline
        FROM voice GROUP BY task_id
    )
    SELECT curated.task_id, CASE WHEN state <> 'adjudicated' THEN state
            WHEN outcome = 'accept' THEN 'accepted' ELSE 'rejected' END AS state,
        curated.reason, state = 'pending' AND votes > 0 AS waiting, curated.trace_id,
        curated.rationale_id, curated.edited, opinion.correct AS right,
        coalesce(voices.reviewers, []) AS reviewers, voices.guideline,
        {_RECORDS.format(trace="trace", trace_id="trace.id")}
    FROM curated
    LEFT JOIN trace ON trace.id = curated.trace_id
    LEFT JOIN program ON program.id = trace.program_id
    LEFT JOIN rationale ON rationale.id = curated.rationale_id
    LEFT JOIN opinion ON opinion.trace_id = curated.trace_id
    LEFT JOIN voices ON voices.task_id = curated.task_id
    """
    return [_target(row) for row in database.rows(sql, {"flagged": FLAGGED})]


def kept(database: Database, scope: Scope) -> list[Target]:
    """One target for each task that the verifier judged, with the newest rationale of the scope's
    writer.
    """
    return _judged_targets(
        database, scope, "verdict.chosen", "verdict.runs = $k AND program.parent IS NULL"
    )


def repaired(database: Database, scope: Scope) -> list[Target]:
    """One target for each task with a right program that the scope's sampler wrote again: the run
    that the checks suspect least, as `kept`.
    """
    return _judged_targets(
        database, scope, "verdict.correct", "verdict.correct AND program.parent IS NOT NULL"
    )


def _judged_targets(database: Database, scope: Scope, chosen: str, where: str) -> list[Target]:
    """One target for each task with verdicts.

    Args:
        database: the store.
        scope: the parts whose records count.
        chosen: SQL that says whether a run is the one to learn from.
        where: SQL that says which runs count.
    """
    sql = f"""
    WITH judged AS (
        SELECT trace.task_id, trace.id AS trace_id, trace.program_id, trace.answer, trace.executor,
            {chosen} AS chosen, verdict.correct
        FROM verdict JOIN trace ON trace.id = verdict.trace_id
            JOIN program ON program.id = trace.program_id
        WHERE verdict.verifier = $verifier AND trace.executor = $executor
            AND program.sampler = $sampler AND program.base_seed = $seed AND program.index < $k
            AND {where}
    ),
    best AS (
        SELECT judged.* FROM judged LEFT JOIN trace_check USING (trace_id)
        QUALIFY row_number() OVER (
            PARTITION BY judged.task_id ORDER BY chosen DESC, coalesce(suspicion, 0), trace_id
        ) = 1
    )
    SELECT best.task_id, best.trace_id, rationale.id AS rationale_id, best.correct AS right,
        CASE WHEN NOT chosen THEN 'wrong' WHEN len(task.answers) > 0 THEN 'kept'
             ELSE 'agreed' END AS state,
        {_RECORDS.format(trace="best", trace_id="best.trace_id")}
    FROM best JOIN task ON task.id = best.task_id JOIN program ON program.id = best.program_id
    LEFT JOIN rationale ON rationale.trace_id = best.trace_id AND rationale.writer = $writer
    QUALIFY row_number() OVER (
        PARTITION BY best.task_id ORDER BY rationale.created_at DESC, rationale.id
    ) = 1
    """
    parameters = {
        name: scope.parameters()[name]
        for name in ("sampler", "executor", "verifier", "writer", "seed", "k")
    }
    parameters["flagged"] = FLAGGED
    extra: dict[str, Any] = {
        "reason": None,
        "waiting": False,
        "edited": False,
        "reviewers": [],
        "guideline": None,
    }
    return [_target({**row, **extra}) for row in database.rows(sql, parameters)]


def _target(row: Mapping[str, Any]) -> Target:
    return Target(**{**row, "reviewers": tuple(row["reviewers"]), "parts": tuple(row["parts"])})


def tasks(database: Database, ids: Sequence[str] | None) -> list[dict[str, Any]]:
    """Tasks as rows, in order of import: all, or those of these ids."""
    columns = (
        "id, source, split, image, question, answers, answer_type, choices, family, "
        "coalesce(more_images, []) AS more_images"
    )
    if ids is None:
        return database.rows(f"SELECT {columns} FROM task ORDER BY seq")
    sql = f"SELECT {columns} FROM task WHERE id IN {IDS} ORDER BY seq"
    return database.rows(sql, {"ids": id_list(ids)})


def splits(database: Database) -> list[str]:
    """Every split that a task has."""
    return [row["split"] for row in database.rows("SELECT DISTINCT split FROM task ORDER BY split")]


def tasks_by_split(database: Database) -> dict[str, int]:
    """How many tasks each split has, by its name, in alphabetical order."""
    rows = database.rows("SELECT split, count(*) AS n FROM task GROUP BY split ORDER BY split")
    return {row["split"]: row["n"] for row in rows}


def evaluation_images(
    database: Database, splits: Sequence[str], sources: Sequence[str]
) -> set[str]:
    """Digests of the pictures that training may not see.

    Args:
        database: the store.
        splits: pictures of tasks of these splits count.
        sources: pictures of tasks of these sources count as well.
    """
    sql = f"""
    SELECT DISTINCT unnest({PICTURES}) AS image FROM task
    WHERE list_contains($splits, split) OR list_contains($sources, source)
    """
    return {
        row["image"]
        for row in database.rows(sql, {"splits": list(splits), "sources": list(sources)})
    }


def last_decision(database: Database) -> str | None:
    """Id of the newest decision."""
    rows = database.rows("SELECT id FROM decision ORDER BY seq DESC LIMIT 1")
    return str(rows[0]["id"]) if rows else None


# --- pictures


def pictures(database: Database, digests: Sequence[str]) -> dict[str, Picture]:
    """Sizes and fingerprints of these pictures, by digest; those that have none are left out."""
    from workbench.snapshot import Picture  # it reads Parquet, for which most commands do not ask

    sql = f"SELECT digest, width, height, fingerprint FROM picture WHERE digest IN {IDS}"
    return {
        row["digest"]: Picture(
            row["digest"], row["width"], row["height"], int(row["fingerprint"], 16)
        )
        for row in database.rows(sql, {"ids": id_list(digests)})
    }


def add_pictures(database: Database, sizes: Sequence[Picture]) -> None:
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
        for p in sizes
    ]
    database.insert({"picture": _table(columns, rows)})


def _table(columns: list[tuple[str, pa.DataType]], rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    stamp = now()
    schema = pa.schema([*columns, ("created_at", _TIME)])
    return pa.Table.from_pylist([{**row, "created_at": stamp} for row in rows], schema=schema)


# --- snapshots taken


def register(database: Database, snapshot: Snapshot) -> None:
    """Remember a snapshot and its rows; nothing changes for one that is registered already."""
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
    row = {
        "hash": snapshot.hash,
        "name": manifest.name,
        "filter": json.dumps(manifest.content.filter),
        "counts": json.dumps(manifest.content.counts),
        "as_of": manifest.as_of,
    }
    database.insert(
        {
            "snapshot": _table([(name, _TEXT) for name in row], [row]),
            "snapshot_row": pa.Table.from_pylist(rows, schema=pa.schema(columns)),
        }
    )


def rename(database: Database, hash_: str, name: str) -> None:
    """Give a snapshot another name.

    Args:
        database: the store.
        hash_: of the snapshot.
        name: need not be unique.
    """
    database.transaction(
        lambda cursor: cursor.execute("UPDATE snapshot SET name = ? WHERE hash = ?", [name, hash_])
    )


def snapshot_rows(database: Database) -> list[Taken]:
    """All snapshots taken, the newest first."""
    rows = database.rows("SELECT * FROM snapshot ORDER BY created_at DESC, hash")
    return [
        Taken(**{**row, "filter": json.loads(row["filter"]), "counts": json.loads(row["counts"])})
        for row in rows
    ]


def snapshot_questions(database: Database) -> SnapshotQuestions:
    """Questions of the newest snapshot, and those that any model was trained on."""
    (row,) = database.rows(
        """
        SELECT count(*) FILTER (
                snapshot = (SELECT arg_max(hash, created_at) FROM snapshot)
            ) AS newest,
            count(DISTINCT task_id) FILTER (side = 'train' AND snapshot IN (
                SELECT job.snapshot FROM job JOIN model ON model.job = job.id)) AS training
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


def find(database: Database, text: str) -> Taken:
    """A snapshot by its name, its hash or the unique beginning of its hash.

    Of several with one name it is the newest.  Raises InputError when nothing or more than one
    snapshot fits.
    """
    rows = snapshot_rows(database)
    if named := [row for row in rows if text and row.name == text]:
        return named[0]
    fits = [row for row in rows if text and row.hash.startswith(text)]
    if len(fits) == 1:
        return fits[0]
    why = f"fits {len(fits)} snapshots; give more of it" if fits else "names no snapshot"
    names = ", ".join(row.name or row.hash[:8] for row in rows[:8])
    raise InputError(
        f"'{text}' {why}; " + (f"there are: {names}" if rows else "take one with: vpd snapshot")
    )
