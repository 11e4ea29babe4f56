"""The server without a browser: whom it answers, what it refuses, and that it never gives way."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import drawn
import pytest

from app import server
from app.pages import Pages
from workbench.errors import InputError
from workbench.store import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn.build(tmp_path_factory.mktemp("server") / "small", scenes=2)


@pytest.fixture
def running(project: Path) -> Iterator[server.AppServer]:
    opened = server.bind(Pages(project), 0)
    thread = threading.Thread(target=opened.serve_forever, daemon=True)
    thread.start()
    yield opened
    opened.shutdown()
    opened.server_close()
    thread.join()


def ask(running: server.AppServer, path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection(*running.server_address[:2], timeout=20)
    connection.request(method, path, headers=headers)
    reply = connection.getresponse()
    body = reply.read().decode("utf-8", "replace")
    connection.close()
    return reply.status, body, {key.lower(): value for key, value in reply.getheaders()}


def test_it_listens_on_loopback_alone(running: server.AppServer) -> None:
    assert running.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("path", ["/", "/questions", "/nowhere", "/static/style.css"])
def test_every_reply_allows_nothing_from_elsewhere(running: server.AppServer, path: str) -> None:
    _, body, headers = ask(running, path)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "<script>" not in body
    assert " style=" not in body
    assert " onclick=" not in body
    assert "https://" not in body


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8870", "127.0.0.1.evil.example", ""])
def test_another_name_for_this_machine_is_refused(running: server.AppServer, host: str) -> None:
    status, body, _ = ask(running, "/", Host=host)
    assert status == 403
    assert "own machine" in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_written(running: server.AppServer, method: str) -> None:
    assert ask(running, "/", method)[0] == 501


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere", "/static/../server.py", "/static/%2e%2e/server.py", "/static/", "/image/../../../../etc/passwd",
        "/image/" + "0" * 64, "/thumb/..%2f..%2fx", "/question?id=gone", "/trace?id=gone", "/trace", "/question?id=",
        "/data/trace?id=gone", "/data/nothing",
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_so(running: server.AppServer, path: str) -> None:
    status, body, headers = ask(running, path)
    assert status == 404
    assert headers["content-type"].startswith("text/html")
    assert "Back to the overview" in body


@pytest.mark.parametrize("path", ["/?" + "&".join(f"a{i}=1" for i in range(50)), "//[bad"])
def test_an_unreadable_address_is_a_page_too(running: server.AppServer, path: str) -> None:
    assert ask(running, path)[0] in (400, 404)


def test_pictures_come_by_digest_with_their_type(running: server.AppServer, project: Path) -> None:
    digest = next((project / "images").glob("??/*.webp")).stem
    status, _, headers = ask(running, f"/image/{digest}")
    assert (status, headers["content-type"]) == (200, "image/webp")
    assert "immutable" in headers["cache-control"]
    status, _, headers = ask(running, f"/thumb/{digest}")
    assert status == 200
    assert int(headers["content-length"]) < 20_000


def test_head_gives_no_body(running: server.AppServer) -> None:
    status, body, headers = ask(running, "/", "HEAD")
    assert (status, body) == (200, "")
    assert int(headers["content-length"]) > 1000


def test_a_store_held_by_a_run_is_said_and_survived(running: server.AppServer, project: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from workbench.store import Project;"
        "p = Project.open(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(project)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline().strip() == "held"
    status, body, _ = ask(running, "/")
    assert status == 503
    assert "is in use by process" in body
    assert "tries again" in body
    holder.stdin.close()
    assert holder.wait(20) == 0
    assert ask(running, "/")[0] == 200


def test_an_open_page_keeps_no_run_waiting(running: server.AppServer, project: Path) -> None:
    assert ask(running, "/")[0] == 200
    Project.open(project, wait=0).close()


def test_many_pages_at_once_are_all_answered(running: server.AppServer) -> None:
    paths = [
        "/",
        "/questions",
        "/question?id=collages/train-00000/count",
        "/trace?id=t0-collages/train-00000/count",
    ] * 6
    with ThreadPoolExecutor(8) as pool:
        assert {status for status, _, _ in pool.map(lambda path: ask(running, path), paths)} == {200}


def test_a_store_that_another_program_spoilt_is_a_page_and_the_server_goes_on(
    running: server.AppServer, project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spoilt = drawn.Drawn(tmp_path / "spoilt")
    event = drawn.TraceEvent(0, "line", 1, 0, {"changed": {"x": {"type": "list", "length": "many", "items": [1]}}})
    end = drawn.events_of("dog", [], (4, 4))[-1]
    task = drawn.Task("q", "s", "train", "0" * 64, "?", ("0",), "integer")
    trace_id = spoilt.task(task, [("x = [1]", (event, end))] * drawn.K)
    spoilt.close()
    running.site = Pages(tmp_path / "spoilt")
    status, body, _ = ask(running, f"/data/trace?id={trace_id}")
    assert (status, "could not be made" in body) == (500, True)
    assert "ValueError" in capfd.readouterr().err
    assert ask(running, "/questions")[0] == 200


def test_an_empty_project_says_how_to_begin(tmp_path: Path) -> None:
    Project.create(tmp_path / "new").close()
    page = Pages(tmp_path / "new").page("/", {})
    assert page is not None
    assert "Nothing here yet" in page
    assert "vpd run --project" in page


def test_a_taken_port_gives_the_next(running: server.AppServer, project: Path) -> None:
    taken = running.server_address[1]
    with server.bind(Pages(project), taken) as second:
        assert taken < second.server_address[1] < taken + 10


def test_no_free_port_is_said(project: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(InputError, match=rf"ports {port} to {port} are all taken; give a free one with --port"):
            server.bind(Pages(project), port, tries=1)


def test_no_project_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no project at"):
        server.main(tmp_path, 0, open_browser=False)
