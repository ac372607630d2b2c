"""Every block of README and docs is run: as a file of a project, as a command, in Node.js, as a template."""

from __future__ import annotations

import ast
import builtins
import importlib
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from agents import Agent
from chatkit.server import ChatKitServer
from django.contrib.auth.models import AnonymousUser, User
from django.core import checks
from django.core.management import call_command
from django.template import engines
from django.test import RequestFactory

from chatkit_app.server import DjangoChatKitServer
from tests.chat import Chat

from .blocks import BLOCKS, FIRST_SCREEN, ROOT, Block, blocks_in, read_blocks
from .written_project import WrittenProject

RUN_JAVASCRIPT = Path(__file__).with_name("run_block.js")

# Which test runs the blocks of a language.
RUN_BY = {
    "python": "test_python_block_runs_in_a_project",
    "js": "test_javascript_block_runs",
    "css": "test_style_block_names_what_the_element_has",
    "html": "test_template_block_is_rendered",
    "console": "test_command_of_a_block_runs",
}

# Commands that no test of this file runs, and why.
NOT_RUN = {
    'python3 -m venv .venv && .venv/bin/pip install -e ".[demo]" && .venv/bin/python manage.py demo': (
        "tests/demo runs the command; the packages are those of the tests"
    ),
    'python3 -m venv --upgrade-deps .venv && .venv/bin/pip install --group test -e ".[postgres,redis,demo]"'
    " && .venv/bin/python -m tests": "it runs all tests, this one too",
    "python3 -m venv --upgrade-deps .venv && source .venv/bin/activate": "what runs this test has it done",
    'pip install --group dev -e ".[postgres,redis,demo]"': "what runs this test has it done",
    "pre-commit install": "it writes into the clone's .git",
    "npm ci --prefix tests/js && npm ci --prefix bundle": "it writes into the clone; .ci/run does it",
}

# Agents that ask what only exists in the example.
NOT_ASKED = {"stock-server": "an MCP server of the reader's"}


