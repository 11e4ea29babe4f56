"""The habits of the house, held by checks: one page that lists the files, small files, floors,
quiet imports.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import rooms
import style

from workbench import registry
from workbench.errors import MissingPart

ROOT = Path(__file__).resolve().parent.parent

LONGEST = 500
"""Lines in a file that is one thing; a file that is two things is split long before."""

HEAVY = (
    "torch",
    "transformers",
    "peft",
    "onnxruntime",
    "duckdb",
    "gradio",
    "cv2",
    "rapidocr",
    "openai",
    "httpx",
    "authlib",
    "ray",
)

OWNERS = {
    "duckdb": (
        "workbench.store",
        "workbench.pipeline",
        "workbench.screen",
        "workbench.study",
        "workbench.bench",
        "workbench.widgets",
        "workbench.cli",
        "app.",
        "workbench.blocks",
    ),
    "torch": (
        "workbench.bench.sample",
        "workbench.bench.gpu_",
        "workbench.bench.train",
        "workbench.models.",
        "workbench.making.",
        "workbench.recipes.",
        "workbench.sample.",
        "workbench.tools.",
        "workbench.train.",
        "workbench.cli.train_estimate",
        "workbench.snapshot.exports.vpd_loss",  # nobody imports it: it is copied beside an export
    ),
    "transformers": (
        "workbench.models.",
        "workbench.making.",
        "workbench.sample.",
        "workbench.train.",
        "workbench.cli.train_estimate",
    ),
    "peft": (
        "workbench.models.",
        "workbench.making.",
        "workbench.sample.",
        "workbench.train.",
        "workbench.cli.train_estimate",
    ),
    "onnxruntime": ("workbench.tools.", "workbench.models.", "workbench.making."),
    "rapidocr": ("workbench.tools.ocr",),
    "httpx": (
        "workbench.models.chat_endpoint",
        "workbench.models.endpoint",
        "workbench.sample.endpoint",
        "workbench.tools.endpoint_eyes",
    ),
    "gradio": ("app.", "workbench.blocks"),
    "authlib": ("app.sign_on",),
    "anywidget": ("workbench.widgets",),
    "traitlets": ("workbench.widgets",),
}
"""Who may need a heavy package at import: the rooms that own it, and who stands on the store."""


def sources(*folders: str, kind: str = "py") -> list[Path]:
    """Our own files of a kind; npm puts other people's into `node_modules`."""
    paths = (path for folder in folders for path in (ROOT / folder).rglob(f"*.{kind}"))
    return sorted(path for path in paths if "node_modules" not in path.parts)


@pytest.fixture(scope="module")
def every_module() -> list[style.Module]:
    """Read and parsed once for the tests here."""
    return style.modules()


def modules() -> list[str]:
    names = []
    for path in sources("workbench", "app"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def tree_paths() -> list[str]:
    """Paths in the file tree of docs/development.md, from its indentation of two spaces a level."""
    text = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- tree -->\s*```[a-z]*\n(.*?)```", text, re.DOTALL)
    assert block, (
        "docs/development.md needs its file tree between '<!-- tree -->' and the end of a code block"
    )
    stack: list[str] = []
    found = []
    for line in block[1].splitlines():
        if match := re.match(r"( *)(\S+)(.*)", line):
            depth = len(match[1]) // 2
            assert match[3].strip(), f"{line!r} needs a remark"
            stack[depth:] = [match[2].rstrip("/")]
            found.append("/".join(stack))
    return found


def test_the_file_tree_is_the_disk() -> None:
    """Every folder of code has a line, and so has every file that lies in no room; every line has
    its file.
    """
    tree = tree_paths()
    folders = {path.parent for path in ROOT.glob("workbench/*/**/*.py")}
    folders |= {path.parent for path in sources("app") + sources("app", kind="js")}
    rooms = {str(path.relative_to(ROOT)) for path in folders if path.parent.name != "static"}
    loose = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "workbench").glob("*.py")
        if path.stem != "__init__"
    }
    gone = [path for path in tree if not (ROOT / path).exists()]
    assert sorted((rooms | loose) - set(tree)) == [], "these have no line in the tree"
    assert gone == [], "these lines of the tree have no file"


@pytest.mark.parametrize(
    "init",
    [ROOT / "app" / "__init__.py", *ROOT.glob("workbench/*/**/__init__.py")],
    ids=lambda path: path.parent.name,
)
def test_every_folder_lists_its_files(init: Path) -> None:
    listing = (ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or "").partition(
        "Files:\n"
    )[2]
    listed = {
        match[1].rstrip("/") for match in re.finditer(r"^ +(\S+?)/?  +\S", listing, re.MULTILINE)
    }
    held = {
        path.name
        for path in init.parent.iterdir()
        if not path.name.startswith(("_", ".")) and (path.is_dir() or path.suffix == ".py")
    }
    assert listed == held


