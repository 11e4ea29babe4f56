"""Backup and restore: a project as it is at one moment, while others go on reading and, a moment
later, writing.

A backup is a folder: `backup.json`, the store's file, the profile, the probes' answers, and links
to (or copies of) pictures and snapshots.  Every write of every process takes the store's write
lock, and what was committed lies in the file and its log; so both are copied while that lock is
held, and the copy is opened and counted before it is called a backup.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from workbench import __version__
from workbench.errors import InputError, StoreError
from workbench.snapshot.folder import place
from workbench.store.kernel.database import Database, now
from workbench.store.project import FOLDERS, PROFILE, STORE, Project

NAME = "backup.json"
KEPT = ("images", "snapshots")
"""Folders that go with the store."""
GROWING = "evaluations"
"""What probes said: files that are appended to, so that they are copied and never linked."""

# In a process of its own: DuckDB locks its file with a POSIX lock, and a process loses such a lock
# as soon as it closes any handle on that file.
_COPY = """
import shutil, sys
from pathlib import Path
for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
    if Path(source).exists():
        shutil.copyfile(source, target)
"""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself."""

    created_at: str
    """UTC, ISO 8601."""
    version: str
    """Of the workbench."""
    sha256: str
    """Of the store's file."""
    tables: Mapping[str, int]
    """Rows by table."""
    files: Mapping[str, int]
    """Files of each folder that went with it; without a folder: it was left out."""


def back_up(
    project: Project, target: Path | None = None, images: bool = True, copy: bool = False
) -> Path:
    """Write a backup and return its folder.

    Args: target: a new or empty folder; `backups/<time>` of the project when left out. images:
        pictures and snapshots go with it. copy: copies instead of hard links.  A link costs nothing
        and outlives the project's own file, but it lies
            on the same disk.  Where links cannot be made, copies are.

    Raises:
        InputError: the folder holds something, or cannot be written.
        StoreError: the copy is not whole; nothing is left of it.
    """
    folder = target or project.path / "backups" / f"{now():%Y%m%d-%H%M%S}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already; a backup needs a new or empty folder")
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    try:
        part.mkdir(parents=True)
        with project.database.write_lock:
            counted = count(project.database)
            _copy_store(project.database.path, part / STORE)
        tables = _verified(part / STORE, counted)
        shutil.copyfile(project.path / PROFILE, part / PROFILE)
        files = (
            {name: _take(project.path / name, part / name, copy) for name in KEPT} if images else {}
        )
        files[GROWING] = _take(project.path / GROWING, part / GROWING, True)
        made = Backup(
            now().isoformat(timespec="seconds"), __version__, _sha256(part / STORE), tables, files
        )
        (part / NAME).write_text(json.dumps(asdict(made), indent=1), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    except OSError as error:
        raise InputError(
            f"no backup can be written to {folder} ({error.strerror}); make room, or choose another"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def restore(backup: Path, target: Path) -> Backup:
    """Make a project of a backup, in a new or empty folder; the backup stays as it is.

    Raises:
        InputError: no backup there; it was changed or is not whole; the folder holds something.
    """
    made = read(backup)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(
            f"{target} is there already; a backup is restored into a new or empty folder"
        )
    if _sha256(backup / STORE) != made.sha256:
        raise InputError(f"{backup / STORE} was changed after it was written; use another backup")
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        part.mkdir(parents=True)
        for name in (STORE, PROFILE):
            shutil.copyfile(backup / name, part / name)
        for name in FOLDERS:
            (part / name).mkdir()
        for name, wanted in made.files.items():
            found = _take(backup / name, part / name, True)
            if found != wanted:
                raise InputError(
                    f"{backup / name} has {found} files, and had {wanted}; use another backup"
                )
        if target.exists():
            target.rmdir()
        part.rename(target)
    except OSError as error:
        raise InputError(
            f"nothing can be restored to {target} ({error.strerror}); choose another folder"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return made


def read(backup: Path) -> Backup:
    """What a backup says of itself.  Raises InputError when there is none."""
    try:
        return Backup(**json.loads((backup / NAME).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise InputError(
            f"there is no backup at {backup} (no {NAME}); make one with: vpd backup"
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{backup / NAME} cannot be read ({error}); use another backup") from error


def count(database: Database) -> dict[str, int]:
    """Rows of each table, by name."""
    return {name: int(database.rows(sql)[0]["n"]) for name, sql in _counts(database.rows(_TABLES))}


_TABLES = "SELECT table_name AS name FROM duckdb_tables() WHERE NOT internal ORDER BY table_name"


def _counts(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(row["name"], f'SELECT count(*) AS n FROM "{row["name"]}"') for row in rows]


def _copy_store(store: Path, target: Path) -> None:
    """The store's file and its log."""
    pairs = [
        (store.with_name(store.name + end), target.with_name(target.name + end))
        for end in ("", ".wal")
    ]
    named = [str(path) for pair in pairs for path in pair]
    done = subprocess.run([sys.executable, "-c", _COPY, *named], capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it ended"])[-1]
        raise InputError(
            f"the store cannot be copied to {target.parent} ({why}); make room, or choose another folder"
        )


def _verified(store: Path, wanted: Mapping[str, int]) -> dict[str, int]:
    """Open a copy, fold its log in, count its rows.  Raises StoreError when they are not those
    wanted.
    """
    try:
        with duckdb.connect(str(store), config={"autoinstall_known_extensions": False}) as copy:
            copy.execute("SET enable_external_access = false")
            names = [{"name": name} for (name,) in copy.execute(_TABLES).fetchall()]
            found = {name: int(copy.execute(sql).fetchall()[0][0]) for name, sql in _counts(names)}
    except duckdb.Error as error:
        raise StoreError(f"the copy of the store cannot be opened ({error}); try again") from error
    with suppress(OSError):
        store.with_name(store.name + ".wal").unlink()
    if found != wanted:
        apart = next(
            name for name in sorted({*found, *wanted}) if found.get(name) != wanted.get(name)
        )
        why = f"{found.get(apart)} rows in {apart}, not {wanted.get(apart)}"
        raise StoreError(f"the copy of the store is not whole ({why}); try again")
    return found


def _take(source: Path, target: Path, copy: bool) -> int:
    """Every finished file under `source`, linked or copied to `target`; returns how many."""
    found = 0
    target.mkdir(exist_ok=True)
    for path in sorted(source.rglob("*")):
        inner = path.relative_to(source)
        if (
            not path.is_file()
            or path.suffix == ".part"
            or any(name.endswith(".part") for name in inner.parts)
        ):
            continue
        if copy:
            (target / inner).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / inner)
        else:
            place(path, target / inner)
        found += 1
    return found


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); use another backup") from error
