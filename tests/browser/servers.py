"""The real server over a project's folder, and Playwright, for every test in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi._compat import v2

from app.main import Running, build, start
from app.people import People, Person
from app.sign_on import SignOn
from workbench.store import Project

sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")


SCHEMAS: dict[Any, Any] = {}
"""What pydantic made of the types that routes take and give."""


def schema_of(type_: Any, config: Any = None, make: Any = v2.TypeAdapter) -> Any:
    """Every server has the same routes, and reading their types is half of its start: once a process
    is enough.
    """
    key = (type_.__origin__, repr(type_.__metadata__), repr(config))
    try:
        kept = SCHEMAS.get(key)
    except TypeError:  # no key of a dictionary
        return make(type_, config=config)
    if kept is None:
        kept = SCHEMAS[key] = make(type_, config=config)
    return kept


v2.TypeAdapter = schema_of


@contextmanager
def serve(
    folder: Path,
    auth: Path | None = None,
    name: str = "ann",
    role: str = "admin",
    port: int = 0,
    sign_on: SignOn | None = None,
) -> Iterator[Running]:
    """The real server over a project's folder, on a free port unless one is given; without `auth`
    everybody is `name`.

    `serve(...)` gives a Running: `.url` ends with a slash, `.site` is the Site, `.site.project`
    the open project.
    """
    with Project.open(folder) as project:
        people = People(auth) if auth or sign_on else None
        running = start(build(project, people, Person(name, role), sign_on), port=port)
        try:
            yield running
        finally:
            running.close()


def eventually(page: sync_api.Page, condition: Callable[[], object]) -> None:
    """Let the page and its server go on until the condition is true."""
    for _ in range(1200):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it never came")
