"""The program in a model's reply: the last sensible one, without thinking, fences and chatter.

A reply is hostile text.  Models think aloud first, correct themselves, number their blocks, answer
in JSON or in tags, and go on behind the function.  What is taken is a function `execute_command`
with the imports, constants and helpers of its own block.
"""

from __future__ import annotations

import ast
import html
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from workbench.models.thinking import apart
from workbench.parsing import parse

MAIN = "execute_command"
LONGEST = 20_000
"""Most characters of a completion; the rest is ignored."""
_MOST_BLOCKS = 60
"""Most fenced blocks that are looked at."""
_MOST_STARTS = 400
"""Most lines at the margin that are tried as beginnings of code."""

_OPENING = re.compile(
    r"^[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^\n]*)$",
    re.MULTILINE,
)
_CLOSING = re.compile(r"(?:`{3,}|~{3,})[ \t]*$", re.MULTILINE)
_TAG = re.compile(r"<(code|python|program|answer|solution)>(.*?)(?:</\1>|\Z)", re.DOTALL)
_CODE = re.compile(
    r"(?:async def |def |class |import |from \w|@\w|[A-Za-z_]\w*[ \t]*(?::[^=\n]+)?=[^=])"
)
_KEPT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply taken apart."""

    program: str
    """Source that ends in one newline; empty where the reply is nothing but a thought."""
    thinking: str
    """What the model thought aloud before; empty where it did not."""


def read_reply(text: str, thinking: str = "") -> Reply:
    """Take a reply apart.

    Args:
        text: What the model wrote.
        thinking: What the server gave apart as its thinking.
    """
    thought, rest = apart(text.replace("\r\n", "\n").replace("\r", "\n"))
    whole = "\n".join(filter(None, [thinking, thought])).strip()
    return Reply(extract_program(_from_last(rest)) if rest.strip() else "", whole)


def _from_last(text: str) -> str:
    """A reply from its last program on, where a model corrects itself and puts fences round none.

    Behind a completion a model may go on with anything, so that there the first program counts.
    """
    starts = [match.start() for match in re.finditer(rf"^def[ \t]+{MAIN}\b", text, re.MULTILINE)]
    if len(starts) < 2 or _OPENING.search(text):
        return text
    between = text[starts[-2] : starts[-1]].split("\n")
    speaks = any(
        line.strip() and line[0] not in " \t)]}#" and not _CODE.match(line) for line in between
    )
    last = text[starts[-1] :]
    return last if speaks and _parses(_program(last)) else text


def read_completion(header: str, text: str) -> Reply:
    """Take apart what a model wrote behind a program's first line, which was put into its mouth.

    A thought may stand before the body, or before a program that begins anew.  The end of a thought
    that never began ends none where no program comes behind it.

    Args:
        header: The first line.
        text: What the model wrote.
    """
    reply = read_reply(header + text)
    if not reply.thinking:
        return Reply(extract_program(header + text), "")
    if reply.program.strip() == header.strip():
        return Reply("", reply.thinking)
    if f"def {MAIN}" in reply.program:
        return reply
    return Reply(extract_program(header + text), "")


def extract_program(text: str) -> str:
    """The source of `execute_command` in a text, with helpers, constants and imports of its block.

    It ends in one newline.  Where there is no such function, it is the text itself, stripped: as a
    program it fails with a message that quotes its own line, which is better than a guess.  In
    front of a completion that continues the header the header has to stand.
    """
    text = text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n")
    broken = ""
    for block in _blocks(text):
        source = _program(block)
        if source and _parses(source):
            return source
        broken = broken or source
    return broken or text.strip() + "\n"


def _blocks(text: str) -> Iterator[str]:
    """Where a program may stand, the likeliest place first."""
    if text.lstrip().startswith(f"def {MAIN}"):  # a completion, behind which a model may go on
        fence = _OPENING.search(text)
        yield text[: fence.start()] if fence and f"def {MAIN}" in text[: fence.start()] else text
    fenced = [*_fenced(text)]
    tagged = [match[2] for match in _TAG.finditer(text)]
    named = re.compile(rf"\bdef[ \t]+{MAIN}\b")
    for blocks in (fenced, tagged):
        yield from (block for block in reversed(blocks) if named.search(block))
    for value in (text, *reversed(fenced)):
        yield from _json_texts(value)
    if named.search(text):
        yield text
        yield from _plainer(text)
    yield from (renamed for block in reversed([*tagged, *fenced]) if (renamed := _renamed(block)))
    yield from filter(None, [_renamed(text)])


def _plainer(text: str) -> Iterator[str]:
    """A text without what stands before each line of its program, and without marks of HTML."""
    before = re.search(rf"^(?P<mark>[ \t]+|(?:> ?)+|>>> )def[ \t]+{MAIN}\b", text, re.MULTILINE)
    if before:
        marks = re.escape(before["mark"])
        if before["mark"] == ">>> ":
            marks = r"(?:>>>|\.\.\.)(?: |$)"
        yield re.sub(rf"^{marks}", "", text, flags=re.MULTILINE)
    yield text.strip().strip("`")
    yield html.unescape(re.sub(r"</?(?:pre|code)\b[^>]*>", "", text))


def _fenced(text: str) -> Iterator[str]:
    """The fenced blocks, in order.

    A block ends at the first closing fence behind which it is a program: a string may hold one.
    """
    at = number = 0
    while (opening := _OPENING.search(text, at)) and number < _MOST_BLOCKS:
        number += 1
        info, start = opening["info"], opening.end() + 1
        first = re.search(r"\b(?:async[ \t]+)?def[ \t]", info)
        head = info[first.start() :] + "\n" if first else ""
        ends = [m.start() for m in _CLOSING.finditer(text, min(start, len(text)))] or [len(text)]
        blocks = [textwrap.dedent(head + text[start:end]) for end in ends[:8]]
        whole = next((i for i, b in enumerate(blocks) if "def " in b and _parses(b)), 0)
        yield blocks[whole]
        end = ends[whole]
        closing = _CLOSING.match(text, end) if end < len(text) else None
        at = closing.end() if closing else len(text)


def _json_texts(text: str) -> Iterator[str]:
    """Programs that stand as strings in a JSON object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    texts = value.values() if isinstance(value, dict) else []
    yield from (one for one in texts if isinstance(one, str) and f"def {MAIN}" in one)


