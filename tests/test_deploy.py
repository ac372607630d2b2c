"""The files of deploy/: nginx runs the site, the command of the unit the servers, on the database of the tests."""

from __future__ import annotations

import ast
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils.crypto import get_random_string
from websockets.sync.client import connect

from chatkit_app.conf import ATTACHMENT_DEFAULTS
from tests.attack.served import free_port
from tests.sites.processes import PATIENCE, Database, Visitor, texts_of

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
TEMPLATE = (DEPLOY / "nginx.conf.template").read_text()
UNIT = (DEPLOY / "chatkit@.service").read_text()
IS_POSTGRES = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
pytestmark = pytest.mark.processes

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr error; events {{}}
http {{
  access_log off; include /etc/nginx/mime.types;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  include {folder}/site.conf;
}}
"""


MAKE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
"""


def of_unit(name: str) -> str:
    (value,) = re.findall(rf"^{name}=(.*)$", UNIT, re.M)
    return str(value)


class Deployed:
    """The site as the files of deploy/ have it: two servers by the unit's command line, and nginx.

    On a PostgreSQL database of its own, and with Redis where it is installed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = [free_port(), free_port()]
        self.front = free_port()
        self.processes: dict[Any, subprocess.Popen[bytes]] = {}
        place = dict(part.split("=", 1) for part in shlex.split(of_unit("Environment")))
        self.database = Database("chatkit_deploy")
        given = settings.DATABASES["default"]
        host = given["HOST"].replace("/", "%2F")
        url = f"postgres://{given['USER']}:{given['PASSWORD']}@{host}:{given['PORT']}/{self.database.name}"
        self.environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.environment |= place | {
            "SECRET_KEY": get_random_string(50),
            "ALLOWED_HOSTS": "chat.example.com",
            "DATABASE_URL": url,
            "MEDIA_ROOT": str(folder / "media"),
            "STATIC_ROOT": str(folder / "static"),
        }
        if shutil.which("redis-server"):
            port = free_port()
            self.processes["redis"] = subprocess.Popen(
                ["redis-server", "--port", str(port), "--save", "", "--loglevel", "warning"], cwd=folder
            )
            self.environment["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"

    def command(self, name: str, port: int) -> list[str]:
        """A command of the unit, for the instance on this port, with the Python of the tests."""
        first, *rest = shlex.split(of_unit(name).replace("%i", str(port)))
        assert first == "/srv/chatkit/venv/bin/python"
        return [sys.executable, *rest]

    def start(self) -> None:
        self.run([sys.executable, "-c", MAKE])
        for port in self.ports:
            self.start_server(port)
        for port in self.ports:
            self.run(self.command("ExecStartPost", port))
        (places,) = re.findall(r"CHATKIT_SERVERS +(server .*)", TEMPLATE)
        for documented, port in zip((8001, 8002), self.ports, strict=True):
            places = places.replace(str(documented), str(port))
        site = string.Template(TEMPLATE).safe_substitute(
            CHATKIT_SERVERS=places,
            CHATKIT_LISTEN=f"127.0.0.1:{self.front}",
            CHATKIT_HOST="chat.example.com",
            CHATKIT_ROOT=str(self.folder),
        )
        (self.folder / "site.conf").write_text(site)
        config = self.folder / "nginx.conf"
        config.write_text(NGINX.format(folder=self.folder))
        checked = ["nginx", "-e", "stderr", "-p", str(self.folder), "-c", str(config)]
        self.run([*checked, "-t", "-q"])
        self.processes["nginx"] = subprocess.Popen(checked)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.ask("GET", "/chatkit/health")
                return
            except ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def run(self, command: list[str]) -> None:
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    def start_server(self, port: int) -> None:
        self.processes[port] = subprocess.Popen(
            self.command("ExecStart", port), cwd=ROOT, env=self.environment
        )

    def restart(self, port: int) -> int:
        """As systemd does it. Returns how the old process has ended."""
        self.processes[port].send_signal(signal.SIGTERM)
        ended = self.processes[port].wait(float(of_unit("TimeoutStopSec")))
        self.start_server(port)
        self.run(self.command("ExecStartPost", port))
        return ended

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.front, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {"Host": "chat.example.com"} | headers)
            response = connection.getresponse()
            response.read()
            return response
        finally:
            connection.close()

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.database.drop()


@pytest.fixture(scope="module")
def site() -> Iterator[Deployed]:
    if shutil.which("nginx") is None:
        assert os.environ.get("CI") != "true"
        pytest.skip("nginx is not installed.")
    with tempfile.TemporaryDirectory(prefix="chatkit-deploy-") as folder:
        Path(folder).chmod(0o755)  # nginx has a user of its own where root starts it
        site = Deployed(Path(folder))
        try:
            site.start()
            yield site
        finally:
            site.stop()


@pytest.fixture
def visitor(site: Deployed) -> Iterator[Visitor]:
    visitor = Visitor(site.front, "chat.example.com")
    yield visitor
    visitor.close()


@pytest.mark.postgres
@pytest.mark.skipif(not IS_POSTGRES, reason="With CHATKIT_TEST_DATABASE=postgres.")
class TestSite:
    def test_page_and_its_files_are_served(self, site, visitor):
        page = visitor.get("/").body.decode()
        files = re.findall(r'(?:src|href)="(/static/\S+?\.(?:js|css))"', page)
        assert any("/chatkit_app/" in file for file in files)
        answers = {file: site.ask("GET", file) for file in files}
        assert {answer.status for answer in answers.values()} == {200}
        kept = {
            file: "max-age=315360000" in str(answer.headers["Cache-Control"])
            for file, answer in answers.items()
        }
        assert kept == {file: "/static/chatkit_app/" in file for file in files}

    def test_answer_is_streamed_as_it_is_made(self, visitor):
        answer = visitor.say("Show me a long answer").until("thread.item.updated")
        assert answer.body.count(b"thread.item.done") == 1  # the user's message
        visitor.ask("POST", f"/chatkit/runs/{answer.run_id}/stop").rest()
        assert texts_of(answer.rest()) != []

    def test_page_hears_through_nginx_what_is_new(self, site, visitor):
        answer = visitor.say("Hello").rest()
        thread_id = next(event["thread"]["id"] for event in answer.events() if "thread" in event)
        with connect(
            "ws://chat.example.com/ws/chatkit/?endpoint=/chatkit",
            sock=socket.create_connection(("127.0.0.1", site.front)),
            additional_headers={
                "Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
            },
            origin="http://chat.example.com",
            open_timeout=PATIENCE,
        ) as page:
            page.send(json.dumps({"follow": thread_id, "after": 0}))
            told = json.loads(page.recv(timeout=PATIENCE))
            assert (told["type"], told["thread"]) == ("changed", thread_id)

    def test_upload_may_be_as_large_as_the_app_takes_it(self, visitor):
        limit = ATTACHMENT_DEFAULTS["MAX_SIZE"]
        assert visitor.upload("a.txt", "text/plain", b"x" * limit).status == 200
        beyond = visitor.upload("a.txt", "text/plain", b"x" * (limit + 1))
        assert json.loads(beyond.body)["message"]
        with pytest.raises((ConnectionError, AssertionError)):  # nginx hangs up while it is sent more
            assert visitor.upload("a.txt", "text/plain", b"x" * (limit + 64 * 1024 + 1)).status != 413

    def test_django_knows_the_visitor_and_the_host(self, site):
        assert site.ask("GET", "/chatkit/health").status == 200
        assert site.ask("HEAD", "/chatkit/health").status == 200
        answer = site.ask("GET", "/", Host="evil.example.com")
        assert answer.status == 400

    def test_both_servers_are_restarted_without_a_pause(self, site):
        seen: list[int] = []
        done = threading.Event()

        def look() -> None:
            while not done.is_set():
                seen.append(site.ask("GET", "/").status)
                time.sleep(0.02)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            ended = [site.restart(port) for port in site.ports]
        finally:
            done.set()
            looking.join()
        assert ended == [-signal.SIGTERM] * 2
        assert set(seen) == {200}


# What the files say


def test_limit_of_nginx_is_the_apps():
    (limit,) = re.findall(r"client_max_body_size (\d+)k;", TEMPLATE)
    assert int(limit) * 1024 == ATTACHMENT_DEFAULTS["MAX_SIZE"] + 64 * 1024
    assert f"client_max_body_size {limit}k;" in (ROOT / "docs" / "guides" / "files.md").read_text()


def test_container_runs_what_the_unit_runs():
    (command,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.M)
    in_unit = shlex.split(of_unit("ExecStart"))[1:]
    assert [
        part.replace("0.0.0.0", "127.0.0.1").replace("8000", "%i") for part in json.loads(command)[1:]
    ] == in_unit
    (check,) = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", DOCKERFILE, re.M)
    assert json.loads(check)[1:] == ["deploy/healthcheck.py", "8000"]


def test_what_the_dockerfile_copies_is_there_and_not_ignored():
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.M)
    names = {name.rstrip("/") for line in copied for name in line.split()}
    assert [name for name in names if not (ROOT / name).exists()] == []
    let_in = set(re.findall(r"^!(.*)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.M))
    assert {name.partition("/")[0] for name in names} == let_in
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.M) == ["chatkit"]


def test_every_variable_of_the_template_is_set_by_compose():
    yaml = pytest.importorskip("yaml")
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    assert set(services) == {"db", "redis", "release", "web1", "web2", "nginx"}
    assert set(re.findall(r"\$\{(\w+)\}", TEMPLATE)) == set(services["nginx"]["environment"])
    read = set()
    for file in (DEPLOY / "settings.py", ROOT / "project" / "settings.py", DEPLOY / "healthcheck.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                read.add(node.value)
    given = set(services["web1"]["environment"]) - {"DATABASE_URL", "OPENAI_API_KEY"}
    assert given <= read


def test_unit_has_nothing_that_systemd_does_not_know():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed.")
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / "chatkit@8001.service"
        # Its user, folder and program are those of another machine.
        unit.write_text(re.sub(r"/srv/chatkit/venv/bin/python", sys.executable, UNIT))
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
            capture_output=True,
            text=True,
        )
    assert "chatkit@8001.service" not in done.stderr, done.stderr


def engine_answers() -> bool:
    docker = shutil.which("docker")
    return docker is not None and all(
        subprocess.run([docker, *arguments], capture_output=True).returncode == 0
        for arguments in (["info"], ["compose", "version"])
    )


def test_containers_are_built_and_answer():
    """Takes minutes, where there is an engine: with ``CHATKIT_TESTS=all`` only."""
    if os.environ.get("CHATKIT_TESTS") != "all" or not engine_answers():
        pytest.skip("There is no container engine, or CHATKIT_TESTS is not all.")
    port = free_port()
    environment = os.environ | {
        "SECRET_KEY": get_random_string(50),
        "POSTGRES_PASSWORD": get_random_string(20),
        "PORT": str(port),
    }
    compose = ["docker", "compose", "-f", str(DEPLOY / "compose.yaml"), "-p", f"chatkit-test-{os.getpid()}"]
    try:
        subprocess.run([*compose, "up", "--build", "--detach", "--wait"], env=environment, check=True)
        connection = http.client.HTTPConnection("localhost", port, timeout=PATIENCE)
        connection.request("GET", "/chatkit/health")
        assert connection.getresponse().status == 200
        connection.close()
        visitor = Visitor(port, f"localhost:{port}")
        assert texts_of(visitor.say("Hello").rest()) != []
        visitor.close()
    finally:
        subprocess.run([*compose, "down", "--volumes"], env=environment, check=False)
