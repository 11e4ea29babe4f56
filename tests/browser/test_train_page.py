"""The Train page in a real browser: the walkthrough, the list, one job, several; folders as runs
leave them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import page_checks
import pytest
import training_project
from page_project import HOSTILE
from servers import Running, serve, sync_api

from app.people import add_user
from app.train_look import Looks
from workbench.records import content_key
from workbench.snapshot import Snapshot
from workbench.store import Project
from workbench.tasks.collage.pictures import make_scene
from workbench.train.job import read_job
from workbench.train.jobs import Jobs

Visit = Callable[..., sync_api.Page]
expect = sync_api.expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def _nobody_works() -> Iterator[None]:
    """Jobs wait, and nobody looks into one: each would load torch in a process of its own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Jobs, "advance", lambda self: None)
        patched.setattr(Looks, "_begin", lambda self, *look: None)
        yield


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return training_project.snapshot(training_project.build(tmp_path_factory.mktemp("train") / "p"))


@pytest.fixture(scope="module")
def site(taken: Snapshot) -> Iterator[Running]:
    with serve(taken.path.parent.parent) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_job_is_left(site: Running) -> Iterator[None]:
    yield
    jobs = Jobs(site.site.project.path / "jobs", start=False)
    for one in jobs.all():
        (one.folder / "process.json").unlink(missing_ok=True)
        (one.folder / "status.json").unlink(missing_ok=True)
        jobs.delete(one.id)


def written(site: Running, taken: Snapshot, **changes: object) -> training_project.Written:
    return training_project.Written(site.site.project.path, training_project.job(taken, **changes))


# --- the walkthrough


def test_the_keyboard_alone_leads_from_nothing_to_a_queued_job(visit: Visit, site: Running) -> None:
    page = visit(f"{site.url}train")
    expect(page.get_by_text("No training job yet")).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator(".checks")).to_contain_text("to compare with")
    expect(page.locator(".tally").first).to_contain_text("find")
    page.keyboard.press("3")
    page.locator("#set-name").focus()
    page.keyboard.type("by hand")
    page.keyboard.press("Escape")
    page.keyboard.press("4")
    start = page.get_by_role("button", name="Start the job")
    expect(start).to_be_enabled()
    start.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/train\?job="))
    expect(page.locator("h1")).to_have_text("by hand")
    expect(page.locator(".job-top")).to_contain_text("queued, place 1")


def test_what_is_wrong_stands_beside_its_field_and_stops_the_start(
    visit: Visit, site: Running
) -> None:
    page = visit(f"{site.url}train?new=1&step=2")
    page.locator("[name=student][value=bundled]").check()  # it learns by adapters
    page.get_by_role("button", name="3 Settings").click()
    page.locator("[data-key=lr] input").fill("fast")
    expect(page.locator("[data-key=lr] .problem")).to_have_text(
        "must be a number above 0, found 'fast'"
    )
    page.locator(".advanced summary").click()
    for key, value in (("lora.r", "4"), ("clip", "0.5"), ("max_tokens", "8")):
        page.locator(f"[data-key='{key}'] input").fill(value)
    expect(page.locator(".advanced .chip")).to_have_text("3 non-default")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Next: preview and start").click()
    expect(page.locator(".cannot li")).to_have_text(["lr: must be a number above 0, found 'fast'"])
    expect(page.get_by_role("button", name="Start the job")).to_be_disabled()
    page.reload()  # what was chosen stays
    expect(page.locator(".cannot li")).to_have_count(1)
    page.get_by_role("button", name="3 Settings").click()
    page.locator("[data-key=lr]").get_by_role("button", name="back to").click()
    page.locator(".advanced summary").click()
    page.get_by_role("button", name="Reset the advanced ones").click()
    expect(page.locator(".advanced .chip")).to_be_hidden()
    expect(page.locator(".summary")).to_contain_text("ready to start")
    # what is usual for one student gives way to what is usual for another; one's own choice stays
    page.locator("[data-key=batch] input").fill("8")
    for student, method, rate in (
        ("small", "full", "0.001"),
        ("bundled", "lora", "0.0001"),
    ):
        page.get_by_role("button", name="2 Model and method").click()
        page.locator(f"[name=student][value={student}]").check()
        expect(page.locator(f"[name=method][value={method}]")).to_be_checked()
        page.get_by_role("button", name="3 Settings").click()
        expect(page.locator("[data-key=lr] input")).to_have_value(rate)
        expect(page.locator("[data-key=batch] input")).to_have_value("8")


