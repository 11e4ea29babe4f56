"""Any vision-language model of transformers behind three verbs: load, generate, choose.

One code path serves the bundled student and every hub checkpoint of `AutoModelForImageTextToText`
(SmolVLM, Qwen-VL, LLaVA, PaliGemma, Idefics): the processor's chat template makes the prompt (see
`conversation`), greedy decoding or option scoring makes the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForImageTextToText

from workbench.cut_text import as_written, token_ids
from workbench.errors import InputError
from workbench.models.checkpoint import checkpoint_path, load_processor, loading_errors
from workbench.models.checkpoint_state import checkpoint_state
from workbench.models.conversation import Conversation, RowOfSeen, count_of, first_of
from workbench.models.eyes import with_knowledge
from workbench.models.language import preferred_dtype
from workbench.models.picture_budget import PictureBudget
from workbench.models.pictures_read import PicturesRead, pictures_read
from workbench.models.second_head import with_second_head
from workbench.ports import Forgetful, Images
from workbench.records import Region

MAX_PIXELS = "vpd_max_pixels"
"""Key of a checkpoint's configuration: the bound on pictures under which it was trained."""
GREEDY: Mapping[str, Any] = {"do_sample": False}
TEMPLATE = "vpd_template"
"""Key of a checkpoint's configuration: the options of its chat template when it was trained."""


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """How pictures and questions are put to a checkpoint, where not as it was trained."""

    budget: PictureBudget = field(default_factory=PictureBudget)
    max_pixels: int | None = None
    """Pictures with more pixels are scaled down to so many; 0 for no bound."""
    template: tuple[tuple[str, Any], ...] = ()
    """Options of the chat template, as pairs."""

    def mark(self, config: Any) -> None:
        """Note in a model's configuration what is asked for here."""
        if self.max_pixels is not None:
            setattr(config, MAX_PIXELS, self.max_pixels)
        if self.template:
            setattr(config, TEMPLATE, dict(self.template))


RowOfRegions = Region | tuple[Region, ...]
"""What one question is about: a part of a picture, or parts of several in order."""


