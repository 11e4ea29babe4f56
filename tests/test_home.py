"""The start page's routes: what they tell, who may begin work, and which step is next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import page_project
import pytest
from fastapi.testclient import TestClient

from app.main import build
from app.people import Person
from workbench.records import Decision
from workbench.screen.loop_steps import LoopCounts, loop_steps, next_action
from workbench.shares import Share
from workbench.store import Project

NONE = LoopCounts(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, False, Share(0, 0))
FRESH = replace(NONE, questions=40, pictures=9, waiting=40)
RUN = replace(FRESH, waiting=30, programs=50, executed=44, judged=10, kept=6, open=6)
DECIDED = replace(RUN, open=0, accepted=5, rejected=1)
TRAINED = replace(DECIDED, waiting=0, snapshots=1, jobs=1, models=1, student=Share(3, 10))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(page_project.build(tmp_path / "collages", scenes=4)) as opened:
        yield opened


def client(project: Project, role: str = "admin") -> TestClient:
    return TestClient(
        build(project, me=Person("ann", role)).server,  # type: ignore[arg-type]
        base_url="http://127.0.0.1",
    )


@pytest.mark.parametrize(
    ("counts", "step"),
    [
        (NONE, "questions"),
        (FRESH, "programs"),
        (RUN, "curate"),
        (DECIDED, "train"),
        (replace(DECIDED, running=True), "programs"),
        (TRAINED, "compare"),
        (replace(TRAINED, models=0, accepted=0), "questions"),
    ],
)
def test_what_makes_sense_next(counts: LoopCounts, step: str) -> None:
    assert next_action(counts).step == step
    assert [one.name for one in loop_steps(counts) if one.is_next] == [step]


def test_the_page_counts_what_the_project_holds(project: Project) -> None:
    kept = next(one for one in project.outcomes() if one.chosen)
    accept = Decision(
        "an-accept", "accept", "ann", "admin", task_id=kept.task_id, trace_id=kept.chosen
    )
    project.curation.decide([accept])
    site = client(project)
    assert site.get("/", follow_redirects=False).headers["location"] == "start"
    news = site.get("/data/start").json()
    counts = {one["name"]: (one["count"], one["unit"]) for one in news["steps"]}
    assert counts["questions"] == (12, "questions")
    assert counts["programs"] == (60, "programs")
    assert counts["curate"] == (1, "accepted")
    assert [one["words"] for one in news["recent"] if one["kind"] == "decisions"] == [
        "ann decided 1 question"
    ]
    assert (news["problem"], site.get("/data/start/job").json()) == ("", {"job": None})
    form = site.get("/data/start/form").json()
    assert form["sources"][0] == {
        "name": "collages",
        "splits": ["train", "val", "test"],
        "problem": "",
    }
    for step in news["steps"]:
        assert site.get(f"/{step['href']}").status_code == 200


def test_a_profile_that_cannot_be_read_is_said_in_words(project: Project) -> None:
    site = client(project)
    (project.path / "profile.toml").write_text("sampler = 3")
    assert "sampler" in site.get("/data/start").json()["problem"]
    reply = site.post("/do/start/run", json={"id": "a run of mine", "questions": 1})
    assert reply.status_code == 400
    assert "sampler" in reply.json()["error"]


@pytest.mark.parametrize("role", ["viewer", "curator", "adjudicator"])
def test_beginning_and_stopping_work_needs_the_role_admin(project: Project, role: str) -> None:
    site = client(project, role)
    assert site.get("/data/start").status_code == 200
    for address, body in (
        ("run", {"id": "abcdefgh", "questions": 1}),
        ("import", {"id": "abcdefgh", "source": 0, "questions": 1}),
        ("stop", {"job": "abc"}),
        ("resume", {"job": "abc"}),
    ):
        reply = site.post(f"/do/start/{address}", json=body)
        assert (reply.status_code, "needs the role admin" in reply.json()["error"]) == (403, True)
    assert not (project.path / "runs").exists()


@pytest.mark.parametrize(
    ("address", "body", "words"),
    [
        ("run", {"id": "abcdefgh", "questions": 0}, "1 to 100,000 questions"),
        ("run", {"id": "abcdefgh", "questions": 1, "k": 101}, "1 to 100 programs"),
        ("import", {"id": "abcdefgh", "source": 9, "questions": 1}, "no such source"),
        ("stop", {"job": "abc"}, "no job is called 'abc'"),
        ("resume", {"job": "../abc"}, "no job is called"),
    ],
)
def test_a_wrong_order_is_refused_in_words(
    project: Project, address: str, body: dict[str, object], words: str
) -> None:
    reply = client(project).post(f"/do/start/{address}", json=body)
    assert reply.status_code == 400
    assert words in reply.json()["error"]
