"""The course runs from top to bottom with the bundled parts, without a network, on a project that
it makes itself.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import notebook_outputs
import pytest
from notebook_outputs import KEY, LARGEST, WIDGET, digest, kept

NOTEBOOKS = sorted(notebook_outputs.NOTEBOOKS.glob("*.ipynb"))
QUICK = ("1_first_program",)
"""Those that sample and train nothing, in the shortest time."""
NOWHERE = "http://127.0.0.1:9"
"""A proxy that nobody answers for."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the notebooks make their project; the first that needs it does."""
    return tmp_path_factory.mktemp("course") / "project"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.slow] * (path.stem not in QUICK), id=path.stem)
        for path in NOTEBOOKS
    ],
)
def test_a_notebook_runs(
    path: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat = pytest.importorskip("nbformat", reason="make lab installs what notebooks need")
    client = pytest.importorskip("nbclient", reason="make lab installs what notebooks need")
    for name, value in {
        "VPD_PROJECT": str(project),
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    notebook = nbformat.read(path, as_version=4)
    places = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(notebook, timeout=900, kernel_name="python3", resources=places).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert len(nbformat.writes(notebook)) < 2_000_000, "saved with what it shows, it is still small"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_the_outputs_of_its_code(path: Path) -> None:
    """A cell that was edited, added or never run is noticed: `make notebooks` runs them again."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    again = f"make notebooks, or python tests/notebook_outputs.py {path.stem}"
    assert notebook["metadata"].get(KEY) == digest(cells), again
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1)), again
    assert "error" not in {one["output_type"] for cell in cells for one in cell["outputs"]}
    assert all(cell["outputs"] for cell in cells if shows("".join(cell["source"]))), again


def shows(source: str) -> bool:
    """Whether the last line of a cell is a value, which its output shows."""
    lines = [line for line in source.splitlines() if not line.startswith(("%", "!"))]
    body = [] if len(lines) < len(source.splitlines()) else ast.parse(source).body
    return (
        bool(body) and isinstance(body[-1], ast.Expr) and not isinstance(body[-1].value, ast.Call)
    )


def test_the_outputs_are_small_and_of_no_machine() -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in NOTEBOOKS}
    assert sum(len(text.encode()) for text in texts.values()) < LARGEST
    strange = ("/home/", "/root/", "/tmp/", "/Users/", "widget-view", '"widgets"', "iopub")
    assert [(name, one) for name, text in texts.items() for one in strange if one in text] == []


def test_outputs_are_kept_without_what_is_volatile() -> None:
    outputs = [
        stream("a: 1 of 2\ra: 2 of 2   "),
        stream("\nin /tmp/course/x"),
        stream("a warning", "stderr"),
        value({WIDGET: {"model_id": "1"}, "text/html": "<p>/tmp/course</p>", "text/plain": "W()"}),
        value({"text/plain": "<function f at 0x7f01>"}),
    ]
    told = kept(outputs, {"/tmp/course": "course"})
    assert told[0]["text"] == "a: 2 of 2\nin course/x"
    assert told[1]["data"]["text/html"] == "<p>course</p>"
    assert WIDGET not in told[1]["data"]
    assert told[2]["data"]["text/plain"] == "<function f>"
    assert len(told) == 3


def stream(text: str, name: str = "stdout") -> Any:
    nbformat = pytest.importorskip("nbformat", reason="make lab installs what notebooks need")
    return nbformat.v4.new_output("stream", name=name, text=text)


def value(data: dict[str, Any]) -> Any:
    nbformat = pytest.importorskip("nbformat", reason="make lab installs what notebooks need")
    return nbformat.v4.new_output("execute_result", data=data, execution_count=1)


def test_the_course_is_whole() -> None:
    """Each notebook says at its top how long it takes, and leads to the next."""
    for path, after in zip(NOTEBOOKS, [*NOTEBOOKS[1:], None]):
        text = path.read_text(encoding="utf-8")
        assert "Takes " in text
        assert after is None or f"({after.name})" in text, (
            f"{path.name} does not lead to {after.name}"
        )
    assert len(NOTEBOOKS) == 9


def code_of(path: Path) -> ast.Module:
    """The code of all cells of a notebook, without IPython's own lines."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lines = [
        line
        for cell in cells
        if cell["cell_type"] == "code"
        for line in "".join(cell["source"]).splitlines()
    ]
    return ast.parse("\n".join(line for line in lines if not line.startswith(("%", "!"))))


def module_of(name: str) -> Any:
    """A module of ours; the test is left out where a package of an extra is missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "workbench":
            raise AssertionError(f"{name}: there is no module {error.name}") from error
        pytest.skip(f"{name} needs {error.name}")


def names_of(code: ast.Module) -> Iterator[tuple[str, Any]]:
    """Each name that code imports from us, with what it stands for."""
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            for one in node.names:
                if one.name.partition(".")[0] == "workbench":
                    module = module_of(one.name)
                    yield (
                        (one.asname, module)
                        if one.asname
                        else ("workbench", module_of("workbench"))
                    )
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").partition(".")[0] == "workbench"
        ):
            module = module_of(node.module or "")
            for one in node.names:
                if not hasattr(module, one.name):
                    module_of(f"{node.module}.{one.name}")
                yield one.asname or one.name, getattr(module, one.name)


def faults_of(code: ast.Module) -> list[str]:
    """Attributes and keywords in code that what it imports from us does not have."""
    names = dict(names_of(code))
    stored = {
        node.id
        for node in ast.walk(code)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    faults = []

    def meaning(node: ast.expr) -> Any:
        """What an expression of names and dots stands for; None where that is not ours."""
        if isinstance(node, ast.Name):
            return None if node.id in stored else names.get(node.id)
        if not isinstance(node, ast.Attribute):
            return None
        owner = meaning(node.value)
        if owner is None or hasattr(owner, node.attr):
            return getattr(owner, node.attr, None) if owner is not None else None
        faults.append(f"{ast.unparse(node)} is not there")
        return None

    for node in ast.walk(code):
        if isinstance(node, ast.Attribute):
            meaning(node)
        if isinstance(node, ast.Call) and callable(target := meaning(node.func)):
            parameters = inspect.signature(target).parameters
            if not any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
                faults += [
                    f"{ast.unparse(node.func)} takes no {keyword.arg}"
                    for keyword in node.keywords
                    if keyword.arg is not None and keyword.arg not in parameters
                ]
    return list(dict.fromkeys(faults))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_names_only_what_is_there(path: Path) -> None:
    """A rename is seen here, without the minutes that a notebook runs."""
    assert faults_of(code_of(path)) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("from workbench import registry\nregistry.builds(1)", "registry.builds is not there"),
        (
            "import workbench.shares\nworkbench.shares.Shares",
            "workbench.shares.Shares is not there",
        ),
        ("import workbench.shares as s\ns.Share.middle", "s.Share.middle is not there"),
        ("from workbench.shares import Share\nShare(hits=1, off=2)", "Share takes no off"),
        ("from workbench.shares import pass_at_k as p\np(n=1, wrong=2)", "p takes no wrong"),
    ],
)
def test_a_name_that_is_gone_is_noticed(text: str, fault: str) -> None:
    assert fault in faults_of(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "from workbench.shares import Shares",
        "from workbench.share import Share",
        "import workbench.shar",
    ],
)
def test_an_import_that_is_gone_is_noticed(text: str) -> None:
    with pytest.raises(AssertionError, match="there is no module"):
        faults_of(ast.parse(text))
