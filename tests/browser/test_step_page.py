"""The step player in a real browser: one cursor for line, step and picture; edit and replay; what a
long trace costs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import page_checks
import page_project
import pytest
from servers import serve

from app.main import Running
from workbench.records import Task

pytestmark = pytest.mark.browser

COUNT = "collages/train-00003/count"
HOSTILE_ID = f"hostile/{page_project.HOSTILE}"
BROKEN_ID = "odd/no-picture"
LONG_ID = "odd/long"
LOOP_ID = "odd/loop"
LOOP = """def execute_command(image):
    for dog in ImagePatch(image).find("dog"):
        if dog.exists("hat"):
            return "yes"
    return "no"
"""
ORACLE = "def execute_command(image):\n    patch = ImagePatch(image)\n    return str(patch.width)\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Questions on eight pictures; one hostile in every field, one without its picture, one with a
    long trace.
    """
    folder = page_project.build(tmp_path_factory.mktemp("step") / "collages", scenes=8)
    with serve(folder) as running:
        more = page_project.RecordWriter(running.site.project)
        digest = more.project.images.add(next((folder / "scratch").glob("3.webp")))
        bad = page_project.HOSTILE
        rows = [
            (
                "tool",
                3,
                {
                    "call": 0,
                    "tool": bad,
                    "receiver": page_project.patch((5, 5, 90, 60), bad),
                    "arguments": {bad: bad},
                },
            ),
            (
                "tool_result",
                3,
                {
                    "call": 0,
                    "tool": bad,
                    "ok": True,
                    "result": page_project.listed([page_project.patch((9, 9, 50, 50), bad), bad]),
                },
            ),
            ("line", 3, {"changed": {bad: bad}}),
            ("print", 3, {"text": bad}),
            ("exception", 3, {"type": bad, "message": bad, "handled": True}),
            ("end", 0, {"ok": True, "answer": bad, "steps": 3, "tool_calls": 1}),
        ]
        events = tuple(
            page_project.TraceEvent(seq, kind, line, 0, payload)
            for seq, (kind, line, payload) in enumerate(rows)
        )
        source = (
            f"def execute_command(image):\n    # {bad}\n    found = '''{bad}'''\n    return found\n"
        )
        task = Task(HOSTILE_ID, "s", "train", digest, bad, (bad,), "choice", (bad, "b"), bad)
        more.task(task, [(source, events)] * 5, f"{bad}. Thus, {bad} at 1 2 300 400.", bad)
        gone = Task(BROKEN_ID, "s", "train", "0" * 64, "Where is the picture?", ("2",), "integer")
        more.task(
            gone,
            [
                (
                    page_project.program_for("dog"),
                    page_project.events_of("dog", [(1, 2, 30, 40)], (640, 480)),
                )
            ]
            * 5,
        )
        dogs = [page_project.patch((40 * at, 5, 40 * at + 30, 60), "dog") for at in range(3)]
        endless = Task(LONG_ID, "s", "train", digest, "How long is it?", ("9",), "integer")
        more.task(endless, [("i = 0\n" * 9, page_project.loop_events(2000, (640, 480)))] * 5)
        rounds = [
            row
            for at in range(3)
            for row in (
                ("line", 2, {"changed": {"dog": dogs[at]}, "form": "for"}),
                ("tool", 3, {"call": at, "tool": "exists", "receiver": None, "arguments": {}}),
                ("tool_result", 3, {"call": at, "tool": "exists", "ok": True, "result": False}),
                ("branch", 3, {"form": "if", "taken": False}),
            )
        ]
        rounds.append(("return", 5, {"function": "execute_command", "value": "no"}))
        rounds.append(("end", 0, {"ok": True, "answer": "no", "steps": 6, "tool_calls": 3}))
        events = tuple(
            page_project.TraceEvent(seq, kind, line, 0, payload)
            for seq, (kind, line, payload) in enumerate(rounds)
        )
        hats = Task(LOOP_ID, "s", "train", digest, "Does a dog wear a hat?", ("no",), "yesno")
        more.task(hats, [(LOOP, events)] * 5)
        yield running


