"""A model that needs no account and no network.

``OfflineModel`` is an Agents SDK ``Model``: it streams genuine Responses events, answers the same question
with the same text, calls the agent's tools and closes with what they returned. The default server uses it as
long as no OpenAI credentials are configured, so a fresh project answers at once; any agent can be given one::

    Agent(name="Assistant", model=OfflineModel(), tools=[...])
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from agents import (
    FunctionTool,
    Handoff,
    Model,
    ModelProvider,
    ModelSettings,
    MultiProvider,
    Tool,
    TResponseInputItem,
)
from django.utils.translation import gettext as _
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

from .local_model import LocalModel, ModelRequest
from .responses import message, tool_call

MODEL_NAME = "offline"

# Words of a tool's name or description that say nothing about when to call it.
_COMMON_WORDS = frozenset(
    """
    about add and ask call can create current date do find for from get give given has have how into list
    look make new out return returns run send set show tell that the their them this tool use user value
    what when which with you your
    """.split()  # noqa: SIM905
)
# What the SDK's converter says in the user's role although the user did not say it.
_NOT_THE_USER = (
    "# User-provided context for @-mentions",
    "A message was displayed to the user",
    "A structured input request was displayed",
    "Hidden context for the agent",
    "The following graphical UI widget",
    "The following image was generated",
    "The user is referring to this",
)
_ATTACHED = "The user attached the file"
_ANSWERS = re.compile(r"<StructuredInput>\s*(.*?)\s*</StructuredInput>", re.DOTALL)
_ARGUMENT = re.compile(r"\b(?:for|in|about|named|called|of|to|at|with|on)\s+(.+)$", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”|`([^`]+)`')
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class OfflineProvider(ModelProvider):
    """The offline model for every name, except those with another provider's prefix (``litellm/…``)."""

    def get_model(self, model_name: str | None) -> Model:
        if model_name and "/" in model_name and not model_name.startswith("openai/"):
            return MultiProvider().get_model(model_name)
        return OfflineModel()


class OfflineModel(LocalModel):
    """A model that answers from the conversation itself.

    A tool is called when the user's text names it ("use get_weather for Paris"), holds every telling word of
    its name ("the weather in Paris") or two of its description, or when ``tool_choice`` asks for it. Its
    arguments come from the text, within the JSON schema. After a tool has run, its output is the answer.
    Handoffs happen only when they are named. Asked for a title (by its instructions, not streamed), it gives
    the first words of the text.

    Args:
        delay: seconds between two words.
    """

    name = MODEL_NAME

    def __init__(self, *, delay: float = 0.025) -> None:
        self.delay = delay

    def output(self, request: ModelRequest) -> list[ResponseOutputMessage | ResponseFunctionToolCall]:
        titled = re.search(r"\btitle\b", request.instructions or "", re.IGNORECASE)
        if titled and request.output_schema is None and not request.streamed:
            words = _last_text(request.input).split()
            return [message(" ".join(words[:8]))]
        return _decide(request)


# What the offline model says


def _decide(request: ModelRequest) -> list[ResponseOutputMessage | ResponseFunctionToolCall]:
    items = _items(request.input)
    asked = max((n for n, item in enumerate(items) if _is_user_text(item)), default=-1)
    text = _last_text(request.input)
    outputs = [item for item in items[asked + 1 :] if _get(item, "type") == "function_call_output"]

    answered = any(_ANSWERS.search(_text_of(item)) for item in items[asked + 1 :])
    if not outputs and not answered:
        call = _choose_call(text, request.settings, request.tools, request.handoffs)
        if call is not None:
            return [call]
    if request.output_schema is not None and not request.output_schema.is_plain_text():
        schema = request.output_schema.json_schema()
        return [message(json.dumps(fill_schema(schema, text), ensure_ascii=False))]
    results = [_readable(_get(item, "output")) for item in outputs if not _is_handoff(item)]
    if results:
        return [message(_("The tool answered: {result}").format(result="\n\n".join(results)))]
    answers = [found for item in items[asked + 1 :] for found in _ANSWERS.findall(_text_of(item))]
    if answers:
        return [message(_("Thank you. You answered:") + "\n\n" + "\n".join(answers))]
    return [message(_reply(text, turn=sum(map(_is_user_text, items))))]