def test_no_file_is_long() -> None:
    files = [*sources("workbench", "app", "tests"), *sources("workbench", "app", kind="js")]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if (lines := path.read_text().count("\n")) > LONGEST
    }
    assert long == {}, f"files of more than {LONGEST} lines: make two"


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources("workbench", "app")
        if path.stat().st_size > 1
        and not path.read_text(encoding="utf-8").lstrip().startswith(('"""', 'r"""', "#"))
    ]
    assert silent == []


def test_imports_point_down() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as c; c()",
        "--no-cache",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


SQL = re.compile(
    r"\bSELECT\b.*\bFROM\b|\bINSERT (OR \w+ )?INTO\b|\bUPDATE\b.*\bSET\b|\bDELETE FROM\b", re.DOTALL
)

SQL_WORD = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE)\b")

SQL_ELSEWHERE = {
    "workbench/cli/sql.py": "vpd sql runs what its user writes, and shows an example",
    "workbench/bench/store_fill.py": "fills a store with made rows, to measure it",
    "workbench/bench/pages.py": "fills a store with made rows, to measure pages",
    "workbench/tasks/official.py": "a file of its own while a benchmark is read, not the store",
    "workbench/tasks/vqa.py": "a file of its own while a benchmark is read, not the store",
    "workbench/execute/cache.py": "the cache of tool results, a file of its own, not the store",
}
"""Files that may hold SQL outside the store, each with its reason."""


def sql_texts(source: str) -> list[str]:
    """Texts of a module that are SQL; docstrings and other bare texts are left out.

    Pieces of an f-string are joined, with `?` for each value, so that a statement is seen whole.
    """
    if not SQL_WORD.search(source):  # parsing every module takes seconds
        return []
    tree = ast.parse(source)
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = []
    for node in ast.walk(tree):
        if id(node) in bare:
            continue
        if isinstance(node, ast.JoinedStr):
            texts.append("".join(getattr(part, "value", "?") for part in _pieces(node)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
    return [text for text in texts if SQL.search(text)]


def _pieces(node: ast.JoinedStr) -> list[ast.Constant | None]:
    return [part if isinstance(part, ast.Constant) else None for part in node.values]


def test_the_store_alone_writes_sql() -> None:
    inside = ROOT / "workbench" / "store"
    astray = {
        name: texts
        for path in sources("workbench", "app")
        if inside not in path.parents
        if (name := path.relative_to(ROOT).as_posix()) not in SQL_ELSEWHERE
        if (texts := sql_texts(path.read_text(encoding="utf-8")))
    }
    assert astray == {}, "give these statements to a function of workbench/store"


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ('rows("SELECT id FROM task")', True),
        ('rows(f"SELECT {names}" f" FROM {table}")', True),
        ('sql = """\nSELECT id\nFROM task\n"""', True),
        ('run("INSERT OR REPLACE INTO task VALUES (?)")', True),
        ('run(f"UPDATE task SET {column} = 1")', True),
        ('run("DELETE FROM task")', True),
        ('"""SELECT id FROM task is what this module once asked."""', False),
        ('title = "Select a question from the list"', False),
    ],
)
def test_sql_is_seen_in_texts_alone(source: str, seen: bool) -> None:
    assert bool(sql_texts(source)) == seen


def test_sources_are_parsed_in_one_place() -> None:
    """Outside the lock of `parsing.parse`, two pages that parse at once end in SystemError before
    Python 3.11.8.
    """
    astray = [
        path.relative_to(ROOT).as_posix()
        for path in sources("workbench", "app")
        if path.name != "parsing.py"
        if re.search(r"\bast\.parse\(|^from ast import", path.read_text("utf-8"))
    ]
    assert astray == [], "call workbench.parsing.parse"


def test_no_two_test_files_share_a_name() -> None:
    """Tests have no packages, so that a second module of a name is not collected."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_file_that_may_hold_sql_holds_some() -> None:
    idle = [
        name for name in SQL_ELSEWHERE if not sql_texts((ROOT / name).read_text(encoding="utf-8"))
    ]
    assert idle == [], "these need no exception any more"


QUIET = """
import contextlib, importlib, io, json, os, sys
hidden, names = json.loads(sys.stdin.read())

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError("hidden: " + name.partition(".")[0], name=name.partition(".")[0])

