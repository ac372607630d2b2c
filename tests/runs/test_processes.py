"""Real server processes on one database: one dies in mid-answer; one reads and stops what another writes."""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from websockets.sync.client import connect

from chatkit_app.models import Run, Thread, ThreadItem
from chatkit_app.moderation import set_status, takeover
from chatkit_app.moderation.redaction import redact
from chatkit_app.testing import decode_events
from tests import forks
from tests.chat import CSRF_TOKEN, encode, message
from tests.redis_server import RedisServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

SERVE = """
import socket, sys, uvicorn
config = uvicorn.Config("tests.asgi:application", log_level="warning", lifespan="off")
uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""
# Of what others do to its answers it learns by what they tell it, and not by looking.
NEVER_LOOK = """
import tests.asgi
from chatkit_app.runs import keeper, stored
keeper.MAX_INTERVAL = stored.POLL_INTERVAL = 3600
"""
PATIENCE = 30.0


def process_environment(*, layers: dict[str, Any] | None = None, **keys: Any) -> dict[str, str]:
    """That of a server process on the database of the tests, with these keys in ``CHATKIT``.

    Args:
        layers: its ``CHANNEL_LAYERS``; those of the tests unless given.
    """
    names = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
    database = {name: connection.settings_dict[name] for name in names}
    database["NAME"] = str(database["NAME"])
    return (
        os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "tests.process_settings",
            "CHATKIT_TEST_DATABASE": "",
            "CHATKIT_PROCESS_DATABASE": json.dumps(database),
            "CHATKIT_PROCESS_SETTINGS": json.dumps({"SERVER": "tests.servers.PacedServer"} | keys),
        }
        | ({} if layers is None else {"CHATKIT_PROCESS_LAYERS": json.dumps(layers)})
    )


class Process:
    """A uvicorn process. It can be connected to at once; it answers when it has started."""

    def __init__(self, *, begins_with: str = "", **keys: Any) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        number = listening.fileno()
        self._process = forks.start(
            ["-c", begins_with + SERVE, str(number)],
            environment=process_environment(**keys),
            shared=(number,),
        )
        listening.close()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Answer:
    """A response that is read bit by bit."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self.status = response.status
        self.run_id = response.headers.get("X-ChatKit-Run", "")
        self.body = b""

    def until(self, text: str) -> Answer:
        while text.encode() not in self.body:
            chunk = self._response.read1(65536)
            assert chunk, f"{text!r} never came: {self.body[-500:]!r}"
            self.body += chunk
        return self

    def rest(self) -> Answer:
        self.body += self._response.read()
        return self

    def events(self) -> list[dict[str, Any]]:
        return decode_events(self.body)

    def deltas(self) -> str:
        events = [event for event in self.events() if event["type"] == "thread.item.updated"]
        return "".join(event["update"]["delta"] for event in events)

    def text(self) -> str:
        """The text of the last finished item."""
        items = [event["item"] for event in self.events() if event["type"] == "thread.item.done"]
        return str(items[-1]["content"][0]["text"])


class Browser:
    """One visitor, who may be served by any process."""

    def __init__(self) -> None:
        self.cookies = {"csrftoken": CSRF_TOKEN}
        self.clients: list[http.client.HTTPConnection] = []
        self.responses: list[http.client.HTTPResponse] = []

    def close(self) -> None:
        for each in (*self.responses, *self.clients):
            each.close()

    def ask(self, process: Process, method: str, path: str, body: bytes = b"") -> Answer:
        client = http.client.HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE)
        headers = {
            "Content-Type": "application/json",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRFToken": CSRF_TOKEN,
        }
        self.clients.append(client)
        client.request(method, path, body, headers)
        response = client.getresponse()
        self.responses.append(response)
        for value in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(value).items():
                self.cookies[name] = morsel.value
        return Answer(response)

    def say(self, process: Process, text: str, thread_id: str | None = None) -> Answer:
        if thread_id is None:
            return self.ask(process, "POST", "/chatkit", encode("threads.create", input=message(text)))
        body = encode("threads.add_user_message", thread_id=thread_id, input=message(text))
        return self.ask(process, "POST", "/chatkit", body)


