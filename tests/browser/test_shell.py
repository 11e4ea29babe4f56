"""The shell in a real browser: screens by key, help, themes, no sideways scroll, axe, and saves
that are never lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import page_checks
import page_project
import pytest
from servers import serve

from app.main import Running
from workbench.store import Project

pytestmark = pytest.mark.browser


COUNT = "collages/train-00003/count"
PATHS = (
    "browse",
    pytest.param("browse?q=status:wrong", marks=pytest.mark.slow),
    f"step?trace=t0-{quote(COUNT)}",
    f"step?trace=t3-{quote(COUNT)}",
    "train",
    "nowhere",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serve(
        page_project.build(tmp_path_factory.mktemp("shell") / "collages", scenes=20)
    ) as running:
        yield running


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("empty") / "new"
    Project.create(folder).close()
    with serve(folder) as running:
        yield running


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_its_window_and_axe_finds_nothing_serious(
    visit, site: Running, path: str, theme: str
) -> None:
    errors: list[str] = []
    page = visit("about:blank", theme=theme)
    page.on(
        "console", lambda message: errors.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site.url + path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert (
        page.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth).length") == 0
    )
    page_checks.check_every_width(page)
    assert [text for text in errors if "404" not in text or path != "nowhere"] == []


def test_what_is_pressed_on_a_phone_is_large_enough(visit, site: Running) -> None:
    page = visit("about:blank", 390)
    for path in ("browse", "step", "train"):
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        small = page.evaluate(
            """() => [...document.querySelectorAll(".bar a, .bar button, .button, select, .vp-controls button, .pill")]
            .filter((node) => node.offsetParent && node.getBoundingClientRect().height < 40 && !node.matches(".small"))
            .map((node) => node.outerHTML.slice(0, 90))"""
        )
        assert small == [], path


def test_every_screen_is_one_key_sequence_away_and_back_comes_back(visit, site: Running) -> None:
    page = visit(f"{site.url}train")
    for key, path in zip("bscmdt", ("browse", "step", "curate", "compare", "dashboard", "train")):
        page.keyboard.press("g")
        with page.expect_navigation():
            page.keyboard.press(key)
        assert page.url.removeprefix(site.url).startswith(path)
        page.wait_for_load_state("networkidle")
    page.go_back()
    assert page.url.removeprefix(site.url).startswith("dashboard")


def test_help_link_search_and_theme_by_key(visit, site: Running) -> None:
    page = visit(f"{site.url}browse?q=family%3Acount")
    page.wait_for_selector(".row")
    help_lists_the_keys_and_escape_closes_it(page)
    the_dot_copies_the_link(page, site)
    keys_rest_while_somebody_types(page, site)
    page.click("[data-toggle-theme]")
    page.goto(f"{site.url}train")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark", "it is kept"


def help_lists_the_keys_and_escape_closes_it(page) -> None:
    page.keyboard.press("?")
    shown = page.inner_text("dialog[open]")
    for words in ("Everywhere", "Browse", "next question", "send what is chosen to the queue"):
        assert words in shown
    page.keyboard.press("j")  # keys rest while the help is open
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert page.locator(".row").first.get_attribute("aria-current") == "true"


def test_the_slash_searches_from_any_screen(visit, site: Running) -> None:
    page = visit(f"{site.url}train")
    with page.expect_navigation():
        page.keyboard.press("/")
    page.wait_for_selector(".row")
    page.keyboard.type("dog")
    assert page.input_value("[data-search]") == "dog"


def keys_rest_while_somebody_types(page, site: Running) -> None:
    page.keyboard.press("/")
    page.keyboard.press("Control+a")
    page.keyboard.type("xqgt?")
    assert page.input_value("[data-search]") == "xqgt?"
    assert page.url.startswith(f"{site.url}browse")
    assert page.locator("[data-chosen]").is_hidden()


def the_dot_copies_the_link(page, site: Running) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press(".")
    page.wait_for_selector(".toast")
    assert page.evaluate("navigator.clipboard.readText()") == f"{site.url}browse?q=family%3Acount"


def test_an_empty_project_says_what_to_do(visit, empty: Running) -> None:
    for path in ("browse", "step"):
        page = visit(empty.url + path)
        page.wait_for_selector(".empty")
        assert "vpd run --project" in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


SAVE = """async (count) => {
  const { save } = await import("/static/server.js");
  const all = [];
  for (let i = 0; i < count; i++) all.push(save("/do/step/wrong", { trace: "%s", step: i %% 3 }));
  return Promise.all(all);
}"""


def test_saves_are_in_order_wait_outlive_a_reload_and_are_refused_with_a_reason(
    visit, site: Running
) -> None:
    page = visit(f"{site.url}train")
    page.wait_for_load_state("networkidle")
    ten_at_once_are_ten_events_in_order(page, site)
    a_refused_one_says_why_and_is_not_tried_again(page)
    one_waits_for_the_server_and_survives_a_reload(page, site)


def ten_at_once_are_ten_events_in_order(page, site: Running) -> None:
    before = len(site.site.project.curation.events(task_id=COUNT))
    page.evaluate(SAVE % f"t1-{COUNT}", 10)
    events = site.site.project.curation.events(task_id=COUNT)[before:]
    assert len(events) == 10
    assert len({event.id for event in events}) == 10
    assert {event.author for event in events} == {"ann"}
    assert page.inner_text("[data-outbox]") == "saved ✓"


def one_waits_for_the_server_and_survives_a_reload(page, site: Running) -> None:
    before = len(site.site.project.curation.events(task_id=COUNT))
    page.context.route("**/do/**", lambda route: route.abort())
    page.on("dialog", lambda dialog: dialog.accept())
    page.evaluate(
        f"import('/static/server.js').then((m) => {{ m.save('/do/step/wrong', {{trace: 't1-{COUNT}', step: 1}}); }})"
    )
    page.locator("[data-outbox]", has_text="1 not saved yet").wait_for()
    assert len(site.site.project.curation.events(task_id=COUNT)) == before
    page.reload()
    page.context.unroute("**/do/**")
    page.locator("[data-outbox]", has_text="saved ✓").wait_for()
    assert len(site.site.project.curation.events(task_id=COUNT)) == before + 1


def a_refused_one_says_why_and_is_not_tried_again(page) -> None:
    page.evaluate(
        "import('/static/server.js').then((m) => { m.save('/do/step/wrong', {trace: 'gone', step: 1}).catch(() => 0); })"
    )
    assert "names no task, program or trace" in page.inner_text(".toast.bad")
    assert (
        page.evaluate(
            "Object.keys(localStorage).filter((key) => key.startsWith('vpd-outbox')).length"
        )
        == 0
    )


def test_the_header_tells_of_a_run_while_it_writes(visit, site: Running) -> None:
    page = visit(f"{site.url}train")
    page.wait_for_load_state("networkidle")
    assert page.locator("[data-chip=job]").is_hidden()
    project = site.site.project
    run = project.start_run(project.scope(), page_project.Selection(), "execute")
    project.add_timing(run, "execute", None, 120, 3.0)
    page.reload()
    page.wait_for_selector("[data-chip=job]:not([hidden])")
    assert re.search(r"run \d+: execute 120", page.inner_text("[data-chip=job]"))
    project.end_run(run, 0)
