"""The names of other packages that nobody has promised us are still where the app looks for them."""

import ast
import importlib
import inspect
import io
import pkgutil
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from agents import RunContextWrapper
from chatkit.agents import AgentContext
from chatkit.types import ThreadMetadata
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.handlers.asgi import ASGIRequest
from django.core.management.base import OutputWrapper
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.module_loading import import_string

import chatkit_app
from chatkit_app.private_names import OVERRIDDEN, USED
from chatkit_app.store.memory import InMemoryStore

PACKAGE = Path(chatkit_app.__file__).parent
# Documented by Django or by Python, the underscore notwithstanding.
DOCUMENTED = {"_meta", "_default_manager", "_base_manager", "_replace"}


def agent_context() -> AgentContext[Any]:
    thread = ThreadMetadata.model_validate({"id": "thr_1", "created_at": "2026-01-01T00:00:00Z"})
    return AgentContext(thread=thread, store=InMemoryStore(), request_context=RunContextWrapper(None))


def loaded_session() -> SessionStore:
    session = SessionStore()
    session.get("a")
    return session


# For names that only instances have.
INSTANCES: dict[str, Callable[[], Any]] = {
    "chatkit.agents.AgentContext": agent_context,
    "concurrent.futures.ThreadPoolExecutor": ThreadPoolExecutor,
    "django.contrib.sessions.backends.base.SessionBase": lambda: loaded_session(),
    "django.core.handlers.asgi.ASGIRequest": lambda: ASGIRequest(
        {"type": "http", "method": "GET", "path": "/", "headers": []}, io.BytesIO()
    ),
    "django.core.management.base.OutputWrapper": lambda: OutputWrapper(io.StringIO()),
    "django.db.models.Model": lambda: get_user_model()(),
    "django.db.models.QuerySet": QuerySet,
    "django.http.StreamingHttpResponse": StreamingHttpResponse,
}


def owner(dotted: str) -> Any:
    try:
        return importlib.import_module(dotted)
    except ModuleNotFoundError:
        return import_string(dotted)


def modules() -> list[Any]:
    found = pkgutil.walk_packages(chatkit_app.__path__, "chatkit_app.")
    # Tasks are Django 6's.
    names = [module.name for module in found if not module.name.endswith(".tasks")]
    return [importlib.import_module(name) for name in names if "migrations" not in name]


@pytest.mark.parametrize("dotted", USED)
def test_used_names_are_there(dotted: str):
    there = INSTANCES[dotted]() if dotted in INSTANCES else owner(dotted)
    assert [name for name in USED[dotted] if not hasattr(there, name)] == []


@pytest.mark.parametrize("dotted", OVERRIDDEN)
def test_overridden_names_are_there(dotted: str):
    there = vars(owner(dotted))
    assert [name for name in OVERRIDDEN[dotted] if not callable(there.get(name))] == []


def test_every_override_of_a_private_name_is_listed():
    overridden = set()
    for module in modules():
        for kind in vars(module).values():
            if not inspect.isclass(kind) or kind.__module__ != module.__name__:
                continue
            for name, value in vars(kind).items():
                bases = [base for base in kind.__mro__[1:] if name in vars(base)]
                is_method = inspect.isfunction(value) and re.fullmatch(r"_[a-z_]*[a-z]", name)
                if is_method and bases and not bases[-1].__module__.startswith("chatkit_app"):
                    overridden.add(name)
    assert overridden == {name for names in OVERRIDDEN.values() for name in names}


def test_every_private_name_of_others_is_listed():
    found = {str(path.relative_to(PACKAGE)): private_names_of_others(path) for path in PACKAGE.rglob("*.py")}
    listed = {name for table in (USED, OVERRIDDEN) for names in table.values() for name in names}
    # "_" is gettext's.
    known = listed | DOCUMENTED | {"_"}
    assert {path: names - known for path, names in found.items() if names - known} == {}
    assert len(set().union(*found.values())) > 20


def private_names_of_others(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    own = {"_" + node.name for node in nodes if isinstance(node, ast.ClassDef)}
    used = set()
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            is_on_self = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
            (own if is_on_self and isinstance(node.ctx, ast.Store) else used).add(node.attr)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            used |= {
                alias.name
                for alias in node.names
                if alias.name.startswith("_") and node.module != "__future__"
            }
    return used - own
