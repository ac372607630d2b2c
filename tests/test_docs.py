"""What the README says and what the code does."""

import inspect
import re
from pathlib import Path

import pytest
from django.dispatch import Signal

from chatkit_app import signals, testing
from chatkit_app.conf import DEFAULTS
from chatkit_app.rendering import render_chatkit

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
SETTINGS = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|", README, re.M))


def test_every_setting_is_documented_and_no_other():
    assert list(SETTINGS) == list(DEFAULTS)


@pytest.mark.parametrize("key", [key for key, value in SETTINGS.items() if re.fullmatch(r"`[^`]+`", value)])
def test_documented_default_is_the_default(key):
    documented = SETTINGS[key].strip("`")
    expected = repr(DEFAULTS[key]).replace("'", '"')
    assert documented == expected


def test_every_signal_is_documented():
    names = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    assert names == ["visitor_claimed", "feedback_given", "run_finished"]
    assert [name for name in names if f"`{name}`" not in README] == []


def test_every_argument_of_the_tag_is_documented():
    names = [name.removeprefix("css_") for name in inspect.signature(render_chatkit).parameters]
    assert [name for name in names if name != "request" and f"`{name}`" not in README] == []


@pytest.mark.parametrize("name", ["ScriptedModel", "StoreContract", "decode_events"])
def test_documented_test_tool_exists(name):
    assert f"`{name}`" in README
    assert hasattr(testing, name)


def test_documented_commands_are_those_of_continuous_integration():
    assert ".venv/bin/python -m tests\n" in README
    assert "\npython -m tests" in (ROOT / ".ci" / "run").read_text()
