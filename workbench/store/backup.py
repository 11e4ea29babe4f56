"""Backup and restore of a project as it is at one moment, while other processes go on.

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
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from workbench import __version__
from workbench.errors import InputError, StoreError
from workbench.local_files import real_path
from workbench.snapshot.folder import place
from workbench.store.kernel.archived import FOLDER as ARCHIVE
from workbench.store.kernel.database import Database, now
from workbench.store.project import FOLDERS, PROFILE, STORE, Project

NAME = "backup.json"
KEPT = ("images", "snapshots")
"""Folders whose files go with the store, linked or copied."""
GROWING = "evaluations"
"""Folder of files that are appended to, so that they are copied and never linked."""
TAKEN = (ARCHIVE, *KEPT, GROWING)
"""Every folder that a backup may hold; the archive goes with each store that names its files."""

# Run in a process of its own: DuckDB locks its file with a POSIX lock, and a process loses such a
# lock as soon as it closes any handle on that file.
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
    """Time of the backup, UTC, as ISO 8601."""
    version: str
    """Version of the workbench that wrote it."""
    sha256: str
    """Digest of the store's file."""
    tables: Mapping[str, int]
    """Number of rows of each table."""
    files: Mapping[str, int]
    """Number of files of each folder that is part of it."""


def back_up(
    project: Project, target: Path | None = None, images: bool = True, copy: bool = False
) -> Path:
    """Write a backup and return its folder.

    Args:
        project: what to back up.
        target: a new or empty folder; None takes `backups/<time>` of the project.
        images: whether pictures and snapshots go with it.
        copy: make copies instead of hard links.  A link costs nothing and outlives the project's
            own file, but it lies on the same disk.  Where links cannot be made, copies are.

    Raises:
        InputError: the folder has something in it, or cannot be written.
        StoreError: the copy is not whole; nothing is left of it.
    """
    folder = target or project.path / "backups" / f"{now():%Y%m%d-%H%M%S}"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already; a backup needs a new or empty folder")
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    try:
        part.mkdir(parents=True)
        with project.database.write_lock:
            counts = count(project.database)
            _copy_store(project.database.path, part / STORE)
            names = (ARCHIVE,) if (project.path / ARCHIVE).is_dir() else ()
            files = {name: _take(project.path / name, part / name, copy) for name in names}
        tables = _verified(part / STORE, counts)
        shutil.copyfile(project.path / PROFILE, part / PROFILE)
        kept = KEPT if images else ()
        files |= {name: _take(project.path / name, part / name, copy) for name in kept}
        files[GROWING] = _take(project.path / GROWING, part / GROWING, True)
        backup = Backup(
            datetime.now(UTC).isoformat(timespec="seconds"),
            __version__,
            _sha256(part / STORE),
            tables,
            files,
        )
        (part / NAME).write_text(json.dumps(asdict(backup), indent=1), encoding="utf-8")
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
    """Make a project of a backup, which stays as it is.

    Args:
        backup: the backup's folder.
        target: a new or empty folder.

    Raises:
        InputError: there is no backup, it was changed or is not whole, or the folder has
            something in it.
    """
    record = read(backup)
    _check_no_links(backup)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(
            f"{target} is there already; a backup is restored into a new or empty folder"
        )
    if _sha256(backup / STORE) != record.sha256:
        raise InputError(f"{backup / STORE} was changed after it was written; use another backup")
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        part.mkdir(parents=True)
        for name in (STORE, PROFILE):
            shutil.copyfile(backup / name, part / name)
        for name in FOLDERS:
            (part / name).mkdir()
        for name, number in record.files.items():
            count_now = _take(backup / name, part / name, True)
            if count_now != number:
                raise InputError(
                    f"{backup / name} has {count_now} files, and had {number}; use another backup"
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
    return record


def read(backup: Path) -> Backup:
    """What a backup says of itself.  Raises InputError when there is no backup."""
    path = backup / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"there is no backup at {backup} (no {NAME}); make one with: vpd backup"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read ({error}); use another backup") from error
    if why := _fault_of(content):
        raise InputError(f"{path} cannot be read ({why}); use another backup")
    return Backup(**content)


def _fault_of(content: object) -> str | None:
    """What is wrong with the content of a `backup.json`; it may come from anybody."""
    if not isinstance(content, dict):
        return f"it holds a {type(content).__name__}, not an object"
    fields = sorted(Backup.__dataclass_fields__)
    if sorted(content) != fields:
        return f"it has {', '.join(map(str, sorted(content)))[:200]}, not {', '.join(fields)}"
    for name in ("created_at", "version", "sha256"):
        if not isinstance(content[name], str):
            return f"{name} is no text"
    for name in ("tables", "files"):
        if not _are_counts(content[name]):
            return f"{name} does not give a whole number for each name"
    strange = [name for name in content["files"] if name not in TAKEN]
    if strange:
        folders = ", ".join(TAKEN)
        return f"files names the folder {strange[0][:100]!r}; {folders} may stand there"
    return None


def _are_counts(content: object) -> bool:
    return isinstance(content, dict) and all(
        type(number) is int and number >= 0 for number in content.values()
    )


def _check_no_links(backup: Path) -> None:
    """Raises InputError where a backup holds a symbolic link, which may lead anywhere."""
    for name in (NAME, STORE, PROFILE, *TAKEN):
        top = backup / name
        inner = top.rglob("*") if top.is_dir() and not top.is_symlink() else ()
        for path in (top, *inner):
            if path.is_symlink():
                raise InputError(
                    f"{path} is a symbolic link, and a backup holds none of its own making; "
                    "put the file in its place, or use another backup"
                )


def count(database: Database) -> dict[str, int]:
    """Rows of each table, by name."""
    return {name: int(database.rows(sql)[0]["n"]) for name, sql in _counts(database.rows(_TABLES))}


_TABLES = "SELECT table_name AS name FROM duckdb_tables() WHERE NOT internal ORDER BY table_name"


def _counts(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(row["name"], f'SELECT count(*) AS n FROM "{row["name"]}"') for row in rows]


def _copy_store(store: Path, target: Path) -> None:
    """Copy the store's file and its log."""
    pairs = [
        (store.with_name(store.name + end), target.with_name(target.name + end))
        for end in ("", ".wal")
    ]
    named = [str(path) for pair in pairs for path in pair]
    done = subprocess.run([sys.executable, "-c", _COPY, *named], capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it ended"])[-1]
        raise InputError(
            f"the store cannot be copied to {target.parent} ({why}); "
            "make room, or choose another folder"
        )


def _verified(store: Path, counts: Mapping[str, int]) -> dict[str, int]:
    """Rows of each table of a copy, after its log was folded in.

    Raises StoreError when they are not as many as `counts` says.
    """
    try:
        with duckdb.connect(str(store), config={"autoinstall_known_extensions": False}) as copy:
            copy.execute("SET enable_external_access = false")
            names = [{"name": name} for (name,) in copy.execute(_TABLES).fetchall()]
            copied = {name: int(copy.execute(sql).fetchall()[0][0]) for name, sql in _counts(names)}
    except duckdb.Error as error:
        raise StoreError(f"the copy of the store cannot be opened ({error}); try again") from error
    with suppress(OSError):
        store.with_name(store.name + ".wal").unlink()
    if copied != counts:
        apart = next(
            name for name in sorted({*copied, *counts}) if copied.get(name) != counts.get(name)
        )
        why = f"{copied.get(apart)} rows in {apart}, not {counts.get(apart)}"
        raise StoreError(f"the copy of the store is not whole ({why}); try again")
    return copied


def _take(source: Path, target: Path, copy: bool) -> int:
    """Link or copy every finished file of a folder; returns how many there are."""
    number = 0
    root = real_path(target)
    target.mkdir(exist_ok=True)
    for path in sorted(source.rglob("*")):
        inner = path.relative_to(source)
        if (
            not path.is_file()
            or path.suffix == ".part"
            or any(name.endswith(".part") for name in inner.parts)
        ):
            continue
        if not real_path(target / inner).is_relative_to(root):
            raise InputError(f"{path} would lie outside {target}; use another backup")
        if copy:
            (target / inner).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / inner)
        else:
            place(path, target / inner)
        number += 1
    return number


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); use another backup") from error
