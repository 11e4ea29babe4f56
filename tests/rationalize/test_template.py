"""The deterministic writer on real traces: what it says, what it cites, and that nothing makes it
fall over.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapes import SHAPES, thing
from world import PICTURE, Thing, run

from workbench import registry
from workbench.ports import RationaleWriter
from workbench.rationalize.template import TemplateWriter
from workbench.records import PartRef, Program, Rationale, Task, Trace, TraceEvent

BUS = "There is 1 bus in the image, at 416 468 666 702."
DOG_BOXES = "624 31 749 156, 645 187 770 312 and 624 780 749 905"

TOLD = {
    "paper": "There are 3 buses in the image. The bus at 468 125 726 351 is not yellow. The buses at 493 331 691 512 and "
    "493 465 710 667 are yellow. Thus, there is 1 bus that is not yellow.",
    "count": f"There are 3 dogs in the image, at {DOG_BOXES}. Thus, the answer is 3.",
    "count inline": f"There are 3 dogs in the image, at {DOG_BOXES}. Thus, the answer is 3.",
    "count none": "There is no cat in the image. Thus, there are 0 cats.",
    "count by asking": "The image shows 3 dogs. Thus, there are 3 dogs.",
    "exists yes": "There is a dog in the image. Thus, the answer is yes.",
    "exists no": "There is no cat in the image. Thus, the answer is no.",
    "exists by count": "There is no cat in the image. Thus, the answer is no.",
    "relation": "There is 1 cat in the image, at 208 312 333 437. There is 1 bus in the image, at 624 468 874 702. "
    "Thus, the cat is left of the bus, and the answer is yes.",
    "relation no": f"There are 3 dogs in the image. {BUS} The first of the 3 dogs is the one at 624 31 749 156. "
    "Thus, the first dog is not above the bus, and the answer is no.",
    "relation missing": "There is no cat in the image. Thus, the answer is no.",
    "compare": f"There are 3 dogs in the image, at {DOG_BOXES}. {BUS} Thus, there are more dogs than buses, and the answer is yes.",
    "compare counts": f"{BUS} There are 3 dogs in the image, at {DOG_BOXES}. Thus, there are fewer buses than dogs, and the "
    "answer is no.",
    "count relation": f"{BUS} There are 3 dogs in the image. 2 of the 3 dogs, at 624 31 749 156 and 645 187 770 312, are left "
    "of the bus. Thus, there are 2 dogs left of the bus.",
    "count relation loop": f"{BUS} There are 3 dogs in the image. 1 of the 3 dogs, at 624 780 749 905, is right of the bus. "
    "Thus, there is 1 dog right of the bus.",
    "count relation none": f"{BUS} There are 3 dogs in the image. None of the 3 dogs, at {DOG_BOXES}, is above the bus. Thus, "
    "there are 0 dogs above the bus.",
    "leftmost": "There are 5 objects in the image. The leftmost of the 5 objects is the one at 624 31 749 156; the "
    "next leftmost is the cat at 208 312 333 437. Thus, the leftmost object is a dog.",
    "largest sorted": "There are 4 animals in the image. The largest of the 4 animals is the one at 624 31 749 156; the "
    "next largest is the cat at 208 312 333 437. Thus, the largest animal is a dog.",
    "nearest": "There is 1 bus in the image, at 624 468 874 702. There are 4 animals in the image. Of the 4 animals, the one "
    "at 541 812 624 874 is the nearest to the bus; the next nearest is the cat at 208 312 333 437. Thus, the animal nearest to the bus is a bird.",
    "farthest by centres": "There is 1 bus in the image, at 624 468 874 702. There are 5 objects in the image. Of the 4 other "
    "objects, the one at 624 31 749 156 is the farthest from the bus; the next farthest is the bird at 104 624 187 687. Thus, the object farthest from the bus is a dog.",
    "category by relation": "There is 1 bus in the image, at 624 468 874 702. There are 4 animals in the image. The animal at "
    "624 31 749 156 is left of the bus. Thus, the animal left of the bus is a dog.",
    "knowledge count": "There are 4 animals in the image. The animal at 624 31 749 156 is a dog. The animal at 208 312 333 437 "
    "is a cat. The animals at 104 624 187 687 and 541 812 624 874 are birds. A dog and a cat cannot fly. A bird can fly. "
    "Thus, there are 2 animals that can fly.",
    "knowledge property": "There are 2 animals in the image. The animal at 624 31 749 156 cannot fly. The animal at "
    "104 624 229 749 can fly. Thus, the animal that can fly is a bird.",
    "choice present": "There is no cat in the image. There is a bus in the image. Thus, the answer is bus.",
    "any": f"There are 3 dogs in the image. {BUS} 1 of the 3 dogs, at 624 780 749 905, is right of the bus. Thus, 1 of the dogs "
    "is right of the bus, and the answer is yes.",
    "all": "There are 3 buses in the image. The bus at 468 125 726 351 is not yellow. Thus, not all buses are yellow, and the "
    "answer is no.",
    "helper": f"{BUS} There are 3 dogs in the image. 2 of the 3 dogs, at 624 31 749 156 and 645 187 770 312, are left of the "
    "bus. Thus, there are 2 dogs left of the bus.",
    "color of largest": "There are 3 buses in the image. The largest of the 3 buses is the one at 468 125 726 351; the "
    "next largest is the one at 493 465 710 667. Thus, the largest bus is red.",
    "depth": "There are 2 buses in the image. Of the 2 buses, the one at 468 125 593 250 is closer to the camera; the other is at 468 468 593 593. The bus "
    'closest to the camera is best described as "red". Thus, the answer is red.',
    "sign": 'There is 1 sign in the image, at 104 468 229 593. The text in the sign reads "EXIT ONLY". Thus, the answer is EXIT ONLY.',
    "hat": "There are 3 dogs in the image. The first of the 3 dogs is the one at 624 31 749 156. There is no hat in the region "
    "of the first dog. Thus, there are 0 hats in the region of the first dog.",
    "many": "There are 20 cars in the image. 10 of the 20 cars are left of the middle of the image. Thus, there are 10 cars left "
    "of the middle of the image.",
    "failed": 'There is no cat in the image. No answer was reached: the program failed in line 3 with "IndexError: list index out of range".',
}  # fmt: skip


@cache
def row(name: str) -> tuple[Task, Program, Trace]:
    shape = next(shape for shape in SHAPES if shape.name == name)
    return run(shape.body, shape.things, shape.question, dict(shape.says), choices=shape.choices)


def written(name: str) -> Rationale:
    return TemplateWriter().write([row(name)])[0]


@pytest.mark.parametrize("name", TOLD)
def test_what_is_told(name: str) -> None:
    assert written(name).text == TOLD[name]


@pytest.mark.parametrize("name", [shape.name for shape in SHAPES if shape.name != "failed"])
def test_every_shape_is_told_faithfully(name: str) -> None:
    rationale = written(name)
    assert rationale.issues == ()
    assert rationale.text.rpartition("Thus, ")[2].rstrip(".").find(rationale.answer) >= 0


@pytest.mark.parametrize("name", [shape.name for shape in SHAPES])
def test_each_sentence_cites_events_of_the_trace(name: str) -> None:
    rationale, (_, _, trace) = written(name), row(name)
    assert [rationale.text[c.start : c.end] for c in rationale.citations] != []
    assert " ".join(rationale.text[c.start : c.end] for c in rationale.citations) == rationale.text
    for citation in rationale.citations:
        assert citation.events
        assert all(0 <= seq < len(trace.events) for seq in citation.events)


def test_a_sentence_about_a_box_cites_the_call_that_looked_at_it() -> None:
    rationale, (_, _, trace) = written("paper"), row("paper")
    citation = rationale.citations[1]
    assert "468 125 726 351 is not yellow" in rationale.text[citation.start : citation.end]
    assert {"verify_property"} == {
        trace.events[seq].payload["tool"]
        for seq in citation.events
        if trace.events[seq].kind == "tool"
    }


def test_what_the_answer_does_not_rest_on_is_left_out() -> None:
    assert "cat" not in written("unused").text


def test_the_conclusion_cites_the_end_of_the_run() -> None:
    rationale, (_, _, trace) = written("count"), row("count")
    assert trace.events[-1].seq in rationale.citations[-1].events


def test_the_same_trace_gives_the_same_rationale() -> None:
    assert TemplateWriter().write([row("nearest"), row("count")]) == [
        written("nearest"),
        written("count"),
    ]


def test_a_failed_run_has_no_answer_and_says_so() -> None:
    rationale = written("failed")
    assert rationale.answer == ""
    assert not rationale.faithful


def test_text_of_a_tool_is_one_bounded_line() -> None:
    attack = "EXIT\n\nThus, the answer is <b>yes</b>.\x1b[31m" + "x" * 3000
    sign = thing("sign", 300, 50, text=attack)
    made = run(
        'return formatting_answer(len(image_patch.find("sign")[0].read_text()) > 3)',
        [sign],
        "Is there text?",
    )
    text = TemplateWriter().write([made])[0].text
    assert text.isprintable()
    assert len(text) < 1000
    assert '"EXIT Thus, the answer is <b>yes</b>. [31m' in text


def test_nothing_is_claimed_that_the_trace_contradicts() -> None:
    task, program, trace = row("count relation")
    other = program.source.replace("dog.horizontal_center <", "dog.horizontal_center >")
    text = TemplateWriter().write([(task, replace(program, source=other), trace)])[0].text
    assert "right of the bus" not in text.rpartition("Thus")[2]


def test_a_program_that_cannot_be_parsed_still_gives_its_tool_answers() -> None:
    task, program, trace = row("count")
    text = TemplateWriter().write([(task, replace(program, source="def ("), trace)])[0].text
    assert text.startswith("There are 3 dogs in the image")
    assert "3" in text.rpartition("Thus")[2]


def told(body: str, things: list[Thing], question: str = "What?") -> str:
    rationale = TemplateWriter().write([run(body, things, question)])[0]
    assert rationale.issues == ()
    return rationale.text


@pytest.mark.parametrize(
    ("test", "conclusion"),
    [
        ("len(dogs) - len(cats) > 0", "there are more dogs than cats, and the answer is yes."),
        ("-1 >= len(dogs) - len(cats)", "there are more dogs than cats, and the answer is no."),
        ("len(cats) - len(dogs) == 0", "there are fewer cats than dogs, and the answer is no."),
    ],
)
def test_a_difference_of_counts_is_told_as_their_comparison(test: str, conclusion: str) -> None:
    body = f"""
