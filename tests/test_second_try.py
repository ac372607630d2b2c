"""``python -m tests --second-try``, on a little suite that has what fails by chance, and what does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import __main__ as main
from tests.failures import Failure, read_failures

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
    raise AssertionError("something is left")


@pytest.mark.browser
def test_page_that_ends_badly(left_behind):
    pass


@pytest.mark.processes
def test_process_that_ends_badly(left_behind):
    pass
"""


@pytest.fixture
def little_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pytest.ini").write_text(CONFIGURATION)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "test_unreadable.py").write_text("import no_such_module")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr(main, "SUITES", {"sqlite": [], "postgres": []})


@pytest.fixture
def run(little_suite: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Runner:
    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["tests", *arguments])
        code = main.main()
        return code, capfd.readouterr().out

    return run


def suite_of(*failures: Failure, code: int = 1) -> main.Suite:
    suite = main.Suite("sqlite", Path())
    suite.code, suite.failures = code, list(failures)
    return suite


def test_late_test_passes_alone_and_is_named_last(run: Runner) -> None:
    code, told = run("--second-try", "test_it.py::test_late_page")
    assert code == 0
    assert "AssertionError: page was late" in told.partition("=== Once more, alone")[0]
    assert told.endswith(
        "\nFailed once, passed alone:\n"
        "  test_it.py::test_late_page on sqlite\n"
        "  test_it.py::test_late_page on postgres\n"
    )


def test_late_test_fails_where_no_second_try_is_asked_for(run: Runner, tmp_path: Path) -> None:
    code, told = run("--outcome", "outcome", "test_it.py::test_late_page")
    assert code == 1
    outcome = (
        "  test_it.py::test_late_page on sqlite\n"
        "  test_it.py::test_late_page on postgres\n"
        "Failed on sqlite and postgres.\n"
    )
    assert told.endswith(f"\n{outcome}")
    assert (tmp_path / "outcome").read_text() == outcome


def test_outcome_is_empty_where_all_is_well(run: Runner, tmp_path: Path) -> None:
    assert run("--outcome", "outcome", "test_it.py::test_good")[0] == 0
    assert (tmp_path / "outcome").read_text() == ""


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
    "others",
    [
        ["test_it.py::test_not_marked"],
        ["test_it.py::test_late_process"],
    ],
    ids=["what is no chance", "more than three"],
)
def test_late_test_is_not_tried_again_beside(others: list[str], run: Runner) -> None:
    code, told = run("--second-try", "test_it.py::test_late_page", *others)
    assert code == 1
    assert "Once more" not in told
    assert told.endswith(f"\n  {others[-1]} on postgres\nFailed on sqlite and postgres.\n")


def test_worker_tells_what_may_be_tried_again(little_suite: None, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    arguments = ["-p", "tests.failures", "--failures", str(kept), "--continue-on-collection-errors"]
    subprocess.run([sys.executable, "-m", "pytest", "-p", "xdist", "-n", "1", *arguments], check=False)
    told = {failure.test.rpartition("::")[2]: failure.may_be_tried_again for failure in read_failures(kept)}
    assert told == {
        "test_late_page": True,
        "test_late_process": True,
        "test_broken_page": True,
        "test_not_marked": False,
        # Pages tell of their errors when they are closed; what else is found then may be left by another test.
        "test_page_that_ends_badly": True,
        "test_process_that_ends_badly": False,
        "test_unreadable.py": False,
    }


def test_suite_that_was_interrupted_is_not_tried_again() -> None:
    late = Failure("test_it.py::test_late_page", may_be_tried_again=True)
    assert suite_of(late).may_be_tried_again()
    assert not suite_of(late, code=2).may_be_tried_again()


def test_suite_that_does_not_say_what_has_failed_is_not_tried_again() -> None:
    assert not suite_of().may_be_tried_again()


def test_outcome_of_many_failures_is_short() -> None:
    suite = suite_of(*(Failure(f"test_it.py::test_{number}", False) for number in range(50)))
    assert main.outcome([suite], []).splitlines()[14:] == [
        "  test_it.py::test_14 on sqlite",
        "  and 35 more",
        "Failed on sqlite.",
    ]
