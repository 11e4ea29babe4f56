"""`vpd bench execute`: what running programs costs on this machine, as ratios measured in one run.

sandbox    programs per second and core with stub tools; the cost of tracing; a program's start
tools      N programs on shared pictures with a real detector: one at a time against batched, cold against warm
warm       N programs on N pictures, cold against warm cache: a detector alone, and with visual questions
held       programs that all wait at once, and their memory
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from PIL import Image

from workbench import registry
from workbench.api import STANDARD
from workbench.boxes import Box
from workbench.errors import ToolFailure, WorkbenchError
from workbench.execute.cache import ResultCache
from workbench.execute.executor import Executor
from workbench.images import ImageFolder
from workbench.ports import Images, Tool
from workbench.records import PartRef, Program, Region, Task, ToolCall, ToolSpec, Value
from workbench.settings import data_dir

PROGRAM = """
def execute_command(image):
    image_patch = ImagePatch(image)
    cups = image_patch.find("NAME")
    print(f"There are {len(cups)} of them.")
    ordered = sorted(cups, key=lambda cup: cup.horizontal_center)
    left, right = [], []
    for i, cup in enumerate(ordered):
        if cup.horizontal_center < image_patch.horizontal_center:
            left.append(cup)
        else:
            right.append(cup)
    largest = None
    for cup in ordered:
        if largest is None or cup.width * cup.height > largest.width * largest.height:
            largest = cup
    total = 0
    for a in left:
        for b in right:
            total += round(distance(a, b))
    if largest is None:
        answer = image_patch.simple_query("What is there instead?")
    elif largest in left:
        answer = "left"
    else:
        answer = "right"
    count = sum(1 for cup in cups if cup.exists("handle"))
    print("handles:", count, "distance:", total)
    return formatting_answer(answer)
"""
"""About thirty lines, five calls: the size of a published program."""

ASKING = """
def execute_command(image):
    image_patch = ImagePatch(image)
    found = image_patch.find("NAME")
    others = image_patch.find("OTHER")
    if image_patch.exists("THIRD"):
        return formatting_answer(len(found) + len(others))
    return formatting_answer(len(found) > len(others))
"""
"""A program whose time is the detector's."""

QUESTIONING = ASKING.replace("answer(", 'answer(image_patch.simple_query("What is this?") or ')
"""The same with a question to a model that looks and speaks."""

NAMES = (
    "person",
    "car",
    "dog",
    "cat",
    "chair",
    "cup",
    "bottle",
    "bird",
    "boat",
    "clock",
    "book",
    "bench",
)


@dataclass(frozen=True, slots=True)
class ExecuteFigure:
    """One figure."""

    name: str
    value: float
    unit: str
    note: str = ""


class Stub:
    """A tool that answers at once, from the call's content."""

    batch_size = 8

    def __init__(self, spec: ToolSpec, delay: float = 0.0) -> None:
        self.spec = spec
        self.ref = PartRef("tool", f"stub-{spec.name}")
        self._delay = delay

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> Sequence[Value | ToolFailure]:
        time.sleep(self._delay)
        return [self._answer(call) for call in calls]

    def _answer(self, call: ToolCall) -> Value:
        n = int.from_bytes(hashlib.sha256(repr(call).encode()).digest()[:4])
        patch = call.arguments.get("patch")
        if self.spec.name == "find" and isinstance(patch, Region):
            return [
                replace(patch, box=_part(patch.box, n + i), label="cup", score=0.9)
                for i in range(4)
            ]
        return n % 2 == 0 if self.spec.returns == "bool" else f"answer {n % 5}"


def _part(box: Box, n: int) -> Box:
    x, y = box.x0 + box.width * (n % 7) / 10, box.y0 + box.height * (n % 5) / 8
    return Box(x, y, x + box.width / 8, y + box.height / 6)


class _Grey:
    """Grey pictures of any digest."""

    def open(self, digest: str) -> Image.Image:
        return Image.new("RGB", (64, 48))

    def crop(self, region: Region) -> Image.Image:
        return self.open(region.image)


def stubs(delay: float = 0.0) -> list[Stub]:
    """Stub tools for `PROGRAM`."""
    return [Stub(STANDARD[name], delay) for name in ("find", "exists", "visual_question_answering")]


Jobs = list[tuple[Task, Program]]


