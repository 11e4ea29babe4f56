"""ReviewQueue: what is said in a cell is stored as from the page Curate."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.errors import InputError
from workbench.store import Project
from workbench.widgets import ReviewQueue


@pytest.fixture
def queue(own: Project) -> Any:
    made = ReviewQueue(own, name="ann")
    yield made
    made.close()


def press(queue: ReviewQueue, do: str, **more: Any) -> dict[str, Any]:
    """What the page sends for a key, and what it hears."""
    said: list[Any] = []
    queue.send = said.append  # type: ignore[method-assign]
    asked = {
        "do": do,
        "task": queue.task,
        "candidate": queue.candidate,
        "note": "",
        "wording": None,
        **more,
    }
    queue._received(queue, {"id": "1", **asked}, [])
    (reply,) = said
    return dict(reply)


def test_accepting_stores_the_event_and_shows_the_next_question(
    own: Project, queue: ReviewQueue
) -> None:
    task, left = queue.task, queue.left
    event = "a" * 32
    assert press(queue, "accept", event=event, seconds=2.5) == {"id": "1", "value": event}
    (stored,) = own.curation.events(task_id=task)
    assert (stored.id, stored.kind, stored.author, stored.seconds, stored.hidden) == (
        event,
        "accept",
        "ann",
        2.5,
        True,
    )
    assert stored.rationale_id is not None
    assert queue.task not in ("", task)
    assert queue.left == left - 1
    assert queue.decided == [event]


def test_a_key_for_a_question_that_is_gone_stores_nothing(own: Project, queue: ReviewQueue) -> None:
    gone = queue.task
    queue.accept()
    reply = press(queue, "accept", task=gone, event="b" * 32)
    assert "nothing was stored" in reply["error"]
    assert len(own.curation.events()) == 1


def test_a_reject_names_its_reason_by_digit(own: Project, queue: ReviewQueue) -> None:
    task = queue.task
    press(queue, "reject", digit=4, event="c" * 32)
    assert own.curation.events(task_id=task)[0].reason == "unfaithful"


def test_other_needs_words_and_keeps_the_question(own: Project, queue: ReviewQueue) -> None:
    task = queue.task
    assert "needs words" in press(queue, "reject", digit=9, event="d" * 32)["error"]
    assert queue.task == task
    press(queue, "reject", digit=9, event="d" * 32, note="the picture is of something else")
    assert own.curation.events(task_id=task)[0].text == "the picture is of something else"


def test_another_wording_is_an_edit_that_is_accepted(own: Project, queue: ReviewQueue) -> None:
    task = queue.task
    press(queue, "accept", event="e" * 32, wording="There it is. Thus, the answer is what it is.")
    edit, accept = own.curation.events(task_id=task)
    assert (edit.kind, accept.kind) == ("edit", "accept")
    assert accept.rationale_id == edit.made


def test_undo_is_an_event_and_brings_the_question_back(own: Project, queue: ReviewQueue) -> None:
    task = queue.task
    queue.skip()
    press(queue, "undo", event="")
    assert [one.kind for one in own.curation.events(task_id=task)] == ["skip", "undo"]
    assert queue.task == task
    assert queue.decided == []


def test_nothing_to_undo_is_said(queue: ReviewQueue) -> None:
    with pytest.raises(InputError, match="no decision to take back"):
        queue.undo()


def test_the_first_wrong_step_is_marked_and_taken_back(own: Project, queue: ReviewQueue) -> None:
    task = queue.task
    press(queue, "wrong", step=2)
    assert queue.wrong == 2
    press(queue, "wrong", step=2)
    assert queue.wrong is None
    assert [one.kind for one in own.curation.events(task_id=task)] == ["wrong_step", "undo"]


def test_verdicts_are_hidden_until_one_has_decided(queue: ReviewQueue) -> None:
    assert queue.item["hidden"] is True
    assert {one["state"] for one in queue.item["candidates"]} <= {"none", "failed"}
    assert not any(one["judged"] for one in queue.item["candidates"])
    assert not any("model" in one for one in queue.item["candidates"])


def test_two_people_never_hold_one_question(own: Project, queue: ReviewQueue) -> None:
    other = ReviewQueue(own, name="ben")
    assert other.task not in ("", queue.task)
    other.close()
    assert {one.holder for one in own.curation.leases()} == {"ann"}


def test_running_the_cell_again_goes_on_with_the_same_question(
    own: Project, queue: ReviewQueue
) -> None:
    again = ReviewQueue(own, name="ann")
    assert again.task == queue.task
    again.close()
    assert own.curation.leases() == []


def test_a_lost_hold_goes_on_with_another_question(own: Project, queue: ReviewQueue) -> None:
    task = queue.task
    own.curation.release("ann", task)
    other = ReviewQueue(own, name="ben")
    assert other.task == task
    press(queue, "hold")
    assert queue.task not in ("", task)
    assert "somebody else" in queue.problem
    other.close()


def test_another_program_can_be_chosen(queue: ReviewQueue) -> None:
    before = queue.run["source"]
    place = next(at for at, one in enumerate(queue.item["candidates"]) if one["answer"] is None)
    queue.set_state({"candidate": place})
    assert queue.run["source"] != before
    with pytest.raises(InputError, match="gave no answer"):
        queue.accept()


def test_the_end_of_the_queue_is_said(own: Project, queue: ReviewQueue) -> None:
    while queue.task:
        queue.accept()
    assert queue.left == 0
    assert "No question is left" in queue.plain()
    with pytest.raises(InputError, match="no question is on screen"):
        queue.accept()


def test_a_viewer_may_not_decide(own: Project) -> None:
    with pytest.raises(InputError, match="may look but not decide"):
        ReviewQueue(own, name="eve", role="viewer")
