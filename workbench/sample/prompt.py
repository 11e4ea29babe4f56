"""The prompt: tool API, guidelines, examples and question.

This is the paper's order (Hu et al. 2024, section 3.1).

A question is hostile text.  It stands on one line, whole, holds no control characters, and
samplers tokenise it without special tokens: whatever it says, it remains one comment line of
Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.api import STANDARD, Api, Style
from workbench.ports import Recall
from workbench.records import Task, ToolSpec, content_key
from workbench.sample.again import Attempt, account, shown_program
from workbench.sample.examples import EXAMPLES, SEVERAL_EXAMPLES, callable_with, retrieve

HEADER = "def execute_command(image):"
"""First line of every program about one picture."""
SEVERAL_HEADER = "def execute_command(images):"
"""First line of every program about several pictures."""
SEVERAL = """\
# The question is about {number} pictures.  `images` is the list of them in order, so begin with
# image_patches = [ImagePatch(image) for image in images]
# Positions in different pictures do not compare.
"""
"""What a prompt says of a question about several pictures, in front of the program."""
LONGEST_QUESTION = 8000
"""Most characters of a question with its options; there is no program for a longer one."""

GUIDELINES = """\
Write one Python function `execute_command(image)` that answers the question about the picture \
with this API.
- Use plain Python for logic, counting, comparing, sorting, and for left, right, above and below.
- `image_patch.find` is for counting and for where things are; a name is a short noun such as "dog".
- A simple question about what is seen goes straight to `visual_question_answering`.
- What the picture does not show but people know goes to `llm_query`.
- Print what you find on the way, and end with `return formatting_answer(...)`.
- Import nothing.  Answer with the function alone, no explanation.
"""
"""The instructions of the paper's prompt, in our words."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in two parts, so that what all questions share is computed once."""

    shared: str
    """API and guidelines; the same for every question."""
    own: str
    """Examples for the question, the question, and the program's first line."""
    header: str = HEADER
    """The program's first line."""

    @property
    def text(self) -> str:
        """The whole prompt."""
        return self.shared + self.own


class Prompts:
    """Makes prompts for one set of tools.

    Args:
        specs: The tools that programs may call.
        style: `compact`, with the API in short lines and without examples, for a model that was
            trained on it; or `full`.
        shots: Examples per question in the full style.

    Raises:
        ValueError: there is no such style.
    """

    def __init__(self, specs: Sequence[ToolSpec], style: Style = "full", shots: int = 5) -> None:
        if style not in ("compact", "full"):
            raise ValueError(f"a prompt is 'compact' or 'full', found {style!r}")
        api = Api(specs)
        self.style, self._shots = style, shots
        self._recall: Recall = lambda task: ()
        absent = {name for name in STANDARD if name not in {spec.name for spec in api.specs}}
        self._library = callable_with(EXAMPLES, absent)
        self._several = callable_with(SEVERAL_EXAMPLES, absent)
        self.shared = (
            api.prompt(style)
            if style == "compact"
            else f"{api.prompt(style)}\n{GUIDELINES}{without(absent)}"
        )
        texts = [(example.question, example.program) for example in self._library]
        self.version = content_key(style, self.shared, shots, texts if style == "full" else "")[:8]

    def __call__(self, task: Task) -> Prompt:
        """The prompt of one question; the program's body comes next."""
        header = header_of(task)
        about = SEVERAL.format(number=len(task.images)) if task.more_images else ""
        own = f"\n# {question_line(task.question, task.choices)}\n{about}{header}"
        # what people corrected is nearest to the question, behind the examples of the library
        own = _worked(self._recall(task)) + own
        if self.style == "full":
            near = [*retrieve(task.question, self._shots, self._library)]
            near += self._several if task.more_images and self._shots else ()
            own = _worked((example.question, example.program) for example in near) + own
        return Prompt(self.shared, own, header)

    def again(self, attempt: Attempt) -> Prompt:
        """The prompt of a program that is written again, after one that did not answer."""
        task, program, trace = attempt
        line = f"# {question_line(task.question, task.choices)}\n"
        first = self(task)
        earlier = (
            f"{line}{shown_program(program)}{account(program, trace)}"
            "# The same question again, with a function that answers it:\n"
        )
        before, question, rest = first.own.rpartition(line)
        return Prompt(self.shared, f"{before}{earlier}{question}{rest}", first.header)

    def remember(self, recall: Recall) -> None:
        """Show the corrections of a memory from now on, as worked examples."""
        self._recall = recall


def header_of(task: Task) -> str:
    """The first line of every program of a question."""
    return SEVERAL_HEADER if task.more_images else HEADER


def _worked(pairs: Iterable[tuple[str, str]]) -> str:
    """Questions with their programs, as the prompt shows them."""
    return "".join(f"\n# {question}\n{program.strip()}\n" for question, program in pairs)


def without(absent: Iterable[str]) -> str:
    """The guideline that published functions do not exist here, which many models know by heart."""
    names = " and no ".join(f"`{name}`" for name in sorted(absent))
    return f"- There is no {names} in this API: do without.\n" if names else ""


def one_line(text: str) -> str:
    """Hostile text as printable characters on one line, all of them."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def question_line(question: str, choices: Sequence[str] = ()) -> str:
    """The question on one line, with the options of a multiple-choice question behind it."""
    line = one_line(question)
    if choices:
        line += f" Options: {', '.join(one_line(choice) for choice in choices)}."
    return line


def too_long(task: Task) -> str:
    """Why a question gets no program; empty for one that is not too long.

    No question is cut: what a program answers would be another one.
    """
    length = len(question_line(task.question, task.choices))
    if length <= LONGEST_QUESTION:
        return ""
    return (
        f"the question has {length} characters with its options; at most {LONGEST_QUESTION} are "
        "taken, shorten it"
    )


def compact_own(question: str, choices: Sequence[str] = ()) -> str:
    """The question's own part of the compact prompt; the program's body follows."""
    return f"\n# {question_line(question, choices)}\n{HEADER}"
