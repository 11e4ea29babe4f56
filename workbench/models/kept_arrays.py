"""Arrays on disk, by what they were made from; several processes may use a folder."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class KeptArrays:
    """Files of arrays in a folder.

    Args:
        folder: where they are; the first one makes it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> dict[str, NDArray[np.generic]] | None:
        """The arrays of a key, by name; None where none are kept, or they cannot be read."""
        try:
            with np.load(self._path(key), allow_pickle=False) as kept:
                return dict(kept)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def put(self, key: str, **arrays: NDArray[np.generic]) -> None:
        """Keep arrays; a disk that takes no more keeps nothing."""
        path = self._path(key)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.npz"
