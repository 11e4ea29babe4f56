"""Work units: many workers make what one process makes, whatever happens to them."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from small_parts import profile_text

from workbench.errors import EngineError, InputError
from workbench.pipeline.correcting import correct
from workbench.pipeline.loop import run
from workbench.pipeline.parts import Parts
from workbench.pipeline.progress import Progress
from workbench.pipeline.report import report
from workbench.pipeline.units import launch
from workbench.pipeline.units.gather import gather
from workbench.pipeline.units.plan import FOLDER, WorkFolder, read_unit
from workbench.pipeline.units.shard import read_shard, write_shard
from workbench.pipeline.units.spread import Workers
from workbench.pipeline.units.worker import work
from workbench.records import Prediction, Program
from workbench.settings import Choice
from workbench.store import Project

HERE = Path(__file__).resolve()
SMALL_PARTS = HERE.parents[1] / "small_parts.py"
TABLES = ("task", "program", "trace", "verdict", "rationale", "prediction", "trace_check")
TASKS = 12
EVIDENCE = '{ part = "answers", prefer = "evidence" }'
COMMAND = (sys.executable, "-c", "from workbench.cli import main; main()", "work")


def part(name: str) -> str:
    """A part of the small ones, as a profile names it."""
    return f'{{ part = "{SMALL_PARTS}:{name}" }}'


def made(folder: Path, **changes: str) -> Project:
    (folder / "small.toml").write_text(profile_text(**changes))
    source = Choice(f"{SMALL_PARTS}:Squares", {"root": str(folder / "drawn")})
    return Project.create(folder / "p", str(folder / "small.toml"), source)


Keys = dict[str, list[str]]


def keys(project: Project) -> Keys:
    """The keys of all records."""
    return {
        name: sorted(row["id"] for row in project.database.rows(f"SELECT id FROM {name}"))
        for name in TABLES
    }


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The keys that one process makes."""
    with made(tmp_path_factory.mktemp("alone"), verifier=EVIDENCE) as project:
        run(project)
        return keys(project)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with made(tmp_path, verifier=EVIDENCE) as project:
        yield project


def planned(project: Project, monkeypatch: pytest.MonkeyPatch, **settings: int) -> WorkFolder:
    """The project with its units planned and nobody at work."""
    with monkeypatch.context() as patch:
        patch.setattr(launch.LocalWorkers, "run", lambda *args: None)
        run_upto_units(project, Workers(2, **settings))
    return WorkFolder(project.path / FOLDER)


def run_upto_units(project: Project, workers: Workers) -> None:
    """Plan and launch, and leave the rest of the run."""

    def stop(progress: object) -> None:
        if getattr(progress, "stage", "") == "sample":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(project, progress=stop, workers=workers)


def test_workers_make_what_one_process_makes(project: Project, alone: Keys) -> None:
    told = []
    summary = run(
        project,
        progress=lambda one: told.append((one.stage, one.done, one.total)),
        workers=Workers(2, unit=4),
    )
    assert keys(project) == alone
    assert ("units", 6, 6) in told
    assert "sample" not in {stage for stage, _, _ in told}, "nothing was left for the owner"
    assert summary.done["sample"].rows == TASKS * 4
    assert summary.report.stages["predict"].rows == TASKS
    assert not list((project.path / FOLDER / "units").glob("*"))
    again = run(project, workers=Workers(2))
    assert not any(done.rows for done in again.done.values())


def test_workers_run_the_programs_that_are_there(project: Project, alone: Keys) -> None:
    run(project, upto="sample")
    first = project.database.rows("SELECT id FROM program ORDER BY id LIMIT 1")[0]["id"]
    [(task, program)] = project.jobs([first])
    with Parts(project.profile(), project.images) as parts:
        project.add_traces(list(parts.executor.run([(task, program)])))
    told = []
    run(project, progress=lambda one: told.append(one.stage), workers=Workers(2, unit=4))
    assert keys(project) == alone
    assert set(told) == {"units"}, "nothing was left for the owner"


def test_a_run_that_is_stopped_counts_what_it_took_in(project: Project) -> None:
    def stop(one: Progress) -> None:
        if one.stage == "units" and one.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(project, progress=stop, workers=Workers(1, unit=4))
    assert report(project).stages["sample"].rows == 4 * 4


