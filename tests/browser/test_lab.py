"""The widgets in a real JupyterLab, while the app has the project open in another process."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import page_project
import pytest
from servers import Running, serve, sync_api

pytest.importorskip("jupyterlab", reason="make lab installs what notebooks need")

from lab_session import (
    BELOW,
    CELLS,
    MONITOR,
    PLAYER,
    QUEUE,
    RECORD,
    SIDE,
    TABLE,
    job,
    jupyter,
    notebook,
    run_all,
)

pytestmark = pytest.mark.slow

expect = sync_api.expect


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`vpd app`, in this process; the kernel is another one."""
    folder = page_project.build(tmp_path_factory.mktemp("lab") / "p", scenes=8)
    job(folder)
    with serve(folder) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the lab has its settings, and in `nb` the notebook."""
    folder = tmp_path_factory.mktemp("home")
    notebook(folder / "nb")
    return folder


@pytest.fixture(scope="module")
def page(app: Running, browser: sync_api.Browser, home: Path) -> Iterator[sync_api.Page]:
    """One lab, one page, all cells run."""
    with jupyter(app.site.project.path, home) as url:
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        context.set_default_timeout(120_000)
        opened = context.new_page()
        strayed: list[str] = []
        opened.on("request", lambda request: strayed.append(request.url))
        opened.goto(url)
        run_all(opened)
        yield opened
        assert [
            one for one in strayed if not one.startswith(("http://127.0.0.1", "data:", "blob:"))
        ] == []
        context.close()


def cell(page: sync_api.Page, place: int) -> sync_api.Locator:
    return page.locator(".jp-Notebook .jp-Cell").nth(place)


def widget(page: sync_api.Page, place: int) -> sync_api.Locator:
    return cell(page, place).locator(".vw")


def sources(page: sync_api.Page) -> list[str]:
    return [
        text.strip() for text in page.locator(".jp-Notebook .jp-Cell .cm-content").all_inner_texts()
    ]


def python(page: sync_api.Page) -> str:
    """What Python sees of the traits: the cell below, run again."""
    cell(page, BELOW).locator(".cm-content").click()
    before = cell(page, BELOW).locator(".jp-InputPrompt").first.inner_text()
    page.keyboard.press("Control+Enter")
    prompt = cell(page, BELOW).locator(".jp-InputPrompt").first
    expect(prompt).not_to_have_text(before)
    expect(prompt).not_to_contain_text("*")
    return cell(page, BELOW).locator(".jp-OutputArea-output").inner_text().strip()


def events(app: Running) -> list[Any]:
    """What the app's process reads from the store."""
    return app.site.project.curation.events(author="ann")


def until(page: sync_api.Page, app: Running, count: int) -> list[Any]:
    for _ in range(600):
        found = events(app)
        if len(found) >= count:
            break
        page.wait_for_timeout(100)
    assert len(found) == count
    return found


def until_leased(page: sync_api.Page, app: Running) -> list[Any]:
    for _ in range(600):
        if found := app.site.project.curation.leases():
            return found
        page.wait_for_timeout(100)
    return []


def test_every_widget_is_drawn(page: sync_api.Page) -> None:
    for place in (PLAYER, TABLE, QUEUE, RECORD):
        expect(widget(page, place).locator(".vp-canvas img")).to_be_visible()
        assert (
            widget(page, place).locator(".vp-canvas img").evaluate("image => image.naturalWidth")
            == 640
        )
    expect(widget(page, MONITOR).locator("svg")).to_have_count(2)
    expect(widget(page, SIDE).locator(".vw-side")).to_have_count(2)


def test_the_step_goes_both_ways(page: sync_api.Page) -> None:
    player = widget(page, PLAYER)
    player.focus()
    page.keyboard.press("End")
    expect(player.locator(".vp-count")).to_contain_text("Step 7 of 7")
    assert "step 6 row" in python(page)
    page.keyboard.press("Home")  # not focused any more: this one is the editor's
    expect(player.locator(".vp-count")).to_contain_text("Step 7 of 7")


