"""Large answers are written as FastAPI would write them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from inspect import signature

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.quick_json import quick_json


@dataclass(frozen=True, slots=True)
class Sizes:
    """A record with what records of pages have."""

    name: str
    by_number: dict[int, tuple[float | None, ...]]
    number: int = 1


@pytest.mark.parametrize(
    "sizes",
    [
        Sizes("café </script> \N{SNOWMAN} \x00", {0: (0.1, None), 12: ()}),
        Sizes("not a number", {1: (float("nan"), float("inf"))}),
        Sizes("more than 64 bits", {}, 10**40),
    ],
)
def test_the_answer_is_that_of_fastapi(sizes: Sizes) -> None:
    server = FastAPI()

    def route(n: int) -> Sizes:
        return sizes if n else Sizes("", {})

    server.get("/plain")(route)
    server.get("/quick")(quick_json(route))
    client = TestClient(server)
    plain, quick = (client.get(f"/{name}?n=1") for name in ("plain", "quick"))
    assert json.loads(quick.text) == json.loads(plain.text)
    assert quick.headers["content-type"] == plain.headers["content-type"]
    assert client.get("/quick?n=x").status_code == 422
    assert signature(quick_json(route)) == signature(route)
