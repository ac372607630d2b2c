"""The demo as its users get it: the command in a process of its own, and HTTP."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings

from chatkit_app.rendering.client_files import client_file
from chatkit_app.testing import decode_events
from project.prompts import EVERYTHING, WELCOME
from tests import forks

pytestmark = [pytest.mark.postgres, pytest.mark.processes]

ROOT = Path(__file__).parents[2]
PROMPTS = [prompt["prompt"] for prompt in [*WELCOME, *EVERYTHING]]
PATIENCE = 180

# What every prompt's answer must have, beside the user's message.
EXPECTED = {
    "What is the weather in Lisbon?": "widget",
    "Where is my order?": "widget",
    "I would like to book a table.": "widget",
    "Plan a trip by night train.": "workflow",
    "I would like to talk to a person of your team.": "assistant_message",
    "Show me more": "widget",
    "What is the weather in Paris?": "widget",
    "What does my browser tell you?": "client_tool_call",
    "Tell me the secret password.": "error",
    "Show me a widget": "widget",
    "Show me a streamed widget": "widget",
    "Show me every widget": "widget",
    "Show me a chart": "widget",
    "Show me a form": "widget",
    "Show me a workflow": "workflow",
    "Show me a task": "task",
    "Show me some questions": "structured_input",
    "Show me some sources": "assistant_message",
    "Show me an image": "generated_image",
    "Show me a long answer": "assistant_message",
    "Show me some progress": "progress_update",
    "Show me a notice": "notice",
    "Show me some notices": "notice",
    "Show me an attachment": "assistant_message",
    "Show me an effect": "client_effect",
    "Show me the hidden context": "assistant_message",
    "Show me the end of a turn": "end_of_turn",
    "Show me a closed conversation": "assistant_message",
    "Show me a failure": "error",
}


class Demo:
    """A running ``manage.py demo``.

    Args:
        forked: whether it need not import the SDK first.
        in_background: as ``nohup … &`` of a shell starts it, which has it ignore Ctrl-C.
    """

    def __init__(self, database_url: str, *, forked: bool = True, in_background: bool = False) -> None:
        self.files = tempfile.TemporaryDirectory()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
        environment |= {
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "DATABASE_URL": database_url,
            "MEDIA_ROOT": self.files.name,
            "DEBUG": "1",
        }
        # A file and not a pipe: nobody reads while the demo runs, and a full pipe would stop it.
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115
        arguments = ["manage.py", "demo", "--port", str(self.port)]
        self.process: forks.Fork | subprocess.Popen[bytes]
        if forked:
            self.process = forks.start(
                arguments, environment=environment, output=self.output, errors=self.output
            )
        else:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=environment,
                stdout=self.output,
                stderr=subprocess.STDOUT,
                preexec_fn=ignore_ctrl_c if in_background else None,
            )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/static/project/icon.svg", timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(f"The demo did not start:\n{self.interrupt()}")

    def interrupt(self, number: int = signal.SIGINT) -> str:
        """Press Ctrl-C, or send another signal, and return all that it has printed."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.files.cleanup()
        with self.output:
            self.output.seek(0)
            return self.output.read()


