"""What answers rest on: derived when somebody asks, the same for every reader, and kept then."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from store_rows import Made, empty_project, loop_records, put_in_force, scope_of, task

from workbench.bench.store_records import bench_records
from workbench.rationalize.follow.evidence import evidence_of
from workbench.records import Trace
from workbench.store import Project, doctor
from workbench.store.reading import evidence, summary
from workbench.store.reading.evidence import keep_derived
from workbench.store.records.rows import from_trace, part_key, to_trace


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(empty_project(tmp_path)) as made:
        yield made


@pytest.fixture
def made(project: Project) -> Made:
    records = loop_records(task(0), k=3)
    put_in_force(project)
    records.write(project)
    return records


def stored(project: Project) -> dict[str, str | None]:
    """What the table holds, by the id of the trace."""
    rows = project.database.rows("SELECT id, evidence FROM trace")
    return {row["id"]: row["evidence"] for row in rows}


def test_storing_a_trace_follows_no_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a run was followed")

    monkeypatch.setattr("workbench.rationalize.follow.evidence.evidence_of", refuse)
    made = loop_records(task(0), k=3)
    made.write(project)
    kinds = [stored(project)[trace.id] for trace in made.traces]
    assert kinds == ["", None, None], "the first failed; what the others rest on is open"


@pytest.mark.parametrize("read_only", [False, True])
def test_every_reader_sees_the_same(project: Project, made: Made, read_only: bool) -> None:
    kept = made.traces[1]
    project.close()
    with Project.open(project.path, read_only=read_only) as opened:
        scope = scope_of(made)
        assert opened.counts(scope).evidence == {"none": 1}
        assert [outcome.evidence for outcome in opened.outcomes(scope)] == ["none"]
        assert stored(opened)[kept.id] == (None if read_only else "none")
        ((_, runs),) = opened.runs([made.task.id], scope)
        ((_, _, one),) = opened.traced([kept.id])
        _, run = opened.run_view(kept.id)
        view = opened.task_view(made.task.id, scope)
        assert view.chosen is not None
        for trace in (runs[1][1], one, run.trace, view.chosen.trace):
            assert trace is not None
            assert trace.evidence == "none"
        assert runs[0][1].evidence is None, "it failed"


def test_browse_keeps_what_the_kept_run_rests_on(project: Project, made: Made) -> None:
    assert project.browse_total("evidence:none") == 1
    (facet,) = [one for one in project.browse_facets() if one.name == "evidence"]
    assert [(value.value, value.count) for value in facet.values] == [("none", 1)]
    kinds = stored(project)
    assert [kinds[trace.id] for trace in made.traces] == ["", "none", None]
    assert [one for one in doctor.examine(project.path, quick=True) if one.check == "summary"] == []


def test_what_was_looked_at_is_kept(project: Project, made: Made) -> None:
    ((_, runs),) = project.runs([made.task.id], scope_of(made))
    traces = [trace for _, trace in runs]
    keep_derived(project.database, traces)
    assert stored(project)[traces[2].id] is None, "nobody looked"
    assert traces[2].evidence == "none"
    keep_derived(project.database, traces)
    kinds = stored(project)
    assert [kinds[trace.id] for trace in traces] == ["", None, "none"]


def lazy_trace() -> tuple[Trace, Trace]:
    """A trace with evidence, and the same one as the store gives it back."""
    records = bench_records(1)
    program, trace = records.programs[0], records.traces[0]
    row: dict[str, Any] = from_trace(trace, part_key, None)  # type: ignore[arg-type]
    again = to_trace(row, {part_key(trace.executor): trace.executor}, program.source)
    return replace(trace, evidence=evidence_of(program.source, trace)), again


def test_a_stored_trace_equals_the_trace() -> None:
    whole, again = lazy_trace()
    assert whole.evidence is not None
    assert again == whole
    assert whole == again
    assert again != replace(whole, evidence=None)
    assert again != whole.id


def test_a_stored_trace_can_be_copied_and_sent() -> None:
    for change in (
        lambda trace: pickle.loads(pickle.dumps(trace)),
        copy.deepcopy,
        lambda trace: replace(trace, seconds=trace.seconds),
    ):
        whole, again = lazy_trace()
        assert change(again) == whole


def test_events_that_cannot_be_read_rest_on_nothing(project: Project, made: Made) -> None:
    sql = "UPDATE trace SET events = '\\x00'::BLOB"
    project.database.transaction(lambda cursor: cursor.execute(sql))
    ((_, runs),) = project.runs([made.task.id], scope_of(made))
    assert [trace.evidence for _, trace in runs] == [None, None, None]
    assert project.browse(limit=1).rows[0][1].evidence == ""


def test_the_log_of_a_batch_holds_that_batch_alone(project: Project) -> None:
    """With lists in its rows, DuckDB's log would take every earlier batch again with each one."""
    log = project.database.path.with_name("vpd.duckdb.wal")
    sizes = []
    for batch in range(24):
        question = f"What is here {batch}? " + "a dog or a cat " * 40
        project.add_tasks([task(100 * batch + at, question=question) for at in range(20)])
        sizes.append(log.stat().st_size)
    growth = [after - before for before, after in pairwise(sizes)]
    assert min(growth) > 0, "the log was folded in; make the batches smaller"
    assert growth[-1] < 2 * growth[0]


def test_a_column_that_is_opened_while_evidence_is_derived_is_not_forgotten(
    project: Project, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    derive = evidence.evidence

    def interrupted(database: Any, ids: Any) -> dict[str, str]:
        database.transaction(
            lambda cursor: cursor.execute(
                "UPDATE trace SET form = NULL; UPDATE summary SET lacking = true;"
                "INSERT INTO touched SELECT task_id, executor, '' FROM trace"
            )
        )
        monkeypatch.setattr(evidence, "evidence", derive)
        return derive(database, ids)

    project.outcomes()
    project.database.transaction(
        lambda cursor: cursor.execute(
            "UPDATE outcome SET evidence = NULL; UPDATE summary SET lacking = true"
        )
    )
    monkeypatch.setattr(evidence, "evidence", interrupted)
    summary.bring_up_to_date(project.database)
    (row,) = project.database.rows("SELECT count(*) AS open FROM trace WHERE form IS NULL")
    assert row["open"] == 0
