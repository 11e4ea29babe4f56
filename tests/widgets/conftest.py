"""A small real project for the widgets, as the pages have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import drawn
import pytest

from workbench.store import Project

widgets = pytest.importorskip("workbench.widgets", reason="make lab installs what notebooks need")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("widgets") / "p"
    drawn.build(folder, scenes=6)
    with Project.open(folder) as opened:
        yield opened


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Project]:
    """A project that a test may change."""
    with Project.open(drawn.build(tmp_path / "own", scenes=6)) as opened:
        yield opened
