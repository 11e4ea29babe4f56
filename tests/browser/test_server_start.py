"""Starting and stopping the server: addresses, ports, signals."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import page_project
import pytest
from servers import serve

from app import main
from app.main import Running
from workbench.errors import InputError
from workbench.store import Project


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serve(page_project.build(tmp_path_factory.mktemp("start") / "small", scenes=1)) as running:
        yield running


def test_another_address_needs_users(site: Running) -> None:
    with pytest.raises(InputError, match="vpd app add-user NAME --auth"):
        main.start(main.build(site.site.project), "0.0.0.0", 0)


def test_a_taken_port_gives_the_next(site: Running) -> None:
    taken = urlsplit(site.url).port
    assert taken is not None
    assert taken < main.free_port("127.0.0.1", taken) < taken + main.TRIES


def test_no_free_port_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "TRIES", 1)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(
            InputError, match=rf"ports {port} to {port} are all taken on 127.0.0.1; give a free one"
        ):
            main.free_port("127.0.0.1", port)


def test_it_is_ended_by_who_ends_a_service_and_the_project_opens_again(tmp_path: Path) -> None:
    """By SIGTERM; `tests/cli/test_process.py` ends it by Ctrl-C."""
    folder = tmp_path / "p"
    Project.create(folder).close()
    code = "import sys; from workbench.cli import main; sys.argv = ['vpd', 'app', '-p', sys.argv[1], '--port', '0', '--no-browser']; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline().startswith("http://127.0.0.1:")
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=120)
    assert (child.returncode, out) == (0, "")
    assert "what was decided is stored" in err
    assert "Traceback" not in err
    Project.open(folder, wait=0).close()
