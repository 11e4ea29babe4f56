"""From trace events to steps: nothing lost, patches named alike everywhere, failures found."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import page_project
import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted import painted, painted_pair, painted_task, run_painted

from workbench.execute import Executor
from workbench.images import ImageFolder
from workbench.records import (
    Citation,
    Failure,
    PartRef,
    Program,
    Rationale,
    Task,
    Trace,
    TraceEvent,
)
from workbench.screen.loop_boxes import add_loop_boxes
from workbench.screen.player import (
    folds,
    full,
    model_of,
    player_rationale,
    telling_step,
    variables,
)
from workbench.screen.steps import Step, StepBox, ValuePiece, plain, steps_of
from workbench.screen.views import PictureView
from workbench.store import Run

SIZE = (640, 480)


PICTURE = PictureView("", None, 640, 480)


def run_of(events: tuple[TraceEvent, ...], source: str = "", failure: Failure | None = None) -> Run:
    program = Program("p", "q", 0, source, 0.0, 0, 0, PartRef("sampler", "by-hand"))
    trace = Trace("t", "p", "q", None, failure, events, 0, 0, 0.0, PartRef("executor", "by-hand"))
    return Run(program, trace, None)


def data_of(events: tuple[TraceEvent, ...], source: str = "") -> dict[str, Any]:
    """The model as JSON has it, with every step in full."""
    steps = steps_of(events, SIZE)
    model = model_of(run_of(events, source), steps, PICTURE, None)
    return asdict(replace(model, full=full(steps, 0, len(steps))))


def words(pieces: list[dict[str, Any]]) -> str:
    return "".join(piece["text"] for piece in pieces)


def test_a_statement_with_its_tool_is_one_step() -> None:
    steps = data_of(page_project.events_of("dog", [(1, 2, 30, 40), (50, 2, 90, 40)], SIZE))["full"]
    assert [(step["kind"], step["line"]) for step in steps] == [
        ("tick", 2),
        ("tool", 3),
        ("tick", 4),
        ("said", 5),
        ("tick", 6),
        ("tick", 8),
        ("end", 8),
    ]
    call = steps[1]
    assert words(call["result"]) == "[dog 1, dog 2]"
    assert call["changed"][0]["name"] == "found"
    assert words(call["arguments"][0]["value"]) == "picture"
    assert call["facts"] == ["21 ms", "batch of 4", "waited 3 ms"]


def test_each_box_is_drawn_once_and_the_whole_picture_never() -> None:
    steps = data_of(page_project.events_of("dog", [(1, 2, 30, 40)], SIZE))["full"]
    assert steps[0]["boxes"] == []
    assert steps[1]["boxes"] == [
        {
            "box": [1, 2, 30, 40],
            "label": "dog 1",
            "role": "result",
            "patch": "dog 1",
            "score": 0.95,
            "picture": 0,
        }
    ]


def test_a_failed_run_opens_at_its_failing_step_and_says_it_once() -> None:
    data = data_of(page_project.events_of("gizmo", [], SIZE, fails=True))
    assert data["start"] == len(data["steps"]) - 1
    failing = [step for step in data["full"] if step["kind"] == "error"]
    assert [step["error"] for step in failing] == ["no detector knows 'gizmo'"]


def test_a_run_that_asks_opens_at_the_first_question() -> None:
    assert data_of(page_project.events_of("dog", [(1, 2, 30, 40)], SIZE))["start"] == 1


def test_a_call_that_was_never_answered_says_so() -> None:
    events = page_project.events_of("dog", [], SIZE)[:3]
    assert data_of(events)["full"][-1]["error"] == "No answer came before the run ended."


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.fixed_dictionaries(
            {
                "type": st.sampled_from(["list", "tuple", "set"]),
                "length": st.integers(0, 40),
                "items": st.none() | st.lists(inner, max_size=4),
            }
        )
        | st.fixed_dictionaries(
            {
                "type": st.just("dict"),
                "length": st.integers(0, 40),
                "items": st.lists(st.tuples(inner, inner).map(list), max_size=3),
            }
        )
        | st.fixed_dictionaries(
            {"type": st.just("str"), "length": st.integers(0, 9999), "text": st.text(max_size=9)}
        )
        | st.fixed_dictionaries({"type": st.just("object"), "name": st.text(max_size=9)})
        | st.fixed_dictionaries(
            {
                "type": st.just("patch"),
                "box": st.lists(st.integers(0, 640), min_size=4, max_size=4),
                "label": st.none() | st.text(max_size=5),
                "score": st.none() | st.floats(0, 1),
            }
        )
    ),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.text(max_size=6), values, max_size=3), max_size=6))
def test_any_recorded_value_can_be_shown(changes: list[dict[str, Any]]) -> None:
    events = tuple(
        TraceEvent(at, "line", at + 1, 0, {"changed": changed})
        for at, changed in enumerate(changes)
    )
    data = json.loads(json.dumps(data_of(events)))
    assert len(data["steps"]) == len(data["full"]) == len(changes)
    for step, changed in zip(data["full"], changes):
        assert [pair["name"] for pair in step["changed"]] == list(changed)
        assert all(
            isinstance(piece["text"], str) for pair in step["changed"] for piece in pair["value"]
        )


PROGRAMS = {
    "loop": "def execute_command(image):\n    total = 0\n    for i in range(3):\n        total += i\n    return total\n",
    "helper": "def double(x):\n    return 2 * x\n\ndef execute_command(image):\n    return double(4)\n",
    "fails": "def execute_command(image):\n    return 1 / 0\n",
    "handled": "def execute_command(image):\n    try:\n        x = 1 / 0\n    except ZeroDivisionError:\n        x = 5\n    return x\n",
    "endless": "def execute_command(image):\n    while True:\n        pass\n",
    "refused": "import os\ndef execute_command(image):\n    return 1\n",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_traces_of_the_real_sandbox_become_steps(tmp_path: Any, picture: Any, name: str) -> None:
    images = ImageFolder(tmp_path / "images")
    task = Task("q", "s", "mine", images.add(picture), "?")
    program = Program(name, "q", 0, PROGRAMS[name], 0.0, 0, 0, PartRef("sampler", "by-hand"))
    with Executor([], images, workers=1) as executor:
        (trace,) = executor.run([(task, program)])
    assert trace.work is not None
    assert trace.work >= 0
    steps = steps_of(trace.events, (64, 48))
    model = model_of(Run(program, trace, None), steps, PICTURE, None)
    assert steps[-1].kind == ("end" if trace.ok else "error")
    assert (steps[model.start].kind == "error") is not trace.ok
    shown = {raw["seq"] for step in steps for raw in step.raw}
    starts = {event.seq for event in trace.events if event.kind == "call" and event.frame == 0}
    assert shown | starts == {event.seq for event in trace.events}
    if trace.failure is not None and trace.failure.line is not None:
        assert steps[model.start].line == trace.failure.line


@pytest.mark.parametrize(
    ("kinds", "telling"),
    [
        (("tick", "tool", "tool box", "tool box", "end"), 2),
        (("tick", "tool", "tick", "end"), 1),
        (("tick", "tick box", "end"), 0),
        (("tick", "tool box", "error"), 2),
        (("error", "tick", "error", "end"), 2),
        ((), 0),
    ],
)
def test_a_run_opens_at_the_step_that_says_most(kinds: tuple[str, ...], telling: int) -> None:
    box = [StepBox((1, 2, 3, 4), "one", "result", None)]
    steps = [
        Step(kind.partition(" ")[0], 1, "x", "X", boxes=box if "box" in kind else [])
        for kind in kinds
    ]
    assert telling_step(steps) == telling


def loop(rounds: int, body: int = 2) -> list[Step]:
    """`for` in line 3 with `body` lines below it, between two plain lines."""
    lines = (
        [(2, "")]
        + [(3 + at, "" if at else "for") for _ in range(rounds) for at in range(body + 1)]
        + [(9, "")]
    )
    return [Step("tick", line, "x", "Sets x", form=form) for line, form in lines]


def test_a_loop_of_several_rounds_folds_into_one() -> None:
    assert folds(loop(12)) == [{"from": 1, "to": 37, "line": 3, "rounds": list(range(1, 37, 3))}]


def test_two_rounds_are_not_worth_a_fold() -> None:
    assert folds(loop(2)) == []


def test_of_nested_loops_the_outermost_with_enough_rounds_folds() -> None:
    inner = loop(4)[1:-1]
    for step in inner:
        step.line += 2
    outer = Step("tick", 3, "i", "Next round", form="for")
    steps = [outer, *inner, outer, *inner, Step("end", 3, "9", "The answer")]
    assert [fold["line"] for fold in folds(steps)] == [5, 5]
    steps = [outer, *inner, outer, *inner, outer, *inner, Step("end", 3, "9", "The answer")]
    assert [(fold["line"], fold["to"]) for fold in folds(steps)] == [(3, len(steps) - 1)]


@pytest.mark.parametrize("rounds", [3, 7])
def test_loops_of_the_real_sandbox_fold(tmp_path: Any, picture: Any, rounds: int) -> None:
    source = (
        "def execute_command(image):\n    total = 0\n    for i in range(ROUNDS):\n        total += i\n"
        "        if total > 3:\n            total -= 1\n    return total\n"
    ).replace("ROUNDS", str(rounds))
    images = ImageFolder(tmp_path / "images")
    task = Task("q", "s", "mine", images.add(picture), "?")
    with Executor([], images, workers=1) as executor:
        (trace,) = executor.run(
            [(task, Program("p", "q", 0, source, 0.0, 0, 0, PartRef("sampler", "by-hand")))]
        )
    steps = steps_of(trace.events, (64, 48))
    (fold,) = folds(steps)
    assert len(fold["rounds"]) == rounds
    assert [step.line for step in steps[fold["to"] :]] == [7, 7]
    assert {step.line for step in steps[fold["from"] : fold["to"]]} <= {3, 4, 5, 6}


def test_a_variable_stands_beside_what_it_held_before() -> None:
    events = tuple(TraceEvent(at, "line", at + 1, 0, {"changed": {"x": at}}) for at in range(2))
    first, second = steps_of(events)
    assert first.changed[0].before is None
    assert second.changed[0].before == [ValuePiece("0")]


def test_variables_behind_a_step_are_those_of_its_frame() -> None:
    rows = [(1, 0, {"x": 1}), (2, 1, {"y": 2}), (3, 0, {"x": 3, "z": 4})]
    events = tuple(
        TraceEvent(at, "line", line, frame, {"changed": held})
        for at, (line, frame, held) in enumerate(rows)
    )
    steps = steps_of(events)
    shown = [{one.name: plain(one.value) for one in variables(steps, at)} for at in range(4)]
    assert shown == [{"x": "1"}, {"y": "2"}, {"x": "3", "z": "4"}, {}]


def test_a_sentence_names_the_steps_that_it_states() -> None:
    steps = steps_of(page_project.events_of("dog", [(1, 2, 30, 40)], SIZE))
    told = Rationale(
        "r",
        "t",
        "q",
        "One dog. It barks.",
        "1",
        (Citation(0, 8, (3,)), Citation(9, 18, ())),
        (),
        page_project.WRITER,
    )
    view = player_rationale(told, steps)
    assert view is not None
    assert [(one.steps, one.supported) for one in view.sentences] == [
        ([1], True),
        ([], False),
    ]


NESTED = """for a in x:
    for b in y:
        use(b)
    use(a)