def test_a_published_method_brings_its_settings_and_asks_for_its_teacher(
    visit: Visit, site: Running
) -> None:
    page = visit(f"{site.url}train?new=1&step=2")
    page.get_by_role("radio", name="switch_kd").check()
    objective = page.locator("fieldset", has_text="Objective")
    expect(objective.locator("label b").nth(0)).to_have_text("VPD")
    expect(objective.locator("label b").nth(1)).to_have_text("Instruct")
    expect(objective.locator(".problem[role=alert]").last).to_contain_text(
        "switch_kd needs a teacher: choose one"
    )
    objective.get_by_role("textbox", name="Temperature").fill("2.5")
    objective.locator("[data-key='teacher.part'] select").select_option("checkpoint")
    objective.locator("[data-key='teacher.path'] input").fill("bundled")
    expect(page.locator(".summary")).to_contain_text("ready to start")
    objective.locator("[data-key='teacher.part'] select").select_option("continual_pair")
    expect(objective.locator("[data-key='teacher.path']")).to_have_count(0)
    expect(objective.locator("[data-key='teacher.part'] select")).to_be_focused()
    expect(objective.get_by_role("textbox", name="Temperature")).to_have_value("2.5")
    objective.locator("[data-key='teacher.heat'] input").fill("0")
    expect(objective.locator("[data-key='teacher.part'] .problem")).to_contain_text("above 0")
    objective.locator("[data-key='teacher.heat'] input").fill("0.5")
    expect(page.locator(".summary")).to_contain_text("ready to start")
    page_checks.check(page)
    page.get_by_role("radio", name="aux_embed").check()
    expect(objective.locator("[data-key='teacher.part']")).to_have_count(0)
    expect(
        objective.locator("[data-key='arguments.tool'] input, [data-key='arguments.tool'] select")
    ).to_have_value("boxes")
    page.get_by_role("radio", name="VPD").check()
    expect(objective.locator(".method-settings")).to_be_hidden()
    expect(objective.get_by_label("Weight of the rationale's term")).to_be_visible()


