"""Programs run with exact tools on a drawn scene, as cases for the checks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.evaluate.wrong_reasons.exact_tools import run_exactly
from workbench.evaluate.wrong_reasons.suspicion import Case
from workbench.records import PartRef, Program, Task, Trace
from workbench.tasks.collage.catalogue import CATEGORIES
from workbench.tasks.collage.scene import Scene, make_scene

SAMPLER = PartRef("sampler", "by-hand", "1")
HEAD = "def execute_command(image):\n    patch = ImagePatch(image)\n"


def scene(*names: str) -> Scene:
    """A scene of these things, from left to right."""
    layout = next(
        s for s in (make_scene("train", at) for at in range(100)) if len(s.objects) == len(names)
    )
    places = sorted(layout.objects, key=lambda thing: thing.box.center)
    assert set(names) <= set(CATEGORIES)
    objects = tuple(
        replace(place, category=name) for place, name in zip(places, names, strict=True)
    )
    return replace(layout, id="train-00000", objects=objects)


def task(question: str, answer: str, form: dict[str, Any] | None = None, **fields: Any) -> Task:
    kind = "integer" if answer.isdigit() else "yesno" if answer in ("yes", "no") else "phrase"
    given = {
        "image": "picture",
        "answer_type": kind,
        "family": "made",
        "meta": {"scene": "train-00000", "form": form or {}},
        **fields,
    }
    return Task(
        f"made/{question}", "collages", "train", question=question, answers=(answer,), **given
    )


def program(body: str, of: Task, index: int = 0) -> Program:
    """A program from the lines below `patch = ImagePatch(image)`."""
    source = HEAD + "".join(f"    {line}\n" for line in body.splitlines())
    return Program(f"{of.id}/{index}", of.id, index, source, -0.1, 20, 0, SAMPLER)


def traced(of: Task, made: Program, drawn: Scene) -> Trace:
    (trace,) = run_exactly([(of, made)], {of.image: drawn})
    return trace


def case(of: Task, body: str, drawn: Scene, *siblings: str) -> Case:
    """A program with its run, and other programs of its question with theirs."""
    made = program(body, of)
    others = [program(one, of, at) for at, one in enumerate(siblings, start=1)]
    runs = tuple((other, traced(of, other, drawn)) for other in others)
    found = Case(of, made, traced(of, made, drawn), runs)
    assert found.trace.ok, found.trace.failure
    return found
