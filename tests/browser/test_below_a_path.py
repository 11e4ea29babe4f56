"""The pages below a path of a proxy, such as https://example.org/vpd/: styles, scripts, links, data."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urljoin, urlsplit

import page_project
import pytest
from servers import serve

from app.main import Running

PREFIX = "/team/vpd"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serve(page_project.build(tmp_path_factory.mktemp("below") / "small", scenes=1)) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(site: Running) -> Iterator[str]:
    """A proxy that takes its own path off, as `proxy_pass http://127.0.0.1:8870/` of nginx does."""
    inner = urlsplit(site.url).netloc

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            connection = http.client.HTTPConnection(inner, timeout=30)
            headers = {**self.headers, "Host": self.headers["Host"]}
            connection.request(self.command, self.path.removeprefix(PREFIX), body, headers)
            reply = connection.getresponse()
            text = reply.read()
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            connection.close()

        do_GET = do_POST = handle_any

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{PREFIX}/"
    server.shutdown()
    server.server_close()


def get(address: str) -> tuple[int, str, dict[str, str]]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection.request("GET", path, headers={"Accept": "text/html"})
    reply = connection.getresponse()
    text = reply.read().decode("utf-8", "replace")
    connection.close()
    return reply.status, text, {name.lower(): value for name, value in reply.getheaders()}


@pytest.mark.parametrize(
    "page",
    [
        "start",
        "browse",
        "curate",
        "train",
        "compare",
        "dashboard",
        "curate?mode=rate",
        "no/such/page",
    ],
)
def test_everything_that_a_page_names_is_below_the_path(proxy: str, page: str) -> None:
    _, html, _ = get(proxy + page)
    names = re.findall(r'(?:href|src|action|data-library)="([^"#]*)"', html)
    assert len(names) > 8
    assert [name for name in names if name.startswith("/")] == []
    for name in names:
        address = urljoin(proxy + page, name)
        assert address.startswith(proxy), address
        if "/static/" in address or "/vendor/" in address:
            assert get(address)[0] == 200, address


def test_the_first_page_leads_below_the_path(proxy: str) -> None:
    status, _, headers = get(proxy)
    assert status == 307
    assert urljoin(proxy, headers["location"]) == f"{proxy}start"


@pytest.mark.browser
def test_a_page_works_below_the_path(proxy: str, visit) -> None:
    page = visit(f"{proxy}browse")
    page.wait_for_selector("[data-rows] img")
    assert page.evaluate("getComputedStyle(document.querySelector('.bar')).position") != "static"
    page.wait_for_function("() => document.querySelector('[data-rows] img').naturalWidth")
    page.get_by_role("link", name="Dashboard").click()
    page.wait_for_url(f"{proxy}dashboard")
