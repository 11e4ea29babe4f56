"""The model that is trained: from a checkpoint, with adapters, to a plain checkpoint again."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForImageTextToText

from workbench.errors import InputError, MissingPart
from workbench.models.bundled import save_checkpoint
from workbench.models.checkpoint import checkpoint_path, load_processor, loading_errors
from workbench.models.language import preferred_device, preferred_dtype, quiet
from workbench.models.picture_budget import PictureBudget
from workbench.models.vlm import MAX_PIXELS, TEMPLATE
from workbench.train.examples import Adapter
from workbench.train.job import Job, Lora
from workbench.train.kernels import check_fast, make_fast


@dataclass(frozen=True, slots=True)
class LoadedStudent:
    """A student ready to be trained."""

    model: Any
    adapter: Adapter
    base: str
    """The checkpoint that it starts from, as a folder or hub id."""


def dtype_of(job: Job, device: torch.device) -> torch.dtype:
    """The number format of the forward pass."""
    if job.precision == "auto":
        # Half precision overflows without loss scaling.
        dtype = preferred_dtype(device)
        return dtype if dtype == torch.bfloat16 else torch.float32
    return torch.bfloat16 if job.precision == "bf16" else torch.float32


def adapter_dtype_of(job: Job, device: torch.device) -> torch.dtype:
    """The number format of the adapters.

    Raises:
        InputError: the job wishes for 16 bits where they cannot be had.
    """
    compute = dtype_of(job, device)
    if job.adapter_precision == "bf16" and (job.sharded or compute != torch.bfloat16):
        reason = (
            "the copies in float32 that the optimizer changes are not divided among processes"
            if job.sharded
            else "the student itself is computed in float32 here (precision = 'bf16' changes that)"
        )
        raise InputError(f"adapter_precision = 'bf16' is not to be had: {reason}; set it to 'auto'")
    own = job.adapter_precision == "bf16" or (
        job.adapter_precision == "auto" and device.type != "cpu" and not job.sharded
    )
    return compute if own else torch.float32


def load_adapter(
    student: str,
    max_pixels: int = 0,
    budget: PictureBudget | None = None,
    template: Mapping[str, Any] | None = None,
) -> tuple[str, Adapter]:
    """A student's checkpoint and its processor, without weights.

    Args:
        student: `bundled`, a checkpoint's folder, or a hub id.
        max_pixels: as `Adapter` takes it.
        budget: how much of a picture is seen; as the checkpoint has it where None.
        template: options of the chat template.

    Raises:
        InputError: there is no such checkpoint, or it takes no pictures; or it has no setting for
            the budget or the template.
        MissingPart: its processor needs a package.
    """
    processor = load_processor(student)
    (budget or PictureBudget()).apply(processor)
    return checkpoint_path(student), Adapter(processor, max_pixels, template)


def adapter_of(job: Job) -> tuple[str, Adapter]:
    """The checkpoint and the processor of a job's student, as the job has pictures seen.

    Raises:
        InputError: as `load_adapter`.
        MissingPart: as `load_adapter`.
    """
    return load_adapter(job.student, job.max_pixels, budget_of(job), job.template)


def budget_of(job: Job) -> PictureBudget:
    """How much of a picture a job's student sees."""
    return PictureBudget(job.tiles, job.soft_tokens)


def check_family(student: str, path: str) -> None:
    """Refuse a family that cannot be taught here, before its weights are read.

    Args:
        student: as the job names it.
        path: folder or hub id of its checkpoint.

    Raises:
        InputError: the family computes logits at every position, or has cross-attention.
    """
    with loading_errors(student):
        config = AutoConfig.from_pretrained(path)
        family = config.model_type
        kind = AutoModelForImageTextToText._model_mapping[type(config)]
    kind = kind[0] if isinstance(kind, tuple) else kind
    text = config.get_text_config()
    if getattr(text, "cross_attention_layers", None) or family == "mllama":
        raise InputError(
            f"the student '{student}' is of the family {family}, which looks at pictures by "
            "cross-attention: its mask would have to grow with each answer; take a student whose "
            "pictures stand among the tokens, such as Qwen3-VL or SmolVLM"
        )
    if "logits_to_keep" not in inspect.signature(kind.forward).parameters:
        raise InputError(
            f"the student '{student}' is of the family {family}, which gives logits at every "
            "position (its forward takes no logits_to_keep): those of a picture would be most of "
            "the memory; take another student, such as Qwen3-VL or SmolVLM"
        )


def load_student(
    job: Job,
    device: torch.device | None = None,
    quantised: bool | None = None,
    exact: bool = False,
) -> LoadedStudent:
    """Load a job's student on the processor, with what is trained marked `requires_grad`.

    All weights are float32 when all are trained: an update of 1e-4 vanishes in bfloat16. Adapters
    of 16 bits have masters in float32, which the optimizer keeps.

    Args:
        job: what to train.
        device: where it will run; decides the precision.
        quantised: whether the weights have 4 bits; the job decides when None.
        exact: whether adapters are float32 whatever the job says, as for adding them in.

    Raises:
        InputError: there is no such checkpoint, or a layer is unknown.
        MissingPart: a package that its processor, 4-bit weights or fast kernels need is absent.
    """
    device = device or preferred_device()
    if job.fast and not exact:
        check_fast()
    quantised = job.method == "qlora" if quantised is None else quantised
    dtype = torch.float32 if job.method == "full" else dtype_of(job, device)
    more = {"quantization_config": _four_bits(dtype)} if quantised else {}
    base, adapter = adapter_of(job)
    check_family(job.student, base)
    with loading_errors(job.student):
        model = AutoModelForImageTextToText.from_pretrained(base, dtype=dtype, **more)
    _end_where_trained(model, adapter)
    setattr(model.config, MAX_PIXELS, adapter.max_pixels)
    if job.template:
        setattr(model.config, TEMPLATE, dict(job.template))
    if job.fast and not exact:
        make_fast(model)
    if quantised:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if job.method == "full":
        model.requires_grad_(True)
    else:
        kind = torch.float32 if exact else adapter_dtype_of(job, device)
        model = with_adapters(model, job.lora, job.seed, kind)
    if job.checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return LoadedStudent(model, adapter, base)


