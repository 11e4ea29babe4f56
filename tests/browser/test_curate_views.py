"""Around the queue, in a real browser: empty states, hostile text, snapshots, ratings, gold, and
how the pages fit.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import page_checks
import page_project
import pytest
from curate_steps import VERDICTS, events, opened, saved, shown
from servers import serve

from app.main import Running
from workbench.curate.settings import Settings
from workbench.records import Decision, Prediction, Task
from workbench.store import Project
from workbench.store.people.decide_many import Verdicts
from workbench.store.reading import snapshots

pytestmark = pytest.mark.browser


HOSTILE_ID = "hostile/1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of thirty scenes, twenty of their counting questions waiting in the queue."""
    return page_project.build(tmp_path_factory.mktemp("curate") / "collages", scenes=30)


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Iterator[Running]:
    """A copy of its own for each test: what one decides here stays here."""
    shutil.copytree(made, tmp_path / "collages")
    with serve(tmp_path / "collages") as running:
        yield running


def test_three_nothings_are_three(visit, site: Running, tmp_path: Path) -> None:
    page = visit(f"{site.url}curate?q=zebra")
    page.locator(".empty", has_text="20 questions hidden by the filter").wait_for()
    Project.create(tmp_path / "new").close()
    with serve(tmp_path / "new") as empty:
        page = visit(f"{empty.url}curate")
        page.locator(".empty", has_text="No traces are verified yet").wait_for()
        assert "vpd run --project" in page.inner_text(".empty")
    for one in site.site.project.browse("status:kept", limit=50).rows:
        skip = Decision(
            f"skip-{one[0].id[-30:]}".replace("/", "."), "skip", "ann", "admin", one[0].id
        )
        site.site.project.curation.decide([skip])
    page = visit(f"{site.url}curate")
    page.locator(".empty", has_text="Queue empty").wait_for()
    assert "20 skipped" in page.inner_text(".empty")
    page.get_by_role("link", name="Look at what was skipped").click()
    page.wait_for_selector("[data-question]")


