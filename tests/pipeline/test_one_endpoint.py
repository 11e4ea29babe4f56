"""The profile `endpoint`: one multimodal model behind one server plays every role of the loop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chat_server import said, serving

from workbench.pipeline.loop import run
from workbench.settings import Choice, find_profile
from workbench.store import Project

SMALL_PARTS = Path(__file__).resolve().parents[1] / "small_parts.py"
SEE = """def execute_command(image):
    image_patch = ImagePatch(image)
    return formatting_answer(image_patch.visual_question_answering('How many?'))
"""
KNOW = """def execute_command(image):
    image_patch = ImagePatch(image)
    print(image_patch.image_caption())
    print(image_patch.best_text_match(['tea', 'cup']))
    print(image_patch.verify_property('square', 'red'))
    return formatting_answer(llm_query('Can a bird fly?'))
"""


def text_of(payload: Mapping[str, Any]) -> str:
    content = payload["messages"][0]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def answer(n: int, payload: Mapping[str, Any]) -> Any:
    text = text_of(payload)
    if text.endswith("def execute_command(image):"):
        question = text.splitlines()[-3]
        program = KNOW if "more than" in question else SEE
        return said(*[program] * payload["n"])
    if "exactly one of: " in text:  # the first of them
        return said(text.rpartition("exactly one of: ")[2].partition(",")[0])
    return said("yes" if "bird" in text or "more than" in text else "3")


def test_one_model_plays_every_role(tmp_path: Path) -> None:
    with serving(answer) as server:
        text = find_profile("endpoint").read_text()
        profile = tmp_path / "endpoint.toml"
        profile.write_text(text.replace("http://localhost:8000/v1", server.url))
        source = Choice(f"{SMALL_PARTS}:Squares", {"root": str(tmp_path / "drawn")})
        with Project.create(tmp_path / "p", str(profile), source) as project:
            summary = run(project, k=2)
            assert summary.report.counts.failures == {}
            asked_about = {text_of(payload).partition(" Answer")[0] for payload in server.asked}
            figures = summary.report.usage
            answers = {row["answer"] for row in project.database.rows("FROM prediction")}
            programs = {row["source"] for row in project.database.rows("FROM program")}
        assert all(
            payload["chat_template_kwargs"] == {"enable_thinking": False}
            for payload in server.asked
        )
    assert programs == {SEE, KNOW}
    assert answers == {"3", "yes"}
    assert {"sample", "execute", "predict"} <= set(figures)
    assert figures["sample"].requests == figures["predict"].requests == 12
    for words in ("How many?", "Describe the picture in one sentence.", "Is the square red?"):
        assert words in asked_about
    assert any("Can a bird fly?" in words for words in asked_about)
    assert any("tea, cup" in words for words in asked_about)
