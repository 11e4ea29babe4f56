"""`vpd run`: runs the loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer

from workbench.cli.bars import Bars
from workbench.cli.status import print_report
from workbench.cli.text import console, open_project, safe, seconds
from workbench.errors import InputError
from workbench.pipeline import loop
from workbench.pipeline.remembering import ARGUMENT
from workbench.pipeline.units.spread import Workers
from workbench.settings import Choice, Profile


def with_memory(profile: Profile, memory: str | None) -> Profile:
    """The profile whose sampler has another memory.

    Args:
        profile: of the project.
        memory: its name, `off` for none; None leaves the profile as it is.
    """
    if memory is None:
        return profile
    arguments = {key: value for key, value in profile.sampler.arguments.items() if key != ARGUMENT}
    if memory != "off":
        arguments[ARGUMENT] = memory
    return replace(profile, sampler=replace(profile.sampler, arguments=arguments))


def with_tools(profile: Profile, tools: Sequence[str]) -> Profile:
    """The profile with more tools, or with others in their places.

    Args:
        profile: of the project.
        tools: NAME=PART each.

    Raises:
        InputError: one is written in another way.
    """
    more = {}
    for one in tools:
        name, _, part = one.partition("=")
        if not name.isidentifier() or not part:
            raise InputError(
                f"--tool takes NAME=PART, such as attribute=open_attributes, found {one!r:.80}"
            )
        more[name] = Choice(part)
    return replace(profile, tools={**profile.tools, **more})


ENGINES = ("processes", "ray")
"""Who does units: processes on this machine, or actors of a Ray cluster."""


def workers_of(
    workers: int | None,
    slurm: int | None,
    sbatch: str,
    engine: str = "processes",
    address: str | None = None,
    gpus: float | None = None,
) -> Workers | None:
    """Who does the work; None where this process does it alone.

    Args:
        workers: number of processes or actors.
        slurm: number of jobs of Slurm.
        sbatch: the command that submits them.
        engine: one of `ENGINES`.
        address: of a Ray cluster; None starts one here.
        gpus: share of a GPU for each actor of Ray; None takes none.

    Raises:
        InputError: two are given that exclude each other, or one is out of its range.
        MissingPart: Ray is absent.
    """
    if engine not in ENGINES:
        raise InputError(f"--engine takes {' or '.join(ENGINES)}, found {engine!r:.40}")
    if engine != "ray" and (address is not None or gpus is not None):
        raise InputError("--address and --gpus are for --engine ray; add it, or leave them out")
    if slurm is not None and (workers is not None or engine == "ray"):
        raise InputError(
            "give --workers, with --engine ray for a cluster of Ray, or --slurm for an array, not "
            "both"
        )
    if slurm is not None:
        return Workers(slurm, sbatch)
    if engine == "ray":
        return Workers(workers or 1, ray=address or "local", gpus=gpus or 0.0)
    return None if workers is None or workers == 1 else Workers(workers)


def work(units: Sequence[Path], cache: Path | None) -> None:
    """Do work units; the exit code is 1 where one failed.

    Args:
        units: their files.
        cache: file of tool results; None takes the project's own.
    """
    from workbench.pipeline.units import worker

    if worker.work(units, cache, lambda text: print(safe(text, 4000), flush=True)):
        raise typer.Exit(1)


def main(
    project: Path | None,
    limit: int | None,
    k: int | None,
    upto: str,
    split: str | None,
    repair: int | None,
    memory: str | None = None,
    tools: Sequence[str] = (),
    workers: int | None = None,
    slurm: int | None = None,
    sbatch: str = "sbatch",
    engine: str = "processes",
    address: str | None = None,
    gpus: float | None = None,
) -> None:
    """Run the loop and print where the project stands.

    Args:
        project: folder of the project; None takes the one around the current folder.
        limit: take only this many questions.
        k: number of programs per question; None takes the profile's number.
        upto: name of the last stage.
        split: take only the questions of this split.
        repair: times that a program is written again; None takes the profile's number.
        memory: name of the sampler's memory, or `off`; None takes the profile's.
        tools: more tools than the profile's, as NAME=PART.
        workers: number of processes or actors that do the work; None does it in this one.
        slurm: number of jobs of Slurm that do it instead.
        sbatch: the command that submits them.
        engine: who does the units of workers.
        address: of a Ray cluster; None starts one here.
        gpus: share of a GPU for each worker on Ray.
    """
    out = console()
    others = workers_of(workers, slurm, sbatch, engine, address, gpus)
    with open_project(project, read_only=False) as opened, Bars() as bars:
        bars.load()
        profile = with_tools(with_memory(opened.profile(), memory), tools)
        summary = loop.run(
            opened,
            limit,
            k,
            upto,
            bars,
            split=split,
            repair=repair,
            profile=profile,
            workers=others,
        )
    worked = [
        f"{stage} {done.rows} in {seconds(done.seconds)}"
        for stage, done in summary.done.items()
        if done.rows
    ]
    nothing = "nothing was done here" if slurm is not None else "nothing was left to do"
    out.print(f"run {summary.run}: {', '.join(worked) if worked else nothing}")
    for stage, done in summary.done.items():
        if done.usage.requests:
            out.print(f"this run's {stage}: {done.usage}")
    for note in summary.notes:
        out.print(f"note: {safe(note)}")
    print_report(out, summary.report)
