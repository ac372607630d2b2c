"""How the package's docstrings are written."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import chatkit_app

PACKAGE = Path(chatkit_app.__file__).parent
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


@cache
def modules() -> dict[str, ast.Module]:
    """All modules by their path. Not read at import, which each process of the tests does."""
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))
    }


def definitions() -> Iterator[tuple[str, Definition]]:
    """All classes and functions, each with the path of its module."""
    for path, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, Definition):
                yield path, node


def is_attribute(node: Definition) -> bool:
    """Whether it is read like one, as a property is: then its docstring may say what it is."""
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def first_word(node: Definition | ast.Module) -> str:
    return (ast.get_docstring(node) or "-").split()[0]


def test_there_are_modules_to_look_at():
    assert {"conf.py", "store/orm.py"} <= modules().keys()


def test_docstring_of_a_function_is_a_command():
    assert [
        f"{path}: {node.name}: {first_word(node)}"
        for path, node in definitions()
        if not isinstance(node, ast.ClassDef) and not is_attribute(node) and first_word(node) in NO_VERBS
    ] == []


def test_docstring_of_a_module_is_no_question():
    assert [path for path, module in modules().items() if first_word(module) in QUESTIONS] == []


def test_docstring_of_a_class_is_no_question():
    assert [
        f"{path}: {node.name}"
        for path, node in definitions()
        if isinstance(node, ast.ClassDef) and first_word(node) in QUESTIONS
    ] == []


def test_public_function_of_a_module_has_a_docstring():
    assert [
        f"{path}: {node.name}"
        for path, module in modules().items()
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ] == []
