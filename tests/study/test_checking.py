"""Kept runs of a project are checked, and checked again only when something changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from finished_project import finished_project

from workbench.curate.queue import QueueRequest
from workbench.pipeline.loop import run
from workbench.pipeline.progress import Progress
from workbench.store import Project, Selection
from workbench.store.reading import checks
from workbench.store.reading.checks import CheckRow
from workbench.study import checking


def test_kept_runs_are_checked_once(tmp_path: Path) -> None:
    with Project.open(finished_project(tmp_path)) as project:
        kept = {outcome.chosen for outcome in project.outcomes() if outcome.chosen}
        told: list[Progress] = []
        first = checking.check(project, progress=told.append)
        again = checking.check(project)
        assert (first.new, again.new) == (len(kept), 0)
        assert set(again.checks) == kept
        assert first.checks == again.checks == checking.known_checks(project, list(kept))
        assert (told[-1].done, told[-1].total) == (len(kept), len(kept))


def test_a_selection_checks_no_more_than_itself(tmp_path: Path) -> None:
    with Project.open(finished_project(tmp_path)) as project:
        some = checking.check(project, Selection("test", None))
        rest = checking.check(project)
        assert 0 < some.new < rest.new + some.new == len(rest.checks)


def test_what_was_finished_stays_when_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "CHUNK", 2)

    def stop(progress: Progress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with Project.open(finished_project(tmp_path)) as project:
        with pytest.raises(KeyboardInterrupt):
            checking.check(project, progress=stop)
        rest = checking.check(project)
        assert rest.new == len(rest.checks) - 2


def test_another_number_of_programs_is_checked_again(tmp_path: Path) -> None:
    with Project.open(finished_project(tmp_path)) as project:
        first = checking.check(project)
        run(project, k=2)
        assert checking.check(project).new > 0
        assert checking.check(project).new == 0
        assert first.new > 0


def test_a_project_without_drawn_scenes_has_no_exact_figures(tmp_path: Path) -> None:
    with Project.open(finished_project(tmp_path)) as project:
        assert checking.last_attribution(project) is None
        found = checking.attribute(project)
        assert (found.all.of, found.left_out) == (0, 48)
        assert checking.last_attribution(project) == found
        figures = checking.measure_checks(project)
        assert checking.last_measures(project) == figures
        assert figures.sets["natural"]["suspicion"].recall.of == 0


def test_flags_are_searched_and_the_most_suspicious_come_first(tmp_path: Path) -> None:
    with Project.open(finished_project(tmp_path)) as project:
        kept = [(o.task_id, str(o.chosen)) for o in project.outcomes() if o.status == "kept"]
        (calm, first), (odd, second) = kept[0], kept[-1]
        findings = (("idle", 0.5, "It does not depend on <b>find</b>('\ud800')."),)
        checks.add(
            project.database,
            [
                CheckRow("a", second, odd, 0.9, ("idle", "side"), findings),
                CheckRow("b", first, calm, 0.1, (), ()),
            ],
        )
        checks.add(project.database, [CheckRow("c", first, calm, 0.2, (), ())])
        assert project.browse_ids("flag:idle") == project.browse_ids("flag:any") == [odd]
        assert project.browse_ids("flag:id") == []
        assert checks.check_rows(project.database, [first])[first].suspicion == 0.2
        assert "<b>find</b>" in checks.check_rows(project.database, [second])[second].findings[0][2]
        served = project.curation.next_items("ann", "curator", QueueRequest(order="suspicion"), 2)
        assert [one.task_id for one in served] == [odd, calm]
        assert served[0].why == "the checks speak against it most"
