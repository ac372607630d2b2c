"""Python processes that need not import the SDK first: forks of a process that has done that and nothing else.

A server takes three seconds of a processor for it, and the tests start a hundred. What a process starts from is the
same as without it but for those modules: none of Django's settings have been read, and nothing of this app has been
imported. Each kind of server is also started as usual, in ``process/test_shutdown.py`` and ``test_street.py``.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]
# Of daphne what imports most, and not the module that makes an event loop: forks would share it.
PRELOADED = (
    "agents.mcp",
    "chatkit.agents",
    "chatkit.server",
    "django.core.handlers.asgi",
    "django.core.management",
    "django.db.models",
    "django.forms",
    "twisted.internet.asyncioreactor",
    "uvicorn",
)
# Descriptors from here on are nobody's.
FREE = 500
# Of a number that is sent, in bytes.
SIZE = 8


class Fork:
    """A process, with what the tests need of ``subprocess.Popen``. It leads a group of processes of its own."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._line = line

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code. Raises ``subprocess.TimeoutExpired`` when it goes on for longer (seconds)."""
        if self.returncode is None:
            self._line.settimeout(timeout)
            try:
                status = self._line.recv(SIZE)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0) from None
            self._line.close()
            self.returncode = os.waitstatus_to_exitcode(int.from_bytes(status))
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    arguments: list[str],
    *,
    environment: dict[str, str],
    output: IO[Any] | None = None,
    errors: IO[Any] | None = None,
    shared: tuple[int, ...] = (),
    folder: Path = ROOT,
) -> Fork:
    """Start what ``python`` does when it is given these arguments.

    Args:
        arguments: ``-m`` and a module, ``-c`` and code, or a file; and what ``sys.argv`` has besides.
        output: what it writes to, here unless given; ``errors`` likewise.
        shared: descriptors that it has as well, under the same numbers.
        folder: where it is started, the root of the repository unless given.
    """
    ours, its = socket.socketpair()
    streams = [0, 1 if output is None else output.fileno(), 2 if errors is None else errors.fileno()]
    request = json.dumps([arguments, environment, shared, str(folder)]).encode()
    with its:
        socket.send_fds(_parent(), [len(request).to_bytes(SIZE)], [its.fileno(), *streams, *shared])
        _parent().sendall(request)
    return Fork(int.from_bytes(ours.recv(SIZE)), ours)


def run(arguments: list[str], *, environment: dict[str, str]) -> str:
    """Run it to its end. Returns what it has printed; fails unless all went well."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        code = start(arguments, environment=environment, output=output, errors=errors).wait()
        for file in (output, errors):
            file.seek(0)
        assert code == 0, errors.read()
        return output.read()


@cache
def _parent() -> socket.socket:
    """The line to the process that is forked, which ends when it is closed."""
    ours, its = socket.socketpair()
    with its:
        # It has nothing of what the tests have set.
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(its.fileno())],
            cwd=ROOT,
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    atexit.register(_end, ours, process)
    return ours


def _end(line: socket.socket, process: subprocess.Popen[bytes]) -> None:
    line.close()
    process.wait()


# --- In the process that is forked -----------------------------------------------------------------------------------


def wait_for_requests(line: socket.socket) -> list[str]:
    """Fork for each request. Returns in the forks, with what they have to do."""
    while True:
        head, descriptors, _flags, _address = socket.recv_fds(line, SIZE, 16)
        if not head:
            _reap()
            sys.exit()
        request = line.recv(int.from_bytes(head), socket.MSG_WAITALL)
        arguments, environment, shared, folder = json.loads(request)
        watcher = os.fork()
        if watcher == 0:
            _fork_and_watch(socket.socket(fileno=descriptors[0]))
            line.detach()
            _become(environment, dict(zip((0, 1, 2, *shared), descriptors[1:], strict=True)))
            os.chdir(folder)
            return list(arguments)
        for descriptor in descriptors:
            os.close(descriptor)
        _reap()


def _fork_and_watch(line: socket.socket) -> None:
    """Return in a fork. Tell the tests its pid, and how it ends."""
    pid = os.fork()
    if pid == 0:
        line.detach()
        return
    os.setpgid(pid, pid)
    line.sendall(pid.to_bytes(SIZE))
    _pid, status = os.waitpid(pid, 0)
    line.sendall(status.to_bytes(SIZE))
    os._exit(0)


def _reap() -> None:
    """Ask for those who have watched: not whenever one ends, since signals are to be as usual in the forks."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _become(environment: dict[str, str], descriptors: dict[int, int]) -> None:
    moved = {number: fcntl.fcntl(given, fcntl.F_DUPFD, FREE) for number, given in descriptors.items()}
    os.closerange(0, FREE)
    for number, given in moved.items():
        os.dup2(given, number)
        os.close(given)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))


def run_as_python(arguments: list[str]) -> None:
    """What ``python`` does that is given these."""
    first, *rest = arguments
    sys.path[0] = (
        os.getcwd() if first == "-m" else "" if first == "-c" else str(Path(first).absolute().parent)
    )
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(rest[0], {"__name__": "__main__"})
    else:
        sys.argv = arguments
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    for name in PRELOADED:
        importlib.import_module(name)
    from django.conf import settings

    gc.freeze()
    assert not settings.configured
    assert not any(name.startswith(("chatkit_app", "project")) for name in sys.modules)
    assert threading.active_count() == 1
    run_as_python(wait_for_requests(socket.socket(fileno=int(sys.argv[1]))))
