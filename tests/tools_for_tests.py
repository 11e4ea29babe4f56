"""Small honest tools: their answers follow from the call alone (a hash of it), so that runs can be
compared.

`ScriptedTool` keeps the log of what it was asked, batch by batch.  No model, no picture is looked
at.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from workbench.api import STANDARD
from workbench.boxes import Box
from workbench.errors import ImageError, ToolFailure
from workbench.events import stable
from workbench.ports import Images
from workbench.records import (
    PartRef,
    Program,
    Region,
    Task,
    ToolCall,
    ToolSpec,
    Trace,
    Value,
    plain,
)

WIDTH, HEIGHT = 640, 480
PICTURE = "a" * 64


class OnePicture:
    """A picture source with grey pictures of any digest; `missing` digests raise ImageError."""

    missing = "f" * 64

    def open(self, digest: str) -> Image.Image:
        if digest == self.missing:
            raise ImageError("no such picture")
        return Image.new("RGB", (WIDTH, HEIGHT))

    def crop(self, region: Region) -> Image.Image:
        return self.open(region.image)


def number_of(call: ToolCall, modulus: int) -> int:
    """A number that depends on the call's content only."""
    text = json.dumps([call.tool, plain(call.arguments)], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) % modulus


def scripted_answer(spec: ToolSpec, call: ToolCall) -> Value:
    """An answer of the kind that the spec declares, made from the call's content."""
    n = number_of(call, 1_000_003)
    if call.tool == "find":
        patch = call.arguments["patch"]
        assert isinstance(patch, Region)
        return _parts(patch, str(call.arguments["object_name"]), n)
    if call.tool == "best_text_match":
        options = call.arguments["options"]
        assert isinstance(options, list | tuple)
        return options[n % len(options)] if options else ""
    if call.tool == "best_image_match":
        patches = call.arguments["list_patches"]
        assert isinstance(patches, list | tuple)
        return n % len(patches)
    if spec.returns == "bool":
        return n % 2 == 0
    if spec.returns == "float":
        return (n % 1000) / 10
    if spec.returns == "int":
        return n % 7
    return ["red", "blue", "yes", "no", "a dog", "2", "wooden table", "two"][n % 8]


def _parts(patch: Region, name: str, n: int) -> list[Value]:
    if name.startswith("no "):
        return []
    b = patch.box
    found: list[Value] = []
    for i in range(n % 5):
        k = (n // (i + 3)) % 97
        x0 = b.x0 + b.width * (k % 10) / 20
        y0 = b.y0 + b.height * (k // 10) / 20
        box = Box(
            x0, y0, min(x0 + b.width * (0.2 + (k % 3) / 10), b.x1), min(y0 + b.height * 0.3, b.y1)
        )
        found.append(
            Region(patch.image, patch.width, patch.height, box, name, round(0.95 - i / 10, 2))
        )
    return found


@dataclass
class ScriptedTool:
    """A tool with scripted answers; `fail` decides which calls fail, `hook` sees every batch."""

    spec: ToolSpec
    version: str = "1"
    batch_size: int = 8
    fail: Callable[[ToolCall], str | None] = lambda call: None
    hook: Callable[[Sequence[ToolCall]], None] = lambda calls: None

    def __post_init__(self) -> None:
        self.ref = PartRef("tool", f"scripted-{self.spec.name}", self.version)
        self.batches: list[list[ToolCall]] = []
        self._lock = threading.Lock()

    @property
    def calls(self) -> list[ToolCall]:
        return [call for batch in self.batches for call in batch]

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> Sequence[Value | ToolFailure]:
        with self._lock:
            self.batches.append(list(calls))
        self.hook(calls)
        return [self._one(call) for call in calls]

    def _one(self, call: ToolCall) -> Value | ToolFailure:
        reason = self.fail(call)
        return ToolFailure(reason) if reason else scripted_answer(self.spec, call)


def all_tools(**changes: Any) -> list[ScriptedTool]:
    """One scripted tool per published spec."""
    return [ScriptedTool(spec, **changes) for spec in STANDARD.values()]


def a_task(number: int = 0, image: str = PICTURE) -> Task:
    return Task(f"t{number}", "test", "test", image, "What is it?")


def a_program(source: str, number: int = 0, index: int = 0) -> Program:
    return Program(
        f"p{number}-{index}", f"t{number}", index, source, 0.0, 1, 0, PartRef("sampler", "hand")
    )


ASKS = """
def execute_command(image):
    p = ImagePatch(image)
    cups = p.find("NAME")
    names = [c.simple_query("what?") for c in cups]
    if any(c.exists("handle") for c in cups):
        names.append(p.image_caption())
    return formatting_answer([len(cups), *names])
"""


def jobs(count: int, distinct: int = 1000) -> list[tuple[Task, Program]]:
    return [
        (a_task(i), a_program(ASKS.replace("NAME", f"cup{i % distinct}"), i)) for i in range(count)
    ]


def contents(traces: Sequence[Trace]) -> list[Any]:
    return [(t.program_id, t.answer, t.failure, [stable(e) for e in t.events]) for t in traces]
