"""What every page has to pass: it fits its window, and axe finds nothing serious in it."""

from __future__ import annotations

import pytest
from servers import sync_api

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python"
)

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]}


def fits(page: sync_api.Page) -> None:
    """The page does not scroll sideways, at once or as soon as its charts have followed."""
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")


def serious(page: sync_api.Page) -> list[tuple[str, str]]:
    """Rule and place of every serious violation that axe finds."""
    violations = axe.Axe().run(page, options=RULES).response["violations"]
    return [
        (one["id"], one["nodes"][0]["html"][:200])
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]


def check(page: sync_api.Page) -> None:
    """The page fits its window, and axe finds nothing serious in it."""
    fits(page)
    assert serious(page) == []


def check_every_width(page: sync_api.Page) -> None:
    """The page passes wide and on a phone, and fits a window between."""
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        fits(page)
        if width != 1024:
            assert serious(page) == [], f"{width} pixels wide"
