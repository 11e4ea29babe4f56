"""Records that the benches put into stores: questions with programs, traces and verdicts."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from workbench.records import PartRef, Program, Task, Trace, TraceEvent, Verdict, content_key

K = 5
"""Programs of each question."""

PARTS = {
    role: PartRef(role, "bench")
    for role in ("sampler", "executor", "verifier", "writer", "student")
}
"""The parts that the records name as their makers, by role."""

THINGS = (
    "apple", "bench", "bicycle", "bird", "boat", "book", "bottle", "bowl", "car", "cat", "chair",
    "clock", "cup", "dog", "door", "elephant", "fork", "giraffe", "guitar", "horse", "keyboard",
    "kite", "knife", "lamp", "laptop", "mouse", "person", "pizza", "plate", "sheep", "shoe", "sofa",
    "spoon", "table", "train", "tree", "truck", "vase",
)  # fmt: skip

PROGRAM = """def execute_command(image):
    image_patch = ImagePatch(image)
    found = image_patch.find("{a}")
    print(f"There are {{len(found)}} of them.")
    ordered = sorted(found, key=lambda patch: patch.horizontal_center)
    left, right = [], []
    for i, patch in enumerate(ordered):
        if patch.horizontal_center < image_patch.horizontal_center:
            left.append(patch)
        else:
            right.append(patch)
    if image_patch.exists("{b}"):
        return formatting_answer(len(left) + {n})
    answer = image_patch.visual_question_answering("What is next to the {a}?")
    return formatting_answer(answer)
"""
"""The program of each run; `{a}` and `{b}` are things, `{n}` is the number of the program."""


@dataclass(frozen=True, slots=True)
class BenchRecords:
    """Questions with everything up to their verdicts."""

    tasks: list[Task] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    verdicts: list[list[Verdict]] = field(default_factory=list)
    """The verdicts on the runs of each question."""


def events_of(rng: random.Random, loops: int = 4) -> tuple[TraceEvent, ...]:
    """The events of a run of `PROGRAM` in which `find` gives `loops` things: 11 and three for each.

    Args:
        rng: draws the things and the boxes.
        loops: number of things.
    """
    thing = rng.choice(THINGS)
    whole = {"type": "patch", "box": [0, 0, 640, 480], "label": None, "score": None}
    patches = [
        {
            "type": "patch",
            "box": [rng.randrange(300), rng.randrange(200), 400 + i, 300],
            "label": thing,
            "score": 0.9,
        }
        for i in range(loops)
    ]
    answer = {"type": "list", "length": loops, "items": patches}
    call = {"function": "execute_command", "arguments": {"image": whole}, "parent": 0, "depth": 0}
    find: dict[str, Any] = {"call": 0, "tool": "find"}
    question = {"receiver": whole, "arguments": {"object_name": thing}, "column": 12}
    result = {"ok": True, "result": answer, "duration_ms": rng.random() * 90}
    rows: list[tuple[Any, int, dict[str, Any]]] = [
        ("call", 1, call),
        ("line", 2, {"changed": {"image_patch": whole}}),
        ("tool", 3, {**find, **question}),
        ("tool_result", 3, {**find, **result}),
        ("line", 3, {"changed": {"found": answer}}),
        ("print", 4, {"text": f"There are {loops} of them."}),
        ("line", 5, {"changed": {"ordered": answer}}),
    ]
    for i, patch in enumerate(patches):
        left = {"type": "list", "length": i, "items": patches[:i]}
        rows += [
            ("line", 7, {"changed": {"i": i, "patch": patch}, "form": "for"}),
            ("branch", 8, {"form": "if", "taken": i % 2 == 0}),
            ("line", 9, {"changed": {"left": left}}),
        ]
    exists: dict[str, Any] = {"call": 1, "tool": "exists"}
    question = {"receiver": whole, "arguments": {"object_name": rng.choice(THINGS)}}
    result = {"ok": True, "result": False, "duration_ms": rng.random()}
    rows += [
        ("tool", 12, {**exists, **question}),
        ("tool_result", 12, {**exists, **result}),
        ("return", 13, {"function": "execute_command", "value": loops}),
        ("end", 0, {"ok": True, "answer": str(loops), "steps": 8 + 3 * loops, "tool_calls": 2}),
    ]
    return tuple(
        TraceEvent(seq, kind, line, 0, more) for seq, (kind, line, more) in enumerate(rows)
    )


def bench_records(tasks: int, seed: int = 0) -> BenchRecords:
    """Questions with everything up to their verdicts; the same seed gives the same ones."""
    rng = random.Random(seed)
    records = BenchRecords()
    for at in range(tasks):
        thing = rng.choice(THINGS)
        question, gold = f"How many {thing}s are left?", at % 6
        task = Task(f"ingest{seed}/{at}", "ingest", "train", f"{at:064x}", question, (str(gold),))
        records.tasks.append(task)
        records.verdicts.append([])
        for index in range(K):
            program = _program(task, index, PROGRAM.format(a=thing, b=rng.choice(THINGS), n=index))
            count = rng.randrange(6)
            trace = _trace(program, count, events_of(rng, count))
            records.programs.append(program)
            records.traces.append(trace)
            records.verdicts[-1].append(_verdict(trace, right=count == gold))
    return records


def _program(task: Task, index: int, source: str) -> Program:
    key = content_key(task.id, index)
    return Program(key, task.id, index, source, -0.1, 200, index, PARTS["sampler"], 0.2)


def _trace(program: Program, count: int, events: tuple[TraceEvent, ...]) -> Trace:
    return Trace(
        id=content_key(program.id),
        program_id=program.id,
        task_id=program.task_id,
        answer=str(count),
        failure=None,
        events=events,
        steps=8 + 3 * count,
        tool_calls=2,
        seconds=0.1,
        executor=PARTS["executor"],
    )


def _verdict(trace: Trace, right: bool) -> Verdict:
    key = content_key(trace.id)
    return Verdict(
        key,
        trace.id,
        trace.program_id,
        trace.task_id,
        float(right),
        right,
        False,
        "gold",
        "-",
        PARTS["verifier"],
    )
