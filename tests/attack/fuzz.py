"""Strange bodies, by HTTP to a server of ours: ``python -m tests.attack.fuzz --bodies 100000``.

Whatever is sent, the answer is JSON or an event stream that can be read, and no error of the server; the log has no
traceback; and nothing of somebody else is changed. What is found is printed, with the body that did it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from tests.chat import CSRF_TOKEN, encode, message

ROUND = 2_000
# A new visitor after so many, for a thread and a list of threads that stay of a size.
FRESH = 250
# After so many the rows of somebody else are looked at.
LOOK = 25
# Seconds for which a connection is kept without a request. uvicorn closes it after five.
IDLE = 2.0
STATUSES = {200, 400, 403, 404, 409, 413, 429}
SITE = {
    "SERVER": "tests.attack.furnished.FurnishedServer",
    "AGENT": "tests.attack.furnished.agent",
    "ATTACHMENTS": {},
    "RUN_RETENTION": 0.0,
}


@dataclass
class Reply:
    status: int
    content_type: str
    body: bytes

    def events(self) -> list[dict[str, Any]]:
        from chatkit_app.testing import decode_events

        return decode_events(self.body)

    def complaint(self) -> str:
        """What is wrong with it; empty when nothing is."""
        if self.status not in STATUSES:
            return f"status {self.status}"
        try:
            if self.content_type == "application/json":
                json.loads(self.body)
            elif self.content_type == "text/event-stream" and self.status == 200:
                if not self.events():
                    return "a stream without an event"
            else:
                return f"an answer of type {self.content_type}"
        except ValueError as error:
            return f"unreadable: {error}"
        return ""


class Visitor:
    """Somebody with a session, a thread and a file, over one connection."""

    def __init__(self, port: int) -> None:
        self.cookies = {"csrftoken": CSRF_TOKEN}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._asked_at = time.monotonic()
        created = self.post(encode("threads.create", input=message("hi"))).events()
        items = [event["item"] for event in created if event["type"] == "thread.item.done"]
        of_type = {item["type"]: item["id"] for item in items}
        file = self.post(encode("attachments.create", name="a.txt", size=1, mime_type="text/plain"))
        self.ids = {
            "thread": next(event["thread"]["id"] for event in created if event["type"] == "thread.created"),
            "message": of_type["user_message"],
            "widget": of_type["widget"],
            "form": of_type["structured_input"],
            "attachment": json.loads(file.body)["id"],
        }

    def post(self, body: bytes) -> Reply:
        headers = {
            "Content-Type": "application/json",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRFToken": CSRF_TOKEN,
        }
        if time.monotonic() - self._asked_at > IDLE:
            self._connection.close()  # the next request opens it anew
        self._connection.request("POST", "/chatkit", body, headers)
        with self._connection.getresponse() as response:
            for value in response.headers.get_all("Set-Cookie", []):
                for name, morsel in SimpleCookie(value).items():
                    self.cookies[name] = morsel.value
            content_type = response.headers.get_content_type()
            reply = Reply(response.status, content_type, response.read())
        self._asked_at = time.monotonic()
        return reply

    def leave(self) -> None:
        self._connection.close()


def rows_of(thread_id: str) -> list[Any]:
    """All that somebody has, whose first thread this is."""
    from chatkit_app.models import Attachment, Feedback, Run, Thread, ThreadItem

    visitor_id = Thread.objects.get(public_id=thread_id).visitor_id
    querysets: list[Any] = [
        Thread.objects.filter(visitor_id=visitor_id),
        ThreadItem.objects.filter(thread__visitor_id=visitor_id),
        Attachment.objects.filter(visitor_id=visitor_id),
        Run.objects.filter(visitor_id=visitor_id),
        Feedback.objects.filter(item__thread__visitor_id=visitor_id),
    ]
    return [list(queryset.order_by("pk").values_list()) for queryset in querysets]


@dataclass
class Fuzz:
    """What is sent to a site, and what came of it."""

    port: int
    log: int
    statuses: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._victim = Visitor(self.port)
        self._victim.post(
            encode(
                "items.feedback",
                thread_id=self._victim.ids["thread"],
                item_ids=[self._victim.ids["message"]],
                kind="positive",
            )
        )
        self._rows = rows_of(self._victim.ids["thread"])
        self._visitor = Visitor(self.port)
        self._read = os.fstat(self.log).st_size
        self._unlooked: list[bytes] = []
        self.sent = 0

    def run(self, bodies: int, *, seed: int) -> None:
        """Send so many bodies, which are the same for the same seed."""
        import hypothesis
        from hypothesis import HealthCheck, Phase

        from tests.attack.strange_bodies import bodies as strange_bodies

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=bodies,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(strange_bodies())
        def send_each(body: bytes) -> None:
            self.send(body)

        send_each()
        self._look()

    def send(self, body: bytes) -> None:
        if self.sent % FRESH == FRESH - 1:
            self._visitor.leave()
            self._visitor = Visitor(self.port)
        self.sent += 1
        for whose, ids in (("own", self._visitor.ids), ("foreign", self._victim.ids)):
            for name, value in ids.items():
                body = body.replace(f"@{whose} {name}@".encode(), value.encode())
        try:
            reply = self._visitor.post(body)
        except (OSError, http.client.HTTPException) as error:
            self._complain(body, f"no answer: {error!r}")
            self._visitor.leave()
            self._visitor = Visitor(self.port)
            return
        self.statuses[f"{reply.status} {reply.content_type}"] += 1
        if reply.complaint():
            self._complain(body, reply.complaint())
        if b'{"type":"error","code":"stream.error"' in reply.body:
            self._complain(body, "an answer that failed")
        written = os.pread(self.log, 100_000, self._read)
        self._read += len(written)
        if b"Traceback" in written:
            self._complain(body, written.decode(errors="replace")[-2_000:])
        self._unlooked.append(body)
        if len(self._unlooked) == LOOK:
            self._look()
        if b'.delete"' in body and any(value.encode() in body for value in self._visitor.ids.values()):
            # What he had may be gone.
            self._visitor.leave()
            self._visitor = Visitor(self.port)

    def end(self) -> None:
        self._victim.leave()
        self._visitor.leave()

    def _look(self) -> None:
        rows = rows_of(self._victim.ids["thread"])
        if rows != self._rows:
            self._complain(b"\n".join(self._unlooked), "somebody else's rows have changed")
        self._rows, self._unlooked = rows, []

    def _complain(self, body: bytes, text: str) -> None:
        self.found.append(f"{text}\n    {body[:2_000]!r}")


def serve() -> Any:
    """A uvicorn process on the database that Django is connected to."""
    from tests.attack.served import OURS, Served
    from tests.attack.unmet_limits import UNMET_LIMITS

    # How often something may be done is another attack's matter.
    served = Served("uvicorn", OURS, is_forked=True, **SITE, LIMITS=UNMET_LIMITS)
    served.wait()
    return served


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=ROUND)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    from tests.attack.new_database import make_database

    make_database(Path(tempfile.mkdtemp(prefix="chatkit-fuzz-")))
    served = serve()
    try:
        fuzz = Fuzz(served.port, served.log.fileno())
        begun = time.perf_counter()
        for number in range(-(-options.bodies // ROUND)):
            fuzz.run(min(ROUND, options.bodies - number * ROUND), seed=options.seed + number)
            print(f"\r{fuzz.sent} bodies, {len(fuzz.found)} found", end="", file=sys.stderr)
        seconds = time.perf_counter() - begun
        fuzz.end()
    finally:
        served.kill()
    print(f"\n{fuzz.sent} bodies in {seconds:.0f} s")
    for status, count in fuzz.statuses.most_common():
        print(f"{count:8} {status}")
    for text in fuzz.found[:50]:
        print(text)
    print(f"{len(fuzz.found)} found")
    return 1 if fuzz.found else 0


if __name__ == "__main__":
    sys.exit(main())