def test_a_program_is_chosen_from_the_keyboard(page: sync_api.Page) -> None:
    table = widget(page, TABLE)
    table.focus()
    page.keyboard.press("ArrowDown")
    expect(table.locator("tr[aria-selected=true]")).to_contain_text("program 2")
    expect(table.locator(".vp-lines")).to_contain_text("object")
    assert "row 1 " in python(page)


def test_keys_decide_and_the_cells_are_untouched(page: sync_api.Page, app: Running) -> None:
    queue, before = widget(page, QUEUE), len(events(app))
    question = queue.locator(".vw-question")
    first = question.inner_text()
    question.click()
    page.keyboard.press("a")
    stored = until(page, app, before + 1)[-1]
    expect(question).not_to_have_text(first)
    assert (stored.kind, stored.author) == ("accept", "ann")
    second = question.inner_text()
    page.keyboard.press("r")
    page.keyboard.press("5")
    assert until(page, app, before + 2)[-1].reason == "ambiguous"
    expect(question).not_to_have_text(second)
    page.keyboard.press("u")
    assert until(page, app, before + 3)[-1].kind == "undo"
    expect(question).to_have_text(second)
    for key in (
        "x",
        "d",
        "d",
        "y",
        "m",
        "b",
        "b",
        "c",
        "v",
        "z",
        "Enter",
        "0",
        "0",
    ):  # JupyterLab's own keys
        page.keyboard.press(key)
    assert sources(page) == [text.strip() for text in CELLS]
    assert queue.evaluate("node => node.contains(document.activeElement)")
    assert "decided 1" in python(page)


def test_typing_a_note_decides_nothing(page: sync_api.Page, app: Running) -> None:
    queue, before = widget(page, QUEUE), len(events(app))
    queue.focus()
    page.keyboard.press("n")
    page.keyboard.type("aaasss")
    expect(queue.locator("textarea[aria-label=Note]")).to_have_value("aaasss")
    assert len(events(app)) == before
    page.keyboard.press("Control+Enter")
    stored = until(page, app, before + 1)[-1]
    assert (stored.kind, stored.text) == ("accept", "aaasss")
    assert sources(page) == [text.strip() for text in CELLS]


def test_the_question_on_screen_is_held_for_the_app_as_well(
    page: sync_api.Page, app: Running
) -> None:
    shown = widget(page, QUEUE).locator(".vw-soft").first
    (lease,) = until_leased(page, app)
    assert lease.holder == "ann"
    expect(shown).to_contain_text(lease.task_id)


def test_a_button_stops_the_job(page: sync_api.Page, app: Running) -> None:
    widget(page, MONITOR).get_by_role("button", name="Stop and save").click()
    expect(widget(page, MONITOR).get_by_role("status")).to_contain_text("stop", ignore_case=True)
    assert (app.site.project.path / "jobs" / "abc123" / "stop").read_text() == "save"


def test_both_sides_answer_and_can_be_asked_again(page: sync_api.Page) -> None:
    side = widget(page, SIDE)
    expect(side.locator(".vw-side .vw-chip", has_text="done")).to_have_count(2)
    expect(side.locator("pre")).to_contain_text("def execute_command")
    side.get_by_label("Question").fill("How many red squares?")
    page.keyboard.press("Enter")
    expect(side.locator(".vw-side .vw-chip", has_text="done")).to_have_count(2)
    assert sources(page) == [text.strip() for text in CELLS]


def test_a_saved_notebook_is_small_and_holds_what_reads_without_a_kernel(
    page: sync_api.Page, home: Path
) -> None:
    path, places = home / "nb" / "widgets.ipynb", (PLAYER, TABLE, QUEUE, SIDE, RECORD)
    cell(page, PLAYER).locator(
        ".jp-InputArea-editor"
    ).click()  # a widget in focus keeps JupyterLab's keys away
    page.keyboard.press("Control+s")
    cells: list[dict[str, Any]] = []
    for _ in range(300):
        with contextlib.suppress(json.JSONDecodeError):  # it is being written
            cells = json.loads(path.read_text())["cells"]
        if cells and all(cells[place]["outputs"] for place in places):
            break
        page.wait_for_timeout(100)
    assert path.stat().st_size < 2_000_000
    for place in places:
        (shown,) = [out["data"] for out in cells[place]["outputs"] if "data" in out]
        assert "data:image/webp" in "".join(shown["text/html"])
