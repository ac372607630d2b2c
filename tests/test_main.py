"""``python -m tests``, as far as it starts no tests."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests import __main__ as main


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    commands: list[list[str]] = []

    class Started:
        def __init__(self, command: list[str], *, env: dict[str, str], stdout: Any, stderr: Any) -> None:
            commands.append(command)
            self._database = env["CHATKIT_TEST_DATABASE"]
            if stdout is not None:
                stdout.write(f"Those of {self._database}.".encode())

        def wait(self) -> int:
            return int(f"--fail-on-{self._database}" in commands[0])

    monkeypatch.setattr(main.subprocess, "Popen", Started)
    return commands


@pytest.mark.parametrize("argument", ["-h", "--help"])
def test_help_is_printed_once_and_starts_nothing(argument, started, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tests", argument])
    assert main.main() == 0
    assert capsys.readouterr().out.count("python -m tests``") == 1
    assert started == []


def test_missing_package_is_named_with_what_installs_it(started, monkeypatch, capsys):
    monkeypatch.setattr(main, "find_spec", lambda name: None if name in ("xdist", "psycopg") else object())
    monkeypatch.setattr(sys, "argv", ["tests"])
    assert main.main() == 2
    assert capsys.readouterr().out.startswith(
        'Not installed: xdist, psycopg. pip install --group test -e ".[postgres,redis,demo]"'
    )
    assert started == []


def test_arguments_go_to_both_runs(started, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tests", "-x"])
    assert main.main() == 0
    assert [command[-1] for command in started] == ["-x", "-x"]


def test_what_one_run_says_is_not_mixed_with_the_other(started, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tests"])
    assert main.main() == 0
    assert capsys.readouterr().out.endswith("\n=== Tests on postgres ===\n\nThose of postgres.\n")


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_failure_on_either_database_fails_and_is_named(database, started, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tests", f"--fail-on-{database}"])
    assert main.main() == 1
    assert capsys.readouterr().out.endswith(f"\nFailed on {database}.\n")
    assert len(started) == 2


def test_documented_way_to_install_is_that_of_the_contributing_guide():
    guide = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text()
    assert main.HOW_TO_INSTALL.partition("  #")[0].removeprefix("pip ") in guide