def _renamed(block: str) -> str:
    """A block whose only function of one argument has another name; empty for any other block."""
    try:
        tree = parse(textwrap.dedent(block))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    mains = [node for node in functions if len(node.args.args) == 1]
    if not mains or (len(mains) > 1 and len(functions) > 1 and mains[-1] is not functions[-1]):
        return ""
    return re.sub(rf"\b{re.escape(mains[-1].name)}\b(?=[ \t]*\()", MAIN, block)


def _program(block: str) -> str:
    """`execute_command` and the code of its block that it may need; empty where it is not there."""
    block = re.sub(rf"^async[ \t]+(?=def[ \t]+{MAIN}\b)", "", block, flags=re.MULTILINE)
    lines = block.split("\n")
    kept: list[str] = []
    present = False
    at = starts = 0
    while at < len(lines) and starts < _MOST_STARTS:
        if not _CODE.match(lines[at]):
            at += 1
            continue
        starts += 1
        end, nodes = _segment(lines, at)
        is_main = any(isinstance(node, ast.FunctionDef) and node.name == MAIN for node in nodes)
        if nodes and not (present and is_main):
            kept.append("\n".join(lines[at:end]))
            present = present or is_main
        at = end
    if not present:
        return _cut_out(block)
    return "\n".join(_with_gaps(kept)).rstrip() + "\n"


def _with_gaps(segments: list[str]) -> Iterator[str]:
    """Segments with an empty line around functions, as they are written."""
    for number, segment in enumerate(segments):
        beside = number and ("def " in segment or "def " in segments[number - 1])
        yield f"\n{segment}" if beside else segment


def _segment(lines: list[str], at: int) -> tuple[int, list[ast.stmt]]:
    """Where the statement that begins in a line ends, and the statement; none where it is chatter.

    Lines at the margin end it, but not comments, nor what a bracket or a string still holds.
    """
    tries = 0
    for end in range(at + 1, len(lines) + 1):
        margin = end == len(lines) or (
            lines[end] != "" and not lines[end][0].isspace() and not lines[end].startswith("#")
        )
        if not margin:
            continue
        tries += 1
        nodes = _statements("\n".join(lines[at:end]))
        if nodes:
            last = at + max(node.end_lineno or 1 for node in nodes)
            return (last, nodes) if isinstance(nodes[0], _KEPT) else (last, [])
        if tries > 40:
            break
    return at + 1, []


def _statements(source: str) -> list[ast.stmt]:
    try:
        return parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _parses(source: str) -> bool:
    return bool(_statements(source))


def _cut_out(block: str) -> str:
    """The lines of a function that is not Python, up to the chatter at the left margin."""
    start = re.search(rf"^def[ \t]+{MAIN}\b", block, re.MULTILINE)
    if start is None:
        return ""
    lines = block[start.start() :].split("\n")
    for number, line in enumerate(lines[1:], 1):
        if line.strip() and not line[0].isspace() and line[0] not in ")]}#":
            lines = lines[:number]
            break
    return "\n".join(lines).rstrip() + "\n"


def is_complete(body: str) -> bool:
    """Whether a completion of the header has come to the end of the function.

    A fence ends it, and so does text at the left margin; what the model thinks aloud does not.
    """
    body = apart(body)[1]
    _, _, rest = body.partition("\n")
    return "```" in body or re.search(r"^[^\s)]", rest, re.MULTILINE) is not None


def ends_with(reply: str, program: str) -> bool:
    """Whether nothing stands behind a program in the reply that it was read from.

    A reply that reached its bound then ends within the program; a fence or chatter behind it says
    that it is whole.
    """
    lines = [line.strip() for line in reply.split("\n") if line.strip()]
    last = [line.strip() for line in program.split("\n") if line.strip()]
    return bool(lines and last) and lines[-1] == last[-1]
