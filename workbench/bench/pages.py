"""`vpd bench app`: what the pages cost on this machine, through the real server and a real
Chromium, beside the aims.

paint      first paint of Curate and its first question; a trace of 2,000 steps and its nodes
keys       from the key press that decides to the next question painted, picture and step included
browse     a page of Browse: the server's answer, and from the click to the painted rows
curators   ten people deciding at once: decisions a second, and that none is lost and none doubled
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from app.people import add_user
from workbench.bench.store import PARTS, K, StoreFigure, fill
from workbench.errors import InputError, WorkbenchError
from workbench.records import Program, Task, Trace, TraceEvent, content_key
from workbench.store import Project
from workbench.tasks.collage.pictures import make_scene, render

LONG, LONG_RUN = "bench-long", "bench-long-run"
"""The question whose trace has `STEPS` steps, and the trace."""
STEPS = 2000
PASSWORD = "curate-quickly"  # noqa: S105  (of a made project that lives as long as the measurement)

WATCH = """
(() => {
  const shown = () => {
    const question = document.querySelector("[data-question]");
    const image = document.querySelector(".vp-canvas img");
    return question && image && image.complete && image.naturalWidth && document.querySelector(".vp-step h3")
      ? question.dataset.question : null;
  };
  const painted = (then) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => then(performance.now());
    channel.port2.postMessage(null);
  });
  window.measured = [];
  const first = () => { if (shown()) painted((at) => { window.first = at; }); else requestAnimationFrame(first); };
  first();
  addEventListener("keydown", (event) => {
    if (event.key !== "a" || !shown()) return;
    const before = shown(), began = event.timeStamp;
    const look = () => {
      if (!shown() || shown() === before) requestAnimationFrame(look);
      else painted((at) => window.measured.push(at - began));
    };
    look();
  }, true);
})();
"""
"""Notes in the page itself when a question is painted: text, decoded picture and step, in a frame
that was shown.
"""


def make(folder: Path, tasks: int, pictures: int) -> Project:
    """An open project of `tasks` made questions with K traces each, on pictures that are really
    there.
    """
    project = Project.create(folder)
    scratch = folder / "scratch"
    scratch.mkdir()
    digests = []
    for index in range(pictures):
        path = scratch / f"{index}.webp"
        render(make_scene("train", index)).save(path, quality=85)
        digests.append(project.images.add(path))
    shutil.rmtree(scratch)
    fill(project, tasks)
    sql = (
        "UPDATE task SET image = from_json($digests, '[\"VARCHAR\"]')[1 + (seq % $count)::INTEGER]"
    )
    given = {"digests": json.dumps(digests), "count": len(digests)}
    project.database.transaction(lambda cursor: cursor.execute(sql, given))
    _long(project, digests[0])
    return project


def _long(project: Project, image: str) -> None:
    """A question with one trace of `STEPS` steps."""
    patch = {"type": "patch", "box": [5, 5, 120, 60], "label": "dog", "score": 0.9}
    events = [
        TraceEvent(at, "line", 2 + at % 3, 0, {"changed": {"i": at, "p": patch}})
        for at in range(STEPS - 1)
    ]
    end = {"ok": True, "answer": "9", "steps": STEPS, "tool_calls": 0}
    events.append(TraceEvent(STEPS - 1, "end", 0, 0, end))
    source = (
        "def execute_command(image):\n    while True:\n        i = i + 1\n        p = dogs[i]\n"
    )
    task = Task(LONG, "bench", "train", image, "How long is it?", ("9",), "integer")
    program = Program(content_key(LONG), LONG, 0, source, -0.1, 60, 0, PARTS["sampler"], 0.1)
    project.add_tasks([task])
    project.add_programs([program], 0)
    executor = PARTS["executor"]
    project.add_traces(
        [Trace(LONG_RUN, program.id, LONG, "9", None, tuple(events), STEPS, 0, 0.5, executor)]
    )
    project.browse(limit=1)


@contextmanager
def server(project: Path, users: Path) -> Iterator[str]:
    """`vpd app` in a process of its own, as people run it; gives its address."""
    command = [
        sys.executable,
        "-c",
        "from workbench.cli import main; main()",
        "app",
        "--project",
        str(project),
    ]
    with (project / "server.log").open(
        "w"
    ) as log:  # a pipe that nobody empties would stop the server
        process = subprocess.Popen(  # noqa: S603
            [*command, "--no-browser", "--port", "0", "--auth", str(users)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        if not said.startswith("http"):
            process.wait(30)
            raise WorkbenchError(
                f"vpd app did not start: {(project / 'server.log').read_text().strip()[-400:]}"
            )
        yield said.split()[0].rstrip("/")
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


class Curator:
    """Somebody who decides over HTTP as the page does: asks for questions, says one verdict on
    each.
    """

    def __init__(self, address: str, name: str) -> None:
        self.page = secrets.token_hex(16)
        self.said: list[str] = []
        self.seconds: list[float] = []
        packed = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
        self._headers = {"Authorization": f"Basic {packed}", "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=120)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            self._connection.request("POST", path, json.dumps(body), self._headers)
            reply = self._connection.getresponse()
        except (
            ConnectionError
        ):  # the server ends connections that were idle for seconds; a browser asks again too
            self._connection.close()
            self._connection.request("POST", path, json.dumps(body), self._headers)
            reply = self._connection.getresponse()
        found: dict[str, Any] = json.loads(reply.read())
        if reply.status != 200:
            raise WorkbenchError(f"{path} answered {reply.status}: {found.get('error')}")
        return found

    def decide(self, count: int) -> None:
        """`count` decisions; sends every tenth twice, as a page does that did not hear the answer."""
        ahead: list[dict[str, Any]] = []
        while len(self.said) < count:
            if not ahead:
                ahead = self.post("/do/curate/next", {"page": self.page, "count": 3})["items"]
                if not ahead:
                    raise InputError(
                        f"the queue is empty after {len(self.said)} decisions; make a larger store"
                    )
            item = ahead.pop(0)
            one = item["candidates"][item["at"]]
            some_id = secrets.token_hex(16)
            body = {
                "id": some_id,
                "task": item["task"],
                "kind": "accept",
                "trace": one["trace"],
                "seconds": 1.5,
            }
            if len(self.said) % 5 == 4:
                body |= {"kind": "reject", "reason": "wrong_program"}
            else:
                body["rationale"] = one["rationale"]
            began = time.perf_counter()
            self.post("/do/curate/decide", body)
            self.seconds.append(time.perf_counter() - began)
            if len(self.said) % 10 == 9:
                self.post("/do/curate/decide", body)
            self.said.append(some_id)


def curate_at_once(
    address: str, names: Sequence[str], decisions: int
) -> tuple[list[Curator], float]:
    """`decisions` by all of `names` together; gives them, and the seconds it took."""
    people = [Curator(address, name) for name in names]
    for one in people:
        one.post(
            "/do/curate/next", {"page": one.page, "count": 1}
        )  # the password is looked up once
    shares = [decisions // len(names) + (at < decisions % len(names)) for at in range(len(names))]
    began = time.perf_counter()
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(Curator.decide, people, shares))
    return people, time.perf_counter() - began


def check(project: Path, people: Sequence[Curator]) -> tuple[int, int, int]:
    """Of what was said: lost, stored twice, and questions that two were given."""
    with Project.open(project) as opened:
        rows = opened.database.rows(
            "SELECT id, task_id FROM decision WHERE kind IN ('accept', 'reject')"
        )
    stored = [row["id"] for row in rows]
    said = {some_id for one in people for some_id in one.said}
    mine = [row["task_id"] for row in rows if row["id"] in said]
    return len(said - set(stored)), len(stored) - len(set(stored)), len(mine) - len(set(mine))


def _spread(name: str, milliseconds: Sequence[float], aim: str) -> StoreFigure:
    ordered = sorted(milliseconds)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return StoreFigure(name, p95, "ms p95", aim, f"p50 {median(ordered):.0f} ms, n {len(ordered)}")


def pages(address: str, decisions: int) -> Iterator[StoreFigure]:
    """What a person at a browser waits for."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise InputError("the pages are measured in a browser: pip install playwright") from error
    path = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.request.post(
            f"{address}/login", form={"username": "viewer-at-work", "password": PASSWORD}
        )
        page = context.new_page()
        page.add_init_script(WATCH)
        yield from _curate(page, address, decisions)
        yield from _long_trace(page, address)
        yield from _browse(page, address)
        browser.close()


