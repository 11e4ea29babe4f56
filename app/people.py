"""Who looks and who may do what: the file of users, roles, passwords, sessions.

On this machine alone nobody logs in: whoever can open the page can open the project's files as
well.  Bound to any other address, the server needs a file of users (`vpd app add-user`).  Passwords
are kept as scrypt hashes (RFC 7914, with the parameters that OWASP names as a minimum: N = 2^17, r
= 8, p = 1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from app.guesses import Guesses, TooMany
from app.sessions import LoginSession, SessionFile, digest
from workbench.errors import InputError, WorkbenchError
from workbench.records import ROLES, Role

SESSION_HOURS = 12
COOKIE = "vpd_session"
SIGN_ON_COOKIE = "vpd_sign_on"
"""Name of the cookie of a browser that is under way to a sign-on provider and back."""
SHORTEST = 8
"""Fewest characters of a password."""

_COST, _BLOCK, _LANES = 2**17, 8, 1
_MEMORY = 256 * 1024 * 1024
_NAME = re.compile(r"[\w.@-]{1,40}")


class Forbidden(WorkbenchError):
    """This person may not do this."""


class SignOnProblem(WorkbenchError):
    """A sign-in that did not succeed, in words for the person who tried.

    Args:
        message: what went wrong and what to do next.
        status: HTTP status of the page that says so.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, and what that person may do."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether the person has this role or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


def hash_password(password: str, salt: bytes | None = None) -> str:
    """The text `scrypt$N$r$p$salt$hash`, with salt and hash in base64."""
    salt = secrets.token_bytes(16) if salt is None else salt
    digest = hashlib.scrypt(
        password.encode(), salt=salt, n=_COST, r=_BLOCK, p=_LANES, maxmem=_MEMORY, dklen=32
    )
    packed_salt, packed_hash = (base64.b64encode(data).decode() for data in (salt, digest))
    return f"scrypt${_COST}${_BLOCK}${_LANES}${packed_salt}${packed_hash}"


def fits(password: str, kept: str) -> bool:
    """Whether the password is the one that was hashed.  A damaged hash fits nothing."""
    try:
        _, cost, block, lanes, salt, packed_hash = kept.split("$")
        digest = hashlib.scrypt(
            password.encode(),
            salt=base64.b64decode(salt),
            n=int(cost),
            r=int(block),
            p=int(lanes),
            maxmem=_MEMORY,
            dklen=32,
        )
        return hmac.compare_digest(digest, base64.b64decode(packed_hash))
    except (ValueError, binascii.Error):
        return False


def read_users(path: Path) -> dict[str, dict[str, str]]:
    """The users of a file, by name.  Raises InputError saying what is wrong with it."""
    how = f"make one with: vpd app add-user NAME --auth {path}"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"there is no file of users at {path}; {how}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"the file of users {path} cannot be read ({error}); {how}") from error
    if not isinstance(raw, dict):
        raise InputError(
            f"{path} is not a file of users: expected an object with one entry per name; {how}"
        )
    for name, row in raw.items():
        if (
            not isinstance(row, dict)
            or row.get("role") not in ROLES
            or not str(row.get("password")).startswith("scrypt$")
        ):
            raise InputError(
                f"{path}: the entry of '{name}' needs a role ({', '.join(ROLES)}) and a hashed "
                f"password; {how}"
            )
    if not raw:
        raise InputError(f"{path} names no user; {how}")
    return raw


