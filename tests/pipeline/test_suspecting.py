"""The checks for wrong reasons inside the loop: what they flag stands behind what they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.english import plural
from workbench.evaluate.wrong_reasons.exact_tools import Unpainted, exact_tools
from workbench.execute import Executor
from workbench.pipeline.suspecting import Suspecting
from workbench.rationalize.follow.evidence import evidence_of
from workbench.records import PartRef, Program, Task, Trace, Verdict
from workbench.store import Project
from workbench.store.reading import checks
from workbench.tasks.collage.scene import Scene, make_scene
from workbench.verify.choose import AnswerVerifier

HEAD = "def execute_command(image):\n    patch = ImagePatch(image)\n    return formatting_answer("
SAMPLER = PartRef("sampler", "by-hand", "1")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p") as made:
        yield made


def question() -> tuple[Task, Scene, str, str]:
    """A question about a scene with one thing of each of two kinds."""
    for number in range(100):
        scene = make_scene("val", number)
        names = [thing.category for thing in scene.objects]
        single = [name for name in names if names.count(name) == 1]
        if len(single) > 1:
            one, other = single[:2]
            asked = f"How many {plural(one)} are there?"
            task = Task("t", "collages", "val", scene.id, asked, ("1",), "integer", family="count")
            return task, scene, one, other
    raise AssertionError("no scene has two single things")


def judged(
    bodies: Sequence[str], scores: Sequence[float]
) -> tuple[Task, list[tuple[Program, Trace]], list[Verdict]]:
    task, scene, one, other = question()
    sources = [
        HEAD + body.format(one=one, other=other, many=plural(one)) + ")\n" for body in bodies
    ]
    jobs = [
        (task, Program(f"p{at}", "t", at, source, score, 9, 0, SAMPLER))
        for at, (source, score) in enumerate(zip(sources, scores, strict=True))
    ]
    scenes = {scene.id: scene}
    with Executor(exact_tools(scenes), Unpainted(scenes), workers=1) as executor:
        runs = [
            (program, replace(trace, evidence=evidence_of(program.source, trace)))
            for (_, program), trace in zip(jobs, executor.run(jobs), strict=True)
        ]
    return task, runs, AnswerVerifier(prefer="evidence").judge(task, runs)


COUNTS = 'len(patch.find("{one}"))'
COUNTS_ANOTHER_THING = 'len(patch.find("{other}"))'
ASKS = 'patch.visual_question_answering("How many {many} are there?")'


def chosen(verdicts: Sequence[Verdict]) -> list[str]:
    return [verdict.program_id for verdict in verdicts if verdict.chosen]


def test_a_lucky_run_stands_behind_one_that_nothing_speaks_against(project: Project) -> None:
    task, runs, verdicts = judged((COUNTS_ANOTHER_THING, COUNTS), (-0.1, -0.9))
    assert all(verdict.correct for verdict in verdicts)
    assert chosen(verdicts) == ["p0"], "the more probable of two counts"
    with Suspecting(project) as suspecting:
        (again,) = suspecting.choose(AnswerVerifier(prefer="evidence"), [(task, runs, verdicts)])
    assert chosen(again) == ["p1"]
    rows = checks.check_rows(project.database, [trace.id for _, trace in runs])
    assert rows[runs[0][1].id].suspicion >= 0.5 > rows[runs[1][1].id].suspicion


def test_wrong_runs_are_not_checked_and_a_single_flagged_one_is_kept(project: Project) -> None:
    task, runs, verdicts = judged((COUNTS_ANOTHER_THING, '"7"'), (-0.5, -0.1))
    with Suspecting(project) as suspecting:
        (again,) = suspecting.choose(AnswerVerifier(prefer="evidence"), [(task, runs, verdicts)])
    assert chosen(again) == ["p0"]
    assert set(checks.check_rows(project.database, [trace.id for _, trace in runs])) == {
        runs[0][1].id
    }


def test_a_run_that_looked_comes_before_one_that_asked(project: Project) -> None:
    task, runs, verdicts = judged((ASKS, COUNTS), (-0.1, -0.9))
    assert chosen(AnswerVerifier().judge(task, runs)) == ["p0"]
    with Suspecting(project) as suspecting:
        (again,) = suspecting.choose(AnswerVerifier(prefer="evidence"), [(task, runs, verdicts)])
    assert chosen(again) == ["p1"]