use(x)
"""


def boxed(name: str, line: int, form: str = "", frame: int = 0) -> Step:
    box = StepBox([1, 2, 3, 4], name, "variable", name)
    return Step("tick", line, "", "", form=form, frame=frame, boxes=[box] if name else [])


def test_boxes_of_loop_variables_stay_until_their_loop_is_over() -> None:
    steps = [
        boxed("a 1", 1, "for"),
        boxed("b 1", 2, "for"),
        boxed("", 3),
        boxed("b 2", 2, "for"),
        boxed("b 2", 3),
        boxed("", 3, frame=1),
        boxed("", 4),
        boxed("a 2", 1, "for"),
        boxed("", 5),
    ]
    add_loop_boxes(steps, NESTED)
    faint = [[one.patch for one in step.boxes if one.role == "loop"] for step in steps]
    assert faint == [[], ["a 1"], ["a 1", "b 1"], ["a 1"], ["a 1"], [], ["a 1"], [], []]


def test_a_program_that_cannot_be_read_gets_no_loop_boxes() -> None:
    steps = [boxed("a 1", 1, "for"), boxed("", 2)]
    add_loop_boxes(steps, "for a in x:\n  use(a")
    assert steps[1].boxes == []


def test_a_step_that_makes_a_picture_shows_the_old_one_beside_the_new(tmp_path: Path) -> None:
    images, digest = painted(tmp_path)
    body = 'large = image_patch.find("sign")[0].zoom(2)\nletters = large.find("letter")\nreturn "x"'
    trace = run_painted(images, painted_task(digest), body)[0][2]
    steps = [step for step in steps_of(trace.events, (640, 480)) if step.kind == "tool"]
    assert steps[0].pictures == []
    old, new = steps[1].pictures
    assert (old.image, old.part) == ("", [200, 100, 300, 180])
    assert (new.url, new.size, new.part) == (f"image/{new.image}", [200, 160], [0, 0, 200, 160])
    assert plain(steps[1].result or []) == "new picture 1"
    (seen,) = steps[2].pictures
    assert (seen.image, [(one.label, one.box) for one in seen.boxes]) == (
        new.image,
        [("letter 1", [0, 0, 200, 160])],
    )
    # on the picture asked about, the letter has its place there
    assert [one.box for one in steps[2].boxes if one.role == "result"] == [[200, 100, 300, 180]]


def test_a_strange_made_picture_is_no_error() -> None:
    odd = {"type": "patch", "box": [0, 0, 1, 1], "label": None, "made": {"image": 5, "size": "x"}}
    call = {"call": 0, "tool": "zoom", "receiver": odd, "arguments": {}}
    events = (
        TraceEvent(0, "tool", 1, 0, call),
        TraceEvent(1, "tool_result", 1, 0, {"call": 0, "tool": "zoom", "ok": True, "result": odd}),
    )
    assert [step.title for step in steps_of(events, (4, 3))] == ["zoom"]


def test_steps_over_several_pictures_say_which_one_they_looked_at(tmp_path: Path) -> None:
    images, task = painted_pair(tmp_path)
    body = 'sign = image_patches[1].find("sign")[0]\nreturn sign.zoom(2).find("flag")'
    ((_, _, trace),) = run_painted(images, task, body)
    find, zoom, _ = (one for one in steps_of(trace.events, (640, 480), 2) if one.kind == "tool")
    assert (find.looked, plain(find.arguments[0].value)) == ([1], "picture 2")
    assert [(one.role, one.picture, one.label) for one in find.boxes] == [("result", 1, "sign 1")]
    assert [(one.number, one.image == "") for one in zoom.pictures] == [(1, True), (0, False)]