def opened(visit, site: Running, trace: str, step: int | None = None, width: int = 1440):
    page = visit(
        f"{site.url}step?trace={quote(trace, safe='')}" + ("" if step is None else f"&step={step}"),
        width,
    )
    page.wait_for_selector("[aria-current=step]")
    page.wait_for_selector(".vp-step h3")
    return page


def count(page) -> str:
    return page.inner_text(".vp-count")


def test_arrows_walk_the_steps_and_the_address_follows(visit, site: Running) -> None:
    page = opened(visit, site, f"t0-{COUNT}", 0)
    assert count(page).startswith("Step 1 of 7")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert count(page).startswith("Step 3 of 7")
    page.keyboard.press("ArrowLeft")
    assert page.url.endswith("step=1")
    page.reload()
    page.wait_for_selector(".vp-step h3")
    assert count(page).startswith("Step 2 of 7")
    page.keyboard.press("End")
    page.locator(".vp-step h3", has_text="The answer").wait_for()
    page.keyboard.press("ArrowRight")
    assert count(page).startswith("Step 7 of 7")
    page.keyboard.press("Home")
    assert count(page).startswith("Step 1 of 7")


def test_line_step_picture_and_prose_follow_one_cursor(visit, site: Running) -> None:
    page = opened(visit, site, f"t0-{COUNT}")
    lines_that_never_ran_are_marked(page)
    a_rationales_box_lights_up_on_the_picture(page)
    page.mouse.move(0, 0)
    one_cursor_for_line_step_and_picture(page)
    page.keyboard.press("Home")
    sentences_and_steps_point_at_each_other(page)
    page.mouse.move(0, 0)
    zoom_and_back(page)
    boxes_scores_and_patches(page)
    the_scrubber_moves_the_same_cursor(page)


def lines_that_never_ran_are_marked(page) -> None:
    assert "never" in page.locator(".vp-lines li").nth(6).get_attribute("class")
    assert "ran" in page.locator(".vp-lines li").nth(7).get_attribute("class")


def a_rationales_box_lights_up_on_the_picture(page) -> None:
    button = page.locator(".vp-where").first
    _, xmin, _, xmax = map(int, button.inner_text().split())
    button.hover()
    x, width = page.eval_on_selector(
        ".vp-overlay rect.result", "r => [r.x.baseVal.value, r.width.baseVal.value]"
    )
    assert x == pytest.approx(xmin / 999 * 640, abs=0.01)
    assert width == pytest.approx((xmax - xmin) / 999 * 640, abs=0.01)


def one_cursor_for_line_step_and_picture(page) -> None:
    scene = page_project.make_scene("train", 3)
    noun = scene.objects[3 % len(scene.objects)].category
    wanted = sorted(
        tuple(round(v) for v in o.box.as_tuple()) for o in scene.objects if o.category == noun
    )
    rects = page.eval_on_selector_all(
        ".vp-overlay rect.result",
        "all => all.map(r => ['x', 'y', 'width', 'height'].map(a => Number(r.getAttribute(a))))",
    )
    assert sorted((x, y, x + w, y + h) for x, y, w, h in rects) == wanted
    assert page.inner_text(".vp-step h3") == "find"
    assert "batch of 4" in page.inner_text(".vp-step")
    assert f'find("{noun}")' in page.locator(".vp-lines li.now").inner_text()
    page.locator(".vp-lines li").nth(3).click()
    assert "line 4" in count(page)
    page.locator(".vp-strip .vp-said").click()
    assert "print(" in page.locator(".vp-lines li.now").inner_text()


def sentences_and_steps_point_at_each_other(page) -> None:
    sentences = page.locator(".vp-sentence")
    assert "here" not in sentences.first.get_attribute("class")
    sentences.first.hover()
    assert page.locator(".vp-cited").count() == 1
    assert page.locator(".vp-overlay rect.result").count() > 0
    page.locator(".vp-cite").first.click()
    assert count(page).startswith("Step 2 of 7")
    assert "here" in sentences.first.get_attribute("class")


