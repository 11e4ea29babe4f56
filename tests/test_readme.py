"""What the README shows works as it stands there."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench import registry
from workbench.cli import app
from workbench.execute import Executor
from workbench.images import ImageFolder
from workbench.records import PartRef, Program, Task
from workbench.settings import read_profile
from workbench.tasks.folder import Folder

TEXT = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")


def block(language: str, holding: str) -> str:
    """The code block of that language that holds a text."""
    found = [
        body for body in re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL) if holding in body
    ]
    assert len(found) == 1, f"one block of {language} with {holding!r}"
    return found[0]


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


@pytest.mark.parametrize("command", sorted(set(re.findall(r"^vpd ([a-z-]+)", TEXT, re.MULTILINE))))
def test_every_command_exists_with_its_options(command: str) -> None:
    shown = CliRunner().invoke(
        app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    )
    assert shown.exit_code == 0, f"vpd {command}: {shown.output}"
    for line in re.findall(rf"^vpd {command} (.*)$", TEXT, re.MULTILINE):
        for option in re.findall(r"(--[a-z]+)", line.partition("#")[0]):
            assert option in shown.output, f"vpd {command} has no {option}"
