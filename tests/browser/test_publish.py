"""Published pages: what strangers see of a project, and what they never see."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import page_checks
import page_project
import pytest
from page_project import HOSTILE
from PIL import Image
from servers import sync_api
from typer.testing import CliRunner

from app.public_text import public_text
from app.publish import NAME, STEPS, Published, publish
from workbench.cli import app
from workbench.errors import InputError
from workbench.records import VISITORS, Decision, Task, TraceEvent
from workbench.store import Project

pytestmark = pytest.mark.browser

CAMERA = "camera-of-ann"
NOTE = "note-for-the-team-alone"
REVIEWER = "ann-the-reviewer"
PLACE = "/srv/secret-folder/weights.bin"
SERVER = "http://gpu-17.internal:8000/v1"

LOOP = 100
"""Rounds of a loop: more than a page shows."""


def photograph(project: Project) -> str:
    """A picture with what a camera notes in it; its digest."""
    exif = Image.Exif()
    exif[0x0110] = CAMERA  # the tag of the model
    path = project.path / "photo.jpg"
    Image.new("RGB", (300, 200), "teal").save(path, exif=exif)
    return project.images.add(path)


def failed_at(*places: str) -> tuple[TraceEvent, ...]:
    """A run whose failure names these places, where a message of a tool would."""

    def named(event: TraceEvent) -> TraceEvent:
        text = json.dumps(event.payload).replace("'dog'", f"'{' at '.join(places)}'")
        return replace(event, payload=json.loads(text))

    return tuple(map(named, page_project.events_of("dog", [], (300, 200), fails=True)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whatever people or models wrote is hostile, and much of it is nobody's business."""
    folder = tmp_path_factory.mktemp("publish") / "p"
    with page_project.new_project(folder) as writer:
        digest = photograph(writer.project)
        right = page_project.events_of(HOSTILE, [(10, 10, 200, 160)], (300, 200))
        broken = failed_at(PLACE, SERVER)
        loop = page_project.loop_events(LOOP, (300, 200))
        source = f"# {HOSTILE}\n{page_project.program_for('dog')}"
        decided = []
        for at, origin in enumerate(("collages", "collages", VISITORS)):
            asked = f"{HOSTILE} how many?" if origin == "collages" else "a stranger's own question"
            name = f"{origin}/{at}{HOSTILE}"
            task = Task(name, origin, origin, digest, asked, ("1",), "integer", family="count")
            runs = [(source, right), (source, broken), ("loop = True", loop)]
            runs += [(source, right), (source, broken)]
            told = f"There is one {HOSTILE}. Thus, it is 1."
            decided.append((name, writer.task(task, runs, told, HOSTILE, store=False)))
        writer.write()
        event = Decision("event-00001", "accept", REVIEWER, "curator", *decided[0], text=NOTE)
        writer.project.curation.decide([event])
    return folder


@pytest.fixture(scope="module")
def site(project: Path) -> tuple[Path, Published]:
    with Project.open(project) as opened:
        return project.parent / "site", publish(opened, project.parent / "site")


def texts(folder: Path) -> dict[str, str]:
    """All pages by name, without the charts' library, which is a stranger's text."""
    pages = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}
    pages["report.html"] = re.sub(r"(?s)<script>.*?</script>", "", pages["report.html"])
    return pages


def test_strangers_see_no_reviewer_note_path_server_or_visitor(
    project: Path, site: tuple[Path, Published]
) -> None:
    pages = texts(site[0])
    assert sorted(pages) == ["00001.html", "00002.html", "index.html", "report.html"]
    for name, page in pages.items():
        for private in (
            REVIEWER,
            NOTE,
            PLACE,
            SERVER,
            str(project),
            "own question",
            "secret-folder",
        ):
            assert private not in page, (name, private)
    assert "no detector knows &#39;… at …&#39;" in pages["00001.html"], "the message itself stays"


