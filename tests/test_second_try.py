"""``python -m tests --second-try``, on a little suite that has what fails by chance, and what does not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import __main__ as main
from tests.failures import Failure

Runner = Callable[..., tuple[int, str]]

ROOT = Path(__file__).parent.parent
CONFIGURATION = """
[pytest]
markers =
    browser
    processes
"""
TESTS = """
import os
from pathlib import Path

import pytest


def fail_once(name):
    seen = Path(__file__).with_name(name + "-" + os.environ["CHATKIT_TEST_DATABASE"])
    if not seen.exists():
        seen.touch()
        raise AssertionError(f"{name} was late")


def test_good():
    pass


@pytest.mark.browser
def test_late_page():
    fail_once("page")


@pytest.mark.processes
def test_late_process():
    fail_once("process")


@pytest.mark.browser
def test_broken_page():
    raise AssertionError("page is broken")


def test_not_marked():
    fail_once("not marked")


@pytest.fixture
def left_behind():
    yield
    fail_once("end")


@pytest.mark.browser
def test_page_that_ends_badly(left_behind):
    pass


@pytest.mark.processes
def test_process_that_ends_badly(left_behind):
    pass


@pytest.mark.browser
@pytest.mark.parametrize("number", range(4))
def test_many_pages(number):
    fail_once(f"page {number}")
"""


@pytest.fixture(autouse=True)
def little_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pytest.ini").write_text(CONFIGURATION)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "test_unreadable.py").write_text("import no_such_module")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # One of them with a worker, which tells the process that keeps the failures.
    monkeypatch.setattr(main, "SUITES", {"sqlite": ["-p", "xdist", "-n", "1"], "postgres": []})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Runner:
    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["tests", *arguments])
        code = main.main()
        return code, capfd.readouterr().out

    return run


@pytest.mark.parametrize("name", ["page", "process"])
def test_late_test_passes_alone_and_is_named_last(name: str, run: Runner) -> None:
    code, told = run("--second-try", f"test_it.py::test_late_{name}")
    assert code == 0
    assert f"AssertionError: {name} was late" in told.partition("=== Once more, alone")[0]
    assert told.endswith(
        "\nFailed once, passed alone:\n"
        f"  test_it.py::test_late_{name} on sqlite\n"
        f"  test_it.py::test_late_{name} on postgres\n"
    )


def test_late_test_fails_where_no_second_try_is_asked_for(run: Runner) -> None:
    code, told = run("test_it.py::test_late_page")
    assert code == 1
    assert told.endswith(
        "\n  test_it.py::test_late_page on sqlite\n"
        "  test_it.py::test_late_page on postgres\n"
        "Failed on sqlite and postgres.\n"
    )


def test_broken_test_fails_twice(run: Runner) -> None:
    code, told = run("--second-try", "test_it.py::test_broken_page")
    assert code == 1
    assert told.count("=== Once more, alone, what has failed on") == 2
    assert told.endswith(
        "\n  test_it.py::test_broken_page on sqlite\n"
        "  test_it.py::test_broken_page on postgres\n"
        "Failed on sqlite and postgres.\n"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        ["test_it.py::test_not_marked"],
        ["test_it.py::test_process_that_ends_badly"],
        ["test_unreadable.py"],
        ["test_it.py::test_many_pages[0]", "test_it.py::test_many_pages[1]"],
    ],
    ids=["not marked", "left by another", "unreadable", "more than three"],
)
def test_what_is_no_chance_is_not_tried_again(wrong: list[str], run: Runner) -> None:
    code, told = run("--second-try", *wrong)
    assert code == 1
    assert "Once more" not in told
    assert told.endswith(f"\n  {wrong[-1]} on postgres\nFailed on sqlite and postgres.\n")


def test_late_test_beside_one_that_is_no_chance_is_not_tried_again(run: Runner) -> None:
    code, told = run("--second-try", "test_it.py::test_late_page", "test_it.py::test_not_marked")
    assert code == 1
    assert "Once more" not in told


def test_page_that_tells_of_an_error_at_its_end_is_tried_again(run: Runner) -> None:
    code, told = run("--second-try", "test_it.py::test_page_that_ends_badly")
    assert code == 0
    assert "  test_it.py::test_page_that_ends_badly on sqlite\n" in told


def test_interrupted_suite_is_not_tried_again(run: Runner) -> None:
    code, told = run("--second-try", "test_it.py::test_late_page", "--no-such-option")
    assert code == 1
    assert told.endswith("\nFailed on sqlite and postgres.\n")


def test_outcome_is_what_was_told_last(run: Runner, tmp_path: Path) -> None:
    _code, told = run("--outcome", "outcome", "test_it.py::test_late_page")
    assert told.endswith(f"\n{(tmp_path / 'outcome').read_text()}")


def test_outcome_is_empty_where_all_is_well(run: Runner, tmp_path: Path) -> None:
    assert run("--outcome", "outcome", "test_it.py::test_good")[0] == 0
    assert (tmp_path / "outcome").read_text() == ""


def test_outcome_of_many_failures_is_short() -> None:
    suite = main.Suite("sqlite", Path())
    suite.code = 1
    suite.failures = [Failure(f"test_it.py::test_{number}", False) for number in range(50)]
    lines = main.outcome([suite], []).splitlines()
    assert lines[14:] == [
        "  test_it.py::test_14 on sqlite",
        "  and 35 more",
        "Failed on sqlite.",
    ]
