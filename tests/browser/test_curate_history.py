"""The history of decisions and taking it back, the session, keys of one's own, a dozen at once, and
the page on a phone.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import page_checks
import page_project
import pytest
from curate_steps import events, opened, saved, shown
from servers import serve

from app.main import Running
from workbench.store.people.decide_many import Verdicts

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_project.build(tmp_path_factory.mktemp("past") / "collages", scenes=24)


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Iterator[Running]:
    shutil.copytree(made, tmp_path / "collages")
    with serve(tmp_path / "collages") as running:
        yield running


@pytest.mark.parametrize(
    ("width", "theme"), [pytest.param(1440, "light", marks=pytest.mark.slow), (390, "dark")]
)
def test_a_batch_is_taken_back_and_brought_back_from_the_history(
    visit, site: Running, width: int, theme: str
) -> None:
    curation = site.site.project.curation
    kept = [one.task_id for one in site.site.project.outcomes() if one.status == "kept"]
    curation.decide_all(kept[:3], Verdicts("ann", "admin"), "batch-0001")
    curation.decide_all(kept[3:], Verdicts("bob", "curator", "unsafe"), "batch-0002")
    page = visit(f"{site.url}curate?mode=history", width, theme)
    row = page.locator(".past li", has_text="3 accepted")
    row.wait_for()
    assert "in bulk" in row.inner_text()
    page_checks.check(page)
    page.keyboard.press("j")
    assert page.locator(".past li:focus").inner_text().startswith("ann")
    page.keyboard.press("u")
    page.locator("dialog[open]", has_text="3 accepted: 3 events on 3 questions").wait_for()
    page.keyboard.press("Enter")
    page.locator(".toast", has_text="3 events taken back").wait_for()
    page.locator(".past li.back", has_text="3 accepted").wait_for()
    assert {one.state for one in curation.items(kept[:3]).values()} == {"pending"}
    assert {one.state for one in curation.items(kept[3:]).values()} == {"rejected"}
    page.click("[data-rollbacks] >> text=Bring back")
    page.locator(".toast", has_text="Brought back").wait_for()
    assert {one.state for one in curation.items(kept[:3]).values()} == {"accepted"}

    page.select_option("[data-span] select", "bob")
    for name, time in (("since", "2020-01-01T00:00"), ("until", "2099-01-01T00:00")):
        page.fill(f"[data-span] [name={name}]", time)
        page.locator(f"[data-span] [name={name}]").dispatch_event("change")
    page.locator("[data-reach]", has_text=f"{len(kept) - 3} rejected").wait_for()
    page.click("[data-span] button")
    page.locator("dialog[open] >> text=/^Take back$/").click()
    page.locator(".past li.back", has_text="rejected").wait_for()
    assert {one.state for one in curation.items(kept[3:]).values()} == {"pending"}


def test_a_key_of_ones_own_decides_and_stands_on_its_button(visit, site: Running) -> None:
    page = opened(visit, site)
    page.keyboard.press("?")
    line = page.locator(".help dl div", has_text="accept and next").first
    line.locator("button").press("Enter")
    page.keyboard.press("r")
    page.locator("[data-told]", has_text="“r” is taken: reject").wait_for()
    line.locator("button").press("Enter")
    page.keyboard.press("y")
    assert line.locator("kbd").inner_text() == "y"
    page.keyboard.press("Escape")
    assert page.inner_text("[data-accept] kbd") == "y"
    page.reload()
    page.wait_for_selector("[data-question]")
    assert page.inner_text("[data-accept] kbd") == "y"
    page.keyboard.press("a")
    page.keyboard.press("y")
    saved(page)
    assert [one.kind for one in events(site)] == ["accept"]
    page.keyboard.press("?")
    page.click("[data-own-keys]")
    page.keyboard.press("Escape")
    assert page.inner_text("[data-accept] kbd") == "a"


def test_a_reload_shows_the_same_question_and_the_session_tells_what_was_done(
    visit, site: Running
) -> None:
    page = opened(visit, site)
    first = shown(page)
    page.keyboard.press("a")
    page.wait_for_selector(f"[data-question]:not([data-question='{first}'])")
    page.keyboard.press("j")
    saved(page)
    at = shown(page)
    page.reload()
    page.wait_for_selector("[data-question]")
    assert shown(page) == at
    left = len([one for one in site.site.project.outcomes() if one.status == "kept"]) - 1
    page.locator("[data-progress]", has_text=f"{left} left").wait_for()
    page.keyboard.press("i")
    page.locator("dialog[open]", has_text="decided one by one").wait_for()
    rows = page.locator("dialog .session tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["1", "1"]
    assert "under 30 that says too little" in page.inner_text("dialog[open]")


def boxes(page: Any, *names: str) -> list[dict[str, float]]:
    """Where elements stand on the screen."""
    return [page.locator(name).first.bounding_box() for name in names]


def test_on_a_phone_the_rationale_is_in_sight_and_the_picture_stays(visit, site: Running) -> None:
    page = opened(visit, site, width=390)
    page.locator("[data-progress]", has_text="left").wait_for()
    rationale, bar = boxes(page, ".told-place", ".bar-place")
    assert rationale["y"] + 60 < bar["y"], "its beginning is in sight"
    page.evaluate(
        """() => {
          window.tops = new Set();
          const look = () => {
            window.tops.add(document.querySelector(".vp-stage, .vp-picture").getBoundingClientRect().top);
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    task = shown(page)
    page.click("[data-skip]")
    page.wait_for_selector(f"[data-question]:not([data-question='{task}'])")
    saved(page)
    assert page.evaluate("() => window.tops.size") == 1


def test_a_dozen_is_accepted_at_once_but_for_what_is_taken_out(visit, site: Running) -> None:
    curation = site.site.project.curation
    page = visit(f"{site.url}curate?mode=grid")
    cards = page.locator(".dozen > div")
    cards.nth(11).wait_for()
    page_checks.check(page)
    first = [card.get_attribute("data-task") for card in cards.all()]
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.locator("[data-accept]", has_text="Accept 11").wait_for()
    page.keyboard.press("a")
    page.wait_for_function(
        "(before) => ![...document.querySelectorAll('.dozen > div')]"
        ".some((one) => before.includes(one.dataset.task))",
        arg=first,
    )
    saved(page)
    items = curation.items(first)
    assert items.pop(first[1]).state == "pending"
    assert {one.state for one in items.values()} == {"accepted"}
    assert all(one.batch for one in events(site, "accept"))
    page.keyboard.press("u")
    page.locator(".toast", has_text="Taken back").wait_for()
    assert [card.get_attribute("data-task") for card in cards.all()] == first
    assert {one.state for one in curation.items(first).values()} == {"pending"}
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert shown(page) == first[0]
