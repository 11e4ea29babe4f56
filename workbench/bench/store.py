"""`vpd bench store`: what keeping and finding records costs on this machine, each figure beside its
aim.

commit     one record in its own transaction, in this process and attached from another
ingest     records to rows to store, in bulk, with and without the packing of events
browse     the queries of the Browse screen and the dashboard over a made store of N traces, five to a task
size       bytes per trace of the ingested records
"""

from __future__ import annotations

import argparse
import math
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from workbench.events import encode_events
from workbench.records import (
    PartRef,
    Prediction,
    Program,
    Task,
    Trace,
    TraceEvent,
    Verdict,
    content_key,
)
from workbench.store.kernel.database import now
from workbench.store.project import STORE, Project
from workbench.store.reading import figures
from workbench.store.reading.browse import save_view
from workbench.store.records.scope import Scope, Selection

K = 5

PARTS = {
    role: PartRef(role, "bench")
    for role in ("sampler", "executor", "verifier", "writer", "student")
}

THINGS = (
    "apple", "bench", "bicycle", "bird", "boat", "book", "bottle", "bowl", "car", "cat", "chair", "clock", "cup",
    "dog", "door", "elephant", "fork", "giraffe", "guitar", "horse", "keyboard", "kite", "knife", "lamp", "laptop",
    "mouse", "person", "pizza", "plate", "sheep", "shoe", "sofa", "spoon", "table", "train", "tree", "truck", "vase",
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


@dataclass(frozen=True, slots=True)
class StoreFigure:
    """One figure."""

    name: str
    value: float
    unit: str
    aim: str = ""
    note: str = ""


def _spread(name: str, spent: Sequence[tuple[float, float]], aim: str) -> StoreFigure:
    """Wall time at the 95th percentile; beside it the processor's, which other work on the machine
    leaves alone.
    """
    wall, processor = (sorted(values) for values in zip(*spent, strict=True))
    p95 = wall[min(len(wall) - 1, int(len(wall) * 0.95))]
    note = f"p50 {median(wall) * 1000:.1f} ms, processor p50 {median(processor) * 1000:.1f} ms, n {len(wall)}"
    return StoreFigure(name, p95 * 1000, "ms p95", aim, note)


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall and processor seconds (of all threads) of one call."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


# --- records


def events_of(rng: random.Random, loops: int = 4) -> tuple[TraceEvent, ...]:
    """The events of a run of `PROGRAM` that found `loops` things: 11 and three for each."""
    thing = rng.choice(THINGS)
    whole = {"type": "patch", "box": [0, 0, 640, 480], "label": None, "score": None}
    found = [
        {
            "type": "patch",
            "box": [rng.randrange(300), rng.randrange(200), 400 + i, 300],
            "label": thing,
            "score": 0.9,
        }
        for i in range(loops)
    ]
    listed = {"type": "list", "length": loops, "items": found}
    made: list[tuple[Any, int, dict[str, Any]]] = [
        (
            "call",
            1,
            {"function": "execute_command", "arguments": {"image": whole}, "parent": 0, "depth": 0},
        ),
        ("line", 2, {"changed": {"image_patch": whole}}),
        (
            "tool",
            3,
            {
                "call": 0,
                "tool": "find",
                "receiver": whole,
                "arguments": {"object_name": thing},
                "column": 12,
            },
        ),
        (
            "tool_result",
            3,
            {
                "call": 0,
                "tool": "find",
                "ok": True,
                "result": listed,
                "duration_ms": rng.random() * 90,
            },
        ),
        ("line", 3, {"changed": {"found": listed}}),
        ("print", 4, {"text": f"There are {loops} of them."}),
        ("line", 5, {"changed": {"ordered": listed}}),
    ]
    for i, patch in enumerate(found):
        made += [
            ("line", 7, {"changed": {"i": i, "patch": patch}, "form": "for"}),
            ("branch", 8, {"form": "if", "taken": i % 2 == 0}),
            ("line", 9, {"changed": {"left": {"type": "list", "length": i, "items": found[:i]}}}),
        ]
    made += [
        (
            "tool",
            12,
            {
                "call": 1,
                "tool": "exists",
                "receiver": whole,
                "arguments": {"object_name": rng.choice(THINGS)},
            },
        ),
        (
            "tool_result",
            12,
            {"call": 1, "tool": "exists", "ok": True, "result": False, "duration_ms": rng.random()},
        ),
        ("return", 13, {"function": "execute_command", "value": loops}),
        ("end", 0, {"ok": True, "answer": str(loops), "steps": 8 + 3 * loops, "tool_calls": 2}),
    ]
    return tuple(
        TraceEvent(seq, kind, line, 0, payload) for seq, (kind, line, payload) in enumerate(made)
    )


def records(
    tasks: int, seed: int = 0
) -> tuple[list[Task], list[Program], list[Trace], list[list[Verdict]]]:
    """Tasks with everything up to their verdicts."""
    rng = random.Random(seed)
    asked, programs, traces, verdicts = [], [], [], []
    for at in range(tasks):
        thing = rng.choice(THINGS)
        digest = f"{at:064x}"
        task = Task(
            f"ingest{seed}/{at}",
            "ingest",
            "train",
            digest,
            f"How many {thing}s are left?",
            (str(at % 6),),
        )
        asked.append(task)
        group = []
        for index in range(K):
            source = PROGRAM.format(a=thing, b=rng.choice(THINGS), n=index)
            key = content_key(task.id, index)
            programs.append(
                Program(key, task.id, index, source, -0.1, 200, index, PARTS["sampler"], 0.2)
            )
            count = rng.randrange(6)
            trace = Trace(
                content_key(key),
                key,
                task.id,
                str(count),
                None,
                events_of(rng, count),
                8 + 3 * count,
                2,
                0.1,
                PARTS["executor"],
            )
            traces.append(trace)
            right = count == at % 6
            group.append(
                Verdict(
                    content_key(trace.id),
                    trace.id,
                    key,
                    task.id,
                    float(right),
                    right,
                    False,
                    "gold",
                    "-",
                    PARTS["verifier"],
                )
            )
        verdicts.append(group)
    return asked, programs, traces, verdicts


_THING = f"({list(THINGS)})[1 + {{}} % {len(THINGS)}]"
_DICE = "(hash({} + {}) >> 8)::BIGINT"

_MADE = f"""
made AS (
    SELECT i, {_DICE.format("i", 11)} AS d, 'bench/' || lpad(i::VARCHAR, 8, '0') AS id,
        {_THING.format(_DICE.format("i", 7))} AS thing, {_DICE.format("i", 11)} % 6 AS gold
    FROM range($first, $last) AS t(i)
),
run AS (
    SELECT made.*, x, i * {K} + x AS n, left(md5('p' || n), 20) AS program, left(md5('t' || n), 20) AS trace,
        {_DICE.format("n", 3)} AS e,
        CASE WHEN e % 10 = 0 THEN (['runtime', 'tool_error', 'time', 'value'])[1 + e % 4] END AS kind,
        CASE WHEN e % 3 > 0 THEN gold ELSE e % 7 END AS answer,
        replace(replace(replace($source, chr(1), thing), chr(2), {_THING.format("e")}), chr(3), x::VARCHAR) AS source,
        'There are ' || answer || ' of them.' AS printed
    FROM made, range({K}) AS k(x)
),
judged AS (
    SELECT *, kind IS NULL AND answer = gold AS fits,
        fits AND x = min(x) FILTER (kind IS NULL AND answer = gold) OVER (PARTITION BY i) AS chosen
    FROM run
)"""  # noqa: S608

_FILL = {
    "task": """
        SELECT id, i, (['collages', 'gqa', 'vqa'])[1 + d % 3], (['train', 'train', 'val', 'test'])[1 + d % 4], md5(id),
            'How many ' || thing || 's are beside number ' || d % 5000 || '?',
            CASE WHEN d % 9 > 0 THEN [gold::VARCHAR] ELSE [] END, (['integer', 'yesno', 'open'])[1 + d % 3], [],
            (['count', 'exists', 'relation', 'choose', 'compare', 'verify', 'query', 'logic'])[1 + d % 8], '{}', id,
            $now FROM made""",
    "program": "SELECT program, id, $sampler, 0, x, source, -0.1, 200, x, 0.2 + e % 100 / 100, NULL, $now FROM run",
    "trace": """
        SELECT trace, program, id, $executor, CASE WHEN kind IS NULL THEN answer::VARCHAR END, kind,
            CASE WHEN kind IS NOT NULL THEN 'IndexError: list index out of range' END, NULL, 2 + e % 40, 2,
            e % 3000 / 1000, ($blobs)[1 + n % len($blobs)] || encode(trace), $now,
            (['|find|', '|exists|find|', '|visual_question_answering|'])[1 + e % 3],
            CASE WHEN kind IS NULL THEN answer::VARCHAR ELSE '' END FROM run""",
    "verdict": """
        SELECT left(md5('v' || n), 20), trace, program, id, $verifier, 5, fits::INTEGER, fits, chosen, 'gold', '-', $now
        FROM judged""",
    "rationale": """
        SELECT left(md5('r' || n), 20), trace, id, $writer, 'The ' || thing || 's were counted: ' || printed,
            answer::VARCHAR, '[]', [], $now FROM judged WHERE chosen""",
    "prediction": """
        SELECT left(md5('s' || i), 20), id, $student, (d % 5)::VARCHAR, '', (d % 5 = gold)::INTEGER, 0.3, $now,
            (d % 5)::VARCHAR FROM made""",
    "touched": """
        SELECT uuid()::VARCHAR, list(id), list(part), list(text) FROM (
            SELECT id, '' AS part, 'How many ' || thing || 's are beside number ' || d % 5000 || '?' AS text FROM made
            UNION ALL SELECT id, $sampler, source FROM run
            UNION ALL SELECT id, $executor, printed || ' ' || thing FROM run
            UNION ALL SELECT id, $writer, 'The ' || thing || 's were counted: ' || printed FROM judged WHERE chosen
        ) GROUP BY hash(id) % 8""",
}


def _execute(sql: str, given: Mapping[str, Any], cursor: Any) -> None:
    cursor.execute(sql, given)


def fill(project: Project, tasks: int) -> StoreFigure:
    """Make a store of `tasks` questions with everything, and bring its summary up to date."""
    run = project.start_run(Scope(k=K), Selection(), "predict")
    given: dict[str, Any] = {role: project.set_part(run, role, ref) for role, ref in PARTS.items()}
    rng = random.Random(0)
    given |= {
        "now": now(),
        "source": PROGRAM.format(a=chr(1), b=chr(2), n=chr(3)),
        "blobs": [encode_events(events_of(rng, at % 6)) for at in range(64)],
    }
    spent = 0.0
    for first in range(0, tasks, 20_000):
        given |= {"first": first, "last": min(first + 20_000, tasks)}
        for table, rows in _FILL.items():
            sql = f"INSERT INTO {table} WITH {_MADE} {rows}"
            used = {name: value for name, value in given.items() if f"${name}" in sql}
            project.database.transaction(partial(_execute, sql, used))
        spent += _timed(lambda: project.browse(limit=1))[0]
    return StoreFigure(
        "summary and words of a bulk import",
        tasks * K / spent,
        "traces/s",
        "",
        f"{tasks * K:,} traces",
    )


def browse(project: Project, rounds: int) -> list[StoreFigure]:
    """The queries of the screens, each with changing values."""
    rng = random.Random(1)
    count = project.browse_total()

    def deep(sort: str) -> Callable[[], Any]:
        ahead = project.browse(sort=sort, limit=count * 2 // 3).next
        return lambda: project.browse(sort=sort, after=ahead)

    def thing() -> str:
        return rng.choice(THINGS)

    asked: dict[str, Callable[[], Any]] = {
        "first page": lambda: project.browse(),
        "first page, by siblings' disagreement": lambda: project.browse(sort="siblings"),
        "first page, by student against pipeline": lambda: project.browse(sort="student"),
        "first page, by seconds": lambda: project.browse(sort="seconds"),
        "deep page, in order of import": deep("import"),
        "deep page, newest": deep("newest"),
        "deep page, by steps": deep("steps"),
        "page of a choice": lambda: project.browse(
            f"tool:find status:wrong steps>{rng.randrange(6, 30)} split:val"
        ),
        "page of a rare word": lambda: project.browse(f"number {rng.randrange(5000)}"),
        "page of a common word": lambda: project.browse(f"{thing()} counted"),
        "page of a beginning": lambda: project.browse(f"beside {thing()[:3]}", sort="siblings"),
        "page of words and a choice": lambda: project.browse(
            f"status:wrong {thing()} there are {rng.randrange(5)}"
        ),
        "counts of all": lambda: project.browse_facets(),
        "counts of a choice": lambda: project.browse_facets(
            f"tool:find status:wrong steps>{rng.randrange(6, 30)}"
        ),
        "counts of a word": lambda: project.browse_facets(f"{thing()}"),
        "total of a choice": lambda: project.browse_total(
            f"family:count seconds<{rng.randrange(1, 9)}"
        ),
        "total of a word": lambda: project.browse_total(thing()),
        "funnel": lambda: figures.funnel(project.database),
        "acceptance by tool": lambda: figures.by_tool(project.database),
        "errors by day": lambda: figures.errors(project.database, by_day=True),
        "one question with its runs": lambda: project.task_view(
            f"bench/{rng.randrange(count):08d}"
        ),
    }
    rows = []
    for name, ask in asked.items():
        ask()
        spent = [_timed(ask) for _ in range(rounds)]
        rows.append(
            _spread(
                name,
                spent,
                "< 100 ms" if "page" in name or "counts" in name or "total" in name else "",
            )
        )
    return rows


def commit(project: Project, rounds: int, aim: str = "< 5 ms") -> StoreFigure:
    """One row, one transaction."""
    save = partial(save_view, project.database, "bench", "", "import", "bench")
    save()
    spent = [_timed(save) for _ in range(rounds)]
    return _spread("commit of one row", spent, aim)


def commit_record(project: Project, rounds: int) -> StoreFigure:
    """One record with what makes it be found, one transaction."""
    made = [
        Prediction(content_key("commit", at), f"bench/{at}", "yes", "", 1.0, 0.1, PARTS["student"])
        for at in range(rounds + 1)
    ]
    project.add_predictions(made[:1])
    return _spread(
        "commit of one record",
        [_timed(partial(project.add_predictions, [one])) for one in made[1:]],
        "",
    )


def attached_commit(project: Project, rounds: int) -> StoreFigure:
    """The same from a second process, while this one has the project open."""
    code = (
        "import sys; from pathlib import Path; from workbench.bench import store\n"
        "from workbench.store.project import Project\n"
        "with Project.open(Path(sys.argv[1])) as project:\n"
        "    row = store.commit(project, int(sys.argv[2])); print(row.value, row.note, sep='|')"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, str(project.path), str(rounds)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return StoreFigure(
            "commit of one row, attached", math.nan, "ms p95", "< 10 ms", f"not measured: {reason}"
        )
    value, note = done.stdout.strip().split("|")
    return StoreFigure("commit of one row, attached", float(value), "ms p95", "< 10 ms", note)


def ingest(project: Project, traces: int) -> list[StoreFigure]:
    """Records to rows to store, in batches of 5,000; the summary that follows is counted apart."""
    tasks, programs, made, verdicts = records(traces // K)
    count = len(made)
    before = _size(project)
    project.add_tasks(tasks)
    project.add_programs(programs, 0)
    project.browse(limit=1)
    packing, packing_alone = _timed(lambda: [encode_events(trace.events) for trace in made])
    wall, processor = _timed(
        lambda: [project.add_traces(made[at : at + 5000]) for at in range(0, count, 5000)]
    )
    summed, _ = _timed(lambda: project.browse(limit=1))
    again, _ = _timed(lambda: project.add_traces(made[:5000]))
    project.add_verdicts(verdicts)
    project.browse(limit=1)
    project.database.rows("CHECKPOINT")
    events = sum(len(trace.events) for trace in made) / count
    by_processor = f"by processor time {count / processor:,.0f} /s"
    unpacked = f"by processor time {count / (processor - packing_alone):,.0f} /s"
    return [
        StoreFigure(
            "traces, in bulk",
            count / wall,
            "/s",
            "20,000 /s",
            f"{count:,} of {events:.0f} events; {by_processor}",
        ),
        StoreFigure(
            "the same without packing the events",
            count / max(wall - packing, 1e-9),
            "/s",
            "20,000 /s",
            unpacked,
        ),
        StoreFigure(
            "packing of a trace's events", packing_alone / count * 1e6, "us", "", "processor"
        ),
        StoreFigure("summary and words of these traces", count / summed, "/s"),
        StoreFigure(
            "a batch that is there already",
            min(5000, count) / again,
            "/s",
            "",
            "nothing is written twice",
        ),
        StoreFigure(
            "store per trace",
            (_size(project) - before) / count,
            "bytes",
            "",
            "with program, verdict, words, indexes",
        ),
    ]


def _size(project: Project) -> int:
    return (project.path / STORE).stat().st_size


def long_trace(steps: int = 1000) -> StoreFigure:
    """What a program of a thousand steps takes."""
    events = events_of(random.Random(0), steps // 3)
    return StoreFigure(
        f"events of a run of {len(events)} events",
        len(encode_events(events)) / 1024,
        "KB",
        "tens of KB",
    )


def bench_store(traces: int, rounds: int, bulk: int, folder: Path) -> list[StoreFigure]:
    """All figures, made in a new project in `folder`."""
    with Project.create(folder / "project") as project:
        rows = [
            commit(project, rounds * 5),
            attached_commit(project, rounds * 5),
            commit_record(project, rounds),
        ]
        rows += [*ingest(project, bulk), long_trace()]
    with Project.create(folder / "made") as project:
        rows += [fill(project, max(traces // K, 1)), *browse(project, rounds)]
        rows.append(StoreFigure("file", _size(project) / 2**20, "MB", "", f"{traces:,} traces"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 2**10
    )
    return [*rows, StoreFigure("most memory of this process", peak, "MB")]


def main(args: list[str]) -> None:
    """Print the table of `bench_store`."""
    parser = argparse.ArgumentParser(prog="vpd bench store", description="Measure the store here.")
    parser.add_argument(
        "--traces", type=int, default=50_000, help="traces of the store that is searched"
    )
    parser.add_argument("--rounds", type=int, default=20, help="calls of each query")
    parser.add_argument(
        "--bulk", type=int, default=10_000, help="traces that are ingested as records, up to 40,000"
    )
    given = parser.parse_args(args)
    with tempfile.TemporaryDirectory(prefix="vpd-bench-") as folder:
        for row in bench_store(given.traces, given.rounds, given.bulk, Path(folder)):
            value = f"{row.value:,.0f}" if row.value >= 100 else f"{row.value:.1f}"
            print(
                f"{row.name:<42}{value:>10} {row.unit:<9}{row.aim and 'aim ' + row.aim:<16}{row.note}"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