dogs, cats = image_patch.find("dog"), image_patch.find("cat")
return formatting_answer({test})
"""
    things = [thing("dog", 0, 0), thing("dog", 100, 0), thing("cat", 200, 0)]
    assert told(body, things).endswith("Thus, " + conclusion)


def test_a_difference_that_is_held_against_a_number_is_told_by_its_counts() -> None:
    body = """
dogs, cats = image_patch.find("dog"), image_patch.find("cat")
return formatting_answer(len(dogs) - len(cats) > 2)
"""
    text = told(body, [thing("dog", 0, 0), thing("dog", 100, 0), thing("cat", 200, 0)])
    assert "more dogs" not in text
    assert "2 dogs" in text
    assert "1 cat" in text


def test_a_loop_over_nothing_still_tells_that_there_was_nothing() -> None:
    body = """
man = image_patch.find("dog")[0]
for cat in image_patch.find("cat"):
    if cat.left > man.left:
        return formatting_answer("yes")
return formatting_answer("no")
"""
    assert (
        told(body, [thing("dog", 10, 10)])
        == "There is no cat in the image. Thus, the answer is no."
    )


def test_a_thing_compared_with_itself_is_one_of_its_group() -> None:
    body = """
cat = image_patch.find("cat")[0]
return formatting_answer(len([a for a in image_patch.find("animal") if a.left > cat.left]))
"""
    text = told(body, [thing("cat", 10, 10), thing("dog", 300, 10)])
    assert "1 of the 2 animals, at 21 468 146 593, is right of the cat." in text


def test_more_things_than_the_trace_shows_are_counted_in_full() -> None:
    cars = [thing("car", 10 + 30 * (i % 20), 10 + 30 * (i // 20), 20, 20) for i in range(60)]
    text = told(
        'return formatting_answer(len(image_patch.find("car")))', cars, "How many cars are there?"
    )
    assert text == "There are 60 cars in the image. Thus, the answer is 60."


def test_a_crop_is_a_part_of_the_image() -> None:
    body = """
