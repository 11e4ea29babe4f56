"""What README and docs show works as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import command_pages
import paper_page
import pytest
import typer
from small_parts import profile_text
from typer.testing import CliRunner

from workbench import registry
from workbench.cli import app
from workbench.execute import Executor
from workbench.images import ImageFolder
from workbench.making.program_habits import TOOLS
from workbench.records import PartRef, Program, Task
from workbench.sample.prompt import Prompts
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


def test_a_model_that_reads_its_prompt_is_shown_the_tool(tmp_path: Path) -> None:
    """The bundled writer was taught the published functions alone, so the docs name another."""
    assert "brightness" not in TOOLS
    (tmp_path / "tools.py").write_text(block("python", "Brightness"))
    tool = registry.build("tool", f"{tmp_path / 'tools.py'}:Brightness")
    choice = tomllib.loads(block("toml", 'prompt = "full"'))["sampler"]
    assert choice.pop("part") in registry.parts("sampler")
    shown = Prompts([tool.spec], choice["prompt"]).shared
    assert "def brightness(self) -> float:" in shown
    assert "How bright this patch is" in shown


def test_the_profile_is_one(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_text(block("toml", "visual_question_answering"))
    profile = read_profile(path)
    for role in ("sampler", "verifier", "writer", "student"):
        assert getattr(profile, role).part in registry.parts(role)
    assert all(choice.part in registry.parts("tool") for choice in profile.tools.values())


def test_the_questions_import(tmp_path: Path, picture: Path) -> None:
    rows = block("json", '"image":')
    (tmp_path / "images").mkdir()
    rows += block("json", '"images":')
    for name in re.findall(r'"([^"]+\.jpg)"', rows):
        (tmp_path / "images" / name).write_bytes(picture.read_bytes())
    (tmp_path / "questions.jsonl").write_text(rows)
    source = Folder(tmp_path)
    tasks = list(source.tasks())
    assert [task.answers for task in tasks] == [("2",), ("car",), (), ("yes",)]
    assert [len(task.images) for task in tasks] == [1, 1, 1, 2]
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


def test_the_page_of_papers_is_what_the_cards_say() -> None:
    assert TEXTS["docs/papers.md"] == paper_page.page(), "write the page again: make docs"


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


def readme_calls() -> list[list[str]]:
    """The calls of vpd in the README, from top to bottom."""
    lines = [
        line for page, body in blocks("sh") if page == "README.md" for line in body.splitlines()
    ]
    return [shell_words(line.partition("#")[0]) for line in lines if line.startswith("vpd ")]


MODELS_NEEDED = ("app", "train", "evaluate", "results")
"""Commands that the small parts cannot do, and one that serves until it is stopped."""
STAND_INS = {"collages": str(ROOT / "tests" / "small_parts.py") + ":Squares"}


def test_the_readmes_commands_go_from_one_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same calls in the same order, with small parts in place of the bundled models."""
    profile = tmp_path / "small.toml"
    profile.write_text(profile_text())
    monkeypatch.chdir(tmp_path)
    calls = [call for call in readme_calls() if call[0] not in MODELS_NEEDED]
    assert {"init", "run", "show", "snapshot", "compare", "export", "status"} <= {
        call[0] for call in calls
    }
    for words in calls:
        if words[0] == "init":
            words = [STAND_INS.get(word, word) for word in words]
            words += ["--profile", str(profile), "--set", f"root={tmp_path / 'drawn'}"]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, (words, result.output)
        assert not re.search(r"nothing|no labelled question", result.output), (words, result.output)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_readmes_commands_run_as_they_stand(tmp_path: Path) -> None:
    """Every one of them, with the bundled models."""
    for words in readme_calls():
        if words[0] == "app":
            continue
        done = subprocess.run(
            [sys.executable, "-c", "from workbench.cli import main; main()", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
            timeout=1200,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)


MAKE_PYTHON = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/../../calls"
case "$*" in *--index-url*{refused}*) exit 1;; esac
exit 0
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is needed")
@pytest.mark.parametrize(
    ("settings", "refused", "indexes"),
    [
        (("SYSTEM=Linux", "NVIDIA="), "nowhere", ["cpu"]),
        (("SYSTEM=Linux", "NVIDIA="), "whl/cpu", ["cpu", "own"]),
        (("SYSTEM=Linux", "NVIDIA=/dev/nvidia0"), "nowhere", ["own"]),
        (("SYSTEM=Darwin", "NVIDIA="), "nowhere", ["own"]),
        (("SYSTEM=Linux", "NVIDIA=", "TORCH_INDEX=https://example.org/cu"), "nowhere", ["cu"]),
    ],
    ids=[
        "no card",
        "an index without the small build",
        "a card",
        "a Mac",
        "an index that is named",
    ],
)
def test_set_up_takes_the_small_build_of_torch_without_a_card(
    tmp_path: Path, settings: tuple[str, ...], refused: str, indexes: list[str]
) -> None:
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(MAKE_PYTHON.format(refused=refused))
    python.chmod(0o755)
    done = subprocess.run(
        ["make", ".venv/torch.done", *settings],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={key: value for key, value in os.environ.items() if not key.startswith("MAKE")},
    )
    assert done.returncode == 0, done.stderr
    calls = (tmp_path / "calls").read_text().splitlines()
    names = [re.search(r"--index-url \S*/(\w+)", call) for call in calls]
    assert [name[1] if name else "own" for name in names] == indexes
    assert all(call.endswith(" torch") for call in calls)
    assert ("gave no torch" in done.stdout) == (indexes == ["cpu", "own"])
