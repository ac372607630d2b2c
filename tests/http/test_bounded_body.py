"""No more of a body reaches Django, and so the disk, than the endpoint could take."""

from __future__ import annotations

from typing import Any

import pytest

from chatkit_app.asgi import get_asgi_application, share_threads
from chatkit_app.http.bounded_body import bounded
from tests.chat import Chat, encode, message
from tests.store.test_attachments import upload

pytestmark = pytest.mark.django_db(transaction=True)


class Upload:
    """A client that sends a body in pieces of a megabyte, and what an application has got of it."""

    def __init__(self, megabytes: int) -> None:
        self.left = megabytes
        self.got = 0

    async def receive(self) -> dict[str, Any]:
        if self.left == 0:
            return {"type": "http.disconnect"}
        self.left -= 1
        return {"type": "http.request", "body": b"x" * 1_000_000, "more_body": self.left > 0}

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            assert message["type"] == "http.request"
            self.got += len(message["body"])
            more = message["more_body"]
        assert (await receive())["type"] == "http.disconnect"


@pytest.mark.parametrize(
    ("path", "got"),
    [
        ("/chatkit", 2_621_441),
        ("/de/shop/chatkit", 2_621_441),
        ("/chatkit/attachments", 5_065_537),
        ("/chatkit/attachments/atc_1", 5_065_537),
        ("/upload", 30_000_000),
        ("/chatkit/elsewhere", 30_000_000),
    ],
)
async def test_no_more_of_a_body_is_taken_than_the_endpoint_could_use(settings, path, got):
    settings.CHATKIT = {"ATTACHMENTS": {"MAX_SIZE": 5_000_000}}
    upload = Upload(30)
    scope = {"type": "http", "method": "POST", "path": path}
    await share_threads(upload.application)(scope, upload.receive, None)
    assert (upload.got, upload.left) == (got, 0)


async def test_upload_where_the_chat_takes_no_files_is_a_message_at_most():
    upload = Upload(30)
    scope = {"type": "http", "method": "POST", "path": "/chatkit/attachments"}
    await share_threads(upload.application)(scope, upload.receive, None)
    assert upload.got == 2_621_441


async def test_body_within_the_limit_is_passed_on_whole():
    upload = Upload(2)
    scope = {"type": "http", "method": "POST", "path": "/chatkit"}
    await share_threads(upload.application)(scope, upload.receive, None)
    assert upload.got == 2_000_000


async def test_body_without_end_is_not_read_for_ever():
    upload = Upload(1_000_000)
    receive = bounded("/chatkit", upload.receive)
    got, more = 0, True
    while more:
        message = await receive()
        got, more = got + len(message["body"]), message["more_body"]
    assert (got, 1_000_000 - upload.left) == (2_621_441, 108)


async def test_client_that_goes_away_in_what_is_thrown_away_has_gone():
    messages = [
        {"type": "http.request", "body": b"x" * 3_000_000, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    assert (await bounded("/chatkit", receive)())["type"] == "http.disconnect"


@pytest.mark.parametrize("length", [True, False], ids=["announced", "chunked"])
async def test_large_message_is_refused_in_its_stream(settings, length):
    settings.CHATKIT = {"SERVER": "tests.servers.EchoServer"}
    chat = Chat(get_asgi_application())
    reply = await chat.post(encode("threads.create", input=message("x" * 4_000_000)), length=length)
    assert reply.error()["message"] == "The message is too large."


async def test_large_file_is_refused(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.CHATKIT = {"SERVER": "tests.servers.EchoServer", "ATTACHMENTS": {"MAX_SIZE": 1_000_000}}
    chat = Chat(get_asgi_application())
    reply = await upload(chat, b"x" * 3_000_000, "a.txt", "text/plain")
    assert reply.status == 413
    assert list(tmp_path.iterdir()) == []
