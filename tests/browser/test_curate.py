"""Curate in a real browser: one key decides, nothing is lost, nothing is told too early, the
keyboard is enough.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import page_project
import pytest
from curate_steps import events, opened, saved, shown
from servers import eventually, serve, sync_api

from app.main import Running
from workbench.bench import pages
from workbench.curate.settings import Settings
from workbench.records import Decision

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of thirty scenes, twenty of their counting questions waiting in the queue."""
    return page_project.build(tmp_path_factory.mktemp("curate") / "collages", scenes=30)


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Iterator[Running]:
    """A copy of its own for each test: what one decides here stays here."""
    shutil.copytree(made, tmp_path / "collages")
    with serve(tmp_path / "collages") as running:
        yield running


@pytest.fixture
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("large") / "made"
    pages.make(folder, 240, 4).close()
    with serve(folder) as running:
        yield running


def test_ten_presses_in_a_third_of_a_second_are_ten_decisions_on_ten_questions(
    visit, large: Running
) -> None:
    page = opened(visit, large)
    page.wait_for_load_state("networkidle")
    eventually(page, lambda: len(large.site.project.curation.leases()) >= 10)
    for _ in range(10):
        page.keyboard.press("a")
        page.wait_for_timeout(25)
    saved(page)
    found = events(large)
    assert [one.kind for one in found] == ["accept"] * 10
    assert len({one.id for one in found}) == 10
    assert len({one.task_id for one in found}) == 10
    assert {one.author for one in found} == {"ann"}
    assert all(one.rationale_id and one.trace_id for one in found)


BEFORE: list[str] = []
"""Events that were looked at already."""


def new(site: Running) -> list[Decision]:
    """What was decided since `begin`."""
    return [one for one in events(site) if one.id not in BEFORE]


def arrived(page, site: Running, number: int) -> None:
    """So many new decisions are stored, and the page knows."""
    eventually(page, lambda: len(new(site)) >= number)
    saved(page)


def begin(page, site: Running) -> None:
    """What comes is new, and a question is on the screen."""
    BEFORE[:] = [one.id for one in events(site)]
    page.wait_for_selector(".vp-step h3")


def test_keys_decide_once_and_typing_decides_nothing(visit, site: Running) -> None:
    page = opened(visit, site)
    for part in (
        j_and_k_go_on_and_back_without_deciding,
        the_first_wrong_step_is_marked_where_the_cursor_stands,
        a_key_that_is_held_down_decides_once,
        typing_decides_nothing_and_ctrl_enter_decides_once,
        reject_takes_a_digit_and_other_takes_words,
    ):
        begin(page, site)
        part(page, site)


def j_and_k_go_on_and_back_without_deciding(page, site: Running) -> None:
    first = shown(page)
    page.wait_for_load_state("networkidle")
    page.keyboard.press("j")
    assert shown(page) != first
    page.keyboard.press("k")
    assert shown(page) == first
    assert new(site) == []


def the_first_wrong_step_is_marked_where_the_cursor_stands(page, site: Running) -> None:
    page.keyboard.press("ArrowRight")
    page.keyboard.press("b")
    arrived(page, site, 1)
    [one] = new(site)
    assert one.step is not None
    assert page.locator(".vp-strip .vp-wrong").count() == 1
    page.keyboard.press("b")  # the same again takes it back
    page.wait_for_selector(".vp-strip .vp-wrong", state="detached")
    arrived(page, site, 2)
    assert [one.kind for one in new(site)] == ["wrong_step", "undo"]


def a_key_that_is_held_down_decides_once(page, site: Running) -> None:
    for _ in range(5):
        page.keyboard.down("a")
    page.keyboard.up("a")
    arrived(page, site, 1)
    assert len(new(site)) == 1


def typing_decides_nothing_and_ctrl_enter_decides_once(page, site: Running) -> None:
    task = shown(page)
    page.keyboard.press("n")
    page.keyboard.type("aaar")
    assert shown(page) == task
    assert new(site) == []
    page.keyboard.press("Control+Enter")
    arrived(page, site, 1)
    [one] = new(site)
    assert (one.kind, one.text, one.task_id) == ("accept", "aaar", task)
    assert shown(page) != task


