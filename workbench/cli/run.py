"""`vpd run`: runs the loop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from workbench.cli.bars import Bars
from workbench.cli.status import print_report
from workbench.cli.text import console, open_project, safe, seconds
from workbench.pipeline import loop
from workbench.pipeline.remembering import ARGUMENT
from workbench.settings import Profile


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


def main(
    project: Path | None,
    limit: int | None,
    k: int | None,
    upto: str,
    split: str | None,
    repair: int | None,
    memory: str | None = None,
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
    """
    out = console()
    with open_project(project, read_only=False) as opened, Bars() as bars:
        bars.load()
        profile = with_memory(opened.profile(), memory)
        summary = loop.run(
            opened, limit, k, upto, bars, split=split, repair=repair, profile=profile
        )
    worked = [
        f"{stage} {done.rows} in {seconds(done.seconds)}"
        for stage, done in summary.done.items()
        if done.rows
    ]
    out.print(f"run {summary.run}: {', '.join(worked) if worked else 'nothing was left to do'}")
    for stage, done in summary.done.items():
        if done.usage.requests:
            out.print(f"this run's {stage}: {done.usage}")
    for note in summary.notes:
        out.print(f"note: {safe(note)}")
    print_report(out, summary.report)
