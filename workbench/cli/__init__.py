"""The command `vpd`: what each command takes stands here, what it does in a module of its own.

A command's module is imported when the command runs, so that `vpd --help` needs neither the store
nor a model.

Files:
    ask.py       vpd ask: one question, by programs and by the student
    backup.py    vpd backup and restore
    bars.py      progress bars
    bench.py     vpd bench: measurements that a room brings with it
    check.py     vpd check: right for the wrong reason; program errors and tool errors
    compare.py   vpd compare: pipeline against student, question by question
    curate.py    vpd curate, vpd guidelines
    doctor.py    vpd doctor
    evaluate.py  vpd evaluate: a student or the pipeline on a set of questions
    evaluation.py  what vpd evaluate, results and study take
    export.py    vpd export and import-decisions
    init.py      vpd init and vpd import
    lab.py       vpd lab: JupyterLab on the course
    models.py    vpd make-models: the embedded models, made again by the code that made them
    options.py   what the commands' declarations share: options that many take, and how a command is run
    page.py      vpd app: the web page over a project
    parts.py     vpd parts: what is registered, and what each part is
    probe.py     vpd probe: does a student's answer rest on its own rationale
    ratings.py   vpd ratings: what people said of two models, blind
    report.py    vpd report: the project as one HTML file
    results.py   vpd results: all systems on the same questions in one table
    run.py       vpd run: the loop
    show.py      vpd show: a list of tasks, one task, one run
    snapshot.py  vpd snapshot
    sql.py       vpd sql: the store in SQL, reading only
    status.py    vpd status: where a project stands
    study.py     vpd study: train with and without rationales over seeds, ask everybody, compare
    steps.py     a program and its trace as lines of text
    text.py      how text gets to the terminal, hostile text included
    train.py     `vpd train` and `vpd jobs`: training jobs written, queued, watched
    train_estimate.py  `vpd train --preview` and `--dry-run`: what a job would see, and what it would cost
    training.py  what `vpd train` and `vpd jobs` take
    trust.py     what vpd check, compare, probe, ratings and report take
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench import __version__
from workbench.cli.evaluation import evaluate, results, study
from workbench.cli.options import AsJson, ProjectFolder
from workbench.cli.options import go as _go
from workbench.cli.training import jobs, train
from workbench.cli.trust import check, compare, probe, ratings, report

app = typer.Typer(
    name="vpd",
    help="Sample visual programs, run them safely, keep the verified ones, distil them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Limit = Annotated[int | None, typer.Option(help="Only the first so many tasks.")]
Split = Annotated[str | None, typer.Option(help="Only tasks of this split.")]
K = Annotated[
    int | None, typer.Option("--k", help="Programs per question; the profile's if left out.")
]
PASSED_ON: dict[str, Any] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
"""For commands whose options, `--help` among them, belong to a module's own command."""
SOURCES = (
    "collages, photos; your own folder; gqa, vqav2, okvqa, aokvqa, tallyqa, pope, mmbench, hateful in their official "
    "files; or a part of your own."
)
FromFolder = Annotated[
    Path | None,
    typer.Option(
        "--from", help="Folder with questions.jsonl (or .csv) and pictures, or official files."
    ),
]
ImageFolder = Annotated[
    Path | None, typer.Option("--images", help="Folder with the pictures, where it is another.")
]
SourceSet = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="An argument of the source (vpd parts lists them); repeat.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Count and list what would be left out; write nothing.")
]


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    source: Annotated[
        str, typer.Option(help=f"{SOURCES}  Left out: collages, or the folder of --from.")
    ] = "",
    from_folder: FromFolder = None,
    images: ImageFolder = None,
    settings: SourceSet = None,
    profile: Annotated[
        str, typer.Option(help="Name of a shipped profile, or a .toml file.")
    ] = "embedded",
    limit: Limit = None,
    split: Split = None,
    dry_run: DryRun = False,
) -> None:
    """Make a project and import its tasks."""
    _go(
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
    )


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help=SOURCES)] = "",
    from_folder: FromFolder = None,
    images: ImageFolder = None,
    settings: SourceSet = None,
    project: ProjectFolder = None,
    limit: Limit = None,
    split: Split = None,
    dry_run: DryRun = False,
) -> None:
    """Add tasks to a project from one more source, or read its sources again."""
    _go(
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
    )


