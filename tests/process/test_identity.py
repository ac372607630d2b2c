"""A process is dead for others only when that is certain."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatkit_app.process import identity
from chatkit_app.process.identity import current_process, find_dead

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/ns/pid").is_symlink(), reason="needs Linux"),
    pytest.mark.processes,
]

TELL_AND_WAIT = (
    "from chatkit_app.process.identity import current_process; print(current_process(), flush=True); input()"
)


class Child:
    """A process that has told its name, and lives."""

    def __init__(self, code: str = TELL_AND_WAIT) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.popen.stdout is not None
        self.name = self.popen.stdout.readline().strip()

    def kill(self) -> None:
        """End it, without asking how it ended."""
        self.popen.kill()
        # As wait() does, but the process stays what it is until then: a zombie.
        os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOWAIT)


@pytest.fixture(autouse=True)
def name_is_not_known_yet() -> Iterator[None]:
    """What a process has found out about itself once is not what a test makes of its system."""
    identity._name.cache_clear()
    yield
    identity._name.cache_clear()


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.popen.kill()
    child.popen.communicate()


@pytest.fixture
def dead(child: Child) -> str:
    """The name of a process that was killed and is gone."""
    child.kill()
    child.popen.wait()
    return child.name


def renamed(name: str, **others: str) -> str:
    """The name with other parts in it."""
    parts = dict(
        zip(("host", "boot", "pids", "times", "pid", "start_time"), name.rsplit(" ", 5), strict=True)
    )
    return " ".join((parts | others).values())


def test_killed_process_is_dead(dead):
    assert find_dead([dead]) == {dead}


def test_killed_process_that_its_parent_has_not_asked_for_is_dead(child):
    child.kill()
    assert find_dead([child.name]) == {child.name}


def test_living_processes_are_not_dead(child):
    assert find_dead([current_process(), child.name]) == set()


def test_dead_one_is_found_among_others(child, dead):
    assert find_dead(["", current_process(), dead]) == {dead}


def test_process_whose_main_thread_has_ended_is_not_dead():
    """Such a one looks like one that has ended, but for its number of threads."""
    code = (
        "import ctypes, threading; from chatkit_app.process.identity import current_process;"
        "threading.Thread(target=lambda: (main.join(0.2), print(current_process(), flush=True), input())).start();"
        "ctypes.CDLL(None).pthread_exit(None)"
    ).replace("main.join", "threading.main_thread().join")
    child = Child(code)
    try:
        assert Path(f"/proc/{child.popen.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        assert find_dead([child.name]) == set()
    finally:
        child.popen.kill()
        child.popen.communicate()


def test_pid_of_a_dead_process_that_another_has_now_is_no_heartbeat():
    reused = renamed(current_process(), start_time="1")
    assert find_dead([reused]) == {reused}


@pytest.mark.parametrize("part", ["host", "boot", "pids", "times"])
def test_process_elsewhere_is_not_known_to_be_dead(part, dead):
    assert find_dead([renamed(dead, **{part: "another"})]) == set()


@pytest.mark.parametrize("part", ["host", "boot", "pids", "times"])
def test_pid_that_another_process_has_here_says_nothing_of_elsewhere(part):
    assert find_dead([renamed(current_process(), start_time="1", **{part: "another"})]) == set()


def test_process_of_somebody_else_that_is_hidden_is_not_known_to_be_dead(dead, monkeypatch):
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert find_dead([dead]) == set()


def test_process_of_somebody_else_that_has_the_pid_now_is_no_heartbeat():
    """No signal may be sent to the first process by anybody but root; of its start everybody may know."""
    first = renamed(current_process(), pid="1", start_time="1000000000")
    assert find_dead([first]) == {first}


def test_without_proc_a_process_has_no_name_and_nothing_is_known(dead, monkeypatch, tmp_path):
    monkeypatch.setattr(identity, "PROC", tmp_path)
    assert current_process() == ""
    assert find_dead([dead, ""]) == set()


def test_proc_of_another_namespace_is_as_good_as_none(dead, monkeypatch, tmp_path):
    """What ``unshare --pid`` leaves behind: the pids in there are not those that we know."""
    (tmp_path / "self").symlink_to("1")
    for name in ("sys", str(os.getpid()), "1"):
        (tmp_path / name).symlink_to(f"/proc/{name}")
    monkeypatch.setattr(identity, "PROC", tmp_path)
    assert current_process() == ""
    assert find_dead([dead]) == set()


def test_linux_without_time_namespaces_names_processes_too(monkeypatch):
    known = os.readlink

    def readlink(path: Path) -> str:
        if str(path).endswith("/time"):
            raise FileNotFoundError
        return known(path)

    monkeypatch.setattr(os, "readlink", readlink)
    reused = renamed(current_process(), start_time="1")
    assert find_dead([current_process(), reused]) == {reused}
