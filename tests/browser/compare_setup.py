"""What the tests of Compare share: a project whose sampler and student speak, a server over it, and
what one does on the page.
"""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from servers import Running, serve, sync_api
from small_parts import profile_text

from workbench.pipeline.loop import run
from workbench.records import Decision
from workbench.settings import Choice
from workbench.store import Project

HERE = Path(__file__).resolve().parent
Visit = Callable[..., sync_api.Page]


def make(folder: Path, **changes: str) -> Path:
    """A project of red squares, run with the parts that speak."""
    parts = {
        "sampler": f'{{ part = "{HERE}/speaking_parts.py:Talker" }}',
        "student": f'{{ part = "{HERE}/speaking_parts.py:Teller" }}',
    }
    # An endless program has to outlast the opening of a second page on a busy machine.
    (folder / "talk.toml").write_text(
        profile_text(**{**parts, **changes}) + "\n[limits]\nsteps = 1_000_000\nseconds = 60\n"
    )
    source = Choice(f"{HERE.parent / 'small_parts.py'}:Squares", {"root": str(folder / "drawn")})
    with Project.create(folder / "p", str(folder / "talk.toml"), source) as made:
        run(made)
    return folder / "p"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "p"))


@pytest.fixture(scope="module")
def running(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running") / "p"
    with serve(Path(shutil.copytree(made, folder))) as running:
        yield running


BEFORE: set[str] = set()
"""Decisions of the tests before this one."""


@pytest.fixture
def site(running: Running) -> Iterator[Running]:
    """A server that a file's tests share: `events` gives what was decided since the test began."""
    BEFORE.update(one.id for one in running.site.project.curation.events(limit=10_000))
    yield running
    BEFORE.clear()


@pytest.fixture
def alone(folder: Path) -> Iterator[Running]:
    """A server of one's own, where nobody asked or voted before."""
    with serve(folder) as running:
        yield running


def ask(page: sync_api.Page, words: str | None = None) -> None:
    if words is not None:
        page.locator("[data-question]").fill(words)
    page.get_by_role("button", name="Ask", exact=True).click()


def side(page: sync_api.Page, name: str) -> sync_api.Locator:
    return page.locator(f".side.{name}")


def done(page: sync_api.Page, name: str, state: str = "done") -> None:
    sync_api.expect(side(page, name).locator("header .state")).to_have_text(state)


def both(page: sync_api.Page) -> None:
    done(page, "pipeline")
    done(page, "student")


def events(site: Running, kind: str) -> list[Decision]:
    every = site.site.project.curation.events(limit=10_000)
    return [one for one in every if one.kind == kind and one.id not in BEFORE]


def task_of(site: Running) -> str:
    """A counting question whose label is not 7."""
    found = site.site.project.browse_ids("student:wrong family:count right>=1")
    return found[0]


def opened(visit: Visit, site: Running, width: int = 1440, theme: str = "light") -> sync_api.Page:
    page = visit(f"{site.url}compare?task={task_of(site)}", width, theme)
    sync_api.expect(side(page, "pipeline").locator("img")).to_be_visible()
    return page


def png(size: tuple[int, int] = (60, 40), noise: bool = False) -> bytes:
    held = io.BytesIO()
    picture = Image.new("RGB", size, (200, 20, 20))
    if noise:  # a file of more than 20 MB, where it has enough pixels
        picture = Image.frombytes("RGB", size, random.Random(0).randbytes(3 * size[0] * size[1]))
    picture.save(held, "PNG", compress_level=1)
    return held.getvalue()