def test_a_snapshot_is_taken_right_here(visit: Visit, site: Running) -> None:
    page = visit(f"{site.url}train?new=1")
    expect(page.locator(".snapshots .choice")).to_have_count(1)
    page.get_by_role("button", name="Take a snapshot now").click()
    page.get_by_label("Filter").fill(make_scene("train", 0).objects[0].category)
    page.get_by_label("Filter").press("Tab")
    expect(page.locator("dialog .enters")).to_contain_text("to train on")
    page.get_by_label("Name", exact=True).fill("one picture")
    page.get_by_role("button", name="Freeze a snapshot").click()
    expect(page.locator("dialog .enters")).to_contain_text("Frozen as")
    page.locator("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("radio", name="one picture")).to_be_checked()
    expect(page.locator(".summary")).to_contain_text("one picture")


def test_the_same_start_twice_is_one_job(site: Running, taken: Snapshot, visit: Visit) -> None:
    page = visit(f"{site.url}train")
    start = """async (body) => (await (await fetch("/do/train/start", {method: "POST",
        headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)})).json()).id"""
    body = {"id": content_key("twice"), "settings": {"snapshot": taken.hash}}
    assert page.evaluate(start, body) == page.evaluate(start, body)
    assert len(Jobs(site.site.project.path / "jobs", start=False).all()) == 1


def test_who_is_no_admin_looks_on(visit: Visit, taken: Snapshot, tmp_path: Path) -> None:
    Project.create(tmp_path / "p").close()
    training_project.Written(
        tmp_path / "p", training_project.job(taken, name="seen by all")
    ).running()
    users = tmp_path / "users.json"
    add_user(users, "vera", "a long password", "viewer")
    with serve(tmp_path / "p", auth=users) as guarded:
        page = visit(f"{guarded.url}login?next=/train")
        page.get_by_label("Name").fill("vera")
        page.get_by_label("Password").fill("a long password")
        page.keyboard.press("Enter")
        expect(page.locator(".job-line")).to_contain_text("seen by all")
        expect(page.get_by_role("link", name="New job")).to_have_count(0)
        expect(page.get_by_role("button", name="Stop now")).to_have_count(0)
        code = """async (path) => (await fetch(path, {method: "POST",
            headers: {"Content-Type": "application/json"}, body: '{"id": "x", "job": "x", "kind": "preview", "save": true, "settings": {}}'})).status"""
        for path in ("start", "stop", "resume", "delete", "look"):
            assert page.evaluate(code, f"/do/train/{path}") == 403


# --- the list


def test_the_queue_is_reordered_and_a_silent_job_is_not_called_running(
    visit: Visit, site: Running, taken: Snapshot
) -> None:
    quiet = written(site, taken, name="quiet").running(silent=100)
    first, second = (written(site, taken, name=name) for name in ("first", "second"))
    page = visit(f"{site.url}train")
    lines = page.locator(".job-line .name")
    expect(lines).to_have_text(["quiet", "first", "second"])
    expect(page.locator(f"[data-job='{quiet.id}'] .verdict")).to_have_text(
        re.compile(r"no sign for 1\d\d s")
    )
    page.get_by_role("button", name="second: earlier").click()
    expect(lines).to_have_text(["quiet", "second", "first"])
    assert [one.id for one in first.jobs.all()][1:] == [second.id, first.id]
    page.locator(f"[data-job='{first.id}']").get_by_role("button", name="Take out").click()
    expect(page.locator(f"[data-job='{first.id}'] .verdict")).to_have_text(re.compile("stopped"))
    page.locator(f"[data-job='{first.id}']").get_by_role("button", name="Resume").click()
    expect(page.locator(f"[data-job='{first.id}'] .verdict")).to_have_text(re.compile("queued"))


def test_a_button_stays_under_the_pointer_while_its_job_goes_on(
    visit: Visit, site: Running, taken: Snapshot
) -> None:
    job = written(site, taken, steps=200).running(step=5)
    page = visit(f"{site.url}train?every=1")
    line = page.locator(f"[data-job='{job.id}']")
    stop = line.get_by_role("button", name="Stop now")
    stop.hover()
    node, place = stop.element_handle(), stop.bounding_box()
    for step in (6, 7):
        job.running(step=step)
        expect(line.locator(".how")).to_contain_text(f"{step} of 200")
    assert node.evaluate("(one) => one.isConnected")
    assert stop.bounding_box() == place


def test_a_job_goes_after_its_name_was_typed(visit: Visit, site: Running, taken: Snapshot) -> None:
    job = written(site, taken).done()
    page = visit(f"{site.url}train?job={job.id}")
    page.get_by_role("button", name="Delete…").click()
    gone = page.get_by_role("button", name="Delete for ever")
    page.keyboard.type("zzz")
    expect(gone).to_be_disabled()
    page.keyboard.press("Control+a")
    page.keyboard.type(job.id[:6])
    gone.click()
    page.wait_for_url(f"{site.url}train")
    assert job.jobs.all() == []


def test_resume_says_why_it_is_not_possible(visit: Visit, site: Running, taken: Snapshot) -> None:
    job = written(site, taken, snapshot=str(taken.path.parent / "gone")).failed(
        "SnapshotError: there is no snapshot"
    )
    page = visit(f"{site.url}train?job={job.id}")
    expect(page.get_by_role("button", name="Resume")).to_be_disabled()
    expect(page.locator(".job-top")).to_contain_text(
        "its snapshot is gone; take it again, then clone the job"
    )


# --- one job


def test_a_failure_is_cloned_with_the_change_to_try(
    visit: Visit, site: Running, taken: Snapshot
) -> None:
    job = written(site, taken, micro_batch=4, name="big").failed(
        f"OutOfMemoryError: CUDA out of memory {HOSTILE}"
    )
    page = visit(f"{site.url}train?job={job.id}")
    card = page.locator(".why-failed")
    expect(card).to_contain_text("Memory ran out")
    expect(card.locator(".log")).to_contain_text(HOSTILE)
    card.get_by_role("link", name="Clone with micro_batch = 2").click()
    page.wait_for_url(re.compile("step=4"))
    expect(page.locator(".sames pre").first).to_contain_text("micro_batch=2")
    page.get_by_role("button", name="Start the job").click()
    page.wait_for_url(re.compile(r"/train\?job="))
    clone = page.url.rpartition("=")[2]
    made = read_job(job.jobs.show(clone).folder / "job.toml")
    assert (made.micro_batch, made.name, made.lora.r, made.eval_every) == (2, "big", 2, 10)
    assert page.evaluate("window.hacked") is None


def test_zoom_survives_three_ticks_while_the_curve_goes_on(
    visit: Visit, site: Running, taken: Snapshot
) -> None:
    job = written(site, taken, steps=200).running()
    job.steps(1, 40)
    job.evaluated(0, 1)
    page = visit(f"{site.url}train?job={job.id}&every=1")
    plot = page.locator("[data-chart=loss] .plot")
    expect(plot.locator(".main-svg").first).to_be_visible()
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=5)
    page.mouse.up()
    expect(page.get_by_role("button", name="Whole curves")).to_be_visible()
    view = "JSON.stringify([...document.querySelectorAll('.plot')].map((one) => one.layout.xaxis.range))"
    zoomed = page.evaluate(view)
    first = "document.querySelector('[data-chart=loss] .plot').data[0].x"
    node = page.evaluate_handle("document.querySelector('[data-chart=loss] .main-svg')")
    for number in range(3):
        job.steps(41 + number, 41 + number)
        page.wait_for_function(f"() => {first}.at(-1) === {41 + number}")
    assert page.evaluate(view) == zoomed, "all curves keep the part that was chosen"
    assert len(set(re.findall(r"\[[^\[\]]+\]", zoomed))) == 1, "one x axis for all"
    assert page.evaluate("(node) => node.isConnected", node)
    assert page.evaluate(first) == list(range(1, 44)), "no gap and nothing twice"
    page.get_by_role("button", name="Whole curves").click()
    page.wait_for_function(
        "() => document.querySelector('[data-chart=loss] .plot').layout.xaxis.range[1] > 40"
    )


