"""Who teaches: a checkpoint, several of them together, or the answers of the programs.

All of them speak the student's own words: their logits stand for the same vocabulary.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForImageTextToText

from workbench.errors import InputError, ProfileError
from workbench.images import ImageFolder
from workbench.models.bundled import save_checkpoint
from workbench.models.checkpoint import load_processor, loading_errors
from workbench.models.eyes import projector_of, with_knowledge
from workbench.models.language import preferred_dtype
from workbench.models.vlm import MAX_PIXELS
from workbench.models.weights import model_folder
from workbench.recipes.mixtures import next_words
from workbench.recipes.teaching import Classroom, Need, Outputs, Targets
from workbench.records import Lesson, PartRef
from workbench.train.forward import outputs_of, target_tokens
from workbench.train.load import load_adapter
from workbench.train.loss import StudentLoss
from workbench.train.teacher_cache import OutputCache

CACHE = ".teachers"
"""Folder beside the jobs in which outputs of teachers are kept."""


class CheckpointTeacher:
    """A model of the student's vocabulary, for example a larger one that was trained longer.

    Args:
        path: a job that is done, a checkpoint's folder, `bundled`, `small`, or a hub id.
        cache: whether its outputs are kept on disk, by what they were made from.
    """

    gives: frozenset[Need] = frozenset({"logits", "hidden", "image", "switch"})

    def __init__(self, path: str, cache: bool = False) -> None:
        if not isinstance(path, str) or not path:
            raise ProfileError(f"the teacher's path must be a folder or a hub id, found {path!r}")
        self.path, self._keeps = path, cache
        self.ref = PartRef("teacher", "checkpoint", arguments={"path": path, "cache": cache})

    def enter(self, room: Classroom) -> None:
        """Load the model.

        Raises:
            InputError: there is none, or it has other words than the student.
        """
        base, adapter = load_adapter(self._place(room.folder))
        self._base = base
        check_vocabularies(room.vocabulary, adapter.tokenizer.get_vocab(), self.path)
        with loading_errors(self.path):
            dtype = preferred_dtype(room.device)
            model = AutoModelForImageTextToText.from_pretrained(
                base, dtype=dtype if dtype == torch.bfloat16 else torch.float32
            )
        model = with_knowledge(model.to(room.device), str(base))
        self.model = model.eval().requires_grad_(False)
        adapter.max_pixels = int(getattr(model.config, MAX_PIXELS, 0) or 0)
        assert isinstance(room.images, ImageFolder), "a checkpoint looks at a folder of pictures"
        self._reader = StudentLoss(adapter, room.images, room.device)
        self._words = room.words
        self._cache = (
            OutputCache(room.folder.parent / CACHE, base, self.ref) if self._keeps else None
        )

    def _place(self, folder: Path) -> str:
        """The checkpoint's folder or name; a relative path may be relative to the job."""
        here = folder / self.path
        if not Path(self.path).is_absolute() and here.is_dir():
            return str(model_folder(here))
        there = Path(self.path).expanduser()
        return str(model_folder(there)) if there.is_dir() else self.path

    @property
    def head(self) -> Tensor:
        """`(V, W)`: what turns its last states into logits."""
        weight: Tensor = self.model.get_output_embeddings().weight
        return weight

    def weights(self) -> Mapping[str, Tensor]:
        """Its own weights by name."""
        return dict(self.model.named_parameters())

    def write(self, folder: Path) -> None:
        """Write it as it is now, as a checkpoint that the Auto classes load."""
        save_checkpoint(self.model, load_processor(self._base), folder)

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        """Its outputs for the targets.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            needs: what is read.
            layers: whose hidden states are read.
        """
        if self._cache is None:
            return self._run(targets, needs, layers)
        return self._cache.outputs(targets, needs, layers, self._run)

    def _run(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        rows = list(zip(targets.images, targets.lessons, strict=True))
        batch = self._reader.encode(rows, 0).to(self._reader.device)
        if not torch.equal(target_tokens(batch)[0], targets.tokens):
            raise InputError(
                f"the teacher '{self.path}' writes the targets in other tokens than the student: "
                "their chat templates differ; take a teacher of the student's own family"
            )
        picture = self._reader.adapter.picture_token
        return fit_words(outputs_of(self.model, batch, needs, layers, picture), self._words)

    def switch(self, targets: Targets, view: Tensor) -> Tensor:
        """Its logits `(N, V)` for what a student sees, with a gradient to that.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            view: what the student's eyes gave to the part behind them.

        Raises:
            InputError: the student's eyes give another number of positions or of numbers.
        """
        projector = projector_of(self.model)

        def put(module: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
            own = arguments[0]
            if own.shape != view.shape:
                raise InputError(
                    f"the student's eyes give {tuple(view.shape)} numbers for these pictures and "
                    f"the teacher's {tuple(own.shape)}: the switch needs towers of one width; set "
                    "visual = 0"
                )
            return (view.to(own.dtype), *arguments[1:])

        hook = projector.register_forward_pre_hook(put)
        try:
            return self._run(targets, frozenset({"logits"}), ()).logits
        finally:
            hook.remove()


class EnsembleTeacher:
    """Several checkpoints of one vocabulary: the mean of their distributions.

    Args:
        paths: as `CheckpointTeacher` takes them, at least one; several seeds of one job, say.
        cache: whether their outputs are kept on disk.
    """

    gives: frozenset[Need] = frozenset({"logits"})

    def __init__(self, paths: Sequence[str], cache: bool = False) -> None:
        if isinstance(paths, str) or not paths:
            raise ProfileError(
                f"the ensemble's paths must be a list of one or more, found {paths!r}"
            )
        self.members = [CheckpointTeacher(path, cache) for path in paths]
        self.ref = PartRef("teacher", "ensemble", arguments={"paths": list(paths), "cache": cache})

    def enter(self, room: Classroom) -> None:
        """Load every model.

        Raises:
            InputError: as a single checkpoint raises it.
        """
        for member in self.members:
            member.enter(room)

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        """The logarithm of the mean of the members' probabilities.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            needs: what is read.
            layers: unused; an ensemble has no hidden states.
        """
        every = [member(targets, needs & self.gives, ()) for member in self.members]
        chances = torch.stack([one.logits.float().log_softmax(-1) for one in every])
        return replace(every[0], logits=chances.logsumexp(0) - math.log(len(every)))


class ProgramsTeacher:
    """The answers of the k programs of a question, as a distribution over answers.

    Behind the beginning of an answer, the next word has the share of the programs that go on with
    it.  It speaks of labels alone, and only as far as some program has begun so.

    Args:
        answers: JSON file of `{question: {answer: share}}`; `vpd train` writes it.
        smoothing: share that is divided equally among all words, so that no word is impossible.
    """

    gives: frozenset[Need] = frozenset({"logits"})

    def __init__(self, answers: str = "", smoothing: float = 0.01) -> None:
        if isinstance(smoothing, bool) or not 0 < smoothing < 1:
            raise ProfileError(f"smoothing must be a number between 0 and 1, found {smoothing!r}")
        self._file, self._smoothing = answers, float(smoothing)
        arguments = {"answers": Path(answers).name, "smoothing": self._smoothing}
        self.ref = PartRef("teacher", "programs", arguments=arguments)

    def enter(self, room: Classroom) -> None:
        """Read the answers.

        Raises:
            InputError: there is no such file, or no question of the snapshot is in it.
        """
        self._room = room
        self._answers = read_answers(room.folder / self._file if self._file else None)
        if not set(room.tasks.values()) & set(self._answers):
            raise InputError(
                f"{self._file} has no answer of a program to any of the {len(room.tasks)} "
                "questions of the snapshot; run vpd run for them, then queue the job with vpd train"
            )

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        """What the programs would write next.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            needs: what is read: logits.
            layers: unused.
        """
        room = self._room

        def answers(lesson: Lesson) -> Mapping[str, float]:
            return self._answers.get(room.tasks.get(lesson.example, ""), {})

        return next_words(targets, room, answers, self._smoothing)


def lend_checkpoints(room: Classroom) -> Classroom:
    """The room, in which a teacher of several models gets each of them by its path."""

    def checkpoint(path: str) -> CheckpointTeacher:
        teacher = CheckpointTeacher(path)
        teacher.enter(room)
        return teacher

    return replace(room, checkpoint=checkpoint)


def read_answers(path: Path | None) -> Mapping[str, Mapping[str, float]]:
    """The answers of programs by question, each with its share.

    Raises:
        InputError: there is no such file, or it holds something else.
    """
    if path is None:
        raise InputError(
            "the teacher 'programs' has no file of answers; queue the job with vpd train or on the "
            "Train page, which write it, or set teacher.answers"
        )
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(task): {str(answer): float(share) for answer, share in answers.items()}
            for task, answers in table.items()
        }
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"{path} cannot be read as answers of programs ({error}); it holds "
            '{"question": {"answer": share}}'
        ) from error


def check_vocabularies(own: Mapping[str, int], other: Mapping[str, int], teacher: str) -> None:
    """Refuse a teacher whose words have other numbers than the student's.

    Args:
        own: the student's words.
        other: the teacher's.
        teacher: its name, for the error.

    Raises:
        InputError: they differ.
    """
    if own == other:
        return
    wrong = sorted(word for word in own.keys() | other.keys() if own.get(word) != other.get(word))
    raise InputError(
        f"the teacher '{teacher}' has another vocabulary than the student: {len(other)} words and "
        f"{len(own)}, {len(wrong)} of which differ, for example {wrong[0]!r}; take a teacher with "
        "the student's own tokenizer"
    )


def fit_words(outputs: Outputs, words: int) -> Outputs:
    """Logits for as many words as the student's.

    Checkpoints of one tokenizer may have more rows than words, so as to be a round number; such
    rows mean nothing.
    """
    logits = outputs.logits
    extra = words - logits.shape[1]
    if extra > 0:
        lowest = logits.min(1, keepdim=True).values
        logits = torch.cat([logits, lowest.expand(-1, extra)], 1)
    return replace(outputs, logits=logits[:, :words])
