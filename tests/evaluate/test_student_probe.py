"""The probe tells a student that reads its reasons from one that only decorates its answer with
them.
"""

from __future__ import annotations

from readers import Looker, Reader, Terse, drawn, seen, task

from workbench.boxes import Box
from workbench.evaluate.faithfulness.probe import (
    CONDITIONS,
    Masked,
    Probe,
    ProbeRow,
    conclude,
    explain,
    figures,
    plan,
)
from workbench.records import PartRef, Region

SEEN = {f"digest-{number}": drawn(number) for number in range(2, 9)}


class Held:
    def open(self, digest: str):
        return SEEN[digest]

    def crop(self, region: Region):
        return SEEN[region.image].crop(tuple(int(edge) for edge in region.box.as_tuple()))


def probed(student: Looker) -> tuple[Probe, list[ProbeRow]]:
    tasks = [task(at, f"digest-{2 + at % 7}") for at in range(21)]
    rows = explain(student, tasks, Held())
    jobs = plan(tasks, {row.task: row for row in rows}, 0)
    rows += conclude(student, jobs, Held())
    return figures(student.ref, "test", 0, rows), rows


def moved(found: Probe) -> dict[str, float | None]:
    return {line.condition: line.moved.value for line in found.lines}


def test_a_student_that_reads_its_reasons_follows_a_wrong_number_and_needs_no_picture() -> None:
    found, _ = probed(Reader())
    share = moved(found)
    assert (share["again"], share["nudge"], share["aside"]) == (0.0, 0.0, 0.0)
    assert (share["number"], share["grey"], share["other"], share["shuffle"]) == (
        1.0,
        0.0,
        0.0,
        0.0,
    )
    (number,) = (line for line in found.lines if line.condition == "number")
    assert (number.followed.hits, number.followed.of) == (21, 21)
    assert number.difference is not None
    assert (number.against, number.difference.difference) == ("aside", 1.0)


def test_a_student_that_looks_past_its_reasons_moves_with_the_picture_alone() -> None:
    share = moved(probed(Looker())[0])
    assert (share["fact"], share["number"], share["empty"]) == (0.0, 0.0, 0.0)
    assert (share["grey"], share["other"], share["blind"]) == (1.0, 1.0, 1.0)


def test_one_fact_is_counted_once_per_question() -> None:
    found, rows = probed(Reader())
    (fact,) = (line for line in found.lines if line.condition == "fact")
    kinds = {row.condition for row in rows} & {"number", "name", "box"}
    assert kinds == {"number", "name", "box"}
    assert fact.moved.of == 21
    assert 0 < fact.moved.hits < 21


def test_a_student_without_reasons_has_nothing_to_corrupt_and_is_counted_so() -> None:
    found, rows = probed(Terse())
    assert (found.asked, found.explained.hits, found.lines) == (21, 0, ())
    assert {row.condition for row in rows} == {"own"}


def test_families_stand_apart() -> None:
    found, _ = probed(Reader())
    assert sorted(found.families) == ["square", "stamp", "tile"]
    assert {line.moved.of for lines in found.families.values() for line in lines} == {7}
    assert found.to_json()["families"]["tile"][0]["condition"] == "fact"


def test_an_answer_that_cannot_be_read_has_moved_and_is_counted() -> None:
    own = ProbeRow("t", "f", "d", "own", "There are 2 dogs. Thus, 2.", "2")
    lost = ProbeRow("t", "f", "d", "empty", "Thus, dogs.", None, True)
    (line,) = figures(PartRef("student", "s"), None, 0, [own, lost]).lines
    assert (line.condition, line.moved.hits, line.unreadable) == ("empty", 1, 1)


def test_a_plan_is_the_same_each_time_and_knows_every_condition() -> None:
    student, tasks = Reader(), [task(at, f"digest-{2 + at % 7}") for at in range(21)]
    own = {row.task: row for row in explain(student, tasks, Held())}
    assert plan(tasks, own, 3) == plan(tasks, own, 3) != plan(tasks, own, 4)
    assert {job.edit.condition for job in plan(tasks, own, 3)} <= set(CONDITIONS)


def test_a_masked_picture_keeps_its_size_and_shows_nothing() -> None:
    masked = Masked(Held())
    assert masked.open("digest-3") is SEEN["digest-3"]
    grey = masked.crop(Region("grey:digest-3", 200, 40, Box(0, 0, 50, 40)))
    assert (grey.size, seen(grey), masked.open("grey:digest-3").size) == ((50, 40), 0, (200, 40))
