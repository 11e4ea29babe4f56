"""The dashboard in a real browser: charts under our policy, zoom that stays, tables, CSV, and what
an empty one says.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import page_checks
import pytest
from finished_project import finished_project
from page_project import HOSTILE
from servers import Running, serve, sync_api
from small_parts import profile_text

from workbench.records import Decision, content_key
from workbench.screen.charts.overview import overview
from workbench.store import Project

Visit = Callable[..., sync_api.Page]
CHARTS = ("pass_at_k", "by_tool", "errors", "accuracy_latency")
"""Those that have something to show after a run without people."""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return finished_project(tmp_path_factory.mktemp("made"))


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Iterator[Running]:
    with serve(Path(shutil.copytree(made, tmp_path / "p"))) as running:
        yield running


def drawn(page: sync_api.Page, name: str) -> sync_api.Locator:
    plot = page.locator(f"[data-chart={name}] .plot")
    sync_api.expect(plot.locator(".main-svg").first).to_be_visible()
    return plot


def decide(project: Project, kind: str, author: str, number: int = 0) -> None:
    kept = [one for one in project.outcomes() if one.chosen][number]
    reason = "wrong_tool_output" if kind == "reject" else None
    event = Decision(
        content_key(author, kind, number),
        kind,
        author,
        "curator",
        task_id=kept.task_id,
        trace_id=kept.chosen,
        reason=reason,
        seconds=4.0,
    )
    project.curation.decide([event])


def test_charts_are_drawn_explained_and_lead_on_and_the_policy_is_kept(
    visit: Visit, site: Running
) -> None:
    page = visit("about:blank")
    page.add_init_script(
        """window.stopped = [];
        addEventListener("securitypolicyviolation", (event) => { stopped.push(event.target.textContent.slice(0, 15)); });"""
    )
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{site.url}dashboard")
    for name in CHARTS:
        drawn(page, name)
    assert page.evaluate("stopped") == []
    assert [text for text in said if "WARN" in text or "eval" in text] == []
    page_checks.check(page)
    each_has_n_time_and_a_table(page, site)
    colours_follow_the_theme(page)
    the_report_is_a_file(page)
    page.locator(".funnel a").filter(has_text="matched").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/browse?*")
    assert "status%3Akept" in page.url


def each_has_n_time_and_a_table(page: sync_api.Page, site: Running) -> None:
    for chart in page.locator(".chart").all():
        foot = chart.locator("footer").inner_text()
        assert "as of" in foot
        assert "n = " in foot or "n beside each" in foot or "sizes" in foot
    chart = page.locator("[data-chart=pass_at_k]")
    chart.locator("summary").focus()
    page.keyboard.press("Enter")
    rows = chart.locator(".rows tbody tr")
    assert rows.count() == 4
    value = overview(site.site.project).curve[0][1].value
    assert rows.first.inner_text().split()[:2] == ["1", str(round(value, 4))]


def colours_follow_the_theme(page: sync_api.Page) -> None:
    plot = drawn(page, "pass_at_k")
    before = plot.evaluate("(node) => node.layout.font.color")
    page.get_by_role("button", name="Light or dark").click()
    page.wait_for_function(
        "(before) => document.querySelector('[data-chart=pass_at_k] .plot').layout.font.color !== before",
        arg=before,
    )


def the_report_is_a_file(page: sync_api.Page) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="Report", exact=True).click()
    text = download.value.path().read_text(encoding="utf-8")
    assert download.value.suggested_filename == "report.html"
    assert "<h1>p</h1>" in text


def test_zoom_survives_three_ticks(visit: Visit, site: Running) -> None:
    page = visit(f"{site.url}dashboard?every=1")
    plot = drawn(page, "pass_at_k")
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=5)
    page.mouse.up()
    span = "document.querySelector('[data-chart=pass_at_k] .plot').layout.xaxis.range"
    zoomed = page.evaluate(span)
    assert zoomed[1] - zoomed[0] < 3
    node = page.evaluate_handle("document.querySelector('[data-chart=pass_at_k] .main-svg')")
    for number in range(3):
        decide(site.site.project, "accept", "ann", number)
        with page.expect_response("**/data/dashboard"):
            pass
    page.wait_for_timeout(400)
    assert page.evaluate(span) == zoomed
    whole = page.locator("[data-chart=pass_at_k]").get_by_role("button", name="Whole chart")
    place = whole.bounding_box()
    assert page.evaluate("(node) => node.isConnected", node)
    whole.click()
    page.wait_for_function(f"() => {span}[1] - {span}[0] > 3")
    sync_api.expect(whole).to_be_disabled()
    assert whole.bounding_box() == place


def test_new_figures_arrive_without_a_reload(visit: Visit, site: Running) -> None:
    page = visit(f"{site.url}dashboard?every=1")
    drawn(page, "pass_at_k")
    sync_api.expect(page.locator("[data-empty=pace]")).to_contain_text("Fills when people decide")
    node = page.locator("[data-chart=pass_at_k]").element_handle()
    decide(site.site.project, "accept", "ann")
    drawn(page, "pace")
    sync_api.expect(page.locator("[data-empty=pace]")).to_have_count(0)
    assert page.evaluate("(node) => node.isConnected", node)
    sections = page.eval_on_selector_all(
        ".chart-section", "all => all.map((one) => [one.id, one.querySelectorAll('.chart').length])"
    )
    assert [name for name, _ in sections] == [
        "loop",
        "systems",
        "trust",
        "tools",
        "people",
        "folder",
    ]
    assert all(count for name, count in sections if name in ("loop", "people", "folder"))
    sync_api.expect(
        page.locator(".numbers div").filter(has_text="Accepted").locator("b")
    ).to_have_text("1")


def test_the_csv_holds_the_figures_and_no_formula_and_names_are_text(
    visit: Visit, site: Running
) -> None:
    decide(site.site.project, "accept", "=cmd|evil")
    decide(site.site.project, "accept", HOSTILE, 1)
    page = visit(f"{site.url}dashboard")
    drawn(page, "pass_at_k")
    with page.expect_download() as download:
        page.get_by_role("button", name="pass@k: download as CSV").click()
    rows = list(csv.reader(download.value.path().open(newline="")))
    assert rows[0][:5] == ["k", "pass@k", "low", "high", "n"]
    assert float(rows[1][1]) == pytest.approx(overview(site.site.project).curve[0][1].value)
    with page.expect_download() as download:
        page.get_by_role("button", name="Reviewers: download as CSV").click()
    reviewers = [row[0] for row in csv.reader(download.value.path().open(newline=""))]
    assert "'=cmd|evil" in reviewers
    drawn(page, "pace")
    assert HOSTILE[:20] in page.locator("[data-chart=reviewers]").inner_text()
    assert page.evaluate("window.hacked") is None
    assert page.locator(".chart img").count() == 0


@pytest.mark.parametrize(
    ("width", "theme"), [(390, "light"), pytest.param(1440, "dark", marks=pytest.mark.slow)]
)
def test_nothing_runs_over_the_side(visit: Visit, site: Running, width: int, theme: str) -> None:
    decide(site.site.project, "reject", "a-name-" + "long" * 30)
    page = visit(f"{site.url}dashboard", width, theme)
    drawn(page, "accuracy_latency")
    drawn(page, "pace")
    page.evaluate(
        "document.querySelectorAll('.chart details').forEach((one) => { one.open = true; })"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_empty_dashboard_says_what_fills_it(visit: Visit, tmp_path: Path, site: Running) -> None:
    (tmp_path / "small.toml").write_text(profile_text())
    Project.create(tmp_path / "empty", str(tmp_path / "small.toml")).close()
    with serve(tmp_path / "empty") as running:
        page = visit(f"{running.url}dashboard")
        assert "vpd import" in page.locator(".empty code").inner_text()
    page = visit(f"{site.url}dashboard")
    sync_api.expect(page.locator("[data-empty=agreement]")).to_contain_text("set overlap to 2")
