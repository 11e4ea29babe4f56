"""Decisions from other tools' files: what is taken, what is listed, and that nothing in a file can
do harm.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshot_rows import HOSTILE

from workbench.errors import DatasetError
from workbench.records import storable_json
from workbench.snapshot.imports import TOOLS, ImportedDecision, RefusedEntry, read

ABOUT = {"task_id": "made/1", "trace_id": "t1", "rationale_id": "r1"}


def argilla(
    decision: str = "accept", user: str = "u-1", status: str | None = "submitted", **answers: str
) -> dict[str, Any]:
    """A record as argilla's `to_list(flatten=True)` writes it."""
    row: dict[str, Any] = {
        "id": "e1",
        "status": "completed",
        "_server_id": None,
        "question": "How many?",
        **ABOUT,
    }
    for name, value in {"decision": decision, **answers}.items():
        row[f"{name}.responses"] = [value]
        row[f"{name}.responses.users"] = [user]
        row[f"{name}.responses.status"] = [status]
    return row


def nested(status: str | None = None, **answers: str) -> dict[str, Any]:
    """A record as argilla's `to_json` writes it; the status of an answer is not in its files."""
    part = {} if status is None else {"status": status}
    responses = {
        name: [{"value": value, "user_id": "u-1", **part}] for name, value in answers.items()
    }
    return {"id": "e1", "fields": {}, "metadata": ABOUT, "responses": responses}


def studio(decision: str = "accept", **changes: Any) -> dict[str, Any]:
    """A task as Label Studio exports it."""
    result = [
        {
            "from_name": "decision",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": [decision]},
        }
    ]
    for name in ("reason", "note", "rationale"):
        if name in changes:
            kind = "choices" if name == "reason" else "text"
            result.append(
                {
                    "from_name": name,
                    "to_name": "image",
                    "type": kind,
                    "value": {kind: [changes.pop(name)]},
                }
            )
    annotation = {
        "id": 7,
        "completed_by": 3,
        "result": result,
        "was_cancelled": False,
        "lead_time": 4.2,
        "created_at": "2026-03-09T22:16:08.728353Z",
        **changes,
    }
    return {"id": 5, "data": ABOUT, "annotations": [annotation]}


def _choices(*values: str) -> list[dict[str, Any]]:
    """What Label Studio writes for one question with these choices."""
    return [{"from_name": "decision", "type": "choices", "value": {"choices": list(values)}}]


def taken(
    tmp_path: Path, tool: str, *entries: Any
) -> tuple[list[ImportedDecision], list[RefusedEntry]]:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(list(entries)))
    return read(path, tool)


def test_argilla_decisions(tmp_path: Path) -> None:
    entry = argilla("reject", reason="bad_gold", note="it is three", rationale="told")
    (said,), refused = taken(tmp_path, "argilla", entry)
    assert refused == []
    assert (said.kind, said.reason, said.note, said.rationale) == (
        "reject",
        "bad_gold",
        "it is three",
        "told",
    )
    assert (said.author, said.task_id, said.trace_id, said.rationale_id) == (
        "argilla:u-1",
        "made/1",
        "t1",
        "r1",
    )


def test_two_people_on_one_argilla_record(tmp_path: Path) -> None:
    entry = argilla()
    entry["decision.responses"].append("skip")
    entry["decision.responses.users"].append("u-2")
    entry["decision.responses.status"].append("submitted")
    said, _ = taken(tmp_path, "argilla", entry)
    assert [(row.author, row.kind) for row in said] == [
        ("argilla:u-1", "accept"),
        ("argilla:u-2", "skip"),
    ]


@pytest.mark.parametrize("status", ["draft", "discarded"])
def test_argilla_answers_that_were_not_submitted_are_no_decisions(
    tmp_path: Path, status: str
) -> None:
    for entry in (argilla(status=status), nested(status, decision="accept")):
        said, (refused,) = taken(tmp_path, "argilla", entry)
        assert said == []
        assert refused.reason.startswith(f"the answer of u-1 is {status}, not submitted")


def test_one_question_left_as_a_draft_holds_back_the_person(tmp_path: Path) -> None:
    entry = argilla("reject", reason="bad_gold")
    entry["reason.responses.status"] = ["draft"]
    said, (refused,) = taken(tmp_path, "argilla", entry)
    assert said == []
    assert "is draft, not submitted" in refused.reason


@pytest.mark.parametrize(
    "entry",
    [
        nested(decision="accept"),
        nested(decision="reject", reason="bad_gold"),
        argilla(status=None),
        {**argilla(), "decision.responses.status": []},
    ],
)
def test_argilla_answers_without_a_status_cannot_be_told(
    tmp_path: Path, entry: dict[str, Any]
) -> None:
    """`to_json` writes submitted, draft and discarded answers alike."""
    said, (refused,) = taken(tmp_path, "argilla", entry)
    assert said == []
    assert "does not say whether it was submitted" in refused.reason
    assert "to_list(flatten=True)" in refused.reason


def test_an_argilla_answer_that_says_its_status_is_read_from_either_form(tmp_path: Path) -> None:
    for entry in (argilla(note="so"), nested("submitted", decision="accept", note="so")):
        (said,), refused = taken(tmp_path, "argilla", entry)
        assert refused == []
        assert (said.kind, said.note, said.task_id) == ("accept", "so", "made/1")


