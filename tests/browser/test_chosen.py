"""What is done with many questions at once: rejected, tagged, taken out as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import page_project
import pytest
from servers import serve

from app import browse_chosen
from app.main import Running
from workbench.errors import InputError

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = page_project.build(tmp_path_factory.mktemp("chosen") / "collages", scenes=6)
    with serve(folder) as running:
        yield running


def test_chosen_questions_are_rejected_tagged_and_exported_from_the_keyboard(
    visit, site: Running
) -> None:
    curation = site.site.project.curation
    page = visit(f"{site.url}browse?q=family%3Acount")
    page.wait_for_selector("[data-rows] li")
    page.keyboard.press("T")  # nothing is chosen: nothing happens
    assert page.locator("dialog[open]").count() == 0
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.locator("[data-chosen] b", has_text="2").wait_for()
    page.keyboard.press("T")
    page.keyboard.type("odd-light")
    page.keyboard.press("Enter")
    page.locator(".toast", has_text="2 questions tagged: tag:odd-light").wait_for()
    assert curation.tags() == ["odd-light"]

    page.goto(f"{site.url}browse?q=tag%3AOdd-Light")
    page.locator("[data-count]", has_text="of 2").wait_for()
    page.wait_for_selector("[data-rows] li")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.click("text=choose all 2 matching")
    with page.expect_download() as download:
        page.keyboard.press("E")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    assert [row["tags"] for row in rows] == [["odd-light"]] * 2
    tasks = site.site.project.tasks([row["id"] for row in rows])
    assert {row["question"] for row in rows} == {task.question for task in tasks}

    page.keyboard.press("R")
    dialog = page.locator("dialog[open]")
    dialog.locator("h2", has_text="Reject 2 questions?").wait_for()
    assert "counts in no figure of agreement" in dialog.inner_text()
    page.select_option("dialog[open] select", "bad_gold")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".toast", has_text="2 questions rejected").wait_for()
    items = curation.items([row["id"] for row in rows]).values()
    assert {(item.state, item.reason) for item in items} == {("rejected", "bad_gold")}
    assert curation.confusion().n == 0
    page.click(".toast >> text=Undo")
    page.locator(".toast", has_text="Taken back").wait_for()
    assert {one.state for one in curation.items([row["id"] for row in rows]).values()} == {
        "pending"
    }


def test_a_file_has_what_was_kept_and_said_in_the_order_asked_for(site: Running) -> None:
    project = site.site.project
    ids = [outcome.task_id for outcome in project.outcomes() if outcome.status == "kept"][:2]
    rows = [json.loads(line) for line in browse_chosen.lines(project, [*ids[::-1], "gone"])]
    assert [row["id"] for row in rows] == ids[::-1]
    assert all("def execute_command" in row["program"] and row["answer"] for row in rows)
    assert rows[0]["review"] == "pending"


@pytest.mark.parametrize("text", ["x", "[1]", "{}"])
def test_ids_that_are_no_list_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="tasks must be a JSON list of ids"):
        browse_chosen._ids(text)


def test_too_many_are_refused_with_what_to_do(site: Running) -> None:
    chosen = browse_chosen.Chosen("abcdefgh", ["a", "b", "a"])
    assert chosen.ids(site.site.project, 2) == ["a", "b"]
    with pytest.raises(InputError, match=r"2 questions are chosen; at most 1 .* narrow the search"):
        chosen.ids(site.site.project, 1)


@pytest.mark.parametrize("tag", ["", "two words", "x" * 41, "a:b", quote("é!")])
def test_a_tag_is_one_word(site: Running, tag: str) -> None:
    project = site.site.project
    said = browse_chosen.person_event(
        site.site.me, "some-tag-1", "tag", task_id=project.outcomes()[0].task_id, text=tag
    )
    with pytest.raises(InputError, match="a tag is one word"):
        project.curation.decide([said])
