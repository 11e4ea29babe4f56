"""The report as a file in a real browser: alone, with and without scripts, small and dark, with
hostile text in it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import model_rows
import page_checks
import page_project
import pytest
from page_project import HOSTILE
from servers import sync_api

from app import report
from workbench.errors import InputError
from workbench.records import Task
from workbench.store import Project
from workbench.tasks.collage.pictures import make_scene

pytestmark = pytest.mark.browser

Look = Callable[..., sync_api.Page]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    """A project where whatever people or models wrote is hostile."""
    folder = tmp_path_factory.mktemp("report")
    size = (make_scene("train", 0).width, make_scene("train", 0).height)
    box = (10, 10, 200, 160)
    with page_project.new_project(folder / "p") as writer:
        for at, answer in enumerate(("1", "2", "3")):
            digest = page_project.picture(writer.project, at)
            task = Task(
                f"t{at}{HOSTILE}",
                "collages",
                "train",
                digest,
                f"{HOSTILE} how many?",
                (answer,),
                "integer",
                family=HOSTILE,
            )
            runs = [
                (
                    f"# {HOSTILE}\n{page_project.program_for('dog')}",
                    page_project.events_of(HOSTILE, [box], size),
                )
            ]
            writer.task(
                task,
                runs * page_project.K,
                f"There is one {HOSTILE}. Thus, it is {HOSTILE}.",
                student=HOSTILE,
                store=False,
            )
        writer.write()
    with Project.open(folder / "p") as project:
        model_rows.teach(project, name=HOSTILE)
        report.write(project, folder / "report.html")
    return folder / "report.html"


@pytest.fixture
def look(browser: sync_api.Browser, page_file: Path) -> Iterator[Look]:
    """Opens the file; anything it asks of anybody fails the test."""
    asked: list[str] = []
    contexts: list[Any] = []

    def look(width: int = 1440, theme: str = "light", scripts: bool = True) -> sync_api.Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            java_script_enabled=scripts,
        )
        contexts.append(context)
        context.set_default_timeout(60_000)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.goto(page_file.as_uri())
        if scripts:
            sync_api.expect(page.locator("[data-chart=lineage] .main-svg").first).to_be_visible()
        return page

    yield look
    for context in contexts:
        context.close()
    assert [url[:80] for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.parametrize(
    ("width", "theme"), [pytest.param(1440, "dark", marks=pytest.mark.slow), (390, "light")]
)
def test_it_fits_runs_nothing_foreign_and_axe_finds_nothing_serious(
    look: Look, width: int, theme: str
) -> None:
    page = look(width, theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 3
    assert HOSTILE in page.locator(".example h3").first.inner_text()
    page_checks.check(page)


def test_without_scripts_the_tables_say_it(look: Look) -> None:
    page = look(theme="dark", scripts=False)
    assert page.locator("[data-chart=pass_at_k] table").is_visible()
    assert not page.locator("[data-chart=pass_at_k] .plot").is_visible()
    assert not page.get_by_role("button", name="Light or dark").is_visible()
    dark = page.locator("body").evaluate("(node) => getComputedStyle(node).backgroundColor")
    assert dark == "rgb(20, 22, 26)"


def test_what_is_missing_says_which_command_fills_it(look: Look) -> None:
    page = look(scripts=False)
    for command in ("vpd probe", "vpd check"):
        empty = page.locator("#trust .empties li").filter(has_text=command)
        assert empty.first.text_content()


def test_a_chart_keeps_its_rows_as_csv(look: Look) -> None:
    page = look()
    with page.expect_download() as download:
        page.get_by_role("button", name="Systems: download as CSV").click()
    rows = list(csv.reader(download.value.path().open(newline="")))
    assert rows[0][:4] == ["system", "questions of", "metric", "value"]
    assert [row[0] for row in rows[1:]] == ["pipeline k=1", "base", HOSTILE, f"{HOSTILE} explained"]


def test_paper_is_light(look: Look) -> None:
    page = look(theme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert (
        page.locator("body").evaluate("(node) => getComputedStyle(node).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    ink = "document.querySelector('[data-chart=systems] .plot').layout.font.color"
    page.wait_for_function(f"() => {ink} === '#596170'")


class Elements(HTMLParser):
    """Every element with its attributes, as a browser without scripts would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_what_others_wrote_makes_no_element(page_file: Path) -> None:
    found = Elements(page_file.read_text(encoding="utf-8")).found
    assert sum(tag == "script" for tag, _ in found) == 4
    pictures = [held["src"] or "" for tag, held in found if tag == "img"]
    assert [src.startswith("data:image/webp;base64,") for src in pictures] == [True] * 3
    assert [held for _, held in found for name in held if name.startswith("on")] == []


def test_its_size_and_what_it_does_not_say(page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    assert len(text.encode()) < 8_000_000
    assert str(page_file.parent) not in text


def test_a_file_that_is_no_report_is_left_alone(page_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "thesis.html"
    other.write_text("years of work")
    with Project.open(page_file.parent / "p") as project:
        with pytest.raises(InputError, match="is no report"):
            report.write(project, other)
        report.write(project, page_file)
    assert other.read_text() == "years of work"
    assert [path.name for path in page_file.parent.iterdir() if path.name.startswith(".")] == []
