"""What the server answers to the pages' scripts, as TypeScript: `make types` writes it.

`python tests/script_types.py` reads the return annotations of the routes under /data and /do and of
what streams, and writes `app/js/types.d.ts`: an interface for each record, and the record behind
each address.  pydantic says what a record is as JSON, so that the types are those of the answer.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from app.main import build
from app.site import Site
from workbench.store import Project

TARGET = Path(__file__).resolve().parent.parent / "app" / "js" / "types.d.ts"
PREFIXES = ("/data/", "/do/", "/upload/")
HEAD = """\
// Written by tests/script_types.py from the records that routes return; make types writes it anew.
"""
TAIL = """
/** What the server answers at an address, with or without a query; any where it is not typed. */
export type Reply<Address extends string> = Address extends keyof Replies
  ? Replies[Address]
  : Address extends `${infer Path}?${string}`
    ? Reply<Path>
    : any;

/** What each message of a stream is; any where it is not typed. */
export type Message<Name extends string> = Name extends keyof Streams ? Streams[Name] : any;
"""
_PLAIN = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
"""TypeScript's word for a JSON type."""

_UNTYPED = ("any", "Record<string, any>", "Record<string, any>[]")
"""Types that say nothing of a reply: it has no line then, and scripts may read any key of it."""


class WholeRecords(GenerateJsonSchema):
    """The schema of a record as it is sent: with every field, those with a default too."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        """Whether a field is always there: a record's is, a TypedDict says so itself."""
        if field["type"] == "dataclass-field":
            return True
        return bool(super().field_is_required(field, total))


def declarations(site: Site) -> str:
    """The text of `types.d.ts`.

    Args:
        site: the pages, with all their routes.
    """
    replies, streams = dict(_replies(site)), dict(_streams(site))
    annotations = {**replies, **{f"stream {name}": one for name, one in streams.items()}}
    schemas, document = TypeAdapter.json_schemas(
        [(name, "serialization", TypeAdapter(one)) for name, one in annotations.items()],
        schema_generator=WholeRecords,
        ref_template="{model}",
    )
    types = {name: _type(schemas[name, "serialization"]) for name in annotations}
    records = document.get("$defs", {})
    typed = [name for name in annotations if types[name] not in _UNTYPED]
    parts = [_declaration(name, records[name]) for name in sorted(records)]
    parts += [
        _table(
            "What each address answers.",
            "Replies",
            {name: types[name] for name in replies if name in typed},
        ),
        _table(
            "What each message of Gradio's queue is, by the name of the call.",
            "Streams",
            {name: types[f"stream {name}"] for name in streams if f"stream {name}" in typed},
        ),
    ]
    return "\n".join([HEAD, *parts]) + TAIL


def _replies(site: Site) -> Iterator[tuple[str, Any]]:
    """Address and annotation of each route that a script reads JSON from."""
    routes = (one for one in site.server.routes if isinstance(one, APIRoute))
    for route in sorted(routes, key=lambda one: one.path):
        if route.path.startswith(PREFIXES):
            yield (
                route.path.removeprefix("/"),
                get_type_hints(route.endpoint, include_extras=True).get("return", Any),
            )


def _streams(site: Site) -> Iterator[tuple[str, Any]]:
    """Name and annotation of each call of Gradio's queue: of one message where it streams."""
    for name, function in sorted(site.calls.items()):
        annotation = get_type_hints(function, include_extras=True).get("return", Any)
        is_stream = get_origin(annotation) is not None and issubclass(
            get_origin(annotation), Iterator
        )
        yield name, get_args(annotation)[0] if is_stream else annotation


def _declaration(name: str, schema: Mapping[str, Any]) -> str:
    """A record as an interface; anything else that has a name as a type."""
    if "properties" not in schema:
        return f"{_comment(schema)}export type {name} = {_type(schema)};\n"
    required = schema.get("required", ())
    fields = [
        f"{_comment(field, '  ')}  {key}{'' if key in required else '?'}: {_type(field)};\n"
        for key, field in schema["properties"].items()
    ]
    return f"{_comment(schema)}export interface {name} {{\n{''.join(fields)}}}\n"


def _table(words: str, name: str, types: Mapping[str, str]) -> str:
    keys = {key: key if key.isidentifier() else f'"{key}"' for key in types}
    lines = "".join(f"  {keys[key]}: {one};\n" for key, one in types.items())
    return f"/** {words} */\nexport interface {name} {{\n{lines}}}\n"


def _comment(schema: Mapping[str, Any], margin: str = "") -> str:
    """The first sentence of a docstring."""
    words = " ".join(str(schema.get("description", "")).split("\n\n")[0].split())
    return f"{margin}/** {words} */\n" if words else ""


def _type(schema: Mapping[str, Any]) -> str:
    """A JSON schema as a type."""
    if "$ref" in schema:
        return str(schema["$ref"])
    if "const" in schema or "enum" in schema:
        return " | ".join(f'"{one}"' for one in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if schema.get("type") == "array":
        return _array(schema)
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties", True)
        return f"Record<string, {'any' if inner is True else _type(inner)}>"
    return _PLAIN.get(str(schema.get("type")), "any")


def _array(schema: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(map(_type, schema['prefixItems']))}]"
    inner = _type(schema.get("items", {}))
    return f"({inner})[]" if " " in inner and "|" in inner else f"{inner}[]"


def current() -> str:
    """The text that `types.d.ts` must have: of the pages of a project without a question."""
    with tempfile.TemporaryDirectory() as folder, Project.create(Path(folder) / "p") as project:
        site = build(project)
        try:
            return declarations(site)
        finally:
            site.close()


def main() -> None:
    """Write `types.d.ts`."""
    TARGET.write_text(current(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
