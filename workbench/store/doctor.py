"""Every invariant of a project that its tables alone cannot hold, checked one by one.

A finding is an error (something stored is missing, has changed or contradicts itself) or a note
(something to know, or to tidy).  Only what cannot lose anything is repaired: files of writers that
were cut off, and the address of an owner that has ended.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.errors import ImageError, ProfileError, StoreError, WorkbenchError
from workbench.events import decode_events
from workbench.images import digest_of
from workbench.snapshot import Snapshot
from workbench.store import archive
from workbench.store.kernel import owner
from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.project import STORE, Project
from workbench.store.reading import snapshots
from workbench.store.reading.outcome import OUTCOMES
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.records.pending import PICTURES, SELECTED
from workbench.store.records.scope import Selection
from workbench.trust import UntrustedCode

NAMED = 5
"""Number of examples in a finding."""

CUT_OFF = 600.0
"""Seconds after which an unfinished file is left over: no writer takes so long for one file."""

ROOM = 1_000_000_000
"""Bytes of free disk below which there is a note."""

READ = 2_000
"""Number of traces whose events are read at a time."""

Progress = Callable[[str, int, int], None]
"""Called with what is looked at, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a project that is not as it has to be."""

    check: str
    """Name of the check, which stays the same for programs that read it."""
    level: Literal["error", "note"]
    what: str
    """What is wrong, in words."""
    count: int
    """Number of things that are wrong in this way."""
    examples: tuple[str, ...]
    """Names of some of them."""
    advice: str
    """What to do about it."""


_AGAIN = "restore a backup (vpd restore), or delete these rows and run the loop again (vpd run)"
_CURATED = "task_id, state, outcome, votes, needed, trace_id, rationale_id"


@dataclass(frozen=True, slots=True)
class _Invariant:
    """Something that has to hold for every row."""

    check: str
    what: str
    """What is wrong with the rows that break it."""
    sql: str
    """A query for the ids of these rows."""
    advice: str = _AGAIN


_INVARIANTS = (
    _Invariant(
        "program-task",
        "programs of no task",
        "SELECT id FROM program WHERE NOT EXISTS (FROM task WHERE task.id = program.task_id)",
    ),
    _Invariant(
        "trace-program",
        "traces of no program",
        """
        SELECT id FROM trace WHERE NOT EXISTS (
            FROM program WHERE program.id = trace.program_id AND program.task_id = trace.task_id
        )
        """,
    ),
    _Invariant(
        "verdict-trace",
        "verdicts on no trace",
        """
        SELECT id FROM verdict WHERE NOT EXISTS (
            FROM trace WHERE trace.id = verdict.trace_id AND trace.program_id = verdict.program_id
        )
        """,
    ),
    _Invariant(
        "rationale-trace",
        "rationales of no trace",
        """
        SELECT id FROM rationale
        WHERE NOT EXISTS (FROM trace WHERE trace.id = rationale.trace_id)
        """,
    ),
    _Invariant(
        "prediction-task",
        "predictions for no task",
        "SELECT id FROM prediction WHERE NOT EXISTS (FROM task WHERE task.id = prediction.task_id)",
    ),
    _Invariant(
        "program-parent",
        "edited programs whose parent is gone",
        """
        SELECT id FROM program
        WHERE parent IS NOT NULL AND parent NOT IN (SELECT id FROM program)
        """,
    ),
    _Invariant(
        "part",
        "records made by a part that is not known",
        """
        SELECT DISTINCT key AS id FROM (
            SELECT sampler AS key FROM program UNION SELECT executor FROM trace
            UNION SELECT verifier FROM verdict UNION SELECT writer FROM rationale
            UNION SELECT model FROM prediction
        ) WHERE key NOT IN (SELECT key FROM part)
        """,
    ),
    _Invariant(
        "decision-task",
        "decisions about no task",
        "SELECT id FROM decision WHERE task_id <> '' AND task_id NOT IN (SELECT id FROM task)",
    ),
    _Invariant(
        "decision-about",
        "decisions about a trace, program or rationale that is gone",
        """
        SELECT id FROM decision
        WHERE (trace_id IS NOT NULL AND trace_id NOT IN (SELECT id FROM trace))
            OR (program_id IS NOT NULL AND program_id NOT IN (SELECT id FROM program))
            OR (rationale_id IS NOT NULL AND rationale_id NOT IN (SELECT id FROM rationale))
        """,
    ),
    _Invariant(
        "snapshot-row",
        "rows of snapshots whose trace or rationale is gone",
        """
        SELECT snapshot || ' ' || task_id AS id FROM snapshot_row
        WHERE (trace_id IS NOT NULL AND trace_id NOT IN (SELECT id FROM trace))
            OR (rationale_id IS NOT NULL AND rationale_id NOT IN (SELECT id FROM rationale))
        """,
        "the snapshot's own folder is still whole; take a new one with: vpd snapshot",
    ),
    _Invariant(
        "twice-sampled",
        "samples that share a task, a sampler, a seed and an index",
        """
        SELECT min(id) AS id FROM program WHERE parent IS NULL
        GROUP BY task_id, sampler, base_seed, index HAVING count(*) > 1
        """,
    ),
    _Invariant(
        "twice-chosen",
        "tasks with two kept traces by one verifier",
        """
        SELECT verdict.task_id AS id
        FROM verdict JOIN trace ON trace.id = verdict.trace_id
            JOIN program ON program.id = trace.program_id
        WHERE chosen
        GROUP BY verdict.task_id, verifier, runs, executor, sampler, base_seed
        HAVING count(*) > 1
        """,
    ),
    _Invariant(
        "curated",
        "tasks whose curated state is not what their events say",
        f"""
        SELECT DISTINCT task_id AS id FROM (
            (SELECT {_CURATED} FROM curated EXCEPT SELECT {_CURATED} FROM item)
            UNION ALL (SELECT {_CURATED} FROM item EXCEPT SELECT {_CURATED} FROM curated)
        )
        """,
        "nothing that was said is lost; please report this",
    ),
)


def examine(folder: Path, quick: bool = False, progress: Progress | None = None) -> list[Finding]:
    """Check a project's folder; an empty list is a sound project.

    Args:
        folder: the project.
        quick: leave out what reads every picture and every trace.
        progress: called with how far it is.
    """
    say = progress or (lambda *_: None)
    findings = [*_files(folder), *_address(folder), *_room(folder), *_log(folder)]
    try:
        with Project.open(folder) as project:
            findings += _profile(project)
            findings += _tables(project, say)
            findings += _pictures(project, quick, say)
            findings += _snapshots(project, quick, say)
            findings += _archive(project, quick)
            if not quick:
                findings += _events(project.database, say)
    except StoreError as error:
        advice = "see the text; vpd restore makes a project of a backup"
        what = f"the store cannot be used: {error}"
        findings.append(Finding("store", "error", what, 1, (), advice))
    return findings


def repair(folder: Path) -> list[str]:
    """Remove files of writers that were cut off, and the address of an owner that has ended.

    Returns:
        Paths of what it removed, within the project.
    """
    removed = []
    for path in _left_over(folder):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        removed.append(str(path.relative_to(folder)))
    if _stale(folder):
        owner.remove_address(folder / STORE)
        removed.append(f"{STORE}.owner")
    return removed


def _finding(
    check: str,
    what: str,
    names: Sequence[str],
    advice: str,
    level: Literal["error", "note"] = "error",
) -> Iterator[Finding]:
    if names:
        yield Finding(check, level, what, len(names), tuple(sorted(names)[:NAMED]), advice)


# --- files


def _left_over(folder: Path) -> list[Path]:
    """Unfinished files and folders that nobody has touched for a while, without their contents."""
    now = time.time()
    paths: list[Path] = []
    for path in sorted(folder.rglob("*.part")):
        inside = any(parent in paths for parent in path.parents)
        if not inside and path.exists() and now - path.stat().st_mtime > CUT_OFF:
            paths.append(path)
    return paths


def _files(folder: Path) -> Iterator[Finding]:
    names = [str(path.relative_to(folder)) for path in _left_over(folder)]
    yield from _finding(
        "part-files",
        "unfinished files of writers that were cut off",
        names,
        "vpd doctor --repair removes them",
        "note",
    )


def _stale(folder: Path) -> bool:
    """Whether the owner whose address is there has ended."""
    address = owner.read_address(folder / STORE)
    if address is None or os.name == "nt":
        return False
    try:
        os.kill(address.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _address(folder: Path) -> Iterator[Finding]:
    if _stale(folder):
        yield Finding(
            "owner",
            "note",
            "the process that owned the store ended without taking leave",
            1,
            (),
            "nothing is lost; the next command takes over, or vpd doctor --repair removes its "
            "address",
        )


_LOG_START = bytes.fromhex("640062650002")
"""How DuckDB's write-ahead log begins: an entry of the kind `version`, and the number 2."""


