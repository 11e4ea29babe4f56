"""Real jobs of a tiny student, from the page to Compare: what they outlive, and what they are not
held up by.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import training_project
from servers import serve, sync_api

from workbench.train.jobs import Jobs
from workbench.train.status_files import read_json, read_lines

Visit = Callable[..., sync_api.Page]
expect = sync_api.expect
LONG = 300_000
"""Milliseconds that a busy machine may take to start a process that loads torch."""

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOISY = """
import sys
from workbench.train.objective import Instruct

class Noisy(Instruct):
    def __init__(self):
        super().__init__()
        for number in range(10_240):
            sys.stderr.write(f"{number:08d}" + "x" * 1015 + "\\n")
"""


def waited(what: Callable[[], bool], seconds: float = LONG / 1000) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.2)


def test_a_job_from_the_page_outlives_reload_and_server_and_answers_in_compare(
    visit: Visit, tmp_path: Path
) -> None:
    folder = training_project.build(tmp_path / "p")
    training_project.snapshot(folder)
    student = training_project.student(tmp_path / "student")
    jobs = Jobs(folder / "jobs", start=False)
    with serve(folder) as running:
        page = visit(f"{running.url}train?new=1&step=2")
        page.get_by_label("Folder or hub id").fill(str(student))
        page.get_by_role("button", name="Next: settings").click()
        for key, value in (
            ("name", "a tiny one"),
            ("steps", "300"),
            ("batch", "4"),
            ("eval_every", "100"),
        ):
            page.locator(f"[data-key={key}] input").fill(value)
        page.get_by_role("button", name="Next: preview and start").click()
        mark = page.locator(".example mark").first
        expect(mark).to_be_visible(timeout=LONG)
        expect(page.locator(".example")).to_have_count(3)
        expect(page.locator(".lesson").first).to_contain_text("in the loss")
        page.get_by_role("button", name="Measure two steps").click()
        expect(page.locator(".costs")).to_contain_text("300 steps", timeout=LONG)
        expect(page.locator(".cost")).to_contain_text("Basis: two steps on cpu")
        page.get_by_role("button", name="Start the job").click()
        page.wait_for_url("**/train?job=*")
        id = page.url.rpartition("=")[2]
        waited(lambda: jobs.show(id).step > 3)
        pid = read_json(jobs.show(id).folder / "process.json")["pid"]
        page.reload()
        expect(page.locator(".job-top .verdict")).to_have_text("▶running")
        expect(page.locator("[data-chip=training]")).to_contain_text("a tiny one")
    seen = jobs.show(id)
    assert seen.state == "running", "the server is gone, the job is not"
    waited(lambda: jobs.show(id).step > seen.step or jobs.show(id).state == "done")
    with serve(folder) as running:
        page = visit(f"{running.url}train?job={id}&every=1")
        if psutil.pid_exists(pid):
            assert read_json(seen.folder / "process.json")["pid"] == pid
        expect(page.locator(".job-top .verdict")).to_have_text("✓done", timeout=LONG)
        assert read_json(seen.folder / "process.json")["pid"] == pid, (
            "one process from the first step to the last"
        )
        steps = [row["step"] for row in read_lines(seen.folder / "metrics.jsonl") if "loss" in row]
        assert steps == list(range(1, 301))
        page.wait_for_function(
            "() => document.querySelector('[data-chart=loss] .plot').data?.[0].x.length === 300"
        )
        expect(page.locator(".pictures > li").first).to_be_visible()
        page.locator(".model").get_by_role("link", name="Open in Compare").click()
        expect(page.locator("[data-model]")).to_have_value(id)
        found = page.evaluate(
            """async ([task, model]) => {
                const { stream } = await import("/static/server.js");
                const said = [];
                await stream("answer", ["", "", "student", task, "", model], {onData: (one) => said.push(...Object.values(one).flat())});
                return said.at(-1);
            }""",
            [running.site.project.outcomes()[0].task_id, id],
        )
        assert found["kind"] == "finished"
        assert found["failure"] is None
        assert found["version"].find(id) >= 0, found["version"]


def test_ten_megabytes_on_stderr_with_nobody_watching_hold_nothing_up(
    visit: Visit, tmp_path: Path
) -> None:
    folder = training_project.build(tmp_path / "p", scenes=4)
    taken = training_project.snapshot(folder)
    (tmp_path / "noisy.py").write_text(NOISY, encoding="utf-8")
    job = training_project.job(
        taken,
        str(training_project.student(tmp_path / "student")),
        objective=f"{tmp_path / 'noisy.py'}:Noisy",
        steps=4,
    )
    jobs = Jobs(folder / "jobs")
    id = jobs.submit(job)
    waited(lambda: jobs.show(id).state in ("done", "failed"))
    assert jobs.show(id).state == "done", jobs.log(id)
    assert (jobs.show(id).folder / "log.txt").stat().st_size >= 10 * 2**20
    with serve(folder) as running:
        page = visit(f"{running.url}train?job={id}")
        page.get_by_text("Log", exact=True).click()
        expect(page.locator(".log")).to_contain_text("00010239xxx")
        assert len(page.locator(".log").inner_text().splitlines()) <= 30