def _reply(text: str, *, turn: int) -> str:
    if re.search(r"\bmarkdown\b", text, re.IGNORECASE):
        return _(
            "## A Markdown sample\n\n"
            "Text can be **bold**, *italic* or `code`, and it can [link](https://www.djangoproject.com/).\n\n"
            "1. First\n2. Second\n   - with a detail\n\n"
            "| Language | Extension |\n| --- | --- |\n| Python | `.py` |\n| JavaScript | `.js` |\n\n"
            '```python\ndef greet(name):\n    return f"Hello, {name}!"\n```\n\n'
            "> A quotation closes the sample."
        )
    introduction = _(
        "I am the offline model: I answer without an account and without a network, always the same way. "
        "Set OPENAI_API_KEY and a language model will answer here instead."
    )
    if not text.strip():
        return introduction
    quote = "\n".join(f"> {line}" for line in text.strip().splitlines())
    if turn <= 1:
        return introduction + "\n\n" + _("You wrote:") + "\n\n" + quote
    return _("This is message {number} of our conversation. You wrote:").format(number=turn) + "\n\n" + quote


def _choose_call(
    text: str, settings: ModelSettings, tools: list[Tool], handoffs: list[Handoff[Any, Any]]
) -> ResponseFunctionToolCall | None:
    functions = [tool for tool in tools if isinstance(tool, FunctionTool)]
    choice = settings.tool_choice
    if choice == "none":
        return None
    scored = [(_match(text, tool.name, tool.description), tool) for tool in functions]
    best = max(scored, key=lambda pair: pair[0], default=None)
    if isinstance(choice, str) and choice not in ("auto", "required"):
        best = next(((1, tool) for tool in functions if tool.name == choice), None)
    if best is not None and (best[0] > 0 or choice == "required"):
        tool = best[1]
        return tool_call(tool.name, fill_schema(tool.params_json_schema, _without_name(text, tool.name)))
    for handoff in handoffs:
        if _match(text, handoff.tool_name, "") == _NAMED:
            return tool_call(handoff.tool_name, fill_schema(handoff.input_json_schema, text))
    return None


_NAMED = 1000


def _match(text: str, name: str, description: str) -> int:
    """Return how clearly a text asks for a tool: 0 is not at all."""
    said = set(_words(text))
    if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE):
        return _NAMED
    telling = [word for word in _words(name) if word not in _COMMON_WORDS]
    if telling and said.issuperset(telling):
        return 100 * len(telling)
    shared = {word for word in _words(description) if len(word) > 3 and word not in _COMMON_WORDS} & said
    return len(shared) if len(shared) > 1 else 0


def _words(text: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).replace("_", " ")
    return re.findall(r"\w+", spaced.lower())


def _without_name(text: str, name: str) -> str:
    return re.sub(rf"^.*?(?<!\w){re.escape(name)}(?!\w)", "", text, flags=re.IGNORECASE | re.DOTALL)


# Arguments from text


