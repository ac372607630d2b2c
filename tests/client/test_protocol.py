"""The element's types of the protocol, and its events, are those of the Python SDK and of the official client."""

import inspect
import re
from pathlib import Path
from typing import get_args

import pytest
from chatkit import types as sdk
from pydantic import BaseModel

from tests.js import package

ELEMENT = Path(__file__).parents[2] / "chatkit_app" / "client" / "element"
PROTOCOL = (ELEMENT / "protocol.d.ts").read_text()

# Of the base of all requests; stays on the server; without effect.
UNKNOWN = {"BaseReq": {"metadata"}, "AudioInput": {"data", "mime_type"}, "EntitySource": {"preview"}}
# These types are the client's own.
OF_THE_CLIENT = {"UserMessageTextContent", "UserMessageTagContent", "ImageAttachment", "FileAttachment"}
MODELS = [
    model
    for _, model in inspect.getmembers(sdk, inspect.isclass)
    if issubclass(model, BaseModel)
    and model.__module__ == sdk.__name__
    and model.__name__ not in OF_THE_CLIENT
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_protocol_knows_every_field_of_the_sdk(model):
    # A request is {type, params}; which parameters belong to which type is said by StreamingParams and JSONParams.
    fields = (
        model.model_fields.keys() - {"params"}
        if issubclass(model, sdk.BaseReq)
        else model.model_fields.keys()
    )
    unknown = {name for base in model.__mro__ for name in UNKNOWN.get(base.__name__, ())}
    missing = {name for name in fields if not re.search(rf"\b{name}\??:", PROTOCOL)}
    assert missing - unknown == set()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_protocol_knows_every_type_of_the_sdk(model):
    kind = model.model_fields.get("type")
    values = get_args(kind.annotation) if kind is not None else ()
    assert [value for value in values if f'"{value}"' not in PROTOCOL] == []


def test_element_fires_the_events_of_the_official_client():
    client = (package("@openai/chatkit") / "types" / "index.d.ts").read_text()
    events = client[client.index("export type ChatKitEvents = {") :]
    official = set(re.findall(r"^  '(chatkit\.[a-z.]+)':", events, re.MULTILINE))
    sources = "".join(path.read_text() for path in ELEMENT.rglob("*.js"))
    assert len(official) == 13
    assert set(re.findall(r'"(chatkit\.[a-z.]+)"', sources)) == official
