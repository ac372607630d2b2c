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
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from agents import Agent
from chatkit.server import ChatKitServer
from chatkit.types import ChatKitReq, Thread, ThreadStreamEvent
from django.contrib.auth.models import AnonymousUser, User
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.template import engines
from django.test import RequestFactory
from pydantic import BaseModel, TypeAdapter

from chatkit_app.models import Thread as ThreadRow
from chatkit_app.offline.model import OfflineModel
from chatkit_app.server import DjangoChatKitServer
from tests.chat import Chat

from .blocks import BLOCKS, FIRST_SCREEN, ROOT, TUTORIAL, Block, blocks_in, blocks_of, pages_with, read_blocks
from .written_project import WrittenProject

RUN_JAVASCRIPT = Path(__file__).with_name("run_block.js")

# Which test runs the blocks of a language.
RUN_BY = {
    "python": "test_python_of_a_page_runs_in_a_project",
    "js": "test_javascript_block_runs",
    "css": "test_style_block_names_what_the_element_has",
    "html": "test_templates_of_a_page_are_rendered",
    "console": "test_commands_of_a_page_run",
    "json": "test_json_block_is_what_the_sdk_reads",
    "nginx": "test_nginx_block_is_a_configuration",
    "caddy": "test_caddy_block_is_a_configuration",
    "ini": "test_unit_block_runs_commands_that_there_are",
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

# Commands that need another database than the one that the tests of a page have.
OF_POSTGRESQL = {"python manage.py chatkit_search_index"}

# Agents that ask what only exists in the example.
NOT_ASKED = {
    "stock-server": "an MCP server of the reader's",
    "base_url": "a model's server of the reader's",
}


@pytest.fixture
def project(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WrittenProject:
    settings.DEBUG = True
    settings.MEDIA_ROOT = tmp_path
    settings.CHATKIT = {}
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("chatkit_app.server.setting._servers", {})
    monkeypatch.setattr(OfflineModel.__init__, "__kwdefaults__", {"delay": 0.0})
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
@pytest.mark.parametrize("page", pages_with("python"))
async def test_python_of_a_page_runs_in_a_project(page: str, project: WrittenProject, settings: Any):
    """Block after block; settings pass the checks, and a server or agent answers."""
    for block in blocks_of(page, "python"):
        with blamed_on(block):
            module = project.write(block)
            if module.__name__.endswith("settings"):
                found = checks.run_checks(tags=["chatkit"])
                assert [message for message in found if message.level >= checks.WARNING] == []
            kept = settings.CHATKIT
            for setting in settings_that_answer(module):
                if not any(name in block.code for name in NOT_ASKED):
                    others = {name: value for name, value in kept.items() if name not in ("SERVER", "AGENT")}
                    settings.CHATKIT = others | setting
                    answer = await Chat().say("Hello")
                    assert "error" not in answer.types()
                    assert answer.text()
            settings.CHATKIT = kept


@contextmanager
def blamed_on(block: Block) -> Iterator[None]:
    """Name the block in whatever is raised."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"In {block}:\n{block.code}")
        raise


PAGES_WITH_TESTS = [
    page for page in pages_with("python") if any("TestCase" in block.code for block in blocks_of(page))
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", PAGES_WITH_TESTS)
def test_tests_of_a_page_pass(page: str, project: WrittenProject):
    cases = []
    for block in blocks_of(page, "python"):
        with blamed_on(block):
            module = project.write(block)
            for case in vars(module).values():
                if is_test_case(case, module):
                    result = unittest.TestResult()
                    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
                    assert [text for _case, text in [*result.failures, *result.errors]] == []
                    assert result.testsRun
                    cases.append(case)
    assert cases


def is_test_case(value: Any, module: ModuleType) -> bool:
    return (
        isinstance(value, type)
        and value.__module__ == module.__name__
        and issubclass(value, unittest.TestCase)
    )


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
    if block.file.endswith("settings.py"):
        brought.add("CHATKIT")
    # What the file of "at its end" has before.
    assert "*INSTALLED_APPS" not in block.code or "INSTALLED_APPS" in brought
    assert {name.id for name in names} - brought - set(dir(builtins)) == set()


@pytest.mark.parametrize("block", blocks_in("python"), ids=str)
def test_python_block_imports_what_is_there(block: Block):
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(("myapp", "shop")):
            module = importlib.import_module(node.module or "")
            for name in [alias.name for alias in node.names if not hasattr(module, alias.name)]:
                importlib.import_module(f"{node.module}.{name}")


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


@pytest.mark.parametrize("page", pages_with("html"))
def test_templates_of_a_page_are_rendered(page: str, project: WrittenProject):
    request = RequestFactory().get("/chat/")
    for block in blocks_of(page, "python", "html"):
        # A page of the admin is one of the staff's.
        is_admin = '"admin/' in block.code
        request.user = User(pk=1, is_staff=True, is_superuser=True) if is_admin else AnonymousUser()
        with blamed_on(block):
            if block.language == "python":
                project.write(block)
            else:
                context = {"has_permission": True, "user": request.user}
                html = engines["django"].from_string(block.code).render(context, request)
                assert "<openai-chatkit" in html or 'id="chatkit-staff"' in html


# Files of servers


class Changes(BaseModel, extra="forbid"):
    """What ``server.changes`` answers."""

    version: int
    thread: Thread
    removed: list[str]


@pytest.mark.parametrize("block", blocks_in("json"), ids=str)
def test_json_block_is_what_the_sdk_reads(block: Block):
    TypeAdapter(ChatKitReq | ThreadStreamEvent | Changes).validate_json(block.code)


@pytest.mark.parametrize("block", blocks_in("nginx"), ids=str)
def test_nginx_block_is_a_configuration(block: Block, tmp_path: Path):
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed.")
    places = "".join(
        f"{name}_temp_path {tmp_path}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {places} {block.code} }}"
    )
    done = subprocess.run([nginx, "-t", "-p", tmp_path, "-c", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


@pytest.mark.parametrize("block", blocks_in("caddy"), ids=str)
def test_caddy_block_is_a_configuration(block: Block, tmp_path: Path):
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("Caddy is not installed.")
    file = tmp_path / "Caddyfile"
    file.write_text(block.code)
    command = [caddy, "validate", "--adapter", "caddyfile", "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
@pytest.mark.parametrize("block", blocks_in("ini"), ids=str)
def test_unit_block_runs_commands_that_there_are(block: Block):
    lines = [line for line in block.code.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"\[\w+\]|[A-Za-z]+=.+", line)] == []
    for line in lines:
        if line.startswith("ExecStart="):
            _python, manage, *arguments = shlex.split(line.partition("=")[2])
            assert manage == "manage.py"
            call_command(*arguments, verbosity=0)


# Commands


COMMANDS = [
    (block, command)
    for block in blocks_in("console")
    if block not in TUTORIAL and (block not in FIRST_SCREEN or "demo" in block.code)
    for command in block.commands
]


PAGES_WITH_COMMANDS = list(dict.fromkeys(block.page for block, command in COMMANDS if command not in NOT_RUN))


@pytest.mark.parametrize("block", blocks_in("console"), ids=str)
def test_console_block_has_nothing_but_commands(block: Block):
    assert [line for line in block.code.splitlines() if not line.startswith("$ ")] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS)
def test_commands_of_a_page_run(page: str, project: WrittenProject, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("builtins.input", lambda prompt: re.search(r"Type (\S+) ", prompt)[1])
    User.objects.create_user("maria")
    ThreadRow.objects.create(public_id="thr_0123456789abcdef", visitor_id="visitor")
    for block, command in COMMANDS:
        if block.page == page and command not in NOT_RUN:
            with blamed_on(block):
                python, manage, *arguments = shlex.split(command)
                assert (python, manage) == ("python", "manage.py")
                if command in OF_POSTGRESQL and connection.vendor != "postgresql":
                    with pytest.raises(CommandError, match="no trigram index"):
                        call_command(*arguments, verbosity=0)
                else:
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
