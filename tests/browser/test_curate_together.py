"""Several people at one queue, through the real server: never the same question, nothing lost,
roles, disputes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import page_project
import pytest
from curate_steps import shown
from servers import eventually, serve

from app.main import Running
from app.people import hash_password
from workbench.bench import crowd, pages
from workbench.curate.settings import Settings
from workbench.errors import WorkbenchError
from workbench.records import Decision

pytestmark = pytest.mark.browser

NAMES = [f"curator-{at}" for at in range(10)]


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten curators, a viewer, an adjudicator and an admin, all with one password."""
    kept = hash_password(crowd.PASSWORD)
    roles = dict.fromkeys(NAMES, "curator") | {
        "vera": "viewer",
        "judy": "adjudicator",
        "root": "admin",
    }
    path = tmp_path_factory.mktemp("users") / "users.json"
    path.write_text(
        json.dumps({name: {"role": role, "password": kept} for name, role in roles.items()})
    )
    return path


@pytest.fixture
def site(tmp_path: Path, users: Path) -> Iterator[Running]:
    with serve(page_project.build(tmp_path / "collages", scenes=12), auth=users) as running:
        yield running


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory, users: Path) -> Iterator[Running]:
    """A server of which requests are asked that decide nothing."""
    folder = page_project.build(tmp_path_factory.mktemp("quiet") / "collages", scenes=2)
    with serve(folder, auth=users) as running:
        yield running


def entered(visit, site: Running, name: str, path: str = "curate"):
    page = visit("about:blank")
    page.context.request.post(
        f"{site.url}login", form={"username": name, "password": crowd.PASSWORD}
    )
    page.goto(site.url + path)
    return page


def rules(site: Running, **changes) -> None:
    site.site.project.curation.set_settings(Settings(**changes), "root")


def verdict(author: str, kind: str, task: str, **more) -> Decision:
    return Decision(
        f"{author}-{kind}-{task[-20:]}".replace("/", "."),
        kind,
        author,
        "curator",
        task,
        f"t2-{task}",
        **more,
    )


def test_two_people_never_hold_the_same_question(visit, site: Running) -> None:
    pages = [entered(visit, site, name) for name in NAMES[:2]]
    for page in pages:
        shown(page)
        page.wait_for_load_state("networkidle")
    held: dict[str, set[str]] = {}
    for lease in site.site.project.curation.leases():
        held.setdefault(lease.holder, set()).add(lease.task_id)
    assert set(held) == set(NAMES[:2])
    assert held[NAMES[0]].isdisjoint(held[NAMES[1]])
    seen = []
    for _ in range(2):
        for page in pages:
            seen.append(shown(page))
            page.keyboard.press("a")
    assert len(set(seen)) == len(seen)


def test_two_pages_of_one_person_show_different_questions(visit, site: Running) -> None:
    first = entered(visit, site, NAMES[0])
    one = shown(first)
    first.wait_for_load_state("networkidle")
    second = first.context.new_page()
    second.goto(f"{site.url}curate")
    assert shown(second) != one


def test_a_page_that_is_closed_lets_go_and_one_that_is_killed_runs_out(
    visit, site: Running
) -> None:
    first = entered(visit, site, NAMES[0])
    task = shown(first)
    first.wait_for_load_state("networkidle")
    first.goto("about:blank")  # leaving says so
    curation = site.site.project.curation
    eventually(first, lambda: NAMES[0] not in {one.holder for one in curation.leases()})
    second = entered(visit, site, NAMES[1])
    assert shown(second) == task
    second.context.route("**/do/curate/**", lambda route: route.abort())  # as if it had been killed
    third = entered(visit, site, NAMES[2])
    assert shown(third) != task
    third.context.route("**/do/curate/**", lambda route: route.abort())
    later = curation.clock() + timedelta(minutes=curation.settings().lease_minutes, seconds=1)
    curation.clock = lambda: later
    free = curation.next_items(NAMES[3], "curator", count=20)
    assert task in {one.task_id for one in free}


def test_a_question_that_somebody_holds_says_who_and_how_long(visit, site: Running) -> None:
    task = shown(entered(visit, site, NAMES[0]))
    page = entered(visit, site, NAMES[1], f"curate?task={quote(task)}")
    assert shown(page) == task
    assert f"Held by {NAMES[0]}, 5 min" in page.inner_text(".banner")


def test_a_hold_that_ran_out_is_said_and_the_decision_is_kept(visit, site: Running) -> None:
    page = entered(visit, site, NAMES[0])
    task = shown(page)
    page.wait_for_load_state("networkidle")
    curation = site.site.project.curation
    curation.release(NAMES[0], task)
    assert [one.task_id for one in curation.next_items(NAMES[1], "curator")] == [task]
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the next beat
    page.locator(".banner.bad", has_text=f"{NAMES[1]} has it now").wait_for()
    page.keyboard.press("a")
    page.locator("[data-outbox]", has_text="saved ✓").wait_for()
    assert [(one.author, one.task_id) for one in curation.events()] == [(NAMES[0], task)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/do/curate/decide", {"id": "viewer-decides", "task": "x", "kind": "skip"}),
        ("/do/curate/next", {"page": "p", "count": 1}),
        ("/do/curate/hold", {"page": "p", "tasks": []}),
        ("/do/curate/guidelines", {"id": "viewer-writes", "text": "Anything goes."}),
        ("/do/curate/snapshot", {"id": "viewer-freezes"}),
    ],
)
def test_a_viewer_changes_nothing(quiet: Running, path: str, body: dict) -> None:
    with pytest.raises(
        WorkbenchError, match=r"answered 403: this needs the role \w+; vera is viewer"
    ):
        crowd.Curator(quiet.url.rstrip("/"), "vera").post(path, body)
    assert quiet.site.project.curation.events() == []


