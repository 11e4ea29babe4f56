"""A small real project for the widgets, as the pages have."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import page_project
import pytest

from workbench.store import Project


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_project.build(tmp_path_factory.mktemp("widgets") / "p", scenes=6)


@pytest.fixture(scope="module")
def project(built: Path) -> Iterator[Project]:
    """For tests that only look."""
    with Project.open(built) as opened:
        yield opened


@pytest.fixture
def own(built: Path, tmp_path: Path) -> Iterator[Project]:
    """A project that a test may change."""
    with Project.open(Path(shutil.copytree(built, tmp_path / "own"))) as opened:
        yield opened
