"""Questions about several pictures: what goes together, and what parts say that take one alone.

Questions that share a picture, directly or through others, are linked.  Where every question has
one picture these are the questions about it.  What is drawn again, or kept on one side, goes
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from workbench.errors import InputError
from workbench.records import Task


def only_picture(task: Task, who: str) -> str:
    """The digest of a question's only picture.

    Args:
        task: the question.
        who: what takes one picture, as an error names it.

    Raises:
        InputError: the question has several.
    """
    if task.more_images:
        raise InputError(
            f"{who} takes one picture; question '{task.id:.80}' has {len(task.images)}"
        )
    return task.image


class HasImages(Protocol):
    """What is about pictures."""

    @property
    def images(self) -> Sequence[str]:
        """Their digests, in order."""
        ...


def images_of(rows: Iterable[HasImages]) -> set[str]:
    """Digests of all pictures that some rows are about."""
    return {image for one in rows for image in one.images}


def of_tasks(tasks: Iterable[Task]) -> dict[str, str]:
    """By task id, the picture that stands for all that it is linked with (see `by_question`)."""
    return by_question({task.id: task.images for task in tasks})


def by_question(pictures: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """By question, the picture that stands for all pictures that it is linked with.

    >>> by_question({"a": ["1"], "b": ["2", "3"], "c": ["3", "4"]})
    {'a': '1', 'b': '2', 'c': '2'}

    Args:
        pictures: by question, its pictures, at least one.
    """
    several = [own for own in pictures.values() if len(own) > 1]
    parent: dict[str, str] = {}

    def top(picture: str) -> str:
        path = []
        while (above := parent.get(picture, picture)) != picture:
            path.append(picture)
            picture = above
        parent.update(dict.fromkeys(path, picture))
        return picture

    for first, *others in several:
        for other in others:
            low, high = sorted((top(first), top(other)))
            parent[high] = low
    return {name: top(own[0]) if parent else own[0] for name, own in pictures.items()}
