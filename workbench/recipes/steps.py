"""What recipes that read runs share: the question in words that a call of a tool answers."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.recipes.ports import EarlierCall, EarlierRun, SynthesisRoom

PART = "it looks at a part of the picture, which words do not single out"


def question_of(
    call: EarlierCall, calls: Sequence[EarlierCall], room: SynthesisRoom
) -> tuple[str, str]:
    """The question about the whole picture that a call answers, and why there is none.

    Args:
        call: of a tool.
        calls: all calls of its run.
        room: knows how nouns are written.

    Returns:
        The question and an empty reason, or an empty question and the reason.
    """
    if call.said is None:
        return "", f"{call.tool} says nothing that is an answer"
    if call.tool == "verify_property" and len(call.arguments) == 2:
        return _property(call, calls)
    if not call.whole:
        return "", PART
    if call.tool in ("find", "exists") and call.arguments:
        noun = call.arguments[0]
        if call.tool == "find":
            return f"How many {room.plural(noun)} are there?", ""
        return f"Are there any {room.plural(noun)}?", ""
    if call.tool == "visual_question_answering" and call.arguments:
        question = call.arguments[0].strip()
        return (question, "") if question.endswith("?") else ("", "what it asks is no question")
    return "", f"a call of {call.tool} asks nothing in words"


def _property(call: EarlierCall, calls: Sequence[EarlierCall]) -> tuple[str, str]:
    """Whether the one thing of its name has a property."""
    noun, attribute = call.arguments
    counts = {
        one.said
        for one in calls
        if one.tool == "find" and one.whole and one.arguments[:1] == (noun,)
    }
    if counts != {"1"}:
        return "", "there is not just one thing of the name whose property is asked for"
    return f"Is the {noun} {attribute}?", ""


def facts_of(run: EarlierRun, call: EarlierCall) -> dict[str, str | int]:
    """Where a question of a call comes from."""
    return {"main_question": run.question, "tool": call.tool, "program": run.program}
