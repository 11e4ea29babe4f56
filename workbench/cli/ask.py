"""`vpd ask`: one question, by programs and by the student."""

from __future__ import annotations

from pathlib import Path

from workbench import pipeline
from workbench.cli.steps import ending, run_lines
from workbench.cli.text import console, project_folder, safe, seconds
from workbench.errors import InputError
from workbench.settings import Profile, find_profile, read_profile
from workbench.store import Run


def main(
    picture: Path,
    question: str,
    project: Path | None,
    profile: str | None,
    k: int | None,
    choices: tuple[str, ...],
) -> None:
    """Ask and print program, steps, answer and the student's answer beside it."""
    out, beside = console(), console(stderr=True)
    with beside.status("starting") as status:
        asked = pipeline.ask(
            picture, question, _profile(project, profile), k, choices, status.update
        )
    out.print(f"question: {safe(asked.task.question)}")
    for program, trace, verdict in asked.runs:
        out.print(f"  {program.index + 1}. [{'kept' if verdict.chosen else '-'}] {ending(trace)}")
    if asked.chosen is not None:
        program, trace, verdict = asked.chosen
        out.print(f"program {program.index + 1}:")
        for line in run_lines(Run(program, trace, verdict)):
            out.print(line)
        if asked.rationale:
            out.print(f"rationale: {safe(asked.rationale)}")
        answer = safe(trace.answer)
    else:
        answer = "none, every program failed"
    out.print(
        f"by programs:  {answer}  ({seconds(asked.pipeline_seconds)}, {len(asked.runs)} programs)"
    )
    out.print(f"by student:   {safe(asked.prediction.answer)}  ({seconds(asked.student_seconds)})")


def _profile(project: Path | None, profile: str | None) -> Profile:
    """The profile named, the project's, or the shipped `embedded` outside of any project.

    The store is not opened: a question can be asked while a run goes on.
    """
    if profile is not None:
        return read_profile(find_profile(profile))
    try:
        folder = project_folder(project)
    except InputError:
        if project is not None:
            raise
        return read_profile(find_profile("embedded"))
    return read_profile(folder / "profile.toml")
