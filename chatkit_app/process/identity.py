"""The process that makes an answer, under a name by which others on its machine can see that it has died.

A process that is killed says nothing. That its heartbeats stay away is certain only after some seconds; Linux
knows it at once. Anywhere else, and of other machines, nothing is known here, and the heartbeats decide.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PROC = Path("/proc")


def current_process() -> str:
    """Return the name of this process, which no other has or will have; empty where the system does not tell enough."""
    return _name(os.getpid(), PROC)


@cache
def _name(pid: int, proc: Path) -> str:
    # Kept, as a process has one name; a fork of it has another pid.
    machine, stat = _machine(), _stat(pid)
    return f"{machine} {pid} {_start_time(stat)}" if machine and stat else ""


def find_dead(names: Iterable[str]) -> set[str]:
    """Return those of the processes with these names that are dead for certain.

    One of another machine never is, nor one in another container, whose processes cannot be seen from here.
    """
    return {name for name in names if name and _is_dead(name)}


def _is_dead(name: str) -> bool:
    machine, pid, start_time = name.rsplit(" ", 2)
    if machine != _machine():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it is there, and somebody else's
    stat = _stat(int(pid))
    # Without it the process is hidden from us, or has died just now.
    return bool(stat) and (_start_time(stat) != start_time or _is_zombie(stat))


def _machine() -> str:
    """Return a name of the place where a pid and a start time mean one process; empty where that cannot be said.

    Containers may have the same host name, and machines too, but not with the same boot and the same pids. Another
    time namespace has other start times.
    """
    try:
        if os.readlink(PROC / "self") != str(os.getpid()):
            return ""  # the /proc of another pid namespace
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        pids = os.readlink(PROC / "self/ns/pid")
    except OSError:
        return ""
    try:
        times = os.readlink(PROC / "self/ns/time")
    except OSError:
        times = ""  # a Linux that has no such namespaces yet
    return f"{socket.gethostname()} {boot} {pids} {times}"


def _stat(pid: int) -> list[str]:
    """Return the fields of ``/proc/<pid>/stat`` behind the command's name, which may contain anything; see proc(5)."""
    try:
        return (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _start_time(stat: list[str]) -> str:
    return stat[19]


def _is_zombie(stat: list[str]) -> bool:
    """Return whether it has ended, all threads of it, and its parent has not asked for it yet."""
    state, threads = stat[0], int(stat[17])
    return state in "ZX" and threads <= 1
