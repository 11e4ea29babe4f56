"""The critic: its ranking figures by hand, planted decisions, and the queue that it orders."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import page_project
import pytest
from PIL import Image

from workbench.cli import critic as command
from workbench.curate.predict import ENOUGH, FEATURES
from workbench.curate.queue import QueueRequest
from workbench.errors import InputError, ProfileError
from workbench.evaluate.statistics.ranking import (
    auc_difference,
    cutoff,
    precision_at_recall,
    roc_auc,
)
from workbench.recipes.critic.trained_critic import TrainedCritic
from workbench.recipes.ports import ReviewedRow
from workbench.records import Decision, Task
from workbench.store import Project
from workbench.store.people import reviewed
from workbench.study import criticising

SCORES = [0.9, 0.8, 0.8, 0.4, 0.3, 0.1]
RIGHT = [True, True, False, False, True, False]


def test_roc_auc_counts_pairs() -> None:
    """Nine pairs: 3 + 2 + 1 of them in order, and the pair of equal scores counts one half."""
    assert roc_auc(SCORES, RIGHT) == pytest.approx((3 + 2.5 + 1) / 9, abs=1e-12)
    assert roc_auc([1 - score for score in SCORES], RIGHT) == pytest.approx(1 - 6.5 / 9)
    assert roc_auc([0.5] * 6, RIGHT) == 0.5


@pytest.mark.parametrize(
    ("recall", "bar", "precision"), [(1.0, 0.3, 3 / 5), (0.5, 0.8, 2 / 3), (0.3, 0.9, 1.0)]
)
def test_a_cutoff_keeps_at_least_the_recall(recall: float, bar: float, precision: float) -> None:
    assert cutoff(SCORES, RIGHT, recall) == bar
    assert precision_at_recall(SCORES, RIGHT, recall) == pytest.approx(precision)


def test_the_interval_of_equal_systems_holds_0_and_that_of_a_better_one_does_not() -> None:
    right = [at % 2 == 0 for at in range(40)]
    good, bad = [float(one) for one in right], [at / 40 for at in range(40)]
    groups = [str(at // 2) for at in range(40)]
    assert auc_difference(good, good, right, groups) == (0.0, 0.0)
    low, high = auc_difference(good, bad, right, groups)
    assert 0 < low <= high


def reviewed_row(at: int, program: str, picture: str | None = None) -> ReviewedRow:
    dice = random.Random(at)
    facts = {name: dice.random() for name in FEATURES}
    return ReviewedRow(f"q{at}", picture or f"p{at}", "How many cups?", "2", program, "Two.", facts)


def planted(number: int) -> tuple[list[ReviewedRow], list[bool]]:
    """People reject the programs that ask instead of counting; no fact tells of it."""
    accepted = [at % 3 != 0 for at in range(number)]
    programs = [
        "len(image.find('cup'))" if yes else "image.simple_query('how many')" for yes in accepted
    ]
    return [reviewed_row(at, one) for at, one in enumerate(programs)], accepted


def test_it_learns_what_no_plain_fact_tells() -> None:
    rows, accepted = planted(45)
    critic = TrainedCritic()
    ours = criticising.out_of_fold(rows, accepted, lambda some, yes: critic.fit(some, yes).chances)
    facts = criticising.out_of_fold(rows, accepted, criticising._facts)
    assert roc_auc(ours, accepted) == 1.0
    assert roc_auc(facts, accepted) < 0.9
    assert all(0 <= score <= 1 for score in ours)


def test_parts_divide_pictures_and_hold_both_sides() -> None:
    pictures = [f"p{at // 3}" for at in range(60)]
    accepted = [at // 3 % 2 == 0 for at in range(60)]
    parts = criticising.folds(pictures, accepted)
    assert len({(picture, part) for picture, part in zip(pictures, parts)}) == 20
    for part in range(criticising.FOLDS):
        assert {yes for yes, own in zip(accepted, parts) if own == part} == {True, False}


@pytest.mark.parametrize("strength", [0, -1, True, "high"])
def test_a_strength_that_is_no_number_above_0_is_refused(strength: object) -> None:
    with pytest.raises(ProfileError, match="needs strength as a number above 0, found"):
        TrainedCritic(strength=strength)  # type: ignore[arg-type]


ASKS = (
    "def execute_command(image):\n    image_patch = ImagePatch(image)\n"
    '    return formatting_answer(image_patch.visual_question_answering("how many"))\n'
)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty-eight questions about as many pictures; a third of the programs ask."""
    folder = tmp_path_factory.mktemp("critic") / "p"
    with page_project.new_project(folder) as writer:
        for at in range(48):
            path = folder.parent / f"{at}.png"
            Image.new("RGB", (64, 48), (at, 0, 0)).save(path)
            digest = writer.project.images.add(path)
            task = Task(f"own/{at:02}", "own", "train", digest, "How many cups?", ("1",), "integer")
            source = ASKS if at % 3 == 0 else page_project.program_for("cup")
            events = page_project.events_of("cup", [(9, 9, 99, 99)], (640, 480))
            writer.task(task, [(source, events)] * 5, "There is one cup.", store=False)
        writer.write()
    return folder


@pytest.fixture
def project(asked: Path, tmp_path: Path) -> Iterator[Project]:
    with Project.open(Path(shutil.copytree(asked, tmp_path / "p"))) as opened:
        yield opened


def decide(project: Project, numbers: range) -> None:
    """Ann accepts the programs that count and rejects those that ask."""
    events = []
    for at in numbers:
        view = project.task_view(f"own/{at:02}")
        assert view.chosen is not None
        assert view.chosen.trace is not None
        no = at % 3 == 0
        events.append(
            Decision(
                f"decision-{at:04}",
                "reject" if no else "accept",
                "ann",
                "curator",
                f"own/{at:02}",
                trace_id=view.chosen.trace.id,
                rationale_id=None if no else view.rationales[0].id,
                reason="wrong_program" if no else None,
            )
        )
    project.curation.decide(events)


def test_a_better_critic_orders_the_queue(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(project, range(36))
    report = criticising.fit(project, "trained_critic", {"strength": 3.0}, dry=True)
    assert report.better
    assert reviewed.in_force(project.database) is None
    report = criticising.fit(project, "trained_critic", {"strength": 3.0})
    assert (report.decisions, report.accepted, report.pictures) == (36, 24, 36)
    assert report.figures.auc == 1.0
    assert report.scored == 48
    command.show(project.path, False)
    assert "trained_critic, learnt from 36 decisions, has scored 48 runs" in capsys.readouterr().out
    request = QueueRequest(order="acceptance", gold=False)
    served = project.curation.next_items("bob", "curator", request, 12)
    rest = [int(one.task_id[-2:]) for one in served if int(one.task_id[-2:]) >= 36]
    assert [at % 3 == 0 for at in rest] == sorted(at % 3 == 0 for at in rest)


def test_too_few_or_one_sided_decisions_are_refused_in_words(project: Project) -> None:
    decide(project, range(ENOUGH - 1))
    with pytest.raises(InputError, match="needs 30 decided questions, and 29 are decided one by"):
        criticising.fit(project, "trained_critic")


def test_one_sided_decisions_are_refused_in_words() -> None:
    rows, _ = planted(40)
    with pytest.raises(InputError, match="of 40 decided ones 0 are rejected, about 0; decide on"):
        criticising._check(rows, [True] * 40)
