"""Records of settings: what may stand in a field is said once, at the field.

A record is a frozen dataclass.  The annotation of a field holds its bounds and, where a form shows
it, its label; the docstring below it is its sentence:

    lr: Annotated[float, Meta(gt=0, title="Learning rate")] = 1e-4
    '''Highest learning rate of the schedule.'''

msgspec judges the values.  It stops at the first error and does not show the value, so this file
goes through the fields itself, collects every error, and words what was expected from the same
annotation.
"""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from msgspec import ValidationError, convert
from msgspec import inspect as kinds

from workbench.errors import InputError, ProfileError
from workbench.parsing import parse

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a record, as its annotation describes it."""

    label: str
    """Title of the field in a form; empty where the annotation has none."""
    hint: Any
    """The annotation itself."""
    kind: kinds.Type
    """The annotation as msgspec reads it, without the label."""
    default: Any
    required: bool
    """Whether the field has no default."""

    @property
    def options(self) -> tuple[str, ...]:
        """The values to choose from, in the order of the annotation; none for other fields."""
        return _options(self.hint)

    @property
    def expected(self) -> str:
        """Words for the values that the field takes, for example `a whole number from 1`."""
        return _expected(self.hint)


@cache
def describe(record: type) -> Mapping[str, Setting]:
    """Every field of a record by name, in the order of the record."""
    hints = get_type_hints(record, include_extras=True)
    return {field.name: _setting(field, hints[field.name]) for field in fields(record)}


@cache
def sentences(record: type) -> Mapping[str, str]:
    """The docstring below each field in one line, by name; none where the source is missing."""
    try:
        source = textwrap.dedent(inspect.getsource(record))
    except (OSError, TypeError):
        return {}
    [definition] = parse(source).body
    texts = {}
    if isinstance(definition, ast.ClassDef):
        for statement, below in pairwise(definition.body):
            match statement, below:
                case ast.AnnAssign(ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                    texts[name] = " ".join(text.split())
    return texts


def read_toml(path: Path, what: str, advice: str) -> dict[str, Any]:
    """The values of a TOML file.

    Args:
        path: the file.
        what: what the file holds, for the error's text.
        advice: what to do when there is no file.

    Raises:
        ProfileError: the file is absent, cannot be read or is not valid TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ProfileError(f"no {what} at {path}; {advice}") from error
    except OSError as error:
        text = f"the {what} {path} cannot be read: {error.strerror}; give a .toml file"
        raise ProfileError(text) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path} is not valid TOML: {error}") from error


def read(
    record: type[Record],
    values: Mapping[str, Any],
    where: str,
    error: type[InputError] = InputError,
    also: Mapping[str, str] = MappingProxyType({}),
) -> Record:
    """Make a record of plain values, as a TOML or JSON file gives them.

    Args:
        record: class of the record; a field that is a record takes a table.
        values: values by name of field; a list becomes a tuple, and 1e6 is a whole number.
        where: name of the file or the thing, the beginning of the error's text.
        error: class of the error.
        also: problems of the same file that were noticed elsewhere.

    Raises:
        InputError: of the class `error`; the text names every wrong key, what was found and what
            was expected.
    """
    wrong: dict[str, str] = {}
    plain = _values(record, values, "", wrong)
    refuse({**wrong, **also}, where, error)
    return record(**plain)


