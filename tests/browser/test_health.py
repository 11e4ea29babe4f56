"""What machines ask of the server: whether it works, and its figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from finished_project import finished_project

from app import health, people
from app.main import build
from app.people import People, add_user
from workbench.store import Project, Scope, Selection
from workbench.store.records import loop_runs
from workbench.usage import Usage

HERE = "http://127.0.0.1"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(finished_project(tmp_path)) as made:
        yield made


def test_figures_are_those_of_the_project(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = build(project)
    client = TestClient(site.server, base_url=HERE)
    assert client.get("/health").json() == {"status": "ok"}
    reply = client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    values = dict(re.findall(r"^(vpd\S+) (\S+)$", reply.text, re.MULTILINE))
    counts = project.counts()
    assert values['vpd_questions{step="question"}'] == str(counts.tasks)
    assert values['vpd_questions{step="matched"}'] == str(counts.kept + counts.agreed)
    assert values["vpd_programs"] == str(counts.programs)
    assert values['vpd_traces{outcome="answered"}'] == str(counts.executed)
    assert int(values["vpd_disk_free_bytes"].partition(".")[0].partition("e")[0]) > 0
    assert "endpoint" not in reply.text, "none was asked"
    run = project.start_run(Scope(), Selection(), "sample")
    loop_runs.add_usage(project.database, run, "sample", None, Usage(7, 1, 70, 30, 0.25))
    assert "endpoint" not in client.get("/metrics").text, "not counted anew yet"
    monkeypatch.setattr(health, "FRESH", 0.0)
    text = client.get("/metrics").text
    assert 'vpd_endpoint_requests_total{stage="sample"} 7\n' in text
    assert 'vpd_endpoint_cost_total{stage="sample"} 0.25\n' in text
    for name in set(re.findall(r"^(vpd\w+)", text, re.MULTILINE)):
        assert f"# TYPE {name} " in text
        assert f"# HELP {name} " in text


def test_a_stranger_learns_that_it_works_and_no_figure(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "_COST", 2**7)
    add_user(tmp_path / "users.json", "prometheus", "correct horse", "viewer")
    site = build(project, People(tmp_path / "users.json"))
    client = TestClient(site.server, base_url="https://vpd.example.org")
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/metrics").status_code == 401
    assert "vpd_programs" in client.get("/metrics", auth=("prometheus", "correct horse")).text
    project.close()
    broken = client.get("/health")
    assert (broken.status_code, broken.json()) == (503, {"status": "failing"})
