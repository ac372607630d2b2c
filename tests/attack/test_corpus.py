"""The corpus goes in by every field, and comes out as the text that it is."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from http.client import HTTPMessage
from typing import Any

import django
import pytest
from django.contrib.auth.models import User

from chatkit_app.models import Thread
from chatkit_app.storable import storable_text
from tests.admin.test_permissions import DOINGS, filled
from tests.browser.conftest import chromium_path  # noqa: F401
from tests.chat import message

from .corpus import CORPUS, STRINGS
from .everywhere import APP, PLACES, SURROGATE, TOGETHER, Attack, by_turns, complaint, forged, live_cells
from .markup import live_markup
from .rows import conversation, staff_rows
from .sender import Reply

# A page of the admin takes much longer than an answer of the endpoint.
SLOW = re.compile("search|filter|form|login|admin|autocomplete")
SENT = [text for text in STRINGS if not SURROGATE.search(text)]


@pytest.fixture
def attack(site: int, log: io.StringIO) -> Iterator[Attack]:
    attack = Attack(site)
    yield attack
    attack.leave()
    assert forged(log.getvalue()) == []


@pytest.mark.browser
def test_string_breaks_nothing_wherever_it_goes(attack: Attack, chromium_path: str) -> None:  # noqa: F811
    for number, name in enumerate(PLACES):
        for text in by_turns(number, 1 if SLOW.match(name) else 4):
            attack.send(name, text)
    assert attack.found == []
    assert live_markup(attack.pages, chromium_path) == []


def strings_in(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return set().union(*map(strings_in, value), *map(strings_in, value.values()))
    return set().union(*map(strings_in, value)) if isinstance(value, list) else set()


def messages(texts: list[str]) -> Iterator[tuple[list[str], dict[str, Any]]]:
    for start in range(0, len(texts), TOGETHER):
        part = texts[start : start + TOGETHER]
        content = [{"type": "input_text", "text": text} for text in part]
        yield part, message("", content=content, quoted_text="\n".join(part))


def test_string_comes_back_from_the_endpoint_as_it_was_sent(attack: Attack) -> None:
    lost = []
    for texts, sent in messages(SENT):
        events = attack.visitor.ask("threads.create", input=sent).events()
        thread_id = next(event["thread"]["id"] for event in events if event["type"] == "thread.created")
        items = attack.visitor.ask("items.list", thread_id=thread_id, order="asc", limit=100).json()
        for what in (events, items["data"]):
            lost += set(texts) - strings_in(what)
    assert lost == []


def test_half_a_character_is_refused_with_a_sentence(attack: Attack) -> None:
    for text in STRINGS:
        if SURROGATE.search(text):
            events = attack.visitor.ask("threads.create", input=message(text)).events()
            assert [event["type"] for event in events] == ["error"]
            assert events[0]["message"].startswith("Not a valid ChatKit request: Invalid JSON")


FORGING = [text for text in STRINGS if "FORGED" in text][::3]


@pytest.mark.skipif(
    django.VERSION < (5, 2, 3), reason="This Django itself logs paths as they come: CVE-2025-48432."
)
def test_line_of_the_log_is_nobody_elses(attack: Attack, log: io.StringIO) -> None:
    found = {}
    for name in PLACES:
        if not SLOW.match(name):
            for text in FORGING:
                attack.send(name, text)
            found[name] = forged(log.getvalue())
            log.seek(0)
            log.truncate()
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert len(FORGING) == 3


# --- The admin ----------------------------------------------------------------------------------------------------

PAGES = [
    doing for doing in DOINGS.values() if doing.needs and doing.data is None and "{hidden}" not in doing.path
]


@pytest.mark.browser
def test_pages_of_staff_show_strings_as_text(attack: Attack, chromium_path: str) -> None:  # noqa: F811
    for number, (kind, texts) in enumerate(CORPUS.items()):
        # Django's own validator of names would refuse most of them; a site may make users as it likes.
        actor = User.objects.create_superuser(storable_text(texts[0])[:150])
        owner = User.objects.create_user(storable_text(texts[-1])[:140] + kind)
        rows = staff_rows(conversation(texts[:10], user=owner), texts[:10], actor)
        for doing in PAGES[number % 4 :: 4]:
            path = APP + filled(doing.path.replace("{closed}", "{thread}"), rows)
            attack.look(path, kind, attack.staff.get(path))
    kinds = {"text/html", "text/plain", "application/octet-stream", "application/json"}
    assert attack.statuses.keys() == {f"200 {kind}" for kind in kinds}
    assert attack.found == []
    assert live_markup(attack.pages, chromium_path) == []


@pytest.fixture
def exported(attack: Attack) -> Any:
    """Ask for an export of conversations in all strings, of users with such names."""
    for texts in CORPUS.values():
        conversation(texts, user=User.objects.create_user(storable_text(texts[1])[:150]))

    def export(format: str) -> str:
        keys = [str(key) for key in Thread.objects.values_list("pk", flat=True)]
        data = {"action": "export_threads", "post": "yes", "reason": "x", "hidden": "on", "format": format}
        reply = attack.staff.post(f"{APP}thread/", **data, _selected_action=keys)
        assert (reply.status, complaint(reply)) == (200, "")
        assert reply.headers["Content-Disposition"].startswith("attachment; ")
        return reply.body.decode()

    return export


def test_export_for_spreadsheets_has_no_formula(exported: Any) -> None:
    text = exported("csv")
    assert text.count("FORGED") > 5
    assert live_cells(text) == []


def test_export_for_programs_has_every_string_as_it_is(exported: Any) -> None:
    lines = [json.loads(line) for line in exported("jsonl").splitlines()]
    assert set(SENT) - strings_in(lines) == set()


def test_export_to_read_has_nothing_outside_of_fences(exported: Any) -> None:
    fence, outside = "", []
    for line in exported("markdown").split("\n"):
        if not fence and (found := re.fullmatch("(`{3,})text", line)):
            fence = found[1]
        elif fence and line == fence:
            fence = ""
        elif not fence:
            outside.append(line)
    assert fence == ""
    assert [
        line
        for line in outside
        if not re.fullmatch(r"|# \w+|## \w+|### [\w ]+ · [\dTZ:-]+|\([a-z ]+\)", line)
    ] == []


# --- What finds it ------------------------------------------------------------------------------------------------
# An attack that complains of nothing says nothing.


@pytest.mark.browser
def test_markup_that_is_not_escaped_is_found(chromium_path: str) -> None:  # noqa: F811
    # These are no markup where they stand alone in a text.
    inert = (
        "&",
        "%",
        "\\",
        "+",
        "\uff1c",
        "`",
        '"',
        "'",
        " ",
        "<!--",
        "<![",
        "<?",
        "<noscript",
        "<x-pwned",
        "<<",
    )
    texts = [text for text in CORPUS["markup"] if not text.startswith(inert)]
    pages = {str(number): f"<p>{text}</p>" for number, text in enumerate(texts)}
    pages |= {
        "attribute": f'<p title="{CORPUS["markup"][34]}">',
        "script": '<a href="javascript:x">x</a>',
        "other site": '<a href="//evil.example">x</a>',
        "JSON": '<script type="application/json">"</script><x-pwned>"</script>',
    }
    found = {text.partition(":")[0] for text in live_markup(pages, chromium_path)}
    assert pages.keys() - found == set()


def test_formula_that_is_not_defused_is_found() -> None:
    assert live_cells('x,"=1+1"\n') == ["=1+1"]
    assert live_cells("x\n\u200b-1\n") == ["\u200b-1"]
    assert live_cells("x;@SUM(1)\n") == ["@SUM(1)"]
    assert live_cells("x,'=1+1\n") == []


def test_line_that_somebody_else_wrote_is_found() -> None:
    assert forged("ok\nFORGED x") == ["FORGED x"]
    assert forged("ok\r\nok \x1b[2J") == ["ok \x1b[2J"]
    assert forged("ok FORGED x") == []


@pytest.mark.parametrize(
    ("status", "headers", "body", "found"),
    [
        (500, {"Content-Type": "text/html"}, b"", "status 500"),
        (200, {"Content-Type": "text/html", "X-Pwned": "1"}, b"", "a header that was in a text"),
        (200, {"Content-Type": "text/html", "Set-Cookie": "pwned=1"}, b"", "cookies {'pwned'}"),
        (302, {"Content-Type": "text/html", "Location": "//evil.example"}, b"", "leads to '//evil.example'"),
        (
            302,
            {"Content-Type": "text/html", "Location": "/\\evil.example"},
            b"",
            "leads to '/\\\\evil.example'",
        ),
        (400, {"Content-Type": "application/json"}, b'{"message": ""}', "a refusal that says nothing"),
        (200, {"Content-Type": "text/event-stream"}, b": ping\n\n", "a stream without an event"),
        (200, {"Content-Type": "text/csv"}, b"x", "text/csv may be taken for something else"),
    ],
)
def test_answer_that_is_wrong_is_found(status: int, headers: dict[str, str], body: bytes, found: str) -> None:
    told = HTTPMessage()
    for name, value in headers.items():
        told[name] = value
    assert complaint(Reply(status, told, body)) == found
