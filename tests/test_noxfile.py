"""What ``nox`` hands to pytest."""

from __future__ import annotations

from typing import Any

import pytest

nox = pytest.importorskip("nox")


class Session:
    """Keeps what is run in it."""

    def __init__(self, *posargs: str) -> None:
        self.posargs = list(posargs)
        self.commands: list[tuple[str, ...]] = []

    def install(self, *requirements: str) -> None:
        pass

    def run(self, *command: str) -> None:
        self.commands.append(command)


def measured(*posargs: str) -> tuple[str, ...]:
    """What coverage is measured with, beside what all tests are run with."""
    import noxfile

    session: Any = Session(*posargs)
    noxfile.coverage.func(session)
    (command,) = session.commands
    assert command[: len(noxfile.PYTEST)] == noxfile.PYTEST
    return command[len(noxfile.PYTEST) :]


def test_coverage_of_all_tests_has_a_floor() -> None:
    assert measured() == ("--cov=chatkit_app",)


def test_coverage_of_some_tests_is_that_of_the_package_and_has_no_floor() -> None:
    assert measured("tests/store") == ("--cov=chatkit_app", "--cov-fail-under=0", "tests/store")
