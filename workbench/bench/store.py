"""`vpd bench store`: what keeping and finding records costs here, each figure beside its aim.

commit     one record in its own transaction, in this process and attached from another
ingest     records to rows to store, in bulk, with and without the packing of events
browse     the queries of the Browse screen and the dashboard over a made store of N traces, five of
           each question
size       bytes per trace of the ingested records
"""

from __future__ import annotations

import math
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from workbench.bench.figure import (
    Figure,
    bench_parser,
    durations,
    percentile_figure,
    print_figures,
)
from workbench.bench.store_fill import fill
from workbench.bench.store_records import PARTS, THINGS, K, bench_records, events_of
from workbench.events import encode_events
from workbench.records import Prediction, content_key
from workbench.store.project import STORE, Project
from workbench.store.reading import figures
from workbench.store.reading.saved_views import save_view


def _spread(name: str, work: Callable[[], Any], rounds: int, aim: str = "") -> Figure:
    """Wall time of some calls; beside it the processor's, which other work here leaves alone."""
    wall, processor = zip(*(durations(work) for _ in range(rounds)), strict=True)
    note = f"processor p50 {median(processor) * 1000:.1f} ms"
    return percentile_figure(name, [1000 * seconds for seconds in wall], aim, note)


def browse(project: Project, rounds: int) -> list[Figure]:
    """Measure the queries of the screens, each with changing values."""
    rng = random.Random(1)
    count = project.browse_total()

    def deep(sort: str) -> Callable[[], Any]:
        ahead = project.browse(sort=sort, limit=count * 2 // 3).next
        return lambda: project.browse(sort=sort, after=ahead)

    def thing() -> str:
        return rng.choice(THINGS)

    queries: dict[str, Callable[[], Any]] = {
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
    for name, query in queries.items():
        query()
        is_screen = any(word in name for word in ("page", "counts", "total"))
        rows.append(_spread(name, query, rounds, "< 100 ms" if is_screen else ""))
    return rows


def commit(project: Project, rounds: int, aim: str = "< 5 ms") -> Figure:
    """Measure the commit of one row in one transaction.

    Args:
        project: open for writing.
        rounds: number of commits.
        aim: limit of the 95th percentile.
    """
    save = partial(save_view, project.database, "bench", "", "import", "bench")
    save()
    return _spread("commit of one row", save, rounds, aim)


def commit_record(project: Project, rounds: int) -> Figure:
    """Measure the commit of one record with the words by which it is searched."""
    student = PARTS["student"]
    predictions = [
        Prediction(content_key("commit", at), f"bench/{at}", "yes", "", 1.0, 0.1, student)
        for at in range(rounds + 1)
    ]
    project.add_predictions(predictions[:1])
    rest = iter(predictions[1:])
    return _spread("commit of one record", lambda: project.add_predictions([next(rest)]), rounds)


def attached_commit(project: Project, rounds: int) -> Figure:
    """Measure the same from a second process, while this one has the project open."""
    name, unit, aim = "commit of one row, attached", "ms p95", "< 10 ms"
    code = (
        "import sys; from pathlib import Path; from workbench.bench.store import commit\n"
        "from workbench.store.project import Project\n"
        "with Project.open(Path(sys.argv[1])) as project:\n"
        "    row = commit(project, int(sys.argv[2])); print(row.value, row.note, sep='|')"
    )
    process = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, str(project.path), str(rounds)],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        reason = (process.stderr.strip().splitlines() or ["no message"])[-1]
        return Figure(name, math.nan, unit, aim, f"not measured: {reason}")
    value, note = process.stdout.strip().split("|")
    return Figure(name, float(value), unit, aim, note)


def ingest(project: Project, traces: int) -> list[Figure]:
    """Measure records to rows to store, 5,000 at a time; the summary that follows stands apart."""
    records = bench_records(traces // K)
    rows = records.traces
    count = len(rows)
    before = _size(project)
    project.add_tasks(records.tasks)
    project.add_programs(records.programs, 0)
    project.browse(limit=1)
    packing, packing_processor = durations(lambda: [encode_events(row.events) for row in rows])
    wall, processor = durations(
        lambda: [project.add_traces(rows[at : at + 5000]) for at in range(0, count, 5000)]
    )
    summary, _ = durations(lambda: project.browse(limit=1))
    again, _ = durations(lambda: project.add_traces(rows[:5000]))
    project.add_verdicts(records.verdicts)
    project.browse(limit=1)
    project.database.rows("CHECKPOINT")
    events = sum(len(row.events) for row in rows) / count
    unpacked = count / max(wall - packing, 1e-9)
    batch, size = min(5000, count) / again, (_size(project) - before) / count
    aim, by_processor = "20,000 /s", f"by processor time {count / processor:,.0f} /s"
    packed = f"{count:,} of {events:.0f} events; {by_processor}"
    alone = f"by processor time {count / (processor - packing_processor):,.0f} /s"
    whole = "with program, verdict, words, indexes"
    return [
        Figure("traces, in bulk", count / wall, "/s", aim, packed),
        Figure("the same without packing the events", unpacked, "/s", aim, alone),
        Figure(
            "packing of a trace's events", packing_processor / count * 1e6, "us", "", "processor"
        ),
        Figure("summary and words of these traces", count / summary, "/s"),
        Figure("a batch that is there already", batch, "/s", "", "nothing is written twice"),
        Figure("store per trace", size, "bytes", "", whole),
    ]


def _size(project: Project) -> int:
    return (project.path / STORE).stat().st_size


def long_trace(steps: int = 1000) -> Figure:
    """Measure the size of the events of a program of a thousand steps."""
    events = events_of(random.Random(0), steps // 3)
    size = len(encode_events(events)) / 1024
    return Figure(f"events of a run of {len(events)} events", size, "KB", "tens of KB")


def bench_store(traces: int, rounds: int, bulk: int, folder: Path) -> list[Figure]:
    """Take all figures, in new projects in `folder`.

    Args:
        traces: traces of the store that is searched.
        rounds: calls of each query.
        bulk: traces that are ingested as records.
        folder: holds the two projects.
    """
    with Project.create(folder / "project") as project:
        rows = [
            commit(project, rounds * 5),
            attached_commit(project, rounds * 5),
            commit_record(project, rounds),
        ]
        rows += [*ingest(project, bulk), long_trace()]
    with Project.create(folder / "made") as project:
        rows += [fill(project, max(traces // K, 1)), *browse(project, rounds)]
        rows.append(Figure("file", _size(project) / 2**20, "MB", note=f"{traces:,} traces"))
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return [*rows, Figure("most memory of this process", peak, "MB")]


def main(args: list[str]) -> None:
    """Print the figures of `bench_store`."""
    parser = bench_parser("store", "Measure the store here.")
    parser.add_argument(
        "--traces", type=int, default=50_000, help="traces of the store that is searched"
    )
    parser.add_argument("--rounds", type=int, default=20, help="calls of each query")
    parser.add_argument(
        "--bulk", type=int, default=10_000, help="traces that are ingested as records, up to 40,000"
    )
    options = parser.parse_args(args)
    with tempfile.TemporaryDirectory(prefix="vpd-bench-") as folder:
        figures = bench_store(options.traces, options.rounds, options.bulk, Path(folder))
        print_figures(figures, options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
