"""A street of sites as people have them: on each the whole way of a conversation, over real HTTP.

A site is a folder in ``tests/sites`` whose settings have ``STREET`` (see ``tests/sites/base.py``).
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings

from tests.forks import Fork
from tests.runs.test_processes import Answer
from tests.sites import base
from tests.sites.processes import PATIENCE, Database, Site, Visitor, texts_of, thread_of, visible

pytestmark = [pytest.mark.postgres, pytest.mark.processes]

FOLDER = Path(__file__).parent / "sites"
IS_POSTGRES = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")


def street_of(name: str) -> dict[str, Any]:
    """How the site is served."""
    street: dict[str, Any] = importlib.import_module(f"tests.sites.{name}.settings").STREET
    return street


def is_tried_here(street: dict[str, Any]) -> bool:
    """Whether it is to be tried on the database of this run: with ``CHATKIT_STREET=all`` on each that it can have."""
    database = street.get("database", "any")
    if os.environ.get("CHATKIT_STREET") == "all":
        return bool(IS_POSTGRES or database == "any")
    return bool((database == "postgresql") == IS_POSTGRES)


# The others in the folder have tests of their own.
OF_THE_STREET = [
    path.parent.name for path in FOLDER.glob("*/settings.py") if "tests.sites.base" in path.read_text()
]
STREETS = {name: street_of(name) for name in sorted(OF_THE_STREET)}
SITES = [name for name, street in STREETS.items() if is_tried_here(street)]
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
EMAIL, NAME, PASSWORD = "staff@example.com", "staff", "a-long-password"
UVICORN = "uvicorn tests.sites.asgi:application --port {port} --log-level warning"
MAKE = """
import django; django.setup()
from django.conf import settings
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createsuperuser", interactive=False, verbosity=0)
if settings.STREET.get("collectstatic"):
    call_command("collectstatic", interactive=False, verbosity=0)
"""
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr error; events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location /shop/ {{
      proxy_pass http://127.0.0.1:{behind}{path};
      proxy_set_header Host $host; proxy_set_header X-Forwarded-Host $http_host;
    }}
  }}
}}
"""


_USUAL: dict[str, bytes] = {}


class Sqlite:
    """A database in a file."""

    def __init__(self, folder: Path) -> None:
        self._settings: dict[str, Any] = settings.DATABASES["default"] | {"NAME": str(folder / "db.sqlite3")}

    def settings(self) -> dict[str, Any]:
        return {name: self._settings[name] for name in ("ENGINE", "NAME", "OPTIONS")}

    def drop(self) -> None:
        """The folder goes as a whole."""


