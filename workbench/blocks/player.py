"""StepPlayer: one run step by step, as a component of Gradio's Blocks."""

from __future__ import annotations

import base64
import io
from abc import ABCMeta
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.component_meta import updateable
from PIL import Image
from pydantic_core import to_jsonable_python

from workbench.errors import ImageError, InputError
from workbench.images import ImageFolder
from workbench.records import Program, Rationale, Trace
from workbench.screen import PLAYER, joined_scripts
from workbench.screen.player import model_of
from workbench.screen.step_pictures import addressed
from workbench.screen.steps import steps_of
from workbench.screen.views import PictureView
from workbench.store import Project, Run

STATIC = Path(__file__).resolve().parent / "static"

LARGEST_SIDE = 900
"""Longest side of the picture in the page, pixels."""
MOST_STEPS = 1000
"""Steps that are sent to the page."""

_START = "showRun({ element, props, trigger, watch });"


@dataclass(frozen=True, slots=True)
class PlayedRun:
    """What a player shows; the run may be in no project."""

    program: Program
    trace: Trace
    picture: Image.Image | None = None
    rationale: Rationale | None = None
    images: ImageFolder | None = None
    """Where the pictures that the run made are; None where they cannot be shown."""
    others: Sequence[Image.Image] = ()
    """The other pictures of a question about several, in order."""


def played(trace: str, project: Project) -> PlayedRun:
    """A run of a project with its picture and its newest rationale.

    Args:
        trace: id of the trace or of the program.
        project: where it is stored.

    Raises:
        InputError: there is no such program, or it has not been run.
    """
    task, run = project.run_view(trace)
    if run.trace is None:
        raise InputError(f"program '{trace}' has not been run yet; vpd run does it")
    rationales = project.task_view(task.id).rationales
    rationale = next((one for one in rationales if one.trace_id == run.trace.id), None)
    try:
        picture, *others = map(project.images.open, task.images)
    except ImageError:
        picture, others = None, []
    return PlayedRun(run.program, run.trace, picture, rationale, project.images, others)


class _WithoutStub(type(gr.HTML)):  # type: ignore[misc]
    """Gradio's metaclass, without the `.pyi` that it writes beside the source of a component."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> Any:
        attributes["__init__"] = updateable(attributes["__init__"])
        return ABCMeta.__new__(cls, name, bases, attributes)


class StepPlayer(gr.HTML, metaclass=_WithoutStub):  # type: ignore[misc]
    """A run step by step: its program, the picture with the boxes of the step, and what changed.

    The value is a `PlayedRun`, or the id of a trace or program where `project` is given.  The event
    `select` tells the step gone to: its index, and its title as the value.

    Args:
        value: the run shown at first, or a function that gives it.
        project: where ids are looked up.
        label: what the component is called.
        options: others of `gr.HTML`, such as `elem_id` and `visible`.
    """

    def __init__(
        self,
        value: Any = None,
        *,
        project: Project | None = None,
        label: str = "Step by step",
        **options: Any,
    ) -> None:
        self._project = project
        super().__init__(
            value,
            label=label,
            html_template='<div class="vpd-here" tabindex="0"></div>',
            css_template="\n".join(
                path.read_text(encoding="utf-8")
                for path in (PLAYER / "player.css", STATIC / "player_block.css")
            ),
            js_on_load=f"{joined_scripts(STATIC / 'player_block.js', bare=True)}\n{_START}",
            **options,
        )

    def postprocess(self, value: PlayedRun | str | None) -> dict[str, Any] | None:
        """The run as the page takes it.

        Raises:
            InputError: an id without a project, or of no run.
        """
        if value is None or value == "":
            return None
        if isinstance(value, str):
            if self._project is None:
                raise InputError("a run is shown by its id where a project is given: project=...")
            value = played(value, self._project)
        return model_in_page(value)

    def preprocess(self, payload: Any) -> str | None:
        """The id of the trace shown, as functions take it; None while there is none."""
        return str(payload["trace"]) if isinstance(payload, Mapping) else None

    def api_info(self) -> dict[str, Any]:
        """What the component's value is for Gradio's clients."""
        return {"type": "object", "description": "a run, as the step player takes it"}

    def example_payload(self) -> Any:
        """Nothing: a run is no value that one types."""
        return None

    def example_value(self) -> Any:
        """Nothing: a run is no value that one types."""
        return None


def model_in_page(one: PlayedRun) -> dict[str, Any]:
    """A run as JSON for the page, its picture and all its steps included."""
    picture = one.picture
    size = (picture.width, picture.height) if picture is not None else None
    view = PictureView("", None, 4, 3, "There is no picture.")
    if picture is not None:
        others = [
            PictureView("", _address(other), other.width, other.height) for other in one.others
        ]
        view = PictureView("", _address(picture), picture.width, picture.height, more=others)
    steps = steps_of(one.trace.events, size, 1 + len(view.more))[:MOST_STEPS]
    for step in steps:
        step.pictures = list(addressed(step.pictures, partial(_address_of, one.images)))
    model = model_of(Run(one.program, one.trace, None), steps, view, one.rationale)
    page: dict[str, Any] = to_jsonable_python(replace(model, full=steps, trace=one.trace.id))
    return page


def _address_of(images: ImageFolder | None, digest: str) -> str | None:
    """The address of a picture that the run made; None where it is not at hand."""
    try:
        return None if images is None else _address(images.open(digest))
    except ImageError:
        return None


def _address(picture: Image.Image) -> str:
    """A picture as an address that needs no server."""
    small = picture.convert("RGB")
    small.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    out = io.BytesIO()
    small.save(out, "WEBP", quality=82)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"
