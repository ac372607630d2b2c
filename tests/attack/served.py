"""A site under each of the servers that people have, in processes of their own on the database of the tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests import forks
from tests.runs.test_processes import process_environment

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0

COMMANDS = {
    "uvicorn": "-m uvicorn --port {port} --log-level warning {application}",
    "daphne": "-m daphne -v 0 -p {port} {application}",
    "hypercorn": "-m hypercorn -b 127.0.0.1:{port} {application}",
    "gunicorn": "-m gunicorn -k uvicorn_worker.UvicornWorker -b 127.0.0.1:{port} --log-level warning {application}",
    "granian": "-m granian --interface asgi --port {port} --log-level warning {application}",
    "runserver": "manage.py runserver --noreload --skip-checks {port}",
    "runserver with reloader": "manage.py runserver --skip-checks {port}",
}
DJANGOS = "tests.asgi:application"
OURS = "tests.attack.asgi:application"
# uvicorn ends as the signal would have ended it.
EXIT_CODES = {"uvicorn": -signal.SIGTERM}


class Served:
    """A site under one server.

    Args:
        server: one of ``COMMANDS``.
        port: where to listen; a free one unless given.
        root: the folder of the code, for one that is not this.
        is_forked: whether it need not import the SDK first, as it would if it were started as usual.
        keys: what ``CHATKIT`` has.
    """

    def __init__(
        self,
        server: str,
        application: str = DJANGOS,
        *,
        port: int = 0,
        root: Path = ROOT,
        is_forked: bool = False,
        **keys: Any,
    ) -> None:
        self.server = server
        self.port = port or free_port()
        self.log = tempfile.TemporaryFile()  # noqa: SIM115
        command = COMMANDS[server].format(port=self.port, application=application).split()
        environment = process_environment(**keys) | {
            "PYTHONPATH": str(root),
            "CHATKIT_PROCESS_ASGI": application.replace(":", "."),
        }
        self.process: subprocess.Popen[bytes] | forks.Fork
        if is_forked:
            self.process = forks.start(command, environment=environment, output=self.log, errors=self.log)
            return
        # In a group of its own: servers have workers, which outlive their master when it is killed.
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", *command],
            env=environment,
            cwd=root,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def wait(self) -> None:
        """Return when it can be connected to."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def terminate(self) -> None:
        """What a deployment does: ask it to end. The reloader's own process would kill the server at once."""
        pid = self.process.pid
        if self.server == "runserver with reloader":
            pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        os.kill(pid, signal.SIGTERM)

    def ended(self, patience: float = 20.0) -> int | None:
        """The exit code; None when it goes on for longer than that."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def output(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
