"""Profiles and folders: which part plays which role, with which arguments.

A profile is a TOML file.  `embedded`, `endpoint` and three of `hub` ship; a project has its own
copy as `profile.toml`.  An unknown key is an error that lists the right ones; no profile object
ever travels into a part: parts take the plain arguments written here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from workbench.errors import ProfileError
from workbench.limits import Limits
from workbench.local_files import real_path
from workbench.schema import problems, read, read_toml

PACKAGE = Path(__file__).resolve().parent


def data_dir() -> Path:
    """The bundled folder `data/`.

    It is `VPD_DATA`; else the one beside the package in a checkout, or within it as installed.
    """
    if "VPD_DATA" in os.environ:
        return Path(os.environ["VPD_DATA"])
    return (PACKAGE.parent if _in_checkout() else PACKAGE) / "data"


def cache_dir() -> Path:
    """The folder of converted weights, image features and tool results.

    It is `VPD_CACHE`; else `data/local/cache`, or the user's cache folder outside of a checkout.
    """
    if "VPD_CACHE" in os.environ:
        return Path(os.environ["VPD_CACHE"])
    if _in_checkout():
        return data_dir() / "local" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vpd-workbench"


def _in_checkout() -> bool:
    """Whether the package is used where the repository was checked out."""
    return (PACKAGE.parent / "pyproject.toml").exists()


@dataclass(frozen=True, slots=True)
class Choice:
    """A part's name and its plain arguments."""

    part: Annotated[str, Meta(min_length=1)]
    """Name of a registered part, or where one is: `package.module:Name`, `path/to/file.py:Name`."""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """Which part plays which role."""

    name: str
    sampler: Choice
    """Part that writes the programs: sampler = { part = "openai", model = "m" }."""
    verifier: Choice
    """Part that judges what the programs answer: verifier = { part = "answers" }."""
    writer: Choice
    """Part that tells a trace in words: writer = { part = "template" }."""
    student: Choice
    """Part that answers alone: student = { part = "transformers", checkpoint = "bundled" }."""
    tools: Mapping[str, Choice]
    """Parts by the name under which programs call them, which is the part's `spec.name`."""
    k: Annotated[int, Meta(ge=1, le=100)] = 5
    """Programs sampled per question."""
    seed: int = 0
    repair: Annotated[int, Meta(ge=0, le=10)] = 0
    """Times that a program is written again while it fails or ends with an empty answer."""
    limits: Mapping[str, int | float] = field(default_factory=dict)
    """Overrides of `workbench.limits.Limits`, by field name."""


def read_profile(path: Path) -> Profile:
    """Read a profile file.

    Raises:
        ProfileError: the file is missing or wrong; the text names it and lists every wrong key.
    """
    raw = read_toml(path, "profile", f"shipped are: {', '.join(shipped_profiles())}")
    tools, limits = raw.get("tools"), raw.get("limits")
    roles = _choices({key: raw[key] for key in _ROLES if key in raw}, path.parent)
    values = {"name": path.stem, **raw, **roles}
    if isinstance(tools, dict):
        values["tools"] = _choices(tools, path.parent)
    also = problems(Limits, limits, "limits.") if isinstance(limits, dict) else {}
    return read(Profile, values, str(path), ProfileError, also)


_ROLES = ("sampler", "verifier", "writer", "student")


def _choices(parts: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Parts as a profile in this folder names them, with the keys of `Choice`.

    Every key but `part` is an argument.
    """
    choices = {}
    for key, value in parts.items():
        named = value if isinstance(value, dict) else {"part": value}
        arguments = {name: _placed(one, folder) for name, one in named.items()}
        part = {"part": arguments.pop("part")} if "part" in arguments else {}
        choices[key] = {**part, "arguments": arguments}
    return choices


_OWN_FILE = re.compile(r"(?P<path>.+\.py):(?P<name>\w+)")


def _placed(value: Any, folder: Path) -> Any:
    """The name of a part in a file of one's own, with its path as seen from a folder, wherever in
    tables and lists it stands.
    """
    if isinstance(value, Mapping):
        return {name: _placed(one, folder) for name, one in value.items()}
    if isinstance(value, list):
        return [_placed(one, folder) for one in value]
    match = _OWN_FILE.fullmatch(value) if isinstance(value, str) else None
    return f"{absolute(match['path'], folder)}:{match['name']}" if match else value


def absolute(path: str, folder: Path) -> Path:
    """A path that is relative to a folder, made absolute."""
    return Path(os.path.realpath(folder / Path(path).expanduser()))  # takes a loop of links too


def carried(text: str, folder: Path, target: Path) -> str:
    """The text of a profile that moves from one folder to another: its own files stay in reach.

    Args:
        text: the TOML file.
        folder: where it lies; its relative paths are meant from there.
        target: where it will lie.
    """

    def move(match: re.Match[str]) -> str:
        place = absolute(match["path"], folder)
        if not place.is_file() or Path(match["path"]).expanduser().is_absolute():
            return match[0]
        try:
            path = Path(os.path.relpath(place, real_path(target)))
        except ValueError:  # on another drive of Windows
            path = place
        return f"{match['quote']}{path.as_posix()}:{match['name']}{match['quote']}"

    return re.sub(r"""(?P<quote>["'])(?P<path>[^"'\n]+\.py):(?P<name>\w+)(?P=quote)""", move, text)


def shipped_profiles() -> list[str]:
    """Names of the profiles that come with the package."""
    return sorted(p.stem for p in (PACKAGE / "profiles").glob("*.toml"))


def find_profile(name: str) -> Path:
    """Path of a shipped profile by its name, or of a TOML file.

    Raises:
        ProfileError: no profile has this name.
    """
    shipped = PACKAGE / "profiles" / f"{name}.toml"
    if shipped.is_file():
        return shipped
    if name.endswith(".toml"):
        return Path(name)
    raise ProfileError(
        f"no profile is called '{name}'; shipped are: {', '.join(shipped_profiles())}, "
        "or give a path to a .toml file"
    )
