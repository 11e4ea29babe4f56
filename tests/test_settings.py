"""Profiles: a wrong key, value or file is an error that says what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import ProfileError
from workbench.settings import (
    Choice,
    cache_dir,
    carried,
    data_dir,
    find_profile,
    read_profile,
    shipped_profiles,
)

GOOD = """
name = "mine"
k = 3
seed = 7
sampler  = { part = "openai", model = "m" }
verifier = "answers"
writer   = { part = "template" }
student  = { part = "recorded" }

[tools]
find = { part = "ssdlite-coco", threshold = 0.4 }

[limits]
steps = 500
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "profile.toml"
        path.write_text(text)
        return path

    return write


def test_a_profile_is_read_whole(write) -> None:
    profile = read_profile(write(GOOD))
    assert (profile.name, profile.k, profile.seed) == ("mine", 3, 7)
    assert profile.sampler == Choice("openai", {"model": "m"})
    assert profile.verifier == Choice("answers")
    assert profile.tools == {"find": Choice("ssdlite-coco", {"threshold": 0.4})}
    assert profile.limits == {"steps": 500}


@pytest.mark.parametrize("name", shipped_profiles())
def test_every_shipped_profile_is_found_by_name_and_reads(name: str) -> None:
    assert read_profile(find_profile(name)).name == name


def test_a_wrong_profile_name_lists_the_right_ones() -> None:
    with pytest.raises(
        ProfileError, match=r"no profile is called 'embeded'; shipped are: .*embedded"
    ):
        find_profile("embeded")


def test_a_missing_file_lists_what_ships(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"no profile at .*gone\.toml; shipped are: .*embedded"):
        read_profile(find_profile(str(tmp_path / "gone.toml")))


def test_a_folder_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"cannot be read: .*; give a \.toml file"):
        read_profile(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(ProfileError, match=r"profile\.toml is not valid TOML"):
        read_profile(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("k = 3", "k = 3\nepochs = 2"), r"epochs is an unknown key \(there are: name, sampler"),
        (
            ('verifier = "answers"', ""),
            r"verifier is missing, expected a table \(.*: verifier = { part = ",
        ),
        (("k = 3", "k = 3\nk = 5"), "is not valid TOML: .*line 4"),
        (("k = 3", "k = "), "is not valid TOML"),
        (("k = 3", "k = 0"), "k must be a whole number from 1 to 100, found 0"),
        (("k = 3", "k = 101"), "k must be a whole number from 1 to 100, found 101"),
        (("k = 3", 'k = "five"'), "k must be a whole number from 1 to 100, found 'five'"),
        (("k = 3", "k = true"), "k must be a whole number from 1 to 100, found True"),
        (("seed = 7", "seed = 7.5"), "seed must be a whole number, found 7.5"),
        (('name = "mine"', "name = 3"), "name must be text, found 3"),
        (
            ('part = "openai"', 'parts = "openai"'),
            r"sampler\.part is missing, expected text that is not empty \(Name of a",
        ),
        (
            ('part = "ssdlite-coco"', "part = 3"),
            r"tools\.find\.part must be text that is not empty, found 3",
        ),
        (("[tools]\nfind = ", "tools = 3\nx = "), "tools must be a table, found 3"),
        (
            ("steps = 500", 'steps = "many"'),
            r"limits\.steps must be a whole number from 1 .*, found 'many'",
        ),
        (
            ("steps = 500", "steps = -1"),
            r"limits\.steps must be a whole number from 1 .*, found -1",
        ),
        (
            ("steps = 500", "steps = nan"),
            r"limits\.steps must be a whole number from 1 .*, found nan",
        ),
        (
            ("steps = 500", "step = 500"),
            r"limits\.step is an unknown key \(there are: steps, seconds",
        ),
        (
            ("[limits]\n", "[limits]\nseconds = 0\ndepth = 0\n"),
            r"2 errors: limits\.seconds must .*; limits\.depth must",
        ),
    ],
)
def test_a_wrong_profile_says_what_was_found_and_expected(
    write, change: tuple[str, str], message: str
) -> None:
    assert change[0] in GOOD
    with pytest.raises(ProfileError, match=message) as caught:
        read_profile(write(GOOD.replace(*change)))
    assert "profile.toml" in str(caught.value)


def test_all_that_is_wrong_in_a_profile_is_listed(write) -> None:
    with pytest.raises(ProfileError) as caught:
        read_profile(
            write("k = 0\nepochs = 2\nsampler = 'a'\nwriter = {}\ntools = 3\n[limits]\nsteps = 0")
        )
    text = str(caught.value)
    assert ": 7 errors: " in text
    for key in ("k", "epochs", "writer.part", "tools", "verifier", "student", "limits.steps"):
        assert f"{key} must be" in text or f"{key} is" in text


def test_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VPD_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("VPD_CACHE", raising=False)
    assert data_dir() == tmp_path / "data"
    assert cache_dir() == tmp_path / "data" / "local" / "cache"
    monkeypatch.setenv("VPD_CACHE", str(tmp_path / "cache"))
    assert cache_dir() == tmp_path / "cache"


def test_a_file_of_ones_own_is_relative_to_the_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "profiles" / "own.toml"
    path.write_text(GOOD + '\n[tools.own]\npart = "parts/tools.py:Own"\nfile = "notes.py"\n')
    monkeypatch.chdir(tmp_path / "elsewhere")
    choice = read_profile(path).tools["own"]
    assert choice.part == f"{tmp_path / 'profiles' / 'parts' / 'tools.py'}:Own"
    assert choice.arguments == {"file": "notes.py"}
    assert read_profile(path).sampler.part == "openai", "registered names stay as they are"
    nested = 'model = "m", memory = { part = "own.py:Memory", more = ["own.py:One", "two"] }'
    path.write_text(GOOD.replace('model = "m"', nested))
    own = tmp_path / "profiles" / "own.py"
    memory = read_profile(path).sampler.arguments["memory"]
    assert memory == {"part": f"{own}:Memory", "more": [f"{own}:One", "two"]}


def test_a_profile_that_is_copied_keeps_its_own_files_in_reach(tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text("")
    text = """
    a = { part = "tools.py:One" }  # of mine
    b = { part = './tools.py:Two' }
    c = { part = "gone.py:Three" }
    d = { part = "package.tools:Four" }
    """
    moved = carried(text, tmp_path, tmp_path / "projects" / "one")
    assert '"../../tools.py:One" }  # of mine' in moved
    assert "'../../tools.py:Two'" in moved
    assert '"gone.py:Three"' in moved
    assert '"package.tools:Four"' in moved
