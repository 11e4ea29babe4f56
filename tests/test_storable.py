"""Texts that UTF-8 cannot hold: one function makes them storable, and nobody does it by hand."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from workbench.evaluate.benchmarks.scores import SystemAnswer
from workbench.evaluate.benchmarks.submission import write
from workbench.events import decode_events, encode_events
from workbench.execute.scheduler import _short
from workbench.records import Task, TraceEvent, storable, storable_json
from workbench.snapshot.example import canonical
from workbench.store.records.rows import clean_task

ROOT = Path(__file__).resolve().parent.parent
HALF = "half \ud800 of a pair, é"
WHOLE = "half ? of a pair, é"


@given(st.text(st.characters()))
def test_a_text_keeps_its_length_and_all_that_utf8_holds(text: str) -> None:
    clean = storable(text)
    assert len(clean) == len(text)
    assert all(
        new == old or (new == "?" and "\ud800" <= old <= "\udfff")
        for new, old in zip(clean, text, strict=True)
    )
    assert clean.encode().decode() == clean


def test_every_text_of_a_value_is_cleaned() -> None:
    assert storable_json({HALF: [HALF, (1, HALF)], "n": None}) == {
        WHOLE: [WHOLE, [1, WHOLE]],
        "n": None,
    }


def test_events() -> None:
    event = TraceEvent(0, "print", 1, 0, {"text": HALF})
    assert decode_events(encode_events([event]))[0].payload == {"text": WHOLE}


def test_errors_of_tools() -> None:
    assert _short(RuntimeError(HALF)) == WHOLE


def test_digests() -> None:
    assert canonical({"text": HALF}) == canonical({"text": WHOLE})


def test_questions_in_the_store() -> None:
    task = Task(
        HALF, HALF, HALF, "d", HALF, (HALF,), choices=(HALF,), family=HALF, meta={HALF: HALF}
    )
    assert clean_task(task) == Task(
        WHOLE,
        WHOLE,
        WHOLE,
        "d",
        WHOLE,
        (WHOLE,),
        choices=(WHOLE,),
        family=WHOLE,
        meta={WHOLE: WHOLE},
    )


def test_submissions(tmp_path: Path) -> None:
    task = Task(
        "t",
        "mmbench",
        "test",
        "d",
        HALF,
        choices=(HALF, "no"),
        meta={"question_id": 7, "index": 7, "letters": "AB"},
    )
    (written,) = write("mmbench", [task], {"t": SystemAnswer(HALF)}, tmp_path)
    assert written.path.read_text(encoding="utf-8").count(WHOLE) == 3


def test_nobody_does_it_by_hand() -> None:
    by_hand = re.compile(r"""\.encode\([^)]*["']replace["']|write_text\([^)]*errors=""")
    paths = [path for folder in ("workbench", "app") for path in (ROOT / folder).rglob("*.py")]
    users = {path.name for path in paths if by_hand.search(path.read_text(encoding="utf-8"))}
    assert users == {"keys.py"}, "call workbench.keys.storable"
