"""A project to decide in, for the tests of decisions, of the past and of the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from curation_project import Home, make_project


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Six questions with kept runs, nothing decided."""
    project, made = make_project(tmp_path)
    yield project, made
    project.close()
