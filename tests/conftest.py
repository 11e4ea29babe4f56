"""What every test gets: this machine's network only, one thread a process, no hub, trusted code."""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# projects of tests are copied, with parts of the tests' own
os.environ.setdefault("VPD_TRUST", "1")

import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

# Importing everything makes millions of objects and no garbage: looking through them again and again
# would be a third of the collection, and of many a test after it.
gc.disable()

# A busy machine draws examples slowly; that says nothing about what is tested.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_configure() -> None:
    """Let Ctrl-C reach the processes that tests start.

    A shell starts background jobs with SIGINT ignored, and what is ignored stays so in every child.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Collect garbage again from here on, but among what tests make only."""
    gc.freeze()
    gc.enable()


SLOWEST = ("test_story.py", "pipeline", "browser", "train", "cli", "test_pipeline.py", "store")
"""What takes longest begins first: two workers then end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files by what they cost, each file's tests as they stand."""

    def place(item: pytest.Item) -> int:
        room = item.path.relative_to(ROOT / "tests").parts[0]
        return SLOWEST.index(room) if room in SLOWEST else len(SLOWEST)

    items.sort(key=place)


ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _closed_network(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Only loopback and unix sockets connect, unless the test is marked `network`."""
    if request.node.get_closest_marker("network"):
        yield
        return
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family != socket.AF_UNIX and str(host) not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to reach {host}; the suite needs no network")
        real(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)
    yield


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A small drawn picture: a red square on white, 64 x 48."""
    path = tmp_path / "square.png"
    image = Image.new("RGB", (64, 48), "white")
    image.paste((200, 30, 30), (8, 8, 24, 24))
    image.save(path)
    return path
