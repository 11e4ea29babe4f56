"""How the code reads, in figures: `make style` prints them, LOG.md keeps them beside earlier ones.

`python tests/style.py --faults FOLDER...` lists the places that a habit of the house speaks against, and
`python tests/style.py --root ROOT FOLDER...` takes the same figures of another checkout.

A function's length is its last line less its first, plus one.  `radon` is radon's cyclomatic complexity
(conditional expressions, boolean operators and comprehensions count too); `mccabe` is ruff's C901.
Docstrings and types are counted over public functions and classes.  A line of code is neither blank, nor a
comment alone, nor part of a docstring.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median, quantiles

import rooms
from radon.complexity import cc_visit
from radon.visitors import Class, Function

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("workbench", "app")

MOST_RADON = 15
"""Highest cyclomatic complexity of a function, by radon; tests/test_house.py holds it."""

PARTICIPLES = frozenset(
    [
        "asked",
        "brought",
        "built",
        "drawn",
        "found",
        "given",
        "gone",
        "heard",
        "held",
        "known",
        "made",
        "meant",
        "said",
        "seen",
        "shown",
        "spoken",
        "taken",
        "taught",
        "told",
        "wanted",
        "written",
    ]
)
"""Participles that the code once used as names.  A name says what a thing is, not what happened to it."""

NOUNS_IN_ED = frozenset(["embed", "feed", "need", "seed", "speed"])
"""Words that end as a regular participle does and are none."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file, parsed when it is first asked for."""

    name: str
    """Dotted name, as imports write it."""
    path: Path
    text: str

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text)))

    @cached_property
    def functions(self) -> list[FunctionNode]:
        return [node for node in self.nodes if isinstance(node, FunctionNode)]

    @cached_property
    def classes(self) -> list[ast.ClassDef]:
        return [node for node in self.nodes if isinstance(node, ast.ClassDef)]

    @cached_property
    def comment_lines(self) -> set[int]:
        """Numbers of the lines that hold a comment and nothing else."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return {
            token.start[0]
            for token in tokens
            if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip()
        }

    @cached_property
    def code_lines(self) -> int:
        prose = {number for node in self.nodes for number in docstring_lines(node)}
        return sum(
            bool(line.strip()) and number not in prose and number not in self.comment_lines
            for number, line in enumerate(self.text.splitlines(), 1)
        )

    @cached_property
    def public_names(self) -> list[str]:
        module = self.nodes[0]
        assert isinstance(module, ast.Module)
        names = [node.name for node in module.body if isinstance(node, FunctionNode | ast.ClassDef)]
        for node in module.body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            targets += [node.target] if isinstance(node, ast.AnnAssign) else []
            names += [target.id for target in targets if isinstance(target, ast.Name)]
        return [name for name in names if not name.startswith("_")]


def docstring_lines(node: ast.AST) -> range:
    """Lines of the docstring of a module, class or function; an empty range where there is none."""
    if (
        not isinstance(node, ast.Module | ast.ClassDef | FunctionNode)
        or ast.get_docstring(node) is None
    ):
        return range(0)
    first = node.body[0]
    return range(first.lineno, (first.end_lineno or first.lineno) + 1)


def modules(root: Path = ROOT, folders: Sequence[str] = FOLDERS) -> list[Module]:
    """Every Python file of some folders under a root."""
    paths = sorted(
        path
        for folder in folders
        for path in (root / folder).rglob("*.py")
        if "node_modules" not in path.parts
    )
    return [
        Module(
            ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"),
            path,
            path.read_text(encoding="utf-8"),
        )
        for path in paths
    ]


def complexities(module: Module) -> Iterator[tuple[str, int]]:
    """Each function and method with its cyclomatic complexity by radon."""
    for block in cc_visit(module.text):
        for function in block.methods if isinstance(block, Class) else [block]:
            yield from _with_closures(function)


def _with_closures(function: Function) -> Iterator[tuple[str, int]]:
    yield function.fullname, function.complexity
    for inner in function.closures:
        yield from _with_closures(inner)


def participle_names(module: Module) -> list[tuple[str, int]]:
    """Variables, parameters and functions that a participle names, each with its line.

    Fields of classes are left out: many are columns, JSON keys or traits, whose names are stored.
    """
    fields = {
        id(statement.target)
        for node in module.classes
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
    }
    fields |= {
        id(target)
        for node in module.classes
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    }
    names = [
        (node.id, node.lineno)
        for node in module.nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in fields
    ]
    names += [(node.arg, node.lineno) for node in module.nodes if isinstance(node, ast.arg)]
    names += [(node.name, node.lineno) for node in module.functions]
    return [(name, line) for name, line in names if name.strip("_") in PARTICIPLES]


def participle_functions(module: Module) -> list[str]:
    """Private functions that a regular participle names, such as `_joined`."""
    words = [node.name.strip("_") for node in module.functions if node.name.startswith("_")]
    return [w for w in words if w.isalpha() and w.endswith("ed") and w not in NOUNS_IN_ED]


def double_conditionals(module: Module) -> list[int]:
    """Lines of conditional expressions that hold another one."""
    conditionals = [node for node in module.nodes if isinstance(node, ast.IfExp)]
    return [
        node.lineno
        for node in conditionals
        if sum(isinstance(inner, ast.IfExp) for inner in ast.walk(node)) > 1
    ]


def repeats(names: Iterable[str]) -> dict[str, int]:
    """Names that occur more than once, with how often."""
    return {name: count for name, count in Counter(names).items() if count > 1}


def mccabe_above(root: Path, folders: Sequence[str], bound: int = 10) -> int:
    """Number of functions whose statements branch more often than a bound, by ruff."""
    command = [
        *(sys.executable, "-m", "ruff", "check", "--isolated", "--select", "C901"),
        *("--config", f"lint.mccabe.max-complexity={bound}", "--output-format", "json"),
        *(str(root / folder) for folder in folders),
    ]
    return len(json.loads(subprocess.run(command, capture_output=True, text=True).stdout or "[]"))


def _sizes(files: Sequence[Module], root: Path, folders: Sequence[str]) -> dict[str, str]:
    lines = [module.text.count("\n") for module in files]
    functions = [node for module in files for node in module.functions]
    lengths = [(node.end_lineno or node.lineno) - node.lineno + 1 for node in functions]
    radon = [value for module in files for _, value in complexities(module)]
    above = sum(value > 10 for value in radon)
    return {
        "files": f"{len(files)}",
        "lines": f"{sum(lines):,}",
        "lines of a file: median, largest": f"{median(lines):.0f}, {max(lines)}",
        "files over 400 lines, over 500": f"{sum(n > 400 for n in lines)}, {sum(n > 500 for n in lines)}",
        "lines of a function: median, p90, largest": (
            f"{median(lengths):.0f}, {quantiles(lengths, n=10)[-1]:.0f}, {max(lengths)}"
        ),
        "functions over 50 lines": f"{sum(n > 50 for n in lengths)}",
        "radon over 10 (share), over 15, highest": (
            f"{above} ({above / len(radon):.1%}), {sum(v > MOST_RADON for v in radon)}, {max(radon)}"
        ),
        "mccabe over 10": f"{mccabe_above(root, folders)}",
    }


def _prose(files: Sequence[Module]) -> dict[str, str]:
    functions = [
        node for module in files for node in module.functions if not node.name.startswith("_")
    ]
    arguments = [
        argument
        for node in functions
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        if argument.arg not in ("self", "cls")
    ]
    classes = [node for module in files for node in module.classes]
    long = [node for node in functions if _parameters(node) >= 3]
    sections = sum(not lacks_arguments(node) for node in long)
    return {
        "arguments with a type": _share(a.annotation is not None for a in arguments),
        "public functions with a docstring": _share(
            ast.get_docstring(n) is not None for n in functions
        ),
        "classes with a docstring": _share(ast.get_docstring(n) is not None for n in classes),
        "public functions of three parameters or more with Args": f"{sections} of {len(long)}",
    }


def _parameters(node: FunctionNode) -> int:
    names = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return sum(name.arg not in ("self", "cls") for name in names)


def _share(values: Iterable[bool]) -> str:
    items = list(values)
    return f"{sum(items) / max(len(items), 1):.0%}"


def _reading(files: Sequence[Module]) -> dict[str, str]:
    code = sum(module.code_lines for module in files)
    lines = [line for module in files for line in module.text.splitlines()]
    nodes = [node for module in files for node in module.nodes]
    comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    per_thousand = {
        "comprehensions": sum(isinstance(node, comprehension) for node in nodes),
        "conditional expressions": sum(isinstance(node, ast.IfExp) for node in nodes),
        "participles as names": sum(len(participle_names(module)) for module in files),
        "private functions named by a regular participle": sum(
            len(participle_functions(module)) for module in files
        ),
        "Any": sum(isinstance(node, ast.Name) and node.id == "Any" for node in nodes),
    }
    return {
        "syntax nodes per line of code": f"{len(nodes) / code:.1f}",
        **{
            f"{name} per 1,000 lines of code": f"{1000 * n / code:.1f}"
            for name, n in per_thousand.items()
        },
        "conditional expressions inside others": f"{sum(len(double_conditionals(m)) for m in files)}",
        "lines over 100 characters": f"{sum(len(line) > 100 for line in lines) / len(lines):.1%}",
        "lines that are a comment and nothing else": (
            f"{sum(len(m.comment_lines) for m in files) / len(lines):.1%}"
        ),
        "`# fmt: skip` and `off`": f"{sum(bool(re.search(r'# fmt: (skip|off)', line)) for line in lines)}",
    }


def _names(files: Sequence[Module]) -> dict[str, str]:
    classes = [node.name for module in files for node in module.classes]
    functions = [
        node.name
        for module in files
        for node in getattr(module.nodes[0], "body", [])
        if isinstance(node, FunctionNode)
    ]
    file_names = [module.path.name for module in files if module.path.name != "__init__.py"]
    inner, own = _imports(files)
    broad = sum(_is_broad(node) for module in files for node in module.nodes)
    public = [len(module.public_names) for module in files]
    return {
        "classes that share their name": f"{sum(repeats(classes).values())} of {len(classes)}",
        "module functions that share their name": (
            f"{sum(repeats(functions).values()) / len(functions):.0%}"
        ),
        "files that share their name": f"{sum(repeats(file_names).values()) / len(file_names):.0%}",
        "imports inside functions, broad excepts": f"{inner}, {broad}",
        "imports of own modules per file": f"{own / len(files):.1f}",
        "public names per module: median, most": f"{median(public):.0f}, {max(public)}",
    }


def _imports(files: Sequence[Module]) -> tuple[int, int]:
    """Imports that stand inside a function, and imports of the same distribution."""
    roots = {module.name.partition(".")[0] for module in files}
    inner = own = 0
    for module in files:
        imports = [node for node in module.nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        own += sum((getattr(n, "module", None) or "").partition(".")[0] in roots for n in imports)
        inside = {id(node) for function in module.functions for node in ast.walk(function)}
        inner += sum(id(node) in inside for node in imports)
    return inner, own


def _is_broad(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    return node.type is None or (
        isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
    )


def figures(root: Path = ROOT, folders: Sequence[str] = FOLDERS) -> dict[str, str]:
    """Every figure by name, in the order in which they are printed."""
    files = modules(root, folders)
    return {
        **_sizes(files, root, folders),
        **_prose(files),
        **_reading(files),
        **_names(files),
        **rooms.structure(files),
    }


def faults(module: Module) -> Iterator[tuple[int, str]]:
    """Lines of a file that a habit of the house speaks against, each with the habit."""
    for line in unformatted_code(module):
        yield line, "`fmt: skip` stands over code; only a table of data may be laid out by hand"
    for name, line in participle_names(module):
        yield line, f"'{name}' is a participle; a name says what the thing is"
    for line in double_conditionals(module):
        yield line, "two conditional expressions in one; write statements"
    for name, value in complexities(module):
        if value > MOST_RADON:
            yield _line_of(module, name), f"{name} has complexity {value}; {MOST_RADON} at most"
    for node in module.functions:
        if lacks_arguments(node):
            yield node.lineno, f"{node.name} has three parameters or more and no Args"


def unformatted_code(module: Module) -> list[int]:
    """Last lines of statements that the formatter is told to skip, though they are not tables."""
    tables = {node.end_lineno for node in module.nodes if _is_table(node)}
    lines = enumerate(module.text.splitlines(), 1)
    return [number for number, line in lines if "# fmt: skip" in line and number not in tables]


def _is_table(node: ast.AST) -> bool:
    """Whether a statement gives a name to literals alone, perhaps in a `frozenset(...)`."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    computed = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.Lambda | ast.IfExp
    calls = [inner for inner in ast.walk(node.value) if isinstance(inner, ast.Call)]
    plain = not any(isinstance(inner, computed) for inner in ast.walk(node.value))
    return plain and all(_name_of(call) in ("frozenset", "get_args", "dict") for call in calls)


