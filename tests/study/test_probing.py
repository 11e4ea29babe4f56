"""A probe over a project: the sample, what is kept, going on, and what is told about damaged files."""

from __future__ import annotations

from pathlib import Path

import pytest
from readers import Looker, Reader, drawn, task

from workbench.errors import InputError
from workbench.store import Project
from workbench.study import probing


@pytest.fixture
def project(tmp_path: Path):
    with Project.create(tmp_path / "p") as made:
        for number in range(2, 7):
            drawn(number).save(tmp_path / f"{number}.png")
        digests = [made.images.add(tmp_path / f"{number}.png") for number in range(2, 7)]
        made.add_tasks([task(at, digests[at % 5]) for at in range(15)])
        yield made


def test_what_was_asked_is_not_asked_again(project: Project) -> None:
    first, again = Reader(), Reader()
    found = probing.probe(project, first)
    assert (found.asked, found.explained.hits) == (15, 15)
    assert first.asked > 15 * 5
    assert probing.probe(project, again) == found
    assert again.asked == 0
    assert probing.probes(project) == [found]


def test_a_probe_that_was_cut_off_goes_on(project: Project) -> None:
    whole = probing.probe(project, Reader())
    (path,) = (project.path / probing.FOLDER).iterdir()
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:60]) + lines[60][:40])
    student = Reader()
    assert probing.probe(project, student) == whole
    assert 0 < student.asked < 15 * 12


def test_two_students_and_two_seeds_are_kept_apart(project: Project) -> None:
    found = [
        probing.probe(project, Reader()),
        probing.probe(project, Looker()),
        probing.probe(project, Reader(), seed=1),
    ]
    held = probing.probes(project)
    assert len(held) == 3
    assert {(one.model.name, one.seed) for one in held} == {
        (one.model.name, one.seed) for one in found
    }


def test_a_sample_is_the_same_for_every_student(project: Project) -> None:
    def asked(seed: int) -> set[str]:
        return {one.id for one in probing._sample(project, None, 6, seed)}

    assert len(asked(0)) == 6
    assert asked(0) == asked(0) != asked(1)
    assert probing.probe(project, Reader(), limit=6).asked == 6


def test_a_picture_that_cannot_be_seen_is_left_out(project: Project) -> None:
    gone = project.tasks(["red/000"])[0].image
    next(path for path in (project.path / "images").rglob(f"{gone}*") if path.is_file()).unlink()
    with Project.open(project.path) as fresh:
        assert probing.probe(fresh, Reader()).asked == 12


def test_no_question_and_no_way_to_go_on_are_said(project: Project) -> None:
    with pytest.raises(InputError, match="no question to probe with"):
        probing.probe(project, Reader(), split="nowhere")
    with pytest.raises(InputError, match="has no method conclude"):
        probing.probe(project, object())  # type: ignore[arg-type]


def test_a_damaged_file_is_named(project: Project) -> None:
    probing.probe(project, Reader())
    (path,) = (project.path / probing.FOLDER).iterdir()
    path.write_text('{"some": "thing"}\n')
    with pytest.raises(InputError, match=r"probe-\w+\.jsonl is no file of a probe"):
        probing.probes(project)
