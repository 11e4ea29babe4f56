"""Many people decide at the same moment: one transaction, and to each an own answer or an own error."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from curation_project import Home, Voice, make_project, states
from sharing_processes import Child, children

from workbench.errors import InputError
from workbench.records import Decision
from workbench.store import Project
from workbench.store.people.commit_group import CommitGroup


def at_once(project: Project, calls: Sequence[Sequence[Decision]]) -> list[Future[list[Decision]]]:
    """Decide in as many threads as there are calls, all of them while another write is under way."""
    group = project.curation._group
    with ThreadPoolExecutor(len(calls)) as pool, project.database.write_lock:
        answers = []
        for call in calls:
            answers.append(pool.submit(project.curation.decide, call))
            while len(group._line) < len(answers):
                time.sleep(0.001)
    return answers


def test_decisions_that_arrive_together_share_one_transaction(home: Home) -> None:
    project, made = home
    calls = [[Voice(f"p{at}").accept(one)] for at, one in enumerate(made)]
    calls[1] += [Voice("p9").event("note", made[1].task.id, text="two in one call")]
    answers = [answer.result() for answer in at_once(project, calls)]
    assert [[one.id for one in answer] for answer in answers] == [
        [one.id for one in call] for call in calls
    ]
    stored = project.curation.events()
    assert stored == [one for answer in answers for one in answer], "in the order of their coming"
    assert len({one.created_at for one in stored}) == 1
    assert states(project, "curated") == states(project, "item")


def test_a_refused_decision_takes_no_other_with_it(home: Home) -> None:
    project, made = home
    calls = [[Voice(f"p{at}").accept(one)] for at, one in enumerate(made)]
    calls[2] = [Voice("p7").event("note", made[2].task.id, text="goes with it"), *calls[2]]
    calls[2] += [Voice("p6").event("reject", made[2].task.id)]
    answers = at_once(project, calls)
    with pytest.raises(InputError, match="a reject needs a reason"):
        answers[2].result()
    others = [one for at, call in enumerate(calls) for one in call if at != 2]
    assert [one.id for one in project.curation.events()] == [one.id for one in others]
    assert [answer.result()[0].id for answer in answers if answer is not answers[2]] == [
        one.id for one in others
    ]
    assert states(project, "curated") == states(project, "item")


def test_what_bears_on_one_question_is_checked_in_its_order(home: Home) -> None:
    project, made = home
    ann, bob = Voice("ann"), Voice("bob")
    accept, reject = ann.accept(made[0]), bob.reject(made[0])
    undo = ann.event("undo", made[0].task.id, target=accept.id)
    again = ann.event("undo", made[0].task.id, target=accept.id)
    answers = at_once(project, [[accept], [accept], [reject], [undo], [again]])
    assert answers[0].result() == answers[1].result(), "the same decision, sent twice"
    with pytest.raises(InputError, match="was taken back already"):
        answers[4].result()
    assert project.curation.item(made[0].task.id).state == "rejected"
    assert states(project, "curated") == states(project, "item")


def test_who_holds_the_lock_of_writes_waits_for_nobody(home: Home) -> None:
    project, made = home
    with ThreadPoolExecutor(1) as pool, project.database.write_lock:
        other = pool.submit(project.curation.decide, [Voice("bob").accept(made[1])])
        while not project.curation._group._line:
            time.sleep(0.001)
        project.curation.decide([Voice("ann").accept(made[0])])
        assert not other.done()
    assert other.result()[0].author == "bob"


def test_where_one_is_cut_off_by_ctrl_c_the_next_one_stores_the_others(home: Home) -> None:
    project, made = home
    lock = project.database.write_lock
    broken = threading.Event()

    def store(events: Sequence[Decision]) -> list[Decision]:
        if not broken.is_set():
            broken.set()
            raise KeyboardInterrupt
        return project.curation._store(events)

    group = CommitGroup(store, lock)
    with ThreadPoolExecutor(2) as pool:
        with lock:
            first = pool.submit(group.add, [Voice("ann").accept(made[0])])
            while len(group._line) < 1:
                time.sleep(0.001)
            second = pool.submit(group.add, [Voice("bob").accept(made[1])])
            while len(group._line) < 2:
                time.sleep(0.001)
        assert second.result()[0].author == "bob"
    with pytest.raises(KeyboardInterrupt):
        first.result()
    assert [one.author for one in project.curation.events()] == ["bob"]


CROWD = """
import threading
from workbench.errors import InputError
from workbench.records import Decision
from workbench.store import Project

ids = sys.argv[2:]
said = threading.Lock()

def decide(name):
    n = 0
    while True:
        for task in ids:
            n += 1
            kind = ("note", "skip", "reject")[n % 3]  # a reject without a reason is refused
            event = Decision(f"{name}-event-{n:06d}", kind, name, "curator", task, text="seen")
            try:
                project.curation.decide([event])
            except InputError:
                continue
            with said:
                print(event.id, flush=True)

with Project.open(Path(sys.argv[1])) as project:
    crowd = [threading.Thread(target=decide, args=(f"person{at}",), daemon=True) for at in range(6)]
    for person in crowd:
        person.start()
    for person in crowd:
        person.join()
"""


def test_a_crowd_that_is_killed_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    project, made = make_project(tmp_path, 6)
    project.close()
    child = Child(CROWD, project.path, *[one.task.id for one in made])
    with children(child):
        child.wait_lines(60)
        child.kill()
    assert child.process.returncode == -signal.SIGKILL
    with Project.open(project.path) as again:
        stored = again.curation.events(limit=100_000)
        ids = [one.id for one in stored]
        assert len(set(ids)) == len(ids)
        # the last line may have been cut off in the middle
        assert set(child.lines[:-1]) <= set(ids)
        assert {one.kind for one in stored} == {"note", "skip"}
        assert len({one.created_at for one in stored}) < len(stored), "some came together"
        assert states(again, "curated") == states(again, "item")
