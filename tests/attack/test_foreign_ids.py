"""Whatever has an id: somebody else's is answered as one that there is not, and nothing changes.

One matrix for every URL that the app adds to a site and every operation of the protocol, with staff out of their scope
or without permission. A new URL or operation has no row here, and fails.
"""

from __future__ import annotations

import asyncio
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from chatkit.types import ChatKitReq, NonStreamingReq, StreamingReq
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages import get_messages
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver
from pydantic import TypeAdapter
from pydantic.json_schema import PydanticJsonSchemaWarning

from chatkit_app import db
from chatkit_app.models import Attachment, AuditEntry, LimitCounter, Thread
from tests.admin.test_permissions import APP, DOINGS, Doing, everything, filled, page, world  # noqa: F401
from tests.askers import stranger, superuser, user, visitor
from tests.chat import Chat, Exchange, message
from tests.servers import SlowServer

GONE = "This conversation or part of it no longer exists."
_FRAME = b'data: {"type":"error","code":"custom","message":"%b","allow_retry":false}\n\n'
GONE_FRAME = _FRAME % GONE.encode()
GONE_FILE_FRAME = _FRAME % b"A file is not there any more. Remove it, or upload it again."


@pytest.fixture(autouse=True)
def files(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


# --- What there is ------------------------------------------------------------------------------------------

# Every operation that names something, and its parameters.
OPERATIONS: dict[str, dict[str, Any]] = {
    "threads.get_by_id": {"thread_id": "{thread}"},
    "threads.create": {"input": message("hi", attachments=["{attachment}"])},
    "threads.list": {"after": "{thread}"},
    "threads.update": {"thread_id": "{thread}", "title": "mine now"},
    "threads.delete": {"thread_id": "{thread}"},
    "threads.add_user_message": {
        "thread_id": "{thread}",
        "input": message("hi", attachments=["{attachment}"]),
    },
    "threads.add_client_tool_output": {"thread_id": "{thread}", "result": {}},
    "threads.add_structured_input": {
        "thread_id": "{thread}",
        "item_id": "{form}",
        "input": {"status": "skipped"},
    },
    "threads.retry_after_item": {"thread_id": "{thread}", "item_id": "{message}"},
    "threads.custom_action": {
        "thread_id": "{thread}",
        "item_id": "{widget}",
        "action": {"type": "buy", "payload": {}},
    },
    "threads.sync_custom_action": {
        "thread_id": "{thread}",
        "item_id": "{widget}",
        "action": {"type": "buy", "payload": {}},
    },
    "items.list": {"thread_id": "{thread}", "after": "{message}", "order": "asc"},
    "items.feedback": {"thread_id": "{thread}", "item_ids": ["{message}"], "kind": "positive"},
    "attachments.delete": {"attachment_id": "{attachment}"},
}
NAMELESS = {"attachments.create", "input.transcribe"}
STREAMING = {kind.model_fields["type"].default for kind in StreamingReq.__args__}
# Where a list goes on: an absent one is no error.
FORGIVING = {"threads.list"}

# Every URL that names something: (method, path behind that of the endpoint, body).
URLS: dict[str, list[tuple[str, str, bytes]]] = {
    "changes": [("GET", "/threads/{thread}/changes?after=0", b"")],
    "earlier": [("GET", "/threads/{thread}/earlier?item={message}&of=answer&number=1", b"")],
    "thread": [("PATCH", "/threads/{thread}", b'{"archived": true}')],
    "run_events": [("GET", "/runs/{run}/events", b"")],
    "run_stop": [("POST", "/runs/{run}/stop", b"")],
    "attachment": [
        ("PUT", "/attachments/{announced}", b"a file"),
        ("PUT", "/attachments/{attachment}", b"a file"),
    ],
    "attachment_file": [
        ("GET", "/attachments/{attachment}/file", b""),
        ("GET", "/attachments/{attachment}/file?signature={signature}", b""),
        ("GET", "/attachments/{attachment}/file?signature={signature}&preview=1", b""),
    ],
}
ENDPOINT_URLS = {"chatkit", "attachments", "health", "history"}
REQUESTS = [(name, *request) for name, requests in URLS.items() for request in requests]

# Django's own, in which nothing of ours is named.
DJANGO_URLS = {
    "index",
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "jsi18n",
    "app_list",
}
# Pages of the admin that name rows of ours beside those of the app, whose matrix is that of the permissions.
SITE_PAGES = {
    "view_on_site": page("view_on_site", "../r/{content_type}/{thread}/", "nobody"),
    "autocomplete": page(
        "autocomplete",
        "../autocomplete/?app_label=chatkit_app&model_name=run&field_name=thread&term={thread_key}",
        "nobody",
    ),
    "short address": page("", "thread/{thread}/", "nobody"),
}


def patterns(resolver: Any) -> Iterator[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry
        else:
            yield from patterns(entry)


def test_every_url_is_in_the_matrix() -> None:
    known = {*URLS, *ENDPOINT_URLS, *DJANGO_URLS, *SITE_PAGES}
    known |= {f"chatkit_app_{doing.url}" for doing in DOINGS.values()}
    found = {str(pattern.name) for pattern in patterns(get_resolver()) if pattern.name}
    assert {name for name in found if not name.startswith("auth_")} == known - {"short address"}
    unnamed = {str(pattern.pattern) for pattern in patterns(get_resolver()) if not pattern.name}
    assert unnamed == {"<path:object_id>/", "(?P<url>.*)$"}


def schemas() -> dict[str, Any]:
    with warnings.catch_warnings(action="ignore", category=PydanticJsonSchemaWarning):
        return TypeAdapter(ChatKitReq).json_schema()["$defs"]


def ids_of(schema: Any, definitions: dict[str, Any]) -> set[str]:
    """The names of the fields that have ids, as far as they can be known by their names."""
    if isinstance(schema, list):
        return set().union(*(ids_of(part, definitions) for part in schema))
    if not isinstance(schema, dict):
        return set()
    if "$ref" in schema:
        return ids_of(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    properties = schema.get("properties", {})
    found = {name for name in properties if re.search(r"_ids?$|^after$|^attachments$", name)}
    return found.union(*(ids_of(part, definitions) for part in (*properties.values(), *schema.values())))


def named(params: Any) -> set[str]:
    """The names of the fields that have one of our ids."""
    found = set()
    for name, value in params.items():
        if isinstance(value, dict):
            found |= named(value)
        elif re.search(r"'\{\w+\}'", repr([value])):
            found.add(name)
    return found


@pytest.mark.parametrize(
    "kind", [*StreamingReq.__args__, *NonStreamingReq.__args__], ids=lambda kind: kind.__name__
)
def test_every_operation_is_in_the_matrix(kind: Any) -> None:
    operation = kind.model_fields["type"].default
    definitions = schemas()
    ids = ids_of(definitions[kind.__name__], definitions)
    assert (operation in OPERATIONS) != (operation in NAMELESS)
    assert named(OPERATIONS.get(operation, {})) == ids


# --- The endpoint -------------------------------------------------------------------------------------------


@pytest.fixture
def use(settings: Any) -> Any:
    def configure(server: str) -> None:
        settings.CHATKIT = {
            "SERVER": f"tests.servers.{server}",
            "CHECKPOINT_INTERVAL": 0.05,
            "ATTACHMENTS": {},
        }

    return configure


def fill(operation: str, ids: dict[str, str]) -> bytes:
    return fill_in(json.dumps({"type": operation, "params": OPERATIONS[operation]}), ids).encode()


def fill_in(text: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        text = text.replace("{" + name + "}", value)
    return text


def absent(ids: dict[str, str]) -> dict[str, str]:
    return {name: f"{value}_absent" for name, value in ids.items()}


async def foreign_ids(use: Any) -> dict[str, str]:
    """What somebody else has."""
    use("FurnitureServer")
    owner = Chat()
    answer = await owner.say("hi")
    items = await owner.items(answer.thread_id)
    # So that there is an earlier answer.
    await owner.ask("threads.retry_after_item", thread_id=answer.thread_id, item_id=items[0]["id"])
    announced = await owner.ask("attachments.create", name="a.txt", size=6, mime_type="text/plain")
    stranger = (
        await (await visitor()).ask("attachments.create", name="b.png", size=1, mime_type="image/png")
    ).json()

    def upload() -> str:
        row = Attachment.objects.get(public_id=announced.json()["id"])
        row.pk, row.public_id = None, "atc_uploaded"
        row.file = default_storage.save("chatkit/foreign", ContentFile(b"theirs"))
        row.save()
        return row.public_id

    return {
        "thread": answer.thread_id,
        "message": items[0]["id"],
        "widget": "widget_1",
        "form": "form_1",
        "run": answer.run_id,
        "announced": announced.json()["id"],
        "attachment": await db.run(upload),
        # A good one, of somebody's own picture.
        "signature": stranger["preview_url"].partition("signature=")[2].partition("&")[0],
    }


def seen(reply: Exchange) -> tuple[Any, ...]:
    headers = {
        name: re.sub(r"=\S+?;", "=…;", value) if name == "set-cookie" else value
        for name, value in reply.headers.items()
    }
    return reply.status, headers, reply.body


ASKERS = [visitor, user, superuser, stranger]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("asker", ASKERS, ids=lambda asker: asker.__name__)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_operation_on_foreign_ids_is_answered_as_on_absent_ones(use, operation, asker):
    ids = await foreign_ids(use)
    chat = await asker()
    cookies = dict(chat.cookies)
    before = await db.run(everything, LimitCounter)
    foreign = await chat.post(fill(operation, ids))
    chat.cookies = cookies
    other = await chat.post(fill(operation, {**absent(ids)}))
    assert seen(foreign) == seen(other)
    if operation in STREAMING:
        assert foreign.body == (GONE_FILE_FRAME if operation == "threads.create" else GONE_FRAME)
    elif operation not in FORGIVING:
        assert (foreign.status, foreign.json()) == (404, {"message": GONE})
    assert await db.run(everything, LimitCounter) == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("operation", sorted(STREAMING - {"threads.create"}))
async def test_operation_on_a_foreign_thread_in_use_is_answered_as_on_an_absent_one(use, operation):
    ids = await foreign_ids(use)
    asker = await visitor()
    use("SlowServer")
    SlowServer.gate = asyncio.Event()
    owner_thread = await db.run(Thread.objects.get, public_id=ids["thread"])
    owner = Chat()

    def steal_session() -> str:
        session = SessionStore()
        session["_chatkit_visitor"] = owner_thread.visitor_id
        session.save()
        return str(session.session_key)

    owner.cookies["sessionid"] = await db.run(steal_session)
    answer = await owner.begin_saying("more", ids["thread"])
    await answer.until('"one "')
    assert (await asker.post(fill(operation, ids))).body == GONE_FRAME
    SlowServer.gate.set()
    assert (await answer.rest()).text() == "one two"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "operation", [name for name, params in OPERATIONS.items() if len(named(params)) == 2]
)
async def test_foreign_id_beside_ones_own_thread_is_answered_as_an_absent_one(use, operation):
    ids = await foreign_ids(use)
    use("EchoServer")
    chat = Chat(frame="frame-2")
    own = {"thread": (await chat.say("hi")).thread_id}
    before = await db.run(everything)
    foreign = await chat.post(fill(operation, ids | own))
    other = await chat.post(fill(operation, absent(ids) | own))
    assert seen(foreign) == seen(other)
    if operation in STREAMING:
        is_file = operation == "threads.add_user_message"
        assert foreign.body == (GONE_FILE_FRAME if is_file else GONE_FRAME)
    assert await db.run(everything) == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("asker", ASKERS, ids=lambda asker: asker.__name__)
@pytest.mark.parametrize(("name", "method", "path", "body"), REQUESTS)
async def test_url_with_a_foreign_id_is_answered_as_with_an_absent_one(use, name, method, path, body, asker):
    ids = await foreign_ids(use)
    chat = await asker()
    before = await db.run(everything)
    replies = []
    for named_ids in (ids, absent(ids) | {"signature": ids["signature"]}):
        reply = await chat.open(method, chat.path + fill_in(path, named_ids), body)
        replies.append(await reply.rest())
    foreign, other = replies
    assert (foreign.status, foreign.json()) == (404, {"message": GONE})
    assert seen(foreign) == seen(other)
    assert await db.run(everything) == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("asker", [visitor, stranger], ids=lambda asker: asker.__name__)
async def test_foreign_run_in_progress_is_answered_as_an_absent_one(use, asker):
    chat = await asker()
    use("SlowServer")
    SlowServer.gate = asyncio.Event()
    owner = Chat()
    answer = await owner.begin_saying("hi")
    await answer.until('"one "')
    for foreign, other in (
        (await chat.stop(answer.run_id), await chat.stop("run_absent")),
        (await (await chat.follow(answer.run_id)).rest(), await (await chat.follow("run_absent")).rest()),
    ):
        assert (foreign.status, foreign.json()) == (404, {"message": GONE})
        assert seen(foreign) == seen(other)
    SlowServer.gate.set()
    assert (await answer.rest()).text() == "one two"


# --- The admin ----------------------------------------------------------------------------------------------

SHARED = {"label", "used_label", "cannedreply"}
ABSENT = 987_654_321
STAFF_PAGES = {
    name: doing
    for name, doing in {**DOINGS, **SITE_PAGES}.items()
    if set(re.findall(r"\{(\w+)\}", f"{doing.path} {doing.data}")) - SHARED
}


def nothing(user: Any, threads: Any) -> Any:
    """A scope."""
    return threads.none()


@pytest.fixture
def named_rows(world: dict[str, Any]) -> dict[str, Any]:  # noqa: F811
    """One of everything, each of it of the same thread."""
    thread = Thread.objects.get(pk=world["thread"])
    entry = AuditEntry.objects.create(action="lock", actor_name="colleague", thread_key=thread.public_id)
    kind = ContentType.objects.get_for_model(Thread)
    return {**world, "auditentry": entry.pk, "thread_key": thread.public_id, "content_type": kind.pk}


class Undone(Exception):
    pass


def told(client: Client, doing: Doing, ids: dict[str, Any]) -> tuple[Any, ...]:
    """What a request is answered, without the numbers in it. What it does is undone."""
    path, data = APP + filled(doing.path, ids), filled(doing.data, ids)
    how: dict[str, Any] = {"content_type": "application/json"} if doing.json else {}
    response: Any = client.get(path) if data is None else client.post(path, data, **how)
    content = b"".join(response.streaming_content) if response.streaming else response.content
    messages = [str(text) for text in get_messages(response.wsgi_request)]
    answer = [content.decode(errors="replace"), response.headers.get("Location", ""), *messages]
    answer = [
        re.sub(r'name="csrfmiddlewaretoken" value="\w+"|thr_\w+|msg_\w+|\d+', "…", text) for text in answer
    ]
    return response.status_code, *answer


@pytest.mark.django_db
@pytest.mark.parametrize("staff", ["out of scope", "without permission"])
@pytest.mark.parametrize("doing", STAFF_PAGES.values(), ids=STAFF_PAGES.keys())
def test_staff_are_told_the_same_of_foreign_and_absent_rows(
    doing: Doing, staff: str, named_rows: dict[str, Any], settings: Any
) -> None:
    absent_rows = {
        name: value if name in SHARED | {"content_type"} else "absent" if "key" in name else ABSENT
        for name, value in named_rows.items()
    }
    if staff == "out of scope":
        settings.CHATKIT = {"ADMIN_SCOPE": f"{__name__}.nothing"}
        user = User.objects.create_superuser("elsewhere")
    else:
        user = User.objects.create_user("new", is_staff=True)
    before, answers = everything(), []
    for ids in (named_rows, absent_rows):
        client = Client()
        client.force_login(user)
        try:
            with transaction.atomic():
                answers.append(told(client, doing, ids))
                assert everything() == before
                raise Undone
        except Undone:
            pass
    assert answers[0] == answers[1]
