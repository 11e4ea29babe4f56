"""The model that is trained: loaded, its adapters put on, and at the end put together again as a
plain checkpoint.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from torch import Tensor, nn
from transformers import AutoModelForImageTextToText, AutoProcessor

from workbench.errors import InputError, MissingPart
from workbench.models import region_vlm  # noqa: F401 - makes the Auto classes know the bundled student
from workbench.models.bundled import save_checkpoint, student_folder
from workbench.models.language import preferred_device, preferred_dtype, quiet
from workbench.train.examples import Adapter
from workbench.train.job import Job, Lora


@dataclass(frozen=True, slots=True)
class LoadedStudent:
    """A student ready to be trained."""

    model: Any
    adapter: Adapter
    base: str
    """The checkpoint that it started from, as a folder or hub id."""


def dtype_of(job: Job, device: torch.device) -> torch.dtype:
    """What the forward pass computes in."""
    if job.precision == "auto":
        found = preferred_dtype(device)
        return (
            found if found == torch.bfloat16 else torch.float32
        )  # half precision overflows without loss scaling
    return torch.bfloat16 if job.precision == "bf16" else torch.float32


@contextmanager
def _told(student: str) -> Iterator[None]:
    """What transformers raises while it loads, as errors that say what to do."""
    try:
        with quiet():
            yield
    except ImportError as error:
        raise MissingPart(
            f"the student '{student}' needs a package that is absent ({_brief(error)}); the processors of Qwen-VL and "
            "SmolVLM2 take: pip install torchvision num2words"
        ) from error
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"the student '{student}' cannot be loaded ({_brief(error)}); give 'bundled', the folder of a "
            "checkpoint of AutoModelForImageTextToText, or a hub id"
        ) from error


def load_adapter(student: str) -> tuple[str, Adapter]:
    """A student's checkpoint and its processor, without weights.

    Raises InputError: no such checkpoint, or one without pictures.  MissingPart: its processor
    needs a package.
    """
    base = str(student_folder()) if student == "bundled" else student
    with _told(student):
        processor = AutoProcessor.from_pretrained(base)
    if not hasattr(processor, "tokenizer"):
        raise InputError(
            f"the student '{student}' has no processor for pictures; take a vision-language model"
        )
    return base, Adapter(processor)


def load_student(
    job: Job, device: torch.device | None = None, quantised: bool | None = None
) -> LoadedStudent:
    """Load a job's student on the processor, with what is trained marked `requires_grad`.

    Adapters are float32 beside weights of the job's precision, and so are all weights when all are
    trained: an update of 1e-4 vanishes in bfloat16.

    Args:
        device: where it will run; decides the precision.
        quantised: 4-bit weights; what the job says if left out.

    Raises InputError: no such checkpoint, unknown layers.  MissingPart: a package that its
    processor or 4-bit weights need is absent.
    """
    device = device or preferred_device()
    quantised = job.method == "qlora" if quantised is None else quantised
    dtype = torch.float32 if job.method == "full" else dtype_of(job, device)
    more = {"quantization_config": _four_bits(dtype)} if quantised else {}
    base, adapter = load_adapter(job.student)
    with _told(job.student):
        model = AutoModelForImageTextToText.from_pretrained(base, dtype=dtype, **more)
    _ends(model, adapter)
    if quantised:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if job.method == "full":
        model.requires_grad_(True)
    else:
        model = with_adapters(model, job.lora, job.seed)
    if job.checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return LoadedStudent(model, adapter, base)


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def _ends(model: Any, adapter: Adapter) -> None:
    """Make generation stop where training taught it to stop."""
    end = model.generation_config.eos_token_id
    known = [] if end is None else [end] if isinstance(end, int) else list(end)
    if adapter.end[-1] not in known:
        model.generation_config.eos_token_id = [*known, adapter.end[-1]]


def _four_bits(dtype: torch.dtype) -> Any:
    if importlib.util.find_spec("bitsandbytes") is None or not torch.cuda.is_available():
        raise MissingPart(
            "qlora needs a CUDA device and a package: pip install bitsandbytes; or take method = 'lora'"
        )
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def with_adapters(model: Any, lora: Lora, seed: int) -> Any:
    """Put adapters on a model; everything else is frozen.  The same seed gives the same adapters."""
    names = linear_layers(model, lora)
    torch.manual_seed(seed)
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=names,
        task_type="CAUSAL_LM",
    )
    with quiet():
        return get_peft_model(model, config)


def linear_layers(model: Any, lora: Lora) -> list[str]:
    """Full names of the layers that get adapters: every linear one but the head, narrowed by
    `where` and `targets`.

    Raises InputError when a target is unknown, or none is left.
    """
    head = model.get_output_embeddings()
    decoder = {id(module) for module in model.get_decoder().modules()}
    linear = {
        name: id(module) in decoder
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module is not head
    }
    where = [name for name, inside in linear.items() if lora.where == "everywhere" or not inside]
    layers = sorted({name.rpartition(".")[2] for name in where})
    if unknown := [
        target for target in lora.targets if not any(_named(name, target) for name in where)
    ]:
        raise InputError(
            f"no linear layer of the student ({lora.where}) is called {', '.join(unknown)}; there are: "
            f"{', '.join(layers) or 'none'}"
        )
    found = [
        name
        for name in where
        if not lora.targets or any(_named(name, target) for target in lora.targets)
    ]
    if not found:
        raise InputError("the student has no linear layer in its encoder; set where = 'everywhere'")
    return found


def _named(name: str, target: str) -> bool:
    return name == target or name.endswith("." + target)


def trainable_parameters(model: Any) -> dict[str, nn.Parameter]:
    """What is trained, by name; a tied weight once."""
    return {
        name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad
    }


def put(model: Any, weights: Mapping[str, Tensor]) -> None:
    """Set what is trained.  Raises InputError when the weights are those of another model."""
    own = trainable_parameters(model)
    wrong = sorted(set(own) ^ set(weights)) or [
        n for n, p in own.items() if p.shape != weights[n].shape
    ]
    if wrong:
        raise InputError(
            f"the checkpoint is of another model or other adapters ({len(wrong)} weights differ, for example "
            f"{wrong[0]}); resume with the job that wrote it"
        )
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(weights[name])


def finish(job: Job, weights: Mapping[str, Tensor], target: Path) -> Path:
    """Write the trained student as a plain checkpoint that the Auto classes load: adapters merged,
    whole or not at all.

    Raises InputError when the weights are those of another model.
    """
    loaded = load_student(job, quantised=False)
    put(loaded.model, weights)
    model = loaded.model
    if job.method == "full":
        model = model.to(dtype_of(job, preferred_device()))
    else:
        model = model.merge_and_unload()
    save_checkpoint(model, loaded.adapter.processor, target)
    return target
