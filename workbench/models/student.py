"""The student behind its port: it answers from picture and question alone, without programs.

It has two prompts, as in the paper (Hu et al. 2024, section 3.3): one for the short answer, and one
whose suffix asks for the rationale.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from transformers import AutoConfig

from workbench.boxes import Box
from workbench.cut_text import UnendedText, cut_reason
from workbench.errors import InputError
from workbench.local_files import real_path
from workbench.models.bundled import student_folder
from workbench.models.checkpoint_state import with_state
from workbench.models.language import quiet
from workbench.models.picture_budget import PictureBudget
from workbench.models.vlm import CheckpointView, RowOfRegions, Vlm
from workbench.models.weights import (
    SMALL,
    files_digest,
    folder_digest,
    is_folder,
    reader_of,
    small_folder,
    weights_digest,
    with_detector,
    with_language,
)
from workbench.ports import Images
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.records import JSON, PartRef, Prediction, Region, Task, content_key
from workbench.several_pictures import only_picture

RATIONALE_TOKENS = 160


def _as_seen(ref: PartRef, view: CheckpointView) -> PartRef:
    """A student's reference with how pictures are put to it, where not as it was trained."""
    changes: dict[str, JSON] = {}
    if view.max_pixels is not None:
        changes["max_pixels"] = view.max_pixels
    if not view.budget.tiles:
        changes["tiles"] = False
    if view.budget.soft_tokens:
        changes["soft_tokens"] = view.budget.soft_tokens
    if view.template:
        changes["template"] = dict(view.template)
    return replace(ref, arguments={**ref.arguments, **changes}) if changes else ref


