"""Whatever a program tries ends in a row: the canary is untouched, its neighbour runs, the host
goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks import ATTACKS
from tools_for_tests import OnePicture, a_program, a_task, all_tools

from workbench.execute import Executor, Limits

SECRET = "canary-5f2d1c"
NEIGHBOUR = "def execute_command(image):\n    return len(ImagePatch(image).find('cup'))\n"


@pytest.fixture(scope="module")
def confined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Executor, Path]]:
    canary = tmp_path_factory.mktemp("canary") / "canary.txt"
    canary.write_text(SECRET)
    limits = Limits(seconds=1.0, memory=32 * 2**20, steps=5000, tool_calls=50, output=5000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VPD_CANARY", SECRET)
        with Executor(all_tools(), OnePicture(), limits, hold=4) as executor:
            yield executor, canary


@pytest.mark.timeout(120)  # every attack ends by a limit of its own; this one is for a hang
@pytest.mark.parametrize("name", ATTACKS)
def test_attack_ends_in_a_row(confined: tuple[Executor, Path], name: str) -> None:
    executor, canary = confined
    source, kinds = ATTACKS[name]
    source = source.replace("CANARY", str(canary))
    before = hashlib.sha256(canary.read_bytes()).hexdigest()
    attacker, neighbour = executor.run(
        [(a_task(), a_program(source)), (a_task(1), a_program(NEIGHBOUR, 1))]
    )
    ended = attacker.failure.kind if attacker.failure else "ok"
    assert ended in kinds, (attacker.failure, attacker.answer)
    assert hashlib.sha256(canary.read_bytes()).hexdigest() == before
    assert SECRET not in repr(attacker)
    assert neighbour.failure is None
    if attacker.failure is not None and ended not in ("source", "syntax"):
        assert attacker.failure.line is not None
    assert len(attacker.events) <= executor.limits.events + 2
