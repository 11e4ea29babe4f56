"""The server without a browser: whom it answers, what it refuses, what is public, and that it never
gives way.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import page_project
import pytest
from servers import serve

from app import people
from app.main import Running
from workbench.records import Decision

COUNT = "collages/train-00000/count"
TRACE = f"t0-{COUNT}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serve(
        page_project.build(tmp_path_factory.mktemp("server") / "small", scenes=2)
    ) as running:
        yield running


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server where people log in: ann curates, bob looks, eve administers."""
    folder = tmp_path_factory.mktemp("locked")
    users = folder / "users.json"
    cost, people._COST = people._COST, 2**7
    for name, role in (("ann", "curator"), ("bob", "viewer"), ("eve", "admin")):
        people.add_user(users, name, f"{name}-password", role)
    with serve(page_project.build(folder / "small", scenes=1), auth=users) as running:
        yield running
    people._COST = cost


def ask(
    site: Running, path: str, method: str = "GET", body: bytes | str | None = None, **headers: str
) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
    connection.request(
        method, path, body, {key.replace("_", "-"): value for key, value in headers.items()}
    )
    reply = connection.getresponse()
    text = reply.read().decode("utf-8", "replace")
    connection.close()
    return reply.status, text, {key.lower(): value for key, value in reply.getheaders()}


def do(
    site: Running, path: str, body: dict[str, object], **headers: str
) -> tuple[int, dict[str, object]]:
    status, text, _ = ask(
        site, path, "POST", json.dumps(body), Content_Type="application/json", **headers
    )
    return status, json.loads(text)


def basic(name: str) -> dict[str, str]:
    return {
        "Authorization": "Basic " + base64.b64encode(f"{name}:{name}-password".encode()).decode()
    }


def call(site: Running, name: str, *arguments: object, **headers: str) -> tuple[str, object]:
    """An endpoint of Gradio's queue: the last event and its data."""
    status, begun = do(site, f"/gradio_api/call/{name}", {"data": list(arguments)}, **headers)
    if status != 200:
        return str(status), begun
    text = ask(site, f"/gradio_api/call/{name}/{begun['event_id']}", **headers)[1]
    event, data = text.strip().split("\n\n")[-1].split("\n", 1)
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


# --- what every reply has, and who gets one


@pytest.mark.parametrize(
    "path",
    [
        "/browse",
        "/train",
        "/nowhere",
        "/static/style.css",
        "/data/browse",
        "/config",
        "/gradio_api/info",
    ],
)
def test_every_reply_allows_nothing_from_elsewhere(site: Running, path: str) -> None:
    _, body, headers = ask(site, path, Origin="http://evil.example", Accept="text/html")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert not [name for name in headers if name.startswith("access-control")]
    if "text/html" in headers["content-type"]:
        assert "<script>" not in body
        assert " style=" not in body
        assert " onclick=" not in body
        assert "https://" not in body


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8870", "127.0.0.1.evil.example", "", "[::1"]
)
def test_another_name_for_this_machine_is_refused(site: Running, host: str) -> None:
    status, body, _ = ask(site, "/browse", Host=host)
    assert status == 403
    assert "own machine" in body


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/do/undo", "/gradio_api/call/decide", "/gradio_api/queue/join", "/gradio_api/upload"]
)
def test_a_change_from_another_site_is_refused(
    site: Running, path: str, headers: dict[str, str]
) -> None:
    status, text, _ = ask(site, path, "POST", "{}", Content_Type="application/json", **headers)
    assert status == 403
    assert "own pages" in text


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/static/../main.py",
        "/static/%2e%2e/main.py",
        "/static/",
        "/static/img/logo.svg",
        "/image/../../../../etc/passwd",
        "/image/" + "0" * 64,
        "/step?trace=gone",
        "/browse/x",
        "/questions",
    ],
)
def test_what_is_not_there_is_said_so(site: Running, path: str) -> None:
    status, body, headers = ask(site, path, Accept="text/html")
    assert status == 404
    assert headers["content-type"].startswith("text/html")
    assert "To the questions" in body


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/vibe-code",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=http://x.hf.space",
        "/monitoring",
        "/gradio_api/runs",
        "/gradio_api/dev/reload",
        "/svelte/x",
        "/assets/x",
        "/manifest.json",
        "/gradio_api/token",
    ],
)
def test_what_gradio_brings_and_nobody_needs_is_shut(site: Running, path: str) -> None:
    assert ask(site, path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/data/step?trace=gone",
        "/data/browse?q=stat:us",
        "/data/browse?sort=x",
        "/data/browse?after=x",
    ],
)
def test_a_script_gets_what_is_wrong_as_json(site: Running, path: str) -> None:
    status, body, _ = ask(site, path)
    assert status == 400
    assert json.loads(body)["error"]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"id": "abcdefgh"}', '{"id": 5, "trace": [], "step": "x"}']
)
def test_an_unreadable_change_changes_nothing(site: Running, body: str) -> None:
    status, text, _ = ask(site, "/do/step/wrong", "POST", body, Content_Type="application/json")
    assert status == 422
    assert "Nothing was changed" in json.loads(text)["error"]


