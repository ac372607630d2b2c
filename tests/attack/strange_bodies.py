"""Bodies that no client sends: those that the SDK's schema allows, and what comes of them when somebody plays."""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from chatkit.types import ChatKitReq
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic.json_schema import PydanticJsonSchemaWarning

with warnings.catch_warnings(action="ignore", category=PydanticJsonSchemaWarning):
    SCHEMA: dict[str, Any] = TypeAdapter(ChatKitReq).json_schema()
# What stands for an id that is known only when the body is sent, by the names of the fields that have ids.
IDS = {
    "thread_id": ["@own thread@", "@foreign thread@"],
    "item_id": ["@own message@", "@own widget@", "@own form@", "@foreign message@", "@foreign widget@"],
    "attachment_id": ["@own attachment@", "@foreign attachment@"],
}
FIELDS = {
    "thread_id": IDS["thread_id"],
    "item_id": IDS["item_id"],
    "item_ids": IDS["item_id"],
    "after": IDS["item_id"] + IDS["thread_id"],
    "attachment_id": IDS["attachment_id"],
    "attachments": IDS["attachment_id"],
}

TEXTS = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udc00\ud83d",
    "\ufeff\u202e\u2066",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
    "👩‍👩‍👧‍👦" * 50,
    "<script>alert(1)</script>",
    "{{ 7 }}{% load x %}%s%(x)s{0}",
    "' OR 1=1 --",
    "../../etc/passwd",
    "__class__",
    "=HYPERLINK(1)",
    "a\r\nSet-Cookie: x=1",
    "data: {}\n\nevent: x\n\n",
    "1e999",
    "image/svg+xml",
    "x" * 201,
    "x" * 100_001,
]
NUMBERS = [0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 10**400, 0.1, -0.0, 1e308, math.nan, math.inf]


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value, {"a": value}] if depth < 5 else [value]
    return value


ODD = [
    *TEXTS,
    *NUMBERS,
    None,
    True,
    [],
    {},
    [None],
    {"": None},
    {"\x00": "\x00", "\ud800": 1},
    {"__proto__": {"type": "x"}},
    [[], {}, "", 0],
    nested(4),
    nested(59),
    nested(61),
    nested(200),
    ["x"] * 4_000,
    ["x"] * 6_000,
    {str(number): number for number in range(3_000)},
]

_texts = st.one_of(st.sampled_from(TEXTS), st.text(st.characters(), max_size=30), st.just("hello there"))
_anything = st.recursive(
    st.one_of(st.sampled_from(ODD), _texts, st.integers(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)),
    max_leaves=6,
)


def values(schema: dict[str, Any], field: str = "") -> st.SearchStrategy[Any]:
    """What a part of the schema allows.

    Args:
        field: the name under which it stands; those of ``FIELDS`` have ids, mostly of things that there are.
    """
    if "$ref" in schema:
        return values(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], field)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return st.one_of(*(values(part, field) for part in schema[union]))
    match schema.get("type"):
        case "object" if "properties" in schema:
            parts = {name: values(part, name) for name, part in schema["properties"].items()}
            needed = {
                name: part for name, part in parts.items() if name in (*schema.get("required", ()), "type")
            }
            others = {name: part for name, part in parts.items() if name not in needed}
            return st.fixed_dictionaries(needed, optional=others)
        case "object":
            extra = schema.get("additionalProperties", True)
            inner = values(extra) if isinstance(extra, dict) else _anything
            return st.dictionaries(_texts, inner, max_size=3)
        case "array":
            return st.lists(values(schema["items"], field), max_size=3)
        case "string" if field in FIELDS:
            return st.one_of(st.sampled_from(FIELDS[field]), st.sampled_from(FIELDS[field]), _texts)
        case "string":
            return _texts
        case "integer":
            return st.one_of(st.integers(0, 100), st.integers(), st.sampled_from([10**30, -(2**63)]))
        case "number":
            return st.one_of(st.floats(), st.integers())
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return _anything


# Each operation as often as any other, whatever it has.
REQUESTS = st.one_of(*(values(part) for part in SCHEMA["oneOf"]))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """The objects and lists of a value, with each of their keys."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def mutate(draw: Callable[..., Any], request: Any) -> None:
    """Change one place of a request."""

    def something() -> Any:
        # What is drawn is shared, and may be changed next.
        return copy.deepcopy(draw(_anything))

    found = list(places(request))[:500]
    if not found:
        return
    parent, key = draw(st.sampled_from(found))
    match draw(st.sampled_from(["replace", "replace", "remove", "wrap", "add", "rename"])):
        case "replace":
            parent[key] = something()
        case "remove":
            del parent[key]
        case "wrap":
            parent[key] = draw(
                st.sampled_from([[parent[key]], {"value": parent[key]}, str(parent[key])[:99]])
            )
        case "add" if isinstance(parent, dict):
            name = draw(st.one_of(_texts, st.sampled_from(["type", "id", "user_id", "created_at"])))
            parent[name] = something()
        case "rename" if isinstance(parent, dict):
            parent[draw(_texts)] = parent.pop(key)
        case "add" | "rename":
            parent.append(something())


@st.composite
def bodies(draw: Callable[..., Any]) -> bytes:
    request = copy.deepcopy(draw(REQUESTS))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 4]))):
        mutate(draw, request)
    body = json.dumps(request, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    match draw(st.sampled_from([""] * 12 + ["cut", "bytes", "mark", "wide", "twice", "nothing like it"])):
        case "cut":
            return body[: draw(st.integers(0, len(body)))]
        case "bytes":
            position = draw(st.integers(0, len(body)))
            return body[:position] + draw(st.binary(min_size=1, max_size=4)) + body[position:]
        case "mark":
            return b"\xef\xbb\xbf" + body
        case "wide":
            return json.dumps(request).encode("utf-16")
        case "twice":
            return body[:-1] + b"," + body[1:]
        case "nothing like it":
            return draw(st.binary(max_size=200))
    return body
