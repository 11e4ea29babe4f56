"""What `execute_command` is called with: published programs take more than the picture.

A question about one picture supplies it, whatever the parameter is called; one about several
supplies their list, to a parameter that says so.

ViperGPT's own files have `execute_command(image, my_fig, time_wait_between_lines, syntax)` and
`execute_command(video, possible_answers, query)`.  The question and its choices are supplied too; a
parameter that the program never reads is left out of its header.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property

from workbench.execute.language.refused import RefusedProgram
from workbench.records import Task

MAIN = "execute_command"

PICTURE, PICTURES = "__picture__", "__pictures__"
QUESTION, CHOICES = "__question__", "__choices__"
"""The values that the sandbox has for the parameters of `execute_command`."""

_KNOWN = {
    "image": PICTURE,
    "img": PICTURE,
    "picture": PICTURE,
    "images": PICTURES,
    "image_list": PICTURES,
    "img_list": PICTURES,
    "imgs": PICTURES,
    "pictures": PICTURES,
    "question": QUESTION,
    "query": QUESTION,
    "possible_answers": CHOICES,
    "choices": CHOICES,
    "options": CHOICES,
}
"""Parameters that mean the same wherever they stand; the first of all others is the picture."""

_SEEN = (PICTURE, PICTURES)
"""What a program looks at, of which it gets one."""


def given_arguments(main: ast.FunctionDef) -> Sequence[str]:
    """What `execute_command` is called with; parameters that are never read are taken out of it.

    Raises:
        RefusedProgram: it has no parameter for the picture, or reads one that has no value here.
    """
    a = main.args
    positional = [*a.posonlyargs, *a.args]
    if not positional:
        if a.vararg:
            return (PICTURE,)
        raise RefusedProgram("source", f"{MAIN} takes no argument; it needs the image", main.lineno)
    needed = positional[: len(positional) - len(a.defaults)] or positional[:1]
    values = _values([argument.arg for argument in needed])
    uses = _Uses(main)
    arguments = []
    for argument in needed:
        value = values.get(argument.arg)
        if value is not None and (value in _SEEN or argument.arg in uses.lines):
            arguments.append(value)
        else:
            _leave_out(main, argument, uses)
    for keyword, default in list(zip(a.kwonlyargs, a.kw_defaults)):
        if default is None:
            _keyword(main, keyword, uses, arguments)
    return arguments


def _values(names: Sequence[str]) -> dict[str, str]:
    """The value of each parameter that has one, by name; the picture always has a place."""
    values = {name: _KNOWN[name] for name in names if name in _KNOWN}
    pictures = [name for name, value in values.items() if value in _SEEN]
    for name in pictures[1:]:
        del values[name]
    first = next((name for name in names if name not in values), None)
    if not pictures:
        values[first or names[0]] = PICTURE
    return values


class _Uses:
    """The first line on which a function's body reads or binds each name; few programs need it."""

    def __init__(self, main: ast.FunctionDef) -> None:
        self._main = main

    @cached_property
    def lines(self) -> dict[str, int]:
        """The line by the name."""
        lines: dict[str, int] = {}
        for statement in self._main.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name):
                    lines[node.id] = min(node.lineno, lines.get(node.id, node.lineno))
        return lines


def _leave_out(main: ast.FunctionDef, argument: ast.arg, uses: _Uses) -> None:
    line = uses.lines.get(argument.arg)
    if line is not None:
        raise RefusedProgram(
            "source",
            f"{MAIN} uses its parameter '{argument.arg}' (line {line}), which has no "
            "value here; only the image, the question (query) and its choices (possible_answers) "
            "are supplied",
            main.lineno,
        )
    for arguments in (main.args.posonlyargs, main.args.args):
        if argument in arguments:
            arguments.remove(argument)


def _keyword(main: ast.FunctionDef, keyword: ast.arg, uses: _Uses, arguments: list[str]) -> None:
    value = _KNOWN.get(keyword.arg)
    if value is not None and keyword.arg in uses.lines:
        arguments.append(f"{keyword.arg}={value}")
        return
    _leave_out(main, keyword, uses)
    at = main.args.kwonlyargs.index(keyword)
    del main.args.kwonlyargs[at], main.args.kw_defaults[at]


def unserved(arguments: Sequence[str], task: Task) -> str:
    """Why a question has no value for what `execute_command` is called with; empty where it has.

    Args:
        arguments: as `given_arguments` gives them.
        task: the question.
    """
    if not task.choices and any(one.endswith(CHOICES) for one in arguments):
        return f"{MAIN} takes possible_answers, and this question has no choices"
    if task.more_images and not any(one.endswith(PICTURES) for one in arguments):
        return (
            f"{MAIN} takes one picture, and this question has {len(task.images)}; write "
            f"{MAIN}(images), where images is the list of them"
        )
    return ""


def setup(arguments: Sequence[str], task: Task, sizes: Sequence[tuple[int, int]]) -> str:
    """The line of the program's text that sets up the values it is called with.

    Args:
        arguments: as `given_arguments` gives them.
        task: the question.
        sizes: width and height of each of its pictures, in pixels.
    """
    (width, height), *others = sizes
    parts = [f"{PICTURE} = __Picture__({width}, {height})"]
    every = [PICTURE]
    for number, (width, height) in enumerate(others, start=1):
        every.append(f"__others__[{number}]")
        parts.append(f"{every[-1]} = __Picture__({width}, {height}, {number})")
    if any(one.endswith(PICTURES) for one in arguments):
        parts.append(f"{PICTURES} = {_list_of(every) if others else PICTURE}")
    values = {QUESTION: task.question, CHOICES: list(task.choices)}
    for name, value in values.items():
        if any(one.endswith(name) for one in arguments):
            parts.append(f"{name} = {value!r}")
    return "; ".join(parts)


def _list_of(names: Sequence[str]) -> str:
    return f"[{', '.join(names)}]"
