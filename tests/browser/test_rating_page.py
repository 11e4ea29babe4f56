"""The human evaluation from end to end in a real browser: a sample, two raters, blind, results
beside the paper's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import page_checks
import page_project
import pytest
from curate_steps import saved
from servers import Running, serve

from workbench.evaluate.human import human_evaluation
from workbench.records import PartRef, Prediction
from workbench.store import Project
from workbench.store.records.rows import part_key

pytestmark = pytest.mark.browser


INSTRUCT, VPD = (PartRef("student", name, "1", {"explain": True}) for name in ("instruct", "vpd"))
KEYS = "yn" + "yyyy"
"""Left is correct and explains nothing, right is all that one can ask for."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two students have explained the counting questions of eight scenes; one has only its answer
    to say.
    """
    made = page_project.build(tmp_path / "collages", scenes=8)
    with Project.open(made) as project:
        ids = [task.id for task, _ in project.browse("family:count", limit=20).rows]
        for ref, words in (
            (INSTRUCT, "2"),
            (VPD, f"I see two at 100 100 300 300. {page_project.HOSTILE} Thus, there are 2."),
        ):
            project.add_predictions(
                [Prediction(f"{ref.name}/{one}", one, "2", words, 1.0, 0.2, ref) for one in ids]
            )
    return made


@pytest.fixture
def site(folder: Path) -> Iterator[Running]:
    with serve(folder) as running:
        yield running


def address(running: Running, n: str = "3") -> str:
    return f"{running.url}curate?mode=rate&a={part_key(INSTRUCT)}&b={part_key(VPD)}&n={n}&seed=7"


def rate_all(page) -> list[str]:
    """Rate what is shown until the sample is through; gives the questions in their order."""
    asked = []
    for at in range(3):
        page.locator("[data-count]", has_text=f"you have rated {at} of 3").wait_for()
        page.wait_for_selector(".ask.here")
        asked.append(
            page.inner_text("[data-asked] h2") + page.get_attribute("[data-picture] img", "src")
        )
        for key in KEYS:
            page.keyboard.press(key)
        page.keyboard.press("2")
    saved(page)
    page.locator(".empty", has_text="rated every question of this sample").wait_for()
    return asked


def test_two_raters_see_one_sample_and_the_results_stand_beside_the_papers(
    visit, folder: Path
) -> None:
    asked = {}
    for name in ("ann", "bob"):
        with serve(folder, name=name, role="curator") as running:
            page = visit(address(running))
            page.wait_for_selector(".ask.here")
            assert not {"instruct", "vpd"} & set(page.inner_text("[data-desk]").lower().split())
            asked[name] = rate_all(page)
            page.click("[data-results]")
            shown = page.inner_text("dialog[open]")
            assert page.evaluate("window.hacked") is None
    assert asked["ann"] == asked["bob"]
    assert len(set(asked["ann"])) == 3
    assert "Results: 3 questions, 6 ratings" in shown
    assert all(
        part in shown
        for part in ("student instruct 1", "paper: VPD", "46 %", "ann and bob", "kappa")
    )
    with Project.open(folder, read_only=True) as project:
        found = human_evaluation(project.curation.ratings(), part_key(INSTRUCT), part_key(VPD))
    assert (found.questions, found.raters) == (3, ("ann", "bob"))
    assert sum(share.hits for share in found.shares["explains"]) == 3
    assert found.preferences["both"].hits == 0


def test_the_sample_is_chosen_on_the_page_and_stays_in_the_address(visit, site: Running) -> None:
    page = visit(address(site, ""))
    page.locator("[data-count]", has_text="of 8").wait_for()
    page.fill("[data-n]", "5")
    page.keyboard.press("Tab")
    page.wait_for_url("**n=5*")
    page.locator("[data-count]", has_text="of 5").wait_for()
    assert "seed=7" in page.url
    assert (page.input_value("[data-n]"), page.input_value("[data-seed]")) == ("5", "7")


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_form_and_results_fit_and_axe_finds_nothing_serious(
    visit, site: Running, theme: str
) -> None:
    page = visit(address(site), theme=theme)
    page.wait_for_selector(".ask.here")
    for opened in (False, True):
        if opened:
            page.click("[data-results]")
            page.wait_for_selector("dialog[open]")
        page_checks.check_every_width(page)