def add_user(path: Path, name: str, password: str, role: str) -> None:
    """Add a user to a file, or change one; the file is made where there is none, readable by its
    owner alone.

    Args:
        path: the file.
        name: of the user.
        password: in plain text; its hash is stored.
        role: one of `ROLES`.

    Raises:
        InputError: the name, the password or the role is not as expected, or the file cannot be
            written.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"a user's name has 1 to 40 letters, digits or . _ @ -; found {name!r}")
    if role not in ROLES:
        raise InputError(f"no role is called '{role}'; there are: {', '.join(ROLES)}")
    if len(password) < SHORTEST:
        raise InputError(f"the password has {len(password)} characters; give at least {SHORTEST}")
    users = read_users(path) if path.exists() else {}
    users[name] = {"role": role, "password": hash_password(password)}
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump(users, file, indent=1)
        part.replace(path)
    except OSError as error:
        raise InputError(
            f"the file of users {path} cannot be written ({error.strerror}); choose another place"
        ) from error


class People:
    """Who is logged in: users of a file, read anew when it changes, and people from a provider.

    Args:
        path: the file of users; None where everybody signs on at a provider.
        sessions: the file that keeps logins over a restart; None keeps them in memory alone.
    """

    def __init__(self, path: Path | None, sessions: Path | None = None) -> None:
        self.path = path
        self._file = SessionFile(sessions) if sessions is not None else None
        self._stamp = -1
        self._users: Mapping[str, Mapping[str, str]] = {}
        self._sessions = self._file.read() if self._file is not None else {}
        """Logins by digest of their token."""
        self._right_pairs: dict[bytes, tuple[str, float]] = {}
        """Pairs of name and password that count as right: name and until when, by digest."""
        self._guesses = Guesses()
        self._lock = threading.Lock()
        self._salt = secrets.token_bytes(16)
        self._decoy = hash_password(secrets.token_hex(8))
        self._read()

    def _read(self) -> Mapping[str, Mapping[str, str]]:
        if self.path is None:
            return {}
        stamp = self.path.stat().st_mtime_ns if self.path.exists() else 0
        if stamp != self._stamp:
            self._users, self._stamp = read_users(self.path), stamp
            self._right_pairs.clear()
        return self._users

    def _person(self, name: str) -> Person | None:
        row = self._read().get(name)
        return Person(name, cast(Role, row["role"])) if row else None

    def check(self, name: str, password: str, address: str = "") -> Person | None:
        """The person, or None where name and password do not belong together.

        It hashes, which takes a while: never call it in a loop of events.

        Args:
            name: who wants to log in.
            password: in plain text.
            address: where the request came from.

        Raises:
            Forbidden: too many wrong passwords came in a minute, or too many come at once.
        """
        try:
            with self._guesses.place():
                # asked in here, so that a crowd that waits cannot try more often than one after
                # another
                self._guesses.check(name, address)
                row = self._read().get(name)
                right = fits(password, row["password"] if row else self._decoy) and row is not None
                self._guesses.count(name, address, right)
        except TooMany as error:
            raise Forbidden(str(error)) from error
        return self._person(name) if right else None

    def log_in(self, name: str, password: str, address: str = "") -> str | None:
        """A new session's token, or None when name and password do not belong together.

        Args:
            name: who wants to log in.
            password: in plain text.
            address: where the request came from.

        Raises:
            Forbidden: as `check` raises it.
        """
        return None if self.check(name, password, address) is None else self._open(name)

    def admit(self, person: Person) -> str:
        """A new session's token for somebody whom a sign-on provider vouched for.

        Raises:
            Forbidden: a user of the file has this name, and decisions are kept by name.
        """
        if person.name in self._read():
            raise Forbidden(
                f"{person.name} is a user of this server with a password; log in with it, or ask "
                "whoever runs this server to take that user out of the file of users"
            )
        return self._open(person.name, person.role)

    def _open(self, name: str, role: Role | None = None) -> str:
        token = secrets.token_urlsafe(32)
        now = time.time()
        until = now + SESSION_HOURS * 3600
        new = {digest(token): LoginSession(name, until, role, self._password_of(name))}
        with self._lock:
            self._sessions = {key: row for key, row in self._sessions.items() if row.until > now}
            self._sessions |= new
            if self._file is not None:
                self._file.change(new)
        return token

    def _password_of(self, name: str) -> str:
        """The digest of the hash of a user's password; empty for somebody whom a provider vouched
        for.
        """
        row = self._read().get(name)
        return digest(row["password"]) if row else ""

    @property
    def has_passwords(self) -> bool:
        """Whether anybody can log in with a password."""
        return bool(self._read())

    def log_out(self, token: str) -> None:
        """End a session."""
        with self._lock:
            if self._sessions.pop(digest(token), None) is not None and self._file is not None:
                self._file.change({}, ended=digest(token))

    def of_session(self, token: str) -> Person | None:
        """Whose session it is; None where it has ended, or never began."""
        session = self._sessions.get(digest(token))
        if session is None or session.until <= time.time():
            return None
        if session.role is not None:
            return Person(session.name, session.role)
        if self._password_of(session.name) != session.password:
            self.log_out(token)  # the password was changed: whoever knew the old one is out
            return None
        return self._person(session.name)

    def of_known_header(self, value: str) -> Person | None:
        """The person of an `Authorization` header (HTTP Basic) that was right within ten minutes.

        Nothing is hashed: the answer comes at once.
        """
        pair = _pair(value)
        if pair is None or self._right_pairs.get(self._key(value), ("", 0.0))[1] <= _now():
            return None
        self._read()  # a changed file forgets all pairs
        return self._person(pair[0]) if self._key(value) in self._right_pairs else None

    def of_header(self, value: str, address: str = "") -> Person | None:
        """The person of an `Authorization` header, for scripts and MCP clients; None where it names
        none.  A pair that was right counts as right for ten minutes.

        Args:
            value: of the header.
            address: where the request came from.

        Raises:
            Forbidden: as `check` raises it.
        """
        pair = _pair(value)
        if pair is None:
            return None
        earlier = self.of_known_header(value)
        if earlier is not None:
            return earlier
        name, password = pair
        person = self.check(name, password, address)
        if person is not None:
            with self._lock:
                if len(self._right_pairs) > 1000:
                    self._right_pairs.clear()
                self._right_pairs[self._key(value)] = (name, _now() + 600)
        return person

    def _key(self, value: str) -> bytes:
        """A header's value as it is remembered: the password is not kept."""
        return hmac.digest(self._salt, value.partition(" ")[2].encode(), "sha256")


def _now() -> float:
    return time.monotonic()


def _pair(value: str) -> tuple[str, str] | None:
    """Name and password of a Basic header; None where it is none."""
    kind, _, packed = value.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(packed, validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return None
    return name, password


def person_of(request: Any) -> Person:
    """Who sent a request: FastAPI's, or Gradio's around it."""
    inner = getattr(request, "request", None) or request
    person = inner.scope.get("person")
    if not isinstance(person, Person):
        raise Forbidden("log in first")
    return person


def need(request: Any, role: Role) -> Person:
    """The person, who must have this role or a higher one.  Raises Forbidden."""
    person = person_of(request)
    if not person.may(role):
        raise Forbidden(f"this needs the role {role}; {person.name} is {person.role}")
    return person


def _needs(role: Role) -> Callable[[Request], Person]:
    def check(request: Request) -> Person:
        return need(request, role)

    return check


Viewer = Annotated[Person, Depends(_needs("viewer"))]
Curator = Annotated[Person, Depends(_needs("curator"))]
Admin = Annotated[Person, Depends(_needs("admin"))]
"""Annotate a route's argument with one of these: the role is checked before the route runs."""
