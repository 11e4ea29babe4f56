"""The files that a part of one's own is made of: its source, and what it imports from its folder.

A part of one's own keeps its name while its code changes, so its key holds the digest of these
files: what was computed by the code of yesterday is not taken for what the code of today computes.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.parsing import parse

OURS = ("workbench", "app")
"""Packages that keep their own versions, wherever they lie."""


def real_path(path: Path) -> Path:
    """A path without links, as far as there is one: behind links that go in a circle it stays as it
    is, and what is then asked of it is an OSError like that of any other file.

    `Path.resolve` ends in a RuntimeError there before Python 3.13.
    """
    return Path(os.path.realpath(path))


def sources_of(path: Path, module: str = "") -> list[Path]:
    """A Python file and the files of its own folder that it imports, directly or not, in order.

    A file that cannot be read or parsed is listed, and what it would import is not.

    Args:
        path: the file.
        module: its dotted name, for one of a package: what it imports from there counts too.
    """
    roots = [(path.parent, "")]
    if "." in module:
        depth = module.count(".") + (path.name == "__init__.py")
        roots.append((path.parents[depth], module.partition(".")[0]))
    waiting = [path]
    files: dict[Path, None] = {}
    while waiting:
        file = waiting.pop()
        if file in files:
            continue
        files[file] = None
        waiting += [one for one in _imported(file, roots) if one not in files]
    return sorted(files)


def _imported(file: Path, roots: Sequence[tuple[Path, str]]) -> Iterator[Path]:
    """The files that a file imports.

    Args:
        file: of Python.
        roots: folders in which absolute names are looked up, each with the only package that is
            looked for there, or nothing for all.
    """
    try:
        imports = _imports(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for level, names in imports:
        places = [(file.parents[level - 1], "")] if level else roots
        for folder, package in places:
            for name in names:
                if package in ("", name.partition(".")[0]):
                    yield from _files(folder, name)


@lru_cache(maxsize=256)
def _imports(source: bytes) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """The names of each import of a source, and how many folders up they are looked for; 0 for
    absolute ones.  A run asks for the same sources again for each of its parts.
    """
    imports: list[tuple[int, tuple[str, ...]]] = []
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Import):
            imports.append((0, tuple(alias.name for alias in node.names)))
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else []
            names += [".".join([*names[:1], alias.name]) for alias in node.names]
            imports.append((node.level, tuple(names)))
    return tuple(imports)


def _files(folder: Path, name: str) -> Iterator[Path]:
    """The files under a folder that an import of this dotted name runs."""
    if name.partition(".")[0] in OURS:
        return
    at = folder
    for part in name.split("."):
        at = at / part
        for file in (at.with_name(f"{part}.py"), at / "__init__.py"):
            if file.is_file():
                yield file


def local_paths(arguments: Mapping[Any, Any]) -> list[Path]:
    """Files and folders that a part's arguments name, in the order of the arguments."""
    paths = []
    for value in arguments.values():
        if isinstance(value, Mapping):
            paths += local_paths(value)
        elif isinstance(value, list | tuple):
            paths += local_paths(dict(enumerate(value)))
        elif isinstance(value, str) and value:
            path = Path(value).expanduser()
            try:
                if path.exists():
                    paths.append(path)
            except (OSError, ValueError):  # longer than a path may be, or not one at all
                continue
    return paths


def digest(paths: Iterable[Path]) -> str:
    """12 characters that change with the content of these files, and of those in these folders.

    Folders count with everything below them; links to folders are not followed.
    """
    return joined(states(paths))


def states(paths: Iterable[Path]) -> list[tuple[str, bytes]]:
    """The name of each file, from its folder where one is given, and the digest of its content."""
    rows = []
    for path in paths:
        for name, file in sorted(_below(path)) if path.is_dir() else [(path.name, path)]:
            with file.open("rb") as content:
                rows.append((name, hashlib.file_digest(content, "sha256").digest()))
    return rows


def joined(rows: Iterable[tuple[str, bytes]]) -> str:
    """The digest of some files' states, as `digest` gives it."""
    total = hashlib.sha256()
    for name, content in rows:
        total.update(f"{name}\n".encode())
        total.update(content)
    return total.hexdigest()[:12]


def _below(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files below a folder, each with its path from there; caches of Python left out."""
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            file = Path(root, name)
            if file.is_file():
                yield file.relative_to(folder).as_posix(), file
