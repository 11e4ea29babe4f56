"""What a run or a job computed with: commit, versions of what decides on results, platform."""

from __future__ import annotations

import json
import platform
import subprocess
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from workbench import __version__

PACKAGES = ("torch", "transformers", "onnxruntime", "pydantic-monty")
"""Packages whose version may change what is computed."""
ROOT = Path(__file__).resolve().parent.parent


@cache
def environment() -> dict[str, str]:
    """Names and versions, the workbench first; a package that is not installed is left out."""
    parts = {"workbench": __version__, "commit": commit(), "python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            parts[package] = version(package)
    return {name: one for name, one in parts.items() if one} | {"platform": platform.platform()}


def versions_of(*packages: str) -> str:
    """The versions of packages, for the key of a part whose results depend on them."""
    return "+".join(f"{package}-{version(package)}" for package in packages)


def in_words(parts: dict[str, str]) -> str:
    """An environment on one line: the workbench's version, then the others with their names."""
    rest = [f"{name} {one}" for name, one in parts.items() if name != "workbench"]
    return "; ".join([parts["workbench"], *rest])


def commit() -> str:
    """The commit that this code is of, `-dirty` where files were changed since; else empty."""
    if (ROOT / ".git").exists():
        command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
        with suppress(OSError, subprocess.SubprocessError):
            # a tag's name would hide the commit
            done = subprocess.run(  # noqa: S603 - git, on our own folder
                [*command, "--exclude=*"], capture_output=True, text=True, timeout=10, check=True
            )
            return done.stdout.strip()
    with suppress(PackageNotFoundError, ValueError, KeyError, TypeError):
        source = distribution("vpd-workbench").read_text("direct_url.json") or "{}"
        return str(json.loads(source)["vcs_info"]["commit_id"])
    return ""
