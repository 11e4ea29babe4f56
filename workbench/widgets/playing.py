"""A widget around the step player: its run, its picture, the step it shows, the first wrong step
that was marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import traitlets
from PIL import Image

from workbench.errors import ImageError, InputError
from workbench.images import ImageFolder
from workbench.records import PartRef, Program, Rationale, Task
from workbench.screen import views
from workbench.screen.loop_boxes import add_loop_boxes
from workbench.screen.player import PlayerModel, full, model_of, variables
from workbench.screen.step_pictures import addressed
from workbench.screen.steps import Step, StepBox, steps_of
from workbench.screen.views import PictureView
from workbench.store import Run
from workbench.widgets import pictures, plain
from workbench.widgets.base import Widget

FULL = 60
"""Steps that come along in full; the others are asked for one by one, and are missing where no
kernel is.
"""


@dataclass(frozen=True, slots=True)
class RunHead:
    """The line above the player."""

    question: str
    gold: str
    answer: str | None
    state: str
    problem: str
    """Why the run has no answer; empty where it has one."""
    facts: str


class Playing(Widget):
    """One run under one cursor."""

    run = traitlets.Dict().tag(sync=True)
    """What `player.js` shows: `workbench.screen.player.PlayerModel` with the first steps in full,
    and `RunHead` under `head`.  Empty: nothing is shown.
    """
    picture = traitlets.Bytes().tag(sync=True)
    step = traitlets.Int().tag(sync=True)
    """The step shown, from 0; set it, and the widget goes there."""
    wrong = traitlets.Int(None, allow_none=True).tag(sync=True)
    """The step marked as the first wrong one, with the key b."""

    def __init__(self, **traits: Any) -> None:
        self.steps: Sequence[Step] = ()
        self._image: Image.Image | None = None
        self.images: ImageFolder | None = None
        """Where the pictures that the run made are; None where they cannot be shown."""
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
        self,
        model: PlayerModel,
        steps: Sequence[Step],
        picture: Image.Image | None,
        head: RunHead | None = None,
    ) -> None:
        """Show a run, at its telling step.

        Args:
            model: the run in short.
            steps: all of its steps.
            picture: the run's picture; None where there is none.
            head: what stands above the player; None where the widget shows that itself.
        """
        self.steps = steps
        with self.hold_sync():
            if picture is not self._image or not self.picture:
                self._image = picture
                self.picture = pictures.to_webp(picture) if picture is not None else b""
            above = {} if head is None else {"head": asdict(head)}
            self.run = asdict(replace(model, full=self._full(0, FULL))) | above
            self.step = model.start if steps else 0
            self.wrong = model.wrong

    def clear(self) -> None:
        """Show nothing."""
        self.steps, self._image = (), None
        with self.hold_sync():
            self.run, self.picture, self.step, self.wrong = {}, b"", 0, None

    def answer(self, request: Mapping[str, Any]) -> Any:
        if request.get("do") == "load":
            steps = self._full(int(request["from"]), int(request["to"]))
            return [asdict(step) for step in steps]
        if request.get("do") == "variables":
            return [asdict(one) for one in variables(self.steps, int(request["step"]))]
        raise InputError(f"this widget cannot do {request.get('do')!r:.40}")

    def _full(self, first: int, last: int) -> list[Step]:
        """Steps in full, whose pictures need no server."""
        of = partial(pictures.address, self.images)
        return [
            replace(step, pictures=list(addressed(step.pictures, of)))
            for step in full(self.steps, first, last)
        ]

    def plain_run(self) -> str:
        """The run as a saved notebook shows it: the picture with the boxes of the step shown, the
        program, and the steps, of which that one is marked.
        """
        if not self.run:
            return ""
        boxes = self.steps[self.step].boxes if self.steps else []
        own = [box for box in boxes if box.picture == 0]
        image = pictures.inline(self._image, own) if self._image is not None else ""
        image += self._other_pictures(boxes)
        source = "\n".join("".join(word for _, word in line) for line in self.run["source"])
        return f"{image}{plain.code(source)}{plain.steps(self.steps, self.step)}"

    def _other_pictures(self, boxes: Sequence[StepBox]) -> str:
        """The pictures after the first one, each with its boxes."""
        images = []
        for number, one in enumerate(self.run["picture"].get("more", ()), start=1):
            own = [box for box in boxes if box.picture == number]
            with suppress(ImageError):
                if self.images is not None:
                    images.append(pictures.inline(self.images.open(one["image"]), own))
        return "".join(images)


def model(
    run: Run, picture: PictureView, rationale: Rationale | None
) -> tuple[PlayerModel, list[Step]]:
    """The run in short, and its steps.

    Args:
        run: a program, with its trace where it was run.
        picture: the run's picture.
        rationale: the wording to show beside the steps.
    """
    trace = run.trace
    events = trace.events if trace is not None else ()
    steps = steps_of(events, picture.size, 1 + len(picture.more))
    add_loop_boxes(steps, run.program.source)
    return model_of(run, steps, picture, rationale), steps


def head_of_run(task: Task | None, run: Run) -> RunHead:
    """The line above the player; `task` is None where the run's question is not at hand."""
    return RunHead(
        question=task.question if task else "",
        gold=views.gold_of(task) if task else "",
        answer=run.trace.answer if run.trace is not None else None,
        state=views.run_state(run),
        problem=views.problem_of(run),
        facts=views.facts_of(run) if task else "",
    )


def unknown(program_id: str, task_id: str, part: PartRef) -> Program:
    """Stands for a program that is not at hand: a trace alone does not hold its source.

    Args:
        program_id: id of the program.
        task_id: id of its question.
        part: what made the trace.
    """
    return Program(program_id, task_id, 0, "", 0.0, 0, 0, part)
