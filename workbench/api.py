"""What programs may use: prompt text, checks, sandbox and documentation all come from here.

`Api(specs)` joins three things: the patch (`ImagePatch`, its fields and geometry), the functions
that need no model (`distance`, `formatting_answer`, ...) and the tools, each by its `ToolSpec`.
The names are those of VPD (Hu et al., CVPR 2024) and of ViperGPT (arXiv 2303.08128,
`image_patch.py`); where the two differ both run, and an alias stands in the full prompt only.
`STANDARD` holds the specs of the published tools, so that every tool of that name, embedded or hub,
has the same parameters.

A tool of one's own is a signature with a docstring and a function over a batch of calls:

    def sharpness(patch) -> float:
        '''How sharp this patch is; larger is sharper.
        >>> image_patch.sharpness()
        '''

    @batch_tool(sharpness, version="1")
    def Sharpness(calls, images):
        return [measure(images.crop(call.arguments["patch"])) for call in calls]

`my_tools.py:Sharpness` in a profile then puts it into prompt, sandbox, trace and pages.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.errors import InputError, ToolFailure
from workbench.ports import Images
from workbench.records import Parameter, PartRef, ToolCall, ToolSpec, Value

Style = Literal["compact", "full"]

FIELDS: Mapping[str, str] = {
    "left": "x of the left border, pixels from the left of the whole picture",
    "lower": "y of the lower border, pixels from the BOTTOM of the whole picture",
    "right": "x of the right border, pixels from the left of the whole picture",
    "upper": "y of the upper border, pixels from the BOTTOM of the whole picture",
    "width": "right - left",
    "height": "upper - lower",
    "horizontal_center": "(left + right) / 2",
    "vertical_center": "(lower + upper) / 2; larger is higher up in the picture",
    "label": "the name under which `find` found it, else None",
}
"""Fields of a patch.  The origin is the LOWER left, as in ViperGPT."""

_COMPACT_FIELDS = " ".join(name for name in FIELDS if name != "label")


def _spec(
    name: str, parameters: Sequence[Parameter], returns: str, doc: str, method: bool = True
) -> ToolSpec:
    return ToolSpec(name, tuple(parameters), returns, inspect.cleandoc(doc), method)


_NAME = Parameter("object_name", "str")

STANDARD: Mapping[str, ToolSpec] = {
    spec.name: spec
    for spec in (
        _spec(
            "find",
            [_NAME],
            "list[ImagePatch]",
            "The objects of that name inside this patch, best score first; "
            """an empty list when there are none.
            >>> # How many red cups are there?
            >>> cups = image_patch.find("cup")
            >>> return formatting_answer(len([c for c in cups if c.verify_property("cup", "red")]))
            """,
        ),
        _spec(
            "exists",
            [_NAME],
            "bool",
            """
            True if an object of that name is inside this patch.
            >>> # Is there a dog?
            >>> return formatting_answer(image_patch.exists("dog"))
            """,
        ),
        _spec(
            "visual_question_answering",
            [Parameter("question", "str", "What is this?", required=False)],
            "str",
            """
            The short answer to a question about what this patch shows.
            >>> # What is the man holding?
            >>> return formatting_answer("""
            'image_patch.visual_question_answering("What is the man holding?"))',
        ),
        _spec(
            "verify_property",
            [_NAME, Parameter("attribute", "str")],
            "bool",
            """
            True if the object, which is in this patch, has the attribute.
            >>> # Is the bus yellow?
            >>> bus = image_patch.find("bus")[0]
            >>> return formatting_answer(bus.verify_property("bus", "yellow"))
            """,
        ),
        _spec(
            "best_text_match",
            [
                Parameter("options", "list[str]"),
                Parameter("prefix", "str | None", None, required=False),
            ],
            "str",
            """
            The option that describes this patch best; `prefix` is put before each option.
            >>> # Is the cap gold or white?
            >>> cap = image_patch.find("cap")[0]
            >>> return formatting_answer(cap.best_text_match(["gold", "white"], prefix="cap"))
            """,
        ),
        _spec(
            "image_caption",
            [],
            "str",
            """
            One sentence that describes this patch.
            >>> print(image_patch.image_caption())
            """,
        ),
        _spec(
            "compute_depth",
            [],
            "float",
            """
            Median depth of this patch; larger is farther away.
            >>> # Which bench is nearest?
            >>> nearest = min(image_patch.find("bench"), key=lambda bench: bench.compute_depth())
            """,
        ),
        _spec(
            "read_text",
            [],
            "str",
            """
            The text written in this patch, lines joined by a space; empty when there is none.
            >>> sign = image_patch.find("sign")[0]
            >>> return formatting_answer(sign.read_text())
            """,
        ),
        _spec(
            "llm_query",
            [Parameter("question", "str"), Parameter("long_answer", "bool", False, required=False)],
            "str",
            "The answer of a language model, which sees no picture, "
            """to a question of general knowledge.
            >>> # Can the animal in the picture fly?
            >>> animal = image_patch.visual_question_answering("What animal is this?")
            >>> return formatting_answer(llm_query(f"Can a {animal} fly? Answer yes or no."))
            """,
            method=False,
        ),
        _spec(
            "best_image_match",
            [Parameter("list_patches", "list[ImagePatch]"), Parameter("content", "list[str]")],
            "int",
            """
            Which of the patches shows the content best; None for an empty list.
            `best_image_match(patches, content)` gives the patch, """
            """with `return_index=True` its index.
            >>> player = best_image_match(image_patch.find("person"), ["goalkeeper"])
            """,
            method=False,
        ),
    )
}
"""Specs of the published tools; a tool of one of these names uses the spec as it stands."""

ALIASES: Mapping[str, str] = {
    "simple_query": "visual_question_answering",
    "language_question_answering": "llm_query",
}
"""Other published names of a tool; programs may call either."""

PARAMETER_ALIASES: Mapping[str, tuple[str, ...]] = {
    "object_name": ("object", "name"),
    "attribute": ("property", "visual_property"),
    "options": ("option_list",),
    "question": ("query",),
}
"""Other published names of a parameter, accepted as keywords."""

METHODS: Mapping[str, tuple[str, str]] = {
    "crop": (
        "crop(left, lower, right, upper) -> ImagePatch",
        "The part at these coordinates, which count from the lower left corner of THIS patch; "
        "clamped to it.",
    ),
    "overlaps": ("overlaps(patch) -> bool", "True if the two patches share an area or touch."),
    "overlaps_with": (
        "overlaps_with(left, lower, right, upper) -> bool",
        "The same for coordinates of the whole picture.",
    ),
    "expand_patch_with_surrounding": (
        "expand_patch_with_surrounding() -> ImagePatch",
        "The patch with its surroundings: twice as wide and high about the same centre, clamped "
        "to the picture.",
    ),
}
"""Methods of a patch that need no model: name to signature and first line."""

FUNCTIONS: Mapping[str, tuple[str, str]] = {
    "distance": (
        "distance(a, b) -> float",
        "Pixels between the nearest edges of two patches (minus their overlap, as intersection "
        "over union, when they overlap), or the difference of two numbers.",
    ),
    "formatting_answer": (
        "formatting_answer(x) -> str",
        "The answer as text: yes or no for a bool, whole numbers without a point, items of a list "
        "joined by a comma.",
    ),
    "bool_to_yesno": ("bool_to_yesno(x) -> str", '"yes" if x else "no".'),
    "coerce_to_numeric": (
        "coerce_to_numeric(string, no_string=False) -> int | float | str",
        "The number in a text ('two', '15 dogs', '10-15' gives 10); the text itself when there is "
        "none.",
    ),
    "process_guesses": (
        "process_guesses(question, guess1, guess2) -> str",
        "The guess given most often (a list may be given instead), the earliest of equals.",
    ),
}
"""Functions of the programs' own that need no model."""

_COMPACT_FUNCTIONS = ("distance(a, b) float", "formatting_answer(x) str")

_TYPES = re.compile(r"(list\[)?(str|int|float|bool|ImagePatch|dict|list)\]?( \| None)?")


@dataclass(frozen=True, slots=True)
class Api:
    """The API of one set of tools.

    Raises:
        InputError: two specs clash, or one cannot be called.
    """

    specs: tuple[ToolSpec, ...]

    def __init__(self, specs: Iterable[ToolSpec]) -> None:
        object.__setattr__(self, "specs", tuple(specs))
        names = {*FIELDS, *METHODS, *FUNCTIONS, *ALIASES, "ImagePatch", "execute_command"}
        for spec in self.specs:
            check_spec(spec)
            if spec.name in names:
                raise InputError(
                    f"a tool is called '{spec.name}', but that name is taken; rename the tool"
                )
            names.add(spec.name)

    def spec(self, name: str) -> ToolSpec | None:
        """The tool that programs reach under a name or an alias."""
        target = ALIASES.get(name, name)
        return next((spec for spec in self.specs if spec.name == target), None)

    def aliases(self, name: str) -> tuple[str, ...]:
        """Other names of a tool."""
        return tuple(alias for alias, target in ALIASES.items() if target == name)

    @property
    def methods(self) -> frozenset[str]:
        """Names that may be called on a patch and reach a tool.

        Tools that are plain functions may be called so as well.
        """
        names = {spec.name for spec in self.specs}
        return frozenset(names | {alias for alias, target in ALIASES.items() if target in names})

    @property
    def functions(self) -> frozenset[str]:
        """Names of tools that may be called as plain functions."""
        names = {spec.name for spec in self.specs if not spec.method}
        return frozenset(names | {alias for alias, target in ALIASES.items() if target in names})

    @property
    def names(self) -> frozenset[str]:
        """Every global name that the API gives to a program."""
        return frozenset({"ImagePatch", *FUNCTIONS}) | self.functions

    def prompt(self, style: Style = "compact") -> str:
        """The text with which a prompt of a sampler begins.

        It is Python source with examples (`full`) or one short line for each function (`compact`).
        """
        return self._compact() if style == "compact" else self._full()

    def _compact(self) -> str:
        lines = [f"ImagePatch(image): {_COMPACT_FIELDS}"]
        ordered = sorted(self.specs, key=lambda spec: not spec.method)
        for spec in ordered:
            names = ", ".join(p.name for p in spec.parameters if p.type != "bool")
            returns = spec.returns.split("[")[0]
            lines.append(f"{'.' if spec.method else ''}{spec.name}({names}) {returns}")
        return "\n".join([*lines, *_COMPACT_FUNCTIONS])

    def _full(self) -> str:
        lines = [
            "class ImagePatch:",
            '    """A part of a picture.  The origin is the LOWER left corner: y grows upwards.',
            "",
            *(f"    {name}: {meaning}" for name, meaning in FIELDS.items()),
            '    """',
            "",
            "    def __init__(self, image, left=None, lower=None, right=None, upper=None):",
            '        """The whole picture, or the part at these coordinates."""',
        ]
        for spec in self.specs:
            if spec.method:
                lines += ["", *_source(spec, "    "), *self._alias_lines(spec, "    ")]
        for signature, doc in METHODS.values():
            lines += ["", f"    def {_with_self(signature)}:", f'        """{doc}"""']
        for spec in self.specs:
            if not spec.method:
                lines += ["", "", *_source(spec, ""), *self._alias_lines(spec, "")]
        for signature, doc in FUNCTIONS.values():
            lines += ["", "", f"def {signature}:", f'    """{doc}"""']
        return "\n".join(lines) + "\n"

    def _alias_lines(self, spec: ToolSpec, indent: str) -> list[str]:
        return [f"{indent}{alias} = {spec.name}" for alias in self.aliases(spec.name)]


def _with_self(signature: str) -> str:
    return signature.replace("(", "(self, ", 1).replace("(self, )", "(self)")


def _signature(spec: ToolSpec, receiver: bool = False) -> str:
    texts = ["self"] if receiver else []
    for p in spec.parameters:
        texts.append(f"{p.name}: {p.type}" if p.required else f"{p.name}: {p.type} = {p.default!r}")
    return f"{spec.name}({', '.join(texts)}) -> {spec.returns}"


def _source(spec: ToolSpec, indent: str) -> list[str]:
    doc = spec.doc.replace('"""', "'''").splitlines()
    body = f"{indent}    "
    head = f"{indent}def {_signature(spec, receiver=spec.method)}:"
    if len(doc) == 1:
        return [head, f'{body}"""{doc[0]}"""']
    more = (f"{body}{line}".rstrip() for line in doc[1:])
    return [head, f'{body}"""{doc[0]}', *more, f'{body}"""']


def check_spec(spec: ToolSpec) -> None:
    """Judge whether a tool can be called from a program and explained in a prompt.

    Raises:
        InputError: it cannot; the text says why.
    """
    for name in (spec.name, *(p.name for p in spec.parameters)):
        plain = name.isidentifier() and name.isascii() and not name.startswith("_")
        if not plain or keyword.iskeyword(name):
            raise InputError(
                f"tool '{spec.name}': '{name}' is no plain Python name; use letters, digits and _"
            )
    names = [p.name for p in spec.parameters]
    if len(set(names)) < len(names) or "patch" in names or "self" in names:
        raise InputError(
            f"tool '{spec.name}': parameters must differ and not be called 'patch', found {names}"
        )
    for p in spec.parameters:
        if not _TYPES.fullmatch(p.type):
            raise InputError(
                f"tool '{spec.name}': parameter '{p.name}' has the type '{p.type}'; programs can "
                "give str, int, float, bool, ImagePatch, dict, list and list[...] of them, "
                "with ' | None' if it may be None"
            )
    if not spec.doc.strip():
        raise InputError(
            f"tool '{spec.name}' has no docstring; "
            "its first line is what the model is told about it"
        )


def spec_from_function(function: Callable[..., Any], method: bool = True) -> ToolSpec:
    """The spec that a function's signature and docstring declare.

    Args:
        function: its annotations are the types (no annotation means `str`), its docstring is the
            explanation.  A first parameter called `self` or `patch` is the receiver and makes it
            a method whatever `method` says.
        method: whether programs call it on a patch.

    Raises:
        InputError: no docstring, a type that programs cannot give, or star-parameters.
    """
    parameters: list[Parameter] = []
    signature = inspect.signature(function)
    for index, p in enumerate(signature.parameters.values()):
        if index == 0 and p.name in ("self", "patch"):
            method = True
            continue
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            raise InputError(
                f"tool '{function.__name__}': *{p.name} cannot be explained to a model; "
                "name each parameter"
            )
        required = p.default is p.empty
        if not required and not isinstance(p.default, (str, int, float, bool, type(None))):
            raise InputError(
                f"tool '{function.__name__}': the default of '{p.name}' must be a plain value "
                "or None"
            )
        default = None if required else p.default
        parameters.append(Parameter(p.name, _annotation(p.annotation, p.empty), default, required))
    returns = _annotation(signature.return_annotation, signature.empty)
    spec = _spec(function.__name__, parameters, returns, function.__doc__ or "", method)
    check_spec(spec)
    return spec


def _annotation(annotation: Any, empty: Any) -> str:
    if annotation is empty:
        return "str"
    if isinstance(annotation, str):
        return annotation.strip("\"'")
    simple = isinstance(annotation, type) and not hasattr(annotation, "__args__")
    return annotation.__name__ if simple else str(annotation)


Batch = Callable[[Sequence[ToolCall], Images], Sequence[Value | ToolFailure]]


class FunctionTool:
    """A tool made of a spec and a function over a batch of calls, as `batch_tool` makes it."""

    def __init__(self, spec: ToolSpec, batch: Batch, version: str, batch_size: int) -> None:
        self.ref = PartRef("tool", spec.name, version)
        self.spec = spec
        self.batch_size = batch_size
        self._batch = batch

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> Sequence[Value | ToolFailure]:
        return self._batch(calls, images)


def batch_tool(
    signature: Callable[..., Any], version: str = "1", batch_size: int = 32
) -> Callable[[Batch], Callable[[], FunctionTool]]:
    """A decorator that makes a tool part of a function over a batch of calls.

    What it makes is a factory without arguments.

    Args:
        signature: a function whose name, annotations and docstring declare the tool; its body is
            never run.
        version: to be changed whenever the answers may change; cached answers of other versions
            are not used.
        batch_size: the largest useful batch.
    """
    first = next(iter(inspect.signature(signature).parameters), "")
    spec = spec_from_function(signature, method=first in ("self", "patch"))

    def decorate(batch: Batch) -> Callable[[], FunctionTool]:
        def factory() -> FunctionTool:
            return FunctionTool(spec, batch, version, batch_size)

        factory.__name__ = factory.__qualname__ = getattr(batch, "__name__", spec.name)
        factory.__doc__ = spec.doc
        factory.__module__ = getattr(batch, "__module__", __name__)
        return factory

    return decorate
