"""Writes docs/commands.md from the help texts of `vpd`: `make docs`.

The page holds what `vpd COMMAND --help` says, without the frames of a terminal and at a fixed width,
so that it is the same on every machine.  tests/test_docs.py holds the file equal to `page()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer
from typer import Context
from typer.core import TyperCommand, TyperGroup

from workbench.cli import app

PATH = Path(__file__).resolve().parent.parent / "docs" / "commands.md"

WIDTH = 100
"""Characters of a line of help."""

HEAD = """# Commands

`vpd COMMAND --help` prints what stands here. `make docs` writes this page from the same texts.
"""


def page() -> str:
    """The whole page: an index, then each group of commands with a block of help for each command."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    context = _context(root, "vpd", None)
    groups: dict[str, list[str]] = {}
    for name, command in root.commands.items():
        groups.setdefault(str(command.rich_help_panel), []).append(name)
    lines = [HEAD, "| group | commands |", "|---|---|"]
    for group, names in groups.items():
        links = ", ".join(f"[{name}](#vpd-{name})" for name in names)
        lines.append(f"| {group} | {links} |")
    # the list of commands at the end of `vpd --help` is cut at the width; the index is not
    lines += ["", _block(_help(context).partition("\n\nCommands:\n")[0])]
    for group, names in groups.items():
        lines.append(f"## {group}\n")
        for name in names:
            lines.append(f"### vpd {name}\n")
            lines += map(_block, _helps(root.commands[name], name, context))
    return "\n".join(lines)


def _context(command: TyperCommand | TyperGroup, name: str, parent: Context | None) -> Context:
    command.rich_markup_mode = None  # plain text, not frames
    return command.context_class(
        command,
        info_name=name,
        parent=parent,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        **command.context_settings,
    )


def _help(context: Context) -> str:
    """The help of a context's command, without spaces at the ends of lines."""
    lines = context.command.get_help(context).splitlines()
    return "\n".join(line.rstrip() for line in lines)


def _helps(command: TyperCommand | TyperGroup, name: str, parent: Context) -> Iterator[str]:
    """The help of a command, and then of the commands under it."""
    context = _context(command, name, parent)
    yield _help(context)
    for inner_name, inner in getattr(command, "commands", {}).items():
        yield from _helps(inner, inner_name, context)


def _block(text: str) -> str:
    return f"```text\n{text}\n```\n"


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
