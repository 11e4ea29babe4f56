"""A small world to run programs in: tools whose answers follow from a list of things, and the real
executor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from workbench.api import STANDARD
from workbench.boxes import Box, intersection
from workbench.errors import ToolFailure
from workbench.execute import Executor
from workbench.ports import Images
from workbench.records import AnswerType, PartRef, Program, Region, Task, ToolCall, Trace, Value

WIDTH, HEIGHT = 640, 480
PICTURE = "c" * 64
KINDS = {
    "animal": ("dog", "cat", "bird", "horse", "elephant"),
    "vehicle": ("bus", "car", "boat"),
    "fruit": ("apple", "banana"),
}
FACTS = {
    "fly": ("bird",),
    "wheels": ("bus", "car"),
    "eaten": ("apple", "banana"),
}


@dataclass(frozen=True)
class Thing:
    """Something in the picture."""

    name: str
    box: Box
    properties: tuple[str, ...] = ()
    color: str = "brown"
    depth: float = 5.0
    text: str = ""
    says: dict[str, str] = field(default_factory=dict, compare=False, hash=False)
    """Answers to questions about it, by question."""


class Pictures:
    def open(self, digest: str) -> Image.Image:
        return Image.new("RGB", (WIDTH, HEIGHT))

    def crop(self, region: Region) -> Image.Image:
        return self.open(region.image)


class WorldTool:
    """One published tool over a world."""

    def __init__(self, name: str, things: Sequence[Thing], says: dict[str, str]) -> None:
        self.spec = STANDARD[name]
        self.ref = PartRef("tool", f"world-{name}", "1")
        self.batch_size = 16
        self.things = things
        self.says = says

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> Sequence[Value | ToolFailure]:
        return [getattr(self, f"_{self.spec.name}")(call) for call in calls]

    def _named(self, region: Region, name: str) -> list[Thing]:
        inside = [t for t in self.things if intersection(t.box, region.box) > 0.5 * t.box.area]
        if name == "object":
            return inside
        return [t for t in inside if t.name in KINDS.get(name, (name,))]

    def _shown(self, region: Region) -> Thing | None:
        return next((t for t in self.things if t.box == region.box), None)

    def _find(self, call: ToolCall) -> Value | ToolFailure:
        region, name = call.arguments["patch"], str(call.arguments["object_name"])
        assert isinstance(region, Region)
        if name == "unicorn":
            return ToolFailure("cannot look for a unicorn")
        return [
            Region(PICTURE, WIDTH, HEIGHT, t.box, t.name, 0.9) for t in self._named(region, name)
        ]

    def _exists(self, call: ToolCall) -> Value:
        region = call.arguments["patch"]
        assert isinstance(region, Region)
        return bool(self._named(region, str(call.arguments["object_name"])))

    def _verify_property(self, call: ToolCall) -> Value:
        region = call.arguments["patch"]
        assert isinstance(region, Region)
        thing = self._shown(region)
        attribute = str(call.arguments["attribute"])
        if thing is None:
            return any(
                attribute in t.properties
                for t in self._named(region, str(call.arguments["object_name"]))
            )
        return attribute in thing.properties

    def _visual_question_answering(self, call: ToolCall) -> Value:
        region, question = call.arguments["patch"], str(call.arguments["question"])
        assert isinstance(region, Region)
        thing = self._shown(region)
        if thing is None:
            return self.says.get(question, "nothing")
        if question in thing.says:
            return thing.says[question]
        return thing.color if "color" in question else thing.name

    def _llm_query(self, call: ToolCall) -> Value:
        question = str(call.arguments["question"])
        if question in self.says:
            return self.says[question]
        for fact, names in FACTS.items():
            if fact in question:
                return "yes" if any(name in question for name in names) else "no"
        return "I do not know"

    def _best_text_match(self, call: ToolCall) -> Value:
        region, options = call.arguments["patch"], call.arguments["options"]
        assert isinstance(region, Region)
        assert isinstance(options, list)
        thing = self._shown(region)
        known = (
            (thing.name, thing.color, *thing.properties)
            if thing
            else tuple(t.name for t in self.things)
        )
        return next((option for option in options if option in known), options[0])

    def _image_caption(self, call: ToolCall) -> Value:
        return self.says.get("caption", "a picture")

    def _compute_depth(self, call: ToolCall) -> Value:
        region = call.arguments["patch"]
        assert isinstance(region, Region)
        thing = self._shown(region)
        return thing.depth if thing else 10.0

    def _read_text(self, call: ToolCall) -> Value:
        region = call.arguments["patch"]
        assert isinstance(region, Region)
        thing = self._shown(region)
        return thing.text if thing else ""

    def _best_image_match(self, call: ToolCall) -> Value:
        return 0


def run(
    body: str,
    things: Sequence[Thing],
    question: str = "What is it?",
    says: dict[str, str] | None = None,
    answers: tuple[str, ...] = (),
    answer_type: AnswerType = "open",
    choices: tuple[str, ...] = (),
) -> tuple[Task, Program, Trace]:
    """Run a program (its body, or whole) through the real executor."""
    task = Task("w/1", "world", "test", PICTURE, question, answers, answer_type, choices)
    return runs([body], things, task, says)[0]


def runs(
    bodies: Sequence[str], things: Sequence[Thing], task: Task, says: dict[str, str] | None = None
) -> list[tuple[Task, Program, Trace]]:
    """Run several programs of one question through one executor."""
    ref = PartRef("sampler", "hand")
    jobs = [
        (task, Program(f"p{at}", task.id, at, _whole(body), -0.5, 10, 0, ref))
        for at, body in enumerate(bodies, start=1)
    ]
    tools = [WorldTool(name, things, says or {}) for name in STANDARD]
    with Executor(tools, Pictures(), workers=1) as executor:  # type: ignore[arg-type]
        traces = list(executor.run(jobs))
    return [(*job, trace) for job, trace in zip(jobs, traces, strict=True)]


def _whole(body: str) -> str:
    if "def execute_command" in body:
        return body + "\n"
    head = ["def execute_command(image):", "    image_patch = ImagePatch(image)"]
    return "\n".join([*head, *(f"    {line}" for line in body.strip("\n").splitlines())]) + "\n"
