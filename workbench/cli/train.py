"""`vpd train` and `vpd jobs`: writes, queues and watches training jobs."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workbench import registry
from workbench.cli.options import key_value
from workbench.cli.text import console, open_project, project_folder, safe
from workbench.errors import InputError
from workbench.local_files import real_path
from workbench.pipeline.program_teacher import PROGRAMS, with_program_answers
from workbench.pipeline.snapshotting import folder_of
from workbench.settings import read_profile
from workbench.store.project import PROFILE
from workbench.store.reading import snapshots
from workbench.train.job import FILE, Job, job_of, job_text, read_job, student_of, usual
from workbench.train.jobs import Jobs, JobView
from workbench.train.launchers import to_ray, to_slurm
from workbench.train.methods import METHODS
from workbench.train.status_files import METRICS, RESULT, read_json, read_lines

WHERE = ("here", "slurm", "ray")


def main(
    project: Path | None,
    file: Path | None,
    snapshot: str,
    changes: Sequence[str],
    on: str,
    nodes: int,
    hours: float,
    options: Sequence[str],
    show: bool,
    wait: bool,
    request: str,
    **settings: Any,
) -> None:
    """Write a job and queue it, or only print it.

    Args:
        project: folder of the project; found from the current folder if None.
        file: a job to start from.
        snapshot: name, hash or folder of the snapshot; the newest if empty.
        changes: KEY=VALUE for any setting.
        on: where it runs, one of `WHERE`.
        nodes: machines of the cluster.
        hours: longest time on Slurm.
        options: KEY=VALUE for sbatch.
        show: print the job and queue nothing.
        wait: watch the job to its end.
        request: the same request again is the same job.
        settings: settings of the job that have an option of their own; None leaves one as it is.
    """
    if on not in WHERE:
        raise InputError(f"--on must be one of {', '.join(WHERE)}, found {on!r}")
    folder = project_folder(project)
    job = job_from_options(folder, file, snapshot, changes, settings)
    if show:
        print(job_text(job), end="")
        return
    hand = None
    if on == "slurm":
        hand = lambda at: "slurm " + to_slurm(at, job, nodes, hours, options)  # noqa: E731
    elif on == "ray":
        hand = lambda at: "ray " + to_ray(at, job)  # noqa: E731
    jobs = Jobs(folder / "jobs")
    name = jobs.submit(job, request, hand)
    if wait:
        _watch(jobs, name)
    else:
        console().print(f"job {name} is queued; follow it with: vpd jobs show {name}")


def job_from_options(
    folder: Path,
    file: Path | None,
    snapshot: str,
    changes: Sequence[str],
    settings: Mapping[str, Any],
) -> Job:
    """The job that the options of `vpd train` describe.

    Args:
        folder: of the project.
        file: a job to start from.
        snapshot: name, hash or folder of the snapshot; the newest if empty and there is no file.
        changes: KEY=VALUE for any setting.
        settings: settings that have an option of their own; None leaves one as it is.

    Raises:
        InputError: there is no such snapshot.
        ProfileError: a setting is unknown or its value is wrong.
    """
    settings = dict(settings)
    table = tomllib.loads(job_text(read_job(file))) if file else {}
    weight, method = settings.pop("weight"), settings.pop("method", None)
    teacher = settings.pop("teacher", None)
    table |= {key: value for key, value in settings.items() if value is not None}
    if weight is not None:
        table["arguments"] = {**table.get("arguments", {}), "weight": weight}
    if teacher:
        table["teacher"] = teacher_of(folder, teacher)
    for change in changes:
        put(table, change)
    if not file and "student" not in table:
        table["student"] = student_of(read_profile(folder / PROFILE))
    if not file:
        table = usual(table["student"]) | table
    if method is not None:
        _take_method(table, method, settings.get("objective"))
    beside = file.parent / table["snapshot"] if file else Path()
    table["snapshot"] = str(
        _snapshot(folder, snapshot) if snapshot or not file else real_path(beside)
    )
    job = job_of(table)
    job = replace(job, transform=_whole(job.transform))
    if job.teacher.get("part") != PROGRAMS:
        return job
    with open_project(folder, read_only=True) as project:
        return with_program_answers(project, job)


def _whole(transform: Mapping[str, Any]) -> dict[str, Any]:
    """A transform's settings; paths of files that are here are whole: the job may run elsewhere."""
    paths = {
        name: Path(value).expanduser()
        for name, value in transform.items()
        if name != "part" and isinstance(value, str)
    }
    files = {name: str(real_path(path)) for name, path in paths.items() if path.is_file()}
    return {**transform, **files}


