"""Parts by name, loaded on first use; a wrong name lists the right ones.

Ours and strangers' parts use the same entry-point groups, `workbench.<role>`, so that a plug-in is
never second class.  A dotted path `package.module:Name` works wherever a name does, and so does a
file `path/to/tool.py:Name` for a tool of one's own.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from types import ModuleType
from typing import Any

from workbench import local_files
from workbench.errors import MissingPart, ProfileError
from workbench.local_files import real_path
from workbench.records import PartRef

KEYED = ("sampler", "tool", "verifier", "writer", "language", "student")
"""Roles whose parts' keys are in the keys of what they compute."""
ROLES = (
    "source",
    "sampler",
    "tool",
    "verifier",
    "writer",
    "language",
    "student",
    "objective",
    "curriculum",
    "teacher",
    "policy",
    "transform",
    "selector",
    "synthesizer",
    "critic",
    "memory",
    "probe",
)
"""Every extension point of the house."""


def parts(role: str) -> dict[str, EntryPoint]:
    """Registered parts of one role, by name, in alphabetical order.

    Raises:
        ProfileError: there is no such role.
    """
    if role not in ROLES:
        raise ProfileError(f"no role is called '{role}'; there are: {', '.join(ROLES)}")
    return dict(_points_of(role, tuple((place, _last_change(place)) for place in sys.path)))


@lru_cache(maxsize=64)
def _points_of(
    role: str, places: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, EntryPoint], ...]:
    """The parts that what is installed at these places brings: to read every package's list anew
    for every part would be a tenth of a small run.  Of two packages of one name the first counts,
    which is the one that is imported.
    """
    packages: dict[str, tuple[EntryPoint, ...]] = {}
    for place, changed in places:
        for name, points in _packages_at(place, changed):
            packages.setdefault(name, points)
    ours = [
        point
        for points in packages.values()
        for point in points
        if point.group == f"workbench.{role}"
    ]
    return tuple((point.name, point) for point in sorted(ours, key=lambda p: p.name))


@lru_cache(maxsize=256)
def _packages_at(place: str, changed: int) -> tuple[tuple[str, tuple[EntryPoint, ...]], ...]:
    """The packages at one place that bring parts, in order, each with these: read once, however
    the other places change.

    Args:
        place: a folder or archive of `sys.path`.
        changed: as `_last_change` gives it; another number reads the place again.
    """
    return tuple(
        (
            _one_spelling(package.name),
            tuple(one for one in package.entry_points if one.group.startswith("workbench.")),
        )
        for package in distributions(path=[place])
        # of hundreds of packages few bring parts, and reading what the others say costs the most
        if "workbench." in (package.read_text("entry_points.txt") or "")
    )


def _one_spelling(name: str | None) -> str:
    """A package's name as every spelling of it is compared: `a.b`, `A_b` and `a--b` are one."""
    return re.sub(r"[-_.]+", "-", name or "").lower()


def _last_change(place: str) -> int:
    """When something was last installed there, or taken away; -1 where nothing is."""
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return -1


def load(role: str, name: str) -> Any:
    """The class or factory of a part.

    Args:
        role: the extension point, one of `ROLES`.
        name: registered name, `package.module:Name` or `path/to/file.py:Name`.

    Raises:
        ProfileError: no part has this name, or it cannot be loaded.
        MissingPart: the part needs a package that is not installed.
    """
    points = parts(role)
    if name in points:
        return _load_registered(role, points[name])
    path, _, attribute = name.rpartition(":")
    if path.endswith(".py") and attribute:
        return _from_file(role, Path(path), attribute)
    if path and attribute:
        try:
            module = importlib.import_module(path)
            _note_sources(module)
            return getattr(module, attribute)
        except (ImportError, AttributeError) as error:
            raise ProfileError(f"{role} '{name}' cannot be loaded: {error}") from error
    raise ProfileError(
        f"no {role} is called '{name}'; registered are: {', '.join(points) or 'none'} "
        "(or give package.module:Name, or path/to/file.py:Name)"
    )


def _load_registered(role: str, point: EntryPoint) -> Any:
    try:
        return point.load()
    except ImportError as error:
        extra = next(iter(point.extras), "")
        package = f"'vpd-workbench[{extra}]'" if extra else error.name or "it"
        raise MissingPart(
            f"{role} '{point.name}' needs a package that is not installed ({error}); "
            f"pip install {package}"
        ) from error


