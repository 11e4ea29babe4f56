"""The step player in anybody's Blocks, and Compare as a Gradio interface, in a real browser."""

# ruff: noqa: F811 - fixtures that are imported have the names of arguments

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from compare_setup import folder, made  # noqa: F401 - fixtures too
from PIL import Image
from servers import eventually, sync_api

from app.interface import compare_blocks
from app.main import free_port
from workbench.blocks import StepPlayer, played
from workbench.errors import InputError
from workbench.store import Project
from workbench.store.people.ratings import last_ratings

pytestmark = pytest.mark.browser

DOCS = Path(__file__).resolve().parents[2] / "docs" / "blocks.md"


@contextmanager
def launched(blocks: Any) -> Iterator[str]:
    _, url, _ = blocks.launch(
        prevent_thread_lock=True,
        quiet=True,
        inbrowser=False,
        share=False,
        server_port=free_port("127.0.0.1", 0),
    )
    try:
        yield url
    finally:
        blocks.close(verbose=False)


def test_the_blocks_of_the_docs_show_a_run_and_tell_its_step(
    browser: sync_api.Browser, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    assert len([line for line in code[1].splitlines() if line]) <= 20
    monkeypatch.chdir(folder.parent)
    source = code[1].replace("my-project", folder.name).replace("demo.launch()", "")
    names: dict[str, Any] = {}
    exec(source, names)
    with launched(names["demo"]) as url:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto(url)
        player = page.locator(".vpd-player")
        sync_api.expect(player.locator(".vp-canvas img")).to_be_visible()
        assert player.locator(".vp-count").inner_text().startswith("Step 2 of 4")
        player.get_by_role("button", name="Next step").click()
        sync_api.expect(page.get_by_role("textbox", name="Step", exact=True)).to_have_value(
            re.compile("^3:")
        )
        player.locator(".vp-code").click()
        page.keyboard.press("Home")
        sync_api.expect(player.locator(".vp-count")).to_contain_text("Step 1 of 4")
        page.close()
    names["project"].close()
    assert list((Path(played.__code__.co_filename).parent).glob("*.pyi")) == []


def test_a_player_takes_runs_ids_and_nothing(folder: Path) -> None:
    with Project.open(folder) as project:
        id = project.browse_ids("family:count")[0]
        run = project.task_view(id).runs[0]
        assert run.trace is not None
        player = StepPlayer(project=project)
        one = player.postprocess(run.trace.id)
        assert (
            one
            == player.postprocess(run.program.id)
            == player.postprocess(played(run.trace.id, project))
        )
        assert one is not None
        assert (one["trace"], len(one["full"])) == (run.trace.id, len(one["steps"]))
        assert one["picture"]["url"].startswith("data:image/webp;base64,")
        assert player.preprocess(one) == run.trace.id
        assert player.postprocess(None) is None
        assert player.preprocess(None) is None
        with pytest.raises(InputError, match="project="):
            StepPlayer().postprocess(run.trace.id)


def test_the_interface_answers_on_both_sides_and_stores_a_vote(
    browser: sync_api.Browser, folder: Path
) -> None:
    out = io.BytesIO()
    Image.new("RGB", (300, 200), (200, 20, 20)).save(out, "PNG")
    with Project.open(folder) as project, launched(compare_blocks(project)) as url:
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        page.goto(url)
        page.locator("input[type=file]").first.set_input_files(
            {"name": "x.png", "mimeType": "image/png", "buffer": out.getvalue()}
        )
        sync_api.expect(page.locator(".image-frame img")).to_be_visible()
        page.get_by_label("Question").fill("How many red squares are there?")
        page.get_by_role("button", name="Ask").click()
        sync_api.expect(page.get_by_label("Student: speaking_parts.py:Teller")).to_have_value("7")
        sync_api.expect(page.locator(".vpd-player .vp-canvas img")).to_be_visible()
        sync_api.expect(page.get_by_label("Program pipeline")).to_have_value(re.compile(r"^\d+$"))
        page.get_by_label("Student was better").check()
        page.get_by_role("button", name="Vote", exact=True).click()
        eventually(page, lambda: last_ratings(project.database))
        [vote] = last_ratings(project.database)
        assert (vote.author, vote.rating.preference) == ("visitor", "right")
        assert project.tasks([vote.task_id])[0].question == "How many red squares are there?"
        page.close()