def problems(record: type, values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """What is wrong with plain values, by key; empty when nothing is.

    Args:
        record: class of the record.
        values: values by name of field.
        prefix: beginning of every key, for example `limits.`; a key inside a table is `lora.r`.
    """
    wrong: dict[str, str] = {}
    _values(record, values, prefix, wrong)
    return wrong


def check(record: Any, where: str, error: type[InputError] = InputError) -> None:
    """Judge the values of a record that was made directly; for `__post_init__`.

    Args:
        record: the record itself.
        where: what the record is, the beginning of the error's text.
        error: class of the error.

    Raises:
        InputError: of the class `error`, as `read` raises it.
    """
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    refuse(problems(type(record), values), where, error)


def refuse(wrong: Mapping[str, str], where: str, error: type[InputError]) -> None:
    """Raise an error that lists all problems; without a problem, do nothing.

    Args:
        wrong: what `problems` returned.
        where: name of the file or the thing, the beginning of the error's text.
        error: class of the error.
    """
    if wrong:
        count = f"{len(wrong)} errors: " if len(wrong) > 1 else ""
        raise error(f"{where}: {count}" + "; ".join(f"{key} {text}" for key, text in wrong.items()))


def _setting(field: Field[Any], hint: Any) -> Setting:
    kind, label = kinds.type_info(hint), ""
    if isinstance(kind, kinds.Metadata):
        label = (kind.extra_json_schema or {}).get("title", "")
        kind = kind.type
    default = field.default
    if field.default_factory is not MISSING:
        default = field.default_factory()
    return Setting(label, hint, kind, default, default is MISSING)


def _values(
    record: type, values: Mapping[str, Any], prefix: str, wrong: dict[str, str]
) -> dict[str, Any]:
    """The values that are right, as the record takes them; `wrong` gets a text for each other."""
    settings = describe(record)
    right = {}
    for key, value in values.items():
        if key in settings:
            right[key] = _value(settings[key].hint, value, f"{prefix}{key}", wrong)
        else:
            wrong[f"{prefix}{key}"] = f"is an unknown key (there are: {', '.join(settings)})"
    for key, setting in settings.items():
        if setting.required and key not in values:
            sentence = sentences(record).get(key, "")
            wrong[f"{prefix}{key}"] = f"is missing, expected {setting.expected}" + (
                sentence and f" ({sentence})"
            )
    return right


def _value(hint: Any, value: Any, key: str, wrong: dict[str, str]) -> Any:
    kind = _bare(hint)
    if isinstance(value, Mapping) and is_dataclass(kind):
        before = len(wrong)
        inner = _values(kind, value, f"{key}.", wrong)  # type: ignore[arg-type]
        return kind(**inner) if len(wrong) == before else None  # type: ignore[operator]
    if isinstance(value, Mapping) and get_origin(kind) is Mapping:
        of_items = get_args(kind)[1]
        return {
            name: _value(of_items, item, f"{key}.{name}", wrong) for name, item in value.items()
        }
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)  # TOML has no other way to write 1e6
    endless = isinstance(value, float) and not math.isfinite(value)
    if not (kind is float and endless):  # msgspec takes infinity where there is no upper bound
        with suppress(ValidationError):
            return convert(value, hint)
    wrong[key] = f"must be {_expected(hint)}, found {value!r:.60}"
    return None


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _options(hint: Any) -> tuple[str, ...]:
    kind = _bare(hint)
    return get_args(kind) if get_origin(kind) is Literal else ()  # msgspec would sort them


def _expected(hint: Any) -> str:
    options = _options(hint)
    return f"one of {', '.join(options)}" if options else _words(kinds.type_info(hint))


def _words(kind: kinds.Type) -> str:
    return _WORDS[type(kind)](kind)


def _range(kind: kinds.IntType | kinds.FloatType) -> str:
    """Words for the bounds of a number, for example ` from 0 to below 1`."""
    bounds = {"above": kind.gt, "from": kind.ge, "to below": kind.lt, "to": kind.le}
    return "".join(f" {word} {bound}" for word, bound in bounds.items() if bound is not None)


def _either(choices: Iterable[kinds.Type]) -> str:
    *words, last = map(_words, choices)
    return f"{', '.join(words)} or {last}"


_WORDS: Mapping[type, Callable[[Any], str]] = {
    kinds.Metadata: lambda kind: _words(kind.type),
    kinds.BoolType: lambda kind: "true or false",
    kinds.IntType: lambda kind: f"a whole number{_range(kind)}",
    kinds.FloatType: lambda kind: f"a number{_range(kind)}",
    kinds.StrType: lambda kind: "text that is not empty" if kind.min_length else "text",
    kinds.LiteralType: lambda kind: f"one of {', '.join(map(str, kind.values))}",
    kinds.TupleType: lambda kind: (
        f"a list of {len(kind.item_types)}, every item {_words(kind.item_types[0])}"
    ),
    kinds.VarTupleType: lambda kind: f"a list, every item {_words(kind.item_type)}",
    kinds.ListType: lambda kind: "a list",
    kinds.DictType: lambda kind: "a table",
    kinds.DataclassType: lambda kind: "a table",
    kinds.UnionType: lambda kind: _either(kind.types),
    kinds.AnyType: lambda kind: "any value",
}
"""Words for what a field takes, by the type that msgspec reads its annotation as."""
