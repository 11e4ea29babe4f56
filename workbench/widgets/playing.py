"""A widget around the step player: its run, its picture, the step it shows, the first wrong step
that was marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets
from PIL import Image

from workbench.errors import InputError
from workbench.records import Program, Rationale, Task
from workbench.screen import views
from workbench.screen.player import full, model_of, variables
from workbench.screen.steps import Step, steps_of
from workbench.store import Run
from workbench.widgets import pictures, plain
from workbench.widgets.base import Widget

FULL = 60
"""Steps that come along in full; the others are asked for one by one, and are missing where no
kernel is.
"""


class Playing(Widget):
    """One run under one cursor."""

    run = traitlets.Dict().tag(sync=True)
    """What `player.js` shows: `workbench.screen.player.model_of`, with the first steps in full.
    Empty: nothing.
    """
    picture = traitlets.Bytes().tag(sync=True)
    step = traitlets.Int().tag(sync=True)
    """The step shown, from 0; set it, and the widget goes there."""
    wrong = traitlets.Int(None, allow_none=True).tag(sync=True)
    """The step marked as the first wrong one, with the key b."""

    def __init__(self, **traits: Any) -> None:
        self.steps: Sequence[Step] = ()
        self._image: Image.Image | None = None
        super().__init__(**traits)

    @property
    def current(self) -> Step:
        """The step shown, in full.  Raises InputError while nothing is shown."""
        if not self.steps:
            raise InputError("no run is shown, so there is no step")
        return self.steps[self.step]

    @traitlets.validate("step")
    def _inside(self, proposal: Any) -> int:
        return min(max(int(proposal.value), 0), max(len(self.steps) - 1, 0))

    def play(
        self, model: Mapping[str, Any], steps: Sequence[Step], picture: Image.Image | None
    ) -> None:
        """Show a run, at its failing step or its first tool call."""
        self.steps = steps
        with self.hold_sync():
            if picture is not self._image or not self.picture:
                self._image = picture
                self.picture = pictures.to_webp(picture) if picture is not None else b""
            self.run = {**model, "full": full(steps, 0, FULL)}
            self.step = model["start"] if steps else 0
            self.wrong = model.get("wrong")

    def clear(self) -> None:
        """Show nothing."""
        self.steps, self._image = (), None
        with self.hold_sync():
            self.run, self.picture, self.step, self.wrong = {}, b"", 0, None

    def heard(self, asked: Mapping[str, Any]) -> Any:
        if asked.get("do") == "load":
            return full(self.steps, int(asked["from"]), int(asked["to"]))
        if asked.get("do") == "variables":
            return variables(self.steps, int(asked["step"]))
        raise InputError(f"this widget cannot do {asked.get('do')!r:.40}")

    def plain_run(self) -> str:
        """The run as a saved notebook shows it: picture with this step's boxes, and the steps."""
        if not self.run:
            return ""
        boxes = self.steps[self.step].boxes if self.steps else ()
        image = pictures.inline(self._image, boxes) if self._image is not None else ""
        source = "\n".join("".join(word for _, word in line) for line in self.run["source"])
        return f"{image}{plain.code(source)}{plain.steps(self.steps)}"


def model(
    task: Task | None, run: Run, picture: Mapping[str, Any], rationale: Rationale | None
) -> tuple[dict[str, Any], list[Step]]:
    """What the player is given of a run, with the line above it, and its steps; `picture` as of
    `pictures.shown`.
    """
    trace = run.trace
    size = (picture["width"], picture["height"]) if picture["url"] else None
    steps = steps_of(trace.events if trace is not None else (), size)
    head = {
        "question": task.question if task else "",
        "gold": views.gold_of(task) if task else "",
        "answer": trace.answer if trace is not None else None,
        "state": views.run_state(run),
        "problem": views.problem_of(run),
        "facts": views.facts_of(run) if task else "",
    }
    return model_of(run, steps, picture, rationale) | {"head": head}, steps


def unknown(program_id: str, task_id: str, part: Any) -> Program:
    """Stands for a program that is not at hand: a trace alone does not hold its source."""
    return Program(program_id, task_id, 0, "", 0.0, 0, 0, part)