def test_a_picture_is_written_anew(project: Path, site: tuple[Path, Published]) -> None:
    assert CAMERA.encode() in (project / "photo.jpg").read_bytes()
    (data,) = re.findall(r"data:image/webp;base64,([\w+/=]+)", texts(site[0])["00001.html"])
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert picture.size == (300, 200)
    assert not picture.getexif()


def test_what_is_too_much_is_counted(site: tuple[Path, Published]) -> None:
    folder, published = site
    said = json.loads((folder / NAME).read_text())
    assert (said["questions"], said["of"]) == (2, 2)
    assert said["left_out"] == published.left_out == {"steps": 2 * (LOOP + 1 - STEPS)}
    assert said["bytes"] == sum(path.stat().st_size for path in folder.rglob("*.html"))


def test_pages_in_a_browser_are_read_alone_and_run_nothing_foreign(
    browser: sync_api.Browser, site: tuple[Path, Published]
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 900}, color_scheme="dark")
    asked: list[str] = []
    said: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("console", lambda message: said.append(message.text))
    page = context.new_page()
    page.goto((site[0] / "index.html").as_uri())
    assert page.locator(".list li").count() == 2
    page_checks.check_every_width(page)
    page.locator(".list a").first.click()
    assert HOSTILE in page.locator("h1").inner_text()
    assert page.locator(".program[open] .step svg.marked rect").count() >= 1, "boxes of a step"
    page_checks.check_every_width(page)
    dark = page.locator("body").evaluate("(node) => getComputedStyle(node).backgroundColor")
    page.get_by_role("button", name="Light or dark").click()
    light = page.locator("body").evaluate("(node) => getComputedStyle(node).backgroundColor")
    assert (dark, light) == ("rgb(20, 22, 26)", "rgb(250, 248, 244)")
    page.get_by_role("link", name="Next").click()
    page.get_by_role("link", name="Report").click()
    sync_api.expect(page.locator("[data-chart=pass_at_k] .main-svg").first).to_be_visible()
    assert page.evaluate("window.hacked") is None
    context.close()
    assert said == []
    assert [url[:80] for url in asked if not url.startswith(("file:", "data:"))] == []


def test_pages_that_are_not_finished_leave_the_earlier_ones(
    project: Path, site: tuple[Path, Published]
) -> None:
    before = texts(site[0])

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with Project.open(project) as opened, pytest.raises(KeyboardInterrupt):
        publish(opened, site[0], progress=stop)
    assert texts(site[0]) == before
    assert sorted(path.name for path in site[0].parent.iterdir()) == ["p", "site"]


def test_the_command_replaces_its_own_pages_alone(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.txt").write_text("years of work")
    words = ["publish", "-p", str(project), "--limit", "1", "--search", "family:count"]
    refused = CliRunner().invoke(app, [*words, str(other)])
    assert refused.exit_code == 2
    assert "has other files in it" in refused.output
    assert [path.name for path in other.iterdir()] == ["chapter.txt"]
    for _ in range(2):
        done = CliRunner().invoke(app, [*words, str(tmp_path / "site")])
        assert done.exit_code == 0, done.output
        assert "1 more questions were left out" in done.output
    assert sorted(path.name for path in (tmp_path / "site").iterdir()) == [
        "index.html",
        "published.json",
        "questions",
        "report.html",
    ]


@pytest.mark.parametrize("limit", [0, 10_001])
def test_a_limit_out_of_bounds_is_refused(project: Path, tmp_path: Path, limit: int) -> None:
    with Project.open(project) as opened, pytest.raises(InputError, match="give 1 to 10,000"):
        publish(opened, tmp_path / "site", limit=limit)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("no file /home/ann/a b", "no file … b"),
        ("asked http://gpu1:8000/v1?key=k, twice", "asked … twice"),
        ("'~/models/x' and C:\\Users\\ann\\x", "'…' and …"),
        (
            "yes/no, 3/4, and/or, 12 / 5 <b></b><extra></extra>",
            "yes/no, 3/4, and/or, 12 / 5 <b></b><extra></extra>",
        ),
    ],
)
def test_addresses_and_paths_are_left_out_and_nothing_else(text: str, public: str) -> None:
    assert public_text(text) == public
