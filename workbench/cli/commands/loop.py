"""The commands of the group Loop: init, import, correct, run, programs, status and ask."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, K, Limit, ProjectFolder, Split, go

PANEL = "Loop"
commands = typer.Typer()

SOURCES = (
    "Where the questions come from: collages or photos (bundled); folder (your own); gqa, vqav2, "
    "okvqa, aokvqa, tallyqa, pope, mmbench, nlvr2 or hateful (their official files); or your own "
    "part."
)
FromFolder = Annotated[
    Path | None,
    typer.Option(
        "--from",
        help="Folder with pictures and questions.jsonl or questions.csv, or with official files.",
    ),
]
PictureFolder = Annotated[
    Path | None,
    typer.Option("--images", help="Folder with the pictures, if they lie in another folder."),
]
SourceSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set an argument of the source; `vpd parts` lists them. May be repeated.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Count the questions, list the problems, and write nothing."),
]


Unlabelled = Annotated[
    bool,
    typer.Option("--unlabelled", help="Take a table although none of its rows has an answer."),
]
By = Annotated[str, typer.Option("--by", help="Name of the person who has corrected the answer.")]
Why = Annotated[str, typer.Option("--why", help="Why the answer was wrong.")]


@commands.command(rich_help_panel=PANEL)
def init(
    path: Annotated[Path, typer.Argument(help="A new or empty folder for the project.")],
    source: Annotated[
        str,
        typer.Option(help=f"{SOURCES} By default, collages, or folder if --from is there."),
    ] = "",
    from_folder: FromFolder = None,
    images: PictureFolder = None,
    settings: SourceSettings = None,
    profile: Annotated[
        str,
        typer.Option(
            help="Name of a shipped profile (embedded, endpoint, hub-8gb, hub or hub-80gb), or a "
            ".toml file."
        ),
    ] = "embedded",
    limit: Limit = None,
    split: Split = None,
    dry_run: DryRun = False,
    unlabelled: Unlabelled = False,
) -> None:
    """Make a project and import its questions.

    The project remembers --split and --limit: later commands import no others.
    """
    go(
        "init",
        path=path,
        source=source,
        folder=from_folder,
        images=images,
        changes=settings or (),
        profile=profile,
        limit=limit,
        split=split,
        dry_run=dry_run,
        unlabelled=unlabelled,
    )


@commands.command("import", rich_help_panel=PANEL)
def import_(
    source: Annotated[str, typer.Argument(help=SOURCES)] = "",
    from_folder: FromFolder = None,
    images: PictureFolder = None,
    settings: SourceSettings = None,
    project: ProjectFolder = None,
    limit: Limit = None,
    split: Split = None,
    dry_run: DryRun = False,
    unlabelled: Unlabelled = False,
    correct: Annotated[
        bool,
        typer.Option(
            "--correct",
            help="Take over the answers of questions that the project has with other answers.",
        ),
    ] = False,
    by: By = "",
    why: Why = "",
) -> None:
    """Add the questions of one more source to a project, or read its sources again.

    The project remembers --split and --limit of each source.
    """
    go(
        "init",
        "add",
        project=project,
        source=source,
        folder=from_folder,
        images=images,
        changes=settings or (),
        limit=limit,
        split=split,
        dry_run=dry_run,
        unlabelled=unlabelled,
        correcting_by=(by, why) if correct else None,
    )


@commands.command(rich_help_panel=PANEL)
def synthesize(
    recipe: Annotated[str, typer.Argument(help="A synthesizer; `vpd recipes` lists them.")],
    project: ProjectFolder = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", help="Judge only so many candidates.", min=1)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Set an argument of the recipe. May be repeated."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make new questions from what kept runs have seen, by a recipe; `vpd run` takes them on.

    Refused candidates are kept with their reasons (the table bad_row).
    """
    go(
        "synthesize",
        project=project,
        name=recipe,
        settings=tuple(settings or ()),
        limit=limit,
        as_json=as_json,
    )


@commands.command("correct", rich_help_panel=PANEL)
def correct_(
    task: Annotated[str, typer.Argument(help="Id of the question; vpd show lists them.")],
    answer: Annotated[
        list[str], typer.Argument(help="The right answer; several are alternatives.")
    ],
    by: By,
    why: Why,
    project: ProjectFolder = None,
) -> None:
    """Put the answer of a question right; who did so, and why, is kept.

    Its programs are judged again by the next run, and its students are scored again at once.
    """
    go("init", "correct", project=project, task=task, answers=answer, author=by, reason=why)


