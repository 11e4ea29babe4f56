"""Parts that differ are told apart wherever a model is named for people."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import page_project

from app import report
from workbench.records import PartRef, content_key
from workbench.screen.charts.overview import overview
from workbench.screen.part_names import part_name
from workbench.store import Project

STUDENT = PartRef(
    "student", "job/model", "0123456789abcdef", {"max_tokens": 16, "files": "aaaa1111bb"}
)
EDITED = replace(STUDENT, arguments={"max_tokens": 16, "files": "cccc2222dd"})
OLDER = replace(STUDENT, arguments={"max_tokens": 16})
RETRAINED = replace(STUDENT, version="01234567ffff")


def test_a_part_alone_is_its_name_and_version() -> None:
    assert part_name(STUDENT) == part_name(STUDENT, [STUDENT]) == "job/model 01234567"
    other_role = replace(STUDENT, role="writer", arguments={})
    assert part_name(STUDENT, [other_role]) == "job/model 01234567"


def test_parts_that_differ_are_told_apart() -> None:
    assert part_name(STUDENT, [STUDENT, EDITED]) == "job/model 01234567 (files aaaa1111)"
    assert part_name(OLDER, [STUDENT, OLDER]) == "job/model 01234567 (files as usual)"
    assert part_name(RETRAINED, [STUDENT, RETRAINED]) == "job/model 01234567ffff"
    everything = [STUDENT, EDITED, OLDER, RETRAINED]
    assert len({part_name(one, everything) for one in everything}) == 4


def test_the_report_and_the_dashboard_tell_two_templates_apart(tmp_path: Path) -> None:
    folder = page_project.build(tmp_path / "p", scenes=2)
    with Project.open(folder) as project:
        given = [
            prediction
            for row in project.outcomes()
            for prediction in project.task_view(row.task_id, project.scope()).predictions
        ]
        edited = replace(given[0].model, arguments={"files": "another template"})
        project.add_predictions(
            [replace(one, id=content_key(one.id, edited), model=edited) for one in given]
        )
        names = [part_name(one, project.parts.values()) for one in (given[0].model, edited)]
        assert len(set(names)) == 2
        assert set(names) <= {one.name for one in overview(project).models}
        report.write(project, folder / "report.html")
    page = re.sub(r"\s+", " ", (folder / "report.html").read_text(encoding="utf-8"))
    assert all(f'<dt class="theirs">{name}</dt>' in page for name in names)
