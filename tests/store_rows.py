"""Records made by hand for the store's tests: one task, k programs, all that follows."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from workbench.records import (
    Citation,
    Failure,
    PartRef,
    Prediction,
    Program,
    Rationale,
    Task,
    Trace,
    TraceEvent,
    Verdict,
    content_key,
)
from workbench.store import Project, Scope, Selection
from workbench.store.records.rows import part_key

SAMPLER = PartRef("sampler", "by-hand", "1", {"temperature": 0.5})
EXECUTOR = PartRef("executor", "by-hand", "1", {"tools": ["a", "b"]})
VERIFIER = PartRef("verifier", "by-hand")
WRITER = PartRef("writer", "by-hand")
STUDENT = PartRef("student", "by-hand")

PROFILE = """
k = 3
sampler = { part = "transformers" }
verifier = { part = "answers" }
writer = { part = "template" }
student = { part = "transformers" }
[tools]
find = { part = "ssdlite-coco" }
"""


def profile_file(folder: Path) -> Path:
    path = folder / "small.toml"
    path.write_text(PROFILE)
    return path


@cache
def _empty() -> Path:
    root = Path(mkdtemp(prefix="empty-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    Project.create(root / "p", str(profile_file(root))).close()
    return root / "p"


def empty_project(folder: Path) -> Path:
    """The path of a new project below a folder: made once, and copied."""
    return Path(shutil.copytree(_empty(), folder / "p"))


def task(
    number: int,
    question: str = "How many dogs are there?",
    answers: tuple[str, ...] = ("2",),
    choices: tuple[str, ...] = (),
    meta: Mapping[str, Any] | None = None,
    family: str = "count",
    split: str = "train",
) -> Task:
    return Task(
        f"made/{number:05d}",
        "made",
        split,
        f"{number:064x}",
        question,
        answers,
        "integer",
        choices,
        family,
        meta or {},
    )


@dataclass(frozen=True)
class Made:
    """A task with everything that the loop makes of it; program 0 fails, program 1 is kept."""

    task: Task
    programs: list[Program]
    traces: list[Trace]
    verdicts: list[Verdict]
    rationale: Rationale
    prediction: Prediction
    failure = Failure("runtime", "ZeroDivisionError: division by zero", 3)

    def write(self, project: Project) -> list[int]:
        return [
            project.add_tasks([self.task])[0],
            project.add_programs(self.programs, 0),
            project.add_traces(self.traces),
            project.add_verdicts([self.verdicts]),
            project.add_rationales([self.rationale]),
            project.add_predictions([self.prediction]),
        ]


def loop_records(given: Task, k: int, flavour: str = "") -> Made:
    programs = [
        Program(
            content_key(given.id, at, flavour),
            given.id,
            at,
            f"def execute_command(image):\n    return {at}  # {flavour}",
            -0.1 * at,
            12,
            7 + at,
            SAMPLER,
            0.25,
            draws=1 + at,
        )
        for at in range(k)
    ]
    events = (
        TraceEvent(0, "tool", 2, 0, {"id": 0, "name": "find", "arguments": {"object_name": "dog"}}),
        TraceEvent(1, "end", 0, 0, {"answer": "2"}),
    )
    traces = [
        Trace(
            content_key("trace", p.id),
            p.id,
            given.id,
            None if at == 0 else "2" if at == 1 else "3",
            Made.failure if at == 0 else None,
            events,
            4,
            1,
            0.5,
            EXECUTOR,
        )
        for at, p in enumerate(programs)
    ]
    verdicts = [
        Verdict(
            content_key("verdict", t.id, k),
            t.id,
            t.program_id,
            given.id,
            float(at == 1),
            at == 1,
            at == 1,
            "gold",
            "It fits." if at == 1 else "It does not fit.",
            VERIFIER,
        )
        for at, t in enumerate(traces)
    ]
    kept = traces[min(1, k - 1)]
    rationale = Rationale(
        content_key("rationale", kept.id),
        kept.id,
        given.id,
        "Thus, there are 2 dogs.",
        "2",
        (Citation(0, 23, (0, 1)),),
        (),
        WRITER,
    )
    prediction = Prediction(
        content_key("prediction", given.id), given.id, "3", "", 0.0, 0.125, STUDENT
    )
    return Made(given, programs, traces, verdicts, rationale, prediction)


def scope_of(made: Made) -> Scope:
    return Scope(
        part_key(SAMPLER),
        part_key(EXECUTOR),
        part_key(VERIFIER),
        part_key(WRITER),
        part_key(STUDENT),
        k=len(made.programs),
        seed=0,
    )


def put_in_force(project: Project, k: int = 3, seed: int = 0, **versions: str) -> Scope:
    """A run that names every part, of these versions."""
    run = project.start_run(Scope(k=k, seed=seed), Selection(), "predict")
    for ref in (SAMPLER, EXECUTOR, VERIFIER, WRITER, STUDENT):
        project.set_part(run, ref.role, replace(ref, version=versions.get(ref.role, "1")))
    return project.scope()