def zoom_and_back(page) -> None:
    page.keyboard.press("?")
    assert "+" in page.locator("dialog[open] kbd").all_inner_texts()
    page.keyboard.press("Escape")
    page.keyboard.press("+")
    assert "scale(1.5)" in page.get_attribute(".vp-canvas", "style")
    page.keyboard.press("0")
    assert "scale" not in (page.get_attribute(".vp-canvas", "style") or "")


def boxes_scores_and_patches(page) -> None:
    page.keyboard.press("o")
    assert page.locator(".vp-overlay rect").count() == 0
    page.keyboard.press("o")
    assert page.locator(".vp-overlay rect.result").count() > 0
    page.locator(".vp-out .vp-patch").first.hover()
    assert page.locator(".vp-overlay rect.hot").count() == 1
    page.locator(".vp-score input").fill("1")
    assert page.locator(".vp-overlay rect.result").count() == 0


def the_scrubber_moves_the_same_cursor(page) -> None:
    page.locator(".vp-scrub").fill("4")
    assert count(page).startswith("Step 5 of 7")
    assert page.get_attribute(".vp-scrub", "aria-valuetext").startswith("Step 5 of 7")


def test_a_failed_run_opens_where_it_failed(visit, site: Running) -> None:
    page = opened(visit, site, f"t3-{COUNT}")
    assert "no detector knows 'gizmo'" in page.inner_text(".vp-step")
    assert 'find("gizmo")' in page.locator(".vp-lines li.failed").inner_text()
    assert page.get_attribute("[aria-current=step]", "class") == "vp-error"


def test_brackets_go_to_the_other_programs(visit, site: Running) -> None:
    page = opened(visit, site, f"t0-{COUNT}")
    with page.expect_navigation():
        page.keyboard.press("]")
    assert page.inner_text(".pill[aria-current]").startswith("2")
    page.wait_for_selector(".vp-step h3")
    with page.expect_navigation():
        page.keyboard.press("[")
    assert page.inner_text(".pill[aria-current]").startswith("1")


def test_what_changed_stands_beside_what_was_and_all_variables_on_demand(
    visit, site: Running
) -> None:
    page = opened(visit, site, f"t0-{LONG_ID}", 5)
    assert page.locator(".vp-was").count() == 0
    page.keyboard.press("d")
    page.locator(".vp-was", has_text="4").first.wait_for()
    page.keyboard.press("v")
    page.locator(".vp-step", has_text="Variables behind this step").wait_for()


def test_the_first_wrong_step_is_an_event_and_can_be_taken_back(visit, site: Running) -> None:
    page = opened(visit, site, f"t1-{COUNT}", 1)
    page.keyboard.press("b")
    page.locator(".toast", has_text="Step 2 is marked").wait_for()
    event = site.site.project.curation.events(task_id=COUNT)[-1]
    assert (event.kind, event.step, event.author, event.tool) == ("wrong_step", 2, "ann", "find")
    page.reload()
    page.wait_for_selector(".vp-wrong")
    page.keyboard.press("b")
    page.locator(".toast >> text=Undo").click()
    page.locator("[data-outbox]", has_text="saved ✓").wait_for()
    assert site.site.project.curation.events(task_id=COUNT)[-1].kind == "undo"


def test_a_loop_folds_and_opens_where_the_cursor_goes(visit, site: Running) -> None:
    page = opened(visit, site, f"t0-{LONG_ID}", 2000)
    fold = page.locator(".vp-fold")
    assert fold.inner_text().split() == ["▸", "×2000", "line", "4"]
    assert page.locator(".vp-strip button").count() == 2
    page.keyboard.press("ArrowLeft")
    assert "round 2000 of 2000" in count(page)
    assert fold.get_attribute("aria-expanded") == "true"


def test_a_long_trace_is_drawn_from_one_answer_and_stays_light(visit, site: Running) -> None:
    page = opened(visit, site, f"t0-{LONG_ID}")
    answers = page.evaluate(
        "performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)"
        ".filter((path) => path.startsWith('/data/') && path !== '/data/shell')"
    )
    assert answers.count("/data/step") == 1
    assert set(answers) <= {"/data/step", "/data/steps", "/data/variables"}
    assert page.locator(".vp-strip button").count() == 2, "the loop is folded"
    assert page.evaluate("document.querySelectorAll('*').length") < 1000
    page.keyboard.press("End")
    assert count(page).startswith("Step 2001 of 2001")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.querySelectorAll('*').length") < 5000
    sent = page.evaluate(
        "performance.getEntriesByType('resource').find((one) => one.name.includes('/data/step?')).encodedBodySize"
    )
    assert sent < 100_000