def _curate(page: Any, address: str, decisions: int) -> list[StoreFigure]:
    page.goto(f"{address}/curate")
    _until(page, "window.first")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    rows = [
        StoreFigure("Curate: first paint", paint, "ms", "< 2,000 ms"),
        StoreFigure(
            "Curate: first question painted", page.evaluate("window.first"), "ms", "< 2,000 ms"
        ),
    ]
    page.wait_for_timeout(2000)
    for at in range(decisions):
        page.keyboard.press("a")
        _until(page, f"window.measured.length > {at}")
        page.wait_for_timeout(250)
    return [
        *rows,
        _spread("Curate: key press to next question", page.evaluate("window.measured"), "< 150 ms"),
    ]


def _until(page: Any, what: str) -> None:
    """Wait in the page; the policy of the pages lets nothing be evaluated from within it."""
    page.evaluate(
        f"""new Promise((then, fail) => {{
          const look = () => {{ if ({what}) then(); else setTimeout(look, 10); }};
          setTimeout(() => fail(new Error("60 s without: {what}")), 60000);
          look();
        }})"""
    )


def _long_trace(page: Any, address: str) -> list[StoreFigure]:
    page.goto(f"{address}/step?trace={LONG_RUN}", wait_until="commit")
    page.wait_for_selector(".vp-step h3")
    painted = page.evaluate(
        "new Promise((then) => requestAnimationFrame(() => then(performance.now())))"
    )
    nodes = page.evaluate("document.querySelectorAll('*').length")
    return [
        StoreFigure(f"Step: a trace of {STEPS:,} steps painted", painted, "ms", "< 2,000 ms"),
        StoreFigure(f"Step: nodes with {STEPS:,} steps", nodes, "nodes", "< 5,000"),
    ]