def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(
    tmp_path: Path, alone: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_PARTS_DEATH", str(tmp_path / "died"))
    with made(tmp_path, find=part("FatalFind"), verifier=EVIDENCE) as project:
        run(project, workers=Workers(2, unit=4))
        assert (tmp_path / "died").exists(), "a worker died"
        here = keys(project)
    # the detector is another part, so that what follows from it has other keys
    assert here["program"] == alone["program"]
    assert here["prediction"] == alone["prediction"]
    assert {name: len(ids) for name, ids in here.items()} == {
        name: len(ids) for name, ids in alone.items()
    }


def test_a_unit_that_ends_every_worker_is_given_up_and_the_others_are_taken_in(
    tmp_path: Path,
) -> None:
    words = r"1 of 6 units .*ended 3 times while it did it, .*code -9"
    with made(tmp_path, student=part("Deadly")) as project:
        with pytest.raises(EngineError, match=words):
            run(project, workers=Workers(2, unit=4))
        count = {name: len(ids) for name, ids in keys(project).items()}
    assert (count["program"], count["trace"], count["prediction"]) == (TASKS * 4, TASKS * 4, 8)


def test_a_worker_needs_no_store_and_writes_one_file(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = planned(project, monkeypatch)
    bare = WorkFolder(tmp_path / "elsewhere" / FOLDER)
    shutil.copytree(project.path / "images", bare.project / "images")
    shutil.copytree(folder.root, bare.root)
    units = sorted(bare.units.iterdir())
    done = subprocess.run(
        [*COMMAND, *units], capture_output=True, text=True, timeout=200, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "questions" in done.stdout
    assert not list(tmp_path.rglob("elsewhere/*.duckdb"))
    assert [path.stem for path in sorted(bare.shards.iterdir())] == [path.stem for path in units]
    assert not list((bare.root / "partial").glob("*.parquet"))
    shutil.copytree(bare.shards, folder.shards)
    summary = run(project)
    assert summary.done["predict"].rows == TASKS, "a plain run takes in what workers made"


def test_doubled_work_is_harmless_also_where_the_second_sampler_throws_other_dice(
    project: Project, monkeypatch: pytest.MonkeyPatch, alone: Keys
) -> None:
    folder = planned(project, monkeypatch, unit=6)
    assert work([folder.unit(key) for key in folder.present()]) == 0
    copies = {path.name: path.read_bytes() for path in folder.shards.iterdir()}
    units = {path.name: path.read_bytes() for path in folder.units.iterdir()}
    run(project)
    assert keys(project) == alone
    folder.shards.mkdir(exist_ok=True)
    for name, data in copies.items():
        path = folder.shards / name
        path.write_bytes(data)
        shard = read_shard(path)
        other = [_renamed(one) for one in shard.records]
        write_shard(path, type(shard)(shard.unit, shard.seed, shard.contents, other, shard.costs))
    result = gather(project, folder, 1)
    assert (result.rows, result.costs, len(result.units)) == (0, {}, len(units))
    assert keys(project) == alone


def _renamed(record: object) -> object:
    """The record as of another sampling of the same places: other programs, and what follows."""
    if isinstance(record, Prediction):
        return record
    names = {field.name for field in fields(record)} & {"id", "program_id", "trace_id"}
    return replace(record, **{name: f"x{getattr(record, name)[1:]}" for name in names})


def test_a_question_that_was_corrected_meanwhile_is_judged_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = planned(project, monkeypatch)
    work([folder.unit(key) for key in folder.present()])
    correct(project, "squares/0000/0", ["7"], "ann", "a typing error")
    summary = run(project)
    assert any("1 questions were corrected after" in note for note in summary.notes)
    [row] = project.database.rows(
        "SELECT count(*) FILTER (correct) AS correct, count(*) AS n FROM verdict "
        "WHERE task_id = 'squares/0000/0'"
    )
    assert (row["correct"], row["n"]) == (0, 4)


def test_what_was_paid_for_is_kept_when_a_worker_stops(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (project.path / "profile.toml").read_text()
    (project.path / "profile.toml").write_text(text.replace(':Scribe"', ':Scribe", breaks_at = 7'))
    folder = planned(project, monkeypatch)
    [sampling, *_] = [
        key for key in folder.present() if "sample" in read_unit(folder.unit(key)).stages
    ]
    unit = read_unit(folder.unit(sampling))
    assert len(unit.tasks) == 6
    units = [folder.unit(key) for key in folder.present()]
    said: list[str] = []
    # the second unit reaches the seventh question
    assert work(units, tell=said.append) == 1
    [failure] = [line for line in said if "failed" in line]
    assert "the endpoint did not answer" in failure
    [path] = list((folder.root / "partial").iterdir())
    assert len(read_shard(path).of(Program)) == 4, "one question was answered"
    assert folder.failure(path.stem).read_text() == "the endpoint did not answer; ask again"
    assert work([folder.unit(path.stem)], tell=said.append) == 0
    assert not path.exists()


SBATCH = """#!/bin/sh
# stands for Slurm: runs the jobs of the array, one after the other
for word in "$@"; do
    case "$word" in --array=0-*) last="${word#--array=0-}" ;; esac
    script="$word"
done
test "$1" = "--partition=gpu" || { echo "no such partition" >&2; exit 3; }
number=0
while [ "$number" -le "$last" ]; do
    SLURM_ARRAY_TASK_ID="$number" sh "$script" >/dev/null 2>"$script.err" || exit 4
    number=$((number + 1))
done
echo "4711;cluster"
"""


def test_an_array_of_slurm_makes_the_same(project: Project, tmp_path: Path, alone: Keys) -> None:
    sbatch = tmp_path / "sbatch"
    sbatch.write_text(SBATCH)
    sbatch.chmod(sbatch.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(InputError, match="absent' cannot be run"):
        run(project, workers=Workers(2, str(tmp_path / "absent")))
    with pytest.raises(EngineError, match="ended with code 3: no such partition"):
        run(project, workers=Workers(2, str(sbatch)))
    summary = run(project, workers=Workers(2, f"{sbatch} --partition=gpu", unit=4))
    assert any("units were submitted as array 4711;cluster" in note for note in summary.notes)
    assert keys(project)["program"] == []
    summary = run(project, workers=Workers(2, f"{sbatch} --partition=gpu"))
    assert keys(project) == alone
    assert not any("submitted" in note for note in summary.notes), "nothing was missing"
    script = (project.path / FOLDER / "array.sh").read_text()
    assert "#SBATCH --output=" in script


def test_a_unit_is_its_content(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = planned(project, monkeypatch, unit=4)
    first = folder.present()
    assert planned(project, monkeypatch, unit=2).present() == first, "an earlier plan stays"
    path = folder.unit(first[0])
    values = json.loads(path.read_text())
    values["k"] = 1
    path.write_text(json.dumps(values))
    with pytest.raises(InputError, match="changed by hand"):
        work([path])
    path.write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        work([path])
    with pytest.raises(InputError, match="never planned, or is done"):
        work([folder.unit("absent")])
    again = planned(project, monkeypatch, unit=4)
    units = [read_unit(again.unit(key)) for key in again.present()]
    assert sum(len(unit.tasks) for unit in units) == 2 * TASKS, "each question once in each span"


def test_a_worker_with_other_code_refuses_the_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own_parts.py"
    own.write_text(SMALL_PARTS.read_text())
    with made(tmp_path, student=f'{{ part = "{own}:ShareOfRed" }}') as project:
        folder = planned(project, monkeypatch)
    own.write_text(own.read_text() + "\n# another one\n")
    units = [folder.unit(key) for key in folder.present()]
    answers = [path for path in units if read_unit(path).stages == ("predict",)]
    assert work(answers) == len(answers) == 2
    reason = folder.failure(answers[0].stem).read_text()
    assert reason.startswith("the student 'share-of-red' is another one here than where")


def test_a_damaged_shard_is_done_again(
    project: Project, monkeypatch: pytest.MonkeyPatch, alone: Keys
) -> None:
    folder = planned(project, monkeypatch)
    folder.shards.mkdir()
    folder.shard(folder.present()[0]).write_bytes(b"PAR1 and nothing more")
    summary = run(project)
    assert any("cannot be read" in note for note in summary.notes)
    assert keys(project) == alone


@pytest.mark.parametrize("number", [0, 1001])
def test_numbers_of_workers_have_bounds(number: int) -> None:
    with pytest.raises(InputError, match="workers must be 1 to 1000"):
        Workers(number)
