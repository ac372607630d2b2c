"""Files: what is taken from whom, where it is kept, who gets it back, and when it goes."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import urlsplit

import pytest
from chatkit.store import AttachmentStore
from chatkit.types import AttachmentCreateParams
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.handlers.asgi import ASGIHandler
from django.db import OperationalError
from django.test import Client
from django.urls import clear_script_prefix
from django.utils import timezone
from PIL import Image

from chatkit_app import db
from chatkit_app.conf import chatkit_settings
from chatkit_app.context import RequestContext
from chatkit_app.errors import InvalidRequest, NotSupported, RequestTooLarge
from chatkit_app.models import Attachment, Thread
from chatkit_app.store import DjangoStore, InMemoryStore, NotFoundError, attachments, stored_files
from chatkit_app.store.attachments import DjangoAttachmentStore, file_url, prune_attachments
from chatkit_app.store.file_rules import clean_name
from tests.chat import Chat, Exchange, encode, message
from tests.pictures import JPEG, PNG, picture, png
from tests.servers import EchoServer

pytestmark = pytest.mark.django_db(transaction=True)

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.STORAGES = settings.STORAGES | {
        "chat": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }
    settings.CHATKIT = {"SERVER": "tests.servers.EchoServer", "ATTACHMENTS": {"STORAGE": "chat"}}
    return tmp_path


@pytest.fixture
def limit(settings: Any) -> Any:
    def configure(**keys: Any) -> None:
        settings.CHATKIT = settings.CHATKIT | {"ATTACHMENTS": {"STORAGE": "chat"} | keys}

    return configure


def stored(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def start_upload(
    chat: Chat,
    content: bytes = PNG,
    name: str = "photo.png",
    mime_type: str = "image/png",
    *,
    field: str = "file",
    **options: Any,
) -> Exchange:
    """The direct strategy; returns at once."""
    head = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    body = f"{head}Content-Type: {mime_type}\r\n\r\n".encode() + content + b"\r\n--b--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=b"}
    return chat.start("POST", "/chatkit/attachments", body, headers, **options)


async def upload(chat: Chat, *args: Any, **options: Any) -> Exchange:
    return await start_upload(chat, *args, **options).rest()


async def announce(chat: Chat, **fields: Any) -> dict[str, Any]:
    fields = {"name": "photo.png", "size": len(PNG), "mime_type": "image/png"} | fields
    return (await chat.ask("attachments.create", **fields)).json()


async def put(chat: Chat, url: str, content: bytes = PNG, **options: Any) -> Exchange:
    headers = {"content-type": "image/png"}
    return await (await chat.open("PUT", urlsplit(url).path, content, headers, **options)).rest()


async def get(chat: Chat, url: str) -> Exchange:
    parts = urlsplit(url)
    return await (await chat.open("GET", f"{parts.path}?{parts.query}")).rest()


async def send(chat: Chat, *ids: str, thread_id: str | None = None) -> Exchange:
    if thread_id is None:
        return await chat.ask("threads.create", input=message("look", attachments=list(ids)))
    return await chat.ask(
        "threads.add_user_message", thread_id=thread_id, input=message("look", attachments=list(ids))
    )


async def row(**lookup: Any) -> Attachment:
    """The one row there is, or the one of these values. Read by a worker, whose connection is closed in the end."""
    return await db.run(Attachment.objects.get, **lookup)


async def count(**lookup: Any) -> int:
    return await db.run(Attachment.objects.filter(**lookup).count)


# --- The direct upload --------------------------------------------------------------------------------------


async def test_direct_upload_answers_with_the_attachment(folder):
    reply = (await upload(Chat())).json()
    preview = urlsplit(reply.pop("preview_url"))
    attachment_id = reply.pop("id")
    assert reply == {"name": "photo.png", "mime_type": "image/png", "type": "image"}
    assert (preview.netloc, preview.path) == ("testserver", f"/chatkit/attachments/{attachment_id}/file")
    assert stored(folder) == [PNG]


async def test_direct_upload_of_a_document_has_no_preview():
    reply = (await upload(Chat(), b"%PDF-1.7 x", "plan.pdf", "application/pdf")).json()
    assert (reply["type"], reply["mime_type"]) == ("file", "application/pdf")
    assert "preview_url" not in reply


async def test_stored_name_has_nothing_of_the_clients(folder):
    await upload(Chat(), b"<b>", "../../evil.txt", "text/plain")
    (path,) = [path for path in folder.rglob("*") if path.is_file()]
    assert path.suffix == ""
    assert "evil" not in str(path.relative_to(folder))
    assert (await row()).name == "evil.txt"


async def test_upload_belongs_to_the_visitor_who_gets_an_id_by_it():
    chat = Chat()
    await upload(chat)
    attachment = await row()
    assert len(attachment.visitor_id) == 32
    assert (attachment.size, attachment.payload["metadata"]) == (len(PNG), {"size": len(PNG)})


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_files_that_a_new_visitor_uploads_at_once_can_be_sent_together(order):
    chat = Chat()
    chat.cookies["chatkit_first"] = "5eed" * 8
    uploads = [start_upload(chat), start_upload(chat)]
    for number in order:
        await uploads[number].rest()
    ids = [exchange.json()["id"] for exchange in uploads]
    answer = await send(chat, *ids)
    assert await db.run(Session.objects.count) == 2
    question = next(item for item in await chat.items(answer.thread_id) if item["type"] == "user_message")
    assert [attachment["id"] for attachment in question["attachments"]] == ids


async def test_upload_belongs_to_the_user(django_user_model):
    user = await db.run(get_user_model().objects.create_user, "ada")
    chat = Chat()
    await chat.log_in(user)
    await upload(chat)
    assert (await row()).user_id == user.pk


async def test_upload_without_the_csrf_token_is_refused(folder):
    reply = await upload(Chat(), csrf=False)
    assert (reply.status, list(reply.json())) == (403, ["message"])
    assert stored(folder) == []


async def test_upload_of_nobody_is_refused_where_a_login_is_required(settings, folder):
    settings.CHATKIT = settings.CHATKIT | {"LOGIN_REQUIRED": True}
    assert (await upload(Chat())).status == 401
    assert stored(folder) == []


async def test_upload_that_is_too_large_is_refused_whatever_it_announces(limit, folder):
    limit(MAX_SIZE=1000)
    reply = await upload(Chat(), PNG + b"x" * 1000)
    assert reply.status == 413
    assert reply.json() == {"message": "The file is too large. It may be 1000\xa0bytes at most."}
    assert (stored(folder), await count()) == ([], 0)


async def test_upload_of_exactly_the_largest_size_is_taken(limit):
    limit(MAX_SIZE=len(PNG))
    assert (await upload(Chat())).status == 200


@pytest.mark.parametrize(
    ("name", "mime_type", "content"),
    [
        ("page.html", "text/html", b"<script>"),
        ("photo.svg", "image/svg+xml", SVG),
        ("photo.exe", "image/png", PNG),
        ("photo", "image/png", PNG),
        ("photo.png", "image/png", SVG),
        ("photo.webp", "image/webp", b"RIFF1234WAVE"),
        ("plan.pdf", "application/pdf", b"<html>"),
    ],
)
async def test_upload_of_a_type_that_is_not_taken_is_refused(folder, name, mime_type, content):
    reply = await upload(Chat(), content, name, mime_type)
    assert (reply.status, list(reply.json())) == (400, ["message"])
    assert (stored(folder), await count()) == ([], 0)


@pytest.mark.parametrize(
    ("name", "said", "taken"),
    [
        ("notes.md", "", "text/markdown"),
        ("table.CSV", "application/vnd.ms-excel", "text/csv"),
        ("notes.txt", "text/plain; charset=utf-8", "text/plain"),
        ("photo.PNG", "application/octet-stream", "image/png"),
        ("README", "", None),
    ],
)
async def test_type_comes_from_the_name_when_the_browser_does_not_know_it(name, said, taken):
    assert (await upload(Chat(), PNG, name, said)).json().get("mime_type") == taken


async def test_picture_is_of_the_type_that_its_bytes_are():
    reply = (await upload(Chat(), JPEG, "photo.png", "image/png")).json()
    assert reply["mime_type"] == "image/jpeg"


async def test_picture_of_a_type_that_is_not_accepted_is_refused_though_it_says_another(limit):
    limit(ACCEPT={"image/png": [".png"]})
    assert (await upload(Chat(), JPEG, "photo.png", "image/png")).status == 400


async def test_svg_that_a_site_accepts_is_a_file_and_no_picture(limit):
    limit(ACCEPT={"image/*": []})
    reply = (await upload(Chat(), SVG, "a.svg", "image/svg+xml")).json()
    assert (reply["type"], "preview_url" in reply) == ("file", False)


@pytest.mark.parametrize("field", ["other", "csrfmiddlewaretoken"])
async def test_upload_without_a_file_says_so(field):
    reply = await upload(Chat(), field=field)
    assert (reply.status, reply.json()) == (400, {"message": "There is no file in this request."})


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"garbage", "multipart/form-data; boundary=b"),
        (b"garbage", "multipart/form-data"),
        (b"", ""),
    ],
)
async def test_upload_that_is_none_is_refused_with_a_message(body, content_type):
    exchange = await Chat().open("POST", "/chatkit/attachments", body, {"content-type": content_type})
    reply = await exchange.rest()
    assert (reply.status, list(reply.json())) == (400, ["message"])


async def test_upload_where_the_chat_takes_no_files_is_refused(settings):
    settings.CHATKIT = {"SERVER": "tests.servers.EchoServer"}
    reply = await upload(Chat())
    assert (reply.status, reply.json()) == (400, {"message": "This chat takes no files."})


def test_upload_under_wsgi_is_taken_and_served(client: Client):
    reply = client.post("/chatkit/attachments", {"file": ContentFile(PNG, "photo.png")})
    url = urlsplit(reply.json()["preview_url"])
    assert b"".join(client.get(f"{url.path}?{url.query}").streaming_content) == PNG  # type: ignore[attr-defined]


async def test_upload_that_fails_in_the_storage_leaves_nothing(monkeypatch, folder, caplog):
    monkeypatch.setattr(stored_files, "attachment_storage", lambda: 1 / 0)
    reply = await upload(Chat())
    assert (reply.status, list(reply.json())) == (500, ["message"])
    assert await count() == 0


class FullStorage(FileSystemStorage):
    """Has room for half of each file."""

    error = OSError(errno.ENOSPC, "No space left on device")

    def _save(self, name: str, content: Any) -> str:
        half = content.read()[: content.size // 2]
        super()._save(name, ContentFile(half))
        raise self.error


class FullOfOriginals(FullStorage):
    """Has no room for the preview."""

    def _save(self, name: str, content: Any) -> str:
        if name.endswith("-preview"):
            return super()._save(name, content)
        return FileSystemStorage._save(self, name, content)


NO_ROOM = {"message": "There is no room for the file just now. Please try again later."}


def use_storage(settings: Any, folder: Path, name: str) -> None:
    backend = {"BACKEND": f"tests.store.test_attachments.{name}", "OPTIONS": {"location": folder}}
    settings.STORAGES = settings.STORAGES | {"chat": backend}


@pytest.mark.parametrize("storage", ["FullStorage", "FullOfOriginals"])
async def test_upload_to_a_full_disk_is_refused_with_a_sentence_and_leaves_nothing(settings, folder, storage):
    use_storage(settings, folder, storage)
    reply = await upload(Chat(), png(2000, 10))
    assert (reply.status, reply.json()) == (507, NO_ROOM)
    assert stored(folder) == []
    assert await count() == 0


async def test_announced_file_can_be_sent_again_when_there_is_room(settings, folder):
    chat = Chat()
    announced = await announce(chat)
    use_storage(settings, folder, "FullStorage")
    assert (await put(chat, announced["upload_descriptor"]["url"])).status == 507
    assert stored(folder) == []
    settings.STORAGES = settings.STORAGES | {
        "chat": settings.STORAGES["chat"] | {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    }
    assert (await put(chat, announced["upload_descriptor"]["url"])).status == 200
    assert stored(folder) == [PNG]


async def test_upload_that_fails_in_another_way_leaves_nothing_either(settings, folder, monkeypatch):
    monkeypatch.setattr(FullStorage, "error", OSError(errno.EIO, "Input/output error"))
    use_storage(settings, folder, "FullStorage")
    assert (await upload(Chat())).status == 500
    assert stored(folder) == []


async def test_upload_that_finds_no_room_for_its_temporary_file_is_refused(monkeypatch):
    class Full(SpooledTemporaryFile):  # type: ignore[type-arg]
        def write(self, *args: Any) -> Any:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("chatkit_app.views.uploads.SpooledTemporaryFile", Full)
    chat = Chat()
    reply = await put(chat, (await announce(chat))["upload_descriptor"]["url"])
    assert (reply.status, reply.json()) == (507, NO_ROOM)


async def test_file_that_is_longer_than_announced_is_refused(folder):
    chat = Chat()
    announced = await announce(chat, size=len(PNG) - 1)
    reply = await put(chat, announced["upload_descriptor"]["url"])
    message = "The file is larger than it was said to be. Remove it and send it again."
    assert (reply.status, reply.json()) == (400, {"message": message})
    assert stored(folder) == []


# --- Pixels -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (png(30_000, 30_000, rows=1), "image/png"),
        (png(7_100, 7_100, rows=1), "image/png"),
        (b"GIF89a" + b"\xff\x7f\xff\x7f" + picture("GIF")[10:], "image/gif"),
        (picture("JPEG").replace(b"\x00\x01\x00\x01\x03", b"\x7f\xff\x7f\xff\x03"), "image/jpeg"),
    ],
    ids=["png", "png just above", "gif", "jpeg"],
)
async def test_picture_of_too_many_pixels_is_refused(folder, content, mime_type):
    reply = await upload(Chat(), content, f"a.{mime_type[6:]}", mime_type)
    message = "The picture is too large. It can have 50 million pixels at most."
    assert (reply.status, reply.json()) == (413, {"message": message})
    assert stored(folder) == []


async def test_pixels_that_a_picture_may_have_are_a_setting(limit):
    limit(MAX_PIXELS=1_000_000)
    assert (await upload(Chat(), png(1000, 1000))).status == 200
    reply = await upload(Chat(), png(1000, 1001))
    assert (reply.status, reply.json()) == (
        413,
        {"message": "The picture is too large. It can have 1 million pixels at most."},
    )


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n" + b"p" * 100, png(2000, 2000, rows=3), JPEG[:20]],
    ids=["no head", "cut off", "cut off in the head"],
)
async def test_picture_that_cannot_be_read_is_refused(folder, content):
    reply = await upload(Chat(), content, "a.png", "image/png")
    assert (reply.status, reply.json()) == (
        400,
        {"message": "The file is not a picture that can be sent here."},
    )
    assert stored(folder) == []


@pytest.mark.parametrize(
    ("content", "name", "size"),
    [
        (png(2000, 1000), "a.png", (1024, 512)),
        (picture("JPEG", 1500, 3000), "a.jpg", (512, 1024)),
        (picture("PNG", 2048, 4, mode="RGBA"), "a.png", (1024, 2)),
    ],
    ids=["wide", "high", "transparent"],
)
async def test_large_picture_is_shown_as_a_small_one(folder, content, name, size):
    chat = Chat()
    sent = (await upload(chat, content, name, "")).json()
    shown = await get(chat, sent["preview_url"])
    assert (shown.status, shown.headers["content-type"]) == (200, "image/webp")
    assert int(shown.headers["content-length"]) == len(shown.body)
    assert Image.open(BytesIO(shown.body)).size == size
    assert (await get(chat, sent["preview_url"].removesuffix("&preview=1"))).body == content


async def test_small_picture_is_shown_as_it_is(folder):
    chat = Chat()
    content = png(1024, 1024)
    sent = (await upload(chat, content)).json()
    shown = await get(chat, sent["preview_url"])
    assert (shown.headers["content-type"], shown.body) == ("image/png", content)
    assert stored(folder) == [content]


async def test_small_picture_goes_with_the_large_one(folder):
    chat = Chat()
    sent = (await upload(chat, png(2000, 1000))).json()
    assert len(stored(folder)) == 2
    await chat.ask("attachments.delete", attachment_id=sent["id"])
    assert stored(folder) == []


async def test_upload_is_stored_once_when_the_database_breaks_off_before_its_row(monkeypatch, folder):
    encode_attachment = attachments.codec.encode_attachment
    calls = []

    def breaking(attachment: Any) -> Any:
        calls.append(attachment)
        if len(calls) == 2:
            raise OperationalError
        return encode_attachment(attachment)

    monkeypatch.setattr(attachments.codec, "encode_attachment", breaking)
    reply = await upload(Chat())
    assert (reply.status, len(calls)) == (200, 3)
    assert (await row()).size == len(PNG)
    assert stored(folder) == [PNG]


async def test_upload_is_stored_once_when_the_database_breaks_off_after_its_row(monkeypatch, folder):
    receive, calls = DjangoAttachmentStore._receive, []

    def breaking(*arguments: Any) -> Any:
        attachment = receive(*arguments)
        calls.append(attachment)
        if len(calls) == 1:
            raise OperationalError
        return attachment

    monkeypatch.setattr(DjangoAttachmentStore, "_receive", breaking)
    reply = await upload(Chat())
    assert (reply.status, len(calls)) == (200, 2)
    assert stored(folder) == [PNG]


# --- The upload in two phases -------------------------------------------------------------------------------


async def test_announced_file_has_an_upload_url_and_then_its_bytes(folder):
    chat = Chat()
    announced = await announce(chat)
    attachment_id = announced["id"]
    assert announced["upload_descriptor"] == {
        "url": f"http://testserver/chatkit/attachments/{attachment_id}",
        "method": "PUT",
        "headers": {},
    }
    assert stored(folder) == []
    reply = await put(chat, announced["upload_descriptor"]["url"])
    assert reply.status == 200
    assert (reply.json()["id"], "upload_descriptor" in reply.json()) == (attachment_id, False)
    assert stored(folder) == [PNG]
    assert (
        (await row(public_id=attachment_id)).size,
        (await row(public_id=attachment_id)).payload["upload_descriptor"],
    ) == (
        len(PNG),
        None,
    )


async def test_announced_file_is_uploaded_once(folder):
    chat = Chat()
    url = (await announce(chat))["upload_descriptor"]["url"]
    await put(chat, url)
    reply = await put(chat, url, PNG + b"other")
    assert (reply.status, reply.json()) == (400, {"message": "This file has been uploaded already."})
    assert stored(folder) == [PNG]


async def test_announced_file_of_somebody_else_does_not_exist(folder):
    url = (await announce(Chat()))["upload_descriptor"]["url"]
    assert (await put(Chat(), url)).status == 404
    assert stored(folder) == []


@pytest.mark.parametrize("attachment_id", ["atc_unknown", "%00", "x" * 300])
async def test_unknown_file_cannot_be_uploaded(attachment_id):
    assert (await put(Chat(), f"/chatkit/attachments/{attachment_id}")).status == 404


async def test_announced_file_without_the_csrf_token_is_refused(folder):
    chat = Chat()
    url = (await announce(chat))["upload_descriptor"]["url"]
    assert (await put(chat, url, csrf=False)).status == 403
    assert stored(folder) == []


async def test_announced_file_that_is_larger_than_it_said_is_refused(limit, folder):
    limit(MAX_SIZE=200)
    chat = Chat()
    url = (await announce(chat, size=1))["upload_descriptor"]["url"]
    assert (await put(chat, url, PNG + b"x" * 200)).status == 413
    assert stored(folder) == []


async def test_file_that_announces_too_much_is_refused(limit):
    limit(MAX_SIZE=200)
    reply = await Chat().ask("attachments.create", name="a.png", size=201, mime_type="image/png")
    assert reply.status == 413
    assert await count() == 0


async def test_announced_file_of_another_content_is_refused(folder):
    chat = Chat()
    url = (await announce(chat))["upload_descriptor"]["url"]
    assert (await put(chat, url, SVG)).status == 400
    assert stored(folder) == []


async def test_announced_file_that_was_not_uploaded_cannot_be_sent():
    chat = Chat()
    answer = await send(chat, (await announce(chat))["id"])
    assert (
        answer.error()["message"] == "photo.png has not been uploaded completely. Remove it, or wait for it."
    )
    assert await db.run(Thread.objects.count) == 0


# --- Messages -----------------------------------------------------------------------------------------------


async def test_message_shows_its_picture_signed_again_on_every_load(monkeypatch):
    chat = Chat()
    attachment = (await upload(chat)).json()
    monkeypatch.setattr(attachments.TimestampSigner, "timestamp", lambda self: "1vMjzz")
    answer = await send(chat, attachment["id"])
    urls = [answer.events()[1]["item"]["attachments"][0]["preview_url"]]
    urls.append((await chat.items(answer.thread_id))[0]["attachments"][0]["preview_url"])
    thread = (await chat.ask("threads.get_by_id", thread_id=answer.thread_id)).json()
    urls.append(thread["items"]["data"][0]["attachments"][0]["preview_url"])
    assert [url.partition("=")[2].partition("%3A")[0] for url in urls] == ["1vMjzz"] * 3
    assert {url.partition("?")[0] for url in urls} == {attachment["preview_url"].partition("?")[0]}


async def test_replayed_message_shows_its_picture_signed_again(monkeypatch):
    from chatkit_app.runs.registry import live_runs

    chat = Chat()
    answer = await send(chat, (await upload(chat)).json()["id"])
    monkeypatch.setattr(attachments.TimestampSigner, "timestamp", lambda self: "1vMjzz")
    live_runs.clear()
    replayed = await (await chat.follow(answer.run_id)).rest()
    (item,) = [
        event["item"]
        for event in replayed.events()
        if event["type"] == "thread.item.done" and event["item"]["type"] == "user_message"
    ]
    assert "signature=1vMjzz" in item["attachments"][0]["preview_url"]


async def test_url_of_another_sites_picture_is_left_alone(settings):
    from chatkit_app.testing.sample_items import sample_attachments

    chat = Chat()
    await upload(chat)
    mine = await row()
    image = sample_attachments()[1].model_copy(update={"upload_descriptor": None})
    context = RequestContext(visitor_id=mine.visitor_id)
    await DjangoStore().save_attachment(image, context)
    answer = await send(chat, "atc_image")
    shown = answer.events()[1]["item"]["attachments"][0]
    assert shown["preview_url"] == "https://example.com/photo.png?size=1"


async def test_message_with_more_files_than_allowed_is_refused(limit):
    limit(MAX_COUNT=1)
    chat = Chat()
    ids = [(await upload(chat)).json()["id"] for _ in range(2)]
    assert (await send(chat, *ids)).error()["message"] == "A message can have 1 files at most."
    assert (await send(chat, ids[0])).text() == "echo: look"


async def test_file_of_one_conversation_cannot_be_sent_in_another():
    chat = Chat()
    attachment_id = (await upload(chat)).json()["id"]
    first = await send(chat, attachment_id)
    assert (await send(chat, attachment_id)).error()["message"] == (
        "photo.png belongs to another conversation. Remove it, and upload it again."
    )
    assert (await send(chat, attachment_id, thread_id=first.thread_id)).text() == "echo: look"


async def test_file_of_somebody_else_is_as_absent_as_one_that_never_was():
    for attachment_id in ((await upload(Chat())).json()["id"], "atc_never"):
        refused = await send(Chat(), attachment_id)
        assert [event["type"] for event in refused.events()] == ["error"]
        assert refused.error()["message"] == "A file is not there any more. Remove it, or upload it again."


# --- Serving ------------------------------------------------------------------------------------------------


async def test_picture_is_shown_to_whoever_has_the_signed_url():
    url = (await upload(Chat())).json()["preview_url"]
    reply = await get(Chat(), url)
    assert (reply.status, reply.body) == (200, PNG)
    names = (
        "content-type",
        "content-disposition",
        "content-length",
        "x-content-type-options",
        "content-security-policy",
        "cross-origin-resource-policy",
        "cache-control",
    )
    assert [reply.headers[name] for name in names] == [
        "image/png",
        'inline; filename="photo.png"',
        str(len(PNG)),
        "nosniff",
        "default-src 'none'; sandbox",
        "cross-origin",
        "private, max-age=3600",
    ]


@pytest.mark.parametrize(
    ("name", "mime_type", "content"),
    [
        ("page.html", "text/html", b"<script>alert(1)</script>"),
        ("a.svg", "image/svg+xml", SVG),
        ("a.txt", "text/plain", b"<script>"),
    ],
)
async def test_everything_but_pictures_is_a_download(limit, name, mime_type, content):
    limit(ACCEPT={"text/*": [], "image/*": []})
    attachment_id = (await upload(Chat(), content, name, mime_type)).json()["id"]
    reply = await get(Chat(), file_url(attachment_id, "/chatkit"))
    assert (reply.status, reply.body) == (200, content)
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["content-disposition"] == f'attachment; filename="{name}"'


async def test_name_of_a_download_breaks_no_header():
    chat = Chat()
    announced = await announce(chat, name='a"\r\nX-Evil: 1\u202egpj.日.png')
    await put(chat, announced["upload_descriptor"]["url"])
    reply = await get(Chat(), announced["preview_url"])
    assert "x-evil" not in reply.headers
    assert (
        reply.headers["content-disposition"] == "inline; filename*=utf-8''a%22X-Evil%3A%201gpj.%E6%97%A5.png"
    )


async def test_url_of_another_file_opens_nothing():
    chat = Chat()
    first, second = [(await upload(chat)).json() for _ in range(2)]
    signature = urlsplit(first["preview_url"]).query
    assert (await get(chat, f"/chatkit/attachments/{second['id']}/file?{signature}")).status == 404


@pytest.mark.parametrize("query", ["", "signature=", "signature=a:b", "signature=%00", "other=1"])
async def test_url_without_a_good_signature_opens_nothing_even_for_the_owner(query):
    chat = Chat()
    attachment_id = (await upload(chat)).json()["id"]
    reply = await get(chat, f"/chatkit/attachments/{attachment_id}/file?{query}")
    assert (reply.status, list(reply.json())) == (404, ["message"])


async def test_expired_url_opens_nothing(limit, monkeypatch):
    url = (await upload(Chat())).json()["preview_url"]
    limit(URL_EXPIRY=60)
    assert (await get(Chat(), url)).status == 200
    later = timezone.now().timestamp() + 61
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert (await get(Chat(), url)).status == 404


async def test_url_of_a_file_that_was_not_uploaded_opens_nothing():
    assert (await get(Chat(), (await announce(Chat()))["preview_url"])).status == 404


async def test_file_that_is_missing_in_the_storage_does_not_exist(folder):
    url = (await upload(Chat())).json()["preview_url"]
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.unlink()
    assert (await get(Chat(), url)).status == 404


async def test_large_file_comes_whole(limit):
    content = PNG + bytes(range(256)) * 4096
    url = (await upload(Chat(), content)).json()["preview_url"]
    assert (await get(Chat(), url)).body == content


async def test_second_endpoint_has_its_files_beside_it(settings):
    settings.ROOT_URLCONF = "tests.store.test_attachments"
    chat = Chat(path="/shop/chatkit")
    announced = await announce(chat)
    assert announced["upload_descriptor"]["url"].startswith("http://testserver/shop/chatkit/attachments/")
    assert (await put(chat, announced["upload_descriptor"]["url"])).status == 200
    assert (await get(chat, announced["preview_url"])).body == PNG


def _urlpatterns() -> list[Any]:
    from django.urls import include, path

    from chatkit_app.urls import endpoint

    return [path("shop/", include((endpoint(namespace="shop"), "chatkit")))]


urlpatterns = _urlpatterns()


# --- Deleting -----------------------------------------------------------------------------------------------


async def test_deleted_attachment_takes_its_bytes_along(folder):
    chat = Chat()
    attachment_id = (await upload(chat)).json()["id"]
    reply = await chat.ask("attachments.delete", attachment_id=attachment_id)
    assert (reply.status, reply.json()) == (200, {})
    assert (stored(folder), await count()) == ([], 0)


async def test_attachment_of_a_message_is_not_deleted(folder):
    chat = Chat()
    attachment_id = (await upload(chat)).json()["id"]
    await send(chat, attachment_id)
    reply = await chat.ask("attachments.delete", attachment_id=attachment_id)
    assert reply.status == 400
    assert reply.json() == {"message": "The file is part of a message and cannot be removed."}
    assert stored(folder) == [PNG]


async def test_attachment_of_somebody_else_is_not_deleted(folder):
    attachment_id = (await upload(Chat())).json()["id"]
    assert (await Chat().ask("attachments.delete", attachment_id=attachment_id)).status == 404
    assert stored(folder) == [PNG]


async def test_deleted_thread_takes_its_files_along(folder):
    chat = Chat()
    sent, unsent = [(await upload(chat, content)).json()["id"] for content in (PNG, PNG + b"2")]
    answer = await send(chat, sent)
    assert (await chat.ask("threads.delete", thread_id=answer.thread_id)).status == 200
    assert stored(folder) == [PNG + b"2"]
    assert (await row()).public_id == unsent


async def test_deleted_user_takes_the_files_along(folder):
    user = await db.run(get_user_model().objects.create_user, "ada")
    chat = Chat()
    await chat.log_in(user)
    await upload(chat)
    await db.run(user.delete)
    assert stored(folder) == []


def test_bytes_stay_when_the_deletion_is_rolled_back(folder):
    from django.db import transaction

    (folder / "kept").write_bytes(PNG)
    attachment = Attachment.objects.create(public_id="a", type="image", name="n", mime_type="m", file="kept")
    with transaction.atomic():
        attachment.delete()
        transaction.set_rollback(True)
    assert stored(folder) == [PNG]


async def test_file_that_was_never_sent_is_deleted_a_day_later(folder):
    chat = Chat()
    sent, old, fresh = [(await upload(chat, PNG + mark)).json()["id"] for mark in (b"1", b"2", b"3")]
    await send(chat, sent)
    yesterday = timezone.now() - timedelta(days=1, minutes=1)
    await db.run(Attachment.objects.filter(public_id__in=[sent, old]).update, created_at=yesterday)
    assert await db.run(prune_attachments, limit=10) == 1
    assert sorted(stored(folder)) == [PNG + b"1", PNG + b"3"]
    assert set(await db.run(list, Attachment.objects.values_list("public_id", flat=True))) == {sent, fresh}


async def test_new_file_has_old_ones_deleted_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(attachments, "PRUNED_AT_ONCE", 2)
    old = [
        Attachment(
            public_id=f"a{number}",
            visitor_id="gone",
            type="file",
            name="n",
            mime_type="m",
            created_at=timezone.now() - timedelta(days=2),
        )
        for number in range(5)
    ]
    await db.run(Attachment.objects.bulk_create, old)
    await upload(Chat())
    assert await count(visitor_id="gone") == 3


async def test_owner_has_a_bounded_number_of_files_that_were_not_sent(monkeypatch, folder):
    monkeypatch.setattr(attachments, "UNSENT_LIMIT", 3)
    other, chat = Chat(), Chat()
    await upload(other, PNG + b"other")
    answer = await send(chat, (await upload(chat, PNG + b"sent")).json()["id"])
    for number in range(5):
        await upload(chat, PNG + str(number).encode())
    assert answer.text() == "echo: look"
    assert {content.removeprefix(PNG) for content in stored(folder)} == {b"other", b"sent", b"2", b"3", b"4"}


# --- For the model ------------------------------------------------------------------------------------------


async def test_files_are_read_as_far_as_they_fit():
    chat = Chat()
    ids = [(await upload(chat, PNG + mark * 10)).json()["id"] for mark in (b"1", b"2", b"3")]
    context = RequestContext(visitor_id=(await row(public_id=ids[0])).visitor_id)
    store = DjangoStore()
    files = [await store.load_attachment(attachment_id, context) for attachment_id in ids]
    found = await DjangoAttachmentStore().read(files, context, limit=2 * len(PNG) + 30)
    assert list(found) == ids[:2]
    assert found[ids[1]] == PNG + b"2" * 10


async def test_files_of_somebody_else_are_not_read():
    chat = Chat()
    attachment_id = (await upload(chat)).json()["id"]
    owner = RequestContext(visitor_id=(await row(public_id=attachment_id)).visitor_id)
    attachment = await DjangoStore().load_attachment(attachment_id, owner)
    stranger = RequestContext(visitor_id="stranger")
    assert await DjangoAttachmentStore().read([attachment], stranger, limit=10**6) == {}


# --- The server's store -------------------------------------------------------------------------------------


def test_server_has_a_store_as_soon_as_the_setting_is_there(settings):
    server = EchoServer()
    assert isinstance(server.attachment_store, DjangoAttachmentStore)
    settings.CHATKIT = {}
    assert server.attachment_store is None


def test_servers_own_store_is_kept():
    class Bucket(AttachmentStore[RequestContext]):
        async def delete_attachment(self, attachment_id: str, context: RequestContext) -> None: ...

    bucket = Bucket()
    assert EchoServer(attachment_store=bucket).attachment_store is bucket


def test_server_without_rows_has_no_store():
    assert EchoServer(InMemoryStore()).attachment_store is None


async def test_store_without_the_setting_takes_nothing(settings):
    settings.CHATKIT = {}
    announced = AttachmentCreateParams(name="a.png", size=1, mime_type="image/png")
    with pytest.raises(NotSupported):
        await DjangoAttachmentStore().create_attachment(announced, RequestContext(visitor_id="v"))


async def test_store_refuses_by_name_and_size():
    store, context = DjangoAttachmentStore(), RequestContext(visitor_id="v")
    with pytest.raises(InvalidRequest):
        await store.create_attachment(
            AttachmentCreateParams(name="a.html", size=1, mime_type="text/html"), context
        )
    with pytest.raises(RequestTooLarge):
        await store.create_attachment(
            AttachmentCreateParams(name="a.png", size=2**40, mime_type="image/png"), context
        )
    with pytest.raises(NotFoundError):
        await store.receive("atc_unknown", ContentFile(PNG), context)


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("photo.png", "photo.png"),
        ("C:\\fakepath\\photo.png", "photo.png"),
        ("../../etc/passwd", "passwd"),
        ("", "file"),
        ("..", "file"),
        (".htaccess", "htaccess"),
        ("a\x00b\n.txt", "ab.txt"),
        ("x" * 300 + ".png", "x" * 196 + ".png"),
        ("Überraschung.pdf", "Überraschung.pdf"),
    ],
)
def test_name_is_cleaned(given, clean):
    assert clean_name(given) == clean


def test_settings_left_out_have_their_defaults(settings):
    settings.CHATKIT = {"ATTACHMENTS": {"MAX_SIZE": 5}}
    found = chatkit_settings.attachments
    assert found is not None
    assert (found.storage, found.max_size, found.max_count, found.url_expiry) == ("default", 5, 10, 3600)
    assert found.accept["image/jpeg"] == [".jpg", ".jpeg"]


async def test_body_with_other_fields_has_its_file_taken():
    body = (
        b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nx\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=b"}
    reply = await (await Chat().open("POST", "/chatkit/attachments", body, headers)).rest()
    assert reply.json()["name"] == "a.txt"


async def test_create_by_the_endpoint_is_refused_where_the_chat_takes_no_files(settings):
    settings.CHATKIT = {"SERVER": "tests.servers.EchoServer"}
    reply = await Chat().post(encode("attachments.create", name="a.png", size=1, mime_type="image/png"))
    assert (reply.status, json.loads(reply.body)) == (400, {"message": "This chat takes no files."})


async def test_signed_url_needs_no_login_where_the_site_requires_one(settings):
    url = (await upload(Chat())).json()["preview_url"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert (await get(Chat(), url)).status == 200
    assert (await upload(Chat())).status == 401


# --- Below a prefix -----------------------------------------------------------------------------------------


async def previews(chat: Chat) -> set[str]:
    """Without their signatures, the addresses of a picture in each place that tells one."""
    sent = (await upload(chat)).json()
    announced = await announce(chat)
    answer = await send(chat, sent["id"])
    followed = await (await chat.follow(answer.run_id)).rest()
    items = await chat.items(answer.thread_id)
    urls = [sent["preview_url"], announced["preview_url"]]
    urls += [announced["upload_descriptor"]["url"]]
    urls += [
        events[1]["item"]["attachments"][0]["preview_url"] for events in (answer.events(), followed.events())
    ]
    urls += [items[0]["attachments"][0]["preview_url"]]
    return {url.partition("?")[0].replace(announced["id"], "ID").replace(sent["id"], "ID") for url in urls}


BELOW = {"http://testserver/app/chatkit/attachments/ID", "http://testserver/app/chatkit/attachments/ID/file"}


async def test_addresses_of_files_have_the_prefix_that_a_proxy_strips(settings: Any) -> None:
    settings.FORCE_SCRIPT_NAME = "/app"
    assert await previews(Chat()) == BELOW


@pytest.mark.parametrize("forced", [None, "/app"])
async def test_addresses_of_files_have_the_prefix_of_the_server_once(
    settings: Any, forced: str | None
) -> None:
    settings.FORCE_SCRIPT_NAME = forced

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await ASGIHandler()({**scope, "root_path": "/app", "path": f"/app{scope['path']}"}, receive, send)

    assert await previews(Chat(mounted)) == BELOW


@pytest.fixture
def script_prefix() -> Iterator[None]:
    """Django keeps that of the last request in the thread."""
    yield
    clear_script_prefix()


@pytest.mark.usefixtures("script_prefix")
def test_addresses_of_files_have_the_prefix_under_wsgi(settings: Any, client: Client) -> None:
    settings.FORCE_SCRIPT_NAME = "/app"
    reply = client.post("/chatkit/attachments", {"file": ContentFile(PNG, "photo.png")})
    assert reply.json()["preview_url"].startswith("http://testserver/app/chatkit/attachments/")
