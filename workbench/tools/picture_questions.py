"""What programs ask of a model that sees: the words of their calls, whichever model answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.cut_text import UnendedText, cut_reason, first_line
from workbench.english import the
from workbench.errors import ToolFailure
from workbench.ports import Images
from workbench.prompts import LABEL_SUFFIX
from workbench.records import Region, ToolCall, Value
from workbench.tools.arguments import LONGEST_QUESTION, patch, text, texts
from workbench.tools.yesno import property_question

MATCH_QUESTION = "What does the picture show?"
YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class PictureQuestion:
    """A question about a patch."""

    region: Region
    prompt: str
    options: tuple[str, ...] = ()
    """The answers to choose from; none for an open question."""
    values: Sequence[Value] = ()
    """What the program gets for each option."""


def readable(call: ToolCall, images: Images) -> Region:
    """The call's patch; its picture is opened here, so that a broken one fails this call alone."""
    region = patch(call)
    images.open(region.image)
    return region


def open_question(call: ToolCall, images: Images) -> PictureQuestion:
    """What `visual_question_answering` asks."""
    region = readable(call, images)
    return PictureQuestion(region, text(call, "question", LONGEST_QUESTION) + LABEL_SUFFIX)


def property_check(call: ToolCall, images: Images) -> PictureQuestion:
    """What `verify_property` asks."""
    thing, attribute = text(call, "object_name"), text(call, "attribute")
    question = property_question(the(thing), attribute) + LABEL_SUFFIX
    return PictureQuestion(readable(call, images), question, YES_NO, (True, False))


def text_match(call: ToolCall, images: Images) -> PictureQuestion:
    """What `best_text_match` asks."""
    options = texts(call, "options")
    prefix = text(call, "prefix") if call.arguments.get("prefix") not in (None, "") else ""
    question = f"Which kind of {prefix}?" if prefix else MATCH_QUESTION
    choices = [f"{prefix} {option}" if prefix else option for option in options]
    # a program gets back the very option that it passed
    values = list(call.arguments["options"])  # type: ignore[arg-type]
    prompt = f"{question} Options: {', '.join(choices)}.{LABEL_SUFFIX}"
    return PictureQuestion(readable(call, images), prompt, tuple(options), values)


def whole_line(answer: str, max_tokens: int) -> str | ToolFailure:
    """The first line of an answer that holds anything; a failure where there is none, or no end.

    Args:
        answer: of a model.
        max_tokens: most tokens that the model was allowed.
    """
    line = first_line(answer)
    if isinstance(line, UnendedText):
        return ToolFailure(cut_reason(max_tokens))
    return line or ToolFailure("the model gave no answer")


def short_answer(answer: str) -> str:
    """An answer as programs compare it: small letters, no full stop."""
    return answer.removesuffix(".").lower()
