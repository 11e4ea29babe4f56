"""Events of traces that nobody needs at hand, moved beside the store; and what is removed for good.

Traces that are kept, that have a rationale, that a person judged or that a snapshot holds stay as
they are.  Of the others the events go to `archive/`, in Parquet files that are named by the digest
of their content; everything else about them stays in the store, so that Browse, counts and
verdicts are the same.  Whoever reads such a trace gets its events as before (`kernel/archived.py`).

A file is there as a whole, and on the disk, before the store names it.  A process that is killed
leaves a file that nothing names at most; the next one removes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.errors import InputError
from workbench.events import ARCHIVED, encode_events
from workbench.store.kernel.archived import FOLDER, GROUP, file_of, is_whole
from workbench.store.kernel.database import IDS, Database, id_list, now
from workbench.store.project import Project
from workbench.store.records.recalled import recall

BATCH = 10_000
"""Traces of a file at most: about 20 MB."""

READ = 1_000
"""Traces whose events are read from the store at once."""

REMOVABLE: Mapping[str, str] = {
    "failed": "archived events of runs that failed; the runs, their messages and counts stay",
    "cache": "results of tools, answers behind links of Compare, and features of training jobs, "
    "which are computed again when they are needed",
}
"""What `prune` removes, by name, in words."""

CACHES = ("cache", "jobs/.looks")
"""Folders of the project whose content can be computed again."""

_JUDGED = "id IN (SELECT trace_id FROM decision WHERE trace_id IS NOT NULL)"

_OTHERS = f"""
FROM trace
WHERE archived IS NULL AND tools IS NOT NULL AND work IS NOT NULL
    AND failure_kind IS DISTINCT FROM 'infra'
    AND id IN (SELECT trace_id FROM verdict)
    AND id NOT IN (SELECT trace_id FROM verdict WHERE chosen)
    AND id NOT IN (SELECT trace_id FROM rationale)
    AND NOT {_JUDGED}
    AND id NOT IN (SELECT trace_id FROM snapshot_row WHERE trace_id IS NOT NULL)
"""
"""Traces whose events can be archived: the loop is done with them, and nobody took them up."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What lies in the archive, or what of it goes there."""

    files: int
    traces: int
    bytes: int
    """Of the files."""


@dataclass(frozen=True, slots=True)
class Removable:
    """What `prune` would remove under one name."""

    name: str
    says: str
    count: int
    """Traces or files."""
    unit: str
    bytes: int


Told = Callable[[int, int], None]
"""Called with the number of traces that are archived by now, and their number in all."""


def archived(database: Database) -> Archive:
    """What lies in the archive."""
    rows = database.rows("SELECT traces, bytes FROM archive")
    return Archive(len(rows), sum(row["traces"] for row in rows), sum(row["bytes"] for row in rows))


def archivable(database: Database) -> int:
    """How many traces' events would go to the archive."""
    return int(database.rows(f"SELECT count(*) AS n {_OTHERS}")[0]["n"])


def archive(project: Project, progress: Told | None = None) -> Archive:
    """Move the events of traces that nobody took up to Parquet files.

    Others work in the project meanwhile: what is written waits for one file at most.

    Raises:
        InputError: the folder `archive` of the project is a link, or cannot be written.
    """
    folder = _folder(project)
    total, done, files, size = archivable(project.database), 0, 0, 0
    with project.database.write_lock:
        _remove_unknown(project.database, folder)
    try:
        while True:
            # one file after the other: what waits to write gets its turn between them
            with project.database.write_lock:
                batch = _next_batch(project.database)
                if not batch:
                    break
                path = _write(folder, _events(project.database, batch["ids"]))
                _name(project.database, path, batch["ids"], batch["failed"])
            done, files, size = done + len(batch["ids"]), files + 1, size + path.stat().st_size
            if progress:
                progress(done, max(total, done))
    except OSError as error:
        raise InputError(
            f"nothing more can be archived to {folder} ({error.strerror}): make room; what was "
            "archived by then is whole, and the same command goes on"
        ) from error
    return Archive(files, done, size)


def _folder(project: Project) -> Path:
    """The folder of the archive, made where it is not there yet."""
    folder = project.path / FOLDER
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{folder} is no folder of the project's own; move it away")
    folder.mkdir(exist_ok=True)
    return folder


def _next_batch(database: Database) -> dict[str, Any]:
    """Ids of traces for one file, all of which failed or none; empty when nothing is left."""
    sql = f"""
    SELECT id, failure_kind IS NOT NULL AS failed {_OTHERS}
    ORDER BY failed, task_id, id LIMIT {BATCH}
    """
    rows = database.rows(sql)
    if not rows:
        return {}
    failed = rows[0]["failed"]
    return {"failed": failed, "ids": [row["id"] for row in rows if row["failed"] == failed]}


