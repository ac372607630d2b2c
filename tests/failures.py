"""What has failed in a run of the tests: a plugin of pytest that keeps it in the file that ``--failures`` names.

Of each it keeps whether it may be tried once more: a browser, or a process with a port, may be late on a busy machine.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.reports import CollectReport

# What is found after a test may have been left by one before it, which would not be there in a second try. But pages
# tell of their errors when they are closed, and no test has the page of another one.
TRIED_AGAIN = {"browser": ("setup", "call", "teardown"), "processes": ("setup", "call")}


@dataclass(frozen=True)
class Failure:
    """A test that has failed, or a file whose tests could not be read."""

    test: str
    may_be_tried_again: bool


def read_failures(path: Path) -> list[Failure]:
    """Return what a run has kept there, each test once."""
    if not path.exists():
        return []
    tests: dict[str, bool] = {}
    for line in path.read_text().splitlines():
        failure = Failure(**json.loads(line))
        tests[failure.test] = tests.get(failure.test, True) and failure.may_be_tried_again
    return [Failure(test, may_be_tried_again) for test, may_be_tried_again in tests.items()]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--failures", type=Path, help="keep what has failed in this file")


def pytest_configure(config: pytest.Config) -> None:
    # The workers of a run in parallel tell the process that has started them.
    if config.option.failures and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Keeper(config.option.failures))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    report.may_be_tried_again = any(
        report.when in phases and item.get_closest_marker(mark) for mark, phases in TRIED_AGAIN.items()
    )
    return report


class Keeper:
    """Keeps each failure as soon as it is known."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._keep(Failure(report.nodeid, getattr(report, "may_be_tried_again", False)))

    def pytest_collectreport(self, report: CollectReport) -> None:
        if report.failed:
            self._keep(Failure(report.nodeid, may_be_tried_again=False))

    def _keep(self, failure: Failure) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(failure)) + "\n")
