"""Every string of the corpus in every field that somebody else fills: ``python -m tests.attack.everywhere``.

``test_corpus.py`` sends each place some strings of each kind, others in each place; the command sends all to all of
them. What comes of it is one of ``Attack.found``: an error of the server, an answer that cannot be read, a header or a
cookie that nobody meant to set, a way to another site, or a line in the log that somebody else has written.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.chat import encode, message

from .corpus import CORPUS, STRINGS
from .sender import Reply, Sender

COOKIES = {"sessionid", "csrftoken", "chatkit_first", "chatkit_again", "messages"}
TOGETHER = 16
"""Strings that go into one message."""
APP = "/admin/chatkit_app/"
SURROGATE = re.compile("[\ud800-\udfff]")
_FORMULA = re.compile("[\\s\ufeff\u200b]*[=+@\uff1d\uff0b\uff0d\uff20-]")

Place = Callable[["Attack", str], Reply]
PLACES: dict[str, Place] = {}


# --- What must not come of it -------------------------------------------------------------------------------------


def complaint(reply: Reply) -> str:
    """What is wrong with an answer; empty when nothing is. Pages are looked at by a browser."""
    if reply.status >= 500:
        return f"status {reply.status}"
    if "X-Pwned" in reply.headers:
        return "a header that was in a text"
    cookies = {cookie.partition("=")[0] for cookie in reply.headers.get_all("Set-Cookie", [])}
    if cookies - COOKIES:
        return f"cookies {cookies - COOKIES}"
    location = reply.headers.get("Location", "/")
    if urlsplit(location).netloc or not re.match(r"/(?![/\\])|\?", location):
        return f"leads to {location!r}"
    try:
        match reply.type:
            case "application/json":
                answer = reply.json()
                if reply.status >= 400 and not answer["message"]:
                    return "a refusal that says nothing"
            case "text/event-stream" if not reply.events():
                return "a stream without an event"
    except (ValueError, KeyError, TypeError) as error:
        return f"cannot be read: {error!r}"
    if reply.type != "text/html" and reply.headers["X-Content-Type-Options"] != "nosniff":
        return f"{reply.type} may be taken for something else"
    return ""


def forged(log: str) -> list[str]:
    """Lines of a log that begin with what somebody else wrote, or that a terminal would obey."""
    return [
        line
        for line in re.split("[\r\n]", log)
        if line.startswith("FORGED") or re.search("[\x00-\x08\x0b-\x1f\x7f]", line)
    ]


def live_cells(text: str) -> list[str]:
    """Cells of a CSV file that a spreadsheet would take for formulas, whichever separator it believes in."""
    found: dict[str, None] = {}
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator):
            live = [cell for cell in row if _FORMULA.match(cell)]
            found |= dict.fromkeys(live)
    return list(found)


# --- The attack ---------------------------------------------------------------------------------------------------


@dataclass
class Attack:
    """A visitor and a superuser, what they have, and what came of what they sent.

    Attributes:
        pages: the pages that came, and where each was asked for.
        found: what is wrong.
    """

    port: int
    statuses: Counter[str] = field(default_factory=Counter)
    pages: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    sent: int = 0

    def __post_init__(self) -> None:
        from tests.attack.rows import superuser_session

        self.visitor = Sender(self.port)
        self.staff = Sender(self.port, superuser_session())
        self.thread_id, self.items = self.furnish(self.visitor)

    def furnish(self, sender: Sender) -> tuple[str, dict[str, str]]:
        """A new thread whose items wait for the user. Returns its id, and theirs by their types."""
        from tests.attack.mirror import FURNISH

        events = sender.ask("threads.create", input=message(FURNISH)).events()
        thread_id = next(event["thread"]["id"] for event in events if event["type"] == "thread.created")
        return thread_id, {
            event["item"]["type"]: event["item"]["id"]
            for event in events
            if event["type"] == "thread.item.done"
        }

    def send(self, name: str, text: str) -> Reply:
        reply = PLACES[name](self, text)
        self.sent += 1
        self.look(name, text, reply)
        return reply

    def look(self, name: str, text: str, reply: Reply) -> None:
        self.statuses[f"{reply.status} {reply.type}"] += 1
        if wrong := complaint(reply):
            self.found.append(f"{name}: {text[:200]!r}: {wrong}")
        if reply.type == "text/html":
            self.pages[f"{name}: {text[:200]!r}"] = reply.body.decode()

    def leave(self) -> None:
        self.visitor.leave()
        self.staff.leave()


def by_turns(number: int, count: int) -> list[str]:
    """So many strings, as different in kind as can be, others for each number."""
    kinds = list(CORPUS.values())
    found = []
    for turn in range(number * count, (number + 1) * count):
        texts = kinds[turn % len(kinds)]
        found.append(texts[turn // len(kinds) % len(texts)])
    return found


# --- The endpoint -------------------------------------------------------------------------------------------------


def place(name: str) -> Callable[[Place], Place]:
    def known(send: Place) -> Place:
        PLACES[name] = send
        return send

    return known


def operation(name: str, operation: str, params: Callable[[Attack, str], dict[str, Any]]) -> None:
    """One field of an operation."""
    PLACES[name] = lambda attack, text: attack.visitor.ask(operation, **params(attack, text))


def saying(**fields: Any) -> dict[str, Any]:
    return {"input": message("hi", **fields)}


def tag(**fields: Any) -> dict[str, Any]:
    part = {"type": "input_tag", "id": "t", "text": "t", "data": {}} | fields
    return {"input": message("", content=[part])}


def action(attack: Attack, **fields: Any) -> dict[str, Any]:
    return {
        "thread_id": attack.thread_id,
        "item_id": attack.items["widget"],
        "action": {"type": "a", "payload": {}} | fields,
    }


def file(**fields: Any) -> dict[str, Any]:
    return {"name": "a.txt", "size": 1, "mime_type": "text/plain"} | fields


operation("message", "threads.create", lambda attack, text: {"input": message(text)})
operation("quotation", "threads.create", lambda attack, text: saying(quoted_text=text))
operation("model", "threads.create", lambda attack, text: saying(inference_options={"model": text}))
operation(
    "tool choice",
    "threads.create",
    lambda attack, text: saying(inference_options={"tool_choice": {"id": text}}),
)
operation("file of a message", "threads.create", lambda attack, text: saying(attachments=[text]))
operation("tag: id", "threads.create", lambda attack, text: tag(id=text))
operation("tag: text", "threads.create", lambda attack, text: tag(text=text))
operation("tag: group", "threads.create", lambda attack, text: tag(group=text))
operation("tag: data", "threads.create", lambda attack, text: tag(data={text: [text]}))
operation("tool of the model", "threads.create", lambda attack, text: {"input": message(f"call: {text}")})
operation("title", "threads.update", lambda attack, text: {"thread_id": attack.thread_id, "title": text})
operation("id of a thread", "threads.get_by_id", lambda attack, text: {"thread_id": text})
operation("cursor of threads", "threads.list", lambda attack, text: {"limit": 1, "after": text})
operation("order of threads", "threads.list", lambda attack, text: {"limit": 1, "order": text})
operation(
    "cursor of items", "items.list", lambda attack, text: {"thread_id": attack.thread_id, "after": text}
)
operation(
    "feedback: item",
    "items.feedback",
    lambda attack, text: {"thread_id": attack.thread_id, "item_ids": [text], "kind": "positive"},
)
operation(
    "feedback: kind",
    "items.feedback",
    lambda attack, text: {"thread_id": attack.thread_id, "item_ids": [attack.items["widget"]], "kind": text},
)
operation(
    "retry: item",
    "threads.retry_after_item",
    lambda attack, text: {"thread_id": attack.thread_id, "item_id": text},
)
operation("action: type", "threads.custom_action", lambda attack, text: action(attack, type=text))
operation(
    "action: payload", "threads.custom_action", lambda attack, text: action(attack, payload={text: [text]})
)
operation("quick action: type", "threads.sync_custom_action", lambda attack, text: action(attack, type=text))
operation(
    "quick action: payload",
    "threads.sync_custom_action",
    lambda attack, text: action(attack, payload={text: text}),
)
operation(
    "quick action: item",
    "threads.sync_custom_action",
    lambda attack, text: action(attack) | {"item_id": text},
)
operation("file: name", "attachments.create", lambda attack, text: file(name=text))
operation("file: type", "attachments.create", lambda attack, text: file(mime_type=text))
operation("file: id", "attachments.delete", lambda attack, text: {"attachment_id": text})
operation(
    "recording", "input.transcribe", lambda attack, text: {"audio_base64": text, "mime_type": "audio/webm"}
)
operation(
    "recording: type", "input.transcribe", lambda attack, text: {"audio_base64": "AAAA", "mime_type": text}
)


@place("result of a tool")
def _(attack: Attack, text: str) -> Reply:
    thread_id, _items = attack.furnish(attack.visitor)
    return attack.visitor.ask("threads.add_client_tool_output", thread_id=thread_id, result={text: [text]})


@place("answer to a form")
def _(attack: Attack, text: str) -> Reply:
    thread_id, items = attack.furnish(attack.visitor)
    return attack.visitor.ask(
        "threads.add_structured_input",
        thread_id=thread_id,
        item_id=items["structured_input"],
        input={"answers": {"q1": {"values": [text], "skipped": False}}},
    )


@place("question of a form")
def _(attack: Attack, text: str) -> Reply:
    return attack.visitor.ask(
        "threads.add_structured_input",
        thread_id=attack.thread_id,
        item_id=attack.items["structured_input"],
        input={"answers": {text: {"values": ["x"], "skipped": False}}},
    )


@place("operation")
def _(attack: Attack, text: str) -> Reply:
    return attack.visitor.ask(text, thread_id=attack.thread_id)


@place("field of an operation")
def _(attack: Attack, text: str) -> Reply:
    return attack.visitor.ask("threads.get_by_id", **{"thread_id": attack.thread_id, text: text})


@place("body")
def _(attack: Attack, text: str) -> Reply:
    body = text.encode(errors="surrogatepass")
    return attack.visitor.request("POST", "/chatkit", body, {"Content-Type": "application/json"})


# --- Files, runs, headers, cookies --------------------------------------------------------------------------------


@place("upload: name")
def _(attack: Attack, text: str) -> Reply:
    return attack.visitor.upload("/chatkit/attachments", text, "text/plain", b"x")


@place("upload: type")
def _(attack: Attack, text: str) -> Reply:
    return attack.visitor.upload("/chatkit/attachments", "a.txt", text, b"x")


@place("upload: content")
def _(attack: Attack, text: str) -> Reply:
    content = text.encode(errors="surrogatepass")
    return attack.visitor.upload("/chatkit/attachments", "a.txt", "text/plain", content)


@place("upload: id")
def _(attack: Attack, text: str) -> Reply:
    return attack.visitor.request("PUT", f"/chatkit/attachments/{text}", b"x")


@place("file: signature")
def _(attack: Attack, text: str) -> Reply:
    return attack.visitor.get("/chatkit/attachments/atc_1/file", signature=text, preview=text)


@place("run: id")
def _(attack: Attack, text: str) -> Reply:
    return attack.visitor.get(f"/chatkit/runs/{text}/events")


@place("run to stop: id")
def _(attack: Attack, text: str) -> Reply:
    return attack.visitor.request("POST", f"/chatkit/runs/{text}/stop")


@place("path")
def _(attack: Attack, text: str) -> Reply:
    return attack.visitor.get(f"/{text}")


@place("query of the endpoint")
def _(attack: Attack, text: str) -> Reply:
    return attack.visitor.request("POST", f"/chatkit?{text}", b"{}", {"Content-Type": "application/json"})


HEADERS = (
    "User-Agent",
    "Accept-Language",
    "X-ChatKit-Locale",
    "X-ChatKit-Had-Login",
    "X-ChatKit-Again",
    "chatkit-frame-instance-id",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "Referer",
    "Origin",
    "Host",
    "Accept",
    "Content-Type",
    "X-CSRFToken",
)


@place("headers")
def _(attack: Attack, text: str) -> Reply:
    """Those of the list at once; and one after the other, since the first that is wrong may end it."""
    for name in HEADERS:
        sender = Sender(attack.port)
        attack.look(f"header {name}", text, sender.ask("threads.list", {name: text}, limit=1))
        sender.leave()
    sender = Sender(attack.port)
    harmless = [name for name in HEADERS if name not in ("Host", "Origin", "X-CSRFToken")]
    reply = sender.ask("threads.create", dict.fromkeys(harmless, text), input=message("hi"))
    sender.leave()
    return reply


@place("cookies")
def _(attack: Attack, text: str) -> Reply:
    for name in (*sorted(COOKIES), "django_language", text):
        sender = Sender(attack.port)
        sender.cookies[name] = text
        attack.look(f"cookie {name}", text, sender.ask("threads.list", limit=1))
        attack.look(f"cookie {name}", text, sender.get("/admin/login/"))
        sender.leave()
    sender = Sender(attack.port)
    sender.cookies |= dict.fromkeys(("sessionid", "chatkit_first", "chatkit_again"), text)
    reply = sender.ask("threads.create", input=message("hi"))
    sender.leave()
    return reply


# --- The admin ----------------------------------------------------------------------------------------------------


LISTS = ("thread", "run", "feedback", "attachment", "flag", "label", "auditentry")
FILTERS = {
    "thread": "status__exact owner_kind namespace feedback flagged label assignee active_from active_to user o p",
    "run": "status__exact operation user thread o",
    "feedback": "kind__exact user",
    "attachment": "type__exact thread user",
    "flag": "state source__exact reviewer older_than",
    "auditentry": "staff action__exact thread from to",
    "dailystatistics": "days namespace",
}


def search(model: str) -> None:
    PLACES[f"search: {model}"] = lambda attack, text: attack.staff.get(f"{APP}{model}/", q=text)


def filters(model: str, names: list[str]) -> None:
    PLACES[f"filters: {model}"] = lambda attack, text: attack.staff.get(
        f"{APP}{model}/", **dict.fromkeys(names, text)
    )


def one_filter(model: str, name: str) -> None:
    PLACES[f"filter: {model}: {name}"] = lambda attack, text: attack.staff.get(
        f"{APP}{model}/", **{name: text}
    )


for model in LISTS:
    search(model)
for model, names in FILTERS.items():
    filters(model, names.split())
for name in FILTERS["thread"].split():
    one_filter("thread", name)


def form(name: str, path: str, /, **fields: Any) -> None:
    """A form of the admin; ``{}`` in a field is where the text stands."""

    def send(attack: Attack, text: str) -> Reply:
        from tests.attack.rows import thread_and_item

        thread, item = thread_and_item()
        filled = {
            key: str(value).replace("{}", text).replace("{thread}", str(thread))
            for key, value in fields.items()
        }
        return attack.staff.post(APP + path.format(thread=thread, item=item), **filled)

    PLACES[f"form: {name}"] = send


form("note", "thread/{thread}/notes/", text="{}")
form("flag", "thread/{thread}/flag/", reason="{}")
form("lock", "thread/{thread}/moderate/lock/", reason="{}")
form("redaction", "thread/{thread}/items/{item}/redact/", reason="{}")
form("export", "thread/{thread}/export/", reason="{}", format="csv")
form("export: format", "thread/{thread}/export/", reason="x", format="{}")
form("erasure", "thread/{thread}/erase/", reason="{}", owner="{}")
form("assignee", "thread/{thread}/assign/", user="{}")
form("labels", "thread/{thread}/labels/", labels="{}")
form("label", "label/add/", name="{}", color="red")
form("label: colour", "label/add/", name="x", color="{}")
form("review", "reviewqueue/", do="{}", flag="{}")
form("review: note", "reviewqueue/", do="resolve", flag="1", resolution="handled", note="{}")
form("action", "thread/", action="{}", _selected_action="{thread}")
form("action: selected", "thread/", action="lock_threads", _selected_action="{}", reason="x", post="yes")
form(
    "action: reason", "thread/", action="close_threads", _selected_action="{thread}", reason="{}", post="yes"
)
form("action: label", "thread/", action="add_label", _selected_action="{thread}", label="{}", post="yes")
form("deletion", "thread/{thread}/delete/", post="{}", _changelist_filters="{}")


@place("transcript: cursor")
def _(attack: Attack, text: str) -> Reply:
    from tests.attack.rows import thread_and_item

    path = f"{APP}thread/{thread_and_item()[0]}/transcript/"
    body = encode("items.list", after=text)
    return attack.staff.request("POST", path, body, {"Content-Type": "application/json"})


@place("login")
def _(attack: Attack, text: str) -> Reply:
    sender = Sender(attack.port)
    reply = sender.post(f"/admin/login/?next={text}", username=text, password=text, next=text)
    sender.leave()
    return reply


@place("autocomplete")
def _(attack: Attack, text: str) -> Reply:
    names = {"app_label": "chatkit_app", "model_name": "run", "field_name": "thread"}
    return attack.staff.get("/admin/autocomplete/", term=text, **names)


@place("admin: language")
def _(attack: Attack, text: str) -> Reply:
    return attack.staff.get(f"{APP}thread/", {"Accept-Language": text, "User-Agent": text, "Referer": text})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", default="", help="a regular expression for the beginnings of their names")
    options = parser.parse_args()
    from tests.attack.new_database import make_database

    make_database(Path(tempfile.mkdtemp(prefix="chatkit-corpus-")))
    from tests.attack.served import OURS, Served
    from tests.attack.site_settings import SITE

    served = Served("uvicorn", OURS, is_forked=True, **SITE)
    served.wait()
    begun = time.perf_counter()
    try:
        attack = Attack(served.port)
        for name in [name for name in PLACES if re.match(options.places, name)]:
            for text in STRINGS:
                attack.send(name, text)
            print(f"\r{attack.sent} sent, {len(attack.found)} found", end="", file=sys.stderr)
        attack.leave()
        attack.found += [f"in the log: {line!r}" for line in forged(served.output())]
    finally:
        served.kill()
    print(
        f"\n{len(STRINGS)} strings, {len(PLACES)} places, {attack.sent} requests in {time.perf_counter() - begun:.0f} s"
    )
    for status, count in attack.statuses.most_common():
        print(f"{count:8} {status}")
    for text in attack.found[:100]:
        print(text)
    print(f"{len(attack.found)} found")
    return 1 if attack.found else 0


if __name__ == "__main__":
    sys.exit(main())