@app.command()
def run(
    project: ProjectFolder = None,
    limit: Limit = None,
    k: K = None,
    upto: Annotated[
        str,
        typer.Option(help="Last stage: import, sample, execute, verify, rationalize or predict."),
    ] = ("predict"),
    split: Split = None,
) -> None:
    """Run the loop: sample, execute, verify, rationalize, and the student's answers beside.

    Does only what is missing.  Ctrl-C stops it; the same command goes on.
    """
    _go("run", project=project, limit=limit, k=k, upto=upto, split=split)


@app.command()
def status(
    project: ProjectFolder = None, as_json: AsJson = False, split: Split = None, limit: Limit = None
) -> None:
    """Counts per stage, pass@1, pass@k, yield, seconds per question, the student beside."""
    _go("status", project=project, as_json=as_json, split=split, limit=limit)


@app.command()
def ask(
    image: Annotated[Path, typer.Argument(help="A picture.")],
    question: Annotated[str, typer.Argument(help="A question about it, in quotes.")],
    project: ProjectFolder = None,
    profile: Annotated[
        str | None, typer.Option(help="A shipped profile or .toml file, not the project's.")
    ] = None,
    k: K = None,
    choice: Annotated[
        list[str] | None, typer.Option(help="An option of a multiple-choice question; repeat.")
    ] = None,
) -> None:
    """Ask one question about one picture: by programs, and the student beside."""
    _go(
        "ask",
        picture=image,
        question=question,
        project=project,
        profile=profile,
        k=k,
        choices=tuple(choice or ()),
    )


@app.command()
def show(
    what: Annotated[
        str, typer.Argument(help="A task, program or trace by id; a list of tasks if left out.")
    ] = "",
    project: ProjectFolder = None,
    status: Annotated[
        str | None, typer.Option(help="List only: kept, agreed, wrong, failed or waiting.")
    ] = None,
    text: Annotated[str, typer.Option(help="List only questions with this text.")] = "",
    limit: Annotated[int, typer.Option(help="Tasks to list.")] = 30,
) -> None:
    """Show one task with its programs, one run step by step, or a list of tasks."""
    _go("show", what=what, project=project, status=status, text=text, limit=limit)


pages = typer.Typer(invoke_without_command=True)
app.add_typer(pages, name="app")


@pages.callback()
def app_(
    context: typer.Context,
    project: ProjectFolder = None,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; another than this machine's own needs --auth or --oidc."
        ),
    ] = ("127.0.0.1"),
    port: Annotated[
        int, typer.Option(help="Port; the next free one if it is taken, 0 takes any.")
    ] = 8870,
    auth: Annotated[
        Path | None, typer.Option(help="File of users who log in; see vpd app add-user.")
    ] = None,
    oidc: Annotated[
        Path | None,
        typer.Option(
            help="Settings of an OpenID Connect provider where people sign in; see docs/sign-on.md."
        ),
    ] = None,
    public_url: Annotated[
        str, typer.Option(help="Address under which people reach the server, for --oidc.")
    ] = "",
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Browse, step through, curate and compare in the browser."""
    if context.invoked_subcommand is None:
        _go(
            "page",
            project=project,
            host=host,
            port=port,
            auth=auth,
            oidc=oidc,
            public_url=public_url,
            open_browser=browser,
        )


@pages.command("add-user")
def add_user(
    name: Annotated[str, typer.Argument(help="1 to 40 letters, digits or . _ @ -")],
    auth: Annotated[Path, typer.Option(help="File of users; made if it is not there.")],
    role: Annotated[
        str,
        typer.Option(
            help="viewer (looks), curator (decides), adjudicator (settles disputes) or admin."
        ),
    ] = "curator",
) -> None:
    """Add a user who may log in, or change the password or the role of one.  Asks for the password."""
    _go("page", "add_user", name=name, auth=auth, role=role)


@app.command()
def parts(as_json: AsJson = False) -> None:
    """Every registered part, what it is, and what is missing to load it."""
    _go("parts", as_json=as_json)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="A SELECT over the project's tables; reading only.")],
    project: ProjectFolder = None,
    limit: Annotated[int, typer.Option(help="Rows to print.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Ask the project's store in SQL."""
    _go("sql", query=query, project=project, limit=limit, as_json=as_json)


