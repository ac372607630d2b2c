"""What people may mean by words of their own, as long as no language model is there to understand them."""

import re

from .prompts import EVERYTHING, WELCOME

CITY = "Lisbon"
"""Where the weather is told for that is asked for without a place."""

_WHEN = r"(?:today|tonight|tomorrow|now|right now|at the moment|this \w+|next \w+|please)"
_PLACE = re.compile(
    rf"\b(?:in|for|at|of)\s+(?!{_WHEN}\b)([^\W\d_][^?!.,;]*?)(?:\s+{_WHEN})*\s*[?!.,;]*$", re.IGNORECASE
)
_NAMED = re.compile(
    r"\b(?:weather|forecast)\s+([A-Z][\w-]+)|\b(?!What|The)([A-Z][\w-]+)(?:['’]s)?\s+(?:weather|forecast)\b"
)
_WEATHER = "What is the weather in {city}?"

# The first that fits counts. Without a prompt, the message says it itself.
_MEANT: list[tuple[str, str | None]] = [
    # A guardrail of the agent refuses the first; the others name a tool, or what the offline model can do besides.
    (r"passwords?|markdown|get_weather|get_browser|request_staff", None),
    (
        r"weather|forecast|temperature|degrees|warm|hot|cold|cool|rain\w*|snow\w*|sun|sunny|windy?|umbrella",
        _WEATHER,
    ),
    (
        r"person|human|people|somebody|someone|staff|team|support|colleague|agent",
        "I would like to talk to a person of your team.",
    ),
    (r"browser|time ?zone", "What does my browser tell you?"),
    (r"orders?|parcel|package|deliver\w*|courier|shipped|shipping", "Where is my order?"),
    (r"book|booking|tables?|reserv\w*", "I would like to book a table."),
    (r"trips?|trains?|travel\w*|journey|holidays?", "Plan a trip by night train."),
    (r"charts?|diagrams?|graphs?|statistics", "Show me a chart"),
    (r"forms?", "Show me a form"),
    (r"pictures?|images?|drawing|draw|photos?", "Show me an image"),
    (r"workflows?", "Show me a workflow"),
    (r"sources?|citations?", "Show me some sources"),
    (r"every widget|all widgets|gallery", "Show me every widget"),
    (r"widgets?", "Show me a widget"),
    (r"attach\w*|files?|upload\w*|pdf", "Show me an attachment"),
    (r"questions?|quiz|survey", "Show me some questions"),
    (r"tools?", _WEATHER),
    (r"long (?:answer|text)", "Show me a long answer"),
    (r"more|everything|features?|what can you do|what else", "Show me more"),
]


def prompt_for(text: str) -> str | None:
    """Return the prompt of the demo that a message is near to.

    Args:
        text: what somebody has written.

    Returns:
        The prompt, with the place that the message names where it asks for the weather. The text itself where the agent
        knows what to do with it. None when it is near to none of them.
    """
    text = " ".join(text.split())
    if text in _PROMPTS:
        return text
    for words, prompt in _MEANT:
        if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE):
            return text if prompt is None else prompt.format(city=_city(text))
    return None


def _city(text: str) -> str:
    if place := _PLACE.search(text):
        return place[1]
    named = _NAMED.search(text)
    return named[1] or named[2] if named else CITY


_PROMPTS = frozenset(prompt["prompt"] for prompt in [*WELCOME, *EVERYTHING])