class TransformersStudent:
    """Any checkpoint of `AutoModelForImageTextToText`, the larger base student by default.

    Args:
        checkpoint: `bundled`, `small`, `distilled`, a folder, or a hub id.
        batch_size: Questions per forward pass.
        max_tokens: Longest short answer, in tokens.
        max_rationale_tokens: Longest rationale, in tokens.
        device: A device as torch names it; None takes CUDA where there is one.
        max_pixels: Pictures with more pixels are scaled down to so many, 0 for no bound; None takes
            the bound under which the checkpoint was trained.
        tiles: Whether a family that cuts pictures into tiles may.
        soft_tokens: Largest number of positions of a picture; 0 leaves the family's own bound.
        template: Options of the chat template, such as `enable_thinking`.

    Raises:
        InputError: there is no such checkpoint.
    """

    def __init__(
        self,
        checkpoint: str = "bundled",
        batch_size: int = 16,
        max_tokens: int = 16,
        max_rationale_tokens: int = RATIONALE_TOKENS,
        device: str | None = None,
        max_pixels: int | None = None,
        tiles: bool = True,
        soft_tokens: int = 0,
        template: Mapping[str, JSON] | None = None,
    ) -> None:
        options = tuple(sorted((template or {}).items()))
        budget = PictureBudget(tiles, soft_tokens)
        view = CheckpointView(budget, max_pixels, options)
        self._vlm = Vlm.load(checkpoint, device, batch_size, view)
        self._max = {False: max_tokens, True: max_rationale_tokens}
        self.ref = _as_seen(self.reference(checkpoint, max_tokens, max_rationale_tokens), view)

    @staticmethod
    def reference(
        checkpoint: str = "bundled",
        max_tokens: int = 16,
        max_rationale_tokens: int = RATIONALE_TOKENS,
    ) -> PartRef:
        """The reference by which every record names this student; its weights are not loaded.

        A folder goes by the last two parts of its path, by a digest of its weights and by one of
        the other files that it computes with: two training jobs' models are two students although
        both folders are called `model`, a folder that was moved is still the same student, and one
        whose chat template or processor was edited is another.

        Args:
            checkpoint: `bundled`, `small`, `distilled`, a folder, or a hub id.
            max_tokens: Longest short answer, in tokens.
            max_rationale_tokens: Longest rationale, in tokens.

        Raises:
            InputError: there is no such checkpoint.
        """
        arguments: dict[str, int | str] = {"max_tokens": max_tokens}
        if max_rationale_tokens != RATIONALE_TOKENS:
            arguments["max_rationale_tokens"] = max_rationale_tokens
        if checkpoint == "bundled":
            version = with_detector(student_folder().name.rsplit("-", 1)[-1])
            return PartRef("student", checkpoint, version, arguments)
        if checkpoint in SMALL:
            version = with_language(folder_digest(small_folder(checkpoint)))
            return PartRef("student", checkpoint, version, arguments)
        if is_folder(checkpoint):
            folder = real_path(Path(checkpoint).expanduser())
            version = weights_digest(folder)
            arguments["files"] = files_digest(folder)
            reader = reader_of(folder)
            if reader and (state := with_state("", reader)):
                arguments["reader"] = state
            return PartRef("student", "/".join(folder.parts[-2:]), version, arguments)
        try:
            with quiet():
                config = AutoConfig.from_pretrained(checkpoint)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"the model '{checkpoint}' cannot be loaded: {reason}") from error
        return PartRef(
            "student", checkpoint, getattr(config, "_commit_hash", None) or "1", arguments
        )

    def tokens(self, text: str) -> int:
        """Length of a text in this student's tokens."""
        return self._vlm.conversation.length(text)

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        """One prediction per question, in the same order.

        Args:
            tasks: Questions.
            images: Where their pictures come from.
            explain: Whether the student writes a rationale in place of a short answer.
        """
        started = time.perf_counter()
        requests = [self._request(task, images, explain) for task in tasks]
        texts = self._vlm.generate(
            [region for region, _ in requests],
            [prompt for _, prompt in requests],
            images,
            self._max[explain],
        )
        seconds = (time.perf_counter() - started) / max(len(tasks), 1)
        return [
            self._prediction(task, explain, text, seconds)
            for task, text in zip(tasks, texts, strict=True)
        ]

    def yes_shares(self, tasks: Sequence[Task], images: Images) -> list[float]:
        """For each question, the share of yes in the probability of yes and no as short answers."""
        requests = [self._request(task, images, False) for task in tasks]
        regions, prompts = [region for region, _ in requests], [prompt for _, prompt in requests]
        return [
            share[0]
            for share in self._vlm.choose(regions, prompts, [("yes", "no")] * len(requests), images)
        ]

    def conclude(self, tasks: Sequence[Task], begun: Sequence[str], images: Images) -> list[str]:
        """For each question, what the student writes behind the beginning of an explanation.

        Args:
            tasks: Questions.
            begun: The beginning of each explanation, which is put into the student's mouth.
            images: Where the pictures come from.
        """
        requests = [self._request(task, images, True) for task in tasks]
        return self._vlm.generate(
            [region for region, _ in requests],
            [prompt for _, prompt in requests],
            images,
            self._max[True],
            begun,
        )

    def stream(
        self, task: Task, images: Images, explain: bool, watch: Callable[[str], None]
    ) -> Prediction:
        """The prediction for one question, as `answer` gives it, with its text as it is written.

        Args:
            task: The question.
            images: Where its picture comes from.
            explain: Whether the student writes a rationale in place of a short answer.
            watch: Called with each piece of the text; an error that it raises stops the writing.
        """
        started = time.perf_counter()
        region, prompt = self._request(task, images, explain)
        text = self._vlm.stream(region, prompt, images, self._max[explain], watch)
        return self._prediction(task, explain, text, time.perf_counter() - started)

    def forget(self) -> None:
        """Forget the features of pictures, so that the next answer is timed in full."""
        self._vlm.forget()

    def _request(self, task: Task, images: Images, explain: bool) -> tuple[RowOfRegions, str]:
        if not self._vlm.conversation.takes_several:
            only_picture(task, f"the student '{self.ref.name}'")
        regions = tuple(_whole(digest, images) for digest in task.images)
        question = question_text(task) + (RATIONALE_SUFFIX if explain else LABEL_SUFFIX)
        return regions if task.more_images else regions[0], question

    def _prediction(self, task: Task, explain: bool, text: str, seconds: float) -> Prediction:
        setting = "max_rationale_tokens" if explain else "max_tokens"
        cut = isinstance(text, UnendedText)
        return Prediction(
            id=content_key(task, self.ref, explain),
            task_id=task.id,
            answer="" if explain else str(text),
            rationale=str(text) if explain else "",
            score=0.0,
            seconds=seconds,
            model=self.ref,
            problem=cut_reason(self._max[explain], setting) if cut else "",
        )


def _whole(digest: str, images: Images) -> Region:
    picture = images.open(digest)
    box = Box(0, 0, picture.width, picture.height)
    return Region(digest, picture.width, picture.height, box)
