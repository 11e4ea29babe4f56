"""`vpd bench execute`: what running programs costs on this machine, as ratios measured in one run.

sandbox    programs per second and core with stub tools; the cost of tracing; a program's start
tools      N programs on shared pictures with a real detector: one at a time against batched, and an
           empty cache against a full one
warm       N programs on N pictures, empty against full cache: a detector alone, and with visual
           questions
held       programs that all wait at once, and their memory
"""

from __future__ import annotations

import math
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from PIL import Image

from workbench import registry
from workbench.api import STANDARD
from workbench.bench.execute_programs import (
    ASKING,
    PROGRAM,
    QUESTIONING,
    GreyPictures,
    Jobs,
    Stub,
    digests_of,
    jobs_of,
    run_bare,
    stubs,
)
from workbench.bench.figure import Figure, bench_parser, print_figures
from workbench.errors import ToolFailure, WorkbenchError
from workbench.execute.cache import ResultCache
from workbench.execute.executor import Executor
from workbench.images import ImageFolder
from workbench.ports import Images, Tool
from workbench.records import ToolCall, Value
from workbench.settings import data_dir


@dataclass(slots=True)
class _Seconds:
    """Seconds that a block took; 0 until it ends."""

    wall: float = 0.0
    processor: float = 0.0
    """Of this process and of its children that ended inside the block."""


@contextmanager
def _stopwatch() -> Iterator[_Seconds]:
    seconds = _Seconds()
    wall, processor = time.perf_counter(), _processor_seconds()
    yield seconds
    seconds.wall = time.perf_counter() - wall
    seconds.processor = _processor_seconds() - processor


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def measure_sandbox(programs: int) -> list[Figure]:
    """Measure, with stub tools, programs per second and core, beside `exec` and without a trace.

    The processor time of one program is taken off that of N: what starts once is not counted.  The
    quickest of three runs counts, because other work on the machine only adds.
    """
    each: dict[bool, float] = {}
    steps = calls = failed = 0
    for traced in (True, False):
        quickest: dict[int, float] = {}
        for count in (1, programs) * 3:
            jobs = jobs_of(PROGRAM, count, digests_of(count))
            with (
                _stopwatch() as seconds,
                Executor(stubs(), GreyPictures(), workers=1, hold=4, traced=traced) as executor,
            ):
                traces = list(executor.run(jobs))
            failed += sum(not trace.ok for trace in traces)
            quickest[count] = min(seconds.processor, quickest.get(count, seconds.processor))
            if traced:
                steps = sum(trace.steps for trace in traces)
                calls = sum(trace.tool_calls for trace in traces)
        each[traced] = (quickest[programs] - quickest[1]) / (programs - 1)
    bare = _bare_seconds(programs)
    note = f"{steps / programs:.0f} steps, {calls / programs:.1f} calls each"
    return [
        Figure("programs per second and core", 1 / each[True], "/s", note=note),
        Figure("bare exec of the same programs", 1 / bare, "/s", note="no sandbox, no trace"),
        Figure("traced against bare exec", each[True] / bare, "x", note="processor time"),
        Figure("traced against untraced", each[True] / each[False], "x", note="processor time"),
        Figure("programs that failed", failed),
    ]


def _bare_seconds(programs: int) -> float:
    """Processor seconds of one program by `exec` alone, the quickest of three runs."""
    quickest = math.inf
    for _ in range(3):
        with _stopwatch() as seconds:
            for task, program in jobs_of(PROGRAM, programs, digests_of(programs)):
                run_bare(task, program)
        quickest = min(quickest, seconds.processor)
    return quickest / programs


def measure_start() -> list[Figure]:
    """Measure how long a person waits for one program alone."""
    began = time.perf_counter()
    with Executor(stubs(), GreyPictures()) as executor:
        ready = time.perf_counter() - began
        next(executor.run(jobs_of(PROGRAM, 1, digests_of(1))))
        began = time.perf_counter()
        next(executor.run(jobs_of(PROGRAM.replace("handle", "lid"), 1, digests_of(2)[1:])))
        one = time.perf_counter() - began
    return [
        Figure("executor starts in", ready * 1000, "ms"),
        Figure("one program alone", one * 1000, "ms"),
    ]