def _name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _line_of(module: Module, name: str) -> int:
    last = name.rpartition(".")[2]
    return next((node.lineno for node in module.functions if node.name == last), 1)


def lacks_arguments(node: FunctionNode) -> bool:
    """Whether a public function of three parameters or more does not explain them.

    A command of typer explains each parameter in the parameter's own help text.
    """
    if node.name.startswith("_") or _is_command(node) or _parameters(node) < 3:
        return False
    return "Args:" not in (ast.get_docstring(node) or "")


def _is_command(node: FunctionNode) -> bool:
    """Whether a function is decorated with `command(...)` or `callback(...)` of a typer app."""
    calls = [item.func for item in node.decorator_list if isinstance(item, ast.Call)]
    return any(
        isinstance(call, ast.Attribute) and call.attr in ("command", "callback") for call in calls
    )


def main() -> None:
    """Print figures, or the places that a habit speaks against."""
    parser = argparse.ArgumentParser(description="How the code reads, in figures.")
    parser.add_argument("folders", nargs="*", default=FOLDERS, help="folders under the root")
    parser.add_argument("--root", type=Path, default=ROOT, help="another checkout")
    parser.add_argument("--faults", action="store_true", help="list places instead of figures")
    options = parser.parse_args()
    if options.faults:
        lines = [
            f"{module.path.relative_to(options.root)}:{line}: {fault}"
            for module in modules(options.root, options.folders)
            for line, fault in sorted(faults(module))
        ]
        sys.exit("\n".join(lines) or 0)
    for name, value in figures(options.root, tuple(options.folders)).items():
        sys.stdout.write(f"| {name} | {value} |\n")


if __name__ == "__main__":
    main()