@pytest.fixture
def project(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WrittenProject:
    settings.DEBUG = True
    settings.MEDIA_ROOT = tmp_path
    settings.CHATKIT = {}
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("chatkit_app.server.setting._servers", {})
    monkeypatch.chdir(tmp_path)
    return WrittenProject(settings, monkeypatch)


def test_every_block_is_in_a_language_that_a_test_runs():
    assert [f"{block} {block.language!r}" for block in BLOCKS if block.language not in RUN_BY] == []
    assert [name for name in RUN_BY.values() if name not in globals()] == []


def test_block_is_read_with_its_heading_and_without_its_indentation():
    text = "# Page\n## Part\n- point:\n\n  ```python\n  # a/b.py, at its end\n  x = 1\n  ```\n"
    (block,) = read_blocks("page.md", text)
    assert (block.heading, block.line, block.file) == ("Part", 5, "a/b.py")
    assert block.code == "# a/b.py, at its end\nx = 1\n"


# Python


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("block", blocks_in("python"), ids=str)
async def test_python_block_runs_in_a_project(block: Block, project: WrittenProject, settings: Any):
    """It runs behind those before it; settings pass the checks, and a server or agent answers."""
    project.write_page(block.page, before=block)
    module = project.write(block)
    if module.__name__.endswith("settings"):
        found = checks.run_checks(tags=["chatkit"])
        assert [message for message in found if message.level >= checks.WARNING] == []
    for setting in settings_that_answer(module):
        if not any(name in block.code for name in NOT_ASKED):
            kept = {key: value for key, value in settings.CHATKIT.items() if key not in ("SERVER", "AGENT")}
            settings.CHATKIT = kept | setting
            answer = await Chat().say("Hello")
            assert "error" not in answer.types()
            assert answer.text()


def settings_that_answer(module: ModuleType) -> list[dict[str, str]]:
    own = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    found = []
    for name, value in own.items():
        if (
            isinstance(value, type)
            and value.__module__ == module.__name__
            and issubclass(value, ChatKitServer)
        ):
            if value.respond is not DjangoChatKitServer.respond:
                found.append({"SERVER": f"{module.__name__}.{name}"})
        elif isinstance(value, Agent) and name == "agent":
            found.append({"AGENT": f"{module.__name__}.{name}"})
    return found


@pytest.mark.parametrize("block", blocks_in("python"), ids=str)
def test_python_block_brings_every_name_that_it_uses(block: Block):
    nodes = list(ast.walk(ast.parse(block.code)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    brought = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            brought |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            brought.add(node.name)
        elif isinstance(node, ast.arg):
            brought.add(node.arg)
    # What the file of "at its end" has before.
    assert not block.code.startswith("# mysite/settings.py,") or "INSTALLED_APPS" in brought
    assert {name.id for name in names} - brought - set(dir(builtins)) == set()


@pytest.mark.parametrize("block", blocks_in("python"), ids=str)
def test_python_block_imports_what_is_there(block: Block):
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("myapp"):
            module = importlib.import_module(node.module or "")
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


# JavaScript, styles, templates


@pytest.mark.parametrize("block", blocks_in("js"), ids=str)
def test_javascript_block_runs(block: Block):
    node = shutil.which("node")
    if node is None:
        assert os.environ.get("CI") != "true", (
            "Node.js is not installed, and CI=true wants the blocks to run."
        )
        pytest.skip("Node.js is not installed.")
    done = subprocess.run([node, RUN_JAVASCRIPT], input=block.code, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", blocks_in("css"), ids=str)
def test_style_block_names_what_the_element_has(block: Block):
    client = ROOT / "chatkit_app" / "client"
    source = "".join(path.read_text() for path in client.rglob("*.js"))
    parts = set(" ".join(re.findall(r'(?:part: |"part", )"([a-z -]+)"', source)).split())
    used = re.findall(r"::part\(([a-z-]+)\)", block.code)
    properties = re.findall(r"--chatkit-[a-z-]+", block.code)
    assert used or properties or ".chatkit-login" in block.code
    assert [name for name in used if name not in parts] == []
    assert [name for name in properties if name not in source] == []
    assert block.code.count("{") == block.code.count("}")


@pytest.mark.parametrize("block", blocks_in("html"), ids=str)
def test_template_block_is_rendered(block: Block, project: WrittenProject):
    project.write_page(block.page, before=block)
    request = RequestFactory().get("/chat/")
    request.user = AnonymousUser()
    html = engines["django"].from_string(block.code).render({}, request)
    assert "<openai-chatkit" in html


# Commands


COMMANDS = [
    (block, command)
    for block in blocks_in("console")
    if block not in FIRST_SCREEN or "demo" in block.code
    for command in block.commands
]


@pytest.mark.parametrize("block", blocks_in("console"), ids=str)
def test_console_block_has_nothing_but_commands(block: Block):
    assert [line for line in block.code.splitlines() if not line.startswith("$ ")] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, id=f"{block} {command[:40]}")
        for block, command in COMMANDS
        if command not in NOT_RUN
    ],
)
def test_command_of_a_block_runs(command: str, project: WrittenProject, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("builtins.input", lambda prompt: re.search(r"Type (\S+) ", prompt)[1])
    User.objects.create_user("maria")
    python, manage, *arguments = shlex.split(command)
    assert (python, manage) == ("python", "manage.py")
    call_command(*arguments, verbosity=0)


def test_every_command_that_is_not_run_is_in_a_block():
    assert set(NOT_RUN) - {command for _block, command in COMMANDS} == set()
    assert [name for name in NOT_ASKED if not any(name in block.code for block in BLOCKS)] == []


def test_first_screen_is_one_that_a_test_can_follow():
    """tests/browser/test_first_screen.py does what stands there; here is what it takes."""
    commands = [
        command for block in FIRST_SCREEN if block.language == "console" for command in block.commands
    ]
    assert commands[:5] == [
        "python3 -m venv venv && source venv/bin/activate",
        "pip install ./django-openai-chatkit",
        "django-admin startproject mysite && cd mysite",
        "python manage.py migrate",
        "python manage.py runserver",
    ]
    assert [block.file for block in FIRST_SCREEN if block.language == "python"] == [
        "mysite/settings.py",
        "mysite/urls.py",
    ]
