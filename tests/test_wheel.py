"""The package as people install it: what the wheel holds, its licences, and a run without a checkout."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import site
import subprocess
import sys
import tomllib
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from workbench.settings import data_dir

ROOT = Path(__file__).resolve().parent.parent
BY_WORD = {
    "public domain": "LicenseRef-Public-Domain",
    "public domain (CC0-1.0)": "CC0-1.0",
    "no known copyright restrictions": "LicenseRef-Public-Domain",
}
"""How the tables of data/ write what is no name of SPDX."""


def licence() -> set[str]:
    """The licences that the package names."""
    text = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]
    return set(text.split(" AND "))


@pytest.mark.parametrize("table", ["collages/cutouts.csv", "photos/photos.csv"])
def test_the_package_names_the_licence_of_each_bundled_file(table: str) -> None:
    with (data_dir() / table).open(newline="", encoding="utf-8") as lines:
        names = {row["licence"] for row in csv.DictReader(lines)}
    assert names
    assert {BY_WORD.get(name, name) for name in names} <= licence()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without the network."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("a wheel is built by hatchling: pip install hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(ROOT),
    ]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_holds_the_bundled_data_and_the_texts_of_their_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as parts:
        names = set(parts.namelist())
        (info,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        about = message_from_bytes(parts.read(info))
    listed = subprocess.run(
        ["git", "ls-files", "data"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    bundled = {name for name in listed.stdout.split() if "/make_" not in name}
    assert {f"workbench/{name}" for name in bundled if not name.startswith("data/readme/")} <= names
    assert not any(name.startswith(("data/", "workbench/data/local")) for name in names)
    assert set(about["License-Expression"].split(" AND ")) == licence()
    texts = {Path(name).name for name in about.get_all("License-File", [])}
    assert texts == {"LICENSE", "NOTICE", "README.md", "GPL-2.txt"}


@pytest.mark.slow
def test_an_installed_wheel_makes_and_runs_a_project_without_a_checkout(
    wheel: Path, tmp_path: Path
) -> None:
    """A new environment sees the packages of this one, but of the workbench the wheel alone."""
    venv.create(tmp_path / "new", with_pip=False)
    (packages,) = (tmp_path / "new").glob("lib/*/site-packages")
    command = [
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--target",
        str(packages),
        str(wheel),
    ]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    # a plain line of a .pth file does not read the .pth files there, so the checkout stays unseen
    (packages / "others.pth").write_text("\n".join(site.getsitepackages()))
    keep = {
        name: value for name, value in os.environ.items() if not name.startswith(("VPD_", "PYTHON"))
    }
    # the sandbox's own binary lies among the commands of this environment, where pip put it
    monty = str(Path(sys.executable).parent / "monty")
    settings = {**keep, "MONTY_BIN": monty, "VPD_CACHE": str(tmp_path / "cache"), "VPD_TRUST": "1"}

    def vpd(*words: str) -> str:
        code = "from workbench.cli import main; main()"
        python = str(tmp_path / "new" / "bin" / "python")
        done = subprocess.run(
            [python, "-c", code, *words], cwd=tmp_path, env=settings, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = vpd("init", "p", "--source", "collages", "--split", "test", "--limit", "2")
    assert "2 tasks" in made
    vpd("run", "--project", "p", "--limit", "1", "--k", "1")
    counts = json.loads(vpd("status", "--project", "p", "--json"))
    assert counts["counts"]["programs"] == 1
    where = "import workbench.settings as s; print(s.PACKAGE); print(s.data_dir())"
    seen = subprocess.run(
        [str(tmp_path / "new" / "bin" / "python"), "-c", where],
        cwd=tmp_path,
        env=settings,
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout.split() == [
        str(packages / "workbench"),
        str(packages / "workbench" / "data"),
    ]
