"""Logins that outlive the server, in a file that nobody else can have written."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from app import people
from app.main import people_at
from app.people import People, Person, hash_password
from app.sessions import SessionFile, sessions_file

PASSWORD = "a long password"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hashing costs is not looked at here."""
    monkeypatch.setattr(people, "_COST", 2**4)


def write_users(path: Path) -> str:
    """A file with one user; the hash in it, which is another one each time."""
    hashed = hash_password(PASSWORD)
    path.write_text(json.dumps({"ann": {"role": "curator", "password": hashed}}))
    return hashed


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "users.json"
    write_users(path)
    return path


def known(users: Path) -> People:
    """The people of a server that has just begun."""
    begun = people_at(users, None, users.parent / "p")
    assert begun is not None
    return begun


def test_a_session_outlives_the_server_and_ends_with_the_logout(users: Path) -> None:
    first = known(users)
    token, other = (first.log_in("ann", PASSWORD) for _ in range(2))
    assert token is not None
    assert other is not None
    second = known(users)
    assert second.of_session(token) == second.of_session(other) == Person("ann", "curator")
    second.log_out(token)
    third = known(users)
    assert (third.of_session(token), third.of_session(other)) == (None, Person("ann", "curator"))


def test_a_password_that_changed_while_the_server_was_down_ends_its_sessions(users: Path) -> None:
    token = known(users).log_in("ann", PASSWORD)
    assert token is not None
    write_users(users)
    assert known(users).of_session(token) is None


def test_who_came_from_a_provider_stays_for_twelve_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "oidc.toml"
    begun = people_at(None, settings, tmp_path / "p")
    assert begun is not None
    token = begun.admit(Person("eve", "adjudicator"))
    again = people_at(None, settings, tmp_path / "p")
    assert again is not None
    assert again.of_session(token) == Person("eve", "adjudicator")
    later = time.time() + 12 * 3600 + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert not SessionFile(sessions_file(settings, tmp_path / "p")).read()


def test_the_file_gives_nobody_a_session(users: Path) -> None:
    """Its owner alone may read it, and it holds neither token nor password."""
    hashed = write_users(users)
    token = known(users).log_in("ann", PASSWORD)
    file = sessions_file(users, users.parent / "p")
    assert token is not None
    for secret in (token, hashed, PASSWORD):
        assert secret not in file.read_text()
    assert sorted(users.parent.iterdir()) == sorted([users, file]), "no part is left"
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_a_file_that_others_may_write_is_not_believed(users: Path) -> None:
    token = known(users).log_in("ann", PASSWORD)
    sessions_file(users, users.parent / "p").chmod(0o620)
    assert token is not None
    assert known(users).of_session(token) is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "\xff",
        '{"a": {"name": "ann"}}',
        '{"a": {"name": "ann", "until": "never", "role": null, "password": ""}}',
        '{"a": {"name": "ann", "until": 9e9, "role": "god", "password": ""}}',
    ],
)
def test_a_damaged_file_has_everybody_log_in_again(users: Path, text: str) -> None:
    file = sessions_file(users, users.parent / "p")
    file.write_text(text, encoding="latin-1")
    file.chmod(0o600)
    assert not SessionFile(file).read()
    assert known(users).log_in("ann", PASSWORD)
    assert len(SessionFile(file).read()) == 1


def test_a_file_that_cannot_be_written_is_said_once(
    users: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = People(users, users.parent / "none" / "sessions")
    tokens = [begun.log_in("ann", PASSWORD) for _ in range(2)]
    assert all(token and begun.of_session(token) for token in tokens)
    assert capsys.readouterr().err.count("logins end with this server") == 1


def test_each_project_has_logins_of_its_own(users: Path) -> None:
    token = known(users).log_in("ann", PASSWORD)
    elsewhere = people_at(users, None, users.parent / "q")
    assert token is not None
    assert elsewhere is not None
    assert elsewhere.of_session(token) is None
