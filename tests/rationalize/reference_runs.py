"""Real runs without a model: reference programs of every family, run with exact tools on drawn
scenes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from workbench.evaluate.wrong_reasons.exact_tools import Unpainted, exact_tools, right
from workbench.execute import Executor
from workbench.making.programs import references
from workbench.records import PartRef, Program, Task, Trace
from workbench.tasks.collage.knowledge import FACTS
from workbench.tasks.collage.questions import FAMILIES, ask
from workbench.tasks.collage.scene import Scene, make_scene

WRITER = PartRef("sampler", "reference", "1")


def _jobs(
    families: Sequence[str], count: int, phrasing: str, seed: int
) -> tuple[list[tuple[Task, Program]], dict[str, Scene]]:
    jobs: list[tuple[Task, Program]] = []
    scenes: dict[str, Scene] = {}
    for family in families:
        rng = np.random.default_rng([seed, FAMILIES.index(family)])
        for index in range(count):
            scene = make_scene("val", index)
            for asked in ask(scene, phrasing=phrasing, rng=rng, families=[family]):
                scenes[scene.id] = scene
                task = replace(asked, image=scene.id)
                form = task.meta["form"]
                inner = form["of"] if form["op"] == "choice" else form
                predicate = FACTS[inner["fact"]].train[0] if "fact" in inner else ""
                for at, way in enumerate(references(form, predicate, task.choices, rng)):
                    key = f"{task.id}/{at}"
                    jobs.append((task, Program(key, task.id, at, way.source, -0.1, 9, 0, WRITER)))
    return jobs, scenes


def reference_runs(
    families: Sequence[str] = FAMILIES, count: int = 6, phrasing: str = "test", seed: int = 3
) -> Iterator[tuple[Task, Program, Trace]]:
    """Runs that ended with the right answer.

    Args:
        families: of the questions.
        count: number of drawn scenes for each family.
        phrasing: wording of the questions, `train` or `test`.
        seed: draws questions and programs.
    """
    jobs, scenes = _jobs(families, count, phrasing, seed)
    with Executor(exact_tools(scenes), Unpainted(scenes), workers=1) as executor:
        for (task, program), trace in zip(jobs, executor.run(jobs), strict=True):
            if right(task, trace):
                yield task, program, trace