def _events(database: Database, ids: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """Ids and stored events of traces, in the order of the ids."""
    for first in range(0, len(ids), READ):
        some = ids[first : first + READ]
        rows = database.rows(
            f"SELECT id, events FROM trace WHERE id IN {IDS}", {"ids": id_list(some)}
        )
        by_id = {row["id"]: row for row in rows}
        yield [by_id[id] for id in some]


def _write(folder: Path, batches: Iterator[list[dict[str, Any]]]) -> Path:
    """Write a file and put it on the disk under the name of its content."""
    from pyarrow import parquet  # other commands would wait for it

    part = folder / f"{uuid.uuid4().hex}.part"
    schema = pa.schema([("id", pa.string()), ("events", pa.binary())])
    rows = [row for batch in batches for row in batch]
    try:
        # events are compressed one by one, and a digest of the same content is the same
        table = pa.Table.from_pylist(rows, schema)
        parquet.write_table(
            table, part, row_group_size=GROUP, compression="none", use_dictionary=False
        )
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        path = part.replace(folder / f"{digest}.parquet")
        _sync(folder)
        return path
    finally:
        part.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Have the names of a folder written to the disk, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _name(database: Database, path: Path, ids: Sequence[str], failed: bool) -> None:
    """Let the store name a file, and say of each of its traces where in it the events are."""
    parameters = {
        "digest": path.stem,
        "begin": f"{ARCHIVED.decode()}{path.stem} ",
        "ids": id_list(ids),
        "places": json.dumps(list(range(len(ids)))),
    }
    size = path.stat().st_size

    def work(cursor: Any) -> None:
        cursor.execute(
            "INSERT INTO archive VALUES ($digest, $failed, $traces, $bytes, $at)",
            {"digest": path.stem, "failed": failed, "traces": len(ids), "bytes": size, "at": now()},
        )
        cursor.execute(
            """
            UPDATE trace SET archived = $digest, events = encode($begin || place::VARCHAR)
            FROM (
                SELECT unnest(from_json($ids, '["VARCHAR"]')) AS moved,
                    unnest(from_json($places, '["INTEGER"]')) AS place
            ) WHERE id = moved AND archived IS NULL
            """,
            parameters,
        )

    database.transaction(work)


def _remove_unknown(database: Database, folder: Path) -> None:
    """Remove files of ours that nothing names: their writer was killed before the store did."""
    names = {row["digest"] for row in database.rows("SELECT digest FROM archive")}
    for path in folder.glob("*.parquet"):
        if path.stem not in names and file_of(folder, path.stem) == path and is_whole(path):
            path.unlink()


def changed(project: Project, quick: bool = False) -> list[str]:
    """Digests of files that are missing or not as they were written.

    Args:
        project: whose archive it is.
        quick: compare sizes instead of reading what the files hold.
    """
    folder = project.path / FOLDER
    wrong = []
    for row in project.database.rows("SELECT digest, bytes FROM archive ORDER BY digest"):
        path = file_of(folder, row["digest"])
        if path is None or path.stat().st_size != row["bytes"] or not (quick or is_whole(path)):
            wrong.append(row["digest"])
    return wrong


# --- what is removed for good


def removable(project: Project, names: Sequence[str]) -> list[Removable]:
    """What would be removed under these names.

    Raises InputError where nothing is called so.
    """
    for name in names:
        if name not in REMOVABLE:
            raise InputError(f"'{name}' cannot be pruned; what can be: {', '.join(REMOVABLE)}")
    return [_removable(project, name) for name in dict.fromkeys(names)]


def _removable(project: Project, name: str) -> Removable:
    if name == "failed":
        sizes = project.database.rows("SELECT bytes FROM archive WHERE failed")
        sql = f"""
        SELECT count(*) AS n FROM trace
        WHERE archived IN (SELECT digest FROM archive WHERE failed) AND NOT {_JUDGED}
        """
        traces = int(project.database.rows(sql)[0]["n"])
        size = sum(row["bytes"] for row in sizes)
        return Removable(name, REMOVABLE[name], traces, "traces", size)
    lengths = [path.stat().st_size for path in _cached(project)]
    return Removable(name, REMOVABLE[name], len(lengths), "files", sum(lengths))


def _cached(project: Project) -> list[Path]:
    """Files of the project's caches; nothing behind a link."""
    folders = [project.path / name for name in CACHES]
    own = [folder for folder in folders if not folder.is_symlink()]
    return [path for folder in own for path in folder.rglob("*") if path.is_file()]


def prune(project: Project, names: Sequence[str]) -> list[Removable]:
    """Remove what these names say; returns what was there.

    Raises InputError where nothing is called so.
    """
    parts = removable(project, names)
    for one in parts:
        if one.name == "failed":
            _prune_failed(project)
        else:
            for name in CACHES:
                _empty(project.path / name)
    return parts


def _empty(folder: Path) -> None:
    """Remove what a folder holds; a link is left alone."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _prune_failed(project: Project) -> None:
    """Remove the files of failed runs; one that a person took up since gets its events back."""
    database, folder = project.database, project.path / FOLDER
    for row in database.rows("SELECT digest FROM archive WHERE failed"):
        digest = row["digest"]
        with database.write_lock:
            _forget(database, digest)
            if (path := file_of(folder, digest)) is not None:
                path.unlink()


def _forget(database: Database, digest: str) -> None:
    """Let the store name a file no more."""
    sql = f"SELECT id FROM trace WHERE archived = $digest AND {_JUDGED}"
    recall(database, [row["id"] for row in database.rows(sql, {"digest": digest})])

    def work(cursor: Any) -> None:
        cursor.execute(
            "UPDATE trace SET archived = '', events = $none WHERE archived = $digest",
            {"digest": digest, "none": encode_events(())},
        )
        cursor.execute("DELETE FROM archive WHERE digest = $digest", {"digest": digest})
        cursor.execute("UPDATE summary SET turn = turn + 1")  # what was read ahead has them still

    database.transaction(work)