@commands.command(rich_help_panel=PANEL)
def run(
    project: ProjectFolder = None,
    limit: Limit = None,
    k: K = None,
    upto: Annotated[
        str,
        typer.Option(
            help="The last stage: import, sample, execute, verify, rationalize or predict."
        ),
    ] = "predict",
    split: Split = None,
    repair: Annotated[
        int | None,
        typer.Option(
            "--repair",
            metavar="ROUNDS",
            help="Write a program that fails, or has an empty answer, again with its error and "
            "trace in the prompt, at most this many times (0 to 10). By default, the profile's "
            "number, which is 0 where it names none.",
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            help="A recipe that recalls people's corrections of programs into the prompt, or off. "
            "By default, the profile's."
        ),
    ] = None,
    tool: Annotated[
        list[str] | None,
        typer.Option(
            "--tool",
            metavar="NAME=PART",
            help="One more tool for programs, or another part in place of the profile's tool of "
            "this name; a line in the profile's [tools] does so for good. Give it again for more.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="NUMBER",
            help="Let so many processes on this machine do the work, in units of at most 256 "
            "questions. A worker that dies is replaced; nothing is lost or doubled.",
        ),
    ] = None,
    slurm: Annotated[
        int | None,
        typer.Option(
            "--slurm",
            metavar="JOBS",
            help="Submit the work to Slurm as an array of so many jobs, and end. The same command "
            "later takes in what they made and submits what is missing.",
        ),
    ] = None,
    sbatch: Annotated[
        str,
        typer.Option(help="The command that submits, for example 'sbatch -p gpu --gres=gpu:1'."),
    ] = "sbatch",
    engine: Annotated[
        str,
        typer.Option(
            help="Who the workers are: processes on this machine, or ray, actors of a Ray cluster "
            "whose nodes see the project under the same path."
        ),
    ] = "processes",
    address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="With --engine ray, the cluster: HOST:PORT of its head, auto for that of this "
            "machine, or local, the default, for a new one here.",
        ),
    ] = None,
    gpus: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="With --engine ray, the share of a GPU that each worker takes, such as 0.25; none "
            "by default.",
        ),
    ] = None,
) -> None:
    """Run the loop: write programs, run and verify them, explain the kept ones, ask the student.

    Only missing work is done. Ctrl-C stops the run; the same command resumes it. How programs are
    drawn stands in the profile's sampler: temperature, top_p, redraws of a program that is there
    already, greedy_first. The figures say how many programs differ and how many were drawn again.
    Programs that were written again after a failure count in no pass@k and are never kept; their
    figures stand apart.
    """
    go(
        "run",
        project=project,
        limit=limit,
        k=k,
        upto=upto,
        split=split,
        repair=repair,
        memory=memory,
        tools=tool or [],
        workers=workers,
        slurm=slurm,
        sbatch=sbatch,
        engine=engine,
        address=address,
        gpus=gpus,
    )


@commands.command(rich_help_panel=PANEL)
def work(
    units: Annotated[
        list[Path], typer.Argument(metavar="UNIT...", help="Files in work/units of a project.")
    ],
    cache: Annotated[
        Path | None,
        typer.Option(
            help="File of tool results. By default, the project's own; many machines need one each."
        ),
    ] = None,
) -> None:
    """Do work units that `vpd run` planned, on this or any machine that sees the project's folder.

    The store is not opened: each unit becomes one file in work/shards, which the next `vpd run`
    takes in. The exit code is 1 if a unit failed; work/failures says why.
    """
    go("run", "work", units=units, cache=cache)


@commands.command(rich_help_panel=PANEL)
def programs(
    path: Annotated[Path, typer.Argument(help="A new file, for example programs.jsonl.gz.")],
    project: ProjectFolder = None,
    text: Annotated[
        str,
        typer.Option("--filter", help="Take only what this query finds, written as in Browse."),
    ] = "",
) -> None:
    """Write the sampled programs to a file, for another project or machine.

    The sampler `file` takes them up there: sampler = { part = "file", path = "programs.jsonl.gz" }.
    """
    go("programs", path=path, project=project, text=text)


@commands.command(rich_help_panel=PANEL)
def status(
    project: ProjectFolder = None, as_json: AsJson = False, split: Split = None, limit: Limit = None
) -> None:
    """Print counts per stage, pass@1, pass@k, yield, times, and the student's accuracy."""
    go("status", project=project, as_json=as_json, split=split, limit=limit)


@commands.command(rich_help_panel=PANEL)
def ask(
    image: Annotated[Path, typer.Argument(help="A picture.")],
    question: Annotated[str, typer.Argument(help="A question about the picture, in quotes.")],
    project: ProjectFolder = None,
    profile: Annotated[
        str | None,
        typer.Option(help="A shipped profile or a .toml file, instead of the project's profile."),
    ] = None,
    k: K = None,
    choice: Annotated[
        list[str] | None,
        typer.Option(help="An answer of a multiple-choice question. May be repeated."),
    ] = None,
) -> None:
    """Ask one question about one picture, and print the programs' answer and the student's."""
    go(
        "ask",
        picture=image,
        question=question,
        project=project,
        profile=profile,
        k=k,
        choices=tuple(choice or ()),
    )