def ignore_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Browser:
    """A browser profile: it keeps its own cookies."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> tuple[int, str]:
        with self.opener.open(self.demo.url + path, timeout=PATIENCE) as response:
            return response.status, response.read().decode()

    def submit(self, path: str, **fields: str) -> tuple[int, str]:
        """Open a page and send a form of it."""
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(path)[1])[-1]
        data = urlencode(fields | {"csrfmiddlewaretoken": token}).encode()
        with self.opener.open(self.demo.url + path, data=data, timeout=PATIENCE) as response:
            return response.status, response.url

    def chatkit(self, operation: str, **params: Any) -> bytes:
        with self.open_chatkit(operation, **params) as response:
            body: bytes = response.read()
            return body

    def open_chatkit(self, operation: str, **params: Any) -> Any:
        request = urllib.request.Request(
            f"{self.demo.url}/chatkit",
            data=json.dumps({"type": operation, "params": params}).encode(),
            headers={"Content-Type": "application/json", "X-CSRFToken": self.csrf_token},
        )
        return self.opener.open(request, timeout=PATIENCE)

    def ask(self, text: str, *attachments: str) -> list[dict[str, Any]]:
        asked = message(text) | {"attachments": list(attachments)}
        return decode_events(self.chatkit("threads.create", input=asked))

    def upload(self, name: str, mime_type: str, content: bytes) -> dict[str, Any]:
        head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        request = urllib.request.Request(
            f"{self.demo.url}/chatkit/attachments",
            data=f"{head}Content-Type: {mime_type}\r\n\r\n".encode() + content + b"\r\n--b--\r\n",
            headers={"Content-Type": "multipart/form-data; boundary=b", "X-CSRFToken": self.csrf_token},
        )
        with self.opener.open(request, timeout=PATIENCE) as response:
            reply: dict[str, Any] = json.loads(response.read())
            return reply

    @property
    def csrf_token(self) -> str:
        return next(str(cookie.value) for cookie in self.cookies if cookie.name == "csrftoken")

    def threads(self) -> list[str]:
        reply = json.loads(self.chatkit("threads.list", limit=9999, order="desc"))
        return [thread["id"] for thread in reply["data"]]


def message(text: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"content": content, "attachments": [], "inference_options": {}}


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of its own, on the server that the tests use."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] != "django.db.backends.postgresql":
        yield f"sqlite:///{tmp_path_factory.mktemp('demo') / 'db.sqlite3'}"
        return
    import psycopg

    name = f"chatkit_demo_{os.getpid()}"
    server = {"host": database["HOST"], "user": database["USER"], "password": database["PASSWORD"] or None}
    with psycopg.connect(
        dbname="postgres", port=database["PORT"] or None, autocommit=True, **server
    ) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        login = f"{quote(database['USER'])}:{quote(database['PASSWORD'])}@".replace(":@", "@")
        place = urlencode({"host": database["HOST"], "port": database["PORT"] or 5432})
        yield f"postgres://{login}/{name}?{place}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def demo(database_url: str) -> Iterator[Demo]:
    demo = Demo(database_url)
    demo.wait_until_ready()
    yield demo
    demo.interrupt()


@pytest.fixture
def browser(demo: Demo) -> Browser:
    browser = Browser(demo)
    browser.get("/")
    return browser


def test_page_holds_the_chat(demo: Demo) -> None:
    status, page = Browser(demo).get("/")
    assert status == 200
    assert "<openai-chatkit data-chatkit" in page
    assert '"endpoint": "/chatkit"' in page


@pytest.mark.parametrize(
    "path",
    [
        "/static/project/page.js",
        "/static/project/style.css",
        "/static/project/landscape.png",
        "/static/project/sketch.png",
        f"/static/{client_file('bootstrap.js')}",
    ],
)
def test_static_file_is_served(demo: Demo, path: str) -> None:
    with urllib.request.urlopen(demo.url + path, timeout=PATIENCE) as response:
        assert response.status == 200


def test_every_prompt_is_answered(browser: Browser) -> None:
    browser.ask("Good morning")  # the session is there before many ask at once
    with ThreadPoolExecutor(8) as pool:  # fewer than one person may have answered at once
        answers = dict(zip(PROMPTS, pool.map(browser.ask, PROMPTS), strict=True))
    found = {}
    for prompt, events in answers.items():
        kinds = {event["type"] for event in events}
        kinds |= {event["item"]["type"] for event in events if event["type"] == "thread.item.done"}
        assert events[0]["type"] == "thread.created"
        found[prompt] = EXPECTED[prompt] if EXPECTED[prompt] in kinds else kinds
    assert found == EXPECTED


def test_attached_picture_is_described_and_shown_to_others_with_its_url(demo: Demo, browser: Browser) -> None:
    picture = (ROOT / "project/static/project/sketch.png").read_bytes()
    attachment = browser.upload("sketch.png", "image/png", picture)
    events = browser.ask("What is this?", attachment["id"])
    texts = [
        event["item"]["content"][0]["text"]
        for event in events
        if event["type"] == "thread.item.done" and event["item"]["type"] == "assistant_message"
    ]
    assert "- `sketch.png`: " in texts[0]
    with urllib.request.urlopen(attachment["preview_url"], timeout=PATIENCE) as response:
        assert response.read() == picture


def test_second_visitor_sees_nothing_of_the_first(demo: Demo, browser: Browser) -> None:
    thread = browser.ask("Between us")[0]["thread"]["id"]
    other = Browser(demo)
    other.get("/")
    assert thread in browser.threads()
    assert other.threads() == []
    with pytest.raises(urllib.error.HTTPError) as refused:
        other.chatkit("threads.get_by_id", thread_id=thread)
    assert refused.value.code == 404
    refused.value.close()


def test_visitor_takes_the_threads_along_at_login(browser: Browser) -> None:
    thread = browser.ask("Before the login")[0]["thread"]["id"]
    status, url = browser.submit("/login/", username="admin", password="admin")
    assert (status, url) == (200, f"{browser.demo.url}/")
    browser.get("/")
    assert thread in browser.threads()


def test_admin_can_log_in_and_browse(browser: Browser) -> None:
    status, url = browser.submit(
        "/admin/login/?next=/admin/chatkit_app/thread/",
        username="admin",
        password="admin",
        next="/admin/chatkit_app/thread/",
    )
    assert (status, url) == (200, f"{browser.demo.url}/admin/chatkit_app/thread/")
    page = browser.get("/admin/chatkit_app/thread/")[1]
    assert "Everything a conversation can hold" in page
    assert "<img src=x" not in page


def test_language_can_be_switched(browser: Browser) -> None:
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get("/")[1])[0]
    data = urlencode({"csrfmiddlewaretoken": token, "language": "ar", "next": "/"}).encode()
    with browser.opener.open(f"{browser.demo.url}/i18n/setlang/", data=data, timeout=PATIENCE) as response:
        page = response.read().decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert '"locale": "ar"' in page


def test_ctrl_c_ends_cleanly_and_a_second_start_finds_everything(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    first = Demo(database_url, forked=False)
    first.wait_until_ready()
    output = first.interrupt()
    assert first.process.returncode == 0
    assert "Traceback" not in output
    assert "Sample conversations created: 188" in output
    second = Demo(database_url)
    second.wait_until_ready()
    output = second.interrupt()
    assert "Sample conversations created: 0" in output
    assert "as you left it (admin)" in output


@contextmanager
def long_answer(browser: Browser) -> Iterator[Any]:
    """An answer as it is being written, read as far as its first words."""
    browser.get("/")
    with browser.open_chatkit("threads.create", input=message("Show me a long answer")) as response:
        while b'"delta":"coffee' not in response.readline():
            pass
        yield response


def test_ctrl_c_in_mid_answer_keeps_what_there_is(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    first = Demo(database_url)
    first.wait_until_ready()
    browser = Browser(first)
    with long_answer(browser):
        output = first.interrupt()
    assert (first.process.returncode, "Traceback" in output) == (0, False)
    browser.demo = second = Demo(database_url)
    second.wait_until_ready()
    (thread,) = browser.threads()
    reply = json.loads(browser.chatkit("items.list", thread_id=thread, order="asc"))
    second.interrupt()
    (answer,) = [item for item in reply["data"] if item["type"] == "assistant_message"]
    assert answer["content"][0]["text"].startswith("# How to make a cup of coffee")


def test_sigterm_ends_in_mid_answer_what_a_shell_has_started_in_the_background(tmp_path: Path) -> None:
    demo = Demo(f"sqlite:///{tmp_path / 'db.sqlite3'}", forked=False, in_background=True)
    demo.wait_until_ready()
    with long_answer(Browser(demo)) as response:
        output = demo.interrupt(signal.SIGTERM)
        rest = decode_events(response.read())
    assert (demo.process.returncode, "Traceback" in output) == (0, False)
    assert rest[-1]["message"] == "The answer was interrupted. Please try again."