class Vlm:
    """A loaded model with its processor.

    It is safe for several threads: they make their inputs one after the other.
    """

    def __init__(self, model: Any, processor: Any, name: str, batch_size: int = 16) -> None:
        self.model = model.eval()
        self.processor = processor
        self.name = name
        self.batch_size = batch_size
        # a student sees pictures as it saw them when it was trained
        self.conversation = Conversation(
            processor,
            int(getattr(model.config, MAX_PIXELS, 0) or 0),
            getattr(model.config, TEMPLATE, None),
        )
        self.tokenizer = self.conversation.tokenizer
        self.read: PicturesRead | None = None
        """What it keeps of pictures; nothing while it is trained, or of another kind."""

    @staticmethod
    def load(
        checkpoint: str = "bundled",
        device: str | None = None,
        batch_size: int = 16,
        view: CheckpointView | None = None,
    ) -> Vlm:
        """The model of a checkpoint, loaded once per process.

        Args:
            checkpoint: `bundled`, a folder, or a hub id.
            device: A device as torch names it; None takes CUDA where there is one.
            batch_size: Rows per forward pass.
            view: How pictures and questions are put to it; as it was trained where None.

        Raises:
            InputError: there is no such checkpoint, or it takes no pictures.
            MissingPart: its processor needs a package.
        """
        place = device or ("cuda" if torch.cuda.is_available() else "cpu")
        state = checkpoint_state(checkpoint)
        return _load(checkpoint, place, batch_size, state, view or CheckpointView())

    def clean(self, text: str) -> str:
        """A text on one line, without the model's special tokens."""
        return self.conversation.clean(text)

    def _inputs(
        self, pictures: Sequence[RowOfSeen], prompts: Sequence[str], begun: Sequence[str]
    ) -> dict[str, Tensor]:
        """What `generate` takes: the questions, each with the beginning of its answer."""
        templated = [
            self.conversation.prompt(prompt, count_of(row))
            for prompt, row in zip(prompts, pictures, strict=True)
        ]
        answers = [
            self.conversation.answer(prompt, text, False, first_of(row))
            for prompt, text, row in zip(templated, begun, pictures, strict=True)
        ]
        batch = self.conversation.batch(pictures, templated, answers, left=True)
        return self._on_device(batch.inputs)

    def _look(self, row: RowOfRegions, images: Images) -> RowOfSeen:
        """The picture of a question as the conversation takes it, or the pictures."""
        if not isinstance(row, tuple):
            return self.conversation.look(images.crop(row))
        if not self.conversation.takes_several:
            raise InputError(
                f"the student '{self.name}' takes one picture; the question has {len(row)}"
            )
        return tuple(self.conversation.look(images.crop(one)) for one in row)

    def _text(self, tokens: Sequence[int], row: RowOfSeen) -> str:
        """The text of an answer's tokens."""
        return self.conversation.text(tokens, first_of(row))

    def _on_device(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        room = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        length = inputs["input_ids"].shape[1]
        if room and length > room:
            raise InputError(
                f"a question and its picture are {length} tokens, and the model '{self.name}' "
                f"reads at most {room}; shorten the question, or take a smaller picture"
            )
        return {name: value.to(self.model.device) for name, value in inputs.items()}

    @torch.inference_mode()
    def generate(
        self,
        regions: Sequence[RowOfRegions],
        prompts: Sequence[str],
        images: Images,
        max_tokens: int = 24,
        begun: Sequence[str] = (),
    ) -> list[str]:
        """Greedy answers without special tokens, one per region and prompt, in the same order.

        Args:
            regions: The regions whose crops are the pictures, or several for a prompt.
            prompts: One prompt per region.
            images: Where the crops come from.
            max_tokens: Longest answer, in tokens.
            begun: The beginning of each answer, or nothing; the answers hold what comes behind it.

        Returns:
            The answers; one that came to `max_tokens` without an end is an `UnendedText`.
        """
        return self._generate(regions, prompts, images, max_tokens, begun, GREEDY)

    @torch.inference_mode()
    def sample(
        self,
        regions: Sequence[RowOfRegions],
        prompts: Sequence[str],
        images: Images,
        max_tokens: int,
        temperature: float,
    ) -> list[str]:
        """Answers as `generate` gives them, drawn from the whole distribution by torch's dice.

        Args:
            regions: The regions whose crops are the pictures, or several for a prompt.
            prompts: One prompt per region.
            images: Where the crops come from.
            max_tokens: Longest answer, in tokens.
            temperature: Divides the logits.
        """
        dice = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
        return self._generate(regions, prompts, images, max_tokens, (), dice)

    def _generate(
        self,
        regions: Sequence[RowOfRegions],
        prompts: Sequence[str],
        images: Images,
        max_tokens: int,
        begun: Sequence[str],
        way: Mapping[str, Any],
    ) -> list[str]:
        """Answers, written in the way that transformers' `generate` is told."""
        out: list[str] = []
        begun = list(begun) or [""] * len(prompts)
        stops = self._stops()
        for start in range(0, len(regions), self.batch_size):
            part = slice(start, start + self.batch_size)
            pictures = [self._look(row, images) for row in regions[part]]
            batch = self._inputs(pictures, prompts[part], begun[part])
            if self.read is not None and way == GREEDY:
                new = self.read.answers(batch, max_tokens)
            else:
                done = self.model.generate(
                    **batch,
                    max_new_tokens=max_tokens,
                    **way,
                    pad_token_id=self.tokenizer.pad_token_id,
                )
                new = done[:, batch["input_ids"].shape[1] :].tolist()
            texts = map(self._text, new, pictures)
            out += [
                as_written(text.strip(), tokens, max_tokens, stops)
                for text, tokens in zip(texts, new, strict=True)
            ]
        return out

    def _stops(self) -> frozenset[int]:
        """The tokens at which transformers' `generate` ends an answer."""
        return token_ids(self.model.generation_config.eos_token_id)

    @torch.inference_mode()
    def stream(
        self,
        region: RowOfRegions,
        prompt: str,
        images: Images,
        max_tokens: int,
        watch: Callable[[str], None],
    ) -> str:
        """The answer to one prompt, as `generate` gives it, with its text as it is written.

        Args:
            region: The region whose crop is the picture, or several.
            prompt: The prompt.
            images: Where the crop comes from.
            max_tokens: Longest answer, in tokens.
            watch: Called with each piece of the text; an error that it raises stops the writing.
        """
        picture = self._look(region, images)
        batch = self._inputs([picture], [prompt], [""])
        writer = _TokenWatcher(lambda tokens: self._text(tokens, picture), watch)
        self.model.generate(
            **batch,
            max_new_tokens=max_tokens,
            do_sample=False,
            pad_token_id=self.tokenizer.pad_token_id,
            streamer=writer,
        )
        return as_written(writer.text.strip(), writer.tokens, max_tokens, self._stops())

    def forget(self) -> None:
        """Forget all pictures, so that the next answer is timed in full."""
        if self.read is not None:
            self.read.forget()
        if isinstance(self.processor, Forgetful):
            with self.conversation.lock:
                self.processor.forget()

    @torch.inference_mode()
    def choose(
        self,
        regions: Sequence[RowOfRegions],
        prompts: Sequence[str],
        options: Sequence[Sequence[str]],
        images: Images,
    ) -> list[list[float]]:
        """For each prompt, how probable each of its options is as the answer; they add to 1.

        An option's weight is the probability of generating it and nothing more: of its tokens
        where an answer stands in the template, and of ending there.

        Args:
            regions: The regions whose crops are the pictures, or several for a prompt.
            prompts: One prompt per region.
            options: The options of each prompt.
            images: Where the crops come from.
        """
        rows = [(i, option) for i, choices in enumerate(options) for option in choices]
        scores: list[float] = []
        for start in range(0, len(rows), self.batch_size):
            part = rows[start : start + self.batch_size]
            pictures = [self._look(regions[i], images) for i, _ in part]
            scores += self._log_likelihoods(pictures, [(prompts[i], text) for i, text in part])
        out, at = [], 0
        for choices in options:
            shares = torch.tensor(scores[at : at + len(choices)], dtype=torch.float64).softmax(0)
            out.append(shares.tolist())
            at += len(choices)
        return out

    def _log_likelihoods(
        self, pictures: Sequence[RowOfSeen], rows: Sequence[tuple[str, str]]
    ) -> list[float]:
        """The log-probability of each row's answer, whole, to its question."""
        talk = self.conversation
        templated = [
            talk.prompt(question, count_of(picture))
            for (question, _), picture in zip(rows, pictures, strict=True)
        ]
        answers = [
            talk.answer(prompt, text, picture=first_of(picture))
            for prompt, (_, text), picture in zip(templated, rows, pictures, strict=True)
        ]
        if self.read is not None and all(answers):
            questions = talk.batch(pictures, templated, [()] * len(rows), left=True)
            return self.read.likelihoods(self._on_device(questions.inputs), answers)
        batch = talk.batch(pictures, templated, answers)
        targets = batch.targets[:, 1:]
        at = (targets >= 0).any(0).nonzero().squeeze(1)
        kept = targets[:, at].to(self.model.device)
        inputs = self._on_device(batch.inputs)
        logits: Tensor = self.model(
            **inputs, logits_to_keep=at.to(self.model.device), use_cache=False
        ).logits
        chances = logits.float().log_softmax(-1)
        each = chances.gather(-1, kept.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        totals: list[float] = each.masked_fill(kept < 0, 0.0).sum(-1).tolist()
        return totals


class _TokenWatcher:
    """A streamer, to which `generate` hands the prompt first and then each new token."""

    def __init__(self, read: Callable[[Sequence[int]], str], watch: Callable[[str], None]) -> None:
        self._read, self._watch = read, watch
        self._begun = False
        self.tokens: list[int] = []
        self.text = ""

    def put(self, value: Tensor) -> None:
        if not self._begun:  # the prompt
            self._begun = True
            return
        self.tokens += value.flatten().tolist()
        text = self._read(self.tokens)
        # the last token may hold half a character
        if len(text) > len(self.text) and not text.endswith("\ufffd"):
            piece, self.text = text[len(self.text) :], text
            self._watch(piece)

    def end(self) -> None:
        """Do nothing; `generate` calls this behind the last token."""


@lru_cache(maxsize=2)
def _load(checkpoint: str, device: str, batch_size: int, state: str, view: CheckpointView) -> Vlm:
    """The model in this state: where a folder's weights are others by now, they are loaded anew."""
    processor = load_processor(checkpoint)
    view.budget.apply(processor)
    with loading_errors(checkpoint):
        model = AutoModelForImageTextToText.from_pretrained(
            checkpoint_path(checkpoint), dtype=preferred_dtype(device)
        ).to(device)
        model = with_second_head(model, checkpoint_path(checkpoint))
        model = with_knowledge(model, checkpoint_path(checkpoint))
    view.mark(model.config)
    vlm = Vlm(model, processor, checkpoint, batch_size)
    vlm.read = pictures_read(model.eval())
    return vlm
