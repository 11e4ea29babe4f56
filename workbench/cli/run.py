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


def workers_of(workers: int | None, slurm: int | None, sbatch: str) -> Workers | None:
    """Who does the work; None where this process does it alone.

    Args:
        workers: number of processes on this machine.
        slurm: number of jobs of Slurm.
        sbatch: the command that submits them.

    Raises:
        InputError: both are given, or a number is out of its range.
    """
    if workers is not None and slurm is not None:
        raise InputError("give --workers for this machine or --slurm for an array, not both")
    if slurm is not None:
        return Workers(slurm, sbatch)
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
        workers: number of processes that do the work; None does it in this one.
        slurm: number of jobs of Slurm that do it instead.
        sbatch: the command that submits them.
    """
    out = console()
    others = workers_of(workers, slurm, sbatch)
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
