"""Checkpoints of a run: trainable weights, optimizer state, step; each is written whole or not.

checkpoints/step-000050/
    weights.safetensors   what is trained, float32
    optimizer.pt          of the newest checkpoint alone
    state.json            step, the job's key, figures; written last

The order of the examples, the learning rate and the random numbers of a step are functions of seed
and step, so that nothing else has to be kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict

from workbench.errors import InputError
from workbench.records import JSON
from workbench.train.job import Job
from workbench.train.optimizer import ScheduledAdamW
from workbench.train.sources import changed_sources
from workbench.train.status_files import read_json, write_json

FOLDER, WEIGHTS, OPTIMIZER, STATE = (
    "checkpoints",
    "weights.safetensors",
    "optimizer.pt",
    "state.json",
)
_WHOLE = StateDictOptions(
    full_state_dict=True, cpu_offload=True, ignore_frozen_params=True, strict=False
)


def gather(model: Any, optimizer: ScheduledAdamW) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The trainable weights and the optimizer's state, whole, in the memory of the first process.

    Of parameters of low precision the copies in full precision are taken.  Every process has to
    call it; the others may get empty mappings.
    """
    if optimizer.masters:
        return _gather_masters(model, optimizer)
    weights, state = get_state_dict(model, optimizer.adam, options=_WHOLE)
    # A tied weight has two names in the state, and one among the parameters.
    once = {name.removeprefix("module.") for name, _ in model.named_parameters()}
    whole = {
        name: weight
        for name, weight in weights.items()
        if name in once and isinstance(weight, Tensor)
    }
    return {name: weight.float().contiguous() for name, weight in whole.items()}, state


def _names(model: Any, optimizer: ScheduledAdamW) -> list[tuple[str, Tensor]]:
    """What the optimizer changes, in its order, by the names of the parameters that compute."""
    name_of = {id(p): name.removeprefix("module.") for name, p in model.named_parameters()}
    name_of |= {id(master): name_of[id(live)] for live, master in optimizer.masters}
    return [
        (name_of[id(parameter)], parameter)
        for group in optimizer.adam.param_groups
        for parameter in group["params"]
    ]


