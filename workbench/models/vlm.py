"""Any vision-language model of transformers behind three verbs: load, generate, choose.

One code path serves the bundled student and every hub checkpoint of `AutoModelForImageTextToText`
(SmolVLM, Qwen-VL, LLaVA, PaliGemma, Idefics): the processor's chat template makes the prompt, greedy
decoding or option scoring makes the answer.  Question text is hostile: the tokenizer's special tokens are
removed from it before it is templated.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from workbench.models.language import preferred_dtype, quiet
from workbench.ports import Images
from workbench.records import Region

MAX_PROMPT = 2000
"""Longest prompt taken, in characters; the rest is cut."""


class Vlm:
    """A loaded model with its processor.  Not thread-safe: one call at a time."""

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
        self._special = sorted(set(tokenizer.all_special_tokens) | {region_vlm.IMAGE_TOKEN}, key=len, reverse=True)

    @staticmethod
    def load(checkpoint: str = "bundled", device: str | None = None, batch_size: int = 16) -> Vlm:
        """`bundled`, a folder, or a hub id; loaded once per process.

        Raises InputError when there is no such checkpoint.
        """
        return _load(checkpoint, device or ("cuda" if torch.cuda.is_available() else "cpu"), batch_size)

    def clean(self, text: str) -> str:
        """One line of plain text: special tokens and line breaks taken out, length bounded."""
        text = " ".join(text[:MAX_PROMPT].split())
        before = None
        while before != text:  # removing one token may join the halves of another
            before = text
            for token in self._special:
                text = text.replace(token, "")
        return text

    def _inputs(self, pictures: Sequence[Image.Image], prompts: Sequence[str], answers: Sequence[str]) -> Any:
        chats = [
            [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": self.clean(prompt)}]}]
            for prompt in prompts
        ]
        texts = [
            self.processor.apply_chat_template(chat, add_generation_prompt=True, tokenize=False) + answer
            for chat, answer in zip(chats, answers, strict=True)
        ]
        batch = self.processor(images=[[p] for p in pictures], text=texts, padding=True, return_tensors="pt")
        return batch.to(self.model.device)

    @torch.inference_mode()
    def generate(
        self, regions: Sequence[Region], prompts: Sequence[str], images: Images, max_tokens: int = 24
    ) -> list[str]:
        """Greedy answers, one per (region, prompt), same order; each stripped of special tokens."""
        out: list[str] = []
        for start in range(0, len(regions), self.batch_size):
            part = slice(start, start + self.batch_size)
            batch = self._inputs([images.crop(r) for r in regions[part]], prompts[part], [""] * len(regions[part]))
            done = self.model.generate(
                **batch, max_new_tokens=max_tokens, do_sample=False, pad_token_id=self.tokenizer.pad_token_id
            )
            new = done[:, batch["input_ids"].shape[1] :]
            out += [text.strip() for text in self.tokenizer.batch_decode(new, skip_special_tokens=True)]
        return out

    @torch.inference_mode()
    def choose(
        self, regions: Sequence[Region], prompts: Sequence[str], options: Sequence[Sequence[str]], images: Images
    ) -> list[list[float]]:
        """For each prompt, how probable each of its options is as the answer; they add to 1.

        An option's weight is its length-normalised likelihood, so that longer names are not punished.
        """
        rows = [(i, option) for i, choices in enumerate(options) for option in choices]
        scores: list[float] = []
        for start in range(0, len(rows), self.batch_size):
            part = rows[start : start + self.batch_size]
            pictures = [images.crop(regions[i]) for i, _ in part]
            asked = [prompts[i] for i, _ in part]
            batch = self._inputs(pictures, asked, [self.clean(option) for _, option in part])
            lengths = [len(self.tokenizer(self.clean(o), add_special_tokens=False)["input_ids"]) for _, o in part]
            keep = max(lengths) + 1
            logits: Tensor = self.model(**batch, logits_to_keep=keep).logits.float().log_softmax(-1)
            targets = batch["input_ids"][:, -keep + 1 :]
            picked = logits[:, :-1].gather(-1, targets.unsqueeze(-1)).squeeze(-1)
            scores += [float(picked[j, -n:].mean()) if n else -99.0 for j, n in enumerate(lengths)]
        out, at = [], 0
        for choices in options:
            out.append(torch.tensor(scores[at : at + len(choices)]).softmax(0).tolist())
            at += len(choices)
        return out


@lru_cache(maxsize=2)
def _load(checkpoint: str, device: str, batch_size: int) -> Vlm:
    path = str(student_folder()) if checkpoint == "bundled" else checkpoint
    if checkpoint != "bundled" and "/" in checkpoint and checkpoint[0] in "./~" and not Path(checkpoint).is_dir():
        raise InputError(f"no model folder at {checkpoint}; give 'bundled', a folder, or a hub id")
    try:
        with quiet():
            model = AutoModelForImageTextToText.from_pretrained(path, dtype=preferred_dtype(device)).to(device)
            processor = AutoProcessor.from_pretrained(path)
    except OSError as error:
        raise InputError(f"the model '{checkpoint}' cannot be loaded: {str(error).splitlines()[0]}") from error
    return Vlm(model, processor, checkpoint, batch_size)
