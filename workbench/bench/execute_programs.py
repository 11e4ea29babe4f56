"""What `vpd bench execute` runs: programs of usual size, and tools that cost nothing."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from PIL import Image

from workbench.api import STANDARD
from workbench.boxes import Box
from workbench.errors import ToolFailure
from workbench.ports import Images
from workbench.records import PartRef, Program, Region, Task, ToolCall, ToolSpec, Value

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
"""A program of the size of a published one: about thirty lines, five calls of tools."""

ASKING = """
def execute_command(image):
    image_patch = ImagePatch(image)
    found = image_patch.find("NAME")
    others = image_patch.find("OTHER")
    if image_patch.exists("THIRD"):
        return formatting_answer(len(found) + len(others))
    return formatting_answer(len(found) > len(others))
"""
"""A program that spends its time in the detector."""

QUESTIONING = ASKING.replace("answer(", 'answer(image_patch.simple_query("What is this?") or ')
"""The same program with a question to a vision-language model."""

NAMES = (
    "person", "car", "dog", "cat", "chair", "cup",
    "bottle", "bird", "boat", "clock", "book", "bench",
)  # fmt: skip
"""Names that the programs look for; the detector knows all of them."""


class Stub:
    """A tool whose answer is a hash of the call.

    Args:
        spec: the tool that it stands for.
        delay: seconds that each batch takes.
    """

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


class GreyPictures:
    """Grey pictures of any digest."""

    def open(self, digest: str) -> Image.Image:
        return Image.new("RGB", (64, 48))

    def crop(self, region: Region) -> Image.Image:
        return self.open(region.image)


_GREY = GreyPictures()


def stubs(delay: float = 0.0) -> list[Stub]:
    """One stub for each tool that `PROGRAM` calls; each batch takes `delay` seconds."""
    return [Stub(STANDARD[name], delay) for name in ("find", "exists", "visual_question_answering")]


class BarePatch:
    """ImagePatch as bare Python has it: what `PROGRAM` uses, over the stubs of `tools`.

    Args:
        region: the part of the picture.
    """

    tools: Mapping[str, Stub] = {}

    def __init__(self, region: Region) -> None:
        box = region.box
        self.region = region
        self.width, self.height = box.width, box.height
        self.horizontal_center = (box.x0 + box.x1) / 2

    def _ask(self, tool: str, **arguments: Value) -> Any:
        return self.tools[tool]([ToolCall(tool, {"patch": self.region, **arguments})], _GREY)[0]

    def find(self, object_name: str) -> list[BarePatch]:
        return [BarePatch(region) for region in self._ask("find", object_name=object_name)]

    def exists(self, object_name: str) -> bool:
        return bool(self._ask("exists", object_name=object_name))

    def simple_query(self, question: str) -> str:
        return str(self._ask("visual_question_answering", question=question))


def run_bare(task: Task, program: Program) -> str:
    """A program's answer by Python's own `exec`: no sandbox, no trace, no batches.

    Args:
        task: the question, on one of `GreyPictures`.
        program: a copy of `PROGRAM`.
    """
    BarePatch.tools = BarePatch.tools or {stub.spec.name: stub for stub in stubs()}
    names: dict[str, Any] = {
        "ImagePatch": lambda image: image,
        "distance": lambda a, b: abs(a.horizontal_center - b.horizontal_center),
        "formatting_answer": str,
        "print": lambda *values: None,
    }
    exec(compile(program.source, "<program>", "exec"), names)  # noqa: S102  # of ours alone
    width, height = _GREY.open(task.image).size
    whole = Region(task.image, width, height, Box(0, 0, width, height))
    return str(names["execute_command"](BarePatch(whole)))


Jobs = list[tuple[Task, Program]]


def jobs_of(source: str, count: int, digests: Sequence[str]) -> Jobs:
    """Copies of a program, each with names and a picture of its own.

    Args:
        source: the program, with `NAME`, `OTHER` and `THIRD` where names go.
        count: number of copies.
        digests: of the pictures, which are used in turn.
    """
    jobs = []
    for i in range(count):
        names = (NAMES[(i * step + i // len(NAMES)) % len(NAMES)] for step in (1, 5, 7))
        text = (
            source.replace("NAME", next(names))
            .replace("OTHER", next(names))
            .replace("THIRD", next(names))
        )
        digest = digests[i % len(digests)]
        task = Task(f"bench/{i}", "bench", "bench", digest, "?")
        sampler = PartRef("sampler", "bench")
        jobs.append((task, Program(f"p{i}", task.id, 0, text, 0.0, 0, 0, sampler)))
    return jobs


def digests_of(count: int) -> list[str]:
    """Different digests, as many as asked for."""
    return [hashlib.sha256(str(i).encode()).hexdigest() for i in range(count)]
