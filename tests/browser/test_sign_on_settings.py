"""The settings of a sign-on: what is read, what is refused, and which role somebody gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import page_project
import pytest
from provider import CLIENT
from typer.testing import CliRunner

from app.people import Forbidden, Person
from app.sign_on import SignOn, person_of_claims
from app.sign_on_settings import SignOnSettings, check_public_url, read_settings
from workbench import cli
from workbench.errors import InputError

GROUPS = {"labellers": "curator", "owners": "admin"}


def settings(**changes: object) -> SignOnSettings:
    return SignOnSettings("https://login.example.org", CLIENT, **changes)  # type: ignore[arg-type]


ANN = {"sub": "1", "email": "Ann@Example.org", "email_verified": True, "preferred_username": "ann"}


@pytest.mark.parametrize(
    ("given", "claims", "role"),
    [
        ({"groups": GROUPS}, {"groups": ["labellers", "owners", 7, None]}, "admin"),
        ({"groups": GROUPS}, {"groups": "labellers"}, "curator"),
        (
            {"groups": GROUPS, "groups_claim": "realm.roles"},
            {"realm": {"roles": ["owners"]}},
            "admin",
        ),
        ({"emails": {"@example.org": "viewer"}}, {}, "viewer"),
        (
            {"emails": {"@example.org": "viewer", "ann@example.org": "adjudicator"}},
            {},
            "adjudicator",
        ),
        ({"default_role": "viewer"}, {}, "viewer"),
        ({"default_role": "viewer", "groups": GROUPS}, {"groups": ["labellers"]}, "curator"),
    ],
)
def test_the_highest_role_counts(
    given: dict[str, object], claims: dict[str, object], role: str
) -> None:
    person = person_of_claims(settings(name_claim="preferred_username", **given), ANN | claims)
    assert person == Person("ann", role)


def test_an_address_that_nobody_verified_gives_no_role() -> None:
    for verified in (False, "true", None):
        with pytest.raises(Forbidden, match="has no role here"):
            person_of_claims(
                settings(name_claim="preferred_username", emails={"@example.org": "admin"}),
                ANN | {"email_verified": verified},
            )


# --- settings

GOOD = 'issuer = "https://login.example.org"\nclient_id = "vpd"\n'


def test_settings_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sign-on.toml"
    path.write_text(
        GOOD + 'secret_env = "VPD_TEST_SECRET"\nscopes = ["groups"]\n'
        '[groups]\nowners = "admin"\n[emails]\n"@Example.org" = "viewer"\n'
    )
    read = read_settings(path)
    assert read.scopes == ("openid", "groups")
    assert read.emails == {"@example.org": "viewer"}
    assert read.button == "login.example.org"
    with pytest.raises(InputError, match="VPD_TEST_SECRET holds no sign-on secret"):
        read.secret()
    monkeypatch.setenv("VPD_TEST_SECRET", "s")
    assert read.secret() == "s"
    assert settings().secret() is None
    with pytest.raises(InputError, match="cannot be read"):
        settings(secret_file=str(tmp_path / "none")).secret()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("issuer =", "cannot be read"),
        ('client_id = "vpd"', "needs issuer"),
        (GOOD + 'client_secret = "x"', "a secret does not belong"),
        (GOOD + 'rolls = "x"', "no setting 'rolls'; there are: issuer, client_id"),
        (GOOD + "label = 3", "label is a text"),
        (GOOD + 'scopes = "email"', "scopes is a list"),
        (GOOD + 'default_role = "king"', "default_role is one of viewer"),
        (GOOD + '[groups]\nowners = "king"', r"\[groups\] gives a role"),
        (GOOD + 'secret_env = "A"\nsecret_file = "b"', "choose one"),
        ('issuer = "http://login.example.org"\nclient_id = "x"', "issuer begins with https"),
    ],
)
def test_bad_settings_are_refused_with_the_way_out(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "sign-on.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=why):
        read_settings(path)


@pytest.mark.parametrize(
    "address",
    [
        "vpd.example.org",
        "http://vpd.example.org",
        "https://a@b.org",
        "https://a.org/x?y",
        "https://a.org/x#y",
        "https://a.org/../x",
        "https://a.org//x",
        "https://a.org/x;y",
    ],
)
def test_a_bad_public_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="--public-url is an address"):
        check_public_url(address)


def test_the_public_address_is_where_people_come_back() -> None:
    way = SignOn(settings(), "https://vpd.example.org/")
    assert way._redirect_address(None) == "https://vpd.example.org/login/callback"  # type: ignore[arg-type]
    assert way.secure


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--oidc", "none.toml"], "cannot be read"),
        (["--public-url", "https://vpd.example.org"], "give its settings with --oidc"),
        (["--oidc", "none.toml", "--host", "0.0.0.0"], "such as --public-url"),
    ],
)
def test_the_command_says_what_is_missing(tmp_path: Path, options: list[str], why: str) -> None:
    folder = page_project.build(tmp_path / "small", scenes=1)
    done = CliRunner().invoke(cli.app, ["app", "--no-browser", "--project", str(folder), *options])
    assert done.exit_code != 0
    assert why in " ".join((done.output + str(done.exception or "")).split())


def test_the_app_loads_neither_a_sign_on_nor_a_grammar_of_addresses_unasked() -> None:
    """Gradio would compile the grammar for half a second."""
    code = (
        "import sys, app.main; assert 'gradio' in sys.modules; "
        "assert not {'authlib', 'app.sign_on', 'lark'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
