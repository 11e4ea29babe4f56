"""One executor with scripted tools, shared: its worker processes start once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tools_for_tests import OnePicture, all_tools

from workbench.execute import Executor, Limits


@pytest.fixture(scope="session")
def executor() -> Iterator[Executor]:
    with Executor(all_tools(), OnePicture(), Limits(seconds=3.0), hold=8) as made:
        yield made
