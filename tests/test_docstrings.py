"""How the package's docstrings are written."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import chatkit_app

PACKAGE = Path(chatkit_app.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
QUESTIONS = {"How", "What", "When", "Where", "Whether", "Which", "Who", "Whom", "Whose", "Why"}
# And other words that begin a noun phrase, and no command.
PRONOUNS = {
    "All",
    "Each",
    "Every",
    "One",
    "Other",
    "Some",
    "Something",
    "That",
    "These",
    "They",
    "This",
    "Those",
}
NO_VERBS = QUESTIONS | PRONOUNS | {"A", "An", "As", "At", "For", "From", "Ids", "In", "Like", "The"}

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def definitions(path: Path) -> Iterator[Definition]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Definition):
            yield node


def is_attribute(node: Definition) -> bool:
    """Whether it is read like one, as a property is: then its docstring may say what it is."""
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def first_word(node: Definition) -> str:
    return (ast.get_docstring(node) or "-").split()[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_docstring_of_a_function_is_a_command(path):
    functions = [
        node for node in definitions(path) if not isinstance(node, ast.ClassDef) and not is_attribute(node)
    ]
    assert [f"{node.name}: {first_word(node)}" for node in functions if first_word(node) in NO_VERBS] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_docstring_of_a_module_or_class_is_no_question(path):
    module = ast.parse(path.read_text())
    words = {
        f"{node.name}: {first_word(node)}" for node in definitions(path) if isinstance(node, ast.ClassDef)
    }
    words.add(f"the module: {(ast.get_docstring(module) or '-').split()[0]}")
    assert {word for word in words if word.split(": ")[1] in QUESTIONS} == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_function_of_a_module_has_a_docstring(path):
    functions = [
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    ]
    assert [node.name for node in functions if not ast.get_docstring(node)] == []
