"""Whole runs of tiny students: resumed, divided among processes, stopped, refused."""

import importlib.util
import shutil
import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_job import cut_off_at, job_folder, run_in_two_processes, snapshot
from tiny_vlms import make

from workbench.errors import ProfileError
from workbench.images import ImageFolder
from workbench.models.student import TransformersStudent
from workbench.snapshot import Snapshot
from workbench.snapshot.example import task_of
from workbench.train import checkpoint, training_run
from workbench.train.job import Job, Lora, job_of, job_text, read_job, write_job
from workbench.train.run import execute
from workbench.train.status_files import LEFT_OUT, read_json, read_lines


def curve(folder: Path) -> dict[int, float]:
    """Loss by step; a step may be there only once."""
    rows = [row for row in read_lines(folder / "metrics.jsonl") if "loss" in row]
    found = {row["step"]: row["loss"] for row in rows}
    assert len(found) == len(rows)
    return found


def failure(folder: Path, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Run a job that has to fail: no model and no result may be there; returns its card, with what
    was printed.
    """
    assert execute(folder) != 0
    assert not (folder / "model").exists()
    assert not (folder / "result.json").exists()
    status = read_json(folder / "status.json")
    assert status["state"] == "failed"
    return {**status["failure"], "said": capfd.readouterr().err}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("family", "method"), [("region", "lora"), ("pointer", "lora"), ("pointer", "full")]
)
def test_a_run_ends_with_a_model_that_answers(tmp_path: Path, family: str, method: str) -> None:
    folder = job_folder(tmp_path, family, method=method)
    assert execute(folder) == 0
    status, result = read_json(folder / "status.json"), read_json(folder / "result.json")
    assert (status["state"], status["step"], status["total"]) == ("done", 4, 4)
    assert list(curve(folder)) == [1, 2, 3, 4]
    assert result["of"] == 2
    assert result["snapshot"] in (folder / "model" / "README.md").read_text()
    answers = read_lines(folder / "validation.jsonl")
    assert sorted({row["step"] for row in answers}) == [0, 2, 4]
    assert all(type(row["cut"]) is bool for row in answers)
    assert all(
        "cut" in figures for figures in read_lines(folder / "metrics.jsonl") if "of" in figures
    )
    student = TransformersStudent(str(folder / "model"), device="cpu")
    taken = Snapshot.open(Path(read_job(folder / "job.toml").snapshot))
    example = taken.examples("val")[0]
    said = student.answer([task_of(example)], ImageFolder(taken.path / "images"))[0].answer
    assert isinstance(said, str)


def test_the_model_offered_is_the_best_checkpoints(tmp_path: Path) -> None:
    folder = job_folder(tmp_path, method="full")
    assert execute(folder) == 0
    kept = checkpoint.weights_of(
        folder / "checkpoints" / f"step-{read_json(folder / 'result.json')['step']:06d}"
    )
    from transformers import AutoModelForImageTextToText

    offered = AutoModelForImageTextToText.from_pretrained(folder / "model").state_dict()
    for name, weight in kept.items():
        torch.testing.assert_close(offered[name].float(), weight)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_resumed_run_has_the_curve_of_an_unbroken_one(tmp_path: Path, method: str) -> None:
    settings: dict[str, Any] = {
        "method": method,
        "steps": 6,
        "lora": Lora(r=2, alpha=4, dropout=0.2),
    }
    unbroken, broken = (
        job_folder(tmp_path, name=name, **settings) for name in ("unbroken", "broken")
    )
    assert execute(unbroken) == 0
    with cut_off_at(3):
        assert execute(broken) == 1
    assert list(curve(broken)) == [1, 2, 3]
    assert execute(broken) == 0
    assert curve(broken) == pytest.approx(curve(unbroken), rel=1e-6)
    last = [
        checkpoint.weights_of(folder / "checkpoints" / "step-000006")
        for folder in (unbroken, broken)
    ]
    for name, weight in last[0].items():
        torch.testing.assert_close(weight, last[1][name], rtol=1e-5, atol=1e-7)


def test_two_processes_give_the_curve_of_one(tmp_path: Path) -> None:
    one, two = (job_folder(tmp_path, name=name, batch=5, eval_every=4) for name in ("one", "two"))
    assert execute(one) == 0
    run_in_two_processes(two)
    assert curve(two) == pytest.approx(curve(one), rel=1e-4)
    figures = [
        [row for row in read_lines(f / "metrics.jsonl") if "accuracy" in row][-1]
        for f in (one, two)
    ]
    assert figures[1]["eval_loss"] == pytest.approx(figures[0]["eval_loss"], rel=1e-4)
    weights = [
        checkpoint.weights_of(folder / "checkpoints" / "step-000004") for folder in (one, two)
    ]
    for name, weight in weights[0].items():
        torch.testing.assert_close(weights[1][name], weight, rtol=1e-3, atol=1e-4)


def test_a_stopped_run_keeps_a_checkpoint_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = job_folder(tmp_path, steps=5, eval_every=50)
    take = training_run.TrainingRun.step

    def then_stop(self: training_run.TrainingRun, step: int) -> Any:
        (folder / "stop").touch()
        return take(self, step)

    with monkeypatch.context() as patched:
        patched.setattr(training_run.TrainingRun, "step", then_stop)
        assert execute(folder) == 0
    assert read_json(folder / "status.json")["state"] == "stopped"
    assert [path.name for path in checkpoint.checkpoints(folder)] == ["step-000001"]
    assert not (folder / "model").exists()
    assert execute(folder) == 0
    assert list(curve(folder)) == [1, 2, 3, 4, 5]


def test_it_ends_early_when_nothing_gets_better(tmp_path: Path) -> None:
    folder = job_folder(tmp_path, steps=50, eval_every=1, patience=2, lr=1e-12)
    assert execute(folder) == 0
    done = read_json(folder / "status.json")["step"]
    assert done < 50
    assert read_json(folder / "result.json")["step"] < done
    assert len(checkpoint.checkpoints(folder)) == 2


def test_a_run_that_is_done_is_not_run_again(tmp_path: Path) -> None:
    folder = job_folder(tmp_path, steps=1)
    assert execute(folder) == 0
    before = (folder / "metrics.jsonl").read_bytes()
    assert execute(folder) == 0
    assert (folder / "metrics.jsonl").read_bytes() == before


def test_adapters_on_the_encoder_alone_leave_the_rest(tmp_path: Path) -> None:
    folder = job_folder(tmp_path, steps=1, lora=Lora(r=2, where="encoder"))
    assert execute(folder) == 0
    names = checkpoint.weights_of(folder / "checkpoints" / "step-000001")
    assert names
    assert not [name for name in names if "text_model" in name]
    assert [name for name in names if "vision_model" in name]
    assert [name for name in names if "connector" in name]


def test_without_held_out_questions_the_last_step_is_offered(tmp_path: Path) -> None:
    folder = job_folder(tmp_path, steps=2)
    taken = snapshot(tmp_path / "other", val=0)
    write_job(replace(read_job(folder / "job.toml"), snapshot=str(taken.path)), folder)
    assert execute(folder) == 0
    result = read_json(folder / "result.json")
    assert (result["step"], result["of"], result["accuracy"]) == (2, 0, None)
    assert "no held-out questions" in (folder / "model" / "README.md").read_text()


def test_checkpointing_activations_changes_nothing(tmp_path: Path) -> None:
    plain, spared = (
        job_folder(tmp_path, "region", name=name, steps=2, checkpointing=on)
        for name, on in (("a", False), ("b", True))
    )
    assert (execute(plain), execute(spared)) == (0, 0)
    assert curve(spared) == pytest.approx(curve(plain), rel=1e-5)


# What is wrong with what was given


def test_a_missing_snapshot(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = job_folder(tmp_path)
    write_job(replace(read_job(folder / "job.toml"), snapshot="../gone"), folder)
    card = failure(folder, capfd)
    assert card["cause"] == "snapshot"
    assert "there is no snapshot at" in card["said"]


def test_nothing_accepted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = job_folder(tmp_path)
    empty = snapshot(tmp_path / "empty", rows=2, val=2)
    write_job(replace(read_job(folder / "job.toml"), snapshot=str(empty.path)), folder)
    assert "has no training example; accept some questions" in failure(folder, capfd)["text"]


def test_a_picture_that_is_gone_or_broken(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = job_folder(tmp_path)
    taken = Snapshot.open(Path(read_job(folder / "job.toml").snapshot))
    found = taken.images.path(taken.examples("train")[0].image)
    assert found is not None
    held = found.read_bytes()
    found.unlink()
    assert "pictures of the snapshot" in failure(folder, capfd)["text"]
    found.write_bytes(held[: len(held) // 2])
    broken = failure(folder, capfd)["text"]
    assert taken.examples("train")[0].task_id in broken
    assert "skip_broken = true" in broken
    file = folder / "job.toml"
    file.write_text(job_text(replace(read_job(file), skip_broken=True)), encoding="utf-8")
    assert execute(folder) == 0
    (row,) = read_lines(folder / LEFT_OUT)
    assert row["task_id"] == taken.examples("train")[0].task_id
    assert "is not a picture that can be read" in row["reason"]


def test_unknown_layers_are_listed_against_those_there(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    card = failure(job_folder(tmp_path, lora=Lora(targets=("q_proj", "wq"))), capfd)
    assert card["cause"] == "layers"
    assert "is called wq; there are: " in card["text"]
    assert "gate_proj" in card["text"]


def test_a_checkpoint_of_another_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = job_folder(tmp_path, steps=2)
    assert execute(folder) == 0
    (folder / "result.json").unlink()
    shutil.rmtree(folder / "model")
    job = read_job(folder / "job.toml")
    write_job(replace(job, steps=4, lora=replace(job.lora, r=3)), folder)
    assert "is a checkpoint of another job" in failure(folder, capfd)["text"]
    state = folder / "checkpoints" / "step-000002" / "state.json"
    state.write_text(state.read_text().replace(job.key, read_job(folder / "job.toml").key))
    assert "is a checkpoint of another model or other adapters" in failure(folder, capfd)["text"]


def test_a_disk_that_fills(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = job_folder(tmp_path)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.train.checkpoint.save_file", full)
    card = failure(folder, capfd)
    assert (card["cause"], card["advice"]) == ("disk", "Free space, then resume.")
    assert list((folder / "checkpoints").iterdir()) == []


def test_memory_that_runs_out_names_the_change(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr("workbench.train.loss.outputs_of", none_left)
    card = failure(job_folder(tmp_path), capfd)
    assert (card["cause"], card["change"]) == ("memory", {"micro_batch": 1})


def test_a_loss_that_is_no_number(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    card = failure(job_folder(tmp_path, lr=1e30, clip=0.0, schedule="constant"), capfd)
    assert (card["cause"], card["change"]) == ("diverged", {"lr": 3.3e29})


def test_a_student_that_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    card = failure(job_folder(tmp_path, student=str(tmp_path / "nowhere")), capfd)
    assert card["cause"] == "student"


def test_a_processor_that_needs_a_package(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if importlib.util.find_spec("torchvision"):
        pytest.skip("torchvision is there")
    model, processor = make("qwen2_vl")
    folder = tmp_path / "qwen"
    for part in (model, processor.tokenizer, processor.image_processor):
        part.save_pretrained(folder)
    (folder / "processor_config.json").write_text('{"processor_class": "Qwen2VLProcessor"}')
    card = failure(job_folder(tmp_path, student=str(folder)), capfd)
    assert (card["cause"], "'vpd-workbench[hub]' torch==" in card["text"]) == ("package", True)


def test_four_bits_need_a_package(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    card = failure(job_folder(tmp_path, method="qlora"), capfd)
    assert (card["cause"], "pip install bitsandbytes" in card["text"]) == ("package", True)


def test_a_job_reads_back_as_it_was_written(tmp_path: Path) -> None:
    job = Job(
        "s p\"a'c\\e\n\x7f",
        name="ünï",
        arguments={"weight": 0.5},
        lora=Lora(targets=("q_proj", "v_proj")),
        seed=3,
    )
    write_job(job, tmp_path)
    assert read_job(tmp_path / "job.toml") == job
    assert job_of({**asdict(job)}) == job
    assert tomllib.loads(job_text(job))["lora"]["targets"] == ["q_proj", "v_proj"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "snapshot = 's'\nlearning_rate = 1",
            r"learning_rate is an unknown key \(there are: snapshot, student",
        ),
        ("snapshot = 's'\n[lora]\nrank = 8", r"lora\.rank is an unknown key \(there are: r, alpha"),
        (
            "student = 's'",
            r"snapshot is missing, expected text that is not empty \(Folder .*; vpd snapshot makes one",
        ),
        ("snapshot = ''", "snapshot must be text that is not empty, found ''"),
        ("snapshot = 's'\nlr = 'fast'", "lr must be a number above 0, found 'fast'"),
        ("snapshot = 's'\nlr = nan", "lr must be a number above 0, found nan"),
        ("snapshot = 's'\nclip = inf", "clip must be a number from 0, found inf"),
        ("snapshot = 's'\nwarmup = 1", "warmup must be a number from 0 to below 1, found 1"),
        ("snapshot = 's'\nbatch = 0", "batch must be a whole number from 1, found 0"),
        ("snapshot = 's'\nbatch = true", "batch must be a whole number"),
        (
            "snapshot = 's'\nmethod = 'dora'",
            "method must be one of lora, qlora, full, found 'dora'",
        ),
        (
            "snapshot = 's'\nbetas = [0.9]",
            "betas must be a list of 2, every item a number from 0 to below 1, found",
        ),
        (
            "snapshot = 's'\n[lora]\ntargets = ['']",
            r"lora\.targets must be a list, every item text that is not empty",
        ),
        ("snapshot = 's'\narguments = 3", "arguments must be a table, found 3"),
        (
            "snapshot = 's'\n[arguments]\nday = 2020-01-01",
            r"arguments\.day must be true or false, .* or a table",
        ),
        (
            "lr = 0\nspeed = 1\nlora = { r = 0 }",
            "4 errors: lr must .*; speed is .*; lora.r must .*; snapshot is missing",
        ),
        ("snapshot = 's'\nlora = 8", "lora must be a table"),
        ("snapshot = ", "is not valid TOML"),
    ],
)
def test_a_wrong_job_is_told_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "job.toml").write_text(text)
    with pytest.raises(ProfileError, match=said):
        read_job(tmp_path / "job.toml")


def test_a_job_of_an_earlier_version_keeps_its_key() -> None:
    """A checkpoint goes on only under the key that it was written with."""
    # its file says how often it looks, which a new one leaves to the run
    assert job_of({"snapshot": "a/b", "eval_every": 50}).key == "7887be93a136fe334891"
    whole = {
        "snapshot": "s",
        "eval_every": 50,
        "lr": 1,
        "betas": [0, 0.5],
        "epochs": 2,
        "clip": 1,
        "warmup": 0,
        "student": "x/y",
        "weight_decay": 0,
        "lora": {"r": 4, "targets": ["q"], "dropout": 0},
        "arguments": {"weight": 1, "names": ["a", 1], "t": {"x": 1.5}},
    }
    assert job_of(whole).key == "c1b458c7d97716c31033", (
        "whole numbers for numbers, as they were read before"
    )
