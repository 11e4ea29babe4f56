"""One question answered while somebody watches, by the bundled models; failures and endless
programs by parts that are written here.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.errors import EngineError, InputError
from workbench.images import ImageFolder
from workbench.models.vlm import Vlm
from workbench.pipeline.ask import question_task
from workbench.pipeline.live import Live
from workbench.pipeline.live_events import (
    Event,
    Finished,
    Pointed,
    Queued,
    Started,
    Stepped,
    TextPiece,
    Wrote,
)
from workbench.records import PartRef, Prediction, Program, Task, content_key
from workbench.settings import Choice, find_profile, read_profile
from workbench.tasks.collage.pictures import make_scene, render
from workbench.unanswered import no_program

EMBEDDED = read_profile(find_profile("embedded"))
HERE = Path(__file__)


class Endless:
    """Writes a program that never ends."""

    ref = PartRef("sampler", "endless")

    def __init__(self, specs, body: str = "    while True:\n        pass\n") -> None:
        self.source = f"def execute_command(image):\n{body}"

    def sample(self, tasks, k, seed):
        for task in tasks:
            key = content_key(task, self.source)
            yield from (
                Program(key, task.id, i, self.source, 0.0, 9, seed, self.ref) for i in range(k)
            )


class Broken:
    """A sampler whose model is down."""

    ref = PartRef("sampler", "broken")

    def __init__(self, specs) -> None: ...

    def sample(self, tasks, k, seed):
        raise EngineError("the model is down; start it again")


class Boxer:
    """A student that explains with two boxes, word by word."""

    ref = PartRef("student", "boxer", "7")

    def stream(self, task, images, explain, watch):
        text = "The cat at 10 20 500 600 is left of 0 0 99 99." if explain else "yes"
        for word in text.split(" "):
            watch(word + " ")
        found = {"rationale": text} if explain else {"answer": text}
        return Prediction(
            content_key(task, explain),
            task.id,
            **{"answer": "", "rationale": "", **found},
            score=0.0,
            seconds=0.1,
            model=self.ref,
        )


class Speller(Boxer):
    """A student that explains letter by letter."""

    def stream(self, task, images, explain, watch):
        text = "The cat at 10 20 500 600." if explain else "yes"
        return (
            super().stream(task, images, explain, lambda _: None)
            if not explain
            else self._spell(task, text, watch)
        )

    def _spell(self, task, text, watch):
        for letter in text:
            watch(letter)
        return Prediction(
            content_key(task), task.id, "", text, score=0.0, seconds=0.1, model=self.ref
        )


def part(name: str) -> str:
    return f"{HERE}:{name}"


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> ImageFolder:
    return ImageFolder(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def task(images: ImageFolder, tmp_path_factory) -> Task:
    picture = tmp_path_factory.mktemp("picture") / "scene.png"
    render(make_scene("val", 3)).save(picture)
    return question_task(images.add(picture), "How many dogs are in the picture?")


@pytest.fixture(scope="module")
def live(images: ImageFolder) -> Iterator[Live]:
    made = Live(EMBEDDED, images)
    yield made
    made.close()


def with_parts(images: ImageFolder, **choices: Choice) -> Live:
    tools = {"llm_query": Choice("oracle-knowledge", {"facts": {}})}
    quiet = {"tools": tools, "sampler": Choice(part("Endless")), "student": Choice(part("Boxer"))}
    return Live(replace(EMBEDDED, **{**quiet, **choices}), images)


def said(events, name: str) -> str:
    return "".join(
        event.text for event in events if isinstance(event, TextPiece) and event.part == name
    )


Events = dict[str, list[Event]]


@pytest.fixture(scope="module")
def alone(live: Live, task: Task) -> Events:
    """What each side says while the other is silent; writing and reading it takes seconds."""
    return {side: list(live.answer(side, task)) for side in live.sides}


def test_the_program_streams_and_is_the_one_that_sampling_gives(
    live: Live, task: Task, alone: Events
) -> None:
    events = alone["pipeline"]
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert len([event for event in events if isinstance(event, TextPiece)]) > 5
    [again] = live._parts.sampler.sample([task], 1, EMBEDDED.seed)
    assert finished.program is not None
    assert (finished.program.id, finished.program.source) == (again.id, again.source)
    assert said(events, "program").startswith(again.source.rstrip())


def test_every_step_of_the_trace_is_shown_before_the_answer(alone: Events) -> None:
    events = alone["pipeline"]
    kinds = [type(event) for event in events if not isinstance(event, TextPiece)]
    assert kinds[:2] == [Started, Wrote]
    assert set(kinds[2:-1]) == {Stepped}
    finished = events[-1]
    assert finished.trace.ok
    assert finished.answer == finished.trace.answer
    assert (
        tuple(event.event for event in events if isinstance(event, Stepped))
        == finished.trace.events
    )


def test_tools_are_asked_anew_each_time(
    live: Live, task: Task, alone: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    students = []
    monkeypatch.setattr(Vlm, "forget", lambda vlm: students.append(vlm))
    again = list(live.answer("pipeline", task))
    for events in (alone["pipeline"], again):
        trace = events[-1].trace
        results = [event.payload for event in trace.events if event.kind == "tool_result"]
        assert results
        assert not any(result["cached"] for result in results)
    assert students, "what a tool's model has read of a picture is forgotten too"


def test_the_student_answers_first_and_explains_then(alone: Events) -> None:
    events = alone["student"]
    parts = [event.part for event in events if isinstance(event, TextPiece)]
    assert parts == sorted(parts, key=("answer", "rationale").index)
    finished = events[-1]
    short, told = finished.predictions
    assert (finished.answer, told.answer) == (short.answer, "")
    assert said(events, "answer").strip() == short.answer
    assert said(events, "rationale").strip() == told.rationale
    times = finished.times
    assert 0 < times.first <= times.answer <= times.total
    assert times.peak_bytes > 2**27


def test_both_sides_at_once_say_what_each_says_alone(live: Live, task: Task, alone: Events) -> None:
    together = {}

    def ask(side) -> None:
        together[side] = list(live.answer(side, task))[-1].answer

    threads = [threading.Thread(target=ask, args=(side,)) for side in live.sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == {side: events[-1].answer for side, events in alone.items()}


def test_only_the_first_answer_of_a_side_is_cold(images: ImageFolder, task: Task) -> None:
    fresh = with_parts(images)
    times = [list(fresh.answer("student", task))[-1].times for _ in range(2)]
    assert [one.cold for one in times] == [True, False]
    assert times[0].load > 0 == times[1].load


def test_cancelling_stops_the_writing_of_a_program(live: Live, task: Task) -> None:
    live.warm("pipeline")
    cancelled = threading.Event()
    finished = None
    for event in live.answer("pipeline", task, cancelled):
        if isinstance(event, TextPiece):
            cancelled.set()
        finished = event
    assert finished.cancelled
    assert (finished.program, finished.answer, finished.failure) == (None, None, None)
    again = live.answer("pipeline", task)
    assert any(isinstance(event, TextPiece) for event in again), "the next one is written"
    again.close()


@pytest.mark.parametrize(
    "body", ["    while True:\n        pass\n", "    return llm_query('x') * 10 ** 9999999\n"]
)
def test_cancelling_stops_a_program_and_frees_its_side(
    images: ImageFolder, task: Task, body: str
) -> None:
    fresh = with_parts(images, sampler=Choice(part("Endless"), {"body": body}))
    cancelled = threading.Event()
    for event in fresh.answer("pipeline", task, cancelled):
        if isinstance(event, Wrote):
            threading.Timer(0.1, cancelled.set).start()
    assert isinstance(event, Finished)
    deadline = time.monotonic() + 30
    while fresh._lines["pipeline"]._waiting and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not fresh._lines["pipeline"]._waiting
    fresh.close()


def test_closing_a_stream_cancels_it(images: ImageFolder, task: Task) -> None:
    fresh = with_parts(images)
    cancelled = threading.Event()
    stream = fresh.answer("pipeline", task, cancelled)
    assert any(isinstance(event, Wrote) for event in stream)
    stream.close()
    assert cancelled.is_set()
    fresh.close()


def test_a_side_that_breaks_leaves_the_other_alone(images: ImageFolder, task: Task) -> None:
    fresh = with_parts(images, sampler=Choice(part("Broken")))
    broken = list(fresh.answer("pipeline", task))[-1]
    assert (broken.failure.kind, broken.answer) == ("infra", None)
    assert "the model is down" in broken.failure.message
    assert list(fresh.answer("student", task))[-1].answer == "yes"


class Choosy(Boxer):
    """A student that takes no such picture."""

    def stream(self, task, images, explain, watch):
        raise ValueError("absolute aspect ratio must be smaller than 200, got 225.0")


class Filtered(Endless):
    """A sampler whose endpoint refuses the question."""

    def sample(self, tasks, k, seed):
        for task in tasks:
            yield from (no_program(task, i, seed, self.ref, "HTTP 400: filtered") for i in range(k))


def test_a_student_that_refuses_the_picture_says_why_beside_the_programs_answer(
    images: ImageFolder, task: Task
) -> None:
    program = Choice(part("Endless"), {"body": "    return 'two'\n"})
    fresh = with_parts(images, sampler=program, student=Choice(part("Choosy")))
    refused = list(fresh.answer("student", task))[-1]
    assert (refused.answer, refused.failure.kind) == (None, "infra")
    assert refused.failure.message == (
        "ValueError: absolute aspect ratio must be smaller than 200, got 225.0"
    )
    [row] = refused.predictions
    assert (row.answer, row.problem) == ("", refused.failure.message)
    assert list(fresh.answer("pipeline", task))[-1].answer == "two"
    fresh.close()


def test_a_question_without_a_program_says_why(images: ImageFolder, task: Task) -> None:
    fresh = with_parts(images, sampler=Choice(part("Filtered")))
    finished = list(fresh.answer("pipeline", task))[-1]
    assert (finished.failure.message, finished.failure.line) == ("HTTP 400: filtered", None)
    fresh.close()


def test_a_wrong_part_is_a_failure_of_its_side(images: ImageFolder, task: Task) -> None:
    finished = list(with_parts(images, sampler=Choice("no-such")).answer("pipeline", task))[-1]
    assert "no sampler is called 'no-such'" in finished.failure.message


def test_a_program_that_fails_names_its_line(images: ImageFolder, task: Task) -> None:
    body = "    count = 1\n    return count / 0\n"
    fresh = with_parts(images, sampler=Choice(part("Endless"), {"body": body}))
    finished = list(fresh.answer("pipeline", task))[-1]
    assert (finished.failure.kind, finished.failure.line, finished.answer) == ("runtime", 3, None)
    fresh.close()


def test_who_waits_hears_how_many_are_before(images: ImageFolder, task: Task) -> None:
    fresh = with_parts(images)
    first, second = threading.Event(), threading.Event()
    running = fresh.answer("pipeline", task, first)
    assert any(isinstance(event, Wrote) for event in running)
    waiting = fresh.answer("pipeline", task, second)
    assert next(waiting) == Queued("pipeline", 1)
    second.set()
    given_up = list(waiting)[-1]
    assert given_up.cancelled
    assert given_up.times.total == 0
    first.set()
    fresh.close()


def test_boxes_are_told_as_they_are_named(images: ImageFolder, task: Task) -> None:
    events = list(with_parts(images).answer("student", task))
    assert [len(event.boxes) for event in events if isinstance(event, Pointed)] == [1, 2]


def test_a_box_that_comes_digit_by_digit_ends_whole(images: ImageFolder, task: Task) -> None:
    events = list(with_parts(images, student=Choice(part("Speller"))).answer("student", task))
    told = [event for event in events if isinstance(event, Pointed)]
    assert [box.cells for box in told[0].boxes] == [(10, 20, 500, 60)]
    assert [box.cells for box in told[-1].boxes] == [(10, 20, 500, 600)]
    assert told[-1].size == images.open(task.image).size


def test_the_label_decides_who_is_right(images: ImageFolder, task: Task) -> None:
    labelled = replace(task, answers=("yes",), answer_type="yesno")
    finished = list(with_parts(images).answer("student", labelled))[-1]
    assert finished.right is True
    assert finished.predictions[0].score == 1.0
    assert list(with_parts(images).answer("student", task))[-1].right is None


def test_a_base_side_is_there_where_the_student_is_another_model(images: ImageFolder) -> None:
    base = Choice("transformers", {"checkpoint": "small"})
    assert Live(replace(EMBEDDED, student=base), images).sides == ("pipeline", "student")
    assert Live(EMBEDDED, images).sides == ("pipeline", "student", "base")
    with pytest.raises(InputError, match="no side is called 'judge'"):
        Live(EMBEDDED, images).answer("judge", None)


@pytest.mark.parametrize("question", ["", "  \n ", "x" * 1001])
def test_a_question_has_a_sensible_length(question: str) -> None:
    with pytest.raises(InputError, match="question"):
        question_task("0" * 64, question)


@pytest.mark.parametrize(("source", "choices"), [("ask", ()), ("compare", ("red", "blue"))])
def test_a_question_outside_a_project_keeps_its_id(source: str, choices: tuple[str, ...]) -> None:
    """Ratings and traces that stand in projects name these ids."""
    asked = question_task("0" * 64, "  What  colour is it?\n", choices, source)
    assert asked.id == f"{source}/{content_key('0' * 64, 'What colour is it?', list(choices))}"
    assert (asked.source, asked.split, asked.question) == (source, source, "What colour is it?")
    assert (asked.answer_type, asked.choices) == ("choice" if choices else "open", choices)
