"""Any vision-language model of transformers behind three verbs: load, generate, choose.

One code path serves the bundled student and every hub checkpoint of `AutoModelForImageTextToText`
(SmolVLM, Qwen-VL, LLaVA, PaliGemma, Idefics): the processor's chat template makes the prompt,
greedy decoding or option scoring makes the answer.  Question text is hostile: the tokenizer's
special tokens are removed from it before it is templated.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor

from workbench.errors import InputError
from workbench.models import region_vlm
from workbench.models.bundled import student_folder
from workbench.models.checkpoint import checkpoint_state
from workbench.models.language import preferred_dtype, quiet
from workbench.ports import Forgetful, Images
from workbench.records import Region

MAX_PROMPT = 2000
"""Longest prompt, in characters; the rest is cut."""


def special_tokens(tokenizer: Any) -> list[str]:
    """The tokens that may not stand in a question or an answer, the longest first."""
    return sorted(
        set(tokenizer.all_special_tokens) | {region_vlm.IMAGE_TOKEN}, key=len, reverse=True
    )


def plain_text(text: str, special: Sequence[str]) -> str:
    """A text of bounded length on one line, without special tokens."""
    text = " ".join(text[:MAX_PROMPT].split())
    before = None
    while before != text:  # removing one token may join the halves of another
        before = text
        for token in special:
            text = text.replace(token, "")
    return text


class Vlm:
    """A loaded model with its processor.

    It is safe for several threads: they make their inputs one after the other.
    """

    def __init__(self, model: Any, processor: Any, name: str, batch_size: int = 16) -> None:
        self.model = model.eval()
        self.processor = processor
        self.name = name
        self.batch_size = batch_size
        tokenizer = getattr(processor, "tokenizer", processor)
        tokenizer.padding_side = "left"
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        self.tokenizer = tokenizer
        # a processor keeps state while it works: padding, features of pictures
        self._lock = threading.Lock()
        self._special = special_tokens(tokenizer)

    @staticmethod
    def load(checkpoint: str = "bundled", device: str | None = None, batch_size: int = 16) -> Vlm:
        """The model of a checkpoint, loaded once per process.

        Args:
            checkpoint: `bundled`, a folder, or a hub id.
            device: A device as torch names it; None takes CUDA where there is one.
            batch_size: Rows per forward pass.

        Raises:
            InputError: there is no such checkpoint.
        """
        place = device or ("cuda" if torch.cuda.is_available() else "cpu")
        return _load(checkpoint, place, batch_size, checkpoint_state(checkpoint))

    def clean(self, text: str) -> str:
        """A text of bounded length on one line, without the model's special tokens."""
        return plain_text(text, self._special)

    def _inputs(
        self, pictures: Sequence[Image.Image], prompts: Sequence[str], answers: Sequence[str]
    ) -> Any:
        chats = [
            [
                {
                    "role": "user",
                    "content": [{"type": "image"}, {"type": "text", "text": self.clean(prompt)}],
                }
            ]
            for prompt in prompts
        ]
        texts = [
            self.processor.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
            + answer
            for chat, answer in zip(chats, answers, strict=True)
        ]
        with self._lock:
            batch = self.processor(
                images=[[p] for p in pictures], text=texts, padding=True, return_tensors="pt"
            )
        batch.pop("labels", None)  # PaliGemma's processor adds some to every prompt
        return batch.to(self.model.device)

    @torch.inference_mode()
    def generate(
        self,
        regions: Sequence[Region],
        prompts: Sequence[str],
        images: Images,
        max_tokens: int = 24,
        begun: Sequence[str] = (),
    ) -> list[str]:
        """Greedy answers without special tokens, one per region and prompt, in the same order.

        Args:
            regions: The regions whose crops are the pictures.
            prompts: One prompt per region.
            images: Where the crops come from.
            max_tokens: Longest answer, in tokens.
            begun: The beginning of each answer, or nothing; the answers hold what comes behind it.
        """
        out: list[str] = []
        begun = [self.clean(text) for text in begun] or [""] * len(prompts)
        for start in range(0, len(regions), self.batch_size):
            part = slice(start, start + self.batch_size)
            batch = self._inputs(
                [images.crop(r) for r in regions[part]], prompts[part], begun[part]
            )
            done = self.model.generate(
                **batch,
                max_new_tokens=max_tokens,
                do_sample=False,
                pad_token_id=self.tokenizer.pad_token_id,
            )
            new = done[:, batch["input_ids"].shape[1] :]
            out += [
                text.strip() for text in self.tokenizer.batch_decode(new, skip_special_tokens=True)
            ]
        return out

    @torch.inference_mode()
    def stream(
        self,
        region: Region,
        prompt: str,
        images: Images,
        max_tokens: int,
        watch: Callable[[str], None],
    ) -> str:
        """The answer to one prompt, as `generate` gives it, with its text as it is written.

        Args:
            region: The region whose crop is the picture.
            prompt: The prompt.
            images: Where the crop comes from.
            max_tokens: Longest answer, in tokens.
            watch: Called with each piece of the text; an error that it raises stops the writing.
        """
        batch = self._inputs([images.crop(region)], [prompt], [""])
        writer = _TokenWatcher(self.tokenizer, watch)
        self.model.generate(
            **batch,
            max_new_tokens=max_tokens,
            do_sample=False,
            pad_token_id=self.tokenizer.pad_token_id,
            streamer=writer,
        )
        return writer.text.strip()

    def forget(self) -> None:
        """Let the processor forget all pictures, so that the next answer is timed in full."""
        if isinstance(self.processor, Forgetful):
            with self._lock:
                self.processor.forget()

    @torch.inference_mode()
    def choose(
        self,
        regions: Sequence[Region],
        prompts: Sequence[str],
        options: Sequence[Sequence[str]],
        images: Images,
    ) -> list[list[float]]:
        """For each prompt, how probable each of its options is as the answer; they add to 1.

        An option's weight is its length-normalised likelihood, so that longer names are not
        punished.

        Args:
            regions: The regions whose crops are the pictures.
            prompts: One prompt per region.
            options: The options of each prompt.
            images: Where the crops come from.
        """
        rows = [(i, option) for i, choices in enumerate(options) for option in choices]
        scores: list[float] = []
        for start in range(0, len(rows), self.batch_size):
            part = rows[start : start + self.batch_size]
            pictures = [images.crop(regions[i]) for i, _ in part]
            questions = [prompts[i] for i, _ in part]
            batch = self._inputs(pictures, questions, [self.clean(option) for _, option in part])
            with self._lock:
                lengths = [
                    len(self.tokenizer(self.clean(o), add_special_tokens=False)["input_ids"])
                    for _, o in part
                ]
            keep = max(lengths) + 1
            logits: Tensor = self.model(**batch, logits_to_keep=keep).logits.float().log_softmax(-1)
            targets = batch["input_ids"][:, -keep + 1 :]
            logp = logits[:, :-1].gather(-1, targets.unsqueeze(-1)).squeeze(-1)
            scores += [float(logp[j, -n:].mean()) if n else -99.0 for j, n in enumerate(lengths)]
        out, at = [], 0
        for choices in options:
            out.append(torch.tensor(scores[at : at + len(choices)]).softmax(0).tolist())
            at += len(choices)
        return out