def test_a_long_run_shows_at_most_1500_points_of_a_series(
    visit: Visit, site: Running, taken: Snapshot
) -> None:
    job = written(site, taken, steps=9000).running()
    job.steps(1, 4000)
    page = visit(f"{site.url}train?job={job.id}&every=1")
    held = "Math.max(0, ...[...document.querySelectorAll('.plot')].flatMap((one) => (one.data ?? []).map((line) => line.x.length)))"
    page.wait_for_function(f"() => {held} > 500")
    for last in (4600, 5200):
        job.steps(last - 599, last)
        latest = "document.querySelector('[data-chart=loss] .plot').data[0].x.at(-1)"
        page.wait_for_function(f"() => {latest} > {last - 30}")
        assert page.evaluate(held) <= 1500


def test_the_same_pictures_are_shown_at_each_checkpoint(
    visit: Visit, site: Running, taken: Snapshot
) -> None:
    job = written(site, taken)
    job.steps(1, 20)
    job.evaluated(0, 1, answers=("right", HOSTILE, "no"))
    job.evaluated(10, 2, answers=("right", "two", "no"))
    job.evaluated(20, 2, answers=("right", "two", "no"))
    job.done()
    page = visit(f"{site.url}train?job={job.id}")
    expect(page.locator(".fixed .head")).to_contain_text(
        "1 improved, 0 broke, 2 the same since the start"
    )
    cards = page.locator(".pictures > li")
    expect(cards.nth(1).locator(".said > li")).to_have_count(3)
    expect(cards.nth(1)).to_contain_text(HOSTILE)
    expect(cards.nth(1).locator("img")).to_have_js_property("complete", True)
    expect(page.locator(".card-text")).to_contain_text("Made from tiny, with a <b>mark</b>.")
    expect(page.locator(".model").get_by_role("link", name="Open in Compare")).to_have_attribute(
        "href", f"compare?model={job.id}"
    )