def build(role: str, name: str, **arguments: Any) -> Any:
    """Load a part and call it with plain arguments.

    Args:
        role: the extension point, one of `ROLES`.
        name: name of the part, as `load` takes it.
        **arguments: what its class or factory is called with.

    Raises:
        ProfileError: as `load` raises it, or the part does not take these arguments; the text
            names the part and what it takes.
        MissingPart: as `load` raises it.
    """
    factory = load(role, name)
    try:
        return _with_files(factory(**arguments), role, name, factory, arguments)
    except TypeError as error:
        # An error of the call itself has no frame below this one; one inside the part has.
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:
            raise ProfileError(
                f"{role} '{name}' was given arguments it does not take: {error}; "
                f"it takes {inspect.signature(factory)}"
            ) from error
        raise


_SOURCES: dict[str, list[tuple[str, bytes]]] = {}
"""States of the files of modules of one's own when they were imported: a module is read once, so
that what runs is what stood there then.
"""


def _note_sources(module: ModuleType) -> None:
    name, file = module.__name__, Path(getattr(module, "__file__", None) or "")
    if name not in _SOURCES:
        files = local_files.sources_of(file, name) if file.suffix == ".py" else []
        _SOURCES[name] = local_files.states(files)


def _with_files(part: Any, role: str, name: str, factory: Any, arguments: dict[str, Any]) -> Any:
    """The part; one of somebody's own says in its version which files it is made of.

    A registered part keeps its version itself.
    """
    ref = getattr(part, "ref", None)
    if role not in KEYED or ":" not in name or not isinstance(ref, PartRef):
        return part
    path = Path(name.rpartition(":")[0])
    if path.suffix == ".py":
        sources = local_files.states(local_files.sources_of(path))
    else:
        home = sys.modules.get(getattr(factory, "__module__", ""))
        if home is not None:
            _note_sources(home)
        sources = _SOURCES.get(home.__name__, []) if home is not None else []
    named = local_files.states(local_files.local_paths(arguments))
    state = local_files.joined([*sources, *named])
    try:
        part.ref = replace(ref, version=f"{ref.version}+{state}")
    except AttributeError as error:
        raise ProfileError(
            f"{role} '{name}' does not let its 'ref' be set; make it a plain attribute, so that "
            "its key can name the code that it runs"
        ) from error
    return part


def _from_file(role: str, path: Path, attribute: str) -> Any:
    if not path.is_file():
        raise ProfileError(
            f"{role} file {path} does not exist; a path in a profile is relative to the profile, "
            "any other to the current folder"
        )
    place = hashlib.sha256(str(real_path(path)).encode()).hexdigest()[:8]
    name = f"workbench_user_{path.stem}_{place}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ProfileError(f"{role} file {path} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _beside(path):
            spec.loader.exec_module(module)
    except Exception as error:  # a user's file raises whatever it likes; the cause stays attached
        del sys.modules[name]
        raise ProfileError(
            f"{role} file {path} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if not hasattr(module, attribute):
        names = [
            key
            for key, value in vars(module).items()
            if callable(value) and not key.startswith("_")
        ]
        there = ", ".join(names) or "nothing that can be called"
        raise ProfileError(f"{path} has no '{attribute}'; it has: {there}")
    return getattr(module, attribute)


_FOLDERS: set[str] = set()
"""Folders of parts that were read from files."""


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """While a file of one's own runs, imports look into its folder first, as for a script.

    Files of that folder are read anew: they may have changed, or be another folder's of one name.
    """
    folder = str(real_path(path.parent))
    _FOLDERS.add(folder)
    tops = {
        real_path(file).relative_to(folder).parts[0].removesuffix(".py")
        for file in local_files.sources_of(path)
        if real_path(file).is_relative_to(folder)
    }
    for name, module in list(sys.modules.items()):
        file = str(getattr(module, "__file__", None) or "")
        if name.partition(".")[0] in tops and any(file.startswith(one) for one in _FOLDERS):
            del sys.modules[name]
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(folder)
        if folder not in sys.path:  # for imports inside of its functions
            sys.path.append(folder)