def test_hostile_text_stays_text(visit, site: Running) -> None:
    more = page_project.RecordWriter(site.site.project)
    digest = site.site.project.browse(limit=1).rows[0][0].image
    bad = page_project.HOSTILE
    rows = [
        ("tool", 3, {"call": 0, "tool": "find", "receiver": None, "arguments": {bad: bad}}),
        (
            "tool_result",
            3,
            {"call": 0, "tool": "find", "ok": True, "result": page_project.listed([bad])},
        ),
        ("end", 0, {"ok": True, "answer": bad, "steps": 3, "tool_calls": 1}),
    ]
    happened = tuple(
        page_project.TraceEvent(seq, kind, line, 0, payload)
        for seq, (kind, line, payload) in enumerate(rows)
    )
    task = Task(HOSTILE_ID, bad, "train", digest, bad, (bad,), "choice", (bad, "b"), bad)
    more.task(task, [(f"# {bad}\n", happened)] * 5, f"{bad}. {bad}", bad)
    project = site.site.project
    project.curation.decide(
        [Decision("queue-hostile", "queue", "bob", "curator", HOSTILE_ID, text=bad)]
    )
    project.curation.add_guideline(bad, bad)
    page = opened(visit, site, f"curate?task={HOSTILE_ID}")
    assert shown(page) == HOSTILE_ID
    assert bad in page.inner_text("[data-side]")
    for key in ("G", "l", "e"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None


def test_twenty_questions_from_the_keyboard_alone(visit, site: Running) -> None:
    page = visit(f"{site.url}browse")
    page.wait_for_selector(".row")
    page.keyboard.press("g")
    with page.expect_navigation():
        page.keyboard.press("c")
    page.wait_for_selector("[data-question]")
    keys: list[Callable[[], None]] = [
        lambda: page.keyboard.press("a"),
        lambda: (page.keyboard.press("r"), page.keyboard.press("1")),  # type: ignore[dict-item, return-value]
        lambda: page.keyboard.press("s"),
    ]
    for at in range(20):
        page.wait_for_selector("[data-desk]:not([hidden])")
        before = shown(page)
        keys[at % 3]()
        if at < 19:
            page.locator(f"[data-question]:not([data-question='{before}'])").wait_for()
    page.locator(".empty", has_text="Queue empty").wait_for()
    saved(page)
    assert [one.kind for one in events(site)].count("accept") == 7
    assert len(events(site, *VERDICTS)) == 20


def test_an_unfinished_note_outlives_a_reload(visit, site: Running) -> None:
    page = opened(visit, site)
    task = shown(page)
    page.keyboard.press("n")
    page.keyboard.type("not sure of")
    page.reload()
    page.wait_for_selector("[data-question]")
    assert shown(page) == task
    assert page.input_value(".note") == "not sure of"


def test_a_batch_is_undone_as_one(visit, site: Running) -> None:
    curation = site.site.project.curation
    ids = site.site.project.browse_ids("status:kept")
    assert curation.decide_all(ids, Verdicts("ann", "admin"), "batch-of-all").decided == 20
    page = visit(f"{site.url}curate")
    page.locator("[data-after]", has_text="accepted in bulk").wait_for()
    page.keyboard.press("u")
    page.locator("[data-outbox]", has_text="saved ✓").wait_for()
    assert len(events(site)) == 21
    assert {item.state for item in curation.items(ids).values()} == {"pending"}


def test_an_admin_makes_a_decided_question_a_gold_one(visit, site: Running) -> None:
    page = opened(visit, site)
    task = shown(page)
    page.keyboard.press("r")
    page.keyboard.press("4")
    saved(page)
    page.keyboard.press("k")
    page.get_by_role("button", name="Make it a gold question").click()
    page.locator(".judged", has_text="its right verdict is reject").wait_for()
    assert site.site.project.curation.item(task).gold == "reject"


def test_a_snapshot_says_what_enters_and_what_does_not(visit, site: Running) -> None:
    page = opened(visit, site)
    page.keyboard.press("a")
    saved(page)
    page.click("[data-open-snapshot]")
    page.locator("dialog[open] .enters", has_text="1 question enters").wait_for()
    assert "nobody has decided on it yet" in page.inner_text("dialog[open]")
    parity, perplexity = page.get_by_label("parity_gap"), page.get_by_label("perplexity_weight")
    parity.check()
    page.locator("dialog[open] .found", has_text="parity_gap: the student").wait_for()
    parity.uncheck()
    perplexity.check()
    page.get_by_role("status").filter(has_text="when the snapshot is frozen").wait_for()
    perplexity.uncheck()
    page.locator("dialog[open] .enters", has_text="1 question enters").wait_for()
    page.fill("dialog[open] input[aria-label=Name]", "first")
    page.get_by_role("button", name="Freeze a snapshot").click()
    page.locator("dialog[open]", has_text="Frozen as").wait_for()
    page.goto(f"{site.url}train?new=1")
    page.locator(".snapshots", has_text="first").wait_for()


def test_a_snapshot_takes_the_splits_that_are_ticked_and_warns_of_evaluations(
    visit, site: Running
) -> None:
    project = site.site.project
    writer = page_project.RecordWriter(project)
    digest = page_project.picture(project, 99)
    task = Task("own/test-1", "own", "test", digest, "How many cups?", ("1",), "integer")
    run = (
        page_project.program_for("cup"),
        page_project.events_of("cup", [(9, 9, 99, 99)], (640, 480)),
    )
    writer.task(task, [run] * 5, "There is one cup. Thus, the number of cups is 1.")
    page = opened(visit, site)
    page.click("[data-open-snapshot]")
    dialog = page.locator("dialog[open]")
    train, test = (dialog.locator(f"input[value={split}]") for split in ("train", "test"))
    assert (train.is_checked(), test.is_checked()) == (True, False)
    assert "1 question" in dialog.locator(".split", has_text="test").inner_text()
    dialog.get_by_label("Accepted by").select_option("automatic")
    dialog.locator(".enters", has_text="20 questions enter").wait_for()
    test.check()
    dialog.locator(".enters", has_text="21 questions enter").wait_for()
    dialog.get_by_role("status").filter(has_text="not to be measured on it").wait_for()
    train.uncheck()
    dialog.locator(".enters", has_text="1 question enters").wait_for()
    test.uncheck()
    dialog.locator(".problem", has_text="No split is chosen").wait_for()
    assert page.get_by_role("button", name="Freeze a snapshot").is_disabled()
    test.check()
    dialog.locator(".enters", has_text="1 question enters").wait_for()
    page.get_by_role("button", name="Freeze a snapshot").click()
    dialog.locator(".enters", has_text="Frozen as").wait_for()
    [taken] = snapshots.snapshot_rows(project.database)
    assert (taken.counts["rows"], list(taken.filter["splits"])) == (1, ["test"])


def test_on_a_phone_undo_and_note_do_not_overlap(visit, site: Running) -> None:
    curation = site.site.project.curation
    curation.set_settings(Settings(overlap=3), "ann")
    page = visit(f"{site.url}curate", 390)
    page.wait_for_selector("[data-question]")
    run = site.site.project.task_view(shown(page)).chosen
    curation.decide(
        [
            Decision(f"early-{name}", "accept", name, "curator", shown(page), trace_id=run.trace.id)
            for name in ("bob-of-the-long-name", "cleo")
        ]
    )
    page.click("[data-accept]")
    saved(page)
    undo = page.locator("[data-last] .button")
    for _ in ("a decision", "a mark"):
        undo.wait_for()
        box, note = undo.bounding_box(), page.locator("[data-write-note]").bounding_box()
        assert box["x"] + box["width"] <= note["x"]
        page.keyboard.press("b")
        page.locator("[data-last]", has_text="first wrong step").wait_for()


def test_rating_is_blind_and_done_with_y_n_and_a_digit(visit, site: Running) -> None:
    project = site.site.project
    ids = [task.id for task, _ in project.browse("family:count status:kept", limit=9).rows]
    project.add_predictions(
        [
            Prediction(
                f"told/{one}",
                one,
                "2",
                "I see two at 100 100 300 300.",
                1.0,
                0.2,
                page_project.STUDENT,
            )
            for one in ids
        ]
    )
    page = visit(f"{site.url}curate?mode=rate")
    page.wait_for_selector(".ask.here")
    desk = page.inner_text("[data-desk]")
    assert "student" not in desk
    assert "pipeline" not in desk
    for key in "yyynyn":
        page.keyboard.press(key)
    page.keyboard.press("1")
    saved(page)
    [one] = events(site)
    assert one.rating is not None
    assert (one.rating.preference, one.hidden) == ("left", True)
    assert one.rating.left_form is not None
    assert (one.rating.left_form.factual, one.rating.left_form.consistent) == (True, False)
    assert one.rating.right_form is not None
    assert (one.rating.right_form.explains, one.rating.right_form.factual) == (False, None)
    page.keyboard.press("u")
    page.locator(".prefer.here").wait_for()
    saved(page)
    assert [one.kind for one in events(site)] == ["rating", "undo"]


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_it_fits_its_window_and_axe_finds_nothing_serious(visit, site: Running, theme: str) -> None:
    page = opened(visit, site, theme=theme)
    page.keyboard.press("a")
    saved(page)
    page.keyboard.press("r")
    page.keyboard.press("l")
    page.wait_for_load_state("networkidle")
    page_checks.check_every_width(page)
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        box = page.locator(".verdicts").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900


def test_the_other_views_fit_too(visit, site: Running) -> None:
    page = visit("about:blank")
    for path in ("curate?mode=rate", "curate?q=zebra", "curate?mode=disputes"):
        page.goto(site.url + path)
        page.wait_for_selector(".empty")
        page_checks.check_every_width(page)
