"""The program editor of Step: typing, the line that failed, and a way out for the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import page_project
import pytest
from servers import serve

from app.main import Running

pytestmark = pytest.mark.browser

TRACE = "t0-collages/train-00003/count"
TEXT = ".editor .cm-content"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = page_project.build(tmp_path_factory.mktemp("editor") / "collages", scenes=4)
    with serve(folder) as running:
        running.site.parts().__dict__.setdefault("tools", [])  # no models: these programs ask none
        yield running


def editing(visit, site: Running, width: int = 1440, theme: str = "light"):
    """The step page with the editor open; what the browser reports goes to `page.reports`."""
    page = visit(f"{site.url}step?trace={quote(TRACE, safe='')}", width, theme)
    page.reports = []
    page.on("console", lambda message: page.reports.append(message.text))
    page.on("pageerror", lambda error: page.reports.append(str(error)))
    page.wait_for_selector(".vp-step h3")
    page.keyboard.press("R")
    page.locator(TEXT).wait_for()
    return page


def write(page, text: str) -> None:
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def lines(page) -> list[str]:
    return page.locator(f"{TEXT} .cm-line").all_inner_texts()


def focus_is_in_text(page) -> bool:
    return page.evaluate("document.activeElement?.classList.contains('program-editor')")


def test_the_program_is_highlighted_under_the_strict_policy(visit, site: Running) -> None:
    page = editing(visit, site)
    keyword = page.locator(f"{TEXT} span", has_text="def").first
    plain = page.locator(f"{TEXT} .cm-line").first
    colour = "(node) => getComputedStyle(node).color"
    assert keyword.evaluate(colour) != plain.evaluate(colour)
    assert page.locator(".editor .cm-lineNumbers .cm-gutterElement").last.inner_text().isdigit()
    assert [text for text in page.reports if "Content Security Policy" in text] == []


def test_the_editor_is_fetched_only_when_somebody_edits(visit, site: Running) -> None:
    page = visit(f"{site.url}step?trace={quote(TRACE, safe='')}")
    fetches: list[str] = []
    page.on("request", lambda request: fetches.append(request.url))
    page.wait_for_selector(".vp-step h3")
    loaded = (
        "performance.getEntriesByType('resource').some((one) => one.name.endsWith('codemirror.js'))"
    )
    assert page.evaluate(loaded) is False
    page.keyboard.press("R")
    page.locator(TEXT).wait_for()
    assert any(url.endswith("codemirror.js") for url in fetches)


def test_letters_go_into_the_text_and_reach_no_key_of_the_page(visit, site: Running) -> None:
    page = editing(visit, site)
    cursor = page.inner_text(".vp-count")
    write(page, "")
    page.keyboard.type("botRd[]? g")
    assert lines(page) == ["botRd[]? g"]
    assert page.inner_text(".vp-count") == cursor
    assert page.locator("dialog[open]").count() == 0


def test_lines_are_indented_and_undone(visit, site: Running) -> None:
    page = editing(visit, site)
    write(page, "")
    page.keyboard.type("def execute_command(image):")
    page.keyboard.press("Enter")
    page.keyboard.type("if image:")
    page.keyboard.press("Enter")
    page.keyboard.type("return 1")
    assert lines(page) == ["def execute_command(image):", "    if image:", "        return 1"]
    page.keyboard.press("Shift+Tab")
    assert lines(page)[2] == "    return 1"
    page.keyboard.press("Tab")
    assert lines(page)[2] == "        return 1"
    page.keyboard.press("Control+z")
    assert lines(page)[2] == "    return 1"


def test_escape_and_then_tab_leaves_the_text(visit, site: Running) -> None:
    page = editing(visit, site)
    assert "Esc, then Tab leaves" in page.inner_text(".editor .cm-hint")
    page.keyboard.press("Tab")
    assert focus_is_in_text(page)
    page.keyboard.press("Escape")
    assert focus_is_in_text(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").startswith("Run again")


def test_a_line_that_fails_is_marked_until_it_is_mended(visit, site: Running) -> None:
    page = editing(visit, site)
    write(page, "def execute_command(image):\n    x = 1\n    return x / 0\n")
    page.keyboard.press("Control+Enter")
    page.locator("[data-draft]", has_text="ended without an answer").wait_for()
    page.click("text=Edit further")
    page.locator(".editor .cm-line.cm-failed").wait_for()
    assert page.inner_text(".editor .cm-line.cm-failed") == "    return x / 0"
    assert page.inner_text(".editor .cm-failedGutter") == "3"
    assert "division by zero" in page.inner_text(".editor .cm-problem")
    assert page.get_attribute(TEXT, "aria-invalid") == "true"
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.keyboard.type("1")
    assert page.locator(".editor .cm-failed, .editor .cm-problem").count() == 0
    page.keyboard.press("Control+Enter")
    page.locator("[data-draft]", has_text="It answers “1").wait_for()


@pytest.mark.parametrize(
    ("width", "theme"), [pytest.param(1440, "light", marks=pytest.mark.slow), (390, "dark")]
)
def test_the_editor_fits_its_page(visit, site: Running, width: int, theme: str) -> None:
    page = editing(visit, site, width, theme)
    box = page.locator(".program-editor").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
