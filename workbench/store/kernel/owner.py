"""The owner's address, in a file that only its user can read, and the server behind it.

The owner serves the store with Quack, DuckDB's client-server protocol, on the loopback interface of
this machine. The extensions come as wheels beside DuckDB's own and are loaded from there: nothing
is downloaded or installed. Their signature is not checked again, which would cost each command 0.15
s: they are as trusted as any other package in the environment, and a query cannot load anything.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench import __version__

EXTENSIONS = ("httpfs", "quack")
WHEELS = "duckdb-extension-httpfs==1.5.5 duckdb-extension-quack==1.5.5"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the owner of a store serves it."""

    pid: int
    name: str
    """Name of the owner's program."""
    uri: str | None
    """None where the owner cannot serve (no wheels for its platform)."""
    token: str
    version: str
    """Version of the owner's workbench."""


def beside(store: Path, what: str) -> Path:
    """A file that belongs to a store.

    `owner` is the owner's address; the others are locks: `lock` is held by the owner, `write` by
    whoever writes, and `turn` by whoever writes next.
    """
    return store.with_name(f"{store.name}.{what}")


def read_address(store: Path) -> Address | None:
    """The owner's address; None where the file is missing or cannot be read."""
    try:
        return Address(**json.loads(beside(store, "owner").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_address(store: Path, address: Address) -> None:
    """Replace the file as a whole; only this user may read it.  Raises OSError."""
    target = beside(store, "owner")
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(address), file)
        part.replace(target)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def remove_address(store: Path) -> None:
    """Delete the file with the owner's address, where it is."""
    with suppress(OSError):
        beside(store, "owner").unlink()


@cache
def binaries() -> tuple[Path, ...]:
    """The extensions' files, in the order of loading; empty where a wheel is missing."""
    paths = []
    for name in EXTENSIONS:
        spec = find_spec(f"duckdb_extension_{name}")
        folders = spec.submodule_search_locations if spec is not None else None
        files = [
            path
            for folder in folders or ()
            for path in Path(folder).rglob(f"{name}.duckdb_extension")
        ]
        if not files:
            return ()
        paths.append(files[0])
    return tuple(paths)


def load(connection: Any, files: Sequence[Path]) -> None:
    """Load the extensions into a connection's database."""
    for path in files:
        quoted = str(path).replace("'", "''")
        connection.execute(f"LOAD '{quoted}'")


def serve(cursor: Any, pid: int, name: str) -> Address:
    """Serve a database on a free port of the loopback interface, with a token of its own.

    Args:
        cursor: of the database.
        pid: number of the process that owns the database, for the address.
        name: the process's name, for the address.
    """
    token = secrets.token_hex(24)
    for attempt in range(20):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            uri = f"quack:127.0.0.1:{probe.getsockname()[1]}"
        try:
            cursor.execute(f"CALL quack_serve('{uri}', token='{token}')").fetchall()
        except Exception:
            # Between asking for a free port and taking it another program may have had it.
            if attempt == 19:
                raise
            continue
        return Address(pid, name, uri, token, __version__)
    raise AssertionError


def stop(cursor: Any, but: str | None = None) -> None:
    """Stop every server of a database but one; uncommitted work of their sessions is undone."""
    for (uri,) in cursor.execute("SELECT listen_uri FROM quack_server_list()").fetchall():
        if uri != but:
            cursor.execute(f"CALL quack_stop('{uri}')").fetchall()
