"""The command `vpd`.

What each command takes stands in `commands/`; what it does, in a module of its own here. That
module is imported when the command runs, so that `vpd --help` needs neither the store nor a model.

Files:
    archive.py   vpd archive and vpd prune: steps of runs beside the store, and what goes for good
    ask.py       vpd ask: one question, by programs and by the student
    backup.py    vpd backup and restore
    bars.py      progress bars
    bench.py     vpd bench: the measurements of `workbench.bench`
    check.py     vpd check: runs that are right for the wrong reason; program errors and tool errors
    commands/    what each command takes, a file for each group of `vpd --help`
    compare.py   vpd compare: pipeline against student, question by question
    credit.py    vpd steps: the credit of tool calls
    critic.py    vpd critic: who orders the queue by what people accept
    curate.py    vpd curate, vpd guidelines
    doctor.py    vpd doctor
    evaluate.py  vpd evaluate: a student or the pipeline on a set of questions
    export.py    vpd export and import-decisions
    init.py      vpd init and vpd import
    interface.py  vpd interface: Compare as a Gradio interface
    lab.py       vpd lab: JupyterLab on the course
    model_check.py  vpd models check: what the models of a profile take
    models.py    vpd make-models: the embedded models, trained again
    next.py      vpd next: what to do next under a budget
    options.py   what the commands' declarations share: common options, and how a command runs
    page.py      vpd app: the pages over a project
    parts.py     vpd parts: the registered parts
    probe.py     vpd probe: whether a student's answer depends on its own rationale
    programs.py  vpd programs: the sampled programs, for another project or machine
    publish.py   vpd publish: the project as pages for strangers
    ratings.py   vpd ratings: people's blind ratings of two models
    recipes.py   vpd recipes: the published methods that can be chosen by name
    report.py    vpd report: the project as one HTML file
    results.py   vpd results: all systems on the same questions in one table
    run.py       vpd run: the loop
    show.py      vpd show: a list of questions, one question, one run
    snapshot.py  vpd snapshot
    sql.py       vpd sql: the store in SQL, reading only
    status.py    vpd status: where a project stands
    steps.py     a program and its trace as lines of text
    study.py     vpd study: students with and without rationales over seeds, all compared
    synthesize.py  vpd synthesize: new questions from what kept runs have seen
    text.py      how text gets to the terminal, hostile text included
    train.py     vpd train and vpd jobs: training jobs written, queued, watched
    train_estimate.py  vpd train --preview and --dry-run: what a job sees, and what it costs
"""

from __future__ import annotations

import copy
import os
import sys
from typing import Annotated

import typer
from typer.main import get_command_name
from typer.models import TyperInfo

from workbench import __version__
from workbench.cli.commands import curation, look, loop, measures, training, upkeep

app = typer.Typer(
    name="vpd",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
GROUPS = tuple(module.commands for module in (loop, look, curation, training, measures, upkeep))
"""The order of the groups in `vpd --help`."""
for group in GROUPS:
    app.add_typer(group)


def _version(wants_version: bool) -> None:
    if wants_version:
        print(f"vpd {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="Trust the code that the project's profile and sources name, from now on. It may "
            "stand anywhere in the command.",
        ),
    ] = False,
) -> None:
    """Sample visual programs, run them safely, keep the verified ones, and distil them."""


def with_one(name: str) -> typer.Typer:
    """`vpd` with one command alone, whose start need not wait for the options of fifty others.

    Args:
        name: of a command, or of a group of commands; any other text gives all of `vpd`, which
            says what there is.
    """
    for group in GROUPS:
        one = typer.Typer()
        one.registered_commands = [
            info
            for info in group.registered_commands
            if info.callback and name == (info.name or get_command_name(info.callback.__name__))
        ]
        one.registered_groups = [info for info in group.registered_groups if info.name == name]
        if one.registered_commands or one.registered_groups:
            narrow = copy.copy(app)
            narrow.registered_groups = [TyperInfo(one)]
            return narrow
    return app


def main() -> None:
    """Run `vpd`; the entry point of the package."""
    # OpenMP reads it once, when torch loads: threads that spin while they wait cost a busy machine
    # many times the work
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    words = sys.argv[1:]
    options = words[: words.index("--")] if "--" in words else words
    if "--trust" in options:
        os.environ["VPD_TRUST"] = (
            "keep"  # read by `workbench.trust`, which is not imported for --help
        )
        sys.argv.remove("--trust")
    with_one(sys.argv[1] if len(sys.argv) > 1 else "")()