def eventually(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return result


def stored_text(thread_id: str) -> str:
    item = ThreadItem.objects.filter(thread__public_id=thread_id, type="assistant_message").last()
    return item.payload["content"][0]["text"] if item is not None else ""


def words(count: int) -> str:
    return "".join(f"{number} " for number in range(count))


@pytest.fixture(scope="module")
def two(django_db_setup: None) -> Iterator[tuple[Process, Process]]:
    processes = Process(CHECKPOINT_INTERVAL=0.2), Process(CHECKPOINT_INTERVAL=0.2)
    yield processes
    for process in processes:
        process.kill()


@pytest.fixture
def browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


def test_answer_of_another_process_is_followed_to_its_end(two, browser):
    first, second = two
    answer = browser.say(first, "40").until('"0 "')
    followed = browser.ask(second, "GET", f"/chatkit/runs/{answer.run_id}/events").rest()
    assert followed.events()[0]["type"] == "thread.created"
    assert followed.text() == words(40)
    assert answer.rest().text() == words(40)


def test_answer_of_another_process_is_stopped(two, browser):
    first, second = two
    answer = browser.say(first, "5000").until('"0 "')
    stopped = browser.ask(second, "POST", f"/chatkit/runs/{answer.run_id}/stop").rest()
    assert json.loads(stopped.body) == {"stopped": True}
    seen = answer.rest().text()
    thread_id = answer.events()[0]["thread"]["id"]
    eventually(lambda: Run.objects.get().status == "stopped")
    assert stored_text(thread_id) == seen
    assert words(5000).startswith(seen)


def test_message_to_another_process_meanwhile_is_refused(two, browser):
    first, second = two
    thread_id = browser.say(first, "1").rest().events()[0]["thread"]["id"]
    answer = browser.say(first, "5000", thread_id).until('"0 "')
    (refused,) = browser.say(second, "1", thread_id).rest().events()
    assert refused["allow_retry"] is True
    assert refused["message"].startswith("An answer is still being written")
    browser.ask(first, "POST", f"/chatkit/runs/{answer.run_id}/stop").rest()


def test_lock_ends_the_answer_of_another_process(two, browser):
    """Here the moderator's process is that of the tests."""
    answer = browser.say(two[0], "5000").until('"0 "')
    set_status([Thread.objects.get()], Thread.Status.LOCKED, reason="Be kind.", actor=None)
    events = answer.rest().events()
    assert events[-1]["thread"]["status"] == {"type": "locked", "reason": "Be kind."}
    assert words(5000).startswith(answer.text())
    for process in two:
        refused, _updated = browser.say(process, "1", events[0]["thread"]["id"]).rest().events()
        assert refused["message"] == "This conversation is locked. Be kind."


def test_message_that_another_process_is_writing_is_redacted_everywhere(two, browser):
    answer = browser.say(two[0], "5000").until('"0 "')
    followed = browser.ask(two[1], "GET", f"/chatkit/runs/{answer.run_id}/events").until("0 ")
    item = eventually(lambda: ThreadItem.objects.filter(type="assistant_message").first())
    redact(item, actor=None, reason="Private data")
    said = "This message was removed by a moderator."
    events = answer.rest().events()
    (replaced,) = [event["item"] for event in events if event["type"] == "thread.item.replaced"]
    assert (replaced["id"], replaced["content"][0]["text"]) == (item.public_id, said)
    assert followed.rest().text() == said
    for process in two:
        again = browser.ask(process, "GET", f"/chatkit/runs/{answer.run_id}/events").rest()
        assert again.text() == said
        assert b"0 1 " not in again.body
    item.refresh_from_db()
    assert (item.payload, item.text) == ({"$redacted": True}, "")


def test_killed_process_loses_two_seconds_at_most_and_frees_the_thread(two, browser):
    """With the settings that a site has unless it says otherwise."""
    _first, second = two
    process = Process()
    answer = browser.say(process, "5000").until('"150 "')
    process.kill()
    thread_id = answer.events()[0]["thread"]["id"]
    kept = stored_text(thread_id)
    seen = answer.deltas()
    assert kept
    assert seen.startswith(kept) or kept.startswith(seen)
    assert len(seen.split()) - len(kept.split()) <= 100  # two seconds, at 20 ms a word
    items = browser.ask(second, "POST", "/chatkit", encode("items.list", thread_id=thread_id, order="asc"))
    assert [item["type"] for item in json.loads(items.rest().body)["data"]] == [
        "user_message",
        "assistant_message",
    ]
    answered = eventually(
        lambda: (again := browser.say(second, "2", thread_id).rest()).events()[0]["type"] != "error" and again
    )
    assert answered.text() == "0 1 "
    assert Run.objects.get(public_id=answer.run_id).status == "lost"
    assert Thread.objects.get().item_count == 4


# --- Death that is seen -------------------------------------------------------------------------------------

# No heartbeat is missed for four times as many seconds: far longer than these tests wait for anything.
SILENT_FOR_LONG = {"CHECKPOINT_INTERVAL": 300}


@pytest.fixture(scope="module")
def alive(django_db_setup: None) -> Iterator[Process]:
    """One that was there all the time."""
    process = Process(**SILENT_FOR_LONG)
    yield process
    process.kill()


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start_process(**keys: Any) -> Process:
        started.append(Process(**SILENT_FOR_LONG | keys))
        return started[-1]

    yield start_process
    for process in started:
        process.kill()


@pytest.mark.parametrize("other", ["started afterwards", "alive all the time"])
def test_message_after_a_kill_is_answered_at_once(start, alive, browser, other):
    process = start()
    answer = browser.say(process, "5000").until('"0 "')
    thread_id = answer.events()[0]["thread"]["id"]
    process.kill()
    again = browser.say(start() if other == "started afterwards" else alive, "2", thread_id).rest()
    assert again.text() == "0 1 "
    assert dict(Run.objects.values_list("public_id", "status")) == {
        answer.run_id: "lost",
        again.run_id: "completed",
    }


def test_reader_in_another_process_is_told_of_a_kill(start, alive, browser):
    process = start()
    answer = browser.say(process, "5000").until('"0 "')
    followed = browser.ask(alive, "GET", f"/chatkit/runs/{answer.run_id}/events").until("data: ")
    process.kill()
    assert followed.rest().events()[-1] == {
        "type": "error",
        "code": "custom",
        "message": "The answer was interrupted. Please try again.",
        "allow_retry": True,
    }
    assert Run.objects.get().status == "lost"


def test_run_of_a_killed_process_ends_while_another_makes_an_answer(start, alive, browser):
    process = start()
    killed = browser.say(process, "5000").until('"0 "')
    going_on = browser.say(alive, "5000").until('"0 "')
    process.kill()
    eventually(lambda: Run.objects.get(public_id=killed.run_id).status == "lost")
    assert Run.objects.get(public_id=going_on.run_id).status == "running"
    browser.ask(alive, "POST", f"/chatkit/runs/{going_on.run_id}/stop").rest()


def test_answers_of_a_killed_process_are_not_counted_among_those_at_once(start, browser):
    limits = {"LIMITS": {"ANSWERS_AT_ONCE": 1}}
    process, second = start(**limits), start(**limits)
    browser.say(process, "5000").until('"0 "')
    (refused,) = browser.say(second, "1").rest().events()
    assert refused["type"] == "error"
    process.kill()
    assert browser.say(second, "2").rest().text() == "0 1 "


def test_living_processes_leave_each_others_answers_alone(two, alive, browser):
    """For some rounds of their keepers, which look for dead ones."""
    first, second = two
    answers = [browser.say(process, "60").until('"0 "') for process in (first, second, alive)]
    assert [answer.rest().text() for answer in answers] == [words(60)] * 3
    assert set(Run.objects.values_list("status", flat=True)) == {"completed"}


def test_two_processes_let_exactly_so_many_messages_through_as_are_allowed():
    """Two hundred at once of one visitor, of whom half goes to each."""
    limits = {"MESSAGES_PER_MINUTE": 101, "THREADS_PER_DAY": None, "ANSWERS_AT_ONCE": None}
    processes = [Process(LIMITS=limits), Process(LIMITS=limits)]
    first = Browser()
    try:
        first.say(processes[0], "0").rest()

        def one(number: int) -> str:
            browser = Browser()
            browser.cookies = first.cookies
            try:
                return str(browser.say(processes[number % 2], "0").rest().events()[0]["type"])
            finally:
                browser.close()

        with ThreadPoolExecutor(20) as pool:
            seen = Counter(pool.map(one, range(200)))
        assert seen == {"thread.created": 100, "error": 100}
        assert Thread.objects.count() == 101
    finally:
        first.close()
        for process in processes:
            process.kill()


def test_two_processes_let_so_many_answers_be_made_at_once_as_are_allowed():
    limits = {"ANSWERS_AT_ONCE": 3}
    processes = [Process(LIMITS=limits), Process(LIMITS=limits)]
    first = Browser()
    browsers = [Browser() for _ in range(10)]
    try:
        first.say(processes[0], "0").rest()
        for browser in browsers:
            browser.cookies = first.cookies

        def one(number: int) -> str:
            answer = browsers[number].say(processes[number % 2], "5000").until("data: ")
            return str(answer.until('"type"').events()[0]["type"])

        with ThreadPoolExecutor(10) as pool:
            seen = Counter(pool.map(one, range(10)))
        assert seen == {"thread.created": 3, "error": 7}
        assert Run.objects.running().count() == 3
    finally:
        for browser in (first, *browsers):
            browser.close()
        for process in processes:
            process.kill()


# --- Processes that hear one another ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hearing(django_db_setup: None, redis_server: RedisServer) -> Iterator[tuple[Process, Process]]:
    """Two that save, and look, so seldom that only what they tell one another can be what happens here."""
    keys: dict[str, Any] = {"layers": redis_server.layers, "CHECKPOINT_INTERVAL": 3600}
    processes = Process(begins_with=NEVER_LOOK, **keys), Process(begins_with=NEVER_LOOK, **keys)
    yield processes
    for process in processes:
        process.kill()


def test_answer_is_stopped_from_another_process_at_once(hearing, browser):
    first, second = hearing
    answer = browser.say(first, "5000").until('"0 "')
    stopped = browser.ask(second, "POST", f"/chatkit/runs/{answer.run_id}/stop").rest()
    assert json.loads(stopped.body) == {"stopped": True}
    seen = answer.rest().text()
    assert words(5000).startswith(seen)
    assert stored_text(answer.events()[0]["thread"]["id"]) == seen
    assert Run.objects.get().status == "stopped"


def test_message_after_a_stop_in_another_process_is_answered(hearing, browser):
    first, second = hearing
    answer = browser.say(first, "5000").until('"0 "')
    browser.ask(second, "POST", f"/chatkit/runs/{answer.run_id}/stop").rest()
    assert browser.say(second, "2", answer.events()[0]["thread"]["id"]).rest().text() == "0 1 "


def test_lock_ends_the_answer_of_another_process_at_once(hearing, browser, redis):
    answer = browser.say(hearing[0], "5000").until('"0 "')
    set_status([Thread.objects.get()], Thread.Status.LOCKED, reason="Be kind.", actor=None)
    assert answer.rest().events()[-1]["thread"]["status"] == {"type": "locked", "reason": "Be kind."}


def test_redaction_ends_the_answer_of_another_process_at_once(hearing, browser, redis):
    answer = browser.say(hearing[0], "5000").until('"0 "')
    followed = browser.ask(hearing[1], "GET", f"/chatkit/runs/{answer.run_id}/events").until('"0 "')
    redact(ThreadItem.objects.get(type="user_message"), actor=None, reason="Private data")
    for reader in (answer, followed):
        (replaced,) = [e["item"] for e in reader.rest().events() if e["type"] == "thread.item.replaced"]
        assert replaced["content"][0]["text"] == "This message was removed by a moderator."
    again = browser.ask(hearing[1], "GET", f"/chatkit/runs/{answer.run_id}/events").rest()
    assert b'"5000"' not in again.body


def test_takeover_ends_the_answer_of_another_process_at_once(hearing, browser, redis):
    answer = browser.say(hearing[0], "5000").until('"0 "')
    maria = User.objects.create_superuser("maria", first_name="Maria")
    takeover.take_over(Thread.objects.get(), actor=maria)
    events = answer.rest().events()
    assert (events[-1]["thread"]["handler"]["state"], events[-1]["thread"]["handler"]["name"]) == (
        "staff",
        "Maria",
    )
    assert stored_text(events[0]["thread"]["id"]) == answer.text()


def test_answer_of_another_process_is_followed_word_by_word(hearing, browser):
    first, second = hearing
    answer = browser.say(first, "5000").until('"0 "')
    followed = browser.ask(second, "GET", f"/chatkit/runs/{answer.run_id}/events").until('"30 "')
    assert ThreadItem.objects.filter(type="assistant_message").count() == 0
    browser.ask(first, "POST", f"/chatkit/runs/{answer.run_id}/stop").rest()
    assert followed.deltas().startswith(words(30))
    assert followed.rest().text() == answer.rest().text()


def test_reader_of_a_process_that_is_killed_goes_on_with_what_is_stored(browser, redis_server):
    layers = redis_server.layers
    process, second = Process(layers=layers), Process(layers=layers)
    try:
        answer = browser.say(process, "5000").until('"0 "')
        followed = browser.ask(second, "GET", f"/chatkit/runs/{answer.run_id}/events").until('"150 "')
        process.kill()
        assert followed.rest().events()[-1]["message"] == "The answer was interrupted. Please try again."
        done = [e["item"]["type"] for e in followed.events() if e["type"] == "thread.item.done"]
        assert done == ["user_message", "assistant_message"]
        assert followed.text() == stored_text(followed.events()[0]["thread"]["id"])
    finally:
        process.kill()
        second.kill()


def test_person_takes_over_what_a_killed_process_was_answering(browser, redis, redis_server):
    layers = redis_server.layers
    process, second = Process(layers=layers), Process(layers=layers)
    try:
        answer = browser.say(process, "5000").until('"0 "')
        thread_id = answer.events()[0]["thread"]["id"]
        process.kill()
        maria = User.objects.create_superuser("maria", first_name="Maria")
        takeover.take_over(Thread.objects.get(), actor=maria)
        takeover.reply(Thread.objects.get(), "This is Maria.", actor=maria)
        events = browser.say(second, "Hello?", thread_id).rest().events()
        assert [event["item"]["type"] for event in events if "item" in event] == ["user_message"]
        assert dict(Run.objects.values_list("public_id", "status"))[answer.run_id] == "lost"
        said = ThreadItem.objects.visible().order_by("pk").values_list("text", flat=True)
        assert [text for text in said if not text.startswith("0 ")] == ["5000", "This is Maria.", "Hello?"]
    finally:
        process.kill()
        second.kill()


PING_OFTEN = """
import tests.asgi
from chatkit_app.asgi import with_sockets
from chatkit_app.live import pulse
tests.asgi.application = with_sockets(tests.asgi.application)
pulse.TICK = pulse.PING_INTERVAL = 0.2
"""


def test_page_of_another_process_is_told_by_pings_where_processes_do_not_hear_one_another(browser):
    """Without a layer, or with the one in memory, which is each process's own."""
    first, second = Process(), Process(begins_with=PING_OFTEN)
    try:
        thread_id = browser.say(first, "1").rest().events()[0]["thread"]["id"]
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        address = f"127.0.0.1:{second.port}"
        with connect(
            f"ws://{address}/ws/chatkit/?endpoint=/chatkit",
            additional_headers={"Cookie": cookies},
            origin=f"http://{address}",
            open_timeout=PATIENCE,
        ) as page:
            page.send(json.dumps({"follow": thread_id}))
            # It is answered when the one before it has been done: until then, a change may be found by the following.
            page.send(json.dumps({"follow": "thr_unknown"}))
            while json.loads(page.recv())["type"] != "absent":
                pass
            before = Thread.objects.get().version
            browser.say(first, "2", thread_id).rest()
            for told in map(json.loads, page):
                assert told["type"] == "ping"
                if told["threads"].get(thread_id, 0) > before:
                    break
        changes = browser.ask(second, "GET", f"/chatkit/threads/{thread_id}/changes?after={before}").rest()
        items = json.loads(changes.body)["thread"]["items"]["data"]
        assert [item["content"][0]["text"] for item in items] == ["2", "0 1 "]
    finally:
        first.kill()
        second.kill()


def test_redis_that_is_killed_in_mid_answer_loses_nothing_of_it(browser, redis_server):
    redis = RedisServer()
    redis.start()
    first, second = Process(layers=redis.layers), Process(layers=redis.layers)
    try:
        answer = browser.say(first, "150").until('"0 "')
        followed = browser.ask(second, "GET", f"/chatkit/runs/{answer.run_id}/events").until('"10 "')
        redis.kill()
        assert answer.rest().text() == words(150)
        assert followed.rest().text() == words(150)
        going_on = browser.say(first, "5000").until('"0 "')
        browser.ask(second, "POST", f"/chatkit/runs/{going_on.run_id}/stop").rest()
        assert words(5000).startswith(going_on.rest().text())
    finally:
        redis.kill()
        first.kill()
        second.kill()