def test_label_studio_decisions(tmp_path: Path) -> None:
    (said,), refused = taken(
        tmp_path, "label-studio", studio("reject", reason="ambiguous question", note="which dog?")
    )
    assert refused == []
    assert (said.author, said.kind, said.reason, said.note) == (
        "label-studio:3",
        "reject",
        "ambiguous",
        "which dog?",
    )
    assert said.seconds == 4.2
    assert said.client_time == datetime(2026, 3, 9, 22, 16, 8, 728353)


def test_a_label_studio_person_with_an_address(tmp_path: Path) -> None:
    (said,), _ = taken(
        tmp_path, "label-studio", studio(completed_by={"id": 3, "email": "ann@example.org"})
    )
    assert said.author == "label-studio:ann@example.org"


@pytest.mark.parametrize("tool", TOOLS)
def test_reading_again_gives_the_same_ids(tmp_path: Path, tool: str) -> None:
    make = {"argilla": argilla, "label-studio": studio}[tool]
    (first,), _ = taken(tmp_path, tool, make(note="a"))
    assert taken(tmp_path, tool, {"id": 1}, make(note="a"))[0] == [
        ImportedDecision(
            **{
                **{f: getattr(first, f) for f in ImportedDecision.__dataclass_fields__},
                "where": first.where.replace("record 1", "record 2"),
            }
        )
    ]
    (changed,), _ = taken(tmp_path, tool, make(note="b"))
    assert changed.id != first.id, "who says something else later has made another decision"
    assert 8 <= len(f"{first.id}:edit") <= 64


@pytest.mark.parametrize(
    ("tool", "entry", "why"),
    [
        ("argilla", argilla("perhaps"), "its decision is 'perhaps'; expected accept, reject, skip"),
        ("argilla", argilla("reject"), "a rejection needs a reason"),
        (
            "argilla",
            argilla("accept", reason="bad_gold"),
            "it is 'accept' and names a reason of rejection ('bad_gold')",
        ),
        (
            "argilla",
            {**argilla(), "task_id": None},
            "it does not name its task; it was not exported from here",
        ),
        (
            "label-studio",
            {"id": 5, "data": ABOUT},
            "it has no list 'annotations'; export as JSON, not as JSON-MIN",
        ),
        ("label-studio", studio(was_cancelled=True), "it was cancelled"),
        ("label-studio", studio(was_cancelled=None), "it was cancelled"),
        (
            "label-studio",
            studio(result=_choices("accept", "reject")),
            "it holds several values of 'decision', and which of them is meant cannot be told",
        ),
        (
            "label-studio",
            studio(result=[*_choices("accept"), *_choices("skip")]),
            "it holds several values of 'decision'",
        ),
        ("label-studio", studio(completed_by=None), "it does not name who decided"),
        ("label-studio", studio(result=[]), "its decision is ''"),
        ("label-studio", "text", "it has no list 'annotations'"),
    ],
)
def test_what_does_not_fit_is_listed(tmp_path: Path, tool: str, entry: Any, why: str) -> None:
    said, (refused,) = taken(tmp_path, tool, entry)
    assert said == []
    assert refused.reason.startswith(why)
    assert refused.where.startswith(("record 1", "task "))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not valid JSON"),
        ("{}", "holds dict; expected the list that argilla exports"),
        ("[" * 99999, "more than 100 deep"),
        ("\udcff", "is not valid JSON"),
    ],
)
def test_a_file_that_is_no_export(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "x.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DatasetError, match=why):
        read(tmp_path / "x.json", "argilla")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"x.json cannot be read \(No such file or directory\); check the path"
    ):
        read(tmp_path / "x.json", "argilla")


def test_an_unknown_tool(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError,
        match="decisions of 'doccano' cannot be read; there are: argilla, label-studio",
    ):
        read(tmp_path / "x.json", "doccano")


def test_fiftyone_files_say_who_decided_nothing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"FiftyOne's files do not say who decided"):
        read(tmp_path / "samples.json", "fiftyone")


def test_hostile_notes_stay_text(tmp_path: Path) -> None:
    (said,), _ = taken(tmp_path, "argilla", argilla(note=HOSTILE))
    assert said.note == storable_json(HOSTILE)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda held: (
        st.lists(held, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "data",
                    "metadata",
                    "annotations",
                    "result",
                    "responses",
                    "decision",
                    "value",
                    "user_id",
                    "status",
                    "decision.responses",
                    "decision.responses.users",
                    "decision.responses.status",
                    "choices",
                    "from_name",
                    "completed_by",
                    "task_id",
                    "lead_time",
                    "created_at",
                    "text",
                ]
            ),
            held,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(entries=st.lists(ANYTHING, max_size=4), tool=st.sampled_from(list(TOOLS)))
def test_no_file_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Any], tool: str
) -> None:
    said, refused = taken(tmp_path_factory.mktemp("a"), tool, *entries)
    assert all(row.task_id and row.author for row in said)
    assert all(row.where and row.reason for row in refused)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("deep", [101, 900])
def test_an_entry_nested_too_deep_is_refused_alone(tmp_path: Path, tool: str, deep: int) -> None:
    path = tmp_path / "decisions.json"
    entry = json.dumps(argilla())
    path.write_text(f"[{entry}, {'[' * deep}{']' * deep}]")
    decisions, refused = read(path, tool)
    assert len(decisions) == (tool == "argilla")
    assert "more than 100 deep" in refused[-1].reason
    path.write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(DatasetError, match="more than 100 deep"):
        read(path, tool)
