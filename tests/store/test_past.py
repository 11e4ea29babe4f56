"""What was decided by hour, person and batch, and what a rollback takes back."""

from __future__ import annotations

from datetime import datetime, timedelta

from curation_project import Home, Voice

from workbench.store.kernel.database import now
from workbench.store.people import past
from workbench.store.people.decide_many import Verdicts


def test_a_batch_stands_apart_and_a_rollback_takes_it_alone(home: Home) -> None:
    project, made = home
    curation, database = project.curation, project.database
    ann, bob, root = Voice("ann"), Voice("bob"), Voice("root", "admin")
    (first,) = curation.decide([ann.accept(made[0])])
    curation.decide([ann.event("undo", made[0].task.id, target=first.id), bob.reject(made[5])])
    curation.decide_all(
        [one.task.id for one in made[1:4]], Verdicts("ann", "curator"), "batch-0001"
    )
    curation.decide([ann.reject(made[4])])
    assert past.authors(database) == ["ann", "bob"]
    rows = {(one.author, one.batch): one for one in past.stretches(database, None, None, 9)}
    assert set(rows) == {("ann", None), ("ann", "batch-0001"), ("bob", None)}
    alone, batch = rows["ann", None], rows["ann", "batch-0001"]
    assert (dict(alone.kinds), alone.n, alone.undone) == ({"accept": 1, "reject": 1}, 2, 1)
    assert (dict(batch.kinds), batch.undone, batch.first) == ({"accept": 3}, 0, batch.last)
    assert [one.author for one in past.stretches(database, "bob", None, 9)] == ["bob"]
    assert past.stretches(database, None, batch.hour, 9) == []

    until = batch.last + timedelta(microseconds=1)
    found = past.reach(database, "ann", batch.first, until)
    assert (found.events, found.questions, dict(found.kinds)) == (3, 3, {"accept": 3})
    back = root.event("rollback", subject="ann", since=batch.first, until=until)
    curation.decide([back])
    assert past.reach(database, "ann", batch.first, until).events == 0
    assert {one.state for one in curation.items([m.task.id for m in made[1:4]]).values()} == {
        "pending"
    }
    assert curation.item(made[4].task.id).state == "rejected"
    (one,) = past.rollbacks(database, 5)
    assert (one.author, one.subject, one.undone) == ("root", "ann", False)
    curation.decide([root.event("undo", target=back.id)])
    assert past.rollbacks(database, 5)[0].undone
    assert past.reach(database, "ann", batch.first, until).events == 3


def test_the_last_session_is_of_one_person(home: Home) -> None:
    project, made = home
    ann, bob = Voice("ann"), Voice("bob")
    project.curation.decide([ann.accept(made[0], seconds=3), bob.reject(made[1])])
    one = past.session(project.database, "ann")
    assert one is not None
    assert (one.decided, one.seconds, one.judged) == (1, 3.0, 1)
    assert isinstance(one.begin, datetime)
    assert one.begin <= now()
    assert past.session(project.database, "cy") is None
