"""`vpd bench app`: what the pages cost here, through the real server and a real Chromium.

paint      first paint of Curate and its first question; a trace of 2,000 steps and its nodes
keys       from the key press that decides to the next question painted, picture and step included
browse     a page of Browse: the server's answer, and from the click to the painted rows
curators   people who log in and decide at once, with or without a pause: decisions a second, waits,
           and that none is lost and none doubled
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

from app.people import add_user
from workbench.bench.crowd import PASSWORD, check, curate_at_once
from workbench.bench.figure import Figure, bench_parser, percentile_figure, print_figures
from workbench.bench.store_fill import fill
from workbench.bench.store_records import PARTS, K
from workbench.errors import InputError, WorkbenchError
from workbench.records import Program, Task, Trace, TraceEvent, content_key
from workbench.store import Project
from workbench.tasks.collage.pictures import make_scene, render

LONG, LONG_RUN = "bench-long", "bench-long-run"
"""The question whose trace has `STEPS` steps, and the trace."""
STEPS = 2000
"""Steps of the long trace."""

WATCH = """
(() => {
  const shown = () => {
    const question = document.querySelector("[data-question]");
    const image = document.querySelector(".vp-canvas img");
    const step = document.querySelector(".vp-step h3");
    return question && image && image.complete && image.naturalWidth && step
      ? question.dataset.question : null;
  };
  const painted = (then) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => then(performance.now());
    channel.port2.postMessage(null);
  });
  window.measured = [];
  const first = () => {
    if (shown()) painted((at) => { window.first = at; });
    else requestAnimationFrame(first);
  };
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
"""Script that notes, in the page itself, when a question is painted.

Its text, its decoded picture and its step have to be in a frame that the browser has drawn.
"""


