"""What the browser has to fetch before there is a chat."""

import gzip
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "chatkit_app" / "client"
ELEMENT = STATIC / "element"
IMPORT = re.compile(r'^(?:(?:import|export)\b[^";]*\bfrom |import )"(\..*?)";', re.MULTILINE)

LATER = re.compile(r'\bimport\("(\..*?)"\)')


def imports_of(module: Path) -> set[Path]:
    return {(module.parent / target).resolve() for target in IMPORT.findall(module.read_text())}


def graph_of(entry: Path) -> dict[Path, set[Path]]:
    """The modules that an entry needs, each with those that it imports."""
    graph: dict[Path, set[Path]] = {}
    waiting = [entry]
    while waiting:
        module = waiting.pop()
        if module not in graph:
            graph[module] = imports_of(module)
            waiting += graph[module]
    return graph


LIMIT = 168_500
"""Bytes of all modules, gzipped as one: how many they are makes no difference. What browsers fetch, the bundle, has
budgets of its own (``tests/rendering/test_bundle.py``). It rises for what people miss."""


def test_element_does_not_grow():
    modules = {path: path.read_bytes() for path in sorted(ELEMENT.rglob("*.js"))}
    largest = sorted(((len(code), path.name) for path, code in modules.items()), reverse=True)
    assert len(gzip.compress(b"".join(modules.values()), 9)) <= LIMIT, largest


def test_element_has_no_module_without_a_use():
    graph = graph_of(ELEMENT / "index.js")
    # The entry names them all, whoever uses them; all it uses itself is the class.
    graph[ELEMENT / "index.js"] = {ELEMENT / "chatkit-element.js"}
    parts = ELEMENT / "parts.js"
    graph[parts] = {(ELEMENT / target).resolve() for target in LATER.findall(parts.read_text())}
    unused = set(ELEMENT.rglob("*.js")) - set().union(*graph.values()) - {ELEMENT / "index.js"}
    assert sorted(str(module.relative_to(ELEMENT)) for module in unused) == []


def test_modules_import_each_other_in_no_circle():
    left = {module.resolve(): imports_of(module) for module in STATIC.rglob("*.js")}
    while done := {module for module, targets in left.items() if not targets & left.keys()}:
        left = {module: targets for module, targets in left.items() if module not in done}
    assert sorted(str(module.relative_to(STATIC)) for module in left) == []


@pytest.mark.parametrize(
    "entry", [STATIC / "bootstrap.js", ELEMENT / "index.js"], ids=lambda entry: entry.name
)
def test_entry_names_all_its_modules_so_that_they_are_fetched_at_once(entry):
    graph = graph_of(entry)
    unnamed = graph.keys() - graph[entry] - {entry}
    assert sorted(f'import "./{module.relative_to(entry.parent)}";' for module in unnamed) == []
