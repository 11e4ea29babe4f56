"""Adapters in 16 bits: the optimizer changes copies in full precision, and a checkpoint has them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_job import job_folder
from tiny_vlms import make

from workbench.errors import InputError, MissingPart
from workbench.train import checkpoint
from workbench.train.job import Job, Lora, read_job
from workbench.train.load import adapter_dtype_of, linear_layers, load_student
from workbench.train.run import execute
from workbench.train.status_files import METRICS, read_lines
from workbench.train.training_run import TrainingRun

HALF = {"precision": "bf16", "adapter_precision": "bf16", "max_val": 1}
CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def losses(folder: Path) -> list[tuple[float, float]]:
    return [(row["loss"], row["norm"]) for row in read_lines(folder / METRICS) if "loss" in row]


def test_a_run_of_16_bits_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = job_folder(tmp_path, name="whole", **HALF)
    assert execute(whole) == 0
    cut = job_folder(tmp_path, name="cut", **HALF)
    begun = TrainingRun(read_job(cut / "job.toml"), cut, None)
    for step in range(2):
        begun.step(step)
    weights, state = checkpoint.gather(begun.model, begun.optimizer)
    checkpoint.save(cut, begun.job, weights, state, {"step": 2, "best": {}, "waited": 0})
    assert execute(cut) == 0
    assert losses(cut) == losses(whole)[2:]
    ends = [checkpoint.weights_of(checkpoint.checkpoints(one)[-1]) for one in (whole, cut)]
    assert all(torch.equal(weight, ends[1][name]) for name, weight in ends[0].items())
    assert all(weight.dtype == torch.float32 for weight in ends[0].values())
    assert any(not torch.equal(w, w.bfloat16().float()) for w in ends[0].values()), "only rounded"


def test_both_precisions_write_one_layout(tmp_path: Path) -> None:
    runs = [
        TrainingRun(read_job(folder / "job.toml"), folder, None)
        for folder in (
            job_folder(tmp_path, name="half", **HALF),
            job_folder(tmp_path, name="full", **{**HALF, "adapter_precision": "fp32"}),
        )
    ]
    for run in runs:
        run.step(0)
    (half, own), (full, other) = (checkpoint.gather(run.model, run.optimizer) for run in runs)
    assert {name: weight.shape for name, weight in half.items()} == {
        name: weight.shape for name, weight in full.items()
    }
    assert {name: set(values) for name, values in own["state"].items()} == {
        name: set(values) for name, values in other["state"].items()
    }
    assert own["param_groups"][0]["params"] == other["param_groups"][0]["params"]


@pytest.mark.parametrize(
    ("wish", "precision", "device", "sharded", "dtype"),
    [
        ("auto", "bf16", CPU, False, torch.float32),
        ("auto", "bf16", CUDA, False, torch.bfloat16),
        ("auto", "bf16", CUDA, True, torch.float32),
        ("fp32", "bf16", CUDA, False, torch.float32),
        ("auto", "fp32", CUDA, False, torch.float32),
        ("bf16", "bf16", CPU, False, torch.bfloat16),
    ],
)
def test_adapters_have_the_students_format_on_a_gpu(
    wish: str, precision: str, device: torch.device, sharded: bool, dtype: torch.dtype
) -> None:
    job = Job("s", adapter_precision=wish, precision=precision, sharded=sharded)  # type: ignore[arg-type]
    assert adapter_dtype_of(job, device) == dtype


def test_16_bits_that_cannot_be_had_are_refused_in_words() -> None:
    with pytest.raises(InputError, match="the student itself is computed in float32"):
        adapter_dtype_of(Job("s", precision="fp32", adapter_precision="bf16"), CPU)
    with pytest.raises(InputError, match="not divided among processes"):
        adapter_dtype_of(
            Job("s", precision="bf16", adapter_precision="bf16", sharded=True, processes=2), CUDA
        )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_fast_kernels_without_a_gpu_are_refused_in_words() -> None:
    with pytest.raises(MissingPart, match=r"written for a CUDA device; set fast = false"):
        load_student(Job("s", student="nowhere", fast=True))


def test_adapters_on_the_decoder_alone_leave_the_eyes() -> None:
    model, _ = make("llava")
    names = {
        where: set(linear_layers(model, Lora(where=where))) for where in ("decoder", "encoder")
    }  # type: ignore[arg-type]
    assert names["decoder"]
    assert names["decoder"] | names["encoder"] == set(linear_layers(model, Lora()))
    assert not names["decoder"] & names["encoder"]
    assert all("language_model" in name for name in names["decoder"])
