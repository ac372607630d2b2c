"""``python -m tests``, as far as it starts no tests."""

import sys
from pathlib import Path

import pytest

from tests import __main__ as main


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    commands: list[list[str]] = []

    def run(command: list[str], **options: object) -> object:
        commands.append(command)
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(main.subprocess, "run", run)
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


def test_documented_way_to_install_is_that_of_the_readme():
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    assert main.HOW_TO_INSTALL.partition("  #")[0].removeprefix("pip ") in readme
