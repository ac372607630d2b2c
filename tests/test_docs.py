"""What README and docs say and what the code does."""

import inspect
import re
from pathlib import Path

import polib
import pytest
from django.core.management import BaseCommand, load_command_class
from django.dispatch import Signal

from chatkit_app import models, signals
from chatkit_app.admin.base import PERMISSIONS
from chatkit_app.agents import AgentChatKitServer
from chatkit_app.checks.messages import CHECKS
from chatkit_app.conf import DEFAULTS
from chatkit_app.rendering.element import render_chatkit
from chatkit_app.testing import scripted_model

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
# What Django gives each command.
OF_EVERY_COMMAND = {
    option for action in BaseCommand().create_parser("", "")._actions for option in action.option_strings
}
SETTINGS = dict(
    re.findall(
        r"^\| `([A-Z_]+)` \| (.+?) \|",
        (REFERENCE / "settings.md").read_text().partition("## The environment")[0],
        re.M,
    )
)


def test_every_setting_is_documented_and_no_other():
    assert list(SETTINGS) == list(DEFAULTS)


@pytest.mark.parametrize("key", [key for key, value in SETTINGS.items() if re.fullmatch(r"`[^`]+`", value)])
def test_documented_default_is_the_default(key):
    documented = SETTINGS[key].strip("`")
    expected = repr(DEFAULTS[key]).replace("'", '"')
    assert documented == expected


def test_every_signal_is_documented_with_its_arguments_and_no_other():
    """The arguments are those that the comment above the signal names."""
    source = inspect.getsource(signals)
    named = {}
    for comment, name in re.findall(r"((?:^#.*\n)+)(\w+) = Signal\(\)", source, re.M):
        arguments = " ".join(line.lstrip("# ") for line in comment.splitlines()).partition("Arguments: ")[2]
        named[name] = set(
            re.findall(r"(?:^|, )(\w+)", re.sub(r"\([^)]*\)", "", arguments.partition(". ")[0]))
        )
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| ", (REFERENCE / "signals.md").read_text(), re.M)
    documented = {name: set(re.findall(r"`(\w+)`(?= \(|,|$)", row)) for name, row in rows}
    assert documented == named
    assert set(named) == {name for name, value in vars(signals).items() if isinstance(value, Signal)}


def test_every_check_is_documented_as_the_code_has_it():
    rows = re.findall(r"^\| `(chatkit\.\w+)` \| (.+) \|$", (REFERENCE / "checks.md").read_text(), re.M)
    assert dict(rows) == CHECKS
    assert len(rows) == len(CHECKS)


def test_every_check_that_is_named_anywhere_exists():
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    named = {id for page in pages for id in re.findall(r"`(chatkit\.[EWI]\d+)`", page.read_text())}
    assert named - set(CHECKS) == set()


def test_every_argument_of_the_tag_is_documented():
    names = [name.removeprefix("css_") for name in inspect.signature(render_chatkit).parameters]
    rows = re.findall(r"^\| `(\w+)` \| ", (REFERENCE / "tag.md").read_text(), re.M)
    assert rows == [name for name in names if name != "request"]


@pytest.mark.parametrize(
    ("modules", "guide"), [("element/**/*.js", "theming.md"), ("**/launcher*.js", "launcher.md")]
)
def test_every_part_and_property_of_the_element_is_documented_and_no_other(modules, guide):
    files = (ROOT / "chatkit_app" / "client").glob(modules)
    source = "".join(module.read_text() for module in files)
    parts = re.findall(r'(?:part: |"part", )"([a-z -]+)"', source)
    properties = re.findall(r"--chatkit-[a-z-]+", source)
    section = (ROOT / "docs" / "guides" / guide).read_text()
    documented = {
        name for row in re.findall(r"^\| [a-z].*", section, re.M) for name in re.findall(r"`(.+?)`", row)
    }
    assert documented == set(" ".join([*parts, *properties]).split())


@pytest.mark.parametrize("name", ["ScriptedModel", "StoreContract", "decode_events"])
def test_documented_test_tool_exists(name):
    assert f"`{name}`" in (ROOT / "docs" / "guides" / "testing.md").read_text()
    assert hasattr(scripted_model, name)


def test_documented_commands_are_those_of_continuous_integration():
    assert ".venv/bin/python -m tests\n" in (ROOT / "CONTRIBUTING.md").read_text()
    assert "\npython -m tests" in (ROOT / ".ci" / "run").read_text()


def test_every_permission_is_documented_and_exists():
    documented = re.findall(
        r"^\| `(\w+)` \| ",
        (REFERENCE / "permissions.md").read_text().partition("| permission ")[2].partition("\n\n")[0],
        re.M,
    )
    ours = {path.removeprefix("chatkit_app.") for path in PERMISSIONS.values()}
    assert set(documented) == ours | {"view_thread", "view_dailystatistics"}


def test_every_option_of_every_command_is_documented_and_no_other():
    page = (REFERENCE / "commands.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    commands = ROOT / "chatkit_app" / "management" / "commands"
    assert set(sections) == {path.stem for path in commands.glob("chatkit_*.py")}
    for name, section in sections.items():
        rows = re.findall(r"^\| (`--.+?) \| ", section, re.M)
        documented = {option for row in rows for option in re.findall(r"`(--[a-z-]+)", row)}
        parser = load_command_class("chatkit_app", name).create_parser("manage.py", name)
        options = {option for action in parser._actions for option in action.option_strings}
        assert documented == options - OF_EVERY_COMMAND


def test_public_fields_of_models_exist():
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", (REFERENCE / "models.md").read_text(), re.M)
    assert len(rows) > 10
    for name, fields in rows:
        known = {field.name for field in getattr(models, name)._meta.get_fields()}
        assert set(re.findall(r"`(\w+)`", fields)) - known == set()


def test_documented_methods_of_servers_exist():
    page = (REFERENCE / "hooks.md").read_text()
    methods = page.partition("## Methods of a server")[2].partition("## Functions")[0]
    documented = re.findall(r"`(\w+)\(([\w, ]+)\)`", methods)
    assert len(documented) > 20
    for name, arguments in documented:
        parameters = list(inspect.signature(getattr(AgentChatKitServer, name)).parameters.values())
        needed = [each.name for each in parameters[1:] if each.default is inspect.Parameter.empty]
        assert needed == arguments.split(", ")


def test_sentence_that_troubleshooting_quotes_is_said():
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    quoted = re.findall(r'^\*\*(?:[^"*\n]*, or )?"(.+?)"\*\* —', page, re.M)
    assert len(quoted) > 5
    source = polib.pofile(str(ROOT / "chatkit_app" / "locale" / "de" / "LC_MESSAGES" / "django.po"))
    said = [entry.msgid for entry in source] + ["database is locked"]
    assert [text for text in quoted if not any(text in sentence for sentence in said)] == []


def test_every_page_is_in_llms_txt_and_no_other():
    docs = ROOT / "docs"
    listed = re.findall(r"^- \[.+?\]\((.+?)\): \S", (docs / "llms.txt").read_text(), re.M)
    pages = {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")}
    assert set(listed) == pages
    assert len(listed) == len(pages)


GUIDES = [
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/architecture.md",
    "docs/threat-model.md",
]


@pytest.mark.parametrize("name", GUIDES)
def test_file_that_a_guide_names_is_there(name):
    """Named as from the root of the repository, or of the package."""
    named = re.findall(r"`((?:[\w.-]+/)*[\w-]+(?:\.(?:py|md|js|toml)|/))`", (ROOT / name).read_text())
    assert named or name == "SECURITY.md"
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
