"""Handing out items: order, filters, leases, overlap, gold, and many processes at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from curation_project import Home, Voice, make_project, states
from sharing_processes import CHILD
from store_rows import loop_records, task

from workbench.curate.queue import QueueRequest
from workbench.curate.settings import Settings
from workbench.errors import InputError
from workbench.records import Role
from workbench.store import Project
from workbench.store.reading import checks
from workbench.store.reading.checks import CheckRow


def served(
    project: Project,
    who: str,
    asked: QueueRequest | None = None,
    count: int = 1,
    role: Role = "curator",
) -> list[str]:
    return [one.task_id for one in project.curation.next_items(who, role, asked, count)]


def test_flagged_items_come_first(home: Home) -> None:
    project, made = home
    chosen = {one.task_id: str(one.chosen) for one in project.outcomes()}
    for who, at in (("ann", 2), ("bob", 4), ("cy", 1)):
        one = made[at].task.id
        checks.add(project.database, [CheckRow("k", chosen[one], one, 0.8, ("foreign",), ())])
        assert served(project, who, QueueRequest(order="newest")) == [one]
    harmless = made[5].task.id
    checks.add(project.database, [CheckRow("k", chosen[harmless], harmless, 0.3, (), ())])
    assert served(project, "dee") != [harmless]


def test_two_people_never_get_one_item(home: Home) -> None:
    project, made = home
    taken = [task_id for who in ("ann", "bob", "cy") for task_id in served(project, who, count=2)]
    assert sorted(taken) == [one.task.id for one in made]
    assert served(project, "dee") == []


def test_a_reload_gives_the_same_item(home: Home) -> None:
    project, _ = home
    asked = QueueRequest(order="random", seed=3)
    assert served(project, "ann", asked) == served(project, "ann", asked)
    assert len(project.curation.leases()) == 1


def test_deciding_lets_go_and_the_next_one_comes(home: Home) -> None:
    project, made = home
    by_id = {one.task.id: one for one in made}
    ann = Voice("ann")
    seen = []
    while found := served(project, "ann"):
        seen += found
        project.curation.decide([ann.accept(by_id[found[0]])])
    assert sorted(seen) == sorted(by_id)
    assert project.curation.leases() == []
    assert project.curation.progress("ann", "curator").remaining == 0


def test_a_lease_runs_out(home: Home) -> None:
    project, _ = home
    taken = served(project, "ann", count=6)
    assert served(project, "bob") == []
    minutes = project.curation.settings().lease_minutes
    later = project.curation.clock() + timedelta(minutes=minutes, seconds=1)
    project.curation.clock = lambda: later
    assert project.curation.renew("ann", taken[0]) is None
    assert len(served(project, "bob", count=6)) == 6


def test_a_lease_can_be_renewed_and_given_up(home: Home) -> None:
    project, _ = home
    (taken,) = served(project, "ann")
    (before,) = project.curation.leases([taken])
    renewed = project.curation.renew("ann", taken)
    assert renewed is not None
    assert renewed.expires_at > before.expires_at
    assert project.curation.renew("bob", taken) is None
    project.curation.release("bob", taken)
    assert [one.holder for one in project.curation.leases()] == ["ann"]
    project.curation.release("ann", taken)
    assert project.curation.leases() == []
    assert served(project, "bob") == [taken]


def test_an_overlap_lets_as_many_look_as_are_asked_for(home: Home) -> None:
    project, made = home
    project.curation.set_settings(Settings(overlap=2), "root")
    only = QueueRequest(tasks=(made[0].task.id,))
    assert served(project, "ann", only) == served(project, "bob", only) == [made[0].task.id]
    assert served(project, "cy", only) == []
    project.curation.decide([Voice("ann").accept(made[0])])
    assert served(project, "cy", only) == [], (
        "bob is still at it, and ann has said what she had to say"
    )
    project.curation.release("bob", made[0].task.id)
    assert served(project, "ann", only) == []
    assert served(project, "cy", only) == [made[0].task.id]


def test_what_one_skipped_goes_to_others(home: Home) -> None:
    project, made = home
    project.curation.decide([Voice("ann").event("skip", made[0].task.id)])
    only = QueueRequest(tasks=(made[0].task.id,))
    assert served(project, "ann", only) == []
    assert served(project, "ann", replace(only, state="skipped")) == [made[0].task.id]
    project.curation.release("ann", made[0].task.id)
    assert served(project, "bob", only) == [made[0].task.id]


def test_what_was_undone_comes_back(home: Home) -> None:
    project, made = home
    ann = Voice("ann")
    (said,) = project.curation.decide([ann.accept(made[0])])
    only = QueueRequest(tasks=(made[0].task.id,))
    assert served(project, "ann", only) == []
    project.curation.decide([ann.event("undo", made[0].task.id, target=said.id)])
    assert served(project, "ann", only) == [made[0].task.id]


def test_what_was_sent_comes_first_even_when_it_was_settled(home: Home) -> None:
    project, made = home
    ann = Voice("ann")
    project.curation.decide(
        [ann.accept(made[4]), ann.event("queue", made[4].task.id, text="odd box")]
    )
    (first,) = project.curation.next_items("bob", "curator")
    assert (first.task_id, first.why) == (made[4].task.id, "sent by ann: odd box")
    project.curation.decide([Voice("bob").accept(made[4])])
    assert made[4].task.id not in served(project, "cy", count=9)


def test_a_question_without_a_kept_program_comes_only_when_it_is_asked_for(home: Home) -> None:
    project, _ = home
    wrong = loop_records(task(9), 3)
    wrong = replace(
        wrong,
        verdicts=[replace(one, correct=False, chosen=False, score=0.0) for one in wrong.verdicts],
    )
    wrong.write(project)
    assert wrong.task.id not in served(project, "ann", count=9)
    assert served(project, "bob", QueueRequest(status=("wrong",))) == [wrong.task.id]
    project.curation.release("bob", wrong.task.id)
    project.curation.decide([Voice("ann").event("queue", wrong.task.id)])
    assert served(project, "bob") == [wrong.task.id]


def test_filters_narrow_the_queue(home: Home) -> None:
    project, _ = home
    other = loop_records(
        task(9, "What colour is the bus?", ("red",), family="colour", split="val"), 3
    )
    other.write(project)
    for asked in (
        QueueRequest(family="colour"),
        QueueRequest(split="val"),
        QueueRequest(text="bus"),
        QueueRequest(text="family:colour"),
    ):
        assert served(project, "ann", asked, 9) == [other.task.id]
    assert served(project, "ann", QueueRequest(text="zebra")) == []
    with pytest.raises(InputError):
        served(project, "ann", QueueRequest(text="family>3"))


def test_orders_are_what_they_say(home: Home) -> None:
    project, _ = home
    calm = loop_records(task(9), 3)
    calm = replace(
        calm,
        traces=[replace(trace, answer=trace.answer and "2") for trace in calm.traces],
        prediction=replace(calm.prediction, score=1.0, answer="2"),
    )
    calm.write(project)

    def place(order: str) -> int:
        found = served(project, order, QueueRequest(order=order), 7)
        for one in found:
            project.curation.release(order, one)
        return found.index(calm.task.id)

    assert (place("disagreement"), place("student"), place("newest")) == (6, 6, 0)


def test_a_random_order_is_the_seeds(home: Home) -> None:
    project, _ = home
    drawn = []
    for seed in (1, 2, 1):
        drawn.append(served(project, "ann", QueueRequest(order="random", seed=seed), 6))
        for one in drawn[-1]:
            project.curation.release("ann", one)
    assert drawn[0] == drawn[2] != drawn[1]


def test_acceptance_is_expected_only_after_enough_decisions(tmp_path: Path) -> None:
    project, made = make_project(tmp_path, 34)
    asked = QueueRequest(order="acceptance")
    with project:
        ann = Voice("ann")
        project.curation.decide([ann.accept(one) for one in made[:20]])
        note = project.curation.progress("bob", "curator", asked).order_note
        assert note == "too few decisions yet: 20 of 30; ordered by disagreement"
        project.curation.decide([ann.reject(one) for one in made[20:32]])
        found = project.curation.progress("bob", "curator", asked)
        assert (found.order, found.order_note, found.remaining) == ("acceptance", "", 2)
        assert len(served(project, "bob", asked, 5)) == 2


def test_gold_items_are_mixed_in_and_never_named(home: Home) -> None:
    project, made = home
    root = Voice("root", "admin")
    project.curation.set_settings(Settings(gold_rate=0.5), "root")
    for one in made[:2]:
        project.curation.decide(
            [root.event("gold", one.task.id, ruling="accept", trace_id=one.traces[1].id)]
        )
    gold = {one.task.id for one in made[:2]}
    found = [one for at in range(6) for one in project.curation.next_items(f"p{at}", "curator")]
    assert 0 < sum(one.task_id in gold for one in found) < 6
    assert not any("gold" in one.why for one in found)
    # Gold items are for everybody; each of the others is somebody's.
    assert max(Counter(one.task_id for one in found if one.task_id not in gold).values()) == 1


def test_verdicts_are_hidden_until_one_has_decided(home: Home) -> None:
    project, made = home
    curation, name = project.curation, made[0].task.id
    assert not curation.next_items("ann", "curator")[0].may_show
    assert not curation.may_show(name, "ann", "curator")
    curation.decide([Voice("ann").accept(made[0])])
    assert curation.may_show(name, "ann", "curator")
    assert not curation.may_show(name, "bob", "curator")
    curation.decide([Voice("bob").reject(made[0])])
    assert curation.may_show(name, "cy", "adjudicator")
    assert not curation.may_show(name, "dee", "curator")
    curation.set_settings(Settings(hide_verdicts=False), "root")
    assert curation.may_show(name, "dee", "curator")


def test_disputes_are_for_adjudicators(home: Home) -> None:
    project, made = home
    project.curation.decide([Voice("ann").accept(made[0])])
    project.curation.decide([Voice("bob").reject(made[0])])
    asked = QueueRequest(state="disputed")
    with pytest.raises(
        InputError, match="disputes belong to the roles adjudicator and admin; ann is curator"
    ):
        served(project, "ann", asked)
    assert served(project, "cy", asked, role="adjudicator") == [made[0].task.id]
    assert served(project, "dee", asked, role="admin") == []
    cy = Voice("cy", "adjudicator")
    project.curation.decide(
        [cy.event("adjudicate", made[0].task.id, ruling="reject", reason="bad_gold")]
    )
    assert served(project, "cy", asked, role="adjudicator") == []


def test_viewers_get_nothing(home: Home) -> None:
    project, _ = home
    with pytest.raises(InputError, match="may look but not decide"):
        served(project, "eve", role="viewer")


def test_progress_counts(home: Home) -> None:
    project, made = home
    project.curation.decide([Voice("ann").accept(made[0], seconds=3.0)])
    served(project, "bob", count=2)
    found = project.curation.progress("ann", "curator")
    assert (found.remaining, found.held_by_others, found.decided_today, found.median_seconds) == (
        3,
        2,
        1,
        3.0,
    )


WORKER = """
import random
from workbench.records import Decision
from workbench.store import Project

