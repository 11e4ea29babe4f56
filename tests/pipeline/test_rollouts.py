"""The sandbox as an environment of reinforcement learning: rewards, limits, batches, and a policy
that learns from them.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from painted import STEPS, FindPainted, ReadPainted, painted, painted_task

from workbench.errors import InputError
from workbench.execute import Executor
from workbench.limits import Limits
from workbench.pipeline.rollouts import ProgramRollouts, RewardRule, RolloutEnvironment
from workbench.records import Task
from workbench.verify.choose import AnswerVerifier

HEAD = "def execute_command(image):\n    image_patch = ImagePatch(image)\n    "
RIGHT = f'{HEAD}return image_patch.find("sign")[0].zoom(3).read_text()'
PROGRAMS = (
    f'{HEAD}return image_patch.find("sign")[0].read_text() or "nothing"',
    f'{HEAD}return image_patch.find("cat")[0].read_text()',
    f"{HEAD}while True:\n        pass",
    RIGHT,
    f'{HEAD}return "GO"',
    "def execute_command(image): return 'x' * 10 ** 12",
)
"""What a toy policy may write; one of them is right."""

Shop = tuple[Executor, Task]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    images, digest = painted(tmp_path_factory.mktemp("rollouts"))
    tools = [FindPainted(), ReadPainted(), *(step() for step in STEPS)]
    with Executor(tools, images, Limits(steps=500), jail=False) as executor:
        yield executor, painted_task(digest)


def rollouts_of(shop: Shop, programs: int = 1, flagged: float = 0.0) -> ProgramRollouts:
    executor, task = shop
    return ProgramRollouts(
        executor, AnswerVerifier(), [task], programs, RewardRule(flagged=flagged)
    )


def play(
    rollouts: ProgramRollouts, sources: list[str]
) -> tuple[list[RolloutEnvironment], list[str]]:
    """One rollout for each program, all at the same moment; what they were told."""
    environments = [rollouts.environment() for _ in sources]
    for one in environments:
        one.reset(task="painted/1")

    async def moment() -> list[str]:
        return await asyncio.gather(
            *(one.run_program(source) for one, source in zip(environments, sources, strict=True))
        )

    return environments, asyncio.run(moment())


def test_rollouts_of_one_moment_are_one_batch_and_none_hurts_another(shop: Shop) -> None:
    rollouts = rollouts_of(shop)
    environments, told = play(rollouts, list(PROGRAMS))
    assert rollouts.batches == [len(PROGRAMS)]
    assert rollouts.rewards(environments) == [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    assert told[3] == "The program answered: STOP."
    assert "more than 500 statements" in told[2]
    assert all(line.startswith("The program failed") for line in (told[1], told[2], told[5]))
    alone, _ = play(rollouts, [RIGHT])
    assert alone[0]._runs[0][1].events[-1] == environments[3]._runs[0][1].events[-1]


def test_a_policy_learns_from_the_rewards(shop: Shop) -> None:
    """REINFORCE over a handful of programs: far above chance, which is one in five."""
    rollouts, rng = rollouts_of(shop), np.random.default_rng(1)
    programs = PROGRAMS[:5]
    logits, curve = np.zeros(len(programs)), []
    for _ in range(25):
        shares = np.exp(logits) / np.exp(logits).sum()
        picks = rng.choice(len(programs), 8, p=shares)
        environments, _ = play(rollouts, [programs[pick] for pick in picks])
        rewards = np.array(rollouts.rewards(environments))
        curve.append(rewards.mean())
        for pick, advantage in zip(picks, rewards - rewards.mean(), strict=True):
            logits += 0.4 * advantage * (np.eye(len(programs))[pick] - shares)
    assert np.mean(curve[:3]) < 0.5
    assert np.mean(curve[-5:]) > 0.8
    assert int(np.argmax(logits)) == PROGRAMS.index(RIGHT)


def test_an_answer_that_rests_on_nothing_is_worth_less(shop: Shop) -> None:
    rollouts = rollouts_of(shop, flagged=0.5)
    try:
        environments, _ = play(rollouts, [RIGHT, f'{HEAD}return "STOP"'])
        looked, blind = rollouts.rewards(environments)
    finally:
        rollouts.close()
    assert (looked, blind) == (1.0, 0.5)


def test_a_rollout_tries_again_until_its_programs_are_used_up(shop: Shop) -> None:
    rollouts = rollouts_of(shop, programs=2)
    one = rollouts.environment()
    assert one.reset(task="painted/1") == "What does the sign say?"

    async def turns() -> list[str]:
        return [await one.run_program(source) for source in (PROGRAMS[1], RIGHT, PROGRAMS[4])]

    told = asyncio.run(turns())
    assert told[0].startswith("The program failed in line 3")
    assert told[2] == "No program is left: a rollout runs 2 at most."
    assert rollouts.rewards([one]) == [1.0]
    one.reset(task="painted/1")
    assert rollouts.rewards([one]) == [0.0]


def test_a_policy_sees_one_tool_with_its_argument_explained() -> None:
    tools = [
        name
        for name, _ in inspect.getmembers(RolloutEnvironment, inspect.isfunction)
        if not name.startswith("_") and name != "reset"
    ]
    assert tools == ["run_program"]
    assert "program: Python source" in (RolloutEnvironment.run_program.__doc__ or "")


def test_questions_that_cannot_be_rewarded_are_refused(shop: Shop) -> None:
    executor, task = shop
    with pytest.raises(InputError, match="has no label"):
        ProgramRollouts(executor, AnswerVerifier(), [replace(task, answers=())])
    with pytest.raises(InputError, match="give at least 1"):
        ProgramRollouts(executor, AnswerVerifier(), [task], programs=0)
    with pytest.raises(InputError, match="`failed` 0 or less"):
        ProgramRollouts(executor, AnswerVerifier(), [task], rule=RewardRule(failed=0.1))
    with pytest.raises(InputError, match="no question is called 'nowhere'"):
        rollouts_of(shop).environment().reset(task="nowhere")
