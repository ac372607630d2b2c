"""What people do on the site while it is soaked: visitors, users who log in, and staff."""

from __future__ import annotations

import base64
import re
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import closing

from tests.sites.processes import Visitor, thread_of

PASSWORD = "a-long-password"
USERS = 20
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def converse(visitor: Visitor) -> str:
    """A message and its answer, one that is stopped, and one that is read on from another connection."""
    first = visitor.say("20").rest()
    assert first.text().endswith("19 "), first.body
    thread_id = thread_of(first)

    stopped = visitor.say("500", thread_id).until('"5 "')
    assert visitor.ask("POST", f"/chatkit/runs/{stopped.run_id}/stop").rest().status < 300
    assert '"499 "' not in stopped.rest().deltas()

    followed = visitor.say("30", thread_id).until('"5 "')
    assert visitor.get(f"/chatkit/runs/{followed.run_id}/events").text().endswith("29 ")
    followed.rest()
    return thread_id


def visit(visitor: Visitor, number: int) -> None:
    """A whole visit; each third visitor logs in while it lasts, and most go without leaving a trace."""
    thread_id = converse(visitor)
    assert visitor.upload("a.png", "image/png", PNG).status == 200
    if number % 3 == 0:
        visitor.log_in(f"user{number % USERS}", PASSWORD)
        visitor.say("5", thread_id).rest()
    for operation, params in (
        ("threads.list", {"limit": 20}),
        ("threads.get_by_id", {"thread_id": thread_id}),
        ("items.list", {"thread_id": thread_id}),
        ("threads.update", {"thread_id": thread_id, "title": "A soaked thread"}),
    ):
        reply = visitor.chat(operation, **params).rest()
        assert reply.status == 200, (operation, reply.body)
        assert operation == "items.list" or thread_id.encode() in reply.body, (operation, reply.body)
    if number % 4:
        assert visitor.chat("threads.delete", thread_id=thread_id).rest().status == 200


def look_after(staff: Visitor, number: int) -> None:
    """What staff read, from the list and a transcript to the statistics."""
    pages = [
        "",
        "chatkit_app/thread/",
        "chatkit_app/run/",
        "chatkit_app/attachment/",
        "chatkit_app/dailystatistics/",
    ]
    for page in pages:
        reply = staff.get(f"/admin/{page}")
        assert reply.status == 200, (page, reply.status)
    # A conversation of their own, as those of visitors may be deleted in the meantime.
    thread_id = thread_of(staff.say("20").rest())
    found = staff.get(f"/admin/chatkit_app/thread/?q={thread_id}")
    links = re.findall(r"/admin/chatkit_app/thread/[^/\"?]+/change/", found.body.decode())
    assert links, found.body
    transcript = staff.get(links[0])
    assert transcript.status == 200, (links[0], transcript.status)
    assert thread_id in transcript.body.decode(), links[0]
    assert "17 18 19" in transcript.body.decode(), links[0]
    time.sleep(2)


class Crowd:
    """People who come again and again, each in a thread of its own.

    Attributes:
        visits: how many visits were made, those that failed among them.
        failures: what was wrong with each of those.
    """

    def __init__(self, port: int) -> None:
        self.visits = 0
        self.failures: list[str] = []
        self._port = port
        self._over = threading.Event()
        self._counting = threading.Lock()
        self._people: list[threading.Thread] = []

    def come(self, number: int) -> None:
        """Let as many visitors begin, and two of the staff."""
        people: list[Callable[[int], None]] = [*[self._come_as_visitor] * number, *[self._come_as_staff] * 2]
        for index, person in enumerate(people):
            self._people.append(threading.Thread(target=person, args=[index], daemon=True))
            self._people[-1].start()

    def leave(self) -> None:
        """Let every visit come to its end."""
        self._over.set()
        for person in self._people:
            person.join()

    def _come_as_visitor(self, index: int) -> None:
        number = index
        while not self._over.is_set():
            number += 1
            with closing(Visitor(self._port, "localhost")) as visitor:
                self._make(visit, visitor, number)

    def _come_as_staff(self, index: int) -> None:
        with closing(Visitor(self._port, "localhost")) as staff:
            staff.log_in("staff", PASSWORD)
            while not self._over.is_set():
                self._make(look_after, staff, index)
                staff.close()

    def _make(self, what: Callable[[Visitor, int], None], visitor: Visitor, number: int) -> None:
        failure = ""
        try:
            what(visitor, number)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            failure = f"{type(error).__name__}: {error} at {where.line}"
        with self._counting:
            self.visits += 1
            if failure:
                self.failures.append(failure)
