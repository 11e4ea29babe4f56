"""A project for the pages to show: collages with exact labels, programs written by hand, traces to
match.

The records are what the loop would store; the pages cannot tell the difference, and no model has to
run.
"""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

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
)
from workbench.store.project import Project
from workbench.store.records.scope import Scope, Selection
from workbench.tasks.collage.pictures import make_scene, render
from workbench.tasks.collage.questions import ask

SAMPLER = PartRef("sampler", "by-hand", "1")
EXECUTOR = PartRef("executor", "by-hand", "1")
VERIFIER = PartRef("verifier", "by-hand", "1")
WRITER = PartRef("writer", "by-hand", "1")
STUDENT = PartRef("student", "by-hand", "1")

HOSTILE = '<img src=x onerror="window.hacked=1">\'"</script><script>window.hacked=1</script>'
"""What must stay text wherever it comes from."""

K = 5


def program_for(noun: str) -> str:
    return (
        "def execute_command(image):\n"
        "    image_patch = ImagePatch(image)\n"
        f'    found = image_patch.find("{noun}")\n'
        "    number = len(found)\n"
        '    print(f"found {number}")\n'
        "    if number == 0:\n"
        '        return formatting_answer("none")\n'
        "    return formatting_answer(number)\n"
    )


def patch(box: Any, label: str, score: float = 0.91) -> dict[str, Any]:
    return {"type": "patch", "box": [round(v) for v in box], "label": label, "score": score}


def listed(items: list[Any]) -> dict[str, Any]:
    return {"type": "list", "length": len(items), "items": items[:12]}


def events_of(
    noun: str, boxes: list[Any], size: tuple[int, int], fails: bool = False
) -> tuple[TraceEvent, ...]:
    """The trace of `program_for(noun)` when its detector finds `boxes`."""
    whole = {"type": "patch", "box": [0, 0, *size], "label": None, "score": None}
    found = [patch(box, noun, 0.95 - 0.04 * at) for at, box in enumerate(boxes)]
    rows: list[tuple[Any, int, dict[str, Any]]] = [
        ("call", 1, {"function": "execute_command", "arguments": {}, "parent": 0, "depth": 0}),
        ("line", 2, {"changed": {"image_patch": whole}}),
        (
            "tool",
            3,
            {
                "call": 0,
                "tool": "find",
                "receiver": whole,
                "arguments": {"object_name": noun},
                "column": 12,
            },
        ),
    ]
    measured = {"duration_ms": 21.4, "queue_ms": 3.2, "batch_size": 4, "cached": False}
    if fails:
        rows += [
            (
                "tool_result",
                3,
                {
                    "call": 0,
                    "tool": "find",
                    "ok": False,
                    "error": f"no detector knows '{noun}'",
                    **measured,
                },
            ),
            (
                "exception",
                3,
                {
                    "type": "RuntimeError",
                    "message": f"no detector knows '{noun}'",
                    "handled": False,
                },
            ),
            (
                "end",
                0,
                {
                    "ok": False,
                    "steps": 2,
                    "tool_calls": 1,
                    "error": {
                        "kind": "tool_error",
                        "message": f"no detector knows '{noun}'",
                        "line": 3,
                    },
                },
            ),
        ]
    else:
        rows += [
            (
                "tool_result",
                3,
                {"call": 0, "tool": "find", "ok": True, "result": listed(found), **measured},
            ),
            ("line", 3, {"changed": {"found": listed(found)}}),
            ("line", 4, {"changed": {"number": len(found)}}),
            ("print", 5, {"text": f"found {len(found)}"}),
            ("line", 5, {"changed": {}}),
            ("branch", 6, {"form": "if", "taken": not found}),
            ("return", 8, {"function": "execute_command", "value": str(len(found))}),
            ("end", 0, {"ok": True, "answer": str(len(found)), "steps": 7, "tool_calls": 1}),
        ]
    return tuple(
        TraceEvent(seq, kind, line, 0, payload) for seq, (kind, line, payload) in enumerate(rows)
    )


def loop_events(rounds: int, size: tuple[int, int]) -> tuple[TraceEvent, ...]:
    """A long trace: a loop whose target is all that there is of a round."""
    rows = [
        TraceEvent(
            i,
            "line",
            4,
            0,
            {"changed": {"i": i, "p": patch((i % 99, 5, 120, 60), "dog")}, "form": "for"},
        )
        for i in range(rounds)
    ]
    return (
        *rows,
        TraceEvent(
            rounds, "end", 0, 0, {"ok": True, "answer": "9", "steps": rounds, "tool_calls": 0}
        ),
    )


