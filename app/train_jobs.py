"""Jobs as the Train page shows them: the list, one of them, several beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.site import Site
from app.train_form import command, flat
from workbench.errors import InputError, WorkbenchError
from workbench.snapshot import Snapshot
from workbench.train.job import FILE, Job, job_text, read_job
from workbench.train.jobs import Jobs, JobView
from workbench.train.status_files import RESULT, STATUS, VALIDATION, read_json, read_lines

TOGETHER = 8
"""Runs compared at once."""

LOG_LINES = 30

ENDED = ("done", "failed", "stopped")


def row(seen: JobView) -> dict[str, Any]:
    """A job's line in the list."""
    job, result, status = (
        _job(seen),
        read_json(seen.folder / RESULT),
        read_json(seen.folder / STATUS),
    )
    return {
        "id": seen.id,
        "name": seen.name,
        "state": seen.state,
        "step": seen.step,
        "total": seen.total,
        "eta": seen.eta,
        "place": seen.place,
        "silent": seen.silent,
        "phase": status.get("phase", ""),
        "loss": status.get("loss"),
        "cause": seen.failure["cause"] if seen.failure else None,
        "at": (seen.folder / FILE).stat().st_mtime,
        "student": shown_student(seen, job.student) if job else "",
        "objective": job.objective if job else "",
        "method": job.method if job else "",
        "snapshot": Path(job.snapshot).name if job else "",
        **_figures(result),
        "seconds": result.get("seconds"),
        "resume": resumable(seen, job),
    }


def _figures(result: dict[str, Any]) -> dict[str, Any]:
    return {
        name: result.get(name)
        for name in ("accuracy", "interval", "of", "first", "steps", "memory_mb", "rows")
    }


def shown_student(seen: JobView, student: str) -> str:
    """What a student is called: an earlier job's model by its job, a folder by its last part."""
    path = Path(student)
    if path.name == "model" and path.parent.parent == seen.folder.parent:
        return f"model of {path.parent.name}"
    return path.name if path.is_absolute() else student


def _job(seen: JobView) -> Job | None:
    try:
        return read_job(seen.folder / FILE)
    except WorkbenchError:
        return None


def resumable(seen: JobView, job: Job | None) -> str:
    """Why a job cannot be resumed; empty when it can."""
    if seen.state not in ("stopped", "failed"):
        return f"it is {seen.state}"
    if job is None:
        return "its job.toml cannot be read; clone an earlier one"
    if not (seen.folder / job.snapshot / "manifest.json").is_file():
        return "its snapshot is gone; take it again, then clone the job"
    states = sorted((seen.folder / "checkpoints").glob("step-*/state.json"))
    if states and read_json(states[-1]).get("key") not in ("", job.key):
        return "its settings were edited since its last checkpoint; clone it to start anew"
    return ""


def detail(site: Site, jobs: Jobs, which: str) -> dict[str, Any]:
    """One job with its settings, log, failure, checkpoints, answers on the fixed held-out pictures,
    and model card.
    """
    seen = jobs.show(which)
    job, result = _job(seen), read_json(seen.folder / RESULT)
    steps = [
        int(path.parent.name[5:])
        for path in (seen.folder / "checkpoints").glob("step-*/state.json")
    ]
    return {
        **row(seen),
        "folder": str(seen.folder),
        "settings": asdict(job) if job else {},
        "toml": job_text(job) if job else "",
        "command": command(site.project, job) if job else "",
        "failure": dict(seen.failure) if seen.failure else None,
        "log": [line[:2000] for line in jobs.log(seen.id, LOG_LINES)],
        "checkpoints": sorted(steps),
        "best": result.get("step"),
        "answers": _answers(site, seen.folder),
        "card": _text(seen.folder / result["model"] / "README.md") if result else "",
        "model": str(seen.folder / result["model"]) if result else "",
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:20_000]
    except OSError:
        return ""


def _answers(site: Site, folder: Path) -> list[dict[str, Any]]:
    """Each fixed held-out question with its answer at every checkpoint, and what became of it since
    the first.
    """
    by_task: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for said in read_lines(folder / VALIDATION):
        by_task[str(said.get("task_id"))].append(said)
    out = []
    for rows in by_task.values():
        first, last = rows[0], rows[-1]
        change = last["right"] - first["right"]
        picture = site.project.images.path(last["image"])
        out.append(
            {
                "task": last["task_id"],
                "question": last["question"],
                "gold": last["gold"],
                "thumb": f"/thumb/{last['image']}" if picture else None,
                "answers": [
                    {name: one[name] for name in ("step", "answer", "right")} for one in rows
                ],
                "change": "improved" if change > 0 else "broke" if change < 0 else "same",
            }
        )
    return out


def together(jobs: Jobs, ids: Sequence[str]) -> dict[str, Any]:
    """Several jobs beside each other: figures, the settings that differ, the snapshots where they
    differ.

    Args:
        ids: at most 8; the newest five that have run where there are none.

    Raises InputError: no such job, or too many.
    """
    if len(ids) > TOGETHER:
        raise InputError(f"{len(ids)} runs were chosen; at most {TOGETHER} fit beside each other")
    seen = [jobs.show(one) for one in dict.fromkeys(ids)] or [
        one for one in jobs.all() if one.step or one.state in ENDED
    ][:5]
    settings = [_settings(one) for one in seen]
    return {
        "jobs": [row(one) for one in seen],
        "settings": {key: values for key, values in _differing(settings).items() if key != "name"},
        "snapshots": _differing([_snapshot(one) for one in seen]),
    }


def _differing(all_: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """What is not the same in all, by key: one value for each; None where one lacks it."""
    found = {
        key: [one.get(key) for one in all_]
        for key in dict.fromkeys(key for one in all_ for key in one)
    }
    return {
        key: values for key, values in found.items() if any(value != values[0] for value in values)
    }


def _settings(seen: JobView) -> dict[str, Any]:
    job = _job(seen)
    return {**flat(job), "snapshot": Path(job.snapshot).name} if job else {}


def _snapshot(seen: JobView) -> dict[str, Any]:
    """What a job learns from: sizes, and what it was chosen by."""
    job = _job(seen)
    try:
        manifest = Snapshot.open(seen.folder / job.snapshot).manifest if job else None
    except WorkbenchError:
        manifest = None
    if manifest is None:
        return {"hash": None}
    counts, rows = manifest.content.counts, manifest.content.rows
    return {
        "hash": manifest.hash,
        "name": manifest.name,
        "train": rows["train"]["count"],
        "val": rows["val"]["count"],
        **{key: counts[key] for key in ("rationales", "edited", "pictures", "kinds", "families")},
        **{f"filter: {key}": value for key, value in manifest.content.filter.items()},
    }