takes = typer.Typer(invoke_without_command=True)
app.add_typer(takes, name="snapshot")
SnapshotName = Annotated[
    str, typer.Argument(help="A snapshot by name, or by the beginning of its hash.")
]


@takes.callback()
def snapshot(
    context: typer.Context,
    project: ProjectFolder = None,
    name: Annotated[str, typer.Option(help="What you call it.")] = "",
    text: Annotated[
        str, typer.Option("--filter", help="Only what this query finds, as in Browse.")
    ] = "",
    automatic: Annotated[
        bool, typer.Option(help="Not what people accepted, but what the verifier kept.")
    ] = False,
    both: Annotated[
        bool, typer.Option(help="A person's word where there is one, else the verifier's.")
    ] = False,
    labels: Annotated[
        bool, typer.Option(help="Also labelled questions without a target, for their label.")
    ] = False,
    agreed: Annotated[
        bool, typer.Option(help="Also what programs without a label agreed on.")
    ] = False,
    split: Annotated[
        list[str] | None, typer.Option(help="Train on this split; repeat. All but val, dev, test.")
    ] = None,
    hold_out: Annotated[
        list[str] | None, typer.Option(help="A source that is for evaluation; repeat.")
    ] = None,
    leakage: Annotated[
        str, typer.Option(help="Pictures of evaluation sets: leave-out, stop or keep.")
    ] = "leave-out",
    val: Annotated[float, typer.Option(help="Share of pictures held out for validation.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Of the division into train and val.")] = 0,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what it would hold.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a training snapshot: accepted questions with answers, rationales and pictures, never
    changed again.
    """
    if context.invoked_subcommand is None:
        _go(
            "snapshot",
            project=project,
            name=name,
            dry=dry,
            as_json=as_json,
            text=text,
            labels=labels,
            agreed=agreed,
            automatic=automatic,
            both=both,
            splits=tuple(split or ()),
            evaluation_sources=tuple(hold_out or ()),
            leakage=leakage,
            val=val,
            seed=seed,
        )


@takes.command("list")
def snapshot_list(project: ProjectFolder = None, as_json: AsJson = False) -> None:
    """The snapshots taken, the newest first."""
    _go("snapshot", "list_", project=project, as_json=as_json)


@takes.command("show")
def snapshot_show(
    which: SnapshotName, project: ProjectFolder = None, as_json: AsJson = False
) -> None:
    """What is in a snapshot, and what was left out and why."""
    _go("snapshot", "show", which=which, project=project, as_json=as_json)


app.command()(check)
app.command()(compare)
app.command()(probe)
app.command()(ratings)
app.command()(report)
app.command()(evaluate)
app.command()(results)
app.command()(study)
app.command()(train)
app.add_typer(jobs, name="jobs")


@app.command()
def export(
    which: Annotated[str, typer.Argument(metavar="SNAPSHOT", help="By name, hash or folder.")],
    path: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    to: Annotated[
        str, typer.Option(help="chat, datasets, argilla, label-studio or fiftyone.")
    ] = "",
    project: ProjectFolder = None,
) -> None:
    """Write a snapshot for another tool: chat for TRL, Unsloth, LLaMA-Factory and ms-swift."""
    _go("export", which=which, to=to, path=path, project=project)


@app.command("import-decisions")
def import_decisions(
    file: Annotated[Path, typer.Argument(help="What the other tool exported, as JSON.")],
    tool: Annotated[str, typer.Option("--from", help="argilla or label-studio.")],
    project: ProjectFolder = None,
) -> None:
    """Add decisions that people made in another tool; a second time adds nothing."""
    _go("export", "decisions", path=file, tool=tool, project=project)


@app.command()
def backup(
    path: Annotated[
        Path | None, typer.Argument(help="A new or empty folder; backups/TIME if left out.")
    ] = None,
    project: ProjectFolder = None,
    images: Annotated[bool, typer.Option(help="With pictures and snapshots.")] = True,
    copy: Annotated[
        bool,
        typer.Option(help="Copy pictures, not link them; for another disk they are copied anyway."),
    ] = (False),
) -> None:
    """Back the project up as it is at one moment; others may go on working."""
    _go("backup", path=path, project=project, images=images, copy=copy)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder of a backup.")],
    path: Annotated[Path, typer.Argument(help="A new or empty folder.")],
) -> None:
    """Make a project of a backup."""
    _go("backup", "restore", source=source, path=path)


@app.command()
def doctor(
    project: ProjectFolder = None,
    quick: Annotated[
        bool, typer.Option(help="Leave out what reads every picture and every trace.")
    ] = False,
    repair: Annotated[
        bool, typer.Option(help="Remove what cut-off writers left; nothing else is touched.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check that everything in the project is as it has to be; exit code 1 when something is wrong."""
    _go("doctor", project=project, quick=quick, repair=repair, as_json=as_json)


@app.command()
def lab(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of notebooks; notebooks/ if left out.")
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option("--project", "-p", help="The project; the course's own if left out."),
    ] = None,
    port: Annotated[int, typer.Option(help="The first that is free from here.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Open JupyterLab on the course, with this environment and a project of the bundled collages."""
    _go("lab", folder=folder, project=project, port=port, open_browser=browser)


curates = typer.Typer(help="Where the curators stand.", no_args_is_help=True)
app.add_typer(curates, name="curate")
guides = typer.Typer(help="The text that curators go by, in versions.", no_args_is_help=True)
app.add_typer(guides, name="guidelines")


@curates.command("status")
def curate_status(project: ProjectFolder = None) -> None:
    """The queue, each reviewer's figures, agreement, what was blamed."""
    _go("curate", "status", project=project)


@guides.command("add")
def guidelines_add(
    file: Annotated[Path, typer.Argument(help="A text file.")],
    project: ProjectFolder = None,
    author: Annotated[str, typer.Option(help="Who wrote it.")] = "local",
) -> None:
    """Put the guidelines in a file in force; earlier versions stay."""
    _go("curate", "add_guideline", project=project, file=file, author=author)


@guides.command("show")
def guidelines_show(
    project: ProjectFolder = None,
    version: Annotated[str | None, typer.Option(help="An earlier version.")] = None,
) -> None:
    """Print the guidelines in force."""
    _go("curate", "show_guideline", project=project, version=version)


@app.command("make-models", context_settings=PASSED_ON)
def make_models(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which model; a list if left out.")] = "",
) -> None:
    """Train the embedded models again.  Options behind the name go to the model's own command."""
    _go("models", name=name, arguments=context.args)


@app.command(context_settings=PASSED_ON)
def bench(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="execute: what running programs costs; tools: how right the embedded tools are."
        ),
    ] = "execute",
) -> None:
    """Measure this machine.  Options behind the name go to the measurement's own command."""
    _go("bench", what=what, arguments=context.args)


def _version(asked: bool) -> None:
    if asked:
        print(f"vpd {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Sample visual programs, run them safely, keep the verified ones, distil them."""


def main() -> None:
    """Entry point of `vpd`."""
    # OpenMP reads it once, when torch loads: threads that spin while they wait cost a busy machine
    # many times the work
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    app()
