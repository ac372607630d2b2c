"""A reader who follows a page's blocks to the letter, in an empty folder: a project of their own, and its server."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests import forks
from tests.attack.served import free_port

from .blocks import Block

PATIENCE = 60.0
MANAGE = "python manage.py "
SERVE = f"{MANAGE}runserver"
# What the tests themselves run in stands for the first two.
DONE = {"python3 -m venv venv && source venv/bin/activate", "pip install ./django-openai-chatkit", SERVE}


class Reader:
    """Follows the blocks from the first to the last, as a shell and an editor do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {"PATH": path, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        self.environment["DJANGO_SUPERUSER_PASSWORD"] = "a-long-password"
        self.output = folder / "output"
        self.servers: list[subprocess.Popen[bytes]] = []

    def follow(self, blocks: list[Block], *, until: str = "") -> None:
        """Do what the blocks say, up to a command; no server is started."""
        for block in blocks:
            if block.language == "console":
                for command in block.commands:
                    if command == until:
                        return
                    if command not in DONE:
                        self.run(command)
            elif block.language == "python":
                self.write(block.file, block.code)

    def run(self, command: str) -> str:
        """Carry it out. Returns what it has printed; fails unless all went well."""
        if command.startswith(MANAGE):
            return self.manage(command)
        shell = f"set -e; {command}; pwd > {self.folder}/place"
        done = subprocess.run(
            ["bash", "-c", shell],
            cwd=self.place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def manage(self, command: str) -> str:
        """Carry out one of Django's commands, in a process that need not import the SDK first."""
        arguments = shlex.split(command.removeprefix("python "))
        with tempfile.TemporaryFile("w+") as output:
            code = forks.start(
                arguments, environment=self.environment, output=output, errors=output, folder=self.place
            ).wait()
            output.seek(0)
            printed = output.read()
        assert code == 0, f"{command}: {printed}"
        return printed

    @property
    def place(self) -> Path:
        """Where the last command has gone to."""
        place = self.folder / "place"
        return Path(place.read_text().strip()) if place.exists() else self.folder

    def write(self, name: str, code: str) -> None:
        file = self.place / name
        assert file.parent.is_dir()
        is_added = ", at its end" in code.partition("\n")[0]
        file.write_text(f"{file.read_text()}\n{code}" if is_added else code)

    def serve(self, command: str) -> int:
        """Start a server by a command that takes the port at its end; return the port once it answers."""
        port = free_port()
        self.port = self.port or port
        with self.output.open("wb") as output:
            server = subprocess.Popen(
                ["bash", "-c", f"exec {command} {port}"],
                cwd=self.place,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.servers.append(server)
        deadline = time.monotonic() + 2 * PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/chatkit/health", timeout=PATIENCE).close()
                return port
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, self.output.read_text()
                assert time.monotonic() < deadline, self.output.read_text()
                time.sleep(0.1)

    def leave(self) -> None:
        for server in self.servers:
            # runserver's reloader, and the server that it has started.
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(PATIENCE)
            finally:
                if server.poll() is None:
                    os.killpg(server.pid, signal.SIGKILL)