class RecordWriter:
    """Writes tasks with their records into a project; what is collected is written together, since
    a transaction for each row would be most of a test's time.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._tasks: list[Task] = []
        self._programs: list[Program] = []
        self._traces: list[Trace] = []
        self._verdicts: list[list[Verdict]] = []
        self._rationales: list[Rationale] = []
        self._predictions: list[Prediction] = []

    def task(
        self,
        task: Task,
        runs: list[tuple[str, tuple[TraceEvent, ...]]],
        told: str = "",
        student: str = "2",
        store: bool = True,
    ) -> str:
        """A task with its programs; the first whose answer is gold is kept.  Returns the first
        trace's id.  Without `store` nothing is stored before `write`.
        """
        self._tasks.append(task)
        verdicts: list[Verdict] = []
        chosen = False
        for index, (source, events) in enumerate(runs):
            program, trace = _program(task, index, source), _trace(task, index, events)
            correct = trace.failure is None and trace.answer in task.answers
            verdicts.append(_verdict(trace, index, correct, correct and not chosen))
            chosen = chosen or correct
            self._programs.append(program)
            self._traces.append(trace)
        self._verdicts.append(verdicts)
        if told:
            kept = next((v for v in verdicts if v.chosen), verdicts[0])
            self._rationales.append(_rationale(task, kept.trace_id, told))
        right = float(student in task.answers)
        self._predictions.append(
            Prediction(f"s-{task.id}", task.id, student, "", right, 0.21, STUDENT)
        )
        if store:
            self.write()
        return verdicts[0].trace_id

    def write(self) -> None:
        """Store what was collected."""
        self.project.add_tasks(self._tasks)
        self.project.add_programs(self._programs, 0)
        self.project.add_traces(self._traces)
        self.project.add_verdicts(self._verdicts)
        self.project.add_rationales(self._rationales)
        self.project.add_predictions(self._predictions)
        for rows in (
            self._tasks,
            self._programs,
            self._traces,
            self._verdicts,
            self._rationales,
            self._predictions,
        ):
            rows.clear()


def _program(task: Task, index: int, source: str) -> Program:
    name = f"p{index}-{task.id}"
    return Program(name, task.id, index, source, -0.2 * index, 60, index, SAMPLER, 0.31)


def _trace(task: Task, index: int, events: tuple[TraceEvent, ...]) -> Trace:
    end = events[-1].payload
    error = None if end["ok"] else end["error"]
    return Trace(
        f"t{index}-{task.id}",
        f"p{index}-{task.id}",
        task.id,
        end.get("answer"),
        error and Failure(error["kind"], error["message"], error["line"]),
        events,
        end["steps"],
        end["tool_calls"],
        0.084,
        EXECUTOR,
    )


def _verdict(trace: Trace, index: int, correct: bool, chosen: bool) -> Verdict:
    return Verdict(
        f"v{index}-{trace.task_id}",
        trace.id,
        trace.program_id,
        trace.task_id,
        float(correct),
        correct,
        chosen,
        "gold",
        f'"{trace.answer}" is the expected answer.' if correct else "Wrong.",
        VERIFIER,
    )


def _rationale(task: Task, trace_id: str, text: str) -> Rationale:
    first = text.find(". ") + 1
    cited = (Citation(0, first, (3,)), Citation(first + 1, len(text), (8,)))
    return Rationale(f"r-{task.id}", trace_id, task.id, text, task.answers[0], cited, (), WRITER)


@contextmanager
def new_project(folder: Path) -> Iterator[RecordWriter]:
    """A writer into a new project at `folder`, in a run of the loop that ends when it is closed."""
    project = Project.create(folder)
    run = project.start_run(Scope(k=K), Selection(), "predict")
    for part in (SAMPLER, EXECUTOR, VERIFIER, WRITER, STUDENT):
        project.set_part(run, part.role, part)
    yield RecordWriter(project)
    project.end_run(run, 0)
    project.close()


@cache
def _drawn(index: int) -> bytes:
    """A collage as a file: drawing it is the most of what a project here costs."""
    file = BytesIO()
    render(make_scene("train", index)).save(file, "WEBP", quality=85, method=0)
    return file.getvalue()


def picture(project: Project, index: int) -> str:
    """Give a collage to the project; returns the picture's digest."""
    path = project.path / "scratch" / f"{index}.webp"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_drawn(index))
    return project.images.add(path)


def grid(box: Any, size: tuple[int, int]) -> str:
    x0, y0, x1, y1 = box
    return " ".join(
        str(round(v / s * 999))
        for v, s in ((y0, size[1]), (x0, size[0]), (y1, size[1]), (x1, size[0]))
    )


@cache
def _built(scenes: int) -> Path:
    root = Path(mkdtemp(prefix="page-project-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    with new_project(root / "p") as writer:
        for index in range(scenes):
            collect_scene(writer, index)
        writer.write()
    return root / "p"


def build(folder: Path, scenes: int = 14) -> Path:
    """A project with `scenes` pictures, one counting question each, beside whatever else a test
    adds; made once for each number of scenes, and copied.
    """
    return Path(shutil.copytree(_built(scenes), folder))


def collect_scene(writer: RecordWriter, index: int) -> None:
    """Collect a picture's questions, with programs that are right, wrong and broken."""
    scene = make_scene("train", index)
    size = (scene.width, scene.height)
    digest = picture(writer.project, index)
    rng = np.random.default_rng(index)
    for task in ask(
        scene, phrasing="train", rng=rng, families=("count", "exists", "relation", "extreme")
    )[:3]:
        noun = scene.objects[index % len(scene.objects)].category
        boxes = [o.box.as_tuple() for o in scene.objects if o.category == noun]
        answer = str(len(boxes))
        family = task.family
        stored = Task(
            f"collages/train-{index:05d}/{family}",
            "collages",
            "train",
            digest,
            f"How many {noun}s are there?" if family == "count" else task.question,
            (answer,) if family == "count" else task.answers,
            "integer" if family == "count" else task.answer_type,
            family=family,
        )
        right = (program_for(noun), events_of(noun, boxes, size))
        wrong = (
            program_for("object"),
            events_of("object", [o.box.as_tuple() for o in scene.objects], size),
        )
        broken = (program_for("gizmo"), events_of("gizmo", [], size, fails=True))
        runs = [
            [right, wrong, right, broken, right],
            [wrong, broken, right, right, wrong],
            [broken, wrong, wrong, broken, wrong],
        ]
        where = " and ".join(grid(box, size) for box in boxes)
        verb = f"is one {noun}" if len(boxes) == 1 else f"are {len(boxes)} {noun}s"
        told = (
            f"There {verb} in the picture, at {where}. Thus, the number of {noun}s is {answer}."
            if family == "count"
            else ""
        )
        writer.task(
            stored,
            runs[index % 3] if family == "count" else runs[2],
            told if index % 3 < 2 else "",
            answer if index % 2 else "7",
            store=False,
        )
