"""`vpd curate` and `vpd guidelines`: where curation stands, and the text that curators go by."""

from __future__ import annotations

from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workbench.cli.text import (
    console,
    local_time,
    open_project,
    open_to_look,
    percent,
    safe,
    seconds,
)
from workbench.errors import InputError
from workbench.records import REASON_WORDS
from workbench.shares import Share
from workbench.store import Project
from workbench.store.people import program_edits
from workbench.store.people.reviewing import state_counts


def status(project: Path | None) -> None:
    """Print the queue, the reviewers, their agreement, and what they blame."""
    out = console()
    with open_to_look(project) as opened:
        _states(out, opened)
        _reviewers(out, opened)
        _agreement(out, opened)
        _blame(out, opened)
        _rounds(out, opened)


def _states(out: Console, project: Project) -> None:
    curation = project.curation
    states = state_counts(project.database)
    out.print(
        "decided on: " + (", ".join(f"{n} {state}" for state, n in states.items()) or "nothing yet")
    )
    leases = curation.leases()
    progress = curation.progress("", "curator")
    out.print(
        f"queue: {progress.remaining} to look at, {len(leases)} held now, order {progress.order}"
    )
    settings = curation.settings()
    out.print(
        f"rules: {settings.overlap} reviewer(s) per item, {percent(settings.gold_rate)} gold, "
        "verdicts "
        f"{'hidden until decided' if settings.hide_verdicts else 'shown'}, "
        f"leases of {settings.lease_minutes:g} minutes"
    )


def _rounds(out: Console, project: Project) -> None:
    """How many questions of each state of the sampler had a program that a person corrected."""
    rows = program_edits.rounds(project.database)
    if not any(row.corrected for row in rows):
        return
    table = _table("sampler's programs", "questions", "corrected", "of 100")
    for row in rows:
        part = project.parts.get(row.sampler)
        name = f"{part.name} {part.version}" if part else row.sampler
        share = 100 * row.corrected / row.questions
        table.add_row(Text(safe(name, 60)), str(row.questions), str(row.corrected), f"{share:.1f}")
    out.print(table)


def _reviewers(out: Console, project: Project) -> None:
    table = _table(
        "reviewer", "decided", "bulk", "a day", "time", "accepted", "95 %", "gold", "95 %"
    )
    reviewers = project.curation.reviewers()
    for one in reviewers:
        table.add_row(
            Text(safe(one.name, 20)),
            str(one.decided),
            str(one.bulk),
            f"{one.per_day:.1f}",
            seconds(one.median_seconds),
            *_share(one.accepted),
            *_share(one.gold),
        )
    if reviewers:
        out.print(table)


def _share(share: Share) -> tuple[str, str]:
    """A share as `hits of total`, and its Wilson interval in per cent."""
    low, high = share.interval
    return (
        f"{share.hits:.0f} of {share.of}",
        f"{100 * low:.0f} to {100 * high:.0f}" if share.of else "-",
    )


def _agreement(out: Console, project: Project) -> None:
    table = _table("reviewer", "and", "items", "alike", "Cohen's kappa", "")
    pairs = project.curation.agreement()
    for one in pairs:
        table.add_row(
            Text(safe(one.first, 40)),
            Text(safe(one.second, 40)),
            str(one.n),
            str(one.same),
            "-" if one.kappa is None else f"{one.kappa:.2f}",
            one.note,
        )
    if pairs:
        out.print(table)
    cells = project.curation.confusion()
    if cells.n:
        out.print(
            f"automatic verdict against people (one by one), n = {cells.n}: "
            f"right and accepted {cells.right_accepted}, "
            f"right but rejected {cells.right_rejected}, "
            f"wrong but accepted {cells.wrong_accepted}, "
            f"wrong and rejected {cells.wrong_rejected}"
        )


def _blame(out: Console, project: Project) -> None:
    if why := project.curation.reject_reasons():
        words: dict[str, str] = {str(name): text for name, text in REASON_WORDS.items()}
        out.print(
            "rejected for: " + ", ".join(f"{words.get(name, name)} {n}" for name, n in why.items())
        )
    for one in project.curation.blame():
        out.print(f"first wrong step in {safe(one.tool) or 'the program itself'}: {one.of}")


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE, pad_edge=False)
    for at, name in enumerate(columns):
        # figures stay whole; where it is narrow, names take several lines
        table.add_column(name, justify="right" if at else "left", no_wrap=bool(at))
    return table


def add_guideline(project: Path | None, file: Path, author: str) -> None:
    """Make the text of a file the current guidelines.

    Args:
        project: folder of the project; None takes the one around the current folder.
        file: text file in UTF-8.
        author: name of the author.

    Raises:
        InputError: the file is missing or is not text.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(
            f"there is no file {file}; give a text file with the guidelines"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file} cannot be read as text ({error}); give a UTF-8 text file"
        ) from error
    with open_project(project, read_only=False) as opened:
        guideline = opened.curation.add_guideline(text, author)
    console().print(f"guidelines {guideline.version} by {safe(guideline.author)} are in force")


def show_guideline(project: Path | None, version: str | None) -> None:
    """Print the current guidelines, or one version."""
    with open_project(project, read_only=True) as opened:
        guideline = opened.curation.guideline(version)
        versions = [one.version for one in opened.curation.guidelines()]
    if guideline is None and version is not None:
        raise InputError(
            f"no guidelines have version '{version}'; there are: {', '.join(versions) or 'none'}"
        )
    if guideline is None:
        raise InputError("there are no guidelines yet; add some with: vpd guidelines add FILE")
    out = console()
    out.print(
        f"version {guideline.version}, by {safe(guideline.author)}, "
        f"{local_time(guideline.created_at)}"
    )
    out.print(safe(guideline.text, 1_000_000, lines=True))