def reject_takes_a_digit_and_other_takes_words(page, site: Running) -> None:
    page.keyboard.press("2")
    assert new(site) == []  # digits rest until a reject was begun
    page.keyboard.press("r")
    page.keyboard.press("2")
    page.wait_for_selector("[data-reasons]", state="hidden")
    page.keyboard.press("r")
    page.keyboard.press("9")
    page.keyboard.type("blurred")
    page.keyboard.press("Control+Enter")
    arrived(page, site, 2)
    first, second = new(site)
    assert (first.kind, first.reason) == ("reject", "wrong_program")
    assert (second.kind, second.reason, second.text) == ("reject", "other", "blurred")


def test_a_wording_is_held_against_the_run_before_it_is_accepted(visit, site: Running) -> None:
    page = opened(visit, site)
    for part in (
        one_that_the_run_supports_is_accepted_at_once,
        an_edited_rationale_is_what_is_accepted,
        one_that_the_run_does_not_support_warns_before,
    ):
        begin(page, site)
        part(page, site)


def one_that_the_run_supports_is_accepted_at_once(page, site: Running) -> None:
    page.keyboard.press("e")
    text = page.input_value(".wording")
    page.fill(
        ".wording",
        text.replace("There is", "Here, there is").replace("There are", "Here, there are"),
    )
    page.keyboard.press("Control+Enter")
    arrived(page, site, 2)
    assert [one.kind for one in new(site)] == ["edit", "accept"]


def an_edited_rationale_is_what_is_accepted(page, site: Running) -> None:
    task = shown(page)
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("I count them one by one.")
    page.keyboard.press("Control+Enter")
    page.locator(".faults").wait_for()
    page.keyboard.press("Control+Enter")
    arrived(page, site, 2)
    edit, accept = new(site)
    assert (edit.kind, accept.kind, accept.rationale_id) == ("edit", "accept", edit.made)
    item = site.site.project.curation.item(task)
    assert item.edited
    assert item.target


def one_that_the_run_does_not_support_warns_before(page, site: Running) -> None:
    task = shown(page)
    right = page.locator(".told-place").inner_text()
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("There are 99 unicorns at 1 2 3 4.")
    page.keyboard.press("Control+Enter")
    sync_api.expect(page.locator(".faults")).to_contain_text("99")
    sync_api.expect(page.locator(".faults")).to_contain_text("unicorns")
    assert (shown(page), new(site)) == (task, [])
    assert "unicorns" not in right
    page.keyboard.press("a")
    arrived(page, site, 2)
    assert [one.kind for one in new(site)] == ["edit", "accept"]
    assert shown(page) != task


def test_undo_after_a_reload_brings_the_question_back_with_one_event_more(
    visit, site: Running
) -> None:
    page = opened(visit, site)
    task = shown(page)
    page.keyboard.press("a")
    saved(page)
    page.reload()
    page.wait_for_selector("[data-question]")
    assert shown(page) != task
    page.locator("[data-last] button", has_text="Undo").wait_for()
    page.keyboard.press("u")
    page.wait_for_selector(f"[data-question='{task}']")
    saved(page)
    assert [one.kind for one in events(site)] == ["accept", "undo"]
    assert site.site.project.curation.item(task).state == "pending"


def test_undo_at_once_shows_the_question_again_and_counts_down(visit, site: Running) -> None:
    page = opened(visit, site)
    page.locator("[data-progress]", has_text="today").wait_for()
    task = shown(page)
    page.keyboard.press("s")
    page.keyboard.press("Control+z")
    page.wait_for_selector(f"[data-question='{task}']")
    saved(page)
    assert [one.kind for one in events(site)] == ["skip", "undo"]
    page.locator("[data-progress]", has_text="0 of 100").wait_for()


def test_brackets_open_the_other_programs_and_accept_takes_the_one_that_is_open(
    visit, site: Running
) -> None:
    page = opened(visit, site)
    before = page.inner_text(".tab[aria-pressed=true] small")
    while True:
        page.keyboard.press("]")
        page.locator(".vp-step h3").wait_for()
        answer = page.inner_text(".tab[aria-pressed=true] span")
        if page.inner_text(".tab[aria-pressed=true] small") != before and answer != "no answer":
            break
    number = int(page.inner_text(".tab[aria-pressed=true] small"))
    task = shown(page)
    page.keyboard.press("a")
    saved(page)
    [one] = events(site)
    assert one.trace_id == f"t{number - 1}-{task}"


def test_a_run_without_an_answer_cannot_be_accepted(visit, site: Running) -> None:
    page = opened(visit, site)
    task = shown(page)
    page.locator(".tab.failed").first.click()
    page.wait_for_selector("[data-accept]:disabled")
    page.keyboard.press("a")
    page.wait_for_selector(".toast.bad")
    assert shown(page) == task
    assert events(site) == []


