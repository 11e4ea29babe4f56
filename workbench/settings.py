"""Profiles and folders: which part plays which role, with which arguments.

A profile is a TOML file.  `embedded` and `hub` ship with the package; a project has its own copy as
`profile.toml`.  An unknown key is an error that lists the right ones; no profile object ever travels into
a part: parts take the plain arguments written here.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import ProfileError

PACKAGE = Path(__file__).resolve().parent


def data_dir() -> Path:
    """The bundled `data/` folder: `VPD_DATA`, else the one beside the package."""
    return Path(os.environ.get("VPD_DATA", PACKAGE.parent / "data"))


def cache_dir() -> Path:
    """Converted weights, image features and tool results: `VPD_CACHE`, else `data/local/cache`,
    else the user's cache folder where the package is not a checkout."""
    if "VPD_CACHE" in os.environ:
        return Path(os.environ["VPD_CACHE"])
    if (PACKAGE.parent / "pyproject.toml").exists():
        return data_dir() / "local" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vpd-workbench"


@dataclass(frozen=True, slots=True)
class Choice:
    """A part's name and its plain arguments."""

    part: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """Which part plays which role."""

    name: str
    sampler: Choice
    verifier: Choice
    writer: Choice
    student: Choice
    tools: Mapping[str, Choice]
    """By the name under which programs call them: the key is the part's `spec.name`."""
    k: int = 5
    """Programs sampled per question."""
    seed: int = 0
    limits: Mapping[str, float] = field(default_factory=dict)
    """Overrides of `execute.Limits`, by field name."""


def _choice(where: str, value: Any) -> Choice:
    if isinstance(value, str):
        return Choice(value)
    if not isinstance(value, dict) or not isinstance(value.get("part"), str):
        raise ProfileError(f'{where} needs a part: write {where} = {{ part = "name", ... }}, found {value!r}')
    return Choice(value["part"], {k: v for k, v in value.items() if k != "part"})


_CHOICES = ("sampler", "verifier", "writer", "student")
_KEYS = ("name", "k", "seed", "limits", "tools", *_CHOICES)


def read_profile(path: Path) -> Profile:
    """Read a profile file.  Raises ProfileError naming the file, the key and what was expected."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ProfileError(f"no profile at {path}; shipped are: {', '.join(shipped_profiles())}") from error
    except OSError as error:
        raise ProfileError(f"the profile {path} cannot be read: {error.strerror}; give a .toml file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path} is not valid TOML: {error}") from error
    if unknown := sorted(set(raw) - set(_KEYS)):
        raise ProfileError(f"{path}: unknown key {', '.join(unknown)}; a profile has: {', '.join(_KEYS)}")
    if missing := [key for key in (*_CHOICES, "tools") if key not in raw]:
        raise ProfileError(f"{path}: the profile lacks {', '.join(missing)}")
    for key in ("k", "seed"):
        if not isinstance(raw.get(key, 0), int) or isinstance(raw.get(key), bool):
            raise ProfileError(f"{path}: {key} must be a whole number, found {raw[key]!r}")
    if not 1 <= raw.get("k", 5) <= 100:
        raise ProfileError(f"{path}: k must be 1 to 100, found {raw['k']}")
    for key in ("tools", "limits"):
        if not isinstance(raw.get(key, {}), dict):
            raise ProfileError(f"{path}: {key} must be a table ([{key}]), found {raw[key]!r}")
    for key, value in raw.get("limits", {}).items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
            raise ProfileError(f"{path}: limits.{key} must be a number above 0, found {value!r}")
    if not isinstance(raw.get("name", ""), str):
        raise ProfileError(f"{path}: name must be text, found {raw['name']!r}")
    return Profile(
        name=raw.get("name", path.stem),
        tools={name: _choice(f"tools.{name}", value) for name, value in raw["tools"].items()},
        k=raw.get("k", 5),
        seed=raw.get("seed", 0),
        limits=raw.get("limits", {}),
        **{key: _choice(key, raw[key]) for key in _CHOICES},
    )


def shipped_profiles() -> list[str]:
    """Names of the profiles that come with the package."""
    return sorted(p.stem for p in (PACKAGE / "profiles").glob("*.toml"))


def find_profile(name: str) -> Path:
    """A shipped profile by name, or a path to a TOML file."""
    shipped = PACKAGE / "profiles" / f"{name}.toml"
    if shipped.is_file():
        return shipped
    if name.endswith(".toml"):
        return Path(name)
    raise ProfileError(
        f"no profile is called '{name}'; shipped are: {', '.join(shipped_profiles())}, or give a path to a .toml file"
    )