def _browse(page: Any, address: str) -> list[StoreFigure]:
    asked = ["", "status:wrong", "tool:find status:kept", "dog", "beside number 7", "steps>20"]
    spent, drawn = [], []
    page.goto(f"{address}/browse")
    page.wait_for_selector(".row")
    page.wait_for_load_state("networkidle")
    for q in asked * 4:
        spent.append(page.evaluate(ASK, f"/data/browse?{urlencode({'q': q, 'sort': 'siblings'})}"))
    for _ in range(8):
        before = page.locator(".row").first.inner_text()
        drawn.append(page.evaluate(NEXT))
        page.wait_for_load_state("networkidle")
        assert page.locator(".row").first.inner_text() != before
    return [
        _spread("Browse: a page from the server", spent, "< 300 ms"),
        _spread("Browse: click to the next page painted", drawn, "< 300 ms"),
    ]


ASK = """async (url) => {
  const at = performance.now();
  await (await fetch(url)).json();
  return performance.now() - at;
}"""

NEXT = """() => new Promise((then) => {
  const at = performance.now(), list = document.querySelector("[data-rows]"), before = list.firstElementChild;
  [...document.querySelectorAll("[data-pages] button")].pop().click();
  const look = () => requestAnimationFrame(() => {
    if (list.firstElementChild !== before) requestAnimationFrame(() => then(performance.now() - at)); else look();
  });
  look();
})"""


def bench_app(
    traces: int, pictures: int, decisions: int, curators: int, keys: int, folder: Path
) -> Iterator[StoreFigure]:
    """All figures, in a new project in `folder`."""
    project, users = folder / "project", folder / "users.json"
    names = [f"curator-{at}" for at in range(curators)]
    for name in (*names, "viewer-at-work"):
        add_user(users, name, PASSWORD, "curator")
    began = time.perf_counter()
    make(project, max(traces // K, 1), pictures).close()
    yield StoreFigure(
        "store",
        traces,
        "traces",
        "",
        f"made in {time.perf_counter() - began:.0f} s, {pictures} pictures",
    )
    with server(project, users) as address:
        yield from pages(address, keys)
        people, seconds = curate_at_once(address, names, decisions)
    lost, doubled, shared = check(project, people)
    waits = [1000 * wait for one in people for wait in one.seconds]
    yield StoreFigure(
        f"{curators} curators: decisions a second",
        decisions / seconds,
        "/s",
        "",
        f"{decisions:,} in {seconds:.0f} s",
    )
    yield _spread(f"{curators} curators: a decision stored", waits, "")
    yield StoreFigure(
        f"{curators} curators: lost", lost, "", "0", f"of {decisions:,}, a tenth of them sent twice"
    )
    yield StoreFigure(f"{curators} curators: doubled", doubled, "", "0")
    yield StoreFigure(f"{curators} curators: given to two", shared, "", "0")


def main(args: list[str]) -> None:
    """Print the table of `bench_app`, row by row."""
    parser = argparse.ArgumentParser(prog="vpd bench app", description="Measure the pages here.")
    parser.add_argument(
        "--traces", type=int, default=100_000, help="traces of the store behind the pages"
    )
    parser.add_argument(
        "--pictures", type=int, default=48, help="pictures that its questions are about"
    )
    parser.add_argument(
        "--decisions", type=int, default=2000, help="decisions of all curators together"
    )
    parser.add_argument("--curators", type=int, default=10, help="curators at once")
    parser.add_argument("--keys", type=int, default=100, help="decisions in the browser")
    given = parser.parse_args(args)
    with tempfile.TemporaryDirectory(prefix="vpd-bench-") as folder:
        for row in bench_app(**vars(given), folder=Path(folder)):
            value = (
                f"{row.value:,.0f}"
                if row.value >= 100 or row.value == int(row.value)
                else f"{row.value:.1f}"
            )
            print(
                f"{row.name:<42}{value:>10} {row.unit:<8}{row.aim and 'aim ' + row.aim:<17}{row.note}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