def test_a_viewers_page_says_so_and_takes_no_keys(visit, quiet: Running) -> None:
    page = entered(visit, quiet, "vera")
    page.locator(".empty", has_text="You may look here, not decide").wait_for()
    page.goto(f"{quiet.url}curate?task=collages/train-00000/count")
    shown(page)
    page.keyboard.press("a")
    assert page.locator("[data-accept]").count() == 0
    assert quiet.site.project.curation.events() == []


def test_a_curator_sets_no_rules(quiet: Running) -> None:
    given = {
        "id": "rules-rules",
        "overlap": 2,
        "gold_rate": 0,
        "hide_verdicts": False,
        "lease_minutes": 5,
        "daily_goal": 1,
        "order": "random",
    }
    with pytest.raises(WorkbenchError, match="403"):
        crowd.Curator(quiet.url.rstrip("/"), NAMES[0]).post("/do/curate/settings", given)
    crowd.Curator(quiet.url.rstrip("/"), "root").post("/do/curate/settings", given)
    assert quiet.site.project.curation.settings().overlap == 2


@pytest.mark.parametrize(
    ("place", "body", "words"),
    [
        ("settings", {"overlap": 0}, "overlap must be a whole number from 1 to 20, found 0"),
        ("settings", {"overlap": 0, "order": "none"}, "2 errors: .*overlap.*order"),
        ("settings", {"gold": 0.1}, "gold"),
        ("snapshot", {"accepted": "all"}, "accepted must be one of person, automatic, both"),
        ("snapshot", {"val": 1, "near": -1}, "2 errors: .*near.*val|2 errors: .*val.*near"),
        ("snapshot", {"name": 7}, "name must be a text, found 7"),
    ],
)
def test_a_body_is_judged_by_the_fields_of_its_record(
    quiet: Running, place: str, body: dict[str, object], words: str
) -> None:
    before = quiet.site.project.curation.settings()
    admin = crowd.Curator(quiet.url.rstrip("/"), "root")
    with pytest.raises(WorkbenchError, match=words):
        admin.post(f"/do/curate/{place}", {"id": "wrong-body", **body})
    assert quiet.site.project.curation.settings() == before


def test_a_rule_that_is_not_named_stays(site: Running) -> None:
    rules(site, overlap=3, order="random")
    admin = crowd.Curator(site.url.rstrip("/"), "root")
    admin.post("/do/curate/settings", {"id": "one-rule", "daily_goal": 7})
    now = site.site.project.curation.settings()
    assert (now.overlap, now.order, now.daily_goal) == (3, "random", 7)


def test_an_adjudicator_sees_both_sides_of_a_dispute_and_rules(visit, site: Running) -> None:
    rules(site, overlap=2)
    curation = site.site.project.curation
    task = "collages/train-00001/count"
    curation.decide(
        [
            verdict("ann", "accept", task),
            verdict("bob", "reject", task, reason="unfaithful", text="It saw three."),
        ]
    )
    assert curation.item(task).state == "disputed"
    page = entered(visit, site, "judy", "curate?mode=disputes")
    assert shown(page) == task
    judged = page.inner_text(".judged")
    assert "ann accepted program 3" in judged
    assert "bob rejected program 3: rationale is not what happened" in judged
    assert "It saw three." in judged
    page.keyboard.press("a")
    page.locator(".empty", has_text="No dispute is left").wait_for()
    item = curation.item(task)
    assert (item.state, item.outcome) == ("adjudicated", "accept")
    assert curation.events()[-1].kind == "adjudicate"


def test_agreement_has_its_n_and_says_when_it_is_too_few(visit, site: Running) -> None:
    rules(site, overlap=2)
    tasks = [f"collages/train-{at:05d}/count" for at in (0, 1, 3, 4)]
    kinds = [("ann", "accept", {}), (NAMES[0], "accept", {})]
    site.site.project.curation.decide(
        [verdict(name, kind, task, **more) for task in tasks for name, kind, more in kinds]
    )
    page = entered(visit, site, NAMES[0])
    page.locator("[data-progress]", has_text="too few: 4 of 30").wait_for()


def at_once(site: Running, decisions: int) -> None:
    people = crowd.curate_at_once(site.url.rstrip("/"), NAMES, decisions).people
    stored = site.site.project.curation.events(limit=10_000)
    sent = [some_id for one in people for some_id in one.decisions]
    assert len(sent) == decisions
    assert sorted(event.id for event in stored) == sorted(sent)
    assert len({event.task_id for event in stored}) == decisions


def test_ten_curators_at_once_lose_nothing_and_double_nothing(tmp_path: Path, users: Path) -> None:
    pages.make(tmp_path / "made", 130, 2).close()
    with serve(tmp_path / "made", auth=users) as site:
        at_once(site, 100)


@pytest.mark.slow
def test_ten_curators_at_once_decide_two_thousand(tmp_path: Path, users: Path) -> None:
    pages.make(tmp_path / "made", 2100, 2).close()
    with serve(tmp_path / "made", auth=users) as site:
        at_once(site, 2000)
