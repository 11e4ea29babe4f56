"""Training jobs into the store: their folders become rows, so that lineage outlives folders.

A job's process knows no store.  Whoever looks (a command, a page) calls `ingest`; where no file of
a job has changed since, that costs a few looks at the disk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.local_files import real_path
from workbench.models.weights import weights_digest
from workbench.records import content_key
from workbench.store import JobRow, ModelRow, Project
from workbench.store.kernel.database import now
from workbench.store.reading import lineage
from workbench.train.job import FILE, as_before, read_job
from workbench.train.jobs import Jobs, JobView
from workbench.train.status_files import METRICS, RESULT, STATUS, read_json, read_lines

_FILES = (FILE, STATUS, METRICS, RESULT)


def ingest(project: Project, folders: Iterable[Path] = ()) -> int:
    """Bring the rows of training jobs up to date; returns how many jobs had changed.

    Args:
        folders: jobs elsewhere whose models are used here, beside all jobs of the project.

    Raises:
        StoreError: the project was opened for reading alone.
    """
    root = real_path(project.path)
    views = Jobs(root / "jobs", start=False).all() if (root / "jobs").is_dir() else []
    for folder in folders:
        if real_path(folder).parent != root / "jobs":
            views.append(Jobs(real_path(folder).parent, start=False).show(real_path(folder).name))
    stamps = lineage.stamps(project.database)
    changed = [job for job in views if _stamp(job) != stamps.get(job.id)]
    if changed:
        rows, models, figures = [], [], {}
        for job in changed:
            row = _row(job, root)
            rows.append(row)
            figures[job.id] = read_lines(job.folder / METRICS)
            models += _model(job, row)
        lineage.put_jobs(project.database, rows, figures, models)
    here = {job.id for job in views}
    deleted = [
        row.id
        for row in lineage.jobs(project.database)
        if row.id not in here and _is_gone(row, root)
    ]
    if deleted:
        lineage.mark_deleted(project.database, deleted)
    return len(changed) + len(deleted)


def _is_gone(row: JobRow, root: Path) -> bool:
    return row.state != "deleted" and not (root / row.folder / FILE).is_file()


def _stamp(job: JobView) -> str:
    stats = (path.stat() if (path := job.folder / name).exists() else None for name in _FILES)
    return content_key(
        job.state, *((stat.st_mtime_ns, stat.st_size) if stat else None for stat in stats)
    )


def _row(job: JobView, root: Path) -> JobRow:
    try:
        settings = asdict(read_job(job.folder / FILE))
    except WorkbenchError:  # edited by hand: the job cannot run, and its row says so by its state
        settings = {}
    folder = job.folder
    return JobRow(
        id=job.id,
        name=job.name,
        folder=str(folder.relative_to(root) if folder.is_relative_to(root) else folder),
        state=job.state,
        snapshot=Path(str(settings.get("snapshot", ""))).name,
        student=str(settings.get("student", "")),
        objective=str(settings.get("objective", "")),
        seed=int(settings.get("seed", 0)),
        settings=settings,
        kin=kin(settings),
        step=job.step,
        total=job.total,
        result=read_json(folder / RESULT),
        failure=dict(job.failure or {}),
        stamp=_stamp(job),
        updated_at=now(),
    )


def kin(settings: dict[str, Any]) -> str:
    """A key that jobs share which differ in seed and name alone.

    The snapshot and the student count by the last part of their paths.
    """
    # the bound on pictures counted when the first keys of kin were stored
    bound = {key: settings[key] for key in ("max_pixels",) if key in settings}
    counts = as_before(settings) | bound
    common = {key: value for key, value in counts.items() if key not in ("seed", "name")}
    return content_key(
        {**common, **{key: Path(str(common.get(key, ""))).name for key in ("snapshot", "student")}}
    )


def _model(job: JobView, row: JobRow) -> list[ModelRow]:
    name = row.result.get("model")
    if not isinstance(name, str):
        return []
    try:
        digest = weights_digest(job.folder / name)
    except WorkbenchError:  # deleted by hand to save room
        return []
    folder = str(Path(row.folder) / name)
    return [
        ModelRow(
            digest, row.id, row.name, row.objective, int(row.result.get("step", 0)), folder, now()
        )
    ]
