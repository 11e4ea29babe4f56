"""The pages in a real browser: what they show, at which size, in which light, and what hostile text cannot do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from urllib.parse import quote

import drawn
import pytest

from app import server
from app.pages import Pages
from workbench.records import Task

pytestmark = pytest.mark.browser

COUNT = "collages/train-00003/count"
HOSTILE_ID = f"hostile/{drawn.HOSTILE}"
BROKEN_ID = "odd/no-picture"
LONG_ID = "odd/long"
PATHS = ("", "questions", f"question?id={COUNT}", f"trace?id=t0-{COUNT}")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served project of sixty questions, one of them hostile in every field, one without its picture, one long."""
    folder = drawn.build(tmp_path_factory.mktemp("pages") / "collages", scenes=20)
    more = drawn.Drawn.__new__(drawn.Drawn)
    more.project = drawn.Project.open(folder)
    digest = more.project.images.add(next((folder / "scratch").glob("3.webp")))
    bad = drawn.HOSTILE
    source = f"def execute_command(image):\n    # {bad}\n    found = '''{bad}'''\n    return found\n"
    rows = [
        ("tool", 3, {"call": 0, "tool": bad, "receiver": drawn.patch((5, 5, 90, 60), bad), "arguments": {bad: bad}}),
        ("tool_result", 3, {"call": 0, "tool": bad, "ok": True, "result": drawn.listed([drawn.patch((9, 9, 50, 50), bad), bad])}),
        ("line", 3, {"changed": {bad: bad}}),
        ("print", 3, {"text": bad}),
        ("exception", 3, {"type": bad, "message": bad, "handled": True}),
        ("end", 0, {"ok": True, "answer": bad, "steps": 3, "tool_calls": 1}),
    ]  # fmt: skip
    events = tuple(drawn.TraceEvent(seq, kind, line, 0, payload) for seq, (kind, line, payload) in enumerate(rows))
    told = f"{bad}. Thus, {bad} at 1 2 300 400."
    task = Task(HOSTILE_ID, "s", "train", digest, bad, (bad,), "choice", (bad, "b"), bad)
    more.task(task, [(source, events)] * 5, told, bad)
    gone = Task(BROKEN_ID, "s", "train", "0" * 64, "Where is the picture?", ("2",), "integer")
    more.task(gone, [(drawn.program_for("dog"), drawn.events_of("dog", [(1, 2, 30, 40)], (640, 480)))] * 5)
    endless = Task(LONG_ID, "s", "train", digest, "How long is it?", ("9",), "integer")
    more.task(endless, [("i = 0\n" * 9, drawn.loop_events(2000, (640, 480)))] * 5)
    more.project.close()
    running = server.bind(Pages(folder), 0)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running.url
    running.shutdown()
    running.server_close()
    thread.join()


def address(site: str, page: str, some_id: str) -> str:
    return f"{site}{page}?id={quote(some_id, safe='')}"


CONTRAST = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const lum = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const over = (top, below) => { const a = top[3] ?? 1; return [0, 1, 2].map((i) => top[i] * a + below[i] * (1 - a)); };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || node.closest("svg, script, noscript, .hidden-text") || !node.offsetParent || node.disabled) continue;
    const chain = []; let opacity = 1;
    for (let at = node; at; at = at.parentElement) { chain.unshift(at); opacity *= Number(getComputedStyle(at).opacity); }
    let ground = [255, 255, 255];
    for (const at of chain) { const c = parse(getComputedStyle(at).backgroundColor); ground = over(c.length > 3 ? c : [...c, 1], ground); }
    const ink = parse(getComputedStyle(node).color);
    const seen = over([...ink.slice(0, 3), (ink[3] ?? 1) * opacity], ground);
    const [a, b] = [lum(seen), lum(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push([node.className || node.tagName, walk.currentNode.textContent.trim().slice(0, 30), ratio.toFixed(2)]);
  }
  return bad;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_and_can_be_read(visit, site: str, path: str, width: int, theme: str) -> None:
    errors: list[str] = []
    page = visit(site, width, theme)
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site + path)
    if path.startswith("trace"):
        page.wait_for_selector("[aria-current=step]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth).length") == 0
    assert errors == []


@pytest.mark.parametrize("page_name", ["", "questions", "question", "trace"])
def test_hostile_text_stays_text(visit, site: str, page_name: str) -> None:
    opened = {"": site, "questions": f"{site}questions?words=img"}.get(page_name)
    some_id = HOSTILE_ID if page_name == "question" else f"t0-{HOSTILE_ID}"
    page = visit(opened or address(site, page_name, some_id))
    if page_name == "trace":
        page.wait_for_selector("[aria-current=step]")
        for _ in range(7):
            page.keyboard.press("ArrowRight")
            page.locator("[data-detail] summary").click()
    if page_name:
        assert 'onerror="window.hacked=1"' in page.inner_text("main")
    assert page.locator("img[onerror], [onerror]").count() == 0
    page.wait_for_timeout(100)  # a broken picture's handler would run after the load
    assert page.evaluate("window.hacked") is None


def test_arrows_walk_the_steps_and_the_address_follows(visit, site: str) -> None:
    page = visit(f"{site}trace?id=t0-{COUNT}&step=0")
    page.wait_for_selector("[aria-current=step]")
    count = page.locator("[data-count]")
    assert count.inner_text().startswith("Step 1 of 7")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert count.inner_text().startswith("Step 3 of 7")
    page.keyboard.press("ArrowLeft")
    assert page.url.endswith("step=1")
    page.reload()
    page.wait_for_selector("[aria-current=step]")
    assert count.inner_text().startswith("Step 2 of 7")
    page.keyboard.press("End")
    assert page.locator("[data-detail] h3").inner_text() == "The answer"
    page.keyboard.press("ArrowRight")
    assert count.inner_text().startswith("Step 7 of 7")
    page.keyboard.press("Home")
    assert count.inner_text().startswith("Step 1 of 7")