path, name, seed = sys.argv[1:]
rng = random.Random(int(seed))
with Project.open(Path(path), wait=60) as project:
    n = 0
    while served := project.curation.next_items(name, "curator", count=8):
        for one in served:
            n += 1
            more = {"reason": "unsafe"} if rng.random() < 0.5 else {}
            kind = "reject" if more else "accept"
            trace = project.database.rows("SELECT id FROM trace WHERE task_id = ? AND answer = '2'", [one.task_id])[0]["id"]
            event = Decision(f"{name}-event-{n:05d}", kind, name, "curator", one.task_id, trace, **more)
            project.curation.decide([event])
            if rng.random() < 0.2:
                project.curation.decide([event])  # an answer that never came: sent again
    print(n)
"""


def race(folder: Path, questions: int, workers: int) -> None:
    project, _ = make_project(folder, questions)
    with project:
        running = [
            subprocess.Popen(
                [sys.executable, "-c", CHILD + WORKER, str(project.path), f"person{at}", str(at)],
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            for at in range(workers)
        ]
        said = [int(one.communicate(timeout=1500)[0]) for one in running]
        assert [one.returncode for one in running] == [0] * workers
        events = project.curation.events(limit=10 * questions)
        assert len(events) == sum(said) == questions, "none lost, none doubled"
        assert len({event.task_id for event in events}) == questions, "no item was two people's"
        assert len({event.seq for event in events}) == questions
        assert min(said) > 0, "everybody took part"
        assert states(project, "curated") == states(project, "item")


def test_several_processes_share_a_queue_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    race(tmp_path, 60, 2)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_eight_processes_and_five_thousand_decisions(tmp_path: Path) -> None:
    race(tmp_path, 5000, 8)


def test_what_is_left_is_what_the_queue_shows(home: Home) -> None:
    """Whatever the overlap, the leases of others and the gold items are."""
    project, made = home
    curation = project.curation
    more = [loop_records(task(at), 3) for at in range(10, 22)]
    project.add_tasks([one.task for one in more])
    project.add_programs([program for one in more for program in one.programs], 0)
    project.add_traces([trace for one in more for trace in one.traces])
    project.add_verdicts([one.verdicts for one in more])
    everything = {one.task.id: one for one in [*made, *more]}
    root, ann, bob = Voice("root", "admin"), Voice("ann"), Voice("bob")
    gold = list(made[:4])
    curation.decide(
        [root.event("gold", one.task.id, ruling="reject", reason="bad_gold") for one in gold]
    )
    curation.set_settings(Settings(overlap=2, gold_rate=0.3), "root")
    curation.decide([bob.reject(one) for one in more[:5]])
    served(project, "bob", count=3)
    served(project, "cy", count=4)
    seen: list[str] = []
    while found := served(project, "ann"):
        left = curation.progress("ann", "curator").remaining
        assert left > 0
        seen += found
        curation.decide([ann.event("skip", found[0])])
        assert curation.progress("ann", "curator").remaining == left - 1
    assert len(seen) == len(set(seen)) > len(everything) // 2
    assert {one.task.id for one in gold} & set(seen)
    assert curation.progress("ann", "curator").remaining == 0


def test_what_another_page_shows_is_not_left_for_this_one(home: Home) -> None:
    project, made = home
    elsewhere = tuple(served(project, "ann", count=2))
    here = QueueRequest(without=elsewhere)
    assert project.curation.progress("ann", "curator").remaining == len(made)
    assert project.curation.progress("ann", "curator", here).remaining == len(made) - 2
    assert not set(served(project, "ann", here, len(made))) & set(elsewhere)


def test_similar_questions_come_together_the_largest_group_first(home: Home) -> None:
    project, made = home
    digests = ["a", "b", "a", "c", "b", "a"]
    for one, digest in zip(made, digests, strict=True):
        sql = "UPDATE task SET image = ? WHERE id = ?"
        project.database.transaction(
            lambda cursor, sql=sql, row=[digest, one.task.id]: cursor.execute(sql, row)
        )
    asked = QueueRequest(order="picture")
    found = project.curation.next_items("ann", "curator", asked, 6)
    image_of = {one.task.id: digest for one, digest in zip(made, digests, strict=True)}
    assert [image_of[one.task_id] for one in found] == ["a", "a", "a", "b", "b", "c"]
    assert [one.why for one in found][0::5] == ["one of 3 about this picture", "next"]


@pytest.mark.parametrize("order", ["program", "rationale"])
def test_programs_and_rationales_are_alike_whatever_their_numbers_and_names(
    home: Home, order: str
) -> None:
    project, made = home
    words = [
        ('find("dog")', "There are 2 dogs at 1 2 3 4."),
        ("exists('cat')", "It is not."),
        ('find("red car")', "There are 13 dogs at 5 6 7 8."),
        ("exists('a')", "It is not."),
        ('find("")', "There are 0 dogs at 9 9 9 9."),
        ("x = 1", "Nothing."),
    ]
    for one, (source, text) in zip(made, words, strict=True):
        rows = {
            "UPDATE program SET source = ? WHERE id = ?": [source, one.programs[1].id],
            "UPDATE rationale SET text = ? WHERE id = ?": [text, one.rationale.id],
        }
        for sql, row in rows.items():
            project.database.transaction(lambda cursor, sql=sql, row=row: cursor.execute(sql, row))
    found = served(project, "ann", QueueRequest(order=order), 6)
    places = [next(at for at, one in enumerate(made) if one.task.id == id) for id in found]
    assert (set(places[:3]), set(places[3:5]), places[5]) == ({0, 2, 4}, {1, 3}, 5)
