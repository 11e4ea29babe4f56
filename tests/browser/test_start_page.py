"""The start page in a real browser: a newcomer presses one button, watches, stops and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import page_checks
import pytest
from servers import serve
from small_parts import profile_text

from app.main import Running
from workbench.settings import Choice
from workbench.store import Project

pytestmark = pytest.mark.browser

PARTS = Path(__file__).resolve().parent.parent / "small_parts.py"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "small.toml").write_text(profile_text())
    source = Choice(f"{PARTS}:Squares", {"root": str(tmp_path / "drawn")})
    folder = tmp_path / "squares"
    Project.create(folder, str(tmp_path / "small.toml"), source).close()
    with serve(folder) as running:
        yield running


def test_a_newcomer_adds_questions_runs_them_stops_and_goes_on(visit, site: Running) -> None:
    page = visit(site.url)
    assert page.url == f"{site.url}start"
    page.locator("[data-step=questions].is-next").wait_for()
    assert page.locator("[data-step]").count() == 6
    page.keyboard.press("n")
    page.locator("[data-work] h2[data-state=done]").wait_for()
    assert "12 questions added." in page.inner_text("[data-work]")
    page.locator("[data-step=programs].is-next").wait_for()

    profile = site.site.project.path / "profile.toml"
    quick = profile.read_text()
    profile.write_text(profile_text(sampler=f'{{ part = "{PARTS}:Scribe", pause = 600.0 }}'))
    page.get_by_role("button", name="Run 10 questions").click()
    page.locator("[data-far]", has_text="writing programs").wait_for()
    assert page.get_by_role("button", name="Run 10 questions").is_disabled()
    page.reload()  # the work does not hang on the page
    page.get_by_role("button", name="Stop").click()
    page.locator("[data-work] h2[data-state=stopped]").wait_for()

    profile.write_text(quick)
    page.get_by_role("button", name="Go on").click()
    page.locator("[data-work] h2[data-state=done]").wait_for()
    assert "10 answers of the student" in page.inner_text("[data-work]")
    page.locator("[data-step=curate].is-next").wait_for()
    page.locator("[data-recent] [data-kind=run]").first.wait_for()
    page_checks.check_every_width(page)


def test_the_train_page_says_when_the_server_is_away(visit, site: Running) -> None:
    page = visit(f"{site.url}train?every=0.2")
    page.locator("[data-view] h2").wait_for()
    page.context.route("**/data/**", lambda route: route.abort())
    page.locator("[data-stale]", has_text="The server does not answer").wait_for()
    page.context.unroute("**/data/**")
    page.locator("[data-stale]").wait_for(state="hidden")
