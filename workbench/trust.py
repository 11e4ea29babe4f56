"""Code that a project brings along runs only where its user has said so.

A profile's part may be `file.py:Name` or `package.module:Name`, and a backup, an archive or a
checkout brings both the profile and the file along.  So the parts that are not registered ones are
listed before any of them is loaded, and a project's own list has to be trusted once, by its folder
and names: by making the project oneself, by `vpd --trust`, or by `trust` in a notebook.  Training
jobs come along as well, and may wait in the queue: whoever submits one trusts its command and code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench.errors import ProfileError
from workbench.local_files import real_path
from workbench.settings import Choice, Profile, cache_dir

SETTING = "VPD_TRUST"
"""Environment variable: `1` trusts every project that this process opens, `keep` from now on."""

_LOADED = frozenset({"language", "memory", "part"})
"""Arguments of parts that name another part."""


class UntrustedCode(ProfileError):
    """A project names code of its own that its user has not trusted."""


def code_of_profile(profile: Profile) -> list[str]:
    """What a profile would run that is no registered part, each as `role: name`."""
    choices = {
        "sampler": profile.sampler,
        "verifier": profile.verifier,
        "writer": profile.writer,
        "student": profile.student,
        **{f"tool {name}": choice for name, choice in profile.tools.items()},
    }
    return [f"{role}: {code}" for role, choice in choices.items() for code in _code(choice)]


def code_of_sources(sources: Sequence[Choice]) -> list[str]:
    """What the sources of a project's tasks would run that is no registered part."""
    return [f"source: {code}" for choice in sources for code in _code(choice)]


def _code(choice: Choice) -> Iterator[str]:
    if ":" in choice.part:
        yield choice.part
    yield from _code_in(choice.arguments)


def _code_in(arguments: Mapping[str, Any]) -> Iterator[str]:
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            yield from _code_in(value)
        elif isinstance(value, list | tuple):
            for one in value:
                yield from _code_in({name: one})
        elif isinstance(value, str):
            path, colon, _ = value.rpartition(":")
            if colon and (path.endswith(".py") or name in _LOADED):
                yield value


def code_of_job(settings: Mapping[str, Any]) -> list[str]:
    """What a training job would run that is no registered part: its command, and code of its own.

    Args:
        settings: of the job, by name.
    """
    runner, objective = settings.get("runner"), settings.get("objective")
    code = [f"runner: {runner}"] if runner else []
    if isinstance(objective, str) and ":" in objective:
        code.append(f"objective: {objective}")
    for role in ("arguments", "curriculum", "teacher", "policy", "transform"):
        table = settings.get(role)
        code += [
            f"{role}: {one}" for one in (_code_in(table) if isinstance(table, Mapping) else ())
        ]
    return code


def untrusted(folder: Path, code: Sequence[str]) -> list[str]:
    """What of a project's code its user has not trusted yet.

    `VPD_TRUST=1` trusts all of it; `keep`, which `vpd --trust` sets, remembers that too.
    """
    setting = os.environ.get(SETTING)
    if setting == "keep":
        trust(folder, code)
    if setting in ("1", "keep"):
        return []
    return sorted(set(code) - set(_trusted().get(_key(folder), ())))


def check(folder: Path, code: Sequence[str]) -> None:
    """Refuse code that is not trusted.

    Args:
        folder: the project's folder.
        code: what would run, as `code_of_profile` gives it.

    Raises:
        UntrustedCode: some of it is not trusted; the text says what would run.
    """
    if code and (strange := untrusted(folder, code)):
        raise UntrustedCode(
            f"{folder} would run code of its own: {'; '.join(strange)}.  Look at it first; if you "
            "trust it, give --trust after vpd, or in Python: "
            f"workbench.trust.trust({str(folder)!r}, {strange!r})"
        )


def checked_profile(folder: Path, profile: Profile) -> Profile:
    """A project's profile, whose code is trusted.  Raises UntrustedCode."""
    check(folder, code_of_profile(profile))
    return profile


def checked_sources(folder: Path, sources: list[Choice]) -> list[Choice]:
    """The sources of a project's tasks, whose code is trusted.  Raises UntrustedCode."""
    check(folder, code_of_sources(sources))
    return sources


def trusted_source(folder: Path, source: Choice) -> Choice:
    """A source that the user adds to a project, which trusts its code."""
    trust(folder, code_of_sources([source]))
    return source


def trust(folder: Path | str, code: Sequence[str]) -> None:
    """Remember that a project's code may run.

    Args:
        folder: the project's folder.
        code: what may run, as `code_of_profile` gives it.
    """
    if not code:
        return
    entries = _trusted()
    key = _key(Path(folder))
    entries[key] = sorted({*entries.get(key, ()), *code})
    path = _file()
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with suppress(OSError):  # a cache that cannot be written means that one is asked again
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(entries, indent=1), encoding="utf-8")
        part.replace(path)


def _key(folder: Path) -> str:
    return str(real_path(folder))


def _file() -> Path:
    return cache_dir() / "trusted.json"


def _trusted() -> dict[str, list[str]]:
    try:
        entries = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(entries, dict):
        return {}
    return {
        str(key): [str(name) for name in names]
        for key, names in entries.items()
        if isinstance(names, list)
    }
