"""`vpd ask`: one question, by programs and by the student."""

from __future__ import annotations

from pathlib import Path

from workbench.cli.steps import ending, run_lines
from workbench.cli.text import console, project_folder, safe, seconds
from workbench.errors import InputError
from workbench.pipeline.ask import ask
from workbench.pipeline.live_names import side_names
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
    """Ask a question, and print programs, steps and answer beside the student's answer.

    Args:
        picture: file of the picture.
        question: the question about it.
        project: folder of the project; None takes the one around the current folder.
        profile: shipped profile or file to use instead of the project's.
        k: number of programs per question; None takes the profile's number.
        choices: answers to choose from; empty for a free answer.
    """
    out, beside = console(), console(stderr=True)
    with beside.status("starting") as status:
        parts = _profile(project, profile)
        reply = ask(picture, question, parts, k, choices, status.update)
    out.print(f"question: {safe(reply.task.question)}")
    for program, trace, verdict in reply.runs:
        out.print(f"  {program.index + 1}. [{'kept' if verdict.chosen else '-'}] {ending(trace)}")
    if reply.chosen is not None:
        program, trace, verdict = reply.chosen
        out.print(f"program {program.index + 1}:")
        for line in run_lines(Run(program, trace, verdict)):
            out.print(line)
        if reply.rationale:
            out.print(f"rationale: {safe(reply.rationale)}")
        answer = safe(trace.answer)
    else:
        answer = "none, every program failed"
    out.print(
        f"by programs:  {answer}  ({seconds(reply.pipeline_seconds)}, {len(reply.runs)} programs)"
    )
    problem, answer_text = safe(reply.prediction.problem), safe(reply.prediction.answer)
    answer = f"{answer_text or 'none'}, {problem}" if problem else answer_text
    model = safe(side_names(parts)["student"].model)
    out.print(f"by student:   {answer}  ({seconds(reply.student_seconds)}, {model})")


def _profile(project: Path | None, profile: str | None) -> Profile:
    """The profile that the user named, else the project's, else the shipped `embedded`.

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