class _TokenWatcher:
    """A streamer, to which `generate` hands the prompt first and then each new token."""

    def __init__(self, tokenizer: Any, watch: Callable[[str], None]) -> None:
        self._tokenizer, self._watch = tokenizer, watch
        self._tokens: list[int] | None = None
        self.text = ""

    def put(self, value: Tensor) -> None:
        if self._tokens is None:  # the prompt
            self._tokens = []
            return
        self._tokens += value.flatten().tolist()
        text = self._tokenizer.decode(self._tokens, skip_special_tokens=True)
        # the last token may hold half a character
        if len(text) > len(self.text) and not text.endswith("\ufffd"):
            piece, self.text = text[len(self.text) :], text
            self._watch(piece)

    def end(self) -> None:
        """Do nothing; `generate` calls this behind the last token."""


@lru_cache(maxsize=2)
def _load(checkpoint: str, device: str, batch_size: int, state: str) -> Vlm:
    """The model in this state: where a folder's weights are others by now, they are loaded anew."""
    path = str(student_folder()) if checkpoint == "bundled" else checkpoint
    is_path = "/" in checkpoint and checkpoint[0] in "./~"
    if checkpoint != "bundled" and is_path and not Path(checkpoint).is_dir():
        raise InputError(f"no model folder at {checkpoint}; give 'bundled', a folder, or a hub id")
    try:
        with quiet():
            model = AutoModelForImageTextToText.from_pretrained(
                path, dtype=preferred_dtype(device)
            ).to(device)
            processor = AutoProcessor.from_pretrained(path)
    except OSError as error:
        raise InputError(
            f"the model '{checkpoint}' cannot be loaded: {str(error).splitlines()[0]}"
        ) from error
    return Vlm(model, processor, checkpoint, batch_size)
