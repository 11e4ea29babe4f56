"""The made-up store of the benches holds what it says, whatever columns its tables get later."""

from pathlib import Path

from workbench.bench.store_fill import fill
from workbench.bench.store_records import K
from workbench.store import Project


def test_each_question_has_all_that_follows_it(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p") as project:
        fill(project, 20)
        counts = project.counts()
    assert (counts.tasks, counts.programs, counts.traces) == (20, 20 * K, 20 * K)
    assert counts.judged == counts.predictions == 20
    assert 0 < counts.kept <= 20