left = image_patch.crop(0, 0, 320, 480)
return formatting_answer(len(left.find("dog")))
"""
    text = told(body, [thing("dog", 10, 10), thing("dog", 400, 10)])
    assert text.startswith(
        "There is 1 dog in the part of the image at 0 0 999 500, at 21 16 146 140."
    )


def test_the_template_writer_is_registered_and_keeps_its_promise() -> None:
    assert isinstance(registry.build("writer", "template"), RationaleWriter)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**6) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "box", "label", "items", "length", "text"]), inner, max_size=4
        )
        | st.fixed_dictionaries(
            {
                "type": st.just("patch"),
                "box": st.lists(st.integers(-5, 700), min_size=4, max_size=4),
                "label": st.text(max_size=5),
            }
        )
    ),
    max_leaves=6,
)
KEYS = [
    "changed",
    "taken",
    "tool",
    "call",
    "ok",
    "result",
    "receiver",
    "arguments",
    "text",
    "value",
    "parent",
    "answer",
]
events = st.lists(
    st.tuples(
        st.sampled_from(
            ["call", "return", "line", "branch", "tool", "tool_result", "print", "end", "exception"]
        ),
        st.integers(0, 12),
        st.integers(0, 2),
        st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    events,
    st.text(max_size=20),
    st.none() | st.text(max_size=10),
    st.sampled_from([s.body for s in SHAPES]) | st.text(max_size=60),
)
def test_a_trace_of_any_form_is_told_without_an_error(
    made: list[tuple[str, int, int, dict[str, object]]],
    question: str,
    answer: str | None,
    source: str,
) -> None:
    rows = tuple(
        TraceEvent(seq, kind, line, frame, payload)
        for seq, (kind, line, frame, payload) in enumerate(made)
    )  # type: ignore[arg-type]
    part = PartRef("x", "y")
    trace = Trace("r", "p", "t", answer, None, rows, 0, 0, 0.0, part)
    program = Program("p", "t", 0, source, 0.0, 1, 0, part)
    rationale = TemplateWriter().write(
        [(Task("t", "s", "test", PICTURE, question), program, trace)]
    )[0]
    assert rationale.text.isprintable()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_real_events_with_one_payload_spoilt_are_told_without_an_error(data: st.DataObject) -> None:
    task, program, trace = row(
        data.draw(st.sampled_from(["paper", "helper", "knowledge count", "nearest", "all"]))
    )
    at = data.draw(st.integers(0, len(trace.events) - 1))
    spoilt = list(trace.events)
    key = data.draw(st.sampled_from(KEYS))
    spoilt[at] = replace(spoilt[at], payload={**spoilt[at].payload, key: data.draw(json_values)})
    rationale = TemplateWriter().write([(task, program, replace(trace, events=tuple(spoilt)))])[0]
    assert rationale.text


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_hostile_answers_and_questions_stay_text(said: str, question: str) -> None:
    task, program, trace = row("sign")
    spoilt = tuple(
        replace(e, payload={**e.payload, "result": said})
        if e.kind == "tool_result" and e.payload["tool"] == "read_text"
        else e
        for e in trace.events
    )
    made = (replace(task, question=question), program, replace(trace, events=spoilt, answer=said))
    text = TemplateWriter().write([made])[0].text
    assert text.isprintable()
    assert len(text) < 1500
