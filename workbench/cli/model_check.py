"""`vpd models check`: what the models of a profile take, before anything is downloaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.cli.text import console, project_folder, safe
from workbench.errors import InputError
from workbench.models.hub_check import (
    HubAnswer,
    ModelCheck,
    ask_the_hub,
    check_model,
    memory_of,
)
from workbench.settings import Profile, find_profile, read_profile

MEMORY = (8.0, 24.0, 80.0)
"""Memory of cards that are told about, GiB."""
_GIBI = 2**30 / 1e9
_ELSEWHERE = "openai"


def models_of(profile: Profile) -> dict[str, tuple[str, ...]]:
    """The models that a profile loads in this process, each with what it is for."""
    roles: dict[str, list[str]] = {}
    choices = {
        "sampler": profile.sampler,
        "verifier": profile.verifier,
        "writer": profile.writer,
        "student": profile.student,
        **profile.tools,
    }
    for role, choice in choices.items():
        arguments = choice.arguments
        served = choice.part.startswith("endpoint-") or choice.part == _ELSEWHERE
        if served or arguments.get("language") == _ELSEWHERE:
            continue
        for name in ("model", "checkpoint"):
            if isinstance(value := arguments.get(name), str):
                roles.setdefault(value, []).append(role)
    return {model: tuple(names) for model, names in roles.items()}


def main(
    project: Path | None,
    profile: str | None,
    memory: float | None,
    offline: bool,
    as_json: bool,
) -> None:
    """Print what each model of a profile takes.

    Args:
        project: folder of the project whose profile is meant; None takes the one around the
            current folder.
        profile: a shipped profile or a TOML file instead.
        memory: of the card, GiB; None tells about several.
        offline: do not ask the hub.
        as_json: print JSON.

    Raises:
        InputError: the memory is none.
    """
    if memory is not None and memory <= 0:
        raise InputError(f"--memory is the memory of a card in GiB, found {memory:g}")
    path = find_profile(profile) if profile else project_folder(project) / "profile.toml"
    models = models_of(read_profile(path))

    def nobody(model: str) -> HubAnswer:
        return HubAnswer(problem="not asked")

    ask = nobody if offline else ask_the_hub
    checks = [check_model(model, roles, ask) for model, roles in models.items()]
    needs = memory_of(checks)
    fits = {
        f"{size:g}": None if needs is None else needs <= size * _GIBI
        for size in ([memory] if memory else MEMORY)
    }
    if as_json:
        rows = [{**asdict(one), **_facts(one)} for one in checks]
        print(json.dumps({"models": rows, "memory": needs, "fits": fits}, indent=1))
        return
    _print(checks, needs, fits)


def _facts(check: ModelCheck) -> dict[str, Any]:
    return {
        "complete": check.complete,
        "permissive": check.permissive,
        "download": check.download,
        "advice": check.advice,
    }


def _print(checks: list[ModelCheck], needs: float | None, fits: Mapping[str, bool | None]) -> None:
    out = console()
    if not checks:
        out.print("this profile loads no model here: all of them stand behind endpoints")
    for one in checks:
        out.print(f"{safe(one.model)}  ({', '.join(safe(role) for role in one.roles)})")
        if one.place == "embedded":
            out.print("  comes with the workbench")
            continue
        out.print(f"  licence   {_licence(one)}")
        out.print(f"  terms     {_TERMS[one.gated]}")
        out.print(f"  weights   {_gigabytes(one.size)}")
        for file in one.files:
            size = "" if file.size is None else f"  {file.size / 1e9:.3f} GB"
            out.print(f"  {'here     ' if file.present else 'missing  '} {safe(file.name)}{size}")
        if not one.complete:
            out.print(f"  download  {_gigabytes(one.download)}")
            out.print(f"  get it    {safe(one.advice, 1000)}")
        if one.problem:
            out.print(f"  note      {safe(one.problem)}")
    if needs is None:
        out.print("memory of a card: a size is not known, so nothing can be said")
        return
    words = ", ".join(f"{size} GiB {'yes' if fit else 'no'}" for size, fit in fits.items())
    out.print(f"memory of a card, all at once: about {needs:.1f} GB; fits into: {words}")


_TERMS = {True: "gated: to be accepted first", False: "none to accept", None: "not known"}


def _licence(check: ModelCheck) -> str:
    if not check.licence:
        return "not known; look at its card"
    words = {True: "any use", False: "RESTRICTED: read it before you use the model"}
    return f"{safe(check.licence)} ({words[bool(check.permissive)]})"


def _gigabytes(size: float | None) -> str:
    return "not known" if size is None else f"{size:.1f} GB"
