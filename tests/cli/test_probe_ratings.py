"""`vpd probe` and `vpd ratings` on small projects."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from readers import drawn, task
from small_parts import profile_text
from typer.testing import CliRunner

from workbench.cli import app
from workbench.records import Decision, Form, PartRef, Prediction, Rating
from workbench.store import Project
from workbench.store.records.rows import part_key

ROOT = Path(__file__).resolve().parent.parent
MODELS = [PartRef("student", f"=model-{at}", "1", {"explain": True}) for at in range(2)]


def project(folder: Path, student: str = "Reader") -> Path:
    """Fifteen questions about five pictures; the student is one that is known to read, or not to."""
    (folder / "small.toml").write_text(
        profile_text(student=f'{{ part = "{ROOT / "readers.py"}:{student}" }}')
    )
    with Project.create(folder / "p", str(folder / "small.toml")) as made:
        for number in range(2, 7):
            drawn(number).save(folder / f"{number}.png")
        digests = [made.images.add(folder / f"{number}.png") for number in range(2, 7)]
        made.add_tasks([task(at, digests[at % 5]) for at in range(15)])
    return folder / "p"


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_probe_says_what_moved_against_its_control(tmp_path: Path) -> None:
    folder = str(project(tmp_path))
    text = said("probe", "-p", folder)
    assert "15 questions" in text
    (number,) = (line.split() for line in text.splitlines() if "- wrong number" in line)
    assert number[3:6] == ["15", "100", "%"]
    assert "+100 (100 to 100)" in " ".join(number)
    assert number[-3:] == ["15", "of", "15"]
    assert "stamp" in text
    lines = {
        line["condition"]: line
        for line in json.loads(said("probe", "-p", folder, "--json"))["lines"]
    }
    assert lines["grey"]["moved"]["value"] == 0.0
    assert lines["number"]["difference"]["difference"] == 1.0


def test_a_student_that_was_not_taught_is_said_to_have_nothing_to_corrupt(tmp_path: Path) -> None:
    text = said("probe", "-p", str(project(tmp_path, "Terse")))
    assert "reasons before the answer: 0.0 % of 15" in text
    assert "nothing to corrupt" in text


def rated(folder: Path) -> Path:
    path = project(folder)
    first, second = (part_key(ref) for ref in MODELS)
    with Project.open(path) as made:
        for ref in MODELS:
            made.add_predictions(
                [
                    Prediction(
                        f"{ref.name}/{at}", f"red/{at:03d}", "2", "I see 2. Thus, 2.", 1.0, 0.1, ref
                    )
                    for at in range(4)
                ]
            )
        for author in ("ann", "bob"):
            for at in range(4):
                rating = Rating(
                    first, second, Form(True, True, True, at > 1), Form(at > 0, False), "left"
                )
                made.curation.decide(
                    [
                        Decision(
                            f"{author}-rating-{at}",
                            "rating",
                            author,
                            "curator",
                            f"red/{at:03d}",
                            rating=rating,
                        )
                    ]
                )
    return path


def test_ratings_stand_beside_the_papers(tmp_path: Path) -> None:
    folder = str(rated(tmp_path))
    text = said("ratings", "-p", folder)
    assert "4 questions, 8 ratings by 2" in text
    at = next(at for at, line in enumerate(text.splitlines()) if "answer correct" in line)
    first, second, apart = (" ".join(line.split()) for line in text.splitlines()[at : at + 3])
    assert "100.0 % 4" in first or "75.0 % 4" in first
    assert first.endswith("72.0 %")
    assert second.endswith("88.0 %")
    assert apart.startswith("B - A")
    assert apart.endswith("+16.0")
    assert "ann and bob alike on 4 of 4" in text
    (found,) = json.loads(said("ratings", "-p", folder, "--json"))
    assert found["preferences"]["first"]["value"] + found["preferences"]["second"]["value"] == 1.0
    assert found["shares"]["consistent"][0]["of"] + found["shares"]["consistent"][1]["of"] == 4


def test_a_spreadsheet_gets_every_form(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(said("ratings", "-p", str(rated(tmp_path)), "--csv"))))
    assert len(rows) == 16
    assert {row["preferred"] for row in rows} == {"this", "other"}
    assert {row["consistent"] for row in rows if row["explains"] == "False"} == {""}


def test_no_ratings_say_where_to_rate(tmp_path: Path) -> None:
    assert "nobody has rated two models yet" in said("ratings", "-p", str(project(tmp_path)))


@pytest.mark.parametrize("text", ["=1+1", "@x", "+2", "-3"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    from workbench.cli.ratings import _cell

    assert _cell(text) == f"'{text}"
    assert _cell(True) is True