def _log(folder: Path) -> Iterator[Finding]:
    """A log that DuckDB did not write: it passes over such a file without a word."""
    path = folder / f"{STORE}.wal"
    try:
        with path.open("rb") as file:
            start = file.read(len(_LOG_START))
    except OSError:
        return  # there is none, or another program has it
    if start and start != _LOG_START:
        yield Finding(
            "log",
            "error",
            f"{path.name} is no log of a store: what was written last is not in it",
            1,
            (path.name,),
            "look whether the last records are there (vpd status); restore a backup where they are "
            "not, or move the file away where they are",
        )


def _room(folder: Path) -> Iterator[Finding]:
    try:
        free = shutil.disk_usage(folder).free
        needed = max(ROOM, 2 * (folder / STORE).stat().st_size)
    except OSError:
        return
    if free < needed:
        yield Finding(
            "disk",
            "note",
            f"only {free / 1e9:.1f} GB of disk are free",
            1,
            (),
            f"make room: an upgrade or a backup of this project may need {needed / 1e9:.1f} GB",
        )


def _profile(project: Project) -> Iterator[Finding]:
    try:
        project.profile()
    except UntrustedCode as error:
        yield Finding("code", "note", str(error), 1, (), "nothing of it was run")
    except ProfileError as error:
        yield Finding(
            "profile", "error", str(error), 1, (), "mend profile.toml, or take it from a backup"
        )


