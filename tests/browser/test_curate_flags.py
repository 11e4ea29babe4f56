"""What the checks say against a kept run, on the page Curate: after one has decided, and as text."""

from __future__ import annotations

from pathlib import Path

import page_project
import pytest
from curate_steps import opened, shown
from servers import serve

from workbench.store import Project
from workbench.store.reading import checks
from workbench.store.reading.checks import CheckRow

pytestmark = pytest.mark.browser


def test_flags_are_told_after_deciding_and_as_text(visit, tmp_path: Path) -> None:
    folder = page_project.build(tmp_path / "collages", scenes=4)
    with Project.open(folder) as project:
        findings = (
            ("idle", 0.8, f"It does not depend on {page_project.HOSTILE}."),
            ("apart", 0.1, "One differs."),
        )
        rows = [
            CheckRow(f"check {at}", str(one.chosen), one.task_id, 0.8, ("idle",), findings)
            for at, one in enumerate(project.outcomes())
            if one.chosen
        ]
        checks.add(project.database, rows)
    with serve(folder) as site:
        page = opened(visit, site)
        task = shown(page)
        assert "It does not depend on" not in page.content()
        page.keyboard.press("a")
        page.locator("[data-last] .heard", has_text="verifier ✓").wait_for()
        page.keyboard.press("k")
        page.wait_for_selector(f"[data-question='{task}']")
        page.wait_for_selector(".judged")
        assert page.locator(".judged .flags li").all_inner_texts() == [
            f"It does not depend on {page_project.HOSTILE}."
        ]
        assert page.evaluate("window.hacked") is None
