"""Charts hold what the store holds: rows, links into Browse, lineage; and say what fills them where
there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import model_rows
import page_project
import pytest

from workbench.records import Decision, content_key
from workbench.screen.charts.chart import Chart
from workbench.screen.charts.overview import SystemFigures, overview
from workbench.screen.charts.project_charts import (
    disk_chart,
    loop_charts,
    numbers,
    people_charts,
    tool_charts,
)
from workbench.screen.charts.sections import sections_of
from workbench.screen.charts.system_charts import model_charts
from workbench.screen.charts.trust_charts import stamp, trust_charts
from workbench.store import Project


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Iterator[Project]:
    """Five scenes, a taught student, two reviewers who differ on one of six questions."""
    folder = page_project.build(tmp_path_factory.mktemp("charts") / "p", scenes=5)
    with Project.open(folder) as project:
        model_rows.teach(project)
        tasks = [one for one in project.outcomes() if one.executed][:6]
        project.curation.decide(
            [
                Decision(
                    content_key(author, at),
                    "reject" if at < 2 + (author == "ben") else "accept",
                    author,
                    "curator",
                    task_id=one.task_id,
                    trace_id=next(run.trace for run in one.runs if run.answer is not None),
                    seconds=30.0,
                    reason="wrong_tool_output" if at < 2 + (author == "ben") else None,
                )
                for author in ("ann", "ben")
                for at, one in enumerate(tasks)
            ]
        )
        yield project


def charts(project: Project) -> dict[str, Chart]:
    found = overview(project)
    held = [
        *loop_charts(found),
        *model_charts(found),
        *trust_charts(project),
        *tool_charts(found),
        *people_charts(found),
    ]
    return {chart.name: chart for chart in (*held, disk_chart(found))}


def test_rows_have_a_cell_for_each_column(made: Project) -> None:
    wrong = [
        (chart.name, row)
        for chart in charts(made).values()
        for row in chart.rows
        if len(row) != len(chart.columns)
    ]
    assert wrong == []


def test_links_find_what_their_rows_count(made: Project) -> None:
    held = charts(made)
    counted = [
        (held["funnel"], [row[1] for row in held["funnel"].rows]),
        (held["families"], [row[1] for row in held["families"].rows]),
        (held["errors"], [row[3] for row in held["errors"].rows]),
    ]
    for chart, numbers_ in counted:
        found = [made.browse_total(link) for link in chart.links if link is not None]
        assert found == [
            number for number, link in zip(numbers_, chart.links, strict=True) if link is not None
        ], chart.name


def test_the_funnel_ends_in_what_models_were_taught(made: Project) -> None:
    assert [row[:2] for row in charts(made)["funnel"].rows[-2:]] == [
        ("in snapshot", 12),
        ("trained", 9),
    ]


def test_gains_of_pass_at_k_are_against_pass_at_1(made: Project) -> None:
    rows = charts(made)["pass_at_k"].rows
    first, last = rows[0], rows[-1]
    assert first[5:] == ("+0.0", "+0.0 %")
    gain = last[1] - first[1]
    assert last[5:] == (f"{100 * gain:+.1f}", f"{100 * gain / first[1]:+.1f} %")


def test_lineage_leads_from_snapshot_to_evaluation(made: Project) -> None:
    rows = charts(made)["lineage"].rows
    assert [(row[0], row[1], row[2]) for row in rows] == [("first", "vpd", "done")] * 2
    assert [row[4].partition(",")[0] for row in rows] == ["vpd", "vpd explained"]


def test_the_learning_curve_begins_with_the_untaught(made: Project) -> None:
    held = charts(made)
    assert [(row[0], row[1], row[2]) for row in held["learning"].rows] == [
        ("base", 0, 0),
        ("vpd", 12, 9),
        ("vpd explained", 12, 9),
    ]
    where = {trace["name"]: trace["x"] for trace in held["learning"].plot["data"]}
    assert where == {"base": [0.0], "vpd": [12.0], "vpd explained": [12.0]}


def test_a_line_while_learning_is_a_mean_over_seeds(made: Project) -> None:
    whole = overview(made)
    jobs = [replace(whole.lineage.jobs[0], id=f"j{at}", name=f"vpd seed {at}", seed=at, kin="k")
            for at in range(2)]  # fmt: skip
    marks = {
        "j0": [{"step": 0, "accuracy": 0.2, "of": 10}, {"step": 9, "accuracy": 0.4, "of": 10}],
        "j1": [{"step": 0, "accuracy": 0.4, "of": 10}, {"step": 9, "accuracy": 0.8, "of": 10}],
    }
    shown = replace(whole, lineage=replace(whole.lineage, jobs=jobs), validation=marks)
    chart = next(one for one in model_charts(shown) if one.name == "while_learning")
    assert [row[:2] for row in chart.rows] == [("vpd", 0), ("vpd", 9)]
    assert [row[2] for row in chart.rows] == [pytest.approx(0.3), pytest.approx(0.6)]
    assert chart.rows[0][3:] == (2, 10)
    assert chart.plot["data"][0]["x"] == [0, 9]
    assert charts(made)["while_learning"].rows == ()


def test_differences_are_from_the_base(made: Project) -> None:
    rows = {row[0]: row for row in charts(made)["against"].rows}
    assert rows["vpd"][6] == pytest.approx(0.3, abs=0.05)
    assert rows["base"][6] is None


def test_timed_evaluations_take_the_place_of_the_loops_times(made: Project) -> None:
    rows = charts(made)["accuracy_latency"].rows
    assert {row[0]: row[-1] for row in rows} == {
        "pipeline k=1": 3.1,
        "base": 0.2,
        "vpd": 0.2,
        "vpd explained": 0.2,
    }


def test_people_agree_and_say_why(made: Project) -> None:
    held = charts(made)
    [(_, pair, kappa, n)] = held["kappas"].rows
    assert (pair, n) == ("ann, ben", 6)
    assert kappa == pytest.approx(0.667, abs=0.01)
    assert held["reasons"].rows == (("wrong_tool_output", 5),)


def test_the_best_student_stands_among_the_numbers(made: Project) -> None:
    found = {name: (value, says) for name, value, says in numbers(overview(made))}
    assert found["Best student"][1].startswith("vpd: ")


def test_an_empty_project_says_what_fills_each_chart(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p") as project:
        silent = [
            name
            for name, chart in charts(project).items()
            if not chart.rows and "Fills when" not in chart.empty
        ]
        assert silent == ["errors"]
        assert ("Best student", "–", "no answer yet") in numbers(overview(project))


def test_names_are_no_markup_in_plots(tmp_path: Path) -> None:
    folder = page_project.build(tmp_path / "p", scenes=1)
    with Project.open(folder) as project:
        model_rows.teach(project, name=page_project.HOSTILE)
        held = charts(project)
        told = repr(
            [
                held[name].plot
                for name in ("systems", "learning", "lineage", "accuracy_latency", "against")
            ]
        )
        assert "‹img" in told
        assert "<img" not in told.replace("<extra>", "")


def test_the_stamp_changes_with_what_the_charts_read(made: Project) -> None:
    before = stamp(made)
    assert stamp(made) == before
    model_rows.teach(made, name="again", job="job-2")
    assert stamp(made) != before


def test_sections_hold_every_chart_and_no_half_stands_alone(made: Project) -> None:
    sections = sections_of(overview(made), trust_charts(made))
    names = [chart.name for one in sections for chart in (*one.charts, *one.empty)]
    assert len(names) == len(set(names)) >= 20
    for one in sections:
        assert all(chart.rows for chart in one.charts)
        assert not any(chart.rows for chart in one.empty)
        halves = 0
        for chart in one.charts:
            if chart.size == "wide":
                assert halves % 2 == 0, (one.name, chart.name)
            else:
                halves += 1
        assert halves % 2 == 0, one.name


def test_names_in_a_plot_never_meet(made: Project) -> None:
    whole = overview(made)

    def system(name: str, value: float, seconds: float) -> SystemFigures:
        return SystemFigures(name, value, value, value, 40, seconds, pipeline=False)

    def drawn(*models: SystemFigures) -> list[tuple[str, str, bool]]:
        chart = model_charts(replace(whole, models=models))[0]
        assert chart.plot is not None
        return [(one["mode"], one["textposition"], one["showlegend"]) for one in chart.plot["data"]]

    apart = drawn(system("fast one", 0.9, 0.1), system("slow one with a long name", 0.5, 9.0))
    assert apart == [
        ("markers+text", "middle right", False),
        ("markers+text", "middle left", False),
    ]
    near = drawn(system("student", 0.61, 0.1), system("another student", 0.6, 0.12))
    assert near == [("markers", "middle right", True)] * 2
