"""Multihop questions over linked pages: planted errors are caught, good ones have provenance."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from finished_project import finished_project
from PIL import Image

from workbench.boxes import Box
from workbench.errors import ImageError, InputError, ProfileError
from workbench.pipeline import synthesizing
from workbench.pipeline.documents import documents
from workbench.pipeline.synthesizing import synthesize
from workbench.recipes.ports import Document, ReadsDocuments, SynthesizedQuestion
from workbench.recipes.searching import found_by, names_text
from workbench.recipes.synthesizer.multihop_qa import MultihopQa, things_in
from workbench.records import Region
from workbench.store import Project

PICTURE = Region("shelf", 100, 80, Box(0, 0, 100, 80))


def page(name: str, **changes: Any) -> Document:
    return replace(Document(name, name.capitalize(), f"{name} page", {}, (), ()), **changes)


def world() -> dict[str, Document]:
    """A shelf whose page leads to cups and clocks, with prices of both."""
    return {
        "shelf": page("shelf", text="A cup or a clock stands there.", links=("cup", "clock"), pictures=(PICTURE,)),
        "cup": page("cup", text="A cup. price: 5 coins", facts={"price": "5 coins"}),
        "clock": page("clock", text="A clock. price: 14 coins", facts={"price": "14 coins"}),
        "sea": page("sea", text="Water"),
    }  # fmt: skip


class Room:
    """Sees what a function says; writes what it is given."""

    def __init__(self, sees: Callable[[str], str | None], writes: Sequence[str] = ()) -> None:
        self._sees, self._writes = sees, list(writes)

    def answer(self, regions: Sequence[Region], questions: Sequence[str]) -> list[str | None]:
        return [self._sees(one) for one in questions]

    def write(self, prompts: Sequence[str]) -> list[str]:
        return [self._writes.pop(0) for _ in prompts]

    def alike(self, answer: str, other: str) -> bool:
        return answer.casefold() == other.casefold()

    def open(self, digest: str) -> Image.Image:
        raise AssertionError("nobody looks")

    def keep(self, picture: Image.Image) -> Region:
        raise AssertionError("nothing is drawn")

    def plural(self, noun: str) -> str:
        return f"{noun}s"


def cup(question: str) -> str | None:
    return "a cup" if question == "What is in the picture?" else None


def made(
    pages: dict[str, Document], room: Room | None = None, **arguments: Any
) -> list[SynthesizedQuestion]:
    return list(MultihopQa(**arguments).from_documents([*pages.values()], room or Room(cup)))


def reason(pages: dict[str, Document], room: Room | None = None, **arguments: Any) -> str:
    (one,) = made(pages, room, **arguments)
    return one.reason


def test_a_picture_and_a_page_give_a_question_with_provenance() -> None:
    assert isinstance(MultihopQa(), ReadsDocuments)
    (one,) = made(world())
    assert (one.reason, one.answer, one.picture) == ("", "5 coins", "shelf")
    assert one.question == (
        "Cup: price 5 coins. Clock: price 14 coins. What is the price of the thing in the picture?"
    )
    assert one.origin.task_id == "page shelf"
    assert one.facts == {
        "page": "shelf",
        "looks": ["a cup"] * 5,
        "shows": "a cup",
        "about": "cup",
        "key": "price",
        "alone": None,
        "search": ["cup", "clock", "shelf"],
    }
    (bare,) = made(world(), context=False)
    assert bare.question == "What is the price of the thing in the picture?"


def test_planted_errors_are_refused() -> None:
    pages = world()
    looks = iter(["a cup", "a clock", "a cup", "a hat", None])
    assert reason(pages, Room(lambda _: next(looks))) == "its looks disagree: 2 of 5 say one thing"
    assert reason(pages, Room(lambda _: "a whale")) == (
        "no page that its page links to is about what it shows"
    )
    assert reason(pages, Room(lambda _: "a cup and a clock")) == (
        "it shows things of several linked pages"
    )
    no_facts = {**pages, "cup": replace(pages["cup"], facts={})}
    assert reason(no_facts) == "the page about what it shows has no line of facts"
    told = {**pages, "shelf": replace(pages["shelf"], text="A cup or clock for 5 coins.")}
    assert reason(told) == "the answer stands on the picture's own page"
    false = {**pages, "cup": replace(pages["cup"], text="A cup of porcelain. price")}
    assert reason(false) == "the answer does not stand on the page"
    alone = {**pages, "clock": replace(pages["clock"], facts={})}
    assert reason(alone) == "no other linked page says otherwise, so that the text alone answers it"
    same = {**pages, "clock": replace(pages["clock"], facts={"price": "5 COINS"})}
    assert reason(same) == reason(alone)
    priced = Room(lambda text: cup(text) or "5 coins")
    assert reason(pages, priced) == "the picture alone answers it"
    far = {f"cup{at}": page(f"cup{at}", text="cup price price of the thing") for at in range(9)}
    hidden = {**pages, "shelf": replace(pages["shelf"], text="Wood.", title="Wall"), **far}
    assert reason(hidden, search=2) == "a search does not bring up both of its pages"


def test_what_a_model_writes_is_judged_like_the_rest() -> None:
    pages = world()
    good = Room(cup, ["What does the thing in the picture cost?\nAnd so on"])
    (one,) = made(pages, good, language="own")
    assert one.question.endswith("14 coins. What does the thing in the picture cost?")
    assert one.reason == ""
    names = Room(cup, ["What does the cup cost?"])
    assert reason(pages, names, language="own").startswith("the question names what the picture")
    assert (
        reason(pages, Room(cup, ["It costs 5."]), language="own") == "what was written asks nothing"
    )
    assert reason(pages, Room(cup, [""]), language="own") == "what was written asks nothing"


def test_pages_that_could_not_be_read_are_rows_of_their_own() -> None:
    pages = {**world(), "bad": page("bad", unread=("a picture cannot be read: no picture at x",))}
    first, second = made(pages)
    assert first.reason == ""
    assert (second.reason, second.origin.task_id) == (pages["bad"].unread[0], "page bad")


def test_words_by_hand() -> None:
    assert things_in("A cup, the clock and one hat.") == {"cup", "clock", "hat"}
    assert names_text("5 coins", "it costs 5 Coins.")
    assert not names_text("5 coins", "it costs 15 coins")
    assert not names_text("", "anything")
    pages = [page("a", text="rare common"), page("b", text="common"), page("c", text="other")]
    assert found_by("rare common", pages, 5) == ["a", "b"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [({"folder": ""}, "folder as text"), ({"looks": 0}, "looks as a whole number from 1"), ({"looks": 21}, "looks at most 20 times"),
     ({"majority": 0}, "a majority above 0"), ({"search": 1}, "search as a whole number from 2"),
     ({"context": "yes"}, "context as true or false")],
)  # fmt: skip
def test_wrong_arguments_are_told(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ProfileError, match=text):
        MultihopQa(**arguments)


# the pages of a folder


class Shelf:
    """Keeps no picture but those that there are."""

    def keep_file(self, path: Path) -> Region:
        if not path.is_file():
            raise ImageError(f"no picture at {path.name}; check the path")
        return Region(path.stem, 10, 10, Box(0, 0, 10, 10))


def test_pages_are_read_with_links_facts_pictures_and_what_is_amiss(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "# The *first*\nSee [cup](b.md#top), [home](https://x.y), [gone](c.md) and [a](a.md).\n"
        "![seen](one%20two.png) ![not there](no.png)\n- Price: 5 coins\n* made of:  clay \nnote:\n"
    )
    (tmp_path / "b.md").write_text("no heading")
    (tmp_path / "odd.md").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "one two.png").touch()
    first, second, odd = documents(str(tmp_path), Shelf())
    assert (first.title, first.links) == ("The *first*", ("b",))
    assert first.facts == {"price": "5 coins", "made of": "clay"}
    assert [one.image for one in first.pictures] == ["one two"]
    assert first.unread == (
        "it leads to c.md, which is no page of the folder",
        "a picture cannot be read: no picture at no.png; check the path",
    )
    assert "cup" in first.text
    assert "seen" not in first.text
    assert (second.title, second.pictures) == ("b", ())
    assert odd.unread[0].startswith("the page cannot be read")
    with pytest.raises(InputError, match="expected a folder of Markdown files"):
        documents(str(tmp_path / "nowhere"), Shelf())


def test_a_page_shows_nothing_from_outside_of_its_folder(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (tmp_path / "private.png").touch()
    (pages / "link.png").symlink_to(tmp_path / "private.png")
    (tmp_path / "private.md").write_text("# private")
    (pages / "b.md").symlink_to(tmp_path / "private.md")
    outside = ("../private.png", str(tmp_path / "private.png"), "link.png")
    places = (*outside, "%00.png", "/dev/zero")
    (pages / "a.md").write_text("\n".join(f"![x]({place})" for place in places))
    page, linked = documents(str(pages), Shelf())
    assert not page.pictures
    assert page.unread == (
        *(f"it shows {place}, which is outside of the folder" for place in outside),
        "it shows '\\x00.png', which is no file",
        "it shows '/dev/zero', which is no file",
    )
    assert linked.text == ""
    assert linked.unread == ("the page cannot be read: b.md is no file of the folder",)


# in a project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(finished_project(tmp_path)) as opened:
        yield opened


def test_pages_become_tasks_of_a_project_and_refusals_rows(
    monkeypatch: pytest.MonkeyPatch, project: Project, tmp_path: Path
) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    shutil.copy(next((tmp_path / "drawn").rglob("*.png")), pages / "shelf.png")
    links = "[yes](yes.md) or [no](no.md) or [0](n0.md) or [1](n1.md)"
    (pages / "shelf.md").write_text(f"# Shelf\n{links}\n![it](shelf.png)\n![lost](lost.png)\n")
    for at, title in enumerate(("yes", "no", "0", "1")):
        name = f"n{title}" if title.isdecimal() else title
        (pages / f"{name}.md").write_text(
            f"# {title}\nThis is {title}.\n- price: {at + 40} coins\n"
        )
    said = lambda room, regions, texts: ["no" if "show" in one else None for one in texts]  # noqa: E731
    monkeypatch.setattr(synthesizing._Room, "answer", said)
    before = project.count_tasks()
    report = synthesize(project, "multihop_qa", {"folder": str(pages), "ask": "What does it show?"})
    assert report.candidates == report.added + report.present + sum(report.refused.values())
    assert any("a picture cannot be read" in one for one in report.refused)
    assert (project.count_tasks(), report.added) == (before + 1, 1)
    (one, *_) = [
        task
        for task in project.tasks([row.task_id for row in project.outcomes()])
        if task.source == "multihop_qa"
    ]
    assert (one.answers, one.split, one.meta["from_question"]) == (
        ("41 coins",),
        "train",
        "page shelf",
    )
    assert one.question.startswith("yes: price 40 coins. no: price 41 coins.")
    again = synthesize(project, "multihop_qa", {"folder": str(pages), "ask": "What does it show?"})
    assert (again.added, again.present) == (0, report.added)


def test_the_bundled_pages_lead_to_one_another() -> None:
    pages = {one.name: one for one in documents("bundled", Shelf())}
    assert not [one for page in pages.values() for one in page.unread]
    window = pages["window"]
    assert len(window.pictures) == 2
    priced = [pages[name].facts["price"] for name in window.links if "price" in pages[name].facts]
    assert len(set(priced)) == len(priced) > 1