def make(folder: Path, tasks: int, pictures: int) -> Project:
    """An open project of questions with K traces each, on drawn scenes.

    Args:
        folder: the project's folder, which must not be there yet.
        tasks: number of questions.
        pictures: number of pictures that the questions are about.
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
    values = {"digests": json.dumps(digests), "count": len(digests)}
    project.database.transaction(lambda cursor: cursor.execute(sql, values))
    _add_long_trace(project, digests[0])
    return project


def _add_long_trace(project: Project, image: str) -> None:
    """Add a question with one trace of `STEPS` steps to a project."""
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
def server(project: Path, users: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The address of `vpd app` and its process, which ends with the block."""
    vpd = [sys.executable, "-c", "from workbench.cli import main; main()"]
    command = [*vpd, "app", "--project", str(project)]
    # The log is a file, because a pipe that nobody empties would stop the server.
    with (project / "server.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603
            [*command, "--no-browser", "--port", "0", "--auth", str(users)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith("http"):
            process.wait(30)
            log_text = (project / "server.log").read_text().strip()
            raise WorkbenchError(f"vpd app did not start: {log_text[-400:]}")
        yield line.split()[0].rstrip("/"), psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def pages(address: str, decisions: int) -> Iterator[Figure]:
    """Measure what a person at a browser waits for.

    Raises:
        InputError: playwright is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise InputError("the pages are measured in a browser: pip install playwright") from error
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
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


def _curate(page: Any, address: str, decisions: int) -> list[Figure]:
    page.goto(f"{address}/curate")
    _until(page, "window.first")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    first = page.evaluate("window.first")
    page.wait_for_timeout(2000)
    for at in range(decisions):
        page.keyboard.press("a")
        _until(page, f"window.measured.length > {at}")
        page.wait_for_timeout(250)
    keys = page.evaluate("window.measured")
    return [
        Figure("Curate: first paint", paint, "ms", "< 2,000 ms"),
        Figure("Curate: first question painted", first, "ms", "< 2,000 ms"),
        percentile_figure("Curate: key press to next question", keys, "< 150 ms"),
    ]


def _until(page: Any, what: str) -> None:
    """Wait until a condition holds in the page.

    The look is a promise of our own, because the policy of the pages forbids `eval`, by which
    playwright's `wait_for_function` looks.
    """
    page.evaluate(
        f"""new Promise((then, fail) => {{
          const look = () => {{ if ({what}) then(); else setTimeout(look, 10); }};
          setTimeout(() => fail(new Error("60 s without: {what}")), 60000);
          look();
        }})"""
    )


def _long_trace(page: Any, address: str) -> list[Figure]:
    page.goto(f"{address}/step?trace={LONG_RUN}", wait_until="commit")
    page.wait_for_selector(".vp-step h3")
    painted = page.evaluate(
        "new Promise((then) => requestAnimationFrame(() => then(performance.now())))"
    )
    nodes = page.evaluate("document.querySelectorAll('*').length")
    return [
        Figure(f"Step: a trace of {STEPS:,} steps painted", painted, "ms", "< 2,000 ms"),
        Figure(f"Step: nodes with {STEPS:,} steps", nodes, "nodes", "< 5,000"),
    ]


def _browse(page: Any, address: str) -> list[Figure]:
    queries = ["", "status:wrong", "tool:find status:kept", "dog", "beside number 7", "steps>20"]
    answers, paints = [], []
    page.goto(f"{address}/browse")
    page.wait_for_selector(".row")
    page.wait_for_load_state("networkidle")
    for query in queries * 4:
        values = urlencode({"q": query, "sort": "siblings"})
        answers.append(page.evaluate(ASK, f"/data/browse?{values}"))
    for _ in range(8):
        before = page.locator(".row").first.inner_text()
        paints.append(page.evaluate(NEXT))
        page.wait_for_load_state("networkidle")
        assert page.locator(".row").first.inner_text() != before
    return [
        percentile_figure("Browse: a page from the server", answers, "< 300 ms"),
        percentile_figure("Browse: click to the next page painted", paints, "< 300 ms"),
    ]


ASK = """async (url) => {
  const at = performance.now();
  await (await fetch(url)).json();
  return performance.now() - at;
}"""
"""Script that gives the milliseconds of one request."""

NEXT = """() => new Promise((then) => {
  const at = performance.now(), list = document.querySelector("[data-rows]");
  const before = list.firstElementChild;
  [...document.querySelectorAll("[data-pages] button")].pop().click();
  const look = () => requestAnimationFrame(() => {
    if (list.firstElementChild === before) look();
    else requestAnimationFrame(() => then(performance.now() - at));
  });
  look();
})"""
"""Script that goes to the next page and gives the milliseconds until its rows are painted."""


def bench_app(
    traces: int,
    pictures: int,
    decisions: int,
    curators: int,
    keys: int,
    folder: Path,
    pause: float = 0.0,
) -> Iterator[Figure]:
    """Take all figures, in a new project.

    Args:
        traces: traces of the store behind the pages.
        pictures: pictures that its questions are about.
        decisions: decisions of all curators together.
        curators: people who decide at once.
        keys: decisions in the browser; 0 measures no page.
        folder: holds the project and the file of users.
        pause: seconds between two decisions of a curator.
    """
    project, users = folder / "project", folder / "users.json"
    names = [f"curator-{at}" for at in range(curators)]
    for name in (*names, "viewer-at-work"):
        add_user(users, name, PASSWORD, "curator")
    began = time.perf_counter()
    make(project, max(traces // K, 1), pictures).close()
    note = f"made in {time.perf_counter() - began:.0f} s, {pictures} pictures"
    yield Figure("store", traces, "traces", note=note)
    with server(project, users) as (address, process):
        if keys:
            yield from pages(address, keys)
        crowd = curate_at_once(address, names, decisions, pause, process)
    lost, doubled, shared = check(project, crowd.people)
    waits = [1000 * wait for person in crowd.people for wait in person.seconds]
    asks = [1000 * wait for person in crowd.people for wait in person.waits]
    who, in_all = f"{curators} curators", f"{decisions:,} in {crowd.seconds:.0f} s"
    if pause:
        who += f", {pause:g} s between"
    yield Figure(f"{who}: all logged in", crowd.logins, "s")
    twice = f"of {decisions:,}, a tenth of them sent twice"
    rate = decisions / crowd.seconds
    yield Figure(f"{who}: decisions a second", rate, "/s", "" if pause else ">= 50", in_all)
    cost, note = 1000 * crowd.processor / decisions, "of the server, looking at questions included"
    yield Figure(f"{who}: processor of a decision", cost, "ms", note=note)
    yield percentile_figure(f"{who}: a decision stored", waits, "< 300 ms")
    yield percentile_figure(f"{who}: the next questions", asks, "< 500 ms")
    yield Figure(f"{who}: lost", lost, aim="0", note=twice)
    yield Figure(f"{who}: doubled", doubled, aim="0")
    yield Figure(f"{who}: given to two", shared, aim="0")


def main(args: list[str]) -> None:
    """Print the figures of `bench_app`."""
    parser = bench_parser("app", "Measure the pages here.")
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
    parser.add_argument(
        "--pause", type=float, default=0.0, help="seconds between two decisions of a curator"
    )
    parser.add_argument(
        "--keys", type=int, default=100, help="decisions in the browser; 0 measures no page"
    )
    options = parser.parse_args(args)
    with tempfile.TemporaryDirectory(prefix="vpd-bench-") as folder:
        figures = bench_app(
            options.traces,
            options.pictures,
            options.decisions,
            options.curators,
            options.keys,
            Path(folder),
            options.pause,
        )
        print_figures(figures, options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
