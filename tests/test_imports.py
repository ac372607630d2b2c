"""Who may import whom."""

import ast
import graphlib
import importlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import chatkit_app

PACKAGE = Path(chatkit_app.__file__).parent

# The rooms of the package. A room imports only from rows below its own; rooms of one row do not import each other.
ROWS = [
    {"urls", "management", "templatetags", "apps"},
    {"admin"},
    {"views", "checks", "asgi", "receivers", "finders"},
    {"moderation", "routing"},
    {"http"},
    {"runs", "agents"},
    {"server"},
    {"provider"},
    {"testing", "flags"},
    {"live"},
    {"takeover"},
    {"store"},
    {"limits"},
    {"staff"},
    {"models"},
    {"context", "rendering", "offline", "db", "statements"},
    {"process"},
    {"tenants"},
    {"database_context"},
    {"conf", "dotted_paths", "errors", "signals", "logs", "private_names", "storable"},
]
ROW = {room: number for number, rooms in enumerate(ROWS) for room in rooms}

# The way of a message, each step of which is an import.
ARROWS = [
    ("views", "context"),
    ("views", "runs"),
    ("runs", "store"),
    ("agents", "server"),
    ("agents", "provider"),
    ("server", "store"),
    ("store", "db"),
    ("store", "models"),
]


def room_of(path: Path) -> str:
    """The module's name, or the package's for what lies in one of its folders."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def imports_in(tree: ast.AST) -> list[ast.Import | ast.ImportFrom]:
    """All imports but those for type checkers, in functions too."""
    found: list[ast.Import | ast.ImportFrom] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.append(node)
        elif isinstance(node, ast.If) and is_for_types_only(node):
            found += imports_in(ast.Module(node.orelse, []))
        else:
            found += imports_in(node)
    return found


@cache
def imported_names(path: Path) -> set[str]:
    """Absolute dotted names of all modules, and of names in them, that the file imports."""
    package = ("chatkit_app", *path.relative_to(PACKAGE).parent.parts)
    names = set()
    for node in imports_in(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        else:
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


MODULES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if not path.is_relative_to(PACKAGE / "migrations") and path != PACKAGE / "__init__.py"
)
PACKAGES = sorted(path.parent for path in MODULES if path.name == "__init__.py")


def module_name(path: Path) -> str:
    """The dotted name of a module below the package, as ``store.orm``."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def rooms_imported_by(path: Path) -> set[str]:
    own = (name.split(".") for name in imported_names(path) if name.startswith("chatkit_app."))
    return {parts[1] for parts in own} & ROW.keys()


def test_every_module_is_in_a_room():
    assert {room_of(path) for path in MODULES} == set(ROW)


def test_imports_go_in_one_direction():
    assert [
        f"{module_name(path)} imports {other}"
        for path in MODULES
        for other in rooms_imported_by(path) - {room_of(path)}
        if ROW[other] <= ROW[room_of(path)]
    ] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_modules_of_a_package_import_each_other_in_one_direction(package):
    siblings = {module_name(path): path for path in MODULES if path.parent == package}
    siblings.pop(module_name(package / "__init__.py"))
    names = {name: imported_names(path) for name, path in siblings.items()}
    graph = {
        name: {other for other in siblings if f"chatkit_app.{other}" in names[name]} for name in siblings
    }
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("room", ["staff", "runs"])
def test_package_that_is_imported_early_exports_nothing(room):
    assert imports_in(ast.parse((PACKAGE / room / "__init__.py").read_text())) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("agents", "AgentChatKitServer"),
        ("agents", "DjangoAgentContext"),
        ("agents", "stream_agent_response"),
        ("asgi", "get_asgi_application"),
        ("context", "RequestContext"),
        ("errors", "ChatKitError"),
        ("flags", "flag"),
        ("moderation", "set_status"),
        ("offline", "is_offline"),
        ("server", "DjangoChatKitServer"),
        ("signals", "item_added"),
        ("store", "DjangoStore"),
        ("store", "InMemoryStore"),
        ("testing", "ScriptedModel"),
        ("testing", "StoreContract"),
        ("testing", "decode_events"),
        ("urls", "endpoint"),
    ],
)
def test_public_name_is_where_the_documents_say(module, name):
    assert hasattr(importlib.import_module(f"chatkit_app.{module}"), name)


