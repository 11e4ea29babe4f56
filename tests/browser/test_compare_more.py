"""Compare in a real browser: pictures that visitors bring, all questions at once, narrow windows,
keys alone, the API.
"""

# ruff: noqa: F811 - fixtures that are imported have the names of arguments

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import page_checks
import pytest
from compare_setup import (  # noqa: F401 - fixtures too
    Visit,
    alone,
    ask,
    both,
    done,
    events,
    folder,
    made,
    opened,
    png,
    running,
    side,
    site,
    task_of,
)
from gradio_client import Client
from servers import Running, serve, sync_api
from small_parts import profile_text

from workbench.store import Project
from workbench.study.two_by_two import compare

pytestmark = pytest.mark.browser


# --- pictures


def test_an_uploaded_picture_is_asked_about_and_stays_in_the_projects_cache(
    visit: Visit, site: Running
) -> None:
    page = visit(f"{site.url}compare")
    page.locator("[data-file]").set_input_files(
        {"name": "../../evil.png", "mimeType": "image/png", "buffer": png()}
    )
    page.wait_for_function("() => document.querySelector('.side.pipeline img').naturalWidth === 60")
    ask(page, "How many red squares are there?")
    both(page)
    held = [path for path in site.site.project.path.rglob("*.png") if "compare" in path.parts]
    assert any(path.read_bytes() == png() for path in held)
    assert not site.site.project.images.path(held[0].stem)


def test_a_picture_comes_from_a_file_the_clipboard_the_camera_an_example_and_a_link(
    visit: Visit, site: Running
) -> None:
    page = visit(f"{site.url}compare")
    a_file_that_is_no_picture_is_refused(page, site)
    page.reload()
    a_pasted_picture_is_taken(page)
    the_camera_is_refused_which_is_said_and_then_takes_a_picture(page)
    examples_put_picture_and_question(page)
    the_link_opens_the_same_question(visit, page)


def a_pasted_picture_is_taken(page: sync_api.Page) -> None:
    page.evaluate(
        """(packed) => {
        const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], "x.png", { type: "image/png" }));
        dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
    }""",
        base64.b64encode(png((50, 70))).decode(),
    )
    page.wait_for_function("() => document.querySelector('.side.student img').naturalWidth === 50")


