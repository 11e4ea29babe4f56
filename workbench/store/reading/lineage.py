"""Training jobs and their models, as their folders were when they were last read."""

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
    """A training job of the project."""

    id: str
    name: str
    folder: str
    """Path of its folder, within the project where it lies there, else absolute."""
    state: str
    """A state of `workbench.train.jobs`, or `deleted` where its folder is gone."""
    snapshot: str
    """Hash of the snapshot that it trains on."""
    student: str
    objective: str
    seed: int
    settings: Mapping[str, JSON]
    """The job's file, whole."""
    kin: str
    """A key that jobs share which differ in seed and name alone."""
    step: int
    total: int
    result: Mapping[str, JSON]
    """The job's result; empty before it has one."""
    failure: Mapping[str, JSON]
    """Why it failed; empty where it did not."""
    stamp: str
    """A text about its files when they were read; it changes when one of them does."""
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model that came out of a training job."""

    id: str
    """Digest of its weights, which is the version of its student."""
    job: str
    name: str
    objective: str
    step: int
    """Step of the checkpoint that it was made from."""
    folder: str
    """Path of its folder, as of its job."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Lineage:
    """Snapshots, jobs, models and evaluations.

    A job names its snapshot, a model its job, and an evaluation its model.
    """

    snapshots: tuple[Taken, ...]
    jobs: tuple[JobRow, ...]
    models: tuple[ModelRow, ...]
    evaluations: tuple[Evaluation, ...]


def lineage(database: Database) -> Lineage:
    """Snapshots, jobs, models and evaluations, each in order of time."""
    snapshots = tuple(reversed(snapshot_rows(database)))
    return Lineage(
        snapshots, tuple(jobs(database)), tuple(models(database)), tuple(evaluations(database))
    )


def jobs(database: Database) -> list[JobRow]:
    """All jobs that were read, the one that changed last at the end."""
    parsed = ("settings", "result", "failure")
    rows = database.rows("SELECT * FROM job ORDER BY updated_at, id")
    return [JobRow(**{**row, **{name: json.loads(row[name]) for name in parsed}}) for row in rows]


def models(database: Database) -> list[ModelRow]:
    """All models, the latest last."""
    return [ModelRow(**row) for row in database.rows("SELECT * FROM model ORDER BY created_at, id")]


def metrics(database: Database, job: str) -> list[dict[str, Any]]:
    """The lines of a job's metrics.jsonl."""
    rows = database.rows("SELECT figures FROM metric WHERE job = $job ORDER BY line", {"job": job})
    return [json.loads(row["figures"]) for row in rows]


def validations(database: Database) -> dict[str, list[dict[str, Any]]]:
    """By job, the lines of its metrics.jsonl that hold an evaluation on its held-out side."""
    rows = database.rows(
        "SELECT job, figures FROM metric WHERE contains(figures, '\"accuracy\"') ORDER BY job, line"
    )
    by_job: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_job.setdefault(row["job"], []).append(json.loads(row["figures"]))
    return by_job


def stamps(database: Database) -> dict[str, str]:
    """The stamp of each job's files when they were read, by job."""
    return {row["id"]: row["stamp"] for row in database.rows("SELECT id, stamp FROM job")}


def put_jobs(
    database: Database,
    rows: Sequence[JobRow],
    figures: Mapping[str, Sequence[JSON]],
    model_rows: Sequence[ModelRow],
) -> None:
    """Write jobs in one transaction; earlier rows of the same jobs give way.

    Args:
        database: the store.
        rows: the jobs.
        figures: by job, the lines of its metrics.jsonl.
        model_rows: the models of these jobs.
    """
    ids = id_list(row.id for row in rows)

    def make_room(cursor: Any) -> None:
        for table, key in (("job", "id"), ("metric", "job"), ("model", "job")):
            cursor.execute(f"DELETE FROM {table} WHERE {key} IN {IDS}", {"ids": ids})

    lines = [
        {"job": job, "line": at, "figures": json.dumps(line)}
        for job, records in figures.items()
        for at, line in enumerate(records)
    ]
    metric = pa.schema([("job", _TEXT), ("line", _NUMBER), ("figures", _TEXT)])
    tables = {
        "job": _table(JobRow, [_plain(row) for row in rows]),
        "model": _table(ModelRow, [_plain(row) for row in model_rows]),
        "metric": pa.Table.from_pylist(lines, schema=metric),
    }
    database.insert({name: table for name, table in tables.items() if len(table)}, make_room)


def mark_deleted(database: Database, ids: Sequence[str]) -> None:
    """Note that the folders of these jobs are gone."""
    sql = f"UPDATE job SET state = 'deleted', stamp = '', updated_at = $now WHERE id IN {IDS}"
    database.transaction(lambda cursor: cursor.execute(sql, {"now": now(), "ids": id_list(ids)}))


def _plain(row: JobRow | ModelRow) -> dict[str, Any]:
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    return {
        name: json.dumps(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
    }


def _table(record: type, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    kinds = {"int": _NUMBER, "datetime": _TIME}
    schema = pa.schema(
        [(field.name, kinds.get(str(field.type), _TEXT)) for field in fields(record)]
    )
    return pa.Table.from_pylist(rows, schema=schema)