def teacher_of(project: Path, name: str) -> dict[str, Any]:
    """The teacher that an option names: a registered one, or a checkpoint.

    Args:
        project: folder of the project, whose jobs may teach.
        name: of a part, a job, a folder or a hub id.
    """
    if name in registry.parts("teacher"):
        return {"part": name}
    for path in (project / "jobs" / name, Path(name).expanduser()):
        if path.is_dir():
            return {"part": "checkpoint", "path": str(real_path(path))}
    return {"part": "checkpoint", "path": name}


def _take_method(table: dict[str, Any], method: str, objective: str | None) -> None:
    """Set a job's settings for a method.

    Args:
        table: settings of the job.
        method: learns from preference pairs (`METHODS`), or says which weights are trained.
        objective: that was named beside it.

    Raises:
        InputError: there is no such method, or it has an objective of its own.
    """
    weights = get_args(get_type_hints(Job)["method"])
    if method in weights:
        table["method"] = method
        return
    if method not in METHODS:
        raise InputError(
            f"--method must be one of {', '.join([*METHODS, *weights])}, found {method!r}; dpo and "
            "kto learn from preference pairs, the others say which weights are trained"
        )
    if objective not in (None, method):
        raise InputError(
            f"--method {method} learns from preference pairs and has its own loss; leave out "
            f"--objective {objective}"
        )
    table["objective"] = method


def put(settings: dict[str, Any], change: str) -> None:
    """Set one KEY=VALUE in a job's settings; a dot leads into a table, as in `lora.r`."""
    key, value = key_value(change)
    table, _, name = key.rpartition(".")
    if table:
        settings[table] = {**settings.get(table, {}), name: value}
    else:
        settings[name] = value


def _snapshot(project: Path, which: str) -> Path:
    if which and (Path(which) / "manifest.json").is_file():
        return real_path(Path(which))
    with open_project(project, read_only=True) as opened:
        if not which:
            rows = snapshots.snapshot_rows(opened.database)
            if not rows:
                raise InputError("no snapshot was taken yet; take one with: vpd snapshot")
            which = rows[0].hash
        return real_path(folder_of(opened, which))


def _watch(jobs: Jobs, name: str) -> None:
    """Print the state of a job until it ends; the job does not depend on being watched."""
    out, last_line = console(), ""
    while True:
        view = jobs.show(name)
        line = _line(view)
        if line != last_line:
            out.print(line)
            last_line = line
        if view.state in ("done", "failed", "stopped"):
            _print_end(out, jobs, view)
            return
        time.sleep(1.0)


def _line(view: JobView) -> str:
    place = f", place {view.place}" if view.place else ""
    steps = f", step {view.step} of {view.total}" if view.total else ""
    left = f", {view.eta:.0f} s left" if view.eta and view.state == "running" else ""
    quiet = f", no sign for {view.silent:.0f} s" if view.silent else ""
    return f"{view.id} {view.state}{place}{steps}{left}{quiet}"


def _print_end(out: Console, jobs: Jobs, view: JobView) -> None:
    if view.failure:
        for line in jobs.log(view.id):
            out.print("  | " + safe(line, 300))
        out.print(f"{safe(view.failure['text'])} {safe(view.failure['advice'])}")
        if view.failure["change"]:
            sets = " ".join(
                f"--set {key}={json.dumps(value)}" for key, value in view.failure["change"].items()
            )
            out.print(f"try: vpd jobs clone {view.id} {sets}")
    if result := read_json(view.folder / RESULT):
        out.print(f"model: {safe(view.folder / result['model'])}")
        if result["of"]:
            share, low, high = (100 * side for side in (result["accuracy"], *result["interval"]))
            out.print(
                f"right on {share:.1f} % of {result['of']} held-out questions ({low:.1f} to "
                f"{high:.1f})"
            )


