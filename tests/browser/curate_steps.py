"""What the tests of Curate do again and again."""

from __future__ import annotations

from typing import Any

from app.main import Running
from workbench.records import Decision

VERDICTS = ("accept", "reject", "skip")


def opened(
    visit: Any, site: Running, path: str = "curate", width: int = 1440, theme: str = "light"
) -> Any:
    """The page with a question on it."""
    page = visit(site.url + path, width, theme)
    page.wait_for_selector("[data-question]")
    page.wait_for_selector(".vp-step h3")
    return page


def shown(page: Any) -> str:
    """The question on screen."""
    page.wait_for_selector("[data-question]")
    return page.get_attribute("[data-question]", "data-question")


def saved(page: Any) -> None:
    page.locator("[data-outbox]", has_text="saved ✓").wait_for()


def events(site: Running, *kinds: str) -> list[Decision]:
    return [one for one in site.site.project.curation.events() if not kinds or one.kind in kinds]