def _end_where_trained(model: Any, adapter: Adapter) -> None:
    """Make generation stop at the token that ends a lesson."""
    end = model.generation_config.eos_token_id
    if end is None:
        ends = []
    else:
        ends = [end] if isinstance(end, int) else list(end)
    if adapter.end[-1] not in ends:
        model.generation_config.eos_token_id = [*ends, adapter.end[-1]]


def _four_bits(dtype: torch.dtype) -> Any:
    if importlib.util.find_spec("bitsandbytes") is None or not torch.cuda.is_available():
        raise MissingPart(
            "qlora needs a CUDA device and a package: pip install bitsandbytes; or take method = "
            "'lora'"
        )
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def with_adapters(model: Any, lora: Lora, seed: int, dtype: torch.dtype = torch.float32) -> Any:
    """Put adapters on a model, and freeze everything else.

    Args:
        model: without adapters.
        lora: which layers get adapters, and of which size.
        seed: the same one gives the same adapters.
        dtype: number format of the adapters.
    """
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
        model = get_peft_model(model, config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(dtype)
    return model


def linear_layers(model: Any, lora: Lora) -> list[str]:
    """Full names of the linear layers that get adapters, narrowed by `where` and `targets`.

    The head, which gives the logits, gets none.

    Raises:
        InputError: a target is unknown, or no layer is left.
    """
    where = _layers_of(model, lora)
    unknown = [target for target in lora.targets if not any(_is_named(n, target) for n in where)]
    if unknown:
        layers = sorted({name.rpartition(".")[2] for name in where})
        raise InputError(
            f"no linear layer of the student ({lora.where}) is called {', '.join(unknown)}; there "
            f"are: {', '.join(layers) or 'none'}"
        )
    targets = [
        name
        for name in where
        if not lora.targets or any(_is_named(name, target) for target in lora.targets)
    ]
    if not targets:
        raise InputError(
            f"the student has no linear layer in its {lora.where}; set where = 'everywhere'"
        )
    return targets


def _layers_of(model: Any, lora: Lora) -> list[str]:
    """Names of the linear layers of the whole model, or of the part that `where` names."""
    head = model.get_output_embeddings()
    decoder = {id(module) for module in model.get_decoder().modules()}
    wish = {"everywhere": (True, False), "encoder": (False,), "decoder": (True,)}[lora.where]
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module is not head and (id(module) in decoder) in wish
    ]


def _is_named(name: str, target: str) -> bool:
    return name == target or name.endswith("." + target)


@torch.no_grad()
def plain_weights(model: Any) -> dict[str, Tensor]:
    """The weights of a student by the names they have without adapters, adapters added in.

    Raises:
        InputError: they have 4 bits, so that nothing can be added to them.
    """
    weights = {}
    for name, module in model.named_modules():
        plain = name.removeprefix("base_model.model.")
        base = getattr(module, "base_layer", None)
        if base is not None and hasattr(module, "get_delta_weight"):
            if not base.weight.is_floating_point():
                raise InputError(
                    "the weights of this student have 4 bits, and this teacher follows whole "
                    "ones; set method = 'lora'"
                )
            delta = sum(module.get_delta_weight(one) for one in module.active_adapters)
            weights[f"{plain}.weight"] = base.weight + delta
            if base.bias is not None:
                weights[f"{plain}.bias"] = base.bias
        elif not (".lora_" in name or name.endswith("base_layer")):
            for own, weight in module.named_parameters(recurse=False):
                weights[f"{plain}.{own}" if plain else own] = weight
    return weights


def trainable_parameters(model: Any) -> dict[str, nn.Parameter]:
    """The trainable weights by name; a tied weight has one name."""
    return {
        name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad
    }


def put(model: Any, weights: Mapping[str, Tensor]) -> None:
    """Set the trainable weights of a model.

    Raises:
        InputError: the weights are those of another model.
    """
    own = trainable_parameters(model)
    wrong = sorted(set(own) ^ set(weights)) or [
        n for n, p in own.items() if p.shape != weights[n].shape
    ]
    if wrong:
        raise InputError(
            f"the checkpoint is of another model or other adapters ({len(wrong)} weights differ, "
            f"for example {wrong[0]}); resume with the job that wrote it"
        )
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(weights[name])


def finish(job: Job, weights: Mapping[str, Tensor], target: Path) -> Path:
    """Write the trained student, adapters merged, as a checkpoint that the Auto classes load.

    Args:
        job: what was trained.
        weights: trainable weights by name.
        target: folder of the checkpoint, written whole or not at all; returned.

    Raises:
        InputError: the weights are those of another model.
    """
    loaded = load_student(job, quantised=False, exact=True)
    put(loaded.model, weights)
    model = loaded.model
    if job.method == "full":
        model = model.to(dtype_of(job, preferred_device()))
    else:
        model = model.merge_and_unload()
    save_checkpoint(model, loaded.adapter.processor, target)
    return target