def test_a_body_is_bounded_whatever_it_says_of_itself(site: Running) -> None:
    assert ask(site, "/do/undo", "POST", "x" * 1_000_001)[0] == 413
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
    chunks = (b"x" * 100_000 for _ in range(12))
    connection.request(
        "POST", "/do/undo", chunks, {"Content-Type": "application/json"}, encode_chunked=True
    )
    assert connection.getresponse().status == 413
    connection.close()


def test_pictures_come_by_digest_with_their_type(site: Running) -> None:
    digest = next((site.site.project.path / "images").glob("??/*.webp")).stem
    status, _, headers = ask(site, f"/image/{digest}")
    assert (status, headers["content-type"]) == (200, "image/webp")
    assert "immutable" in headers["cache-control"]
    status, _, headers = ask(site, f"/thumb/{digest}")
    assert status == 200
    assert int(headers["content-length"]) <= 20_000


def test_many_pages_at_once_are_all_answered(site: Running) -> None:
    paths = [
        "/browse",
        f"/step?trace={TRACE}",
        f"/data/step?trace={TRACE}",
        "/data/browse?q=dog",
        "/data/browse/facets",
    ] * 6
    with ThreadPoolExecutor(8) as pool:
        assert {status for status, _, _ in pool.map(lambda path: ask(site, path), paths)} == {200}


def test_a_fault_of_ours_is_a_page_and_the_server_goes_on(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("not for people")

    monkeypatch.setattr(site.site.project, "browse", broken)
    status, body, _ = ask(site, "/data/browse")
    assert (status, "could not be made" in body, "not for people" in body) == (500, True, False)
    monkeypatch.undo()
    assert ask(site, "/data/browse")[0] == 200


# --- logging in, and roles


def test_a_page_leads_to_the_login_and_back_and_a_script_is_told(locked: Running) -> None:
    status, _, headers = ask(locked, "/browse?q=dog", Accept="text/html")
    assert (status, headers["location"]) == (303, "login?next=browse%3Fq%3Ddog")
    assert ask(locked, "/data/browse")[0] == 401
    assert ask(locked, "/image/" + "0" * 64)[0] == 401
    form = urlencode({"username": "ann", "password": "ann-password", "next": "/browse?q=dog"})
    status, _, headers = ask(
        locked,
        "/login",
        "POST",
        form,
        Content_Type="application/x-www-form-urlencoded",
        Accept="text/html",
    )
    assert (status, headers["location"]) == (303, "browse?q=dog")
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    session = cookie.split(";")[0]
    assert ask(locked, "/data/browse", Cookie=session)[0] == 200
    ask(locked, "/logout", "POST", Cookie=session)
    assert ask(locked, "/data/browse", Cookie=session)[0] == 401


def test_a_wrong_password_says_so_and_nothing_else(locked: Running) -> None:
    for name in ("ann", "nobody"):
        form = urlencode({"username": name, "password": "wrong"})
        status, body, headers = ask(
            locked,
            "/login",
            "POST",
            form,
            Content_Type="application/x-www-form-urlencoded",
            Accept="text/html",
        )
        assert status == 401
        assert "do not belong together" in body
        assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\nb"],
)
def test_the_login_leads_nowhere_else(locked: Running, address: str) -> None:
    form = urlencode({"username": "ann", "password": "ann-password", "next": address})
    _, _, headers = ask(
        locked,
        "/login",
        "POST",
        form,
        Content_Type="application/x-www-form-urlencoded",
        Accept="text/html",
    )
    assert headers["location"] == "start"


CHANGES = [
    "/do/undo",
    "/do/step/wrong",
    "/do/step/edit",
    "/do/browse/queue",
    "/do/browse/accept",
    "/do/browse/reject",
    "/do/browse/tag",
    "/do/browse/view",
    "/do/browse/forget",
]


@pytest.mark.parametrize("path", CHANGES)
def test_a_viewer_changes_nothing(locked: Running, path: str) -> None:
    body = {
        "id": "abcdefgh",
        "trace": TRACE,
        "step": 1,
        "task": COUNT,
        "target": "x",
        "draft": "x",
        "tasks": [COUNT],
        "name": "n",
        "reason": "ambiguous",
    }
    status, answer = do(locked, path, body, **basic("bob"))
    assert status == 403
    assert "needs the role" in str(answer["error"])
    assert ask(locked, path, "POST", json.dumps(body), Content_Type="application/json")[0] == 401


