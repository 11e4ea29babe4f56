"""Where a job runs: this machine, a Slurm cluster, a Ray cluster.

The run itself is the same everywhere.  What a job needs on another machine is its folder and its
snapshot's folder on a disk that both see.
"""

from __future__ import annotations

import importlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.errors import InputError, MissingPart
from workbench.train.job import FILE, Job


def local_command(folder: Path, job: Job) -> list[str]:
    """The command that runs a job's folder on this machine."""
    if job.runner:
        return [sys.executable, "-m", "workbench.train.foreign", str(folder / FILE)]
    run = ["-m", "workbench.train.run", str(folder / FILE)]
    if job.processes == 1 and not job.sharded:
        return [sys.executable, *run]
    return [sys.executable, "-m", "accelerate.commands.launch", *_options(job, 1), *run]


def _options(job: Job, nodes: int) -> list[str]:
    options = ["--num_processes", str(job.processes * nodes), "--num_machines", str(nodes)]
    options += ["--mixed_precision", "no", "--dynamo_backend", "no"]
    if job.sharded:
        options += [
            "--use_fsdp",
            "--fsdp_version",
            "2",
            "--fsdp_auto_wrap_policy",
            "TRANSFORMER_BASED_WRAP",
        ]
    elif job.processes * nodes > 1:
        options.append("--multi_gpu")
    return options


def node_script(folder: Path, job: Job, nodes: int) -> str:
    """The shell line that Slurm runs on every node: an `accelerate launch` that meets the others.

    Args:
        folder: the job's folder, on a disk that every node sees.
        job: its processes are those of each node.
        nodes: number of nodes; the first one is where they meet.
    """
    words = [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        *_options(job, nodes),
        "--rdzv_backend",
        "static",
    ]
    quoted = shlex.join(words)
    meeting = (
        '--machine_rank "$SLURM_NODEID" --main_process_port 29500 '
        '--main_process_ip "$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"'
    )
    return f"{quoted} {meeting} -m workbench.train.run {shlex.quote(str(folder / FILE))}"


def _package(name: str, what: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = "ray[default]" if name.startswith("ray") else name
        raise MissingPart(
            f"{what} needs a package that is absent: pip install '{package}'"
        ) from error


def to_slurm(
    folder: Path, job: Job, nodes: int = 1, hours: float = 4.0, options: Sequence[str] = ()
) -> str:
    """Hand a job to Slurm through submitit; returns Slurm's number.

    Args:
        folder: the job's folder, on a disk that every node sees.
        job: its processes are those of each node.
        nodes: number of nodes.
        hours: longest duration.
        options: more options of sbatch, as `partition=gpu`.

    Raises:
        MissingPart: submitit is absent.
        InputError: an option has no value, or a runner would run on several nodes.
    """
    if job.runner and nodes > 1:
        raise InputError(
            f"a runner runs on one node, found {nodes} nodes; let the command itself ask the "
            "cluster for more"
        )
    submitit = _package("submitit", "Slurm")
    more = dict(option.partition("=")[::2] for option in options)
    if empty := [key for key, value in more.items() if not value]:
        raise InputError(f"the Slurm option {empty[0]!r} has no value; write {empty[0]}=VALUE")
    executor = submitit.AutoExecutor(folder=folder / "slurm")
    executor.update_parameters(
        name=f"vpd-{folder.name}",
        timeout_min=round(60 * hours),
        nodes=nodes,
        tasks_per_node=1,
        gpus_per_node=job.processes,
        slurm_additional_parameters=more,
    )
    command = (
        ["bash", "-c", node_script(folder, job, nodes)] if nodes > 1 else local_command(folder, job)
    )
    return str(executor.submit(submitit.helpers.CommandFunction(command)).job_id)


def to_ray(folder: Path, job: Job, address: str = "http://127.0.0.1:8265") -> str:
    """Hand a job to a Ray cluster as a Ray Job, which runs on one node; returns Ray's name for it.

    Args:
        folder: the job's folder, on a disk that the node sees.
        job: its processes decide the number of GPUs.
        address: of the cluster's dashboard.

    Raises:
        MissingPart: ray is absent.
    """
    client = _package("ray.job_submission", "Ray").JobSubmissionClient(address)
    return str(
        client.submit_job(
            entrypoint=shlex.join(local_command(folder, job)),
            submission_id=f"vpd-{folder.name}",
            entrypoint_num_gpus=job.processes,
        )
    )
