"""A snapshot, a job, its model and evaluations, as rows: what a chart of models needs, without
training anything.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow as pa

from workbench.records import Task
from workbench.store import (
    Evaluation,
    JobRow,
    ModelRow,
    Project,
)
from workbench.store.kernel.database import now
from workbench.store.reading import evaluations, lineage

SNAPSHOT = "5" * 64


def teach(project: Project, name: str = "vpd", job: str = "job-1") -> None:
    """One trained student: a snapshot of the first tasks, the job, its model, and evaluations
    beside base and programs.
    """
    tasks = [task.id for task in _tasks(project)]
    stamp = now()
    held = {
        "hash": SNAPSHOT,
        "name": "first",
        "filter": "{}",
        "counts": '{"rows": 12, "rationales": 9}',
        "as_of": None,
    }
    rows = [
        {
            "snapshot": SNAPSHOT,
            "task_id": task,
            "trace_id": None,
            "rationale_id": None,
            "side": "val" if at % 4 == 3 else "train",
        }
        for at, task in enumerate(tasks[:12])
    ]
    text, time = pa.string(), pa.timestamp("us")
    columns = [(key, text) for key in held] + [("created_at", time)]
    project.database.insert(
        {
            "snapshot": pa.Table.from_pylist(
                [{**held, "created_at": stamp}], schema=pa.schema(columns)
            ),
            "snapshot_row": pa.Table.from_pylist(
                rows, schema=pa.schema([(key, text) for key in rows[0]])
            ),
        }
    )
    settings = {"objective": "vpd", "seed": 0}
    made = JobRow(
        id=job,
        name=name,
        folder=f"jobs/{job}",
        state="done",
        snapshot=SNAPSHOT,
        student="bundled",
        objective="vpd",
        seed=0,
        settings=settings,
        kin="k",
        step=9,
        total=9,
        result={"accuracy": 0.6},
        failure={},
        stamp="",
        updated_at=stamp,
    )
    weights = f"weights-{job}"
    lineage.put_jobs(
        project.database,
        [made],
        {},
        [ModelRow(weights, job, name, "vpd", 9, f"jobs/{job}/model", stamp)],
    )
    found = [
        evaluation("pipeline k=1", tasks, 0.4, stamp, kind="pipeline", mode="first"),
        evaluation("base", tasks, 0.3, stamp, model="base-weights"),
        evaluation(name, tasks, 0.6, stamp, model=weights, job=job, snapshot=SNAPSHOT),
        evaluation(
            f"{name} explained",
            tasks,
            0.5,
            stamp,
            model=weights,
            job=job,
            snapshot=SNAPSHOT,
            mode="explain",
        ),
    ]
    scored = {
        one.id: {
            task: ("2", float(at < round((one.value or 0) * len(tasks))))
            for at, task in enumerate(tasks)
        }
        for one in found
    }
    later = [replace(one, created_at=stamp + timedelta(seconds=at)) for at, one in enumerate(found)]
    evaluations.put(project.database, later, scored)


def evaluation(
    system: str,
    tasks: list[str],
    value: float,
    stamp: datetime,
    kind: str = "student",
    mode: str = "direct",
    model: str | None = None,
    job: str | None = None,
    snapshot: str | None = None,
) -> Evaluation:
    """A system that gave the first `value` of the answers right."""
    n = len(tasks)
    share = round(value * n) / n
    return Evaluation(
        id=f"evaluation-{system}-{job}",
        system=system,
        kind=kind,
        mode=mode,
        part="part",
        model=model,
        job=job,
        snapshot=snapshot,
        benchmark="collages",
        split="train",
        task_limit=None,
        questions=n,
        metric="accuracy",
        value=share,
        low=max(share - 0.1, 0.0),
        high=min(share + 0.1, 1.0),
        families={"count": {"value": share, "of": n, "low": 0.0, "high": 1.0}},
        latency={"median": 0.2 if kind == "student" else 3.1, "low": 0.1, "high": 4.0, "n": 8},
        cost={"calls": 0 if kind == "student" else 2.5, "tokens": 9},
        details={},
        created_at=stamp,
    )


def _tasks(project: Project) -> list[Task]:
    ids = [row["id"] for row in project.database.rows("SELECT id FROM task ORDER BY seq")]
    return project.tasks(ids)
