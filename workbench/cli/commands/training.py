"""The commands of the group Train: snapshot, export, steps, train, jobs and make-models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.options import PASSED_ON, AsJson, ProjectFolder, Settings, go

PANEL = "Train"
commands = typer.Typer()


@commands.command(rich_help_panel=PANEL)
def train(
    project: ProjectFolder = None,
    snapshot: Annotated[
        str,
        typer.Option(help="Name, hash or folder of a snapshot. By default, the newest snapshot."),
    ] = "",
    objective: Annotated[
        str | None,
        typer.Option(
            help="What to learn by: vpd (labels and rationales), instruct (labels), or a published "
            "method; see vpd recipes."
        ),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            help="Who teaches, for objectives with a teacher: a job, a checkpoint, or programs."
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="Learn from the snapshot's preference pairs by dpo or kto; or which weights are "
            "trained: lora, qlora or full."
        ),
    ] = None,
    weight: Annotated[
        float | None,
        typer.Option(help="Weight of the rationale's term in the loss (1 in the paper)."),
    ] = None,
    student: Annotated[
        str | None,
        typer.Option(
            help="The model to train: small, bundled, distilled, a folder of a checkpoint or a hub "
            "id. What the profile's student was taught from if left out."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="A name for the job.")] = None,
    epochs: Annotated[
        float | None, typer.Option(help="Number of times that each example is used.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Number of training steps, instead of epochs.")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Number of examples per step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the adapters' start and of the examples' order.")
    ] = None,
    settings: Settings = None,
    job: Annotated[Path | None, typer.Option(help="A job.toml to start from.")] = None,
    on: Annotated[str, typer.Option(help="Where the job runs: here, slurm or ray.")] = "here",
    nodes: Annotated[int, typer.Option(help="Number of machines of the cluster.")] = 1,
    hours: Annotated[float, typer.Option(help="Longest time on Slurm, in hours.")] = 4.0,
    cluster: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Set an option of sbatch. May be repeated."),
    ] = None,
    dry: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Measure time, memory and disk in two steps, and keep nothing."
        ),
    ] = False,
    preview: Annotated[
        bool, typer.Option(help="Show three examples as the student sees them.")
    ] = False,
    toml: Annotated[bool, typer.Option(help="Print the job instead of queueing it.")] = False,
    wait: Annotated[
        bool, typer.Option(help="Watch the job until it ends. Ctrl-C does not stop the job.")
    ] = False,
    request: Annotated[
        str, typer.Option(help="Key of the request: repeating it does not queue a second job.")
    ] = "",
) -> None:
    """Queue a training job, which teaches a student the examples of a snapshot."""
    job_options: dict[str, Any] = {
        "project": project,
        "file": job,
        "snapshot": snapshot,
        "changes": tuple(settings or ()),
        "objective": objective,
        "teacher": teacher,
        "weight": weight,
        "method": method,
        "student": student,
        "name": name,
        "epochs": epochs,
        "steps": steps,
        "batch": batch,
        "lr": lr,
        "seed": seed,
    }
    if (preview or dry) and not toml:
        go("train_estimate", wants_preview=preview, **job_options)
    else:
        go(
            "train",
            on=on,
            nodes=nodes,
            hours=hours,
            options=tuple(cluster or ()),
            show=toml,
            wait=wait,
            request=request,
            **job_options,
        )


@commands.command(rich_help_panel=PANEL)
def export(
    which: Annotated[
        str, typer.Argument(metavar="SNAPSHOT", help="Name, hash or folder of a snapshot.")
    ],
    path: Annotated[Path, typer.Argument(help="A new or empty folder to write to.")],
    to: Annotated[
        str,
        typer.Option(
            help="Format: chat (for TRL, Unsloth, LLaMA-Factory, ms-swift and verl), tool-calls "
            "(the same with the program's calls), preferences (pairs for TRL and LLaMA-Factory), "
            "datasets, argilla, label-studio or fiftyone."
        ),
    ] = "",
    project: ProjectFolder = None,
) -> None:
    """Write a snapshot in the format of another tool."""
    go("export", which=which, to=to, path=path, project=project)


@commands.command(rich_help_panel=PANEL)
def steps(
    path: Annotated[Path, typer.Argument(help="A new file, for example steps.jsonl.")],
    project: ProjectFolder = None,
    text: Annotated[
        str,
        typer.Option("--filter", help="Take only what this query finds, written as in Browse."),
    ] = "",
    people: Annotated[
        bool, typer.Option(help="Take only runs in which a person marked the first wrong step.")
    ] = False,
) -> None:
    """Write what each tool call of the runs is worth, as JSON lines with a label for each step.

    A person's first wrong step counts before the checks, which know how far an answer depends on
    each call.
    """
    go("credit", path=path, project=project, text=text, people=people)


@commands.command("make-models", context_settings=PASSED_ON, rich_help_panel=PANEL)
def make_models(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="Name of the model. By default, list the models.")
    ] = "",
) -> None:
    """Train one of the embedded models again.

    Options after the name belong to the model's own command: `vpd make-models NAME --help`.
    """
    go("models", name=name, arguments=context.args)


snapshots = typer.Typer(invoke_without_command=True)
commands.add_typer(snapshots, name="snapshot", rich_help_panel=PANEL)
SnapshotName = Annotated[
    str, typer.Argument(help="Name of a snapshot, or the beginning of its hash.")
]


@snapshots.callback()
def snapshot(
    context: typer.Context,
    project: ProjectFolder = None,
    name: Annotated[str, typer.Option(help="A name for the snapshot.")] = "",
    text: Annotated[
        str,
        typer.Option("--filter", help="Take only what this query finds, written as in Browse."),
    ] = "",
    automatic: Annotated[
        bool, typer.Option(help="Take what the verifier kept, not what people accepted.")
    ] = False,
    both: Annotated[
        bool,
        typer.Option(help="Follow people's decisions, and the verifier where nobody has decided."),
    ] = False,
    labels: Annotated[
        bool,
        typer.Option(help="Also take labelled questions without a rationale, for their label."),
    ] = False,
    agreed: Annotated[
        bool, typer.Option(help="Also take unlabelled questions on which the programs agreed.")
    ] = False,
    bare: Annotated[
        bool, typer.Option(help="Also take rationales that say no more than the answer.")
    ] = False,
    flagged: Annotated[
        bool, typer.Option(help="Also take runs that may be right for the wrong reason.")
    ] = False,
    pairs: Annotated[
        bool,
        typer.Option(
            help="Also take preference pairs: right and wrong programs, faithful and unfaithful "
            "rationales, edited texts and what they replace."
        ),
    ] = False,
    least_credit: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Leave out what the verifier kept whose tool calls have less credit on average, "
            "-1 to 1; vpd check gives it.",
        ),
    ] = None,
    repaired: Annotated[
        bool,
        typer.Option(
            help="Also take right programs that were written again (vpd run --repair), where no "
            "first program is right."
        ),
    ] = False,
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="Train on this split. May be repeated. By default, all but val, dev and test."
        ),
    ] = None,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(help="A source reserved for evaluation. May be repeated."),
    ] = None,
    leakage: Annotated[
        str,
        typer.Option(help="What to do with pictures of evaluation sets: leave-out, stop or keep."),
    ] = "leave-out",
    val: Annotated[float, typer.Option(help="Share of the pictures kept for validation.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Seed of the division into train and val.")] = 0,
    select: Annotated[
        list[str] | None,
        typer.Option(
            help="A recipe that weighs the training rows (see `vpd recipes`). May be repeated."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set an argument of the selector; with several, NAME.KEY=VALUE. May be repeated.",
        ),
    ] = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Report the content, and write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a training snapshot: accepted questions with answers, rationales and pictures.

    A snapshot never changes once it is written.
    """
    if context.invoked_subcommand is None:
        go(
            "snapshot",
            project=project,
            name=name,
            dry=dry,
            as_json=as_json,
            text=text,
            labels=labels,
            agreed=agreed,
            bare=bare,
            flagged=flagged,
            least_credit=least_credit,
            repaired=repaired,
            pairs=pairs,
            automatic=automatic,
            both=both,
            splits=tuple(split or ()),
            evaluation_sources=tuple(hold_out or ()),
            leakage=leakage,
            val=val,
            seed=seed,
            select=tuple(select or ()),
            settings=tuple(settings or ()),
        )


