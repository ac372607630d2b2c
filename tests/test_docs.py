"""What the README says and what the code does."""

import inspect
import re
from pathlib import Path

import pytest
from django.dispatch import Signal

from chatkit_app import signals
from chatkit_app.admin.base import PERMISSIONS
from chatkit_app.conf import DEFAULTS
from chatkit_app.rendering.element import render_chatkit
from chatkit_app.testing import scripted_model

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
    assert set(names) == {
        "visitor_claimed",
        "item_added",
        "feedback_given",
        "thread_flagged",
        "item_redacted",
        "run_finished",
        "limit_reached",
    }
    assert [name for name in names if f"`{name}`" not in README] == []


def test_every_argument_of_the_tag_is_documented():
    names = [name.removeprefix("css_") for name in inspect.signature(render_chatkit).parameters]
    assert [name for name in names if name != "request" and f"`{name}`" not in README] == []


def test_every_part_and_property_of_the_element_is_documented_and_no_other():
    element = ROOT / "chatkit_app" / "client" / "element"
    source = "".join(module.read_text() for module in element.rglob("*.js"))
    parts = re.findall(r'(?:part: |"part", )"([a-z -]+)"', source)
    properties = re.findall(r"--chatkit-[a-z-]+", source)
    section = README.partition("### Theming")[2].partition("### ")[0]
    documented = {
        name for row in re.findall(r"^\| [a-z].*", section, re.M) for name in re.findall(r"`(.+?)`", row)
    }
    assert documented == set(" ".join([*parts, *properties]).split())


@pytest.mark.parametrize("name", ["ScriptedModel", "StoreContract", "decode_events"])
def test_documented_test_tool_exists(name):
    assert f"`{name}`" in README
    assert hasattr(scripted_model, name)


def test_documented_commands_are_those_of_continuous_integration():
    assert ".venv/bin/python -m tests\n" in README
    assert "\npython -m tests" in (ROOT / ".ci" / "run").read_text()


def test_every_permission_is_documented_and_exists():
    documented = re.findall(
        r"^\| `(\w+)` \| ", README.partition("| permission ")[2].partition("\n\n")[0], re.M
    )
    ours = {path.removeprefix("chatkit_app.") for path in PERMISSIONS.values()}
    assert set(documented) == ours | {"view_thread", "view_dailystatistics"}


def test_every_command_is_documented():
    commands = {path.stem for path in (ROOT / "chatkit_app" / "management" / "commands").glob("chatkit_*.py")}
    assert {name for name in commands if f"manage.py {name}" not in README} == set()


GUIDES = [
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/architecture.md",
    "docs/coming-from-the-sdk.md",
    "docs/threat-model.md",
]


@pytest.mark.parametrize("name", GUIDES)
def test_file_that_a_guide_names_is_there(name):
    """Named as from the root of the repository, or of the package."""
    named = re.findall(r"`((?:[\w.-]+/)*[\w-]+(?:\.(?:py|md|js|toml)|/))`", (ROOT / name).read_text())
    assert named or name in ("SECURITY.md", "docs/coming-from-the-sdk.md")
    built = {"chatkit_app/bundle/"}
    missing = [
        path
        for path in named
        if path not in built and not any((place / path).exists() for place in (ROOT, ROOT / "chatkit_app"))
    ]
    assert missing == []


def test_every_room_is_in_the_architecture():
    from tests.test_imports import ROW

    rooms = (ROOT / "docs" / "architecture.md").read_text().partition("## Rooms")[2].partition("## ")[0]
    named = {name.removesuffix("/").removesuffix(".py") for name in re.findall(r"`(\w+(?:/|\.py))`", rooms)}
    assert set(ROW) <= named