def test_nothing_that_a_job_is_called_becomes_markup(
    visit: Visit, site: Running, taken: Snapshot
) -> None:
    for job in (written(site, taken, name=HOSTILE, lr=lr) for lr in (1e-3, 2e-3)):
        job.steps(1, 5)
        job.evaluated(5, 2)
        job.done()
    page = visit(f"{site.url}train")
    expect(page.locator(".job-line .name").first).to_have_text(HOSTILE)
    page.goto(f"{site.url}train?jobs=")
    expect(page.locator("[data-chart=loss] .main-svg").first).to_be_visible()
    page.wait_for_timeout(500)
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img").count() == 0


# --- several


def test_runs_beside_each_other_show_what_differs_and_nothing_else(
    visit: Visit, site: Running, taken: Snapshot
) -> None:
    other = training_project.take(
        site.site.project, training_project.SnapshotWish(val=0.5), "halves"
    )
    one, two = written(site, taken, name="one"), written(site, other, name="two", lr=5e-3)
    for job in (one, two):
        job.steps(1, 20)
        job.evaluated(20, 3)
        job.done()
    page = visit(f"{site.url}train?jobs={one.id},{two.id}")
    settings = page.get_by_role("region", name="Settings that differ", exact=True).last
    expect(settings.locator("tbody th")).to_have_text(["snapshot", "lr"])
    expect(page.get_by_role("region", name="Snapshots that differ").last).to_contain_text(
        "filter: val"
    )
    expect(page.get_by_role("region", name="Figures").last).to_contain_text("30.0 to 95.0 %")
    expect(page.locator("[data-chart=loss] .main-svg").first).to_be_visible()
    page.wait_for_function(
        "() => document.querySelector('[data-chart=loss] .plot').data?.length === 6"
    )


# --- everywhere

LEGENDS_ON_CURVES = """() => [...document.querySelectorAll(".js-plotly-plot")].filter((one) => {
    const legend = one.querySelector(".legend")?.getBoundingClientRect();
    const curves = one.querySelector(".nsewdrag")?.getBoundingClientRect();
    return legend && curves && legend.bottom > curves.top + 1;
}).length"""


@pytest.mark.parametrize(
    ("width", "theme"), [pytest.param(1440, "light", marks=pytest.mark.slow), (390, "dark")]
)
def test_every_view_fits_its_window_and_axe_finds_nothing_serious(
    visit: Visit, site: Running, taken: Snapshot, width: int, theme: str
) -> None:
    done = written(site, taken, name="a name of some length that somebody thought of " + "x" * 60)
    done.steps(1, 20)
    done.evaluated(10, 2, answers=("right", "two", "no"))
    done.done()
    failed = written(site, taken).failed("OutOfMemoryError: out of memory")
    written(site, taken, name="runs").running()
    written(site, taken, name="waits")
    errors: list[str] = []
    page = visit("about:blank", width, theme)
    page.on("pageerror", lambda error: errors.append(str(error)))
    views = {
        "": ".job-line",
        f"?job={done.id}": ".pictures img",
        f"?job={failed.id}": ".why-failed",
        "?jobs=": ".differ",
    }
    views |= {
        "?new=1": ".tally",
        "?new=1&step=2": "fieldset",
        "?new=1&step=3": ".setting",
        "?new=1&step=4": ".copied",
    }
    for address, shown in views.items():
        page.goto(f"{site.url}train{address}")
        expect(page.locator(shown).first).to_be_visible()
        if done.id in address:
            expect(page.locator(".js-plotly-plot .legend").first).to_be_visible()
            assert page.evaluate(LEGENDS_ON_CURVES) == 0
        page_checks.check(page)
    assert errors == []


def test_recipes_are_known_by_their_words_and_lead_to_where_they_are_used(
    visit: Visit, site: Running
) -> None:
    page = visit(f"{site.url}recipes#parity_gap")
    card = page.locator("#parity_gap")
    expect(card.get_by_label("Formula")).to_be_visible()
    page_checks.check_every_width(page)
    page.get_by_role("searchbox").fill("perplexity untrained")
    expect(page.get_by_text("No recipe has these words.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("searchbox").fill("perplexity surprise")
    expect(page.locator("[data-count]")).to_contain_text("1 of ")
    expect(card).to_be_hidden()
    page.get_by_role("searchbox").fill("")
    card.get_by_role("link", name="Weigh a new snapshot by it").click()
    page.wait_for_url("**/train?new=1*")
