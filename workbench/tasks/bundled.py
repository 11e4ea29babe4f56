"""The questions that come with the workbench, about drawn collages and about photographs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from workbench.errors import DatasetError
from workbench.parsing import TOO_DEEP, check_depth
from workbench.ports import BadRow
from workbench.records import PartRef, Task
from workbench.settings import data_dir
from workbench.tasks.collage.scene import SPLITS, Scene
from workbench.tasks.rows import Bad, task_from_json

BUNDLED = ("collages", "photos")
"""Names of the sources that come with the workbench."""


class Bundled:
    """Tasks from `<root>/questions.jsonl`, pictures relative to `root`.

    Args:
        name: of the source and of its folder in the bundled data.
        root: the folder; the bundled one when None.
    """

    bad: Sequence[BadRow]

    def __init__(self, name: str, root: str | Path | None = None) -> None:
        self.root = Path(root) if root is not None else data_dir() / name
        self.ref = PartRef("source", name, "1", {} if root is None else {"root": str(root)})
        self._bad: list[BadRow] = []
        self.bad = self._bad

    def tasks(self, split: str | None = None) -> Iterator[Task]:
        """Tasks in the file's order, lazily; rows that cannot be taken go to `bad`.

        Raises:
            DatasetError: there is no file, or it cannot be read.
        """
        self._bad.clear()
        path = self.root / "questions.jsonl"
        for number, line in enumerate(_lines(path), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                check_depth(row)
                if not isinstance(row, dict):
                    raise ValueError(f"the line is a {type(row).__name__}; expected an object")
                task = task_from_json(row)
            except (ValueError, RecursionError) as error:
                reason = TOO_DEEP if isinstance(error, RecursionError) else str(error)
                self._bad.append(Bad(str(path), number, reason))
                continue
            if split is None or task.split == split:
                yield task

    def image_path(self, task: Task) -> Path:
        """Where the task's picture lies on disk."""
        return self.root / task.image


class Collages(Bundled):
    """Drawn scenes with exact labels, splits train, val and test."""

    def __init__(self, root: str | Path | None = None) -> None:
        super().__init__("collages", root)
        self.splits = SPLITS

    def scenes(self, split: str) -> Iterator[Scene]:
        """The bundled scenes of a split, in order.

        Raises:
            DatasetError: no such split, no file, or a line that is not a scene.
        """
        if split not in SPLITS:
            raise DatasetError(
                f"the collages have no split '{split}'; expected one of {', '.join(SPLITS)}"
            )
        path = self.root / f"{split}.jsonl"
        for number, line in enumerate(_lines(path), start=1):
            try:
                yield Scene.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise DatasetError(
                    f"{path}:{number} is not a scene ({error!r}); make the bundle again"
                ) from error


class Photos(Bundled):
    """Real photographs with questions and answers written by hand, split test."""

    def __init__(self, root: str | Path | None = None) -> None:
        super().__init__("photos", root)
        self.splits = ("test",)


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as lines:
            yield from lines
    except FileNotFoundError as error:
        raise DatasetError(
            f"no file {path}; give its folder, or set VPD_DATA to the data folder"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read ({error}); expected text in UTF-8") from error
