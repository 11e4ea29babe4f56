"""Parts by name, by dotted path and from a file of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import registry
from workbench.boxes import Box
from workbench.errors import MissingPart, ProfileError

TOOL = '''
"""A tool of one's own."""

class Count:
    """Counts."""

    def __init__(self, step: int = 1) -> None:
        self.step = step
'''


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    path = tmp_path / "my_tool.py"
    path.write_text(TOOL)
    return path


def test_a_wrong_role_lists_the_right_ones() -> None:
    with pytest.raises(
        ProfileError, match="no role is called 'painter'; there are: source, sampler, tool"
    ):
        registry.parts("painter")


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(
        ProfileError,
        match=r"no source is called 'collage'; registered are: aokvqa, collages, folder, gqa, ",
    ):
        registry.load("source", "collage")


def test_every_role_has_a_part() -> None:
    assert [role for role in registry.ROLES if not registry.parts(role)] == []


def test_a_dotted_path_is_a_name() -> None:
    assert registry.load("tool", "workbench.boxes:Box") is Box


@pytest.mark.parametrize("name", ["no_such_package_at_all:Part", "workbench.boxes:NoSuchName"])
def test_a_wrong_dotted_path_says_what_failed(name: str) -> None:
    with pytest.raises(
        ProfileError, match=f"tool '{name}' cannot be loaded: .*(no_such_package_at_all|NoSuchName)"
    ):
        registry.load("tool", name)


def test_a_file_gives_its_class(own_file: Path) -> None:
    assert registry.build("tool", f"{own_file}:Count", step=3).step == 3


def test_two_files_of_one_name_keep_apart(own_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / own_file.name
    other.parent.mkdir()
    other.write_text(TOOL.replace("step: int = 1", "step: int = 9"))
    first, second = (
        registry.load("tool", f"{own_file}:Count"),
        registry.load("tool", f"{other}:Count"),
    )
    assert (first().step, second().step) == (1, 9)
    assert first.__module__ != second.__module__


def test_a_missing_file_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"tool file .*gone\.py does not exist"):
        registry.load("tool", f"{tmp_path / 'gone.py'}:Count")


def test_a_missing_class_lists_what_the_file_has(own_file: Path) -> None:
    with pytest.raises(ProfileError, match=r"my_tool\.py has no 'Recount'; it has: Count"):
        registry.load("tool", f"{own_file}:Recount")


@pytest.mark.parametrize("source", ["def broken(:\n", "1 / 0\n", "import no_such_package_at_all\n"])
def test_a_broken_file_is_named_with_its_error(tmp_path: Path, source: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(source)
    with pytest.raises(ProfileError, match=r"tool file .*broken\.py cannot be loaded: \w+Error"):
        registry.load("tool", f"{path}:Count")


def test_a_wrong_argument_names_the_part_and_what_it_takes(own_file: Path) -> None:
    with pytest.raises(
        ProfileError, match=r"tool '.*:Count' was given .*'stride'.*; it takes \(step: int = 1\)"
    ):
        registry.build("tool", f"{own_file}:Count", stride=2)


def test_a_type_error_inside_a_part_is_a_bug_and_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "buggy.py"
    path.write_text("class Part:\n    def __init__(self):\n        len(3)\n")
    with pytest.raises(TypeError, match="has no len"):
        registry.build("tool", f"{path}:Part")


def test_an_absent_package_gives_the_pip_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist = tmp_path / "plugin-1.0.dist-info"
    dist.mkdir()
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (dist / "entry_points.txt").write_text(
        "[workbench.tool]\nfar-sight = no_such_package_at_all:Tool [models]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "far-sight" in registry.parts("tool")
    with pytest.raises(
        MissingPart,
        match=r"tool 'far-sight' needs a package .*pip install 'vpd-workbench\[models\]'",
    ):
        registry.load("tool", "far-sight")


OWN = """
from dataclasses import dataclass
from workbench.records import PartRef
{more}

class Part:
    \"\"\"A part of one's own.\"\"\"

    def __init__(self, **arguments: object) -> None:
        self.ref = PartRef("tool", "own", "3")
"""


def _version(path: Path, **arguments: object) -> str:
    version: str = registry.build("tool", f"{path}:Part", **arguments).ref.version
    return version


def test_an_edited_file_is_another_part(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN.format(more=""))
    first = _version(path)
    assert first.startswith("3+")
    assert _version(path) == first
    path.write_text(OWN.format(more="LIMIT = 2"))
    assert _version(path) != first


def test_what_a_file_imports_from_its_folder_is_part_of_it(tmp_path: Path) -> None:
    """Directly, through another file, and from a package; what it does not import is not."""
    path = tmp_path / "own.py"
    path.write_text(OWN.format(more="import helper\nimport json\nfrom pack import inner"))
    (tmp_path / "helper.py").write_text("import deeper")
    (tmp_path / "deeper.py").write_text("DEPTH = 1")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "inner.py").write_text("from . import beside")
    (tmp_path / "pack" / "beside.py").write_text("")
    (tmp_path / "stranger.py").write_text("")
    versions = [_version(path)]
    (tmp_path / "stranger.py").write_text("SEEN = 1")
    assert _version(path) == versions[0]
    for name in ("helper.py", "deeper.py", "pack/__init__.py", "pack/inner.py", "pack/beside.py"):
        file = tmp_path / name
        file.write_text(file.read_text() + "\nCHANGED = 1")
        versions.append(_version(path))
    assert len(set(versions)) == 6


def test_an_edited_helper_runs_as_it_is_now(tmp_path: Path) -> None:
    """A file beside the part is not the one that was imported before, nor another folder's."""
    values = []
    for folder, value in (("a", 1), ("b", 2), ("a", 3)):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "helper_of_parts.py").write_text(f"VALUE = {value}  #{'x' * value}")
        path = tmp_path / folder / "own.py"
        path.write_text("from helper_of_parts import VALUE\n\ndef part():\n    return VALUE\n")
        values.append(registry.load("tool", f"{path}:part")())
    assert values == [1, 2, 3]


def test_files_and_folders_that_a_part_is_given_are_part_of_its_key(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN.format(more=""))
    prompt, weights = tmp_path / "prompt.txt", tmp_path / "weights"
    weights.mkdir()
    prompt.write_text("What is it?")
    (weights / "model.bin").write_bytes(b"1")
    (weights / "vision").mkdir()
    (weights / "vision" / "model.bin").write_bytes(b"1")
    (tmp_path / "names.txt").write_text("cat")
    given = {
        "prompt": str(prompt),
        "more": {"weights": str(weights)},
        "lists": ["no file", str(tmp_path / "names.txt")],
        "words": "x" * 5000,
    }
    versions = [_version(path, **given)]
    assert _version(path, **given) == versions[0]
    for file in (weights / "model.bin", weights / "vision" / "model.bin"):
        file.write_bytes(b"2")
        versions.append(_version(path, **given))
    for file in (prompt, tmp_path / "names.txt"):
        file.write_text("other")
        versions.append(_version(path, **given))
    assert len({*versions}) == 5


def test_a_dotted_part_is_known_by_its_source_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_package_of_parts.py").write_text(OWN.format(more=""))
    monkeypatch.syspath_prepend(tmp_path)
    part = registry.build("tool", "own_package_of_parts:Part")
    assert part.ref.version.startswith("3+")


def test_what_a_dotted_part_imports_from_its_package_is_part_of_it(tmp_path: Path) -> None:
    """Each look is a process of its own, as a module is read once in each."""
    inner = tmp_path / "their_parts" / "inner"
    inner.mkdir(parents=True)
    for folder in (inner.parent, inner):
        (folder / "__init__.py").write_text("")
    (inner / "part.py").write_text(OWN.format(more="from their_parts.words import WORDS"))
    words = inner.parent / "words.py"
    words.write_text("WORDS = 1")
    look = "from workbench import registry\nname = 'their_parts.inner.part:Part'\n"
    look += "before = registry.build('tool', name).ref.version\n"
    look += f"open({str(words)!r}, 'a').write('\\n# more')\n"
    look += "print(before, registry.build('tool', name).ref.version)"
    lines = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", look],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
            capture_output=True,
            text=True,
            check=True,
        )
        lines.append(done.stdout.split())
    assert [len({*line}) for line in lines] == [1, 1], "what runs is what was imported"
    assert lines[0] != lines[1]


def test_a_part_whose_reference_cannot_be_set_says_so(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        "from workbench.records import PartRef\n\n"
        "class Part:\n    ref = property(lambda self: PartRef('tool', 'own'))\n"
    )
    with pytest.raises(ProfileError, match="does not let its 'ref' be set"):
        registry.build("tool", f"{path}:Part")


def test_registered_parts_keep_their_versions() -> None:
    assert registry.build("verifier", "answers").ref.version == "2"
    assert registry.build("writer", "template").ref.version == "2"