class StreetSite(Site):
    """One of the street, served."""

    def __init__(self, name: str, folder: Path) -> None:
        self.database: Any = Database(f"chatkit_{name}") if IS_POSTGRES else Sqlite(folder)
        super().__init__(f"tests.sites.{name}", self.database, folder)
        self._environment |= {
            "DJANGO_SUPERUSER_USERNAME": NAME,
            "DJANGO_SUPERUSER_EMAIL": EMAIL,
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        self.street: dict[str, Any] = STREETS[name]
        self.page = str(self.street.get("page", "/"))
        self.user = EMAIL if name == "email_users" else NAME
        self.folder = folder
        self.name = name

    def start(self) -> int:
        """Make the database and serve the site. Returns the port."""
        self._make()
        port = self._serve()
        if "proxy" not in self.street:
            return port
        path = "/" if self.street["proxy"] == "strips" else ""
        config = self.folder / "nginx.conf"
        front = free_port()
        config.write_text(NGINX.format(folder=self.folder, port=front, behind=port, path=path))
        nginx = self.start_server(f"nginx -e stderr -p {self.folder} -c {config}".split())
        return self._wait_for(front, nginx)

    def _serve(self) -> int:
        port = free_port()
        command = ["-m", *str(self.street.get("server", UVICORN)).format(port=port).split()]
        # What is about a server starts it as usual, and so does one site with that which the others have.
        as_usual = "server" in self.street or self.name == "plain"
        server = self.start_server([sys.executable, *command]) if as_usual else self.fork_server(command)
        return self._wait_for(port, server)

    def _make(self) -> None:
        """The database with its tables and the staff member. Sites with the same tables have copies of one file."""
        module = importlib.import_module(f"tests.sites.{self.name}.settings")
        is_usual = module.INSTALLED_APPS == base.INSTALLED_APPS and not self.street.get("collectstatic")
        if IS_POSTGRES or not is_usual:
            self.run("-c", MAKE)
            return
        if "made" not in _USUAL:
            self.run("-c", MAKE)
            _USUAL["made"] = (self.folder / "db.sqlite3").read_bytes()
        (self.folder / "db.sqlite3").write_bytes(_USUAL["made"])

    def _wait_for(self, port: int, server: Fork | subprocess.Popen[bytes]) -> int:
        deadline = time.monotonic() + PATIENCE
        while True:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    return port
            assert server.poll() is None, f"The server of {self.name} has ended."
            assert time.monotonic() < deadline, f"The server of {self.name} does not listen."
            time.sleep(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Shopper(Visitor):
    """A browser on a site's page. All addresses are those that the page names."""

    def __init__(self, site: StreetSite, port: int) -> None:
        super().__init__(port)
        page = self.get(site.page)
        assert page.status == 200
        self.page = page.body.decode()
        given = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', self.page, re.S)
        admin = re.search(r'<a rel="admin" href="(.*?)"', self.page)
        assert given is not None
        assert admin is not None
        self.options: dict[str, Any] = json.loads(given[1])
        self.endpoint, self.admin = self.options["endpoint"], admin[1]

    def stop(self, run_id: str) -> Answer:
        return self.ask("POST", self.options["runStopUrl"].replace("RUN_ID", run_id)).rest()


@pytest.fixture(scope="module", params=SITES)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[StreetSite, int]]:
    site = StreetSite(request.param, tmp_path_factory.mktemp(request.param))
    try:
        if site.street.get("django", (0,)) > django.VERSION:
            pytest.skip("Only with a newer Django.")
        if "proxy" in site.street and shutil.which("nginx") is None:
            assert os.environ.get("CI") != "true"
            pytest.skip("nginx is not installed.")
        yield site, site.start()
    finally:
        site.stop()
        site.database.drop()


@pytest.fixture
def visitor(site: tuple[StreetSite, int]) -> Iterator[Shopper]:
    visitor = Shopper(*site)
    yield visitor
    visitor.close()


def test_page_names_files_that_are_there(visitor):
    named = [*re.findall(r'(?:src|href)="(\S+?\.(?:js|css))"', visitor.page), visitor.options["elementUrl"]]
    files = {file.rpartition("/")[2]: file for file in named}
    assert {"chatkit.css", "bootstrap.js", "index.js"} <= {
        re.sub(r"\.[0-9a-f]{12}\.", ".", name) for name in files
    }
    assert {name: visitor.get(file).status for name, file in files.items()} == dict.fromkeys(files, 200)


def test_answer_is_streamed_and_a_second_turn_follows(visitor):
    first = visitor.say("How many?").rest()
    second = visitor.say("And now?", thread_of(first)).rest()
    assert texts_of(first)[-1].startswith("The tool says there are ")
    assert texts_of(second)[-1].startswith("The tool says there are ")
    listed = visitor.chat("items.list", thread_id=thread_of(first), order="asc", limit=20).rest()
    kinds = [item["type"] for item in json.loads(listed.body)["data"]]
    assert kinds.count("user_message") == 2


def test_eight_visitors_at_once_are_answered_and_the_site_has_connections_left(site):
    visitors = [Shopper(*site) for _ in range(8)]
    with ThreadPoolExecutor(len(visitors)) as browsers:
        answers = list(browsers.map(lambda visitor: visitor.say("How many?").rest(), visitors))
    login = visitors[0].get(f"{visitors[0].admin}login/")
    for visitor in visitors:
        visitor.close()
    assert [texts_of(answer)[-1].split(" are ")[0] for answer in answers] == ["The tool says there"] * 8
    assert login.status == 200


def test_stop_keeps_what_there_is(visitor):
    answer = visitor.say("Something long, please").until(" 3")
    assert json.loads(visitor.stop(answer.run_id).body) == {"stopped": True}
    text = texts_of(answer.rest())[-1]
    assert text.startswith("0 1 2 3")
    assert not text.endswith("499")


def test_picture_is_sent_and_shown_to_who_sent_it(visitor):
    sent = json.loads(visitor.upload("cat.png", "image/png", PNG).body)
    answer = visitor.say("A cat", attachments=[sent["id"]]).rest()
    assert texts_of(answer)[-1].startswith("The tool says")
    listed = json.loads(
        visitor.chat("items.list", thread_id=thread_of(answer), order="asc", limit=20).rest().body
    )
    url = listed["data"][0]["attachments"][0]["preview_url"]
    shown = visitor.get(url.removeprefix("http://testserver"))
    assert (shown.status, shown.body) == (200, PNG)


def test_staff_find_and_read_the_conversation(visitor, site):
    visitor.say("Where is my parcel?").rest()
    staff = Shopper(*site)
    staff.log_in(site[0].user, PASSWORD)
    listed = staff.get(f"{staff.admin}chatkit_app/thread/").body.decode()
    link = re.search(r'href="([^"]*/chatkit_app/thread/\d+/change/[^"]*)"[^>]*>', listed)
    assert link is not None
    transcript = visible(staff.get(link[1].replace("&amp;", "&")))
    staff.close()
    assert "Where is my parcel?" in transcript
    assert "The tool says there are" in transcript
