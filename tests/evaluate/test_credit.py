"""What each tool call is worth: a person's mark first, then what the answer depends on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from exact_runs import case, scene, task

from workbench.api import STANDARD
from workbench.evaluate.wrong_reasons.counterfactual import Worlds, shake
from workbench.evaluate.wrong_reasons.credit import CallCredit, call_credits, call_uses, mean_credit
from workbench.evaluate.wrong_reasons.suspicion import Case

PARK = scene("dog", "dog", "cat", "car")
COUNT = task("How many dogs are there?", "2")
BODY = 'cats = patch.find("cat")\ndogs = patch.find("dog")\nreturn formatting_answer(len(dogs))'


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    with Worlds(STANDARD.values(), workers=1) as made:
        yield made


def uses(worlds: Worlds, one: Case) -> dict[int, float | None]:
    (shaken,) = shake(worlds, [(one.task, one.program, one.trace)])
    return dict(call_uses(shaken))


def credits(
    one: Case, used: dict[int, float | None], right: bool = True, first_wrong: int | None = None
) -> list[tuple[str, float | None, str]]:
    made = call_credits(one.trace.events, used, right, first_wrong)
    return [(call.tool, call.credit, call.by) for call in made]


def test_a_call_that_nothing_depends_on_has_no_credit_and_the_others_have_their_share(
    worlds: Worlds,
) -> None:
    one = case(COUNT, BODY, PARK)
    used = uses(worlds, one)
    (_, idle, _), (_, useful, by) = credits(one, used)
    assert idle == 0.0
    assert useful is not None
    # all changes of the list move the count, but its order
    assert 0.5 < useful < 1.0
    assert by == "check"


def test_calls_of_a_loop_share_what_their_place_is_worth(worlds: Worlds) -> None:
    of = task("How many things have four legs?", "3")
    body = (
        'count = 0\nfor thing in patch.find("object"):\n'
        '    if thing.verify_property("object", "has four legs"):\n        count += 1\n'
        "return formatting_answer(count)"
    )
    one = case(of, body, PARK)
    made = credits(one, uses(worlds, one))
    assert [tool for tool, _, _ in made] == ["find", *["verify_property"] * 4]
    assert len({credit for tool, credit, _ in made if tool == "verify_property"}) == 1
    assert all(credit for _, credit, _ in made)


def test_of_a_wrong_run_that_nobody_looked_at_nothing_is_known(worlds: Worlds) -> None:
    one = case(COUNT, BODY, PARK)
    assert credits(one, uses(worlds, one), right=False) == [("find", None, "")] * 2
    assert mean_credit(call_credits(one.trace.events, {}, True, None)) is None


@pytest.mark.parametrize("right", [True, False])
def test_a_persons_mark_comes_before_the_checks(worlds: Worlds, right: bool) -> None:
    one = case(COUNT, BODY, PARK)
    used = uses(worlds, one)
    questions = [event.seq for event in one.trace.events if event.kind == "tool"]
    ends = [event.seq for event in one.trace.events if event.kind == "tool_result"]
    at_second = [("find", 1.0, "person"), ("find", -1.0, "person")]
    assert credits(one, used, right, questions[1]) == at_second
    assert credits(one, used, right, ends[1]) == at_second
    first = [("find", -1.0, "person"), ("find", None, "")]
    assert credits(one, used, right, questions[0]) == first
    last = max(event.seq for event in one.trace.events)
    both = [("find", 1.0, "person")] * 2
    assert credits(one, used, right, last) == both


def test_the_mean_is_over_what_is_known() -> None:
    def call(credit: float | None) -> CallCredit:
        return CallCredit(0, 0, 1, "find", None, credit, "check")

    assert mean_credit([call(1.0), call(None), call(0.0)]) == 0.5
    assert mean_credit([call(None)]) is None
    assert mean_credit([]) is None