def _jobs(project: Path | None) -> Jobs:
    return Jobs(project_folder(project) / "jobs")


def list_(project: Path | None, as_json: bool) -> None:
    """Print all jobs: the running one, the queue, and those that ended."""
    jobs = _jobs(project)
    jobs.advance()  # a queue whose runner was killed goes on when somebody looks
    rows = jobs.all()
    if as_json:
        print(json.dumps([{**asdict(row), "folder": str(row.folder)} for row in rows], indent=1))
        return
    if not rows:
        console().print("no job was submitted yet; submit one with: vpd train")
        return
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("job", "name", "state", "place", "step", "left"):
        table.add_column(title, justify="right" if title in ("place", "step", "left") else "left")
    for row in rows:
        state = row.state + (f" (no sign for {row.silent:.0f} s)" if row.silent else "")
        state += f" ({row.failure['cause']})" if row.failure else ""
        left = f"{row.eta:.0f} s" if row.eta and row.state == "running" else ""
        steps = f"{row.step} of {row.total}" if row.total else ""
        table.add_row(row.id, Text(safe(row.name, 40)), state, str(row.place or ""), steps, left)
    console().print(table)


def show(which: str, project: Path | None, as_json: bool) -> None:
    """Print a job's state, its latest figures, and the reason if it failed.

    Args:
        which: id of a job, or the beginning of the id.
        project: folder of the project; None takes the one around the current folder.
        as_json: print JSON instead of text.
    """
    jobs = _jobs(project)
    view = jobs.show(which)
    figures = read_lines(view.folder / METRICS)
    if as_json:
        record = {
            **asdict(view),
            "folder": str(view.folder),
            "result": read_json(view.folder / RESULT),
        }
        print(json.dumps({**record, "metrics": figures}, indent=1))
        return
    out = console()
    out.print(_line(view) + (f" ({safe(view.name, 80)})" if view.name else ""))
    out.print(f"  {safe(view.folder)}")
    for kind in ("loss", "accuracy"):
        if rows := [row for row in figures if kind in row]:
            out.print(
                "  " + ", ".join(f"{key} {_number(value)}" for key, value in rows[-1].items())
            )
    _print_end(out, jobs, view)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def stop(which: str, now: bool, project: Path | None) -> None:
    """Stop a job after the current step with a checkpoint, or at once.

    Args:
        which: id of a job, or the beginning of the id.
        now: stop at once, without a checkpoint.
        project: folder of the project; None takes the one around the current folder.
    """
    _jobs(project).stop(which, save=not now)


def resume(which: str, project: Path | None) -> None:
    """Queue a job that stopped or failed."""
    _jobs(project).resume(which)


def clone(which: str, changes: Sequence[str], project: Path | None) -> None:
    """Queue a job's settings again with changes.

    Args:
        which: id of a job, or the beginning of the id.
        changes: changes of settings, each as KEY=VALUE.
        project: folder of the project; None takes the one around the current folder.
    """
    jobs = _jobs(project)
    settings: dict[str, Any] = asdict(read_job(jobs.show(which).folder / FILE))
    for change in changes:
        put(settings, change)
    console().print(f"job {jobs.clone(which, settings)} is queued")


def delete(which: str, project: Path | None) -> None:
    """Remove a job with its checkpoints and its model."""
    _jobs(project).delete(which)


def move(which: str, place: int, project: Path | None) -> None:
    """Give a waiting job another place.

    Args:
        which: id of a job, or the beginning of the id.
        place: new place in the queue, from 1.
        project: folder of the project; None takes the one around the current folder.
    """
    _jobs(project).move(which, place)