def _jobs(source: str, count: int, digests: Sequence[str]) -> Jobs:
    made = []
    for i in range(count):
        names = (NAMES[(i * step + i // len(NAMES)) % len(NAMES)] for step in (1, 5, 7))
        text = (
            source.replace("NAME", next(names))
            .replace("OTHER", next(names))
            .replace("THIRD", next(names))
        )
        digest = digests[i % len(digests)]
        task = Task(f"bench/{i}", "bench", "bench", digest, "?")
        made.append(
            (task, Program(f"p{i}", task.id, 0, text, 0.0, 0, 0, PartRef("sampler", "bench")))
        )
    return made


def _distinct(count: int) -> list[str]:
    return [hashlib.sha256(str(i).encode()).hexdigest() for i in range(count)]


@contextmanager
def _measured(into: dict[str, float]) -> Iterator[None]:
    """Wall seconds, and processor seconds of this process and of children that have ended inside
    the block.
    """
    wall, before = time.perf_counter(), _processor()
    yield
    into["wall"] = time.perf_counter() - wall
    into["processor"] = _processor() - before


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def measure_sandbox(programs: int) -> list[ExecuteFigure]:
    """Stub tools: programs per second and core, and the cost of tracing.

    Processor time of N programs less that of one: what starts once is not counted.  The quickest of
    three, because other work on the machine only adds.
    """
    each: dict[bool, float] = {}
    steps = calls = failed = 0
    for traced in (True, False):
        used: dict[int, float] = {}
        for count in (1, programs) * 3:
            jobs, seconds = _jobs(PROGRAM, count, _distinct(count)), dict[str, float]()
            with (
                _measured(seconds),
                Executor(stubs(), _Grey(), workers=1, hold=4, traced=traced) as executor,
            ):
                traces = list(executor.run(jobs))
            failed += sum(not trace.ok for trace in traces)
            used[count] = min(seconds["processor"], used.get(count, seconds["processor"]))
            if traced:
                steps, calls = (
                    sum(getattr(t, name) for t in traces) for name in ("steps", "tool_calls")
                )
        each[traced] = (used[programs] - used[1]) / (programs - 1)
    note = f"{steps / programs:.0f} steps, {calls / programs:.1f} calls each"
    return [
        ExecuteFigure("programs per second and core", 1 / each[True], "/s", note),
        ExecuteFigure("traced against untraced", each[True] / each[False], "x", "processor time"),
        ExecuteFigure("programs that failed", failed, ""),
    ]


def measure_start() -> list[ExecuteFigure]:
    """One program alone: what a person waits for."""
    began = time.perf_counter()
    with Executor(stubs(), _Grey()) as executor:
        ready = time.perf_counter() - began
        next(executor.run(_jobs(PROGRAM, 1, _distinct(1))))
        began = time.perf_counter()
        next(executor.run(_jobs(PROGRAM.replace("handle", "lid"), 1, _distinct(2)[1:])))
        one = time.perf_counter() - began
    return [
        ExecuteFigure("executor starts in", ready * 1000, "ms"),
        ExecuteFigure("one program alone", one * 1000, "ms"),
    ]


def measure_tools(programs: int, detector: str, pictures: Path) -> list[ExecuteFigure]:
    """The real detector on a few pictures that many programs share: one program at a time against
    batched.

    One at a time means what a loop over programs does: nothing is shared, each program has a fresh
    tool.
    """
    with tempfile.TemporaryDirectory(prefix="vpd-bench-") as folder:
        images = ImageFolder(Path(folder) / "images")
        digests = [images.add(path) for path in _photos(pictures)]
        for digest in digests:
            images.open(digest)  # decoding is not what is compared
        jobs, start = _jobs(ASKING, programs, digests), _jobs(ASKING, 1, digests)
        alone: dict[str, float] = {}
        with Executor(
            [_Forgetful(tool) for tool in _detector(detector, 0)], images, window=1, hold=1
        ) as executor:
            list(executor.run(start))
            with _measured(alone):
                one = []
                for job in jobs:
                    executor.cache.clear()
                    for tool in executor.tools.values():
                        cast(_Forgetful, tool).renew(detector)
                    one += [trace.answer for trace in executor.run([job])]
        cold, warm, many = _cold_and_warm(
            jobs, start, images, partial(_detector, detector, 1), Path(folder)
        )
    note = f"{programs} programs on {len(digests)} pictures, answers {'equal' if one == many else 'DIFFER'}"
    return [
        ExecuteFigure("one at a time", programs / alone["wall"], "programs/s", note),
        ExecuteFigure("batched", programs / cold, "programs/s"),
        ExecuteFigure("batched against one at a time", alone["wall"] / cold, "x"),
        ExecuteFigure(
            "warm cache", programs / warm, "programs/s", "all results on disk, every program runs"
        ),
        ExecuteFigure(
            "warm against batched", cold / warm, "x", "shared pictures: few results to save"
        ),
        ExecuteFigure("warm against one at a time", alone["wall"] / warm, "x"),
    ]


def measure_warm(
    programs: int, detector: str, question: str, pictures: Path
) -> list[ExecuteFigure]:
    """The same N programs with an empty cache and with all results on disk, both batched, each on
    its own picture.

    First with the detector alone, then a fifth as many programs that ask a visual question as well.
    A warm run has a new executor, new tools and a new connection to the file; it runs every program
    and asks no model.
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
            jobs, start = _jobs(source, count, digests), _jobs(source, 1, [first])
            cold, warm, _ = _cold_and_warm(jobs, start, images, tools, Path(folder) / name)
            rows += [
                ExecuteFigure(
                    f"{name}: cold",
                    count / cold,
                    "programs/s",
                    f"{count} programs, a picture each, batched",
                ),
                ExecuteFigure(
                    f"{name}: warm", count / warm, "programs/s", "the same, all results on disk"
                ),
                ExecuteFigure(f"{name}: warm against cold", cold / warm, "x"),
            ]
    return rows


def _cold_and_warm(
    jobs: Jobs, start: Jobs, images: Images, tools: Callable[[], list[Tool]], folder: Path
) -> tuple[float, float, list[str | None]]:
    """Wall seconds with an empty cache, and with a full one (the quicker of two), and the first
    run's answers.

    `start` is run first, so that neither models nor workers are loaded within the time.  Raises
    WorkbenchError when the answers differ.
    """
    folder.mkdir(exist_ok=True)
    seconds, answers = [], []
    for _ in range(3):
        with Executor(tools(), images, cache=ResultCache(folder / "results.sqlite")) as executor:
            list(executor.run(start * 2))
            used: dict[str, float] = {}
            with _measured(used):
                traces = list(executor.run(jobs))
        seconds.append(used["wall"])
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
    made = 0

    def __init__(self, tool: Tool) -> None:
        self.tool, self.spec, self.ref = tool, tool.spec, tool.ref

    def renew(self, name: str) -> None:
        _Forgetful.made += 1
        number = 10_000 + _Forgetful.made // 2  # `find` and `exists` of one program share theirs
        self.tool = next(t for t in _detector(name, number) if t.spec.name == self.spec.name)

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> Sequence[Value | ToolFailure]:
        return self.tool(calls, images)


def _detector(name: str, number: int, *more: str) -> list[Tool]:
    """`find` and `exists` with a memory of their own (the threshold differs in the ninth place),
    and other tools.
    """
    threshold = 0.3 + number * 1e-9
    found = [
        registry.build("tool", f"{name}{suffix}", threshold=threshold) for suffix in ("", "-exists")
    ]
    return found + [registry.build("tool", part) for part in more]


def measure_held(programs: int) -> list[ExecuteFigure]:
    """Programs that all wait for one tool at once: memory of this process and of the workers."""
    seen: dict[str, float] = {}

    class Gate(Stub):
        batch_size = 10_000

        def __call__(
            self, calls: Sequence[ToolCall], images: Images
        ) -> Sequence[Value | ToolFailure]:
            while not seen and executor.waiting() < programs:
                time.sleep(0.05)
            seen.setdefault("own", _resident(os.getpid()))
            seen.setdefault("workers", sum(map(_resident, _children())))
            return super().__call__(calls, images)

    tools = [Gate(STANDARD["find"]), *stubs()[1:]]
    with Executor(tools, _Grey(), window=programs) as executor:
        before = _resident(os.getpid())
        began = time.perf_counter()
        failed = sum(
            not trace.ok for trace in executor.run(_jobs(PROGRAM, programs, _distinct(programs)))
        )
        wall = time.perf_counter() - began
    return [
        ExecuteFigure(
            "programs held at once", programs, "", f"{failed} failed, {wall:.1f} s in all"
        ),
        ExecuteFigure("memory of this process for them", (seen["own"] - before) / 2**20, "MB"),
        ExecuteFigure("memory of the sandbox's processes", seen["workers"] / 2**20, "MB"),
        ExecuteFigure(
            "memory of one held program",
            (seen["own"] - before + seen["workers"]) / programs / 1024,
            "KB",
        ),
    ]


def _resident(pid: int) -> float:
    """Private bytes of a process (Linux; 0 elsewhere)."""
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
    held: int = 1000,
    detector: str = "ssdlite-coco",
    question: str = "student-vqa",
    pictures: Path | None = None,
) -> list[ExecuteFigure]:
    """All figures.  A part that is absent gives a row that says so."""
    rows = measure_sandbox(programs) + measure_start()
    folder = pictures or data_dir() / "photos" / "images"
    try:
        rows += measure_tools(programs, detector, folder) + measure_warm(
            programs, detector, question, folder
        )
    except (WorkbenchError, OSError) as error:
        rows.append(ExecuteFigure("models", 0.0, "", f"not measured: {error}"))
    return rows + measure_held(held)


def main(args: list[str]) -> None:
    """Print the table of `bench_execute`."""
    parser = argparse.ArgumentParser(
        prog="vpd bench execute", description="Measure the execution of programs here."
    )
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
    for row in bench_execute(**vars(parser.parse_args(args))):
        value = f"{row.value:,.0f}" if row.value >= 100 else f"{row.value:.2f}"
        print(f"{row.name:<36}{value:>10} {row.unit:<11}{row.note}")


if __name__ == "__main__":
    main(sys.argv[1:])
