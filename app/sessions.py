"""Logins in a file, so that they outlive the server: a restart keeps everybody logged in.

The file lies beside the file of users (or the settings of the sign-on), readable by its owner
alone.  It holds no token and no password: a session stands under the digest of its token, with a
digest of the hash of the password that it began with.  A file that somebody else could have written
is not read.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.records import ROLES, Role


@dataclass(frozen=True, slots=True)
class LoginSession:
    """One login."""

    name: str
    until: float
    """Seconds since 1970."""
    role: Role | None = None
    """Role of a person whom a sign-on provider vouched for; None: the file of users has it."""
    password: str = ""
    """Digest of the hash of the password with which it began: the session ends when that changes.
    """


def digest(text: str) -> str:
    """A token, or the hash of a password, as it is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def sessions_file(beside: Path, project: Path) -> Path:
    """Where the logins of a project's server are kept.

    Args:
        beside: the file of users, or the settings of the sign-on.
        project: folder of the project.
    """
    return beside.with_name(f"{beside.name}.sessions-{digest(str(project.resolve()))[:12]}")


class SessionFile:
    """The logins of a server, as they stand in a file.

    Args:
        path: the file, which need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._warned = False

    def read(self) -> dict[str, LoginSession]:
        """The logins that have not ended, by digest of their token.

        A file that is damaged, or that others may write, holds none: everybody logs in again.
        """
        try:
            status = self.path.stat()
            if os.name == "posix" and (status.st_uid != os.geteuid() or status.st_mode & 0o022):
                return {}
            rows = json.loads(self.path.read_text(encoding="utf-8"))
            sessions = {key: _session(row) for key, row in rows.items()}
        except (OSError, ValueError, TypeError, AttributeError, KeyError):
            return {}
        now = time.time()
        return {key: one for key, one in sessions.items() if one.until > now}

    def change(self, new: Mapping[str, LoginSession], ended: str = "") -> None:
        """Write some logins to those of the file.

        A file that cannot be written is said once: logins then end with the server.

        Args:
            new: logins by digest of their token.
            ended: digest of a token that is not to stand there any more.
        """
        rows = {key: one for key, one in {**self.read(), **new}.items() if key != ended}
        text = json.dumps({key: asdict(one) for key, one in rows.items()})
        part = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.part")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(part, flags, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            part.replace(self.path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            if not self._warned:
                self._warned = True
                print(
                    f"logins end with this server: {self.path} cannot be written "
                    f"({error.strerror})",
                    file=sys.stderr,
                    flush=True,
                )


def _session(row: Mapping[str, object]) -> LoginSession:
    """A login from its row; raises ValueError where the row is none."""
    name, until, role, password = (row[key] for key in ("name", "until", "role", "password"))
    if not (
        isinstance(name, str)
        and isinstance(until, int | float)
        and isinstance(password, str)
        and (role is None or role in ROLES)
    ):
        raise ValueError("the row is no login")
    return LoginSession(name, float(until), role, password)
