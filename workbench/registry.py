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
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
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
    return {
        point.name: point
        for point in sorted(entry_points(group=f"workbench.{role}"), key=lambda p: p.name)
    }


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
            return getattr(importlib.import_module(path), attribute)
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


def _with_files(part: Any, role: str, name: str, factory: Any, arguments: dict[str, Any]) -> Any:
    """The part; one of somebody's own says in its version which files it is made of.

    A registered part keeps its version itself.
    """
    ref = getattr(part, "ref", None)
    if role not in KEYED or ":" not in name or not isinstance(ref, PartRef):
        return part
    path = Path(name.rpartition(":")[0])
    if path.suffix != ".py":
        module = sys.modules.get(getattr(factory, "__module__", ""))
        path = Path(getattr(module, "__file__", None) or "")
    sources = local_files.sources_of(path) if path.suffix == ".py" else []
    state = local_files.digest([*sources, *local_files.local_paths(arguments)])
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