def test_a_missing_picture_is_said(visit, site: Running) -> None:
    page = opened(visit, site, f"t0-{BROKEN_ID}")
    assert "000000000000" in page.inner_text(".vp-stage")
    assert page.inner_text(".vp-step h3") == "find"


def test_hostile_text_stays_text(visit, site: Running) -> None:
    page = opened(visit, site, f"t0-{HOSTILE_ID}", 0)
    for _ in range(7):
        page.locator(".vp-step summary").click()
        page.keyboard.press("ArrowRight")
    assert 'onerror="window.hacked=1"' in page.inner_text("main")
    assert page.locator("[onerror]").count() == 0
    page.wait_for_timeout(100)  # a broken picture's handler would run after the load
    assert page.evaluate("window.hacked") is None


def test_an_edit_is_run_again_compared_and_sent_to_the_queue(
    visit, site: Running, without_models
) -> None:
    page = opened(visit, site, f"t0-{COUNT}")
    page.keyboard.press("R")
    page.locator(".editor .cm-content").fill(ORACLE)
    page.keyboard.press("Control+Enter")
    page.locator("[data-draft]", has_text="It answers “640”").wait_for()
    assert "not as expected" in page.inner_text("[data-draft]")
    assert "640" in page.inner_text(".vp-told")  # told in prose before it is stored
    assert page.locator(".changes tr").count() > 2
    stored = len(site.site.project.database.rows("SELECT 1 FROM program WHERE parent IS NOT NULL"))
    page.keyboard.press("End")
    page.locator(".vp-step h3", has_text="The answer").wait_for()
    with page.expect_navigation():
        page.click("text=Send to the queue")
    page.wait_for_selector(".vp-step h3")
    assert page.inner_text(".pill[aria-current]").startswith("edit 1")
    (edit,) = site.site.project.database.rows("SELECT * FROM program WHERE parent IS NOT NULL")
    assert stored == 0
    assert (edit["parent"], edit["source"]) == (f"p0-{COUNT}", ORACLE)
    assert site.site.project.run_view(f"p0-{COUNT}")[1].program.source == page_project.program_for(
        re.search(r'find\("(\w+)"\)', site.site.project.run_view(f"p0-{COUNT}")[1].program.source)[
            1
        ]
    )
    assert site.site.project.curation.item(COUNT).asked is not None
    run = site.site.project.run_view(edit["id"])[1]
    assert run.verdict is not None
    assert (run.verdict.correct, run.verdict.chosen) == (False, False)
    told = [
        one for one in site.site.project.task_view(COUNT).rationales if one.trace_id == run.trace.id
    ]
    assert [one.answer for one in told] == ["640"]


def test_a_repair_goes_from_curate_to_step_and_back_with_a_rationale_to_edit(
    visit, site: Running, without_models
) -> None:
    project = site.site.project
    task = next(one.task_id for one in project.outcomes() if one.status == "kept")
    page = visit(f"{site.url}curate?task={quote(task)}")
    page.wait_for_selector(".vp-step h3")
    with page.expect_navigation():
        page.keyboard.press("p")
    page.locator(".editor .cm-content").fill(ORACLE)
    page.keyboard.press("Control+Enter")
    page.locator("[data-draft]", has_text="It answers “640”").wait_for()
    with page.expect_navigation():
        page.keyboard.press("C")
    page.locator(".tab[aria-pressed=true]", has_text="edit 1").wait_for()
    page.keyboard.press("e")
    assert "640" in page.input_value(".wording")


