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
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from workbench.errors import MissingPart, ProfileError

ROLES = ("source", "sampler", "tool", "verifier", "writer", "language", "student", "objective")
"""Every extension point that has two real implementations."""


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
        return factory(**arguments)
    except TypeError as error:
        # An error of the call itself has no frame below this one; one inside the part has.
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:
            raise ProfileError(
                f"{role} '{name}' was given arguments it does not take: {error}; "
                f"it takes {inspect.signature(factory)}"
            ) from error
        raise


def _from_file(role: str, path: Path, attribute: str) -> Any:
    if not path.is_file():
        raise ProfileError(
            f"{role} file {path} does not exist; give a path relative to the current folder"
        )
    name = (
        f"workbench_user_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    )
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ProfileError(f"{role} file {path} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
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
