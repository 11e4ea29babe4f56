"""Who may do what: the file of users, logging in, roles on every change."""

from __future__ import annotations

import base64
import json
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import guesses, people
from app.people import Forbidden, People, Person, add_user, fits, hash_password, need, read_users
from workbench import cli
from workbench.errors import InputError


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same function at a thousandth of its price."""
    monkeypatch.setattr(people, "_COST", 2**7)


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "users.json"
    add_user(path, "ann", "correct horse", "curator")
    add_user(path, "bob", "battery staple", "viewer")
    return path


def test_a_password_is_kept_as_a_salted_hash(users: Path) -> None:
    text = users.read_text()
    assert "correct horse" not in text
    assert stat.S_IMODE(users.stat().st_mode) == 0o600
    assert hash_password("same") != hash_password("same")
    assert fits("same", hash_password("same"))


@pytest.mark.parametrize(
    "kept", ["", "scrypt$", "scrypt$2$8$1$!!$!!", "plain$secret", "scrypt$3$8$1$AAAA$AAAA"]
)
def test_a_damaged_hash_fits_no_password(kept: str) -> None:
    assert not fits("secret", kept)


def test_a_user_can_be_changed(users: Path) -> None:
    add_user(users, "ann", "another one", "admin")
    known = People(users)
    assert known.check("ann", "correct horse") is None
    assert known.check("ann", "another one") == Person("ann", "admin")
    assert known.check("bob", "battery staple") == Person("bob", "viewer")


@pytest.mark.parametrize(
    ("name", "password", "role", "why"),
    [
        ("", "long enough", "curator", "1 to 40 letters"),
        ("a b", "long enough", "curator", "1 to 40 letters"),
        ("ann", "short", "curator", "at least 8"),
        ("ann", "long enough", "king", "there are: viewer, curator, adjudicator, admin"),
    ],
)
def test_a_bad_user_is_refused(
    tmp_path: Path, name: str, password: str, role: str, why: str
) -> None:
    with pytest.raises(InputError, match=why):
        add_user(tmp_path / "users.json", name, password, role)
    assert not (tmp_path / "users.json").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"ann": 1}', '{"ann": {"role": "king", "password": "scrypt$"}}']
)
def test_a_bad_file_is_refused_with_the_way_out(tmp_path: Path, text: str) -> None:
    path = tmp_path / "users.json"
    path.write_text(text)
    with pytest.raises(InputError, match="vpd app add-user"):
        read_users(path)


def test_guessing_has_to_wait_and_the_right_password_with_it(users: Path) -> None:
    known = People(users)
    for _ in range(guesses.TRIES):
        assert known.log_in("ann", "wrong") is None
    with pytest.raises(Forbidden, match="too many wrong passwords for this name"):
        known.log_in("ann", "correct horse")
    assert known.log_in("bob", "battery staple") is not None


def test_who_guesses_elsewhere_locks_nobody_out(users: Path) -> None:
    known = People(users)
    for _ in range(guesses.TRIES):
        known.log_in("ann", "wrong", "203.0.113.9")
    with pytest.raises(Forbidden, match="for this name"):
        known.log_in("ann", "correct horse", "203.0.113.9")
    assert known.log_in("ann", "correct horse", "198.51.100.7") is not None


@pytest.mark.parametrize(
    "address", ["203.0.113.{}", "2001:db8::1:{}"], ids=["one address", "one network of IPv6"]
)
def test_an_address_that_guesses_many_names_has_to_wait(users: Path, address: str) -> None:
    known = People(users)
    one = address.format(9)
    assert known.log_in("bob", "battery staple", one) is not None
    for number in range(guesses.TRIES_OF_ADDRESS):
        place = address.format(number) if ":" in address else one
        assert known.log_in(f"nobody{number}", "wrong", place) is None
    with pytest.raises(Forbidden, match="from your address"):
        known.log_in("ann", "correct horse", one)
    assert known.log_in("bob", "battery staple", one) is not None, "who is known there is let in"
    assert known.log_in("ann", "correct horse", "198.51.100.7") is not None


def test_a_crowd_of_passwords_is_refused_and_not_hashed(
    users: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guesses, "AT_ONCE", 1)
    monkeypatch.setattr(guesses, "WAITING", 0)
    known = People(users)
    begun, go = threading.Event(), threading.Event()
    names = []

    def slow(password: str, kept: str) -> bool:
        names.append(password)
        begun.set()
        return go.wait(20) and False

    monkeypatch.setattr(people, "fits", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(known.log_in, "ann", "first")
        assert begun.wait(20)
        with pytest.raises(Forbidden, match="try again in a few seconds"):
            known.log_in("bob", "second")
        go.set()
        assert first.result(20) is None
    assert known.log_in("bob", "third") is None
    assert names == ["first", "third"]


def test_a_session_ends_when_its_password_changes(users: Path) -> None:
    known = People(users)
    ann, again = (known.log_in("ann", "correct horse") for _ in range(2))
    assert ann is not None
    assert again is not None
    header = "Basic " + base64.b64encode(b"ann:correct horse").decode()
    assert known.of_header(header) == Person("ann", "curator")
    assert known.of_known_header(header) == Person("ann", "curator")
    people.add_user(users, "bob", "another password", "viewer")
    assert known.of_session(ann) is not None, "another's password says nothing of hers"
    people.add_user(users, "ann", "correct horse", "admin")
    assert known.of_session(ann) is None
    assert known.of_known_header(header) is None
    assert known.of_session(again) is None


def test_a_session_ends_with_logging_out_and_with_its_user(users: Path) -> None:
    known = People(users)
    ann, bob = known.log_in("ann", "correct horse"), known.log_in("bob", "battery staple")
    assert ann is not None
    assert bob is not None
    assert known.of_session(ann) == Person("ann", "curator")
    known.log_out(ann)
    assert known.of_session(ann) is None
    users.write_text(json.dumps({"ann": read_users(users)["ann"]}))
    assert known.of_session(bob) is None
    assert known.of_session("made up") is None


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Bearer abc", "Basic YW5u"])
def test_an_unreadable_header_is_nobody(users: Path, header: str) -> None:
    assert People(users).of_header(header) is None


class Request:
    def __init__(self, person: Person | None) -> None:
        self.scope = {"person": person}


@pytest.mark.parametrize("role", people.ROLES)
def test_a_role_may_what_those_before_it_may(role: people.Role) -> None:
    place = people.ROLES.index(role)
    for wanted in people.ROLES[: place + 1]:
        assert need(Request(Person("ann", role)), wanted).name == "ann"
    for wanted in people.ROLES[place + 1 :]:
        with pytest.raises(Forbidden, match=f"needs the role {wanted}; ann is {role}"):
            need(Request(Person("ann", role)), wanted)


def test_nobody_may_nothing() -> None:
    with pytest.raises(Forbidden, match="log in first"):
        need(Request(None), "viewer")


def test_the_command_adds_a_user_and_takes_the_password_from_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    done = CliRunner().invoke(
        cli.app,
        ["app", "add-user", "ann", "--auth", str(path), "--role", "admin"],
        "a long password\n",
    )
    assert done.exit_code == 0
    assert "vpd app --auth" in done.output
    assert People(path).check("ann", "a long password") == Person("ann", "admin")
    assert "a long password" not in path.read_text() + done.output