def a_file_that_is_no_picture_is_refused(page: sync_api.Page, site: Running) -> None:
    for data, says in (
        (b"GIF89a but no picture", "the file is not a picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"", "not a picture"),
    ):
        page.locator("[data-file]").set_input_files(
            {"name": "x.png", "mimeType": "image/png", "buffer": data}
        )
        sync_api.expect(page.locator(".toast.bad").last).to_contain_text(says)
        kept = site.site.project.path.rglob(f"{hashlib.sha256(data).hexdigest()}*")
        assert list(kept) == []


def the_camera_is_refused_which_is_said_and_then_takes_a_picture(page: sync_api.Page) -> None:
    page.evaluate(
        """() => { navigator.mediaDevices.getUserMedia = async () => { throw new Error("denied"); }; }"""
    )
    page.get_by_role("button", name="Camera").click()
    sync_api.expect(page.locator(".toast.bad")).to_contain_text("cannot be used: denied")
    assert not page.locator("[data-camera-dialog]").is_visible()
    page.evaluate(
        """() => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [320, 200];
        const pen = canvas.getContext("2d");
        setInterval(() => pen.fillRect(Math.random() * 300, 0, 20, 200), 50);
        window.track = canvas.captureStream(20);
        navigator.mediaDevices.getUserMedia = async () => window.track;
    }"""
    )
    page.get_by_role("button", name="Camera").click()
    page.wait_for_function("() => document.querySelector('[data-video]').videoWidth === 320")
    page.get_by_role("button", name="Take it").click()
    page.wait_for_function("() => document.querySelector('.side.student img').naturalWidth === 320")
    assert page.evaluate("window.track.getTracks()[0].readyState") == "ended"


def examples_put_picture_and_question(page: sync_api.Page) -> None:
    examples = page.locator("[data-examples] button")
    sync_api.expect(examples).to_have_count(8)
    examples.nth(2).click()
    assert page.locator("[data-question]").input_value() == examples.nth(2).get_attribute("title")
    assert "image=" in page.url


def the_link_opens_the_same_question(visit: Visit, page: sync_api.Page) -> None:
    page.get_by_role("button", name="Any question of the project").click()
    page.wait_for_function("() => location.search.includes('task=')")
    words = page.locator("[data-question]").input_value()
    again = visit(page.url)
    sync_api.expect(again.locator("[data-question]")).to_have_value(words)


def test_a_picture_over_the_limits_is_scaled_down_and_says_so(visit: Visit, site: Running) -> None:
    page = visit(f"{site.url}compare")
    for data, words in (
        (png((9000, 5000)), "scaled down from 9000x5000 to 4096x"),  # pixels: on the server
        (png((3200, 2400), noise=True), "before it was sent"),  # bytes: in the browser
    ):
        page.locator("[data-file]").set_input_files(
            {"name": "x.png", "mimeType": "image/png", "buffer": data}
        )
        sync_api.expect(page.locator(".toast").last).to_contain_text(words)
    page.wait_for_function("() => document.querySelector('.side.student img').naturalWidth > 2000")


# --- all questions


def test_the_tables_are_pythons_and_a_cell_leads_to_its_questions(
    visit: Visit, site: Running
) -> None:
    page = visit(f"{site.url}compare?mode=all")
    the_tables_are_pythons(page, site)
    page.goto(f"{site.url}compare?mode=all")
    page.locator(".two .gain a").click()
    page.wait_for_url("**/browse?*")
    assert parse_qs(urlsplit(page.url).query)["q"] == ["right>=1 student:wrong"]


def the_tables_are_pythons(page: sync_api.Page, site: Running) -> None:
    sync_api.expect(page.locator(".two")).to_be_visible()
    found = compare(site.site.project.outcomes()).all
    cells = [int(cell.inner_text()) for cell in page.locator(".two b").all()]
    assert cells == [found.both, found.pipeline, found.student, found.neither]
    assert page.locator(".slices").count() == 2
    page.get_by_label("the first program is right").check()
    sync_api.expect(page.locator(".findings")).to_contain_text("the first program is right")


def test_a_whole_cell_goes_to_the_queue_and_back_as_one(visit: Visit, alone: Running) -> None:
    page = visit(f"{alone.url}compare?mode=all")
    wanted = compare(alone.site.project.outcomes()).all.pipeline
    page.get_by_role("button", name=f"Send the {wanted}").click()
    sync_api.expect(page.locator(".toast")).to_contain_text(f"{wanted} question")
    sent = events(alone, "queue")
    assert len(sent) == wanted > 0
    page.get_by_role("button", name="Undo").click()
    sync_api.expect(page.locator(".toast").last).to_contain_text("taken back")
    assert all(alone.site.project.curation.item(one.task_id).asked is None for one in sent)


def test_before_both_have_answered_the_table_says_what_fills_it(
    visit: Visit, tmp_path: Path
) -> None:
    (tmp_path / "talk.toml").write_text(profile_text())
    Project.create(tmp_path / "p", str(tmp_path / "talk.toml")).close()
    with serve(tmp_path / "p") as running:
        page = visit(f"{running.url}compare?mode=all")
        sync_api.expect(page.locator(".empty")).to_contain_text("Nothing to compare yet")
        assert "vpd run" in page.locator(".empty code").inner_text()


# --- everywhere


@pytest.mark.parametrize("width", [390, pytest.param(1440, marks=pytest.mark.slow)])
def test_nothing_runs_over_the_side_after_an_answer(
    visit: Visit, site: Running, width: int
) -> None:
    page = opened(visit, site, width, "dark")
    ask(page, "How many " + "verylongwords" * 20 + " are there?")
    both(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{site.url}compare?mode=all")
    sync_api.expect(page.locator(".two")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_question_is_asked_voted_on_and_followed_by_the_next_without_a_mouse(
    visit: Visit, site: Running
) -> None:
    page = opened(visit, site)
    page.keyboard.press("/")
    page.keyboard.press("Enter")
    both(page)
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    sync_api.expect(page.locator(".toast")).to_contain_text("Vote stored: tie")
    before = page.url
    page.keyboard.press("Enter")
    sync_api.expect(page).not_to_have_url(before)
    both(page)


def test_a_link_carries_its_answers(visit: Visit, alone: Running, folder: Path) -> None:
    page = opened(visit, alone)
    ask(page)
    both(page)
    shown = {
        name: side(page, name).locator("output").inner_text() for name in ("pipeline", "student")
    }
    again = visit(page.url)
    both(again)
    for name, words in shown.items():
        assert side(again, name).locator("output").inner_text() == words
    assert side(again, "pipeline").locator(".program li").count() == 4
    assert side(again, "pipeline").locator(".cells .tool").count() == 1
    assert side(again, "student").locator(".says").inner_text().startswith("There is a red square")
    assert side(again, "student").locator(".vp-overlay .result").count() == 1
    sync_api.expect(again.locator("[data-headline]")).to_contain_text("Answered")
    again.locator("h1").click()
    again.keyboard.press("1")  # the server has the answers still
    sync_api.expect(again.locator(".toast")).to_contain_text("Vote stored: pipeline")
    again.locator("[data-question]").fill("Is this another question?")
    again.wait_for_url(lambda url: "run=" not in url)
    alone.site.project.close()
    with serve(folder) as later:  # started again: the answers are read, and not voted on
        page = visit(f"{later.url}compare?{urlsplit(page.url).query}")
        both(page)
        assert not page.locator("[data-votes]").is_visible()
        page.goto(f"{later.url}compare?task={task_of(later)}&run=12345678")
        sync_api.expect(page.locator(".toast.bad")).to_contain_text("no longer kept; ask again")
        sync_api.expect(side(page, "student").locator("img")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_both_answers_are_seen_on_a_phone_without_scrolling(
    visit: Visit, site: Running, theme: str
) -> None:
    page = opened(visit, site, 390, theme)
    page.set_viewport_size({"width": 390, "height": 780})
    ask(page)
    both(page)
    tiles = page.locator("[data-board] .tile")
    sync_api.expect(tiles).to_have_count(2)
    bar = page.locator("[data-votes]").bounding_box()
    assert bar is not None
    for tile, name in zip(tiles.all(), ("pipeline", "student")):
        box = tile.bounding_box()
        assert box is not None
        assert 0 <= box["y"] < box["y"] + box["height"] <= bar["y"]
        sync_api.expect(tile).to_contain_text(side(page, name).locator("output").inner_text())
    tiles.nth(1).click()
    sync_api.expect(side(page, "student").locator("header")).to_be_in_viewport()


def test_the_same_answer_comes_through_gradio_client(alone: Running) -> None:
    project = alone.site.project
    [task] = project.tasks([task_of(alone)])
    client = Client(alone.url, verbose=False)
    job = client.submit(
        image=task.image, question=task.question, side="pipeline", api_name="/answer"
    )
    [[*_, last]] = job.result(timeout=60).values()
    kinds = [
        event["kind"] for message in job.outputs() for found in message.values() for event in found
    ]
    assert last["kind"] == kinds[-1] == "finished"
    assert {"started", "code", "wrote", "steps"} <= set(kinds)
    assert last["answer"] == task.answers[0]
    with pytest.raises(Exception, match="no side is called 'judge'"):
        client.predict(image=task.image, question="x", side="judge", api_name="/answer")
    packed = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    said = client.predict(
        image=packed, question="How many red squares are there?", side="student", api_name="/answer"
    )
    assert [
        event["answer"] for found in said.values() for event in found if event["kind"] == "finished"
    ] == ["7"]


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", ["compare", "compare?mode=all"])
def test_axe_finds_nothing_serious(visit: Visit, site: Running, path: str, theme: str) -> None:
    page = visit(site.url + path, theme=theme)
    if path == "compare":
        page.goto(f"{site.url}compare?task={task_of(site)}")
        sync_api.expect(side(page, "pipeline").locator("img")).to_be_visible()
        ask(page)
        both(page)
    else:
        sync_api.expect(page.locator(".two")).to_be_visible()
    page_checks.check(page)