def measure_tools(programs: int, detector: str, pictures: Path) -> list[Figure]:
    """Measure the real detector on pictures that many programs share: batched, and one by one.

    One by one means what a loop over programs does: nothing is shared, and each program has a fresh
    tool.

    Args:
        programs: number of programs.
        detector: a registered tool that finds; the tool `-exists` of its name is used too.
        pictures: folder of pictures.
    """
    with tempfile.TemporaryDirectory(prefix="vpd-bench-") as folder:
        images = ImageFolder(Path(folder) / "images")
        digests = [images.add(path) for path in _photos(pictures)]
        for digest in digests:
            images.open(digest)  # decoding is not what is compared
        jobs, start = jobs_of(ASKING, programs, digests), jobs_of(ASKING, 1, digests)
        with Executor(
            [_Forgetful(tool) for tool in _detector(detector, 0)], images, window=1, hold=1
        ) as executor:
            list(executor.run(start))
            with _stopwatch() as alone:
                singly = []
                for job in jobs:
                    executor.cache.clear()
                    for tool in executor.tools.values():
                        cast(_Forgetful, tool).renew(detector)
                    singly += [trace.answer for trace in executor.run([job])]
        cold, warm, together = _cold_and_warm(
            jobs, start, images, partial(_detector, detector, 1), Path(folder)
        )
    same = "equal" if singly == together else "DIFFER"
    note = f"{programs} programs on {len(digests)} pictures, answers {same}"
    on_disk, few = "all results on disk, every program runs", "shared pictures: few results to save"
    return [
        Figure("one at a time", programs / alone.wall, "programs/s", note=note),
        Figure("batched", programs / cold, "programs/s"),
        Figure("batched against one at a time", alone.wall / cold, "x"),
        Figure("warm cache", programs / warm, "programs/s", note=on_disk),
        Figure("warm against batched", cold / warm, "x", note=few),
        Figure("warm against one at a time", alone.wall / warm, "x"),
    ]


