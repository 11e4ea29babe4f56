"""What `vpd train` and `vpd jobs` take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.options import AsJson, ProjectFolder, go


def train(
    project: ProjectFolder = None,
    snapshot: Annotated[
        str, typer.Option(help="By name, hash or folder; the newest if left out.")
    ] = "",
    objective: Annotated[
        str | None, typer.Option(help="vpd (labels and rationales) or instruct (labels).")
    ] = None,
    weight: Annotated[
        float | None, typer.Option(help="Of the rationale's term; 1 as published.")
    ] = None,
    student: Annotated[
        str | None, typer.Option(help="bundled, a checkpoint's folder or a hub id.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What you call it.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Times that every example is seen.")] = None,
    steps: Annotated[int | None, typer.Option(help="Instead of epochs.")] = None,
    batch: Annotated[int | None, typer.Option(help="Examples per step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of adapters and order.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Any setting of the job, as lora.r=16; repeat."
        ),
    ] = None,
    job: Annotated[Path | None, typer.Option(help="A job.toml to start from.")] = None,
    on: Annotated[str, typer.Option(help="here, slurm or ray.")] = "here",
    nodes: Annotated[int, typer.Option(help="Of the cluster.")] = 1,
    hours: Annotated[float, typer.Option(help="Longest time on Slurm.")] = 4.0,
    cluster: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="More of sbatch; repeat.")
    ] = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Take two steps: time, memory, disk; keep nothing.")
    ] = False,
    preview: Annotated[
        bool, typer.Option(help="Show three examples as the student sees them.")
    ] = False,
    toml: Annotated[bool, typer.Option(help="Print the job instead of queueing it.")] = False,
    wait: Annotated[
        bool, typer.Option(help="Watch it to its end; it runs on when you go.")
    ] = False,
    request: Annotated[str, typer.Option(help="The same request again is the same job.")] = "",
) -> None:
    """Queue a training job: a snapshot and a student in, a distilled student out."""
    wanted: dict[str, Any] = {
        "project": project,
        "file": job,
        "snapshot": snapshot,
        "changes": tuple(settings or ()),
        "objective": objective,
        "weight": weight,
        "student": student,
        "name": name,
        "epochs": epochs,
        "steps": steps,
        "batch": batch,
        "lr": lr,
        "seed": seed,
    }
    if (preview or dry) and not toml:
        go("train_estimate", wants_preview=preview, **wanted)
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
            **wanted,
        )


jobs = typer.Typer(help="The training jobs: one runs, the others wait.", no_args_is_help=True)
JobId = Annotated[str, typer.Argument(metavar="JOB", help="A job, by the beginning of its id.")]


@jobs.command("list")
def list_(project: ProjectFolder = None, as_json: AsJson = False) -> None:
    """The running job, the queue, the ended ones."""
    go("train", "list_", project=project, as_json=as_json)


@jobs.command("show")
def show(which: JobId, project: ProjectFolder = None, as_json: AsJson = False) -> None:
    """A job's state, its latest figures, and why it failed."""
    go("train", "show", which=which, project=project, as_json=as_json)


@jobs.command("stop")
def stop(
    which: JobId,
    project: ProjectFolder = None,
    now: Annotated[bool, typer.Option(help="At once, back to the last checkpoint.")] = False,
) -> None:
    """Take a job out of the queue, or end it after the step at hand, with a checkpoint."""
    go("train", "stop", which=which, now=now, project=project)


@jobs.command("resume")
def resume(which: JobId, project: ProjectFolder = None) -> None:
    """Queue a job that stopped or failed; it goes on from its last checkpoint."""
    go("train", "resume", which=which, project=project)


@jobs.command("clone")
def clone(
    which: JobId,
    project: ProjectFolder = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A change; repeat.")
    ] = None,
) -> None:
    """Queue a job's settings again, with changes."""
    go("train", "clone", which=which, changes=tuple(settings or ()), project=project)


@jobs.command("delete")
def delete(which: JobId, project: ProjectFolder = None) -> None:
    """Remove a job with its checkpoints and its model."""
    go("train", "delete", which=which, project=project)


@jobs.command("move")
def move(
    which: JobId,
    place: Annotated[int, typer.Argument(help="In the queue, from 1.")],
    project: ProjectFolder = None,
) -> None:
    """Give a waiting job another place."""
    go("train", "move", which=which, place=place, project=project)