def test_a_tool_step_shows_its_boxes_where_they_are(visit, site: str) -> None:
    page = visit(f"{site}trace?id=t0-{COUNT}")
    page.wait_for_selector("[aria-current=step]")
    scene = drawn.make_scene("train", 3)
    noun = scene.objects[3 % len(scene.objects)].category
    wanted = sorted(tuple(round(v) for v in o.box.as_tuple()) for o in scene.objects if o.category == noun)
    rects = page.eval_on_selector_all(
        ".overlay rect.result",
        "all => all.map(r => ['x', 'y', 'width', 'height'].map(a => Number(r.getAttribute(a))))",
    )
    assert sorted((x, y, x + w, y + h) for x, y, w, h in rects) == wanted
    assert page.locator("[data-detail] h3").inner_text() == "find"
    assert "batch of 4" in page.inner_text("[data-detail]")
    drawn_line = page.locator("[data-code] li.now")
    assert f'find("{noun}")' in drawn_line.inner_text()


def test_lines_that_never_ran_are_marked(visit, site: str) -> None:
    page = visit(f"{site}trace?id=t0-{COUNT}")
    page.wait_for_selector("[aria-current=step]")
    assert "never" in page.locator("[data-code] li").nth(6).get_attribute("class")
    assert "ran" in page.locator("[data-code] li").nth(7).get_attribute("class")


def test_a_failed_trace_opens_where_it_failed(visit, site: str) -> None:
    page = visit(f"{site}trace?id=t3-{COUNT}")
    page.wait_for_selector("[aria-current=step]")
    assert "no detector knows 'gizmo'" in page.inner_text("[data-detail]")
    assert 'find("gizmo")' in page.locator("[data-code] li.failed").inner_text()
    assert page.get_attribute("[aria-current=step]", "class") == "error"


def test_brackets_go_to_the_other_programs(visit, site: str) -> None:
    page = visit(f"{site}trace?id=t0-{COUNT}")
    page.wait_for_selector("[aria-current=step]")
    with page.expect_navigation():
        page.keyboard.press("]")
    assert "program 2 of 5" in page.inner_text("main")


def test_a_rationales_box_lights_up_on_the_picture(visit, site: str) -> None:
    page = visit(f"{site}question?id={COUNT}")
    button = page.locator(".where").first
    _, xmin, _, xmax = map(int, button.get_attribute("data-box").split())
    button.hover()
    x, width = page.eval_on_selector(".overlay rect.result", "r => [r.x.baseVal.value, r.width.baseVal.value]")
    assert x == pytest.approx(xmin / 999 * 640, abs=0.01)
    assert width == pytest.approx((xmax - xmin) / 999 * 640, abs=0.01)


def test_a_long_trace_stays_light(visit, site: str) -> None:
    began = time.monotonic()
    page = visit(address(site, "trace", f"t0-{LONG_ID}"))
    page.wait_for_selector("[aria-current=step]")
    assert time.monotonic() - began < 5
    page.keyboard.press("End")
    assert page.locator("[data-count]").inner_text().startswith("Step 2001 of 2001")
    assert page.evaluate("document.querySelectorAll('*').length") < 5000


def test_a_missing_picture_is_said(visit, site: str) -> None:
    page = visit(address(site, "trace", f"t0-{BROKEN_ID}"))
    page.wait_for_selector("[aria-current=step]")
    assert "is missing or broken" in page.inner_text("[data-stage]")
    assert "000000000000" in page.inner_text("[data-stage]")


def test_filters_narrow_the_list_and_say_so(visit, site: str) -> None:
    page = visit(f"{site}questions?family=count")
    assert page.locator(".rows li").count() == 20
    assert "20 of " in page.inner_text("main")
    page.fill("input[type=search]", "no such words")
    page.click("text=Show")
    page.wait_for_selector("text=Nothing matches")
    page.click("main >> text=Show all")
    page.wait_for_selector(".rows li")
    assert page.locator(".rows li").count() == 50


def test_every_question_is_on_one_page_or_the_next(visit, site: str) -> None:
    page = visit(f"{site}questions")
    first = page.eval_on_selector_all(".row", "all => all.map(r => r.href)")
    page.click("text=Next 50")
    page.wait_for_selector("text=First page")
    second = page.eval_on_selector_all(".row", "all => all.map(r => r.href)")
    total = int(page.inner_text("main [aria-live]").split()[0])
    assert len(first) == 50
    assert len(second) == total - 50
    assert not set(first) & set(second)


def test_the_readers_theme_is_kept(visit, site: str) -> None:
    page = visit(site, theme="light")
    page.click("[data-toggle-theme]")
    page.goto(f"{site}questions")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_overview_adds_up(visit, site: str) -> None:
    page = visit(site)
    questions = page.inner_text("h1").split()[0]
    kept = page.locator(".figure", has_text="yield").inner_text()
    shown = page.locator(".way li", has_text="traces kept").inner_text()
    assert f": {shown.split()[0]} of {questions}" in kept
    ends = page.eval_on_selector_all(".split > div:last-child td.number", "all => all.map(e => Number(e.textContent))")
    assert sum(ends) == 5 * int(questions)