def test_an_edit_that_fails_says_where(visit, site: Running, without_models) -> None:
    page = opened(visit, site, f"t0-{COUNT}")
    page.keyboard.press("R")
    page.locator(".editor .cm-content").fill("def execute_command(image):\n    return 1 / 0\n")
    page.click("text=Run again")
    page.locator("[data-draft]", has_text="ended without an answer").wait_for()
    assert "1 / 0" in page.locator(".vp-lines li.failed").inner_text()


def test_a_phone_shows_picture_strip_and_code_in_this_order(visit, site: Running) -> None:
    page = opened(visit, site, f"t0-{COUNT}", width=390)
    tops = [
        page.locator(name).bounding_box()["y"]
        for name in (".vp-stage", ".vp-strip", ".vp-code", ".vp-step")
    ]
    assert tops == sorted(tops)


def test_the_current_cell_and_line_are_in_sight(visit, site: Running) -> None:
    page = opened(visit, site, f"t0-{LONG_ID}", 1000, width=390)
    page.keyboard.press("ArrowRight")
    seen = """(node) => {
      const holder = node.closest(".vp-strip").getBoundingClientRect(), cell = node.getBoundingClientRect();
      return cell.left >= holder.left - 1 && cell.right <= holder.right + 1;
    }"""
    assert page.locator("[aria-current=step]").evaluate(seen)


def test_the_screen_step_comes_back_to_the_run_looked_at_last(visit, site: Running) -> None:
    page = opened(visit, site, f"t1-{COUNT}", 2)
    page.goto(f"{site.url}train")
    page.keyboard.press("g")
    with page.expect_navigation():
        page.keyboard.press("s")
    page.wait_for_selector(".vp-step h3")
    assert count(page).startswith("Step 3 of")
    assert page.inner_text(".pill[aria-current]").startswith("2")


def test_what_a_round_is_about_stays_in_sight_and_the_picture_fills_the_window(
    visit, site: Running
) -> None:
    page = opened(visit, site, f"t0-{LOOP_ID}", 4)
    assert page.locator(".vp-step h3").inner_text() == "exists"
    faint = page.locator(".vp-overlay rect.loop")
    assert [faint.count(), faint.get_attribute("x")] == [1, "40"]
    assert page.locator(".vp-overlay rect.halo, .vp-overlay rect.tag, .vp-crop").count() == 0
    small = page.locator(".vp-stage img").bounding_box()
    page.keyboard.press("f")
    light = page.locator("dialog.vp-light[open]")
    light.wait_for()
    large = light.locator("img").bounding_box()
    assert large["width"] > small["width"] * 1.3
    assert light.locator("rect.loop").count() == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert count(page).startswith("Step 7 of 11")
    page.keyboard.press("Escape")
    light.wait_for(state="detached")
    assert page.locator(".vp-picture > .vp-stage img").bounding_box()["width"] == small["width"]
    page.keyboard.press("End")
    page.locator(".vp-step h3", has_text="The answer").wait_for()
    assert faint.count() == 0


@pytest.mark.parametrize("width", [pytest.param(1440, marks=pytest.mark.slow), 390])
def test_long_questions_and_answers_wrap_and_can_be_read_whole(
    visit, site: Running, width: int
) -> None:
    project = site.site.project
    word = "unbroken" * 40
    answer = f"{word} and {'many words ' * 20}end"
    id = f"odd/wordy-{width}"
    end = {"ok": True, "answer": answer, "steps": 1, "tool_calls": 0}
    events = (page_project.TraceEvent(0, "end", 0, 0, end),)
    digest = project.tasks([COUNT])[0].image
    task = Task(id, "s", "train", digest, f"Is it {word}?", (answer,), "choice", (word, answer))
    trace = page_project.RecordWriter(project).task(task, [("pass\n", events)] * 5)
    page = visit(f"{site.url}step?trace={quote(trace)}", width)
    page.locator(".vp-count").wait_for()
    page_checks.check(page)
    head = page.locator(".asked")
    assert answer in head.locator(".facts .verdict").inner_text().replace("\n", "")
    assert head.evaluate(
        "(head) => [...head.querySelectorAll('h1, .choices, .facts, .verdict')]"
        ".every((one) => one.scrollWidth <= one.clientWidth + 1)"
    )