@pytest.mark.parametrize(("importer", "imported"), ARROWS)
def test_arrow_of_the_design_is_an_import(importer, imported):
    files = [path for path in MODULES if room_of(path) == importer]
    assert imported in set().union(*map(rooms_imported_by, files))


def test_imports_for_type_checkers_do_not_count():
    source = "if TYPE_CHECKING:\n    import a\nelse:\n    import b\ndef f():\n    import c"
    assert [node.names[0].name for node in imports_in(ast.parse(source))] == ["b", "c"]


@pytest.mark.parametrize("stranger", ["project", "tests", "pytest", "_pytest"])
def test_package_never_imports_what_does_not_belong_to_it(stranger):
    importers = [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if any(name.split(".")[0] == stranger for name in imported_names(path))
    ]
    assert importers == []


@pytest.mark.parametrize(
    ("place", "unknown"),
    [
        ("conf", ("chatkit_app.models", "django.http")),
        ("models", ("chatkit", "agents", "django.http")),
        ("models.querysets", ("chatkit", "agents", "django.http")),
        ("store.codec", ("django.db",)),
        ("storable", ("chatkit", "django", "pydantic")),
        ("server.wire", ("django.db", "chatkit_app.models")),
        ("db", ("chatkit_app.models", "chatkit_app.store")),
        ("store.orm", ("django.http",)),
        ("store.memory", ("django.http", "chatkit_app.db")),
        ("server", ("django.http",)),
        ("store.attachments", ("django.http",)),
        ("agents.server", ("django.http", "django.db", "chatkit_app.models")),
        ("provider.agent_run", ("django",)),
        ("provider.structured_outputs", ("django.db", "django.http", "chatkit_app.models")),
        ("provider.converter", ("django", "chatkit_app")),
        ("runs", ("django.http",)),
        ("http.sse", ("chatkit_app.models", "django.contrib.auth")),
        ("views", ("chatkit_app.models.querysets",)),
        ("checks", ("django.db.connection",)),
        ("offline", ("chatkit_app.models", "chatkit", "django.http")),
        ("offline.responses", ("django", "chatkit", "chatkit_app")),
    ],
)
def test_place_does_not_know_what_it_must_not_know(place, unknown):
    files = [path for path in MODULES if f"{module_name(path)}.".startswith(f"{place}.")]
    assert files
    names = set().union(*map(imported_names, files))
    known = {name for name in names for other in unknown if name == other or name.startswith(f"{other}.")}
    assert known == set()


def test_importing_the_package_loads_neither_django_nor_the_sdk():
    code = (
        "import sys, chatkit_app; loaded = {name.split('.')[0] for name in sys.modules}; "
        "print(sorted(loaded & {'django', 'chatkit', 'agents', 'openai'}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert result.stdout.strip() == "[]"


CHECKED = """
import sys
import django
from django.core.checks import run_checks

django.setup()
print([message.id for message in run_checks()])
print(sorted({"agents", "chatkit.server", "chatkit.types", "openai", "pydantic", "PIL"} & sys.modules.keys()))
"""


def test_sdk_and_pillow_are_not_loaded_by_start_and_checks():
    """Every command would wait for them, for the SDK for seconds. A site's own server is loaded by its check."""
    result = subprocess.run([sys.executable, "-c", CHECKED], capture_output=True, text=True, check=True)
    ids, loaded = result.stdout.splitlines()
    assert "chatkit.W100" in ids
    assert loaded == "[]"