sys.meta_path.insert(0, Hide())
report = {}
for name in names:
    said = io.StringIO()
    needs = None
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            needs = error.name
    report[name] = {"said": said.getvalue(), "needs": needs}
sys.stdout.write(json.dumps({"modules": report, "files": sorted(os.listdir("."))}))
"""


def test_importing_does_nothing(tmp_path: Path) -> None:
    names = modules()
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "c"),
        "PYTHONPATH": str(ROOT),
    }
    environment |= {"VPD_CACHE": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", QUIET],
        input=json.dumps([HEAVY, names]),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert report["files"] == [], "importing made files"
    assert {name: row["said"] for name, row in report["modules"].items() if row["said"]} == {}
    astray = {
        name: row["needs"]
        for name, row in report["modules"].items()
        if row["needs"] and not name.startswith(OWNERS.get(row["needs"], ()))
    }
    assert astray == {}, "these modules need a heavy package that is not theirs at import"


ALL_PARTS = [(role, name) for role in registry.ROLES for name in registry.parts(role)]


@pytest.mark.parametrize(("role", "name"), ALL_PARTS)
def test_every_part_loads_and_says_what_it_is(role: str, name: str) -> None:
    try:
        part = registry.load(role, name)
    except MissingPart as error:
        absent = str(getattr(error.__cause__, "name", ""))
        if absent.startswith("workbench"):
            pytest.fail(f"the part's own module is missing: {error}")
        pytest.skip(str(error))
    assert callable(part)
    assert len(inspect.getdoc(part) or "") > 20, f"{role} '{name}' needs a docstring"
    inspect.signature(part)


@pytest.mark.parametrize(("role", "name"), ALL_PARTS)
def test_every_part_stands_in_the_docs(role: str, name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "own-models.md").read_text(encoding="utf-8")


def test_nothing_names_the_machine_it_was_made_on() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    private = re.compile(
        "|".join(
            [
                "/wo" + "rk/",
                "/tmp/" + "bash",
                "/opt/" + "wheels",
                "/opt/" + "pypi",
                "/tmp/" + "scratch",
            ]
        )
    )
    text = {
        ".py",
        ".md",
        ".toml",
        ".txt",
        ".json",
        ".js",
        ".css",
        ".html",
        ".sql",
        ".ipynb",
        ".yml",
        ".csv",
        "",
    }
    named = [
        name
        for name in tracked
        if Path(name).suffix in text
        and (ROOT / name).is_file()
        and (ROOT / name).stat().st_size < 2_000_000
        and private.search((ROOT / name).read_text(encoding="utf-8", errors="ignore"))
    ]
    assert named == []


@pytest.mark.slow
def test_the_code_keeps_the_habits_that_can_be_counted(every_module: list[style.Module]) -> None:
    """Complexity, names, conditionals, Args, layout: what `make check` says by `tests/style.py`."""
    lines = [
        f"{module.path.relative_to(ROOT)}:{line}: {fault}"
        for module in every_module
        for line, fault in style.faults(module)
    ]
    assert lines == []


def test_no_two_files_reach_each_other_by_imports(every_module: list[style.Module]) -> None:
    assert rooms.circles(every_module) == 0


def test_a_class_name_stands_for_one_thing(every_module: list[style.Module]) -> None:
    names = [node.name for module in every_module for node in module.classes]
    assert style.repeats(names) == {}


BAD = """
def say(first, second, third):
    found = first if second else (third if first else second)
    return found
"""


def test_the_count_of_habits_sees_what_it_is_for() -> None:
    branches = "".join(f"    if x == {n}:\n        return {n}\n" for n in range(16))
    module = style.Module("bad", Path("bad.py"), f"{BAD}\n\ndef choose(x):\n{branches}")
    assert [fault.partition(";")[0] for _, fault in style.faults(module)] == [
        "'found' is a participle",
        "two conditional expressions in one",
        "choose has complexity 17",
        "say has three parameters or more and no Args",
    ]


def test_regular_participles_of_private_functions_are_counted() -> None:
    text = "def _joined(): ...\ndef _speed(): ...\ndef _said_twice(): ...\ndef sorted(): ..."
    assert style.participle_functions(style.Module("bad", Path("bad.py"), text)) == ["joined"]


def test_no_link_is_a_file_of_the_project() -> None:
    tracked = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("this is no clone of the repository")
    links = [line for line in tracked.stdout.splitlines() if line.startswith("120000")]
    assert links == [], "a link to a folder of one machine breaks every other clone"