def _gather_masters(
    model: Any, optimizer: ScheduledAdamW
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The same for an optimizer of copies, which are no parameters of the model, in one layout."""
    names = _names(model, optimizer)
    weights = {name: parameter.detach().float().cpu().contiguous() for name, parameter in names}
    plain = optimizer.adam.state_dict()
    state = {
        name: {
            key: value.cpu() if isinstance(value, Tensor) else value
            for key, value in plain["state"].get(at, {}).items()
        }
        for at, (name, _) in enumerate(names)
    }
    groups = [
        {**group, "params": [names[at][0] for at in group["params"]]}
        for group in plain["param_groups"]
    ]
    return weights, {"state": state, "param_groups": groups}


def _restore_masters(
    model: Any,
    optimizer: ScheduledAdamW,
    weights: Mapping[str, Tensor],
    state: Mapping[str, Any],
) -> None:
    """Put a checkpoint into an optimizer of copies, and round them into the model.

    Args:
        model: gets the weights.
        optimizer: gets copies and state.
        weights: by name.
        state: of the optimizer, by the same names.
    """
    names = _names(model, optimizer)
    with torch.no_grad():
        for name, parameter in names:
            parameter.copy_(weights[name])
    optimizer.round_masters()
    plain = optimizer.adam.state_dict()
    own = {
        at: state["state"][name] for at, (name, _) in enumerate(names) if state["state"].get(name)
    }
    optimizer.adam.load_state_dict({"state": own, "param_groups": plain["param_groups"]})


def save(
    folder: Path,
    job: Job,
    weights: Mapping[str, Tensor],
    optimizer: Mapping[str, Any],
    state: Mapping[str, JSON],
    beside: Callable[[Path], None] | None = None,
) -> Path:
    """Write one checkpoint whole or not at all; returns its folder.

    Args:
        folder: the job's folder.
        job: its key is noted, so that no other job goes on from the checkpoint.
        weights: trainable weights by name.
        optimizer: state of the optimizer.
        state: `step`, and what else the run needs to go on.
        beside: writes more files into the folder.
    """
    target = folder / FOLDER / f"step-{state['step']:06d}"
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        save_file(dict(weights), part / WEIGHTS)
        torch.save(optimizer, part / OPTIMIZER)
        if beside is not None:
            beside(part)
        write_json(part / STATE, {**state, "key": job.key})
        shutil.rmtree(target, ignore_errors=True)
        part.replace(target)
    except (OSError, SafetensorError, RuntimeError):
        shutil.rmtree(part, ignore_errors=True)
        raise
    return target


def prune(folder: Path, best: int) -> None:
    """Keep the newest checkpoint whole and the best one's weights; every other one goes."""
    paths = checkpoints(folder)
    for path in paths[:-1]:
        if read_json(path / STATE)["step"] == best:
            (path / OPTIMIZER).unlink(missing_ok=True)
        else:
            shutil.rmtree(path, ignore_errors=True)


def checkpoints(folder: Path) -> list[Path]:
    """A run's whole checkpoints, by step."""
    return sorted(path for path in (folder / FOLDER).glob("step-*") if read_json(path / STATE))


def newest(folder: Path, job: Job) -> Path | None:
    """The checkpoint to go on from; None where there is none.

    Raises:
        InputError: a job with another student, snapshot or settings wrote it.
    """
    paths = [path for path in checkpoints(folder) if (path / OPTIMIZER).is_file()]
    if not paths:
        return None
    state = read_json(paths[-1] / STATE)
    if state.get("key") == job.key and (problem := changed_sources(state, job)):
        raise InputError(
            f"{paths[-1]} was made with {problem}, which holds something else by now; put it back "
            "as it was, or clone the job to start anew"
        )
    if state.get("key") != job.key:
        raise InputError(
            f"{paths[-1]} is a checkpoint of another job: its student, snapshot, adapters or "
            "settings differ from job.toml; put job.toml back as it was, or clone the job to start "
            "anew"
        )
    return paths[-1]


def weights_of(path: Path) -> dict[str, Tensor]:
    """The trainable weights of a checkpoint.

    Raises:
        InputError: the file is damaged.
    """
    try:
        weights: dict[str, Tensor] = load_file(path / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path / WEIGHTS} cannot be read ({error}); delete {path.name} to go on without it"
        ) from error
    return weights


def restore(path: Path, model: Any, optimizer: ScheduledAdamW) -> dict[str, Any]:
    """Put a checkpoint into a model and its optimizer; every process has to call it.

    Args:
        path: folder of the checkpoint.
        model: gets the weights.
        optimizer: gets the optimizer's state.

    Returns:
        What `save` was given as `state`.

    Raises:
        InputError: the checkpoint is damaged, or of another model.
    """
    weights = weights_of(path)
    own, _ = gather(model, optimizer)
    wrong = sorted(set(own) ^ set(weights)) or [
        name for name in own if own[name].shape != weights[name].shape
    ]
    if own and wrong:
        raise InputError(
            f"{path} is a checkpoint of another model or other adapters ({len(wrong)} weights "
            f"differ, for example {wrong[0]}); resume with the student that wrote it"
        )
    try:
        state = torch.load(path / OPTIMIZER, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(
            f"{path / OPTIMIZER} cannot be read ({error}); delete {path.name} to go on without it"
        ) from error
    if optimizer.masters:
        _restore_masters(model, optimizer, weights, state)
    else:
        set_state_dict(
            model,
            optimizer.adam,
            model_state_dict={**weights},
            optim_state_dict=state,
            options=_WHOLE,
        )
    return read_json(path / STATE)
