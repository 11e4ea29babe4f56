"""Decisions in a real store: stored once, checked, folded; edits, batches, figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from curation_project import Home, Voice, states
from store_rows import loop_records, task

from workbench.curate.settings import Settings
from workbench.errors import InputError
from workbench.records import Form, Rating, TraceEvent
from workbench.store.kernel.database import now
from workbench.store.people import reviewing
from workbench.store.people.decide_many import Verdicts
from workbench.store.people.decisions import write_all_states
from workbench.store.records.rows import part_key


def test_an_event_comes_back_as_it_was_said(home: Home) -> None:
    project, made = home
    given = Voice("ann").accept(
        made[0],
        text='odd "quotes" \x00 \N{SNOWMAN}',
        seconds=2.5,
        hidden=True,
        guideline="v1",
        client_time=datetime(2026, 1, 2, tzinfo=UTC),
    )
    (stored,) = project.curation.decide([given])
    assert stored == replace(
        given,
        seq=stored.seq,
        created_at=stored.created_at,
        automatic=True,
        program_id=made[0].programs[1].id,
        client_time=datetime(2026, 1, 2),
    )
    assert project.curation.events(task_id=given.task_id) == [stored]


def test_text_that_utf_8_cannot_hold_is_kept_as_far_as_it_goes(home: Home) -> None:
    project, made = home
    given = Voice("ann").event("note", made[0].task.id, text="half \ud800 of a pair")
    (stored,) = project.curation.decide([given])
    assert stored.text == "half ? of a pair"
    assert project.curation.decide([given]) == [stored]


def test_a_retry_is_the_same_event(home: Home) -> None:
    project, made = home
    given = Voice("ann").accept(made[0])
    first = project.curation.decide([given])
    assert project.curation.decide([given]) == first
    assert len(project.curation.events()) == 1


def test_a_ruling_stored_under_its_older_name_is_read_and_its_retry_is_known(home: Home) -> None:
    """The row, and the content key in it, as the version wrote them that called a ruling `verdict`."""
    project, made = home
    project.database.transaction(
        lambda cursor: cursor.execute(
            "INSERT INTO decision (seq, id, content, kind, author, role, task_id, verdict, reason, text, created_at) "
            "VALUES (nextval('decision_seq'), 'root-event-00001', '6c4f4f7f8681f31cda02', 'gold', 'root', 'admin', ?, "
            "'reject', 'bad_gold', '', TIMESTAMP '2026-01-02')",
            [made[0].task.id],
        )
    )
    project.database.transaction(lambda cursor: write_all_states(cursor, now()))
    (stored,) = project.curation.events()
    assert (stored.ruling, stored.reason) == ("reject", "bad_gold")
    retry = Voice("root", "admin").event(
        "gold", made[0].task.id, ruling="reject", reason="bad_gold"
    )
    assert project.curation.decide([retry]) == [stored]
    with pytest.raises(InputError, match="is stored with another content"):
        project.curation.decide([replace(retry, reason="unsafe")])


@pytest.mark.parametrize("other", [0, 1])
def test_an_id_stands_for_one_thing(home: Home, other: int) -> None:
    project, made = home
    given = Voice("ann").accept(made[0])
    project.curation.decide([given])
    with pytest.raises(
        InputError, match="is stored with another content; a new decision needs a new id"
    ):
        project.curation.decide([replace(Voice("ann").reject(made[other]), id=given.id)])


def test_events_given_together_are_stored_all_or_none(home: Home) -> None:
    project, made = home
    ann = Voice("ann")
    with pytest.raises(InputError, match="a note needs words"):
        project.curation.decide([ann.accept(made[0]), ann.event("note", made[1].task.id)])
    assert project.curation.events() == []
    assert project.curation.item(made[0].task.id).state == "pending"


def test_two_events_given_together_need_two_ids(home: Home) -> None:
    project, made = home
    given = Voice("ann").accept(made[0])
    with pytest.raises(InputError, match="two decisions given together have the same id"):
        project.curation.decide([given, given])


def test_a_trace_that_failed_is_no_target(home: Home) -> None:
    project, made = home
    with pytest.raises(InputError, match="ended without an answer and cannot be a target"):
        project.curation.decide(
            [Voice("ann").accept(made[0], trace_id=made[0].traces[0].id, rationale_id=None)]
        )


def test_somebody_elses_trace_is_refused(home: Home) -> None:
    project, made = home
    with pytest.raises(InputError, match=f"task '{made[0].task.id}' has no trace"):
        project.curation.decide([Voice("ann").accept(made[0], trace_id=made[1].traces[1].id)])


def test_the_first_wrong_step_names_its_tool(home: Home) -> None:
    project, made = home
    ann = Voice("ann")
    project.curation.decide([ann.reject(made[0], step=1), ann.reject(made[1], step=1)])
    (blamed,) = project.curation.blame()
    assert (blamed.tool, blamed.wrong, blamed.of.of) == ("", 2, 2)
    assert project.curation.reject_reasons() == {"wrong_reason": 2}


def test_an_edited_rationale_is_a_new_record_that_was_checked(home: Home) -> None:
    project, made = home
    ann = Voice("ann")
    parent = made[0].rationale
    event = ann.event("edit", made[0].task.id, rationale_id=parent.id)
    edited = project.curation.edit_rationale(event, "There are 7 dogs. Thus, the answer is 2.")
    assert project.curation.edit_rationale(event, edited.text) == edited, "a retry"
    assert edited.issues, "seven is not in the trace"
    view = project.task_view(made[0].task.id)
    assert {one.id for one in view.rationales} == {parent.id, edited.id}
    project.curation.decide([ann.accept(made[0], rationale_id=edited.id)])
    item = project.curation.item(made[0].task.id)
    assert (item.rationale_id, item.edited) == (edited.id, True)


def test_an_edited_program_names_its_parent(home: Home) -> None:
    project, made = home
    parent = made[0].programs[0]
    event = Voice("ann").event("edit", made[0].task.id, program_id=parent.id)
    edited = project.curation.edit_program(event, "def execute_command(image):\n    return 2\n")
    ((_, stored),) = project.jobs([edited.id])
    assert (stored, stored.parent) == (edited, parent.id)
    (said,) = project.curation.events(task_id=made[0].task.id)
    assert (said.program_id, said.made) == (parent.id, edited.id)


def test_an_edit_that_changes_nothing_leaves_nothing(home: Home) -> None:
    project, made = home
    ann, parent, told = Voice("ann"), made[0].programs[0], made[0].rationale
    with pytest.raises(InputError, match="nothing was changed"):
        project.curation.edit_program(
            ann.event("edit", parent.task_id, program_id=parent.id), parent.source
        )
    with pytest.raises(InputError, match="nothing was changed"):
        project.curation.edit_rationale(
            ann.event("edit", told.task_id, rationale_id=told.id), told.text
        )
    assert project.curation.events() == []


def test_an_edit_of_nothing_is_refused(home: Home) -> None:
    project, made = home
    ann = Voice("ann")
    with pytest.raises(InputError, match="has no rationale 'gone' to edit"):
        project.curation.edit_rationale(
            ann.event("edit", made[0].task.id, rationale_id="gone"), "x"
        )
    with pytest.raises(InputError, match="has no program 'gone' to edit"):
        project.curation.edit_program(ann.event("edit", made[0].task.id, program_id="gone"), "x")
    note = ann.event("note", made[0].task.id, program_id=made[0].programs[0].id)
    with pytest.raises(InputError, match="needs a decision of kind 'edit', found 'note'"):
        project.curation.edit_program(note, "x")


def test_a_bulk_accept_says_exactly_what_it_does_and_is_undone_as_one(home: Home) -> None:
    project, made = home
    curation = project.curation
    curation.decide([Voice("ann").reject(made[0])])
    curation.next_items("bob", "curator")
    ids = [one.task.id for one in made] + ["nowhere"]
    root = Verdicts("root", "admin")
    expected = {"decided already": 1, "somebody is looking at it": 1, "no such question": 1}
    counted = curation.bulk_count(ids, root)
    assert (counted.decided, counted.left_out) == (4, expected)
    done = curation.decide_all(ids, root, "batch-0001")
    assert (done.decided, done.left_out) == (4, expected)
    assert curation.decide_all(ids, root, "batch-0001").decided == 4, "a retry"
    assert sum(one.state == "accepted" for one in curation.items(ids).values()) == 4
    curation.decide([Voice("root", "admin").event("undo", target="batch-0001")])
    assert sum(one.state == "accepted" for one in curation.items(ids).values()) == 0
    assert len(curation.events()) == 6


def test_a_bulk_reject_needs_a_reason_and_takes_questions_without_a_kept_run(home: Home) -> None:
    project, made = home
    curation = project.curation
    lost = replace(made[0].task, id="lost")
    project.add_tasks([lost])
    ids = [made[0].task.id, lost.id]
    assert curation.bulk_count(ids, Verdicts("ann", "curator")).left_out == {
        "no program was kept": 1
    }
    with pytest.raises(InputError, match="needs words"):
        curation.decide_all(ids, Verdicts("ann", "curator", "other"), "batch-0001")
    said = Verdicts("ann", "curator", "ambiguous", "two readings")
    assert curation.decide_all(ids, said, "batch-0001").decided == 2
    assert {one.state for one in curation.items(ids).values()} == {"rejected"}
    assert [(one.text, one.batch) for one in curation.events()] == [
        ("two readings", "batch-0001")
    ] * 2
    assert curation.bulk_count(ids, said).left_out == {"decided already": 2}


def test_a_rolled_back_day_can_be_brought_back(home: Home) -> None:
    project, made = home
    curation = project.curation
    ann = Voice("ann")
    curation.decide([ann.accept(one) for one in made])
    day = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=1)
    root = Voice("root", "admin")
    back = root.event("rollback", subject="ann", since=day, until=day + timedelta(days=1))
    curation.decide([back])
    assert {one.state for one in curation.items([m.task.id for m in made]).values()} == {"pending"}
    assert [one.undone for one in curation.recent("ann", 3)] == [True] * 3
    curation.decide([root.event("undo", target=back.id)])
    assert {one.state for one in curation.items([m.task.id for m in made]).values()} == {"accepted"}
    assert [one.undone for one in curation.recent("ann", 3)] == [False] * 3
    assert [one.undone for one in curation.recent("root")] == [True]


def test_the_past_can_be_asked(home: Home) -> None:
    project, made = home
    ann = Voice("ann")
    (first,) = project.curation.decide([ann.accept(made[0])])
    project.curation.decide([ann.event("undo", made[0].task.id, target=first.id)])
    assert first.created_at is not None
    sql = "SELECT task_id, state FROM item_at(?)"
    accepted = {"task_id": made[0].task.id, "state": "accepted"}
    assert project.database.rows(sql, [first.created_at]) == [accepted]
    assert project.database.rows(sql, [first.created_at - timedelta(seconds=1)]) == []
    assert project.curation.item(made[0].task.id).state == "pending"


def test_a_larger_overlap_opens_what_was_settled(home: Home) -> None:
    project, made = home
    project.curation.decide([Voice("ann").accept(made[0])])
    project.curation.set_settings(Settings(overlap=2), "root")
    item = project.curation.item(made[0].task.id)
    assert (item.state, item.votes, item.needed) == ("pending", 1, 2)
    assert states(project, "curated") == states(project, "item")
    project.curation.decide([Voice("bob").reject(made[0])])
    assert project.curation.item(made[0].task.id).state == "disputed"


def test_settings_are_kept(home: Home) -> None:
    project, _ = home
    assert project.curation.settings() == Settings()
    wanted = Settings(3, 0.25, False, 2.0, 50, "random")
    project.curation.set_settings(wanted, "root")
    assert project.curation.settings() == wanted


def test_guidelines_have_versions(home: Home) -> None:
    project, _ = home
    curation = project.curation
    assert curation.guideline() is None
    first = curation.add_guideline("Look twice.", "root")
    assert curation.add_guideline("Look twice.", "root") == first
    second = curation.add_guideline("Look three times.", "root")
    assert curation.guideline() == second
    assert curation.guideline(first.version) == first
    assert curation.add_guideline("Look twice.", "ann").version == first.version, (
        "an older text is in force again"
    )
    assert [one.version for one in curation.guidelines()] == [
        first.version,
        second.version,
        first.version,
    ]
    with pytest.raises(InputError, match="the guidelines are empty"):
        curation.add_guideline(" \n", "root")


def test_reviewers_are_measured_with_their_n(home: Home) -> None:
    project, made = home
    ann, bob, root = Voice("ann"), Voice("bob"), Voice("root", "admin")
    curation = project.curation
    curation.decide([root.event("gold", made[0].task.id, ruling="reject", reason="bad_gold")])
    curation.decide(
        [
            ann.accept(made[0], seconds=2),
            ann.accept(made[1], seconds=4),
            ann.reject(made[2], seconds=9),
        ]
    )
    curation.decide([bob.reject(made[0]), bob.accept(made[1]), bob.event("skip", made[2].task.id)])
    by_name = {one.name: one for one in curation.reviewers()}
    assert (
        by_name["ann"].accepted.hits,
        by_name["ann"].accepted.of,
        by_name["ann"].median_seconds,
    ) == (2, 3, 4.0)
    assert (by_name["ann"].gold.hits, by_name["bob"].gold.hits, by_name["bob"].gold.of) == (0, 1, 1)
    assert (by_name["bob"].skipped, by_name["bob"].per_day) == (1, 3.0)
    (pair,) = curation.agreement()
    assert (pair.n, pair.same, pair.note) == (2, 1, "too few: 2 of 30")
    cells = curation.confusion()
    assert (cells.right_accepted, cells.right_rejected, cells.n) == (3, 2, 5)


def test_what_was_decided_in_bulk_is_in_no_figure_of_agreement(home: Home) -> None:
    project, made = home
    curation = project.curation
    curation.set_settings(Settings(overlap=2), "root")
    ann, bob, root = Voice("ann"), Voice("bob"), Voice("root", "admin")
    gold = made[5].task.id
    curation.decide([root.event("gold", gold, ruling="accept", trace_id=made[5].traces[1].id)])
    curation.decide([bob.reject(one, seconds=3) for one in made[:3]])
    curation.decide([ann.reject(made[0], seconds=5)])
    curation.decide_all([one.task.id for one in made[1:5]], Verdicts("ann", "curator"), "batch-01")
    curation.decide([ann.reject(made[5], batch="batch-0002")])
    for pairs in (curation.agreement(), curation.agreement(datetime(9999, 1, 1))):
        assert [(one.first, one.second, one.n, one.same) for one in pairs] == [("ann", "bob", 1, 1)]
    assert curation.confusion().n == 4
    by_name = {one.name: one for one in curation.reviewers()}
    one = by_name["ann"]
    assert (one.decided, one.bulk, one.per_day, one.median_seconds) == (6, 5, 1.0, 5.0)
    assert (one.accepted.of, one.gold.of, by_name["bob"].bulk) == (1, 0, 0)
    assert [(day.author, day.n) for day in reviewing.pace(project.database)] == [
        ("ann", 1),
        ("bob", 3),
    ]


def test_the_days_and_states_of_decisions_are_counted(home: Home) -> None:
    project, made = home
    ann, bob = Voice("ann"), Voice("bob")
    before = now()
    project.curation.decide([ann.accept(made[0]), ann.reject(made[1]), bob.reject(made[2])])
    database = project.database
    (day,) = reviewing.decision_days(database, 5)
    assert [(one.day, one.author, one.n) for one in reviewing.pace(database)] == [
        (str(day), "ann", 2),
        (str(day), "bob", 1),
    ]
    assert reviewing.standing_since(database, "ann", before) == 2
    assert reviewing.standing_since(database, "ann", now() + timedelta(minutes=1)) == 0
    assert reviewing.state_counts(database) == {"rejected": 2, "accepted": 1}


def test_a_ruling_counts_for_every_tool_of_the_trace(home: Home) -> None:
    project, _ = home
    made = loop_records(task(9), 3)
    call = TraceEvent(0, "tool", 2, 0, {"tool": "find"})
    traces = [replace(trace, events=(call,)) for trace in made.traces]
    project.add_tasks([made.task])
    project.add_programs(made.programs, 0)
    project.add_traces(traces)
    project.add_rationales([made.rationale])
    project.curation.decide([Voice("ann").accept(made), Voice("bob").reject(made)])
    (find,) = reviewing.tool_rulings(project.database)
    assert (find.tool, find.n, find.accepted) == ("find", 2, 1)


def test_models_are_rated_blind(home: Home) -> None:
    project, made = home
    curation = project.curation
    student = part_key(made[0].prediction.model)
    assert set(curation.models_to_rate()) == {student, "pipeline"}
    (pair,) = curation.next_rating("ann", student, "pipeline")
    assert {pair.left.model, pair.right.model} == {student, "pipeline"}
    told = {side.model: (side.answer, side.rationale) for side in (pair.left, pair.right)}
    assert told == {student: ("3", "I see three."), "pipeline": ("2", "Thus, there are 2 dogs.")}
    said = Rating(
        pair.left.model, pair.right.model, Form(True, True, True, True), Form(False, False), "left"
    )
    curation.decide([Voice("ann").event("rating", pair.task_id, rating=said)])
    assert pair.task_id not in {
        one.task_id for one in curation.next_rating("ann", "pipeline", student, 9)
    }
    assert len(curation.next_rating("bob", student, "pipeline", 9)) == len(made)
    (only,) = curation.ratings()
    assert (only.author, only.task_id, only.rating) == ("ann", pair.task_id, said)


def test_a_sample_to_rate_is_drawn_once_for_all_raters(home: Home) -> None:
    project, made = home
    curation = project.curation
    student = part_key(made[0].prediction.model)

    def drawn(reviewer: str, seed: int) -> list[str]:
        return [
            pair.task_id
            for pair in curation.next_rating(reviewer, student, "pipeline", 9, sample=3, seed=seed)
        ]

    first = drawn("ann", 0)
    assert len(first) == 3
    assert drawn("bob", 0) == first
    assert any(drawn("ann", seed) != first for seed in range(1, 5))
    said = Rating(student, "pipeline", Form(False, False), Form(False, False), "neither")
    curation.decide([Voice("ann").event("rating", first[0], rating=said)])
    assert drawn("ann", 0) == first[1:], (
        "what was rated is not replaced by a question outside the sample"
    )
    assert curation.rating_progress("ann", student, "pipeline", 3, 0) == (1, 3)
    assert curation.rating_progress("bob", student, "pipeline") == (0, len(made))


def test_the_last_word_on_a_pair_counts(home: Home) -> None:
    project, made = home
    student, task = part_key(made[0].prediction.model), made[0].task.id
    ann = Voice("ann")
    for preference in ("left", "right"):
        said = Rating(student, "pipeline", Form(False, False), Form(True, False), preference)
        project.curation.decide([ann.event("rating", task, rating=said)])
    (only,) = project.curation.ratings()
    assert only.rating is not None
    assert only.rating.preference == "right"


def test_nothing_to_rate_is_said(home: Home) -> None:
    project, _ = home
    with pytest.raises(InputError, match="have no question that both explain"):
        project.curation.next_rating("ann", "pipeline", "nobody")
    with pytest.raises(InputError, match="compares two models"):
        project.curation.next_rating("ann", "pipeline", "pipeline")
