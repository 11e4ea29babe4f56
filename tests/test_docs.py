"""What README and docs show works as it stands there."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import command_pages
import pytest
import typer

from workbench import registry
from workbench.cli import app
from workbench.execute import Executor
from workbench.images import ImageFolder
from workbench.records import PartRef, Program, Task
from workbench.settings import read_profile
from workbench.tasks.folder import Folder

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {
    path.name if path.parent == ROOT else f"docs/{path.name}": path.read_text(encoding="utf-8")
    for path in PAGES
}


def blocks(language: str) -> list[tuple[str, str]]:
    """Every code block of a language in README and docs, each with its page."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [(page, body) for page, text in TEXTS.items() for body in fence.findall(text)]


def block(language: str, part: str) -> str:
    """The only code block of that language that contains a text."""
    bodies = [body for _, body in blocks(language) if part in body]
    assert len(bodies) == 1, f"one block of {language} with {part!r}"
    return bodies[0]


def command_lines() -> list[str]:
    """Every call of vpd in a shell block, without its comment, with continued lines joined."""
    joined = [body.replace("\\\n", " ") for _, body in blocks("sh")]
    calls = [call for body in joined for line in body.splitlines() for call in line.split(";")]
    return sorted({call.partition("#")[0].strip() for call in calls if call.startswith("vpd ")})


def shell_words(call: str) -> list[str]:
    return shlex.split(call)[1:]


def test_the_tool_runs_in_a_program(tmp_path: Path, picture: Path) -> None:
    (tmp_path / "tools.py").write_text(block("python", "Brightness"))
    tool = registry.build("tool", f"{tmp_path / 'tools.py'}:Brightness")
    images = ImageFolder(tmp_path / "images")
    task = Task("q", "s", "mine", images.add(picture), "How bright is it?")
    source = "def execute_command(image):\n    return formatting_answer(ImagePatch(image).brightness() > 0.5)\n"
    program = Program("p", "q", 0, source, 0.0, 0, 0, PartRef("sampler", "by-hand"))
    with Executor([tool], images, workers=1) as executor:
        assert ".brightness() float" in executor.api.prompt("compact")
        (trace,) = executor.run([(task, program)])
        (dark,) = executor.run(
            [(task, replace(program, id="d", source=source.replace("> 0.5", "< 0.5")))]
        )
    assert (trace.failure, trace.answer, dark.answer) == (None, "yes", "no")


def test_the_profile_is_one(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_text(block("toml", "sampler"))
    profile = read_profile(path)
    for role in ("sampler", "verifier", "writer", "student"):
        assert getattr(profile, role).part in registry.parts(role)
    assert all(choice.part in registry.parts("tool") for choice in profile.tools.values())


def test_the_questions_import(tmp_path: Path, picture: Path) -> None:
    rows = block("json", "question")
    (tmp_path / "images").mkdir()
    for name in re.findall(r'"image": "([^"]+)"', rows):
        (tmp_path / "images" / name).write_bytes(picture.read_bytes())
    (tmp_path / "questions.jsonl").write_text(rows)
    source = Folder(tmp_path)
    assert [task.answers for task in source.tasks()] == [("2",), ("car",), ()]
    assert list(source.bad) == []


def options_of(words: list[str]) -> tuple[str, set[str]]:
    """The command that the words name, and the options that it takes."""
    command = typer.main.get_command(app)
    path = ["vpd"]
    while words and words[0] in (inner := getattr(command, "commands", {})):
        command = inner[words[0]]
        path.append(words.pop(0))
    names = {name for parameter in command.params for name in parameter.opts}
    names |= {name for parameter in command.params for name in parameter.secondary_opts}
    return " ".join(path), names | {"-h", "--help"}


@pytest.mark.parametrize("call", command_lines())
def test_a_command_exists_with_its_options(call: str) -> None:
    words = shell_words(call)
    command, options = options_of(words)
    assert command != "vpd" or words[0].startswith("-"), f"vpd has no command '{words[0]}'"
    if command not in PASSED_ON:
        strange = {word.partition("=")[0] for word in words if word.startswith("-")} - options
        assert strange == set(), f"{command} does not have these options"


PASSED_ON = ("vpd bench", "vpd make-models")
"""Commands whose options belong to another module's command."""


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert options_of(["jobs", "list", "--json"])[0] == "vpd jobs list"
    assert options_of(["no-such-command"])[0] == "vpd"
    assert "--no-such-option" not in options_of(["run"])[1]


def test_commands_are_the_help_texts() -> None:
    assert TEXTS["docs/commands.md"] == command_pages.page(), "write the page again: make docs"


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", TEXTS[page])
    gone = [link for link in links if "://" not in link and not (folder / link).exists()]
    assert gone == []


def test_every_page_is_in_the_index() -> None:
    index = TEXTS["docs/README.md"]
    pages = [path.name for path in PAGES[1:] if path.name != "README.md"]
    assert [name for name in pages if f"]({name})" not in index] == []


def test_the_readme_is_short() -> None:
    assert TEXTS["README.md"].count("\n") <= 150
