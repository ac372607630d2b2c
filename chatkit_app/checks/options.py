"""Options of the client."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from .keys import did_you_mean, value_of
from .messages import Messages, error, warning

OPTION_NAMES = (
    "api",
    "locale",
    "theme",
    "frameTitle",
    "initialThread",
    "onClientTool",
    "header",
    "history",
    "startScreen",
    "threadItemActions",
    "composer",
    "disclaimer",
    "entities",
    "commands",
    "widgets",
    "thread",
)
_API_OF_THE_TAG = ("url", "fetch", "domainKey", "getClientSecret")
_FUNCTION_NAME = re.compile(r"on[A-Z]")


def check_options() -> Messages:
    """Check ``OPTIONS`` (E040-E043)."""
    options = value_of("OPTIONS")
    try:
        json.dumps(options, cls=DjangoJSONEncoder)
    except (TypeError, ValueError, RecursionError) as problem:
        yield error(
            "E040",
            f'CHATKIT["OPTIONS"] cannot be written as JSON: {problem}',
            "Use dictionaries with string keys, lists, strings, numbers, booleans and None only.",
        )
    for name in options:
        if name not in OPTION_NAMES:
            yield warning(
                "W041",
                f'CHATKIT["OPTIONS"] has {name!r}, which the client does not know.',
                did_you_mean(str(name), OPTION_NAMES),
            )
    for name in _function_options(options):
        yield error(
            "E042",
            f'CHATKIT["OPTIONS"] has "{name}", which must be a JavaScript function.',
            "Set it in the page: (window.chatkitConfigure ??= []).push((options) => { … }).",
        )
    api = options.get("api")
    for name in api if isinstance(api, Mapping) else ():
        if name in _API_OF_THE_TAG:
            yield error(
                "E043",
                f'CHATKIT["OPTIONS"]["api"] has "{name}", which {{% chatkit %}} sets itself.',
                'Remove it. The domain key belongs into CHATKIT["DOMAIN_KEY"]; the tag takes another url.',
            )


def _function_options(options: Mapping[Any, Any], depth: int = 0) -> Iterator[str]:
    for name, value in options.items():
        if isinstance(name, str) and _FUNCTION_NAME.match(name):
            yield name
        elif isinstance(value, Mapping) and depth < 3:
            yield from (f"{name}.{inner}" for inner in _function_options(value, depth + 1))
