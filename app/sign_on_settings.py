"""The settings of the sign-on at an OpenID Connect provider, which `vpd app --oidc` reads."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.guard import LOOPBACK
from workbench.errors import InputError
from workbench.records import ROLES, Role

_SCOPES = ("openid", "email", "profile")
_PATH = re.compile(r"(/(?!\.)[\w.~-]+)*/?", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignOnSettings:
    """The file that `vpd app --oidc` reads."""

    issuer: str
    """Address of the provider, exactly as it names itself."""
    client_id: str
    secret_env: str = ""
    """Environment variable that holds the client's secret."""
    secret_file: str = ""
    """File that holds the client's secret.  Without either the client is a public one."""
    label: str = ""
    """Name on the button; the issuer's host where it is empty."""
    name_claim: str = "email"
    """Claim that becomes the name under which decisions are kept."""
    groups_claim: str = "groups"
    """Claim with the person's groups; dots lead into nested claims, as in `realm_access.roles`."""
    scopes: tuple[str, ...] = _SCOPES
    groups: Mapping[str, Role] = field(default_factory=dict)
    """Role by group."""
    emails: Mapping[str, Role] = field(default_factory=dict)
    """Role by verified e-mail address, or by what follows the person's name: `@example.org`."""
    default_role: Role | None = None
    """Role of everybody else whom the provider lets in; without one they are refused."""

    @property
    def button(self) -> str:
        """Name of the provider on the login page."""
        return self.label or str(urlsplit(self.issuer).hostname)

    def secret(self) -> str | None:
        """The client's secret; None for a public client.

        Raises:
            InputError: the variable or the file is missing or empty.
        """
        if self.secret_env:
            secret = os.environ.get(self.secret_env, "")
            where = f"the environment variable {self.secret_env}"
        elif self.secret_file:
            where = f"the file {self.secret_file}"
            try:
                secret = Path(self.secret_file).expanduser().read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as error:
                raise InputError(
                    f"{where} with the sign-on secret cannot be read: {error}"
                ) from error
        else:
            return None
        if not secret:
            why = "put there what the provider gave for the client"
            raise InputError(f"{where} holds no sign-on secret; {why}")
        return secret


def read_settings(path: Path) -> SignOnSettings:
    """Read the settings of the sign-on.

    Raises:
        InputError: the file or a setting in it is not as expected; the text says what to write.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"the sign-on settings {path} cannot be read: {error}") from error
    if {"secret", "client_secret"} & raw.keys():
        raise InputError(
            f"{path}: a secret does not belong in the settings; name the environment variable "
            'that holds it with secret_env = "VPD_OIDC_SECRET", or a file with secret_file = "..."'
        )
    settings = {each.name: each for each in fields(SignOnSettings)}
    for key in raw.keys() - settings.keys():
        raise InputError(f"{path}: there is no setting '{key}'; there are: {', '.join(settings)}")
    for key, each in settings.items():
        if key not in raw and each.default is MISSING and each.default_factory is MISSING:
            raise InputError(
                f'{path} needs {key} = "..."; the provider shows it when you register a client'
            )
    for key, value in raw.items():
        _check_setting(path, key, value)
    if raw.get("secret_env") and raw.get("secret_file"):
        raise InputError(f"{path} has secret_env and secret_file; choose one")
    scopes = tuple(dict.fromkeys(["openid", *raw.get("scopes", _SCOPES)]))
    emails = {address.lower(): role for address, role in raw.get("emails", {}).items()}
    return SignOnSettings(**{**raw, "scopes": scopes, "emails": emails})


def _check_setting(path: Path, key: str, value: Any) -> None:
    """Check one setting.

    Args:
        path: file of the settings.
        key: name of the setting.
        value: as the file has it.

    Raises:
        InputError: the value is not as expected.
    """
    expected = _expected(key, value)
    if expected:
        raise InputError(f"{path}: {expected}; found {value!r}")


def _expected(key: str, value: Any) -> str:
    """What a setting should be, in words; empty where the value is as expected."""
    if key in ("groups", "emails"):
        fits = isinstance(value, dict) and all(role in ROLES for role in value.values())
        return "" if fits else f"[{key}] gives a role ({', '.join(ROLES)}) to each entry"
    if key == "scopes":
        fits = isinstance(value, list) and all(isinstance(scope, str) for scope in value)
        return "" if fits else 'scopes is a list such as ["openid", "email"]'
    if not isinstance(value, str) or not value:
        return f"{key} is a text in quotation marks"
    if key == "default_role" and value not in ROLES:
        return f"default_role is one of {', '.join(ROLES)}"
    if key == "issuer" and not is_safe(value):
        return "issuer begins with https:// (http:// on this machine alone)"
    return ""


def check_public_url(address: str) -> str:
    """The server's own address as people type it, without a slash at its end.

    Raises:
        InputError: it is no plain https address (http on this machine alone).
    """
    parts = urlsplit(address)
    odd = parts.query or parts.fragment or "@" in parts.netloc
    if not is_safe(address) or odd or not _PATH.fullmatch(parts.path):
        raise InputError(
            f"--public-url is an address such as https://vpd.example.org; found {address!r}"
        )
    return address.rstrip("/")


def is_safe(address: object) -> bool:
    """Whether what is sent there cannot be read on the way."""
    try:
        parts = urlsplit(str(address))
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))
