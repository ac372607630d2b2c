"""Who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import chatkit_app

PACKAGE = Path(chatkit_app.__file__).parent

# The way of a message, from the browser to the database. A module imports only from lines below its own;
# modules of one line do not import each other.
LAYERS = [
    {"apps", "asgi", "urls", "testing"},
    {"upload_views"},
    {"views", "admin"},
    {"file_response"},
    {"checks", "finders", "rendering", "replay", "store_contract", "receivers"},
    {"moderation", "redaction", "erasure", "exports", "orphans"},
    {"sse"},
    {"runs"},
    {"live_run"},
    {"growing_frames"},
    {"run_rows"},
    {"agents"},
    {"server"},
    {"agent_runner", "handoffs", "mcp_servers"},
    {"agent_graph", "agent_setting", "client_tools", "offline", "agent_run", "approvals", "converter"},
    {"responses_api", "local_model"},
    {"answer", "endings", "responses"},
    {"structured_outputs"},
    {"model_events"},
    {"generated_images"},
    {"store", "titles", "attachments", "tracing"},
    {"memory_store"},
    {"claims", "owned_store", "sample_items", "export_formats"},
    {"codec", "flags", "casework", "counters"},
    {"limits"},
    {"scope", "audit", "tallies", "search_index"},
    {"models"},
    {"querysets"},
    {"context"},
    {"bounded_body", "db", "shutdown"},
    {"unserved", "login"},
    {"threads", "tenants", "request_body", "pictures", "file_types", "stored_files"},
    {"database_context"},
    {"address"},
    {
        "errors",
        "conf",
        "signals",
        "frames",
        "element_strings",
        "citations",
        "private_names",
        "client_files",
        "process",
    },
]
LEVEL = {module: level for level, modules in enumerate(LAYERS) for module in modules}

# The arrows of the design, each of which is an import.
ARROWS = [
    ("views", "context"),
    ("views", "runs"),
    ("runs", "live_run"),
    ("runs", "owned_store"),
    ("live_run", "run_rows"),
    ("agents", "server"),
    ("agents", "agent_run"),
    ("agents", "converter"),
    ("server", "store"),
    ("server", "attachments"),
    ("upload_views", "attachments"),
    ("store", "codec"),
    ("store", "db"),
    ("codec", "models"),
    ("models", "querysets"),
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
LAYERED = [path for path in MODULES if room_of(path) in LEVEL]


def rooms_imported_by(path: Path) -> set[str]:
    own = (name.split(".") for name in imported_names(path) if name.startswith("chatkit_app."))
    return {parts[1] for parts in own} & LEVEL.keys()


def test_every_module_has_its_layer():
    outside = {"management", "templatetags", "consumers", "routing"}
    assert {room_of(path) for path in MODULES} - outside == set(LEVEL)


@pytest.mark.parametrize("path", LAYERED, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_in_one_direction(path):
    room = room_of(path)
    back = {other for other in rooms_imported_by(path) - {room} if LEVEL[other] <= LEVEL[room]}
    assert back == set()


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
    ("room", "unknown"),
    [
        ("conf", ("chatkit_app.models", "django.http")),
        ("models", ("chatkit", "agents", "django.http")),
        ("querysets", ("chatkit", "agents", "django.http")),
        ("codec", ("django.db",)),
        ("db", ("chatkit_app.models", "chatkit_app.store")),
        ("store", ("django.http",)),
        ("memory_store", ("django.http", "chatkit_app.db")),
        ("server", ("django.http",)),
        ("attachments", ("django.http",)),
        ("agents", ("django.http", "django.db", "chatkit_app.models")),
        ("agent_run", ("django",)),
        ("structured_outputs", ("django.db", "django.http", "chatkit_app.models")),
        ("converter", ("django", "chatkit_app")),
        ("runs", ("django.http",)),
        ("sse", ("chatkit_app.models", "django.contrib.auth")),
        ("views", ("chatkit_app.querysets",)),
        ("checks", ("django.db.connection",)),
        ("offline", ("chatkit_app.models", "chatkit", "django.http")),
        ("responses", ("django", "chatkit", "chatkit_app")),
    ],
)
def test_module_does_not_know_what_it_must_not_know(room, unknown):
    files = [path for path in MODULES if room_of(path) == room]
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
