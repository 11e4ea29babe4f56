"""One declaration: prompt, documentation, and what a tool of one's own takes."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import pytest

from workbench.api import (
    ALIASES,
    FIELDS,
    FUNCTIONS,
    METHODS,
    STANDARD,
    Api,
    batch_tool,
    spec_from_function,
)
from workbench.errors import InputError
from workbench.ports import Images, Tool
from workbench.records import Parameter, ToolCall, ToolSpec, Value

EMBEDDED = [
    STANDARD[name]
    for name in [
        "find",
        "exists",
        "visual_question_answering",
        "verify_property",
        "best_text_match",
        "image_caption",
        "llm_query",
    ]
]

COMPACT = """\
ImagePatch(image): left lower right upper width height horizontal_center vertical_center
.find(object_name) list
.exists(object_name) bool
.visual_question_answering(question) str
.verify_property(object_name, attribute) bool
.best_text_match(options, prefix) str
.image_caption() str
llm_query(question) str
distance(a, b) float
formatting_answer(x) str"""


def test_the_compact_prompt_is_the_one_the_bundled_sampler_learnt() -> None:
    assert Api(EMBEDDED).prompt("compact") == COMPACT


def test_the_full_prompt_is_python_that_names_everything() -> None:
    text = Api(STANDARD.values()).prompt("full")
    names = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
    assert names == {"__init__", *STANDARD, *METHODS, *FUNCTIONS}
    for word in (*ALIASES, *FIELDS):
        assert word in text
    assert text.count(">>>") >= len(STANDARD)


def test_aliases_reach_the_tool_they_name_and_only_if_it_is_there() -> None:
    api = Api(EMBEDDED)
    assert api.spec("simple_query") is STANDARD["visual_question_answering"]
    assert api.spec("language_question_answering") is STANDARD["llm_query"]
    assert api.spec("compute_depth") is None
    assert api.functions == {"llm_query", "language_question_answering"}
    assert "simple_query" not in Api([STANDARD["find"]]).methods


def sharpness(patch: object, radius: int = 2) -> float:
    """How sharp this patch is; larger is sharper.

    >>> image_patch.sharpness()
    """
    raise AssertionError


def test_a_signature_makes_a_spec() -> None:
    assert spec_from_function(sharpness) == ToolSpec(
        "sharpness",
        (Parameter("radius", "int", 2, required=False),),
        "float",
        "How sharp this patch is; larger is sharper.\n\n>>> image_patch.sharpness()",
        method=True,
    )


def test_a_tool_of_ones_own_in_a_few_lines() -> None:
    @batch_tool(sharpness, version="3", batch_size=4)
    def Sharpness(calls: Sequence[ToolCall], images: Images) -> Sequence[Value]:
        return [float(len(call.arguments)) for call in calls]

    tool = Sharpness()
    assert isinstance(tool, Tool)
    assert (tool.ref.name, tool.ref.version, tool.batch_size) == ("sharpness", "3", 4)
    api = Api([*EMBEDDED, tool.spec])
    assert ".sharpness(radius) float" in api.prompt("compact")
    assert "def sharpness(self, radius: int = 2) -> float:" in api.prompt("full")


def plain(question: str, options: list[str]) -> str | None:
    """A plain function."""


def test_a_function_without_a_patch_is_a_plain_function() -> None:
    @batch_tool(plain)
    def Plain(calls: Sequence[ToolCall], images: Images) -> Sequence[Value]:
        return []

    spec = Plain().spec
    assert not spec.method
    assert [p.type for p in spec.parameters] == ["str", "list[str]"]
    assert spec.returns == "str | None"


def no_doc(patch: object) -> str:
    raise AssertionError


def stars(patch: object, *names: str) -> str:
    """Doc."""
    raise AssertionError


def odd_type(patch: object, names: set[str]) -> str:
    """Doc."""
    raise AssertionError


def odd_default(patch: object, names: list = []) -> str:  # type: ignore[type-arg]  # noqa: B006
    """Doc."""
    raise AssertionError


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            no_doc,
            "tool 'no_doc' has no docstring; its first line is what the model is told about it",
        ),
        (stars, r"tool 'stars': \*names cannot be explained to a model; name each parameter"),
        (
            odd_type,
            r"tool 'odd_type': parameter 'names' has the type 'set\[str\]'; programs can give",
        ),
        (odd_default, "tool 'odd_default': the default of 'names' must be a plain value or None"),
    ],
)
def test_a_signature_that_programs_cannot_call_is_refused(function: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        spec_from_function(function)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            ToolSpec("crop", (), "str", "Doc."),
            "a tool is called 'crop', but that name is taken; rename the tool",
        ),
        (ToolSpec("left", (), "str", "Doc."), "a tool is called 'left', but that name is taken"),
        (
            ToolSpec("simple_query", (), "str", "Doc."),
            "a tool is called 'simple_query', but that name is taken",
        ),
        (
            ToolSpec("__init__", (), "str", "Doc."),
            "'__init__' is no plain Python name; use letters, digits and _",
        ),
        (ToolSpec("class", (), "str", "Doc."), "'class' is no plain Python name"),
        (ToolSpec("a b", (), "str", "Doc."), "'a b' is no plain Python name"),
        (
            ToolSpec("t", (Parameter("x", "str"), Parameter("x", "str")), "str", "D."),
            "parameters must differ",
        ),
        (ToolSpec("t", (Parameter("patch", "str"),), "str", "D."), "not be called 'patch'"),
    ],
)
def test_a_spec_that_clashes_is_refused(spec: ToolSpec, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Api([spec])