def test_every_change_that_there_is_checks_a_role(locked: Running) -> None:
    routes = [
        route
        for route in locked.site.server.routes
        if getattr(route, "path", "").startswith("/do/")
    ]
    assert len(routes) >= len(CHANGES)
    for route in routes:
        checks = [dependency.call.__qualname__ for dependency in route.dependant.dependencies]
        assert any("_needs" in name for name in checks), f"{route.path} checks no role"


@pytest.mark.parametrize("name", ["decide", "replay", "snapshot"])
def test_an_endpoint_checks_the_role_too(locked: Running, name: str) -> None:
    arguments = {
        "decide": ["abcdefgh1", "skip", COUNT, "", "", "", ""],
        "replay": [TRACE, "x"],
        "snapshot": ["", "", "person"],
    }[name]
    event, data = call(locked, name, *arguments, **basic("bob"))
    assert event == "error"
    assert "needs the role" in str(data)
    assert call(locked, name, *arguments)[0] == "401"


def test_a_decision_is_kept_under_the_name_of_who_logged_in(locked: Running) -> None:
    event, data = call(
        locked, "decide", "decision-0001", "skip", COUNT, "", "", "", "", **basic("ann")
    )
    assert event == "complete"
    assert data[0]["state"] == "skipped"
    (stored,) = locked.site.project.curation.events(task_id=COUNT)
    assert (stored.author, stored.role, stored.kind) == ("ann", "curator", "skip")


def test_gradios_own_client_logs_in(locked: Running) -> None:
    client = pytest.importorskip("gradio_client").Client(
        locked.url, auth=("bob", "bob-password"), verbose=False
    )
    assert client.predict("", "import", "", 1, api_name="/search")["total"] > 0


# --- the documented API


def test_what_is_public_is_what_is_documented(site: Running) -> None:
    info = json.loads(ask(site, "/gradio_api/info")[1])
    assert set(info["named_endpoints"]) == {
        "/search",
        "/get_trace",
        "/decide",
        "/snapshot",
        "/answer",
        "/train",
        "/jobs",
    }
    assert info["unnamed_endpoints"] == {}
    assert all(one["description"] for one in info["named_endpoints"].values())


def test_search_and_get_trace(site: Running) -> None:
    event, (found,) = call(site, "search", "family:count", "import", "", 1)
    assert event == "complete"
    assert found["total"] == 2
    trace = next(run["trace"] for run in found["rows"][0]["runs"])
    event, (run,) = call(site, "get_trace", trace)
    assert run["question"] == found["rows"][0]["question"]
    assert run["steps"][1]["does"] == "find"
    assert run["steps"][1]["tool"]


def test_deciding_twice_with_one_id_is_one_decision(site: Running) -> None:
    for _ in range(2):
        event, (said,) = call(site, "decide", "same-decision", "accept", COUNT, TRACE, "", "", "")
        assert (event, said["state"]) == ("complete", "accepted")
    event, data = call(site, "decide", "same-decision", "skip", COUNT, "", "", "", "")
    assert event == "error"
    assert "another content" in data["error"]
    kept = [
        one for one in site.site.project.curation.events(task_id=COUNT) if one.id == "same-decision"
    ]
    assert len(kept) == 1
    site.site.project.curation.decide(
        [Decision("take-it-back", "undo", "ann", "admin", task_id=COUNT, target="same-decision")]
    )


def test_mcp_clients_see_the_same_tools(site: Running) -> None:
    pytest.importorskip("mcp")
    headers = {"Content_Type": "application/json", "Accept": "application/json, text/event-stream"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    status, text, _ = ask(site, "/gradio_api/mcp/", "POST", json.dumps(body), **headers)
    assert status == 200
    tools = json.loads(text.split("data: ", 1)[1].strip())["result"]["tools"]
    names = "answer decide get_trace search snapshot train training_jobs"
    assert " ".join(sorted(tool["name"] for tool in tools)) == names


def test_mcp_calls_run_under_the_callers_role(locked: Running) -> None:
    pytest.importorskip("mcp")
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": "decide",
            "arguments": {"id": "by-mcp-0001", "kind": "note", "task": COUNT, "text": "seen"},
        },
    }
    headers = {"Content_Type": "application/json", "Accept": "application/json, text/event-stream"}
    _, refused, _ = ask(
        locked, "/gradio_api/mcp/", "POST", json.dumps(body), **headers, **basic("bob")
    )
    assert "needs the role curator" in refused
    _, kept, _ = ask(
        locked, "/gradio_api/mcp/", "POST", json.dumps(body), **headers, **basic("ann")
    )
    assert "by-mcp-0001" in kept
    assert locked.site.project.curation.events(task_id=COUNT)[-1].author == "ann"
    assert ask(locked, "/gradio_api/mcp/", "POST", json.dumps(body), **headers)[0] == 401
