"""What several tests of the hall begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from finished_project import finished_project

from workbench.store import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Twelve questions on six pictures, two of them of the test split; programs run and judged."""
    with Project.open(finished_project(tmp_path)) as made:
        yield made