@snapshots.command("list")
def snapshot_list(project: ProjectFolder = None, as_json: AsJson = False) -> None:
    """List the project's snapshots, the newest first."""
    go("snapshot", "list_", project=project, as_json=as_json)


@snapshots.command("show")
def snapshot_show(
    which: SnapshotName, project: ProjectFolder = None, as_json: AsJson = False
) -> None:
    """Show what a snapshot contains, and what was left out and why."""
    go("snapshot", "show", which=which, project=project, as_json=as_json)


jobs = typer.Typer(
    help="Manage the training jobs: one runs, the others wait.", no_args_is_help=True
)
commands.add_typer(jobs, name="jobs", rich_help_panel=PANEL)
JobId = Annotated[
    str, typer.Argument(metavar="JOB", help="Id of a job, or the beginning of the id.")
]


@jobs.command("list")
def jobs_list(project: ProjectFolder = None, as_json: AsJson = False) -> None:
    """List the running job, the queue, and the jobs that ended."""
    go("train", "list_", project=project, as_json=as_json)


@jobs.command("show")
def jobs_show(which: JobId, project: ProjectFolder = None, as_json: AsJson = False) -> None:
    """Show a job's state, its latest figures, and the reason if it failed."""
    go("train", "show", which=which, project=project, as_json=as_json)


@jobs.command("stop")
def jobs_stop(
    which: JobId,
    project: ProjectFolder = None,
    now: Annotated[
        bool, typer.Option(help="Stop at once, and lose the steps since the last checkpoint.")
    ] = False,
) -> None:
    """Remove a job from the queue, or stop it after the current step with a checkpoint."""
    go("train", "stop", which=which, now=now, project=project)


@jobs.command("resume")
def jobs_resume(which: JobId, project: ProjectFolder = None) -> None:
    """Queue a stopped or failed job, which continues from its last checkpoint."""
    go("train", "resume", which=which, project=project)


@jobs.command("clone")
def jobs_clone(which: JobId, project: ProjectFolder = None, settings: Settings = None) -> None:
    """Queue a new job with the settings of another one, changed where --set says so."""
    go("train", "clone", which=which, changes=tuple(settings or ()), project=project)


@jobs.command("delete")
def jobs_delete(which: JobId, project: ProjectFolder = None) -> None:
    """Delete a job with its checkpoints and its model."""
    go("train", "delete", which=which, project=project)


@jobs.command("move")
def jobs_move(
    which: JobId,
    place: Annotated[int, typer.Argument(help="New place in the queue, from 1.")],
    project: ProjectFolder = None,
) -> None:
    """Move a waiting job to another place in the queue."""
    go("train", "move", which=which, place=place, project=project)