def fill_schema(schema: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return a value for an object's JSON schema, taken from a text where it can be.

    ``name=value`` wins; then quoted strings and numbers are used up in order; a string without one gets what
    follows the first preposition, or the whole text; everything else its default or the plainest value.
    """
    strings = iter([next(filter(None, groups)) for groups in _QUOTED.findall(text)])
    numbers = iter(_NUMBER.findall(text))
    filled = _fill(schema, text, "", strings, numbers, schema.get("$defs", {}), depth=0)
    return cast("dict[str, Any]", filled) if isinstance(filled, dict) else {}


def _fill(
    schema: Mapping[str, Any],
    text: str,
    name: str,
    strings: Iterator[str],
    numbers: Iterator[str],
    definitions: Mapping[str, Any],
    *,
    depth: int,
) -> Any:
    if "$ref" in schema:
        schema = definitions.get(str(schema["$ref"]).rsplit("/", 1)[-1], {}) | {
            key: value for key, value in schema.items() if key != "$ref"
        }
    for union in ("anyOf", "oneOf", "allOf"):
        if schema.get(union):
            options = schema[union]
            if union != "allOf" and any(option.get("type") == "null" for option in options) and depth:
                # An optional value is left out unless the text names it.
                if re.search(rf"\b{re.escape(name)}\s*[=:]", text) is None:
                    return schema.get("default")
                options = [option for option in options if option.get("type") != "null"]
            schema = {**schema, **options[0], union: None}
            return _fill(schema, text, name, strings, numbers, definitions, depth=depth)
    if "const" in schema:
        return schema["const"]
    explicit = re.search(rf'\b{re.escape(name)}\s*[=:]\s*("[^"]+"|[^\s,;]+)', text) if name else None
    given = explicit.group(1).strip('"') if explicit else None
    if "enum" in schema:
        named = (value for value in schema["enum"] if str(value).lower() in _words(given or text))
        return next(named, schema.get("default", schema["enum"][0]))

    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind == "object":
        if depth > 5:
            return {}
        return {
            key: _fill(value, text, key, strings, numbers, definitions, depth=depth + 1)
            for key, value in schema.get("properties", {}).items()
            if key in schema.get("required", schema["properties"]) or "default" not in value
        }
    if kind == "array":
        if depth > 5 or schema.get("maxItems") == 0:
            return []
        return [_fill(schema.get("items", {}), text, name, strings, numbers, definitions, depth=depth + 1)]
    if kind in ("integer", "number"):
        return _number(schema, given or next(numbers, None), whole=kind == "integer")
    if kind == "boolean":
        return given.lower() in ("true", "yes", "1") if given else bool(schema.get("default", False))
    if kind == "null":
        return None
    phrase = given or next(strings, None) or schema.get("default") or _phrase(text) or "…"
    return str(phrase)[: schema.get("maxLength")].ljust(schema.get("minLength", 0), "…")


def _number(schema: Mapping[str, Any], found: str | None, *, whole: bool) -> int | float:
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    try:
        value = float(found if found is not None else schema.get("default", lowest or 0))
    except (TypeError, ValueError):
        value = float(lowest or 0)
    value = max(value, lowest) if lowest is not None else value
    value = min(value, highest) if highest is not None else value
    return int(value) if whole else value


def _phrase(text: str) -> str:
    after = _ARGUMENT.search(text.strip())
    return (after.group(1) if after else text).strip().rstrip("?!.").strip()


# Reading the input


def _items(input: str | list[TResponseInputItem]) -> list[Any]:
    return [{"role": "user", "content": input}] if isinstance(input, str) else list(input)


def _last_text(input: str | list[TResponseInputItem]) -> str:
    """Return what the user said last."""
    return next((_text_of(item) for item in reversed(_items(input)) if _is_user_text(item)), "")


def _get(item: Any, key: str) -> Any:
    return item.get(key) if isinstance(item, Mapping) else getattr(item, key, None)


def _is_user_text(item: Any) -> bool:
    return _get(item, "role") == "user" and not _text_of(item).startswith(_NOT_THE_USER)


def _is_handoff(output: Any) -> bool:
    return str(_get(output, "output")).startswith('{"assistant":')


def _text_of(item: Any) -> str:
    content = _get(item, "content")
    if isinstance(content, str):
        return content
    texts = (str(_get(part, "text") or "") for part in content or ())
    return "".join(text for text in texts if not text.startswith(_ATTACHED))


def _readable(output: Any) -> str:
    """Return a tool's output as text: its text parts when it has parts."""
    if isinstance(output, list):
        return "\n".join(str(_get(part, "text")) for part in output if _get(part, "text"))
    return str(output)
