"""Code that a project brings along runs only where its user has said so."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from workbench import trust
from workbench.errors import ProfileError
from workbench.settings import PACKAGE, Choice, read_profile
from workbench.store import Project
from workbench.store.backup import back_up, restore
from workbench.train.job import Job
from workbench.train.jobs import Jobs

OWN = """
k = 1
sampler = {{ part = "bundled" }}
verifier = {{ part = "answers" }}
writer = {{ part = "template" }}
student = {{ part = "transformers", checkpoint = "bundled" }}

[tools]
{tools}
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VPD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(trust.SETTING, raising=False)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A profile with a tool of one's own, which leaves a mark when it is loaded."""
    mark = tmp_path / "mark"
    tool = tmp_path / "own.py"
    tool.write_text(f"from pathlib import Path\nPath({str(mark)!r}).touch()\nclass Tool: pass\n")
    path = tmp_path / "own.toml"
    path.write_text(OWN.format(tools=f'find = {{ part = "{tool}:Tool" }}'))
    return path


def test_who_makes_a_project_trusts_its_profile(profile: Path, tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", str(profile)) as project:
        assert project.profile().tools["find"].part.endswith("own.py:Tool")
    with Project.open(tmp_path / "p") as project:
        assert project.profile().k == 1


def test_a_project_that_came_along_is_not_trusted(profile: Path, tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", str(profile)) as project:
        back_up(project, tmp_path / "b")
    restore(tmp_path / "b", tmp_path / "q")
    with Project.open(tmp_path / "q") as project:
        with pytest.raises(
            trust.UntrustedCode, match=r"would run code of its own: tool find: .*own\.py:Tool"
        ):
            project.profile()
        assert not (tmp_path / "mark").exists()
        trust.trust(
            tmp_path / "q", trust.code_of_profile(read_profile(tmp_path / "q/profile.toml"))
        )
        assert project.profile().k == 1


def test_the_setting_trusts_from_now_on(
    profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Project.create(tmp_path / "p").close()
    shutil.copyfile(profile, tmp_path / "p" / "profile.toml")
    with Project.open(tmp_path / "p") as project:
        with pytest.raises(trust.UntrustedCode):
            project.profile()
        monkeypatch.setenv(trust.SETTING, "keep")
        assert project.profile().k == 1
        monkeypatch.delenv(trust.SETTING)
        assert project.profile().k == 1


def test_more_code_is_asked_for_again(profile: Path, tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", str(profile)) as project:
        path = project.path / "profile.toml"
        path.write_text(path.read_text() + 'exists = { part = "shutil:rmtree" }\n')
        with pytest.raises(
            trust.UntrustedCode, match=r"code of its own: tool exists: shutil:rmtree\.  L"
        ):
            project.profile()


def test_a_source_that_came_along_is_not_trusted(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", source=Choice("own.py:Source")) as project:
        assert project.sources()[0].part == "own.py:Source"
        back_up(project, tmp_path / "b")
    restore(tmp_path / "b", tmp_path / "q")
    with (
        Project.open(tmp_path / "q") as project,
        pytest.raises(ProfileError, match=r"source: own\.py:Source"),
    ):
        project.sources()


@pytest.mark.parametrize(
    ("part", "arguments", "code"),
    [
        ("openai", {"url": "http://localhost:8000/v1", "model": "llama3:8b"}, []),
        ("package.module:Name", {}, ["package.module:Name"]),
        ("rewrite", {"language": "mine:Model"}, ["mine:Model"]),
        ("rewrite", {"inner": {"judge": "folder/judge.py:Judge"}}, ["folder/judge.py:Judge"]),
        ("file.py:Name", {"other": "b.py:Other"}, ["file.py:Name", "b.py:Other"]),
    ],
)
def test_what_counts_as_code(part: str, arguments: dict[str, object], code: list[str]) -> None:
    listed = trust.code_of_sources([Choice(part, arguments)])
    assert listed == [f"source: {name}" for name in code]


def test_a_spoilt_record_trusts_nothing(profile: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "trusted.json").write_text('[1, {"a": 2}]')
    with pytest.raises(trust.UntrustedCode):
        trust.check(tmp_path, trust.code_of_profile(read_profile(profile)))


def test_a_command_refuses_and_trusts(profile: Path, tmp_path: Path) -> None:
    Project.create(tmp_path / "p").close()
    shutil.copyfile(profile, tmp_path / "p" / "profile.toml")

    def vpd(*words: str) -> subprocess.CompletedProcess[str]:
        call = [sys.executable, "-c", "from workbench.cli import main; main()", *words]
        return subprocess.run(
            call, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )

    refused = vpd("app", "-p", str(tmp_path / "p"), "--port", "0", "--no-browser")
    assert refused.returncode == 2
    assert "would run code of its own: tool find" in refused.stderr
    assert not (tmp_path / "mark").exists()
    read_only = vpd("sql", "SELECT 1", "-p", str(tmp_path / "p"))
    assert read_only.returncode == 0, read_only.stderr
    assert vpd("sql", "SELECT 1", "-p", str(tmp_path / "p"), "--trust").returncode == 0
    with Project.open(tmp_path / "p") as project:
        assert project.profile().k == 1


def test_a_job_that_came_along_runs_nothing_that_nobody_trusts(tmp_path: Path) -> None:
    """A copied project may have a job in its queue, which the first look at the queue would start."""
    mark = tmp_path / "ran"
    command = f"{sys.executable} -c \"open({str(mark)!r}, 'w')\""
    Jobs(tmp_path / "theirs" / "jobs", start=False).submit(Job("/nowhere", runner=command))
    shutil.copytree(tmp_path / "theirs", tmp_path / "mine")
    jobs = Jobs(tmp_path / "mine" / "jobs", start=False)
    jobs.work()
    [view] = jobs.all()
    assert view.state == "failed"
    assert view.failure is not None
    assert "would run code of its own: runner: " in view.failure["text"]
    for act in (jobs.resume, jobs.clone):
        with pytest.raises(trust.UntrustedCode, match="give --trust after vpd"):
            act(view.id)
    assert not mark.exists()
    trust.trust(tmp_path / "mine", [f"runner: {command}"])
    jobs.resume(view.id)
    jobs.work()
    assert mark.exists()


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"runner": "train.sh"}, ["runner: train.sh"]),
        ({"objective": "own.py:Loss"}, ["objective: own.py:Loss"]),
        ({"teacher": {"part": "some.module:Teacher"}}, ["teacher: some.module:Teacher"]),
        ({"curriculum": {"part": "vpd"}, "arguments": {"files": ["a", "b.py:C"]}},
         ["arguments: b.py:C"]),
        ({"objective": "vpd", "teacher": {"part": "checkpoint", "path": "C:\\m"}}, []),
    ],
)  # fmt: skip
def test_what_a_job_would_run_is_listed(settings: dict[str, object], code: list[str]) -> None:
    assert trust.code_of_job(settings) == code


@pytest.mark.parametrize(
    "memory", ["some.module:Memory", {"part": "some.module:Memory"}, ["own.py:Memory"]]
)
def test_a_memory_of_ones_own_is_listed(memory: object) -> None:
    profile = read_profile(PACKAGE / "profiles" / "embedded.toml")
    sampler = Choice("transformers", {**profile.sampler.arguments, "memory": memory})
    [line] = trust.code_of_profile(replace(profile, sampler=sampler))
    assert line.startswith("sampler: ")
    assert line.endswith(":Memory")
