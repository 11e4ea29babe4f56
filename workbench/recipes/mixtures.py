"""What recipes that teach share: models of a job by path, mixtures of what they say, and answers.

Letters of shapes: L lessons, N target tokens in all, V words, E teachers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from workbench.errors import ProfileError
from workbench.recipes.features import real
from workbench.recipes.teaching import Classroom, Outputs, Targets, Teacher
from workbench.records import Lesson


def members(part: str, room: Classroom, paths: Sequence[str]) -> list[Teacher]:
    """The models of some paths, each of which has entered the room.

    Args:
        part: name of the recipe, for the error.
        room: of the student.
        paths: jobs, checkpoints, `bundled`, `small`, or hub ids.

    Raises:
        ProfileError: a path is no text, or the loop lends no checkpoints.
        InputError: a model cannot teach this student.
    """
    if wrong := [path for path in paths if not isinstance(path, str) or not path]:
        raise ProfileError(f"{part} takes paths of checkpoints, found {wrong[0]!r:.40}")
    if room.checkpoint is None:
        raise ProfileError(f"{part} teaches by checkpoints, and this loop lends none")
    return [room.checkpoint(path) for path in paths]


def ask(teachers: Sequence[Teacher], targets: Targets) -> list[Outputs]:
    """What each teacher says, its logits."""
    return [teacher(targets, frozenset({"logits"}), ()) for teacher in teachers]


def log_mixture(logits: Sequence[Tensor], weights: Tensor) -> Tensor:
    """The logarithm of a mixture of distributions, `(N, V)`.

    KL(mixture || s) has the same gradient in s as the weighted sum of the single divergences.

    Args:
        logits: `(N, V)` of each teacher.
        weights: `(E, N)`, which add up to 1 in each column.
    """
    chances = torch.stack([real(one).log_softmax(-1) for one in logits])
    return (chances + weights.to(chances.dtype).log().unsqueeze(-1)).logsumexp(0)


def confidence(outputs: Outputs, targets: Targets) -> Tensor:
    """`(L,)`: the mean over a lesson's target tokens of the highest chance of a word."""
    return targets.mean(real(outputs.logits).softmax(-1).max(-1).values)


def nats_of(outputs: Outputs, targets: Targets) -> Tensor:
    """`(L,)`: the mean cross-entropy of each lesson's own target tokens."""
    logits = real(outputs.logits)
    return targets.mean(nn.functional.cross_entropy(logits, targets.tokens, reduction="none"))


def next_words(
    targets: Targets,
    room: Classroom,
    answers: Callable[[Lesson], Mapping[str, float]],
    smoothing: float,
) -> Outputs:
    """A distribution over answers, as a teacher's logits of the next word.

    Behind the beginning of an answer, the next word has the share of the answers that go on with
    it.  It speaks of labels alone, and only as far as some answer has begun so.

    Args:
        targets: lessons, and their tokens in the order of the lessons.
        room: of the student.
        answers: the answers of a lesson with their shares; none where there is nothing to say.
        smoothing: share that is divided equally among all words, so that no word is impossible.
    """
    count = len(targets.tokens)
    shares = torch.zeros(count, room.words, device=targets.tokens.device)
    for number, lesson in enumerate(targets.lessons):
        if lesson.name != "label":
            continue
        places = (targets.owners == number).nonzero().squeeze(1).tolist()
        own = targets.tokens[places].tolist()
        for answer, share in answers(lesson).items():
            tokens = room.tokens(targets.images[number], lesson.prompt, answer)
            for at, place in enumerate(places[: len(tokens)]):
                if list(tokens[:at]) != own[:at]:
                    break
                shares[place, tokens[at]] += share
    totals = shares.sum(-1, keepdim=True)
    even = smoothing / room.words
    chances = (1 - smoothing) * shares / totals.clamp(min=1e-9) + even
    return blank_outputs(targets, chances.log(), totals.squeeze(1) > 0)


def blank_outputs(targets: Targets, logits: Tensor, speaks: Tensor) -> Outputs:
    """Logits of somebody who has no states and sees no picture.

    Args:
        targets: the lessons.
        logits: `(N, V)`.
        speaks: `(N,)`, bool.
    """
    blank = torch.zeros(len(targets.lessons), 1, dtype=torch.bool, device=logits.device)
    places = torch.stack([targets.owners, torch.zeros_like(targets.owners)], 1)
    return Outputs(logits=logits, places=places, mask=~blank, image=blank, speaks=speaks)
