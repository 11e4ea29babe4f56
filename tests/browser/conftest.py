"""A real Chromium for every test here: Debian's where it is installed, first the one without windows,
which costs a quarter less; else Playwright's own, else a reason.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from servers import sync_api

from app.main import Running

pytest.register_assert_rewrite("page_checks")  # a failure then says what axe found

PATIENCE = 60_000
"""Milliseconds: a busy machine is slow, and what a test waits for is an event, which comes or not."""

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

UNANSWERED = ("Failed to load resource:", "Error: net::ERR_", "net::ERR_")

QUIET = [
    "--no-sandbox",  # Debian's needs a user namespace that containers rarely give; only our own pages are opened
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
]


def is_fault_of_a_page(message: sync_api.ConsoleMessage) -> bool:
    """Whether the console says an error of a page's own.

    Chromium itself tries inline styles where somebody types over lines of an editor, which our
    policy refuses; these errors alone have no line.
    """
    is_typing = message.text.startswith("Applying inline style") and not message.location["line"]
    return message.type == "error" and not is_typing


@pytest.fixture(scope="session")
def browser() -> Iterator[sync_api.Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_api.sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=path, args=QUIET)
        except sync_api.Error as error:
            pytest.skip(
                f"no Chromium: apt-get install chromium, or playwright install chromium ({error.message[:80]})"
            )
        sync_api.expect.set_options(timeout=PATIENCE)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: sync_api.Browser) -> Iterator[Callable[..., sync_api.Page]]:
    """`visit(url, width, theme)` opens a page; anything it asks of another machine fails the test, and
    so does an error in its console, such as what our policy stops.
    """
    contexts = []
    strayed: list[str] = []
    errors: list[str] = []

    def visit(url: str, width: int = 1440, theme: str = "light") -> sync_api.Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            reduced_motion="reduce",  # what is half faded in has no contrast to judge
        )
        context.set_default_timeout(PATIENCE)
        context.on(
            "request",
            lambda request: (
                strayed.append(request.url) if "//127.0.0.1:" not in request.url else None
            ),
        )
        context.on(
            "console", lambda said: errors.append(said.text) if is_fault_of_a_page(said) else None
        )
        context.on("weberror", lambda fault: errors.append(str(fault.error)))
        contexts.append(context)
        page = context.new_page()
        page.goto(url, wait_until="load")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert strayed == []
    # what a server refuses, or a test keeps from it, is named by the browser itself
    assert [text for text in errors if not text.startswith(UNANSWERED)] == []


@pytest.fixture
def without_models(site: Running) -> None:
    """The real sandbox without the models of the tools: programs that ask nothing run as ever."""
    site.site.parts().__dict__.setdefault("tools", [])
