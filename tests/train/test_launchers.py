"""Commands for other machines; the clusters' own packages are not needed to make them."""

import shlex
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from workbench.errors import InputError, MissingPart
from workbench.train.job import Job
from workbench.train.launchers import local_command, node_script, to_ray, to_slurm

FOLDER = Path("/shared/jobs/it's one")


def test_one_process_needs_no_launcher() -> None:
    assert local_command(FOLDER, Job("s")) == [
        sys.executable,
        "-m",
        "workbench.train.run",
        "/shared/jobs/it's one/job.toml",
    ]


def test_several_processes_are_launched_by_accelerate() -> None:
    command = local_command(FOLDER, Job("s", processes=4))
    assert command[1:3] == ["-m", "accelerate.commands.launch"]
    assert command[command.index("--num_processes") + 1] == "4"
    assert "--multi_gpu" in command
    assert command[-3:] == ["-m", "workbench.train.run", "/shared/jobs/it's one/job.toml"]


def test_a_sharded_run_is_fsdp_2() -> None:
    command = local_command(FOLDER, Job("s", processes=4, sharded=True))
    assert "--multi_gpu" not in command
    assert command[command.index("--fsdp_version") + 1] == "2"


def test_every_node_gets_its_rank_and_the_first_ones_address() -> None:
    script = node_script(FOLDER, Job("s", processes=8), nodes=2)
    assert "--num_processes 16 --num_machines 2" in script
    assert '--machine_rank "$SLURM_NODEID"' in script
    assert shlex.split(script)[-1] == "/shared/jobs/it's one/job.toml"


def test_accelerate_takes_the_options() -> None:
    from accelerate.commands.launch import launch_command_parser

    command = local_command(FOLDER, Job("s", processes=2, sharded=True))
    given = launch_command_parser().parse_args(command[3:])
    assert (given.num_processes, given.use_fsdp, given.training_script) == (
        2,
        True,
        "workbench.train.run",
    )


def test_an_absent_cluster_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("submitit", "ray", "ray.job_submission"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingPart, match="pip install 'submitit'"):
        to_slurm(FOLDER, Job("s"))
    with pytest.raises(MissingPart, match=r"pip install 'ray\[default\]'"):
        to_ray(FOLDER, Job("s"))


class Slurm:
    """Stands where submitit would: notes what it is asked for."""

    asked: ClassVar[dict[str, Any]] = {}

    class AutoExecutor:
        def __init__(self, folder: Path) -> None:
            Slurm.asked["folder"] = folder

        def update_parameters(self, **given: Any) -> None:
            Slurm.asked |= given

        def submit(self, command: list[str]) -> SimpleNamespace:
            Slurm.asked["command"] = command
            return SimpleNamespace(job_id=77)

    helpers = SimpleNamespace(CommandFunction=list)


def test_slurm_gets_the_nodes_their_gpus_and_more_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", Slurm)
    assert (
        to_slurm(FOLDER, Job("s", processes=8), nodes=2, hours=0.5, options=["partition=big"])
        == "77"
    )
    assert (Slurm.asked["nodes"], Slurm.asked["gpus_per_node"], Slurm.asked["timeout_min"]) == (
        2,
        8,
        30,
    )
    assert Slurm.asked["slurm_additional_parameters"] == {"partition": "big"}
    assert Slurm.asked["command"][:2] == ["bash", "-c"]
    with pytest.raises(InputError, match="write partition=VALUE"):
        to_slurm(FOLDER, Job("s"), options=["partition"])
