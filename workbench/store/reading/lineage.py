"""Training jobs and the models they made, as their folders were when they were last read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import pyarrow as pa

from workbench.records import JSON
from workbench.store.kernel.database import IDS, Database, id_list, now
from workbench.store.reading.evaluations import Evaluation, evaluations
from workbench.store.reading.snapshots import Taken, snapshot_rows

_TEXT, _NUMBER, _TIME = pa.string(), pa.int64(), pa.timestamp("us")


@dataclass(frozen=True, slots=True)
class JobRow:
    """A training job."""

    id: str
    name: str
    folder: str
    """Within the project where it lies there, else absolute."""
    state: str
    """As `workbench.train.jobs` says, or `deleted`: its folder is gone."""
    snapshot: str
    """Hash of what it was trained on."""
    student: str
    objective: str
    seed: int
    settings: Mapping[str, JSON]
    """The whole job as written."""
    kin: str
    """Jobs that differ in seed and name alone share it."""
    step: int
    total: int
    result: Mapping[str, JSON]
    """What came out; empty before."""
    failure: Mapping[str, JSON]
    """Empty where it did not fail."""
    stamp: str
    """Of its files when they were read: as long as it stays the same there is nothing new."""
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model that a job made."""

    id: str
    """Digest of its weights: the version of the student made from it."""
    job: str
    name: str
    objective: str
    step: int
    """Of the checkpoint that it was made from."""
    folder: str
    """As of its job."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Lineage:
    """What came of what: snapshot -> job (`snapshot`) -> model (`job`) -> evaluation (`model`)."""

    snapshots: tuple[Taken, ...]
    jobs: tuple[JobRow, ...]
    models: tuple[ModelRow, ...]
    evaluations: tuple[Evaluation, ...]


def lineage(database: Database) -> Lineage:
    """Everything from snapshots to evaluations, each in order of time."""
    snapshots = tuple(reversed(snapshot_rows(database)))
    return Lineage(
        snapshots, tuple(jobs(database)), tuple(models(database)), tuple(evaluations(database))
    )


def jobs(database: Database) -> list[JobRow]:
    """All jobs that were read, the latest changed last."""
    parsed = ("settings", "result", "failure")
    found = database.rows("SELECT * FROM job ORDER BY updated_at, id")
    return [JobRow(**{**row, **{name: json.loads(row[name]) for name in parsed}}) for row in found]


def models(database: Database) -> list[ModelRow]:
    """All models, the latest last."""
    return [ModelRow(**row) for row in database.rows("SELECT * FROM model ORDER BY created_at, id")]


def metrics(database: Database, job: str) -> list[dict[str, Any]]:
    """The lines of a job's metrics.jsonl."""
    found = database.rows("SELECT figures FROM metric WHERE job = $job ORDER BY line", {"job": job})
    return [json.loads(row["figures"]) for row in found]


def stamps(database: Database) -> dict[str, str]:
    """What each job's files were when they were read."""
    return {row["id"]: row["stamp"] for row in database.rows("SELECT id, stamp FROM job")}


def put_jobs(
    database: Database,
    rows: Sequence[JobRow],
    figures: Mapping[str, Sequence[JSON]],
    made: Sequence[ModelRow],
) -> None:
    """Write what was read of jobs; what was known of the same jobs gives way.  One transaction.

    Args:
        figures: by job, the lines of its metrics.jsonl.
        made: their models.
    """
    ids = id_list(row.id for row in rows)

    def make_room(cursor: Any) -> None:
        for table, key in (("job", "id"), ("metric", "job"), ("model", "job")):
            cursor.execute(f"DELETE FROM {table} WHERE {key} IN {IDS}", {"ids": ids})

    lines = [
        {"job": job, "line": at, "figures": json.dumps(line)}
        for job, held in figures.items()
        for at, line in enumerate(held)
    ]
    metric = pa.schema([("job", _TEXT), ("line", _NUMBER), ("figures", _TEXT)])
    tables = {
        "job": _table(JobRow, [_plain(row) for row in rows]),
        "model": _table(ModelRow, [_plain(row) for row in made]),
        "metric": pa.Table.from_pylist(lines, schema=metric),
    }
    database.insert({name: table for name, table in tables.items() if len(table)}, make_room)


def mark_deleted(database: Database, ids: Sequence[str]) -> None:
    """Say of jobs that their folders are gone."""
    sql = f"UPDATE job SET state = 'deleted', stamp = '', updated_at = $now WHERE id IN {IDS}"
    database.transaction(lambda cursor: cursor.execute(sql, {"now": now(), "ids": id_list(ids)}))


def _plain(row: JobRow | ModelRow) -> dict[str, Any]:
    held = {field.name: getattr(row, field.name) for field in fields(row)}
    return {
        name: json.dumps(value) if isinstance(value, Mapping) else value
        for name, value in held.items()
    }


def _table(record: type, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    kinds = {"int": _NUMBER, "datetime": _TIME}
    schema = pa.schema(
        [(field.name, kinds.get(str(field.type), _TEXT)) for field in fields(record)]
    )
    return pa.Table.from_pylist(rows, schema=schema)
