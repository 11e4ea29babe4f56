"""What the server shows to people without a login, and to those whose it is not."""

from __future__ import annotations

import getpass
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import page_project
import pytest
from servers import serve
from test_server import ask, basic, do

from app import people
from app.main import Running


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server where people log in: ann curates, eve administers."""
    folder = tmp_path_factory.mktemp("strangers")
    users = folder / "users.json"
    cost, people._COST = people._COST, 2**7
    for name, role in (("ann", "curator"), ("eve", "admin")):
        people.add_user(users, name, f"{name}-password", role)
    with serve(page_project.build(folder / "small", scenes=1), auth=users) as running:
        yield running
    people._COST = cost


def test_a_password_is_hashed_beside_the_loop_of_events(
    locked: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one is hashed, everybody else is answered."""
    begun, go = threading.Event(), threading.Event()

    def slow(password: str, kept: str) -> bool:
        begun.set()
        return go.wait(20) and False

    monkeypatch.setattr(people, "fits", slow)
    with ThreadPoolExecutor(1) as pool:
        guess = pool.submit(ask, locked, "/data/views", **basic("mallory"))
        assert begun.wait(20)
        assert ask(locked, "/login")[0] == 200
        assert ask(locked, "/data/views")[0] == 401
        assert not guess.done()
        go.set()
        assert guess.result(20)[0] == 401


@pytest.mark.parametrize("path", ["/static/nothing.css", "/static/../people.py", "/config/nothing"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_stranger_learns_nothing_of_the_machine(locked: Running, path: str, accept: str) -> None:
    status, body, _ = ask(locked, path, Accept=accept)
    assert status in (401, 404)
    project = locked.site.project.path
    for secret in (str(project), project.name, getpass.getuser(), "admin", locked.site.me.name):
        assert not re.search(rf"\b{re.escape(secret)}\b", body), body


def test_files_are_taken_by_the_pages_own_way_alone(locked: Running) -> None:
    """What Gradio takes would lie in a folder of this machine for ever."""
    status, _, _ = ask(locked, "/gradio_api/upload", "POST", b"--x--", **basic("eve"))
    assert status == 404


def test_a_saved_view_is_its_authors(locked: Running) -> None:
    view: dict[str, object] = {"id": "views-0001", "name": "mine", "q": "dog", "sort": "newest"}
    assert do(locked, "/do/browse/view", view, **basic("eve"))[0] == 200
    for path in ("/do/browse/forget", "/do/browse/view"):
        status, said = do(locked, path, view, **basic("ann"))
        assert status == 400
        assert "the view 'mine' is eve's" in str(said["error"])
    rows = json.loads(ask(locked, "/data/views", **basic("ann"))[1])
    assert [(row["author"], row["mine"]) for row in rows] == [("eve", False)]
    assert do(locked, "/do/browse/view", {**view, "name": "hers"}, **basic("ann"))[0] == 200
    assert do(locked, "/do/browse/forget", {**view, "name": "hers"}, **basic("eve"))[0] == 200
    assert do(locked, "/do/browse/forget", view, **basic("eve"))[0] == 200
    assert ask(locked, "/data/views", **basic("ann"))[1] == "[]"