def test_verdicts_stay_hidden_until_one_has_decided(visit, site: Running) -> None:
    page = opened(visit, site)
    task = shown(page)
    everything = page.inner_text("main") + page.evaluate(
        "JSON.stringify(performance.getEntriesByType('resource').length)"
    )
    assert page.locator(".judged, .tab.right, .tab.wrong").count() == 0
    assert "verifier" not in everything
    page.keyboard.press("a")
    page.locator("[data-last] .heard", has_text="verifier ✓").wait_for()
    page.keyboard.press("k")
    page.wait_for_selector(f"[data-question='{task}']")
    page.wait_for_selector(".judged")
    assert page.locator(".tab.right").count() > 0
    assert events(site)[0].hidden is True


def test_what_is_sent_before_deciding_says_nothing_of_the_verdict(visit, site: Running) -> None:
    site.site.project.curation.set_settings(Settings(), "ann")
    page = visit("about:blank")
    bodies: list[str] = []
    page.on(
        "response",
        lambda reply: bodies.append(reply.text()) if "/do/curate/next" in reply.url else None,
    )
    page.goto(f"{site.url}curate")
    page.wait_for_selector("[data-question]")
    page.wait_for_load_state("networkidle")
    sent = "".join(bodies)
    assert '"hidden":true' in sent
    assert not re.search(r'"state":"(right|wrong)"|expected answer', sent)


def test_saves_wait_for_the_server_and_outlive_a_reload(visit, site: Running) -> None:
    page = opened(visit, site)
    page.wait_for_load_state("networkidle")
    page.on("dialog", lambda dialog: dialog.accept())
    page.context.route("**/do/curate/decide", lambda route: route.abort())
    task = shown(page)
    page.keyboard.press("a")
    page.locator("[data-outbox]", has_text="not saved yet").wait_for()
    page.reload()
    page.wait_for_selector("[data-question]")
    assert shown(page) != task
    assert events(site) == []
    page.context.unroute("**/do/curate/decide")
    saved(page)
    assert [(one.kind, one.task_id) for one in events(site)] == [("accept", task)]


def test_decisions_made_while_the_server_restarts_are_all_stored_once(
    visit, made: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "collages"
    shutil.copytree(made, folder)
    with serve(folder) as first:
        page = opened(visit, first)
        page.wait_for_load_state("networkidle")
        port = int(first.url.rsplit(":", 1)[1].strip("/"))
    tasks = []
    for _ in range(3):
        tasks.append(shown(page))
        page.keyboard.press("a")
    page.locator("[data-outbox]", has_text="3 not saved yet").wait_for()
    with serve(folder, port=port) as second:
        page.locator("[data-outbox]", has_text="saved ✓").wait_for()
        assert [one.task_id for one in events(second, "accept")] == tasks


def test_a_refused_decision_says_why_and_the_question_comes_back(visit, site: Running) -> None:
    page = opened(visit, site)
    task = shown(page)
    page.context.route(
        "**/do/curate/decide",
        lambda route: route.fulfill(status=400, json={"error": "No, because."}),
    )
    page.keyboard.press("a")
    page.locator(".toast.bad", has_text="No, because.").wait_for()
    page.locator("[data-last]", has_text="not kept").wait_for()
    page.keyboard.press("k")
    assert shown(page) == task
    assert page.locator(".banner.accept").count() == 0


def test_seconds_count_only_while_somebody_looks(visit, site: Running) -> None:
    page = opened(visit, site)
    page.evaluate(
        "Object.defineProperty(document, 'hasFocus', { value: () => false }); dispatchEvent(new Event('blur'))"
    )
    before = page.evaluate("performance.now() / 1000")
    page.wait_for_timeout(1200)
    page.keyboard.press("s")
    saved(page)
    [one] = events(site)
    assert one.seconds is not None
    assert one.seconds < before + 1


def test_the_guidelines_version_stands_on_every_decision(visit, site: Running) -> None:
    guideline = site.site.project.curation.add_guideline("Be kind.\n\nLook twice.", "ann")
    page = opened(visit, site)
    page.locator("[data-version]", has_text=guideline.version[:4]).wait_for()
    page.keyboard.press("G")
    page.locator("[data-guide]", has_text="Look twice.").wait_for()
    page.keyboard.press("a")  # the guidelines cover nothing that one decides with
    saved(page)
    assert events(site)[0].guideline == guideline.version
