"""ReviewQueue's page in a real browser with the real widget behind it; only the wire between them is
the test's own, so that a save can be kept waiting.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import page_project
import pytest
from servers import sync_api

pytest.importorskip("anywidget", reason="make lab installs what notebooks need")

from workbench.store import Project
from workbench.widgets import ReviewQueue

pytestmark = pytest.mark.browser

WIRE = """
const listeners = {};
const emit = (name, ...values) => (listeners[name] ?? []).forEach((work) => work(...values));
const state = await start();
state.picture = new DataView(Uint8Array.from(atob(state.picture), (c) => c.charCodeAt(0)).buffer);
window.open_gate = null;
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; },
  on: (name, work) => { (listeners[name] ??= []).push(work); },
  off: (name, work) => { listeners[name] = (listeners[name] ?? []).filter((one) => one !== work); },
  save_changes: () => {},
  send: async (content) => {
    await new Promise((go) => { window.open_gate = go; });
    const { changed, reply } = await kernel(content);
    delete changed.picture;
    Object.assign(state, changed);
    for (const name of Object.keys(changed)) emit(`change:${name}`);
    emit("msg:custom", reply);
  },
};
widget.render({ model, el: document.body });
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_project.build(tmp_path_factory.mktemp("queue") / "p", scenes=6)


@pytest.fixture
def queue(built: Path, tmp_path: Path) -> Iterator[ReviewQueue]:
    with Project.open(Path(shutil.copytree(built, tmp_path / "p"))) as project:
        opened = ReviewQueue(project, name="ann")
        yield opened
        opened.close()


@pytest.fixture
def page(queue: ReviewQueue, browser: sync_api.Browser) -> Iterator[sync_api.Page]:
    """The widget's own script and styles, in a page as low as a laptop's window."""

    def kernel(content: dict[str, Any]) -> dict[str, Any]:
        replies: list[Any] = []
        queue.send = replies.append  # type: ignore[method-assign]
        before = queue.get_state()
        queue._received(queue, content, [])
        after = queue.get_state()
        changed = {name: value for name, value in after.items() if value != before.get(name)}
        changed.pop("picture", None)
        return {"changed": changed, "reply": replies[-1]}

    def start() -> dict[str, Any]:
        state = {name: value for name, value in queue.get_state().items() if name[0] != "_"}
        return {**state, "picture": base64.b64encode(bytes(queue.picture)).decode()}

    context = browser.new_context(viewport={"width": 1100, "height": 620})
    opened = context.new_page()
    opened.expose_function("kernel", kernel)
    opened.expose_function("start", start)
    opened.add_style_tag(content=ReviewQueue._css)
    script = str(ReviewQueue._esm).replace("export default", "const widget =")
    opened.add_script_tag(type="module", content=f"{script}\n{WIRE}")
    opened.locator(".vw-question").wait_for()
    yield opened
    context.close()


def reply(page: sync_api.Page) -> None:
    """Let the save that waits go on."""
    page.wait_for_function("() => window.open_gate !== null")
    page.evaluate("() => { const go = window.open_gate; window.open_gate = null; go(); }")


def kinds(queue: ReviewQueue) -> list[str]:
    return [one.kind for one in reversed(queue._project.curation.events(author="ann"))]


def test_the_verdict_bar_is_seen_without_scrolling(page: sync_api.Page) -> None:
    for name in ("Accept", "Reject", "Skip", "Undo"):
        sync_api.expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    assert page.evaluate("() => scrollY") == 0


def test_keys_pressed_while_saving_are_for_the_question_that_comes_next(
    page: sync_api.Page, queue: ReviewQueue
) -> None:
    question = page.locator(".vw-question")
    first = question.inner_text()
    page.locator(".vw").focus()
    for key in ("s", "r", "5", "a"):
        page.keyboard.press(key)
    sync_api.expect(page.locator(".vw-bar")).to_contain_text("saving… 3 keys wait")
    assert question.inner_text() == first
    reply(page)
    reply(page)
    reply(page)
    sync_api.expect(page.locator(".vw-bar")).to_contain_text("3 decided here")
    stored = queue._project.curation.events(author="ann")
    assert sorted(one.kind for one in stored) == ["accept", "reject", "skip"]
    assert len({one.task_id for one in stored}) == 3
    assert next(one.reason for one in stored if one.kind == "reject") == "ambiguous"


def test_what_is_typed_for_a_note_while_saving_decides_nothing(
    page: sync_api.Page, queue: ReviewQueue
) -> None:
    page.locator(".vw").focus()
    for key in ("s", "n", "a", "s"):
        page.keyboard.press(key)
    reply(page)
    sync_api.expect(page.get_by_label("Note")).to_be_focused()
    sync_api.expect(page.locator(".vw-bad")).to_contain_text("2 keys pressed meanwhile")
    assert kinds(queue) == ["skip"]


def test_keys_behind_a_decision_that_was_not_stored_do_nothing(
    page: sync_api.Page, queue: ReviewQueue
) -> None:
    page.locator(".vw").focus()
    page.keyboard.press("u")  # there is nothing to take back
    page.keyboard.press("a")
    reply(page)
    sync_api.expect(page.locator(".vw-bad")).to_contain_text("The key pressed meanwhile")
    assert kinds(queue) == []