def measure_warm(programs: int, detector: str, question: str, pictures: Path) -> list[Figure]:
    """Measure the same programs with an empty cache and with a full one, each on its own picture.

    First come programs that call the detector alone, then a fifth as many that ask a visual
    question as well.  A warm run has a new executor, new tools and a new connection to the file; it
    runs every program and asks no model.

    Args:
        programs: number of programs.
        detector: a registered tool that finds; the tool `-exists` of its name is used too.
        question: a registered tool that answers questions about pictures.
        pictures: folder of pictures; each program gets its own cut-out of one.
    """
    rows = []
    with tempfile.TemporaryDirectory(prefix="vpd-bench-") as folder:
        images = ImageFolder(Path(folder) / "images")
        first, *digests = [
            images.add(path) for path in _crops(_photos(pictures), programs + 1, Path(folder))
        ]

        for name, source, count, tools in (
            ("detector", ASKING, programs, partial(_detector, detector, 2)),
            (
                "and questions",
                QUESTIONING,
                max(programs // 5, 1),
                partial(_detector, detector, 3, question),
            ),
        ):
            jobs, start = jobs_of(source, count, digests), jobs_of(source, 1, [first])
            cold, warm, _ = _cold_and_warm(jobs, start, images, tools, Path(folder) / name)
            note = f"{count} programs, a picture each, batched"
            on_disk = "the same, all results on disk"
            rows += [
                Figure(f"{name}: cold", count / cold, "programs/s", note=note),
                Figure(f"{name}: warm", count / warm, "programs/s", note=on_disk),
                Figure(f"{name}: warm against cold", cold / warm, "x"),
            ]
    return rows


def _cold_and_warm(
    jobs: Jobs, start: Jobs, images: Images, tools: Callable[[], list[Tool]], folder: Path
) -> tuple[float, float, list[str | None]]:
    """Wall seconds with an empty cache, the quicker of two runs with a full one, and the answers.

    `start` is run first, so that neither models nor workers are loaded within the time.

    Raises:
        WorkbenchError: the answers of two runs differ.
    """
    folder.mkdir(exist_ok=True)
    seconds, answers = [], []
    for _ in range(3):
        with Executor(tools(), images, cache=ResultCache(folder / "results.sqlite")) as executor:
            list(executor.run(start * 2))
            with _stopwatch() as watch:
                traces = list(executor.run(jobs))
        seconds.append(watch.wall)
        answers.append([trace.answer for trace in traces])
    if not answers[0] == answers[1] == answers[2]:
        raise WorkbenchError("the answers with a full cache differ from those with an empty one")
    return seconds[0], min(seconds[1:]), answers[0]


def _photos(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix in (".jpg", ".png", ".webp")]


def _crops(photos: Sequence[Path], count: int, folder: Path) -> Iterator[Path]:
    """Files of as many different pictures, cut out of the photos."""
    for i in range(count):
        with Image.open(photos[i % len(photos)]) as photo:
            n, path = i // len(photos) + 1, folder / f"{i}.png"
            photo.convert("RGB").crop((n, n, photo.width, photo.height)).save(
                path, compress_level=1
            )
        yield path


class _Forgetful:
    """A detector tool whose memory of pictures is thrown away between programs."""

    batch_size = 1
    renewals = 0
    """Number of calls of `renew`, over all tools."""

    def __init__(self, tool: Tool) -> None:
        self.tool, self.spec, self.ref = tool, tool.spec, tool.ref

    def renew(self, name: str) -> None:
        _Forgetful.renewals += 1
        # `find` and `exists` of one program share their memory.
        number = 10_000 + _Forgetful.renewals // 2
        self.tool = next(t for t in _detector(name, number) if t.spec.name == self.spec.name)

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> Sequence[Value | ToolFailure]:
        return self.tool(calls, images)


def _detector(name: str, number: int, *more: str) -> list[Tool]:
    """`find` and `exists` with a memory of pictures of their own, and other tools.

    Tools of the same arguments share a memory, so the threshold differs in the ninth place.
    """
    threshold = 0.3 + number * 1e-9
    tools = [
        registry.build("tool", f"{name}{suffix}", threshold=threshold) for suffix in ("", "-exists")
    ]
    return tools + [registry.build("tool", part) for part in more]


def measure_held(programs: int) -> list[Figure]:
    """Measure the memory of this process and its workers while all programs wait for one tool."""
    memory: dict[str, float] = {}

    class Gate(Stub):
        batch_size = 10_000

        def __call__(
            self, calls: Sequence[ToolCall], images: Images
        ) -> Sequence[Value | ToolFailure]:
            while not memory and executor.waiting() < programs:
                time.sleep(0.05)
            memory.setdefault("own", _resident(os.getpid()))
            memory.setdefault("workers", sum(map(_resident, _children())))
            return super().__call__(calls, images)

    tools = [Gate(STANDARD["find"]), *stubs()[1:]]
    with Executor(tools, GreyPictures(), window=programs) as executor:
        before = _resident(os.getpid())
        began = time.perf_counter()
        failed = sum(
            not trace.ok for trace in executor.run(jobs_of(PROGRAM, programs, digests_of(programs)))
        )
        wall = time.perf_counter() - began
    note = f"{failed} failed, {wall:.1f} s in all"
    own = memory["own"] - before
    return [
        Figure("programs held at once", programs, note=note),
        Figure("memory of this process for them", own / 2**20, "MB"),
        Figure("memory of the sandbox's processes", memory["workers"] / 2**20, "MB"),
        Figure("memory of one held program", (own + memory["workers"]) / programs / 1024, "KB"),
    ]


def _resident(pid: int) -> float:
    """Private bytes of a process on Linux; 0 elsewhere."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(
        int(x.split()[1]) * 1024.0
        for x in lines
        if x.startswith(("Private_Clean:", "Private_Dirty:"))
    )


def _children() -> list[int]:
    tasks = Path(f"/proc/{os.getpid()}/task")
    lists = [(task / "children") for task in tasks.iterdir()] if tasks.is_dir() else []
    return [int(pid) for path in lists if path.exists() for pid in path.read_text().split()]


def bench_execute(
    programs: int = 200,
    waiting: int = 1000,
    detector: str = "ssdlite-coco",
    question: str = "student-vqa",
    pictures: Path | None = None,
) -> list[Figure]:
    """Take all figures; where a model is absent, a figure without a value names the reason.

    Args:
        programs: programs for each figure.
        waiting: programs that wait for a tool at once.
        detector: a registered tool that finds; the tool `-exists` of its name is used too.
        question: a registered tool that answers questions about pictures.
        pictures: folder of pictures; the bundled photos when None.
    """
    rows = measure_sandbox(programs) + measure_start()
    folder = pictures or data_dir() / "photos" / "images"
    try:
        rows += measure_tools(programs, detector, folder)
        rows += measure_warm(programs, detector, question, folder)
    except (WorkbenchError, OSError) as error:
        rows.append(Figure("models", math.nan, note=f"not measured: {error}"))
    return rows + measure_held(waiting)


def main(args: list[str]) -> None:
    """Print the figures of `bench_execute`."""
    parser = bench_parser("execute", "Measure the execution of programs here.")
    parser.add_argument("--programs", type=int, default=200, help="programs for each figure")
    parser.add_argument("--held", type=int, default=1000, help="programs held at once")
    parser.add_argument(
        "--detector", default="ssdlite-coco", help="a registered tool that finds; its -exists too"
    )
    parser.add_argument(
        "--question", default="student-vqa", help="a registered tool that answers questions"
    )
    parser.add_argument(
        "--pictures", type=Path, help="a folder of pictures; the bundled photos if left out"
    )
    options = parser.parse_args(args)
    figures = bench_execute(
        options.programs, options.held, options.detector, options.question, options.pictures
    )
    print_figures(figures, options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