# --- tables


def _tables(project: Project, say: Progress) -> Iterator[Finding]:
    database = project.database
    total = len(_INVARIANTS) + 1
    for number, one in enumerate(_INVARIANTS):
        say("tables", number, total)
        ids = [str(row["id"]) for row in database.rows(one.sql)]
        yield from _finding(one.check, one.what, ids, one.advice)
    say("tables", total - 1, total)
    yield from _summary(project)
    say("tables", total, total)


def _summary(project: Project) -> Iterator[Finding]:
    """Check that the summary that Browse reads is what the records say.

    Sums of seconds differ in their last digits with the order of adding, and are left out.
    """
    values: Mapping[str, object] = {
        **bring_up_to_date(project.database).parameters(),
        **Selection().parameters(),
    }
    sql = f"""
    WITH stored AS MATERIALIZED (SELECT * EXCLUDE (updated_at, seconds) FROM outcome),
    {SELECTED}, {OUTCOMES},
    fresh AS MATERIALIZED (SELECT * EXCLUDE (updated_at, seconds) FROM outcome)
    SELECT DISTINCT id FROM (
        (FROM stored EXCEPT FROM fresh) UNION ALL (FROM fresh EXCEPT FROM stored)
    )
    """
    parameters = {name: value for name, value in values.items() if f"${name}" in sql}
    apart = [row["id"] for row in project.database.rows(sql, parameters)]
    yield from _finding(
        "summary",
        "tasks whose line in Browse is not what their records say",
        apart,
        "nothing is lost; vpd sql cannot mend it: please report this",
    )


def _events(database: Database, say: Progress) -> Iterator[Finding]:
    """Check that the events of all traces can be read."""
    ids = [row["id"] for row in database.rows("SELECT id FROM trace ORDER BY id")]
    broken = []
    for start in range(0, len(ids), READ):
        sql = f"SELECT id, events FROM trace WHERE id IN {IDS}"
        for row in database.rows(sql, {"ids": id_list(ids[start : start + READ])}):
            try:
                decode_events(row["events"])
            except ValueError:
                broken.append(row["id"])
        say("traces", min(start + READ, len(ids)), len(ids))
    advice = (
        "the answers are there, the steps are not: delete these traces and run the loop again "
        "(vpd run)"
    )
    yield from _finding("events", "traces whose events cannot be read", broken, advice)


# --- archive, pictures, snapshots


def _archive(project: Project, quick: bool) -> Iterator[Finding]:
    yield from _finding(
        "archive-changed",
        "files of archive/ that are missing or not as they were written",
        archive.changed(project, quick),
        "put them back from a backup; the runs' answers are there, their steps are not",
    )


def _pictures(project: Project, quick: bool, say: Progress) -> Iterator[Finding]:
    every = f"SELECT DISTINCT unnest({PICTURES}) AS image FROM task ORDER BY image"
    digests = [row["image"] for row in project.database.rows(every)]
    missing, changed = [], []
    for number, digest in enumerate(digests):
        path = project.images.path(digest)
        if path is None:
            missing.append(digest)
        elif not quick:
            try:
                if digest_of(path) != digest:
                    changed.append(digest)
            except ImageError:
                missing.append(digest)
        if number % 500 == 0 or number == len(digests) - 1:
            say("pictures", number + 1, len(digests))
    again = "import their tasks again (vpd import), or put the files back from a backup"
    yield from _finding(
        "picture-missing", "pictures of tasks that are not in images/", missing, again
    )
    yield from _finding(
        "picture-changed",
        "pictures that are not the file that was taken in",
        changed,
        f"delete these files, then {again}",
    )


def _snapshots(project: Project, quick: bool, say: Progress) -> Iterator[Finding]:
    folder = project.path / "snapshots"
    hashes = {row.hash for row in snapshots.snapshot_rows(project.database)}
    folders = {
        path.name: path
        for path in sorted(folder.glob("*"))
        if path.is_dir() and not path.name.startswith(".")
    }
    yield from _finding(
        "snapshot-missing",
        "snapshots whose folder is gone",
        sorted(hashes - set(folders)),
        "put the folder back from a backup; a model that was trained on it cannot name its data "
        "otherwise",
    )
    yield from _finding(
        "snapshot-unknown",
        "folders in snapshots/ that the store does not know",
        sorted(set(folders) - hashes),
        "they can be trained on; taking the same snapshot again (vpd snapshot) makes them known",
        "note",
    )
    wrong = []
    for number, (name, path) in enumerate(folders.items(), 1):
        try:
            snapshot = Snapshot.open(path)
            problems = [] if quick else snapshot.problems()
            if snapshot.hash != name:
                problems.append(f"its content has the hash {snapshot.hash}")
        except WorkbenchError as error:
            problems = [str(error)]
        if problems:
            wrong.append(f"{name}: {problems[0]}")
        say("snapshots", number, len(folders))
    yield from _finding(
        "snapshot-changed",
        "snapshots that are not as they were written",
        wrong,
        "delete the folder and take it again (vpd snapshot), or put it back from a backup",
    )
