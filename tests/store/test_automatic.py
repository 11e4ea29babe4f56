"""The automatic verdict that is stored with a decision: the one in force, whatever the summary says."""

from __future__ import annotations

from dataclasses import replace

from curation_project import Home, Voice
from store_rows import VERIFIER, scope_of

from workbench.records import PartRef, content_key
from workbench.store import Project, Selection
from workbench.store.people import automatic
from workbench.store.reading.summary import bring_up_to_date

STRICT = PartRef("verifier", "strict")


def verdicts(project: Project, tasks: dict[str, str]) -> dict[str, bool]:
    return project.database.transaction(lambda cursor: automatic.automatic(cursor, tasks))


def test_verdicts_are_the_same_from_the_summary_and_from_the_verdicts(home: Home) -> None:
    project, made = home
    tasks = {trace.id: trace.task_id for one in made for trace in one.traces}
    right = {
        verdict.trace_id: verdict.correct
        for one in made
        for verdict in one.verdicts
        if verdict.trace_id
    }
    assert verdicts(project, tasks) == right, "nothing was summed up yet"
    bring_up_to_date(project.database)
    assert verdicts(project, tasks) == right
    few = dict(list(tasks.items())[:2])
    assert verdicts(project, few) == {trace: right[trace] for trace in few}
    assert verdicts(project, {}) == {}


def test_a_later_verifier_counts_before_the_summary_knows_it(home: Home) -> None:
    project, made = home
    bring_up_to_date(project.database)
    judged = [
        replace(one, id=content_key(one.id, "strict"), correct=False, chosen=False, verifier=STRICT)
        for one in made[0].verdicts
    ]
    project.add_verdicts([judged])
    assert project.curation.decide([Voice("ann").accept(made[0])])[0].automatic is True
    run = project.start_run(scope_of(made[0]), Selection(), "verify")
    project.set_part(run, "verifier", STRICT)
    assert project.curation.decide([Voice("bob").accept(made[0])])[0].automatic is False
    project.set_part(run, "verifier", VERIFIER)
    assert project.curation.decide([Voice("cleo").accept(made[0])])[0].automatic is True


def test_a_run_that_nobody_judged_has_no_verdict(home: Home) -> None:
    project, made = home
    bring_up_to_date(project.database)
    parent = made[0].programs[0]
    repaired = replace(parent, id=content_key("repair"), source="# again", parent=parent.id)
    project.add_programs([repaired], 0)
    again = replace(made[0].traces[1], id="repaired", program_id=repaired.id)
    project.add_traces([again])
    event = Voice("ann").reject(made[0], trace_id=again.id)
    assert project.curation.decide([event])[0].automatic is None
