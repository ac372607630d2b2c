"""Images that the model makes, from the model's stream over HTTP to the storage, the browser, and the model again."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest
from agents import Agent, ImageGenerationTool, Model, OpenAIResponsesModel, function_tool
from chatkit.agents import ResponseStreamConverter, ThreadItemConverter
from chatkit.types import GeneratedImage, GeneratedImageItem, ThreadItemDoneEvent, ThreadItemReplacedEvent
from django.contrib.auth import get_user_model
from django.core import signing
from django.core.files.storage import FileSystemStorage
from django.utils import timezone

from chatkit_app import db
from chatkit_app.agents import AgentChatKitServer, server
from chatkit_app.models import Attachment, EarlierItem, Run, Thread, ThreadItem
from chatkit_app.moderation import exports
from chatkit_app.moderation.exports import Export, Format
from chatkit_app.moderation.redaction import redact
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.store import InMemoryStore
from chatkit_app.store.attachments import prune_attachments
from chatkit_app.store.stored_files import UNSENT_AGE
from tests.chat import Chat, Exchange
from tests.openai_server import ImageCall, Turn
from tests.pictures import PNG, WEBP, png

pytestmark = pytest.mark.django_db(transaction=True)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def drawn(content: bytes = PNG, **fields: Any) -> ImageCall:
    return ImageCall(result=encoded(content), **fields)


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }
    return tmp_path


@pytest.fixture(autouse=True)
def draw(openai_client: openai.AsyncOpenAI, settings: Any, folder: Path) -> Callable[..., None]:
    """A site whose agent makes images; called with other settings of the app, or of the agent."""
    model: Model = OpenAIResponsesModel(model="gpt-test", openai_client=openai_client)

    def configure(tools: tuple[Any, ...] = (), **keys: Any) -> None:
        tool = ImageGenerationTool(tool_config={"type": "image_generation", "partial_images": 2})
        agent = Agent(name="Painter", model=model, tools=[tool, *tools])
        settings.CHATKIT = {"AGENT": agent, "CHECKPOINT_INTERVAL": 0.05, **keys}

    configure()
    return configure


def stored(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def of_image(exchange: Exchange) -> list[str]:
    """What happened to items of images, and to items that were taken away."""
    return [
        event["type"].removeprefix("thread.item.")
        for event in exchange.events()
        if event.get("item", {}).get("type") == "generated_image"
        or event.get("update", {}).get("type") == "generated_image.updated"
        or event["type"] == "thread.item.removed"
    ]


def images(exchange: Exchange) -> list[str]:
    """The URLs of the finished images."""
    return [
        event["item"]["image"]["url"]
        for event in exchange.events()
        if event["type"] == "thread.item.done" and event["item"]["type"] == "generated_image"
    ]


async def get(chat: Chat, url: str) -> Exchange:
    parts = urlsplit(url)
    return await (await chat.open("GET", f"{parts.path}?{parts.query}")).rest()


async def kinds(chat: Chat, thread_id: str) -> list[str]:
    return [item["type"] for item in await chat.items(thread_id)]


async def rows() -> list[dict[str, Any]]:
    return await db.run(lambda: list(Attachment.objects.order_by("pk").values()))


async def everything() -> str:
    """All that the database holds of conversations."""
    found = await db.run(
        lambda: [list(model.objects.values()) for model in (Thread, ThreadItem, Attachment, Run)]
    )
    return json.dumps(found, default=str)


def sent_images(request: Any) -> list[bytes]:
    """The images in a request to the model."""
    urls = [
        part["image_url"]
        for item in request.body["input"]
        if isinstance(item.get("content"), list)
        for part in item["content"]
        if part["type"] == "input_image"
    ]
    return [base64.b64decode(url.partition("base64,")[2]) for url in urls]


# --- Kept and shown -----------------------------------------------------------------------------------------


async def test_image_is_kept_in_the_storage_and_shown_by_a_signed_url(api, folder):
    api.script(Turn(images=(drawn(),), text="Here it is"))
    chat = Chat()

    answer = await chat.say("Draw a cat")

    (url,) = images(answer)
    shown = await get(chat, url)
    assert (shown.status, shown.headers["content-type"], shown.body) == (200, "image/png", PNG)
    assert stored(folder) == [PNG]
    assert answer.text() == "Here it is"
    assert await kinds(chat, answer.thread_id) == ["user_message", "generated_image", "assistant_message"]


async def test_row_of_an_image_is_an_attachment_of_its_thread(api):
    api.script(Turn(images=(drawn(WEBP),), text="Done"))
    chat = Chat()

    answer = await chat.say("Draw a cat")

    (row,) = await rows()
    thread = await db.run(Thread.objects.get, public_id=answer.thread_id)
    assert (row["thread_id"], row["visitor_id"]) == (thread.pk, thread.visitor_id)
    assert (row["type"], row["name"], row["mime_type"], row["size"]) == (
        "image",
        "image.webp",
        "image/webp",
        112,
    )


async def test_no_row_holds_an_image_or_a_signature(api):
    unfinished = PNG + b"unfinished" * 100
    api.script(Turn(images=(drawn(partials=(encoded(unfinished),), delay=0.3),), text="Done"))

    await Chat().say("Draw a cat")

    found = await everything()
    assert "base64" not in found
    assert encoded(PNG)[:40] not in found
    (item,) = await db.run(lambda: list(ThreadItem.objects.filter(type="generated_image")))
    assert "signature" not in item.payload["image"]["url"]


async def test_image_is_shown_while_it_is_made(api):
    api.script(Turn(images=(drawn(partials=("Zmlyc3Q=", "c2Vjb25k")),), text="Done"))

    answer = await Chat().say("Draw a cat")

    assert of_image(answer) == ["added", "updated", "updated", "done"]
    updates = [event["update"] for event in answer.events() if "generated_image.updated" in str(event)]
    assert [(update["image"]["url"], round(update["progress"], 2)) for update in updates] == [
        ("data:image/png;base64,Zmlyc3Q=", 0.0),
        ("data:image/png;base64,c2Vjb25k", 0.33),
    ]


async def test_reload_shows_a_fresh_url(api, monkeypatch):
    api.script(Turn(images=(drawn(),), text="Done"))
    chat = Chat()
    answer = await chat.say("Draw a cat")
    (first,) = images(answer)

    two_hours_later = time.time() + 2 * 3600
    monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: two_hours_later))

    assert (await get(chat, first)).status == 404
    thread = (await chat.ask("threads.get_by_id", thread_id=answer.thread_id)).json()
    for item in (thread["items"]["data"][1], (await chat.items(answer.thread_id))[1]):
        assert (await get(chat, item["image"]["url"])).body == PNG


async def test_answer_that_is_followed_again_has_a_url_that_is_signed(api):
    api.script(Turn(images=(drawn(),), text="Done"))
    chat = Chat()
    answer = await chat.say("Draw a cat")
    from chatkit_app.runs.registry import live_runs

    live_runs.clear()  # as in another process

    followed = await (await chat.follow(answer.run_id)).rest()

    (url,) = images(followed)
    assert (await get(chat, url)).body == PNG


async def test_somebody_else_gets_neither_the_item_nor_the_file(api):
    api.script(Turn(images=(drawn(),), text="Done"))
    answer = await Chat().say("Draw a cat")
    (url,) = images(answer)

    stranger = Chat()

    assert (await stranger.ask("items.list", thread_id=answer.thread_id, order="asc")).status == 404
    assert (await get(stranger, url.partition("?")[0])).status == 404
    assert (await get(stranger, url[:-3] + "abc")).status == 404


async def test_image_goes_into_the_storage_of_attachments(api, settings, tmp_path_factory, folder, draw):
    private = tmp_path_factory.mktemp("private")
    settings.STORAGES = settings.STORAGES | {
        "chat": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": private},
        }
    }
    # What users may send is nothing that concerns the model.
    draw(ATTACHMENTS={"STORAGE": "chat", "MAX_SIZE": 5, "ACCEPT": {"text/plain": [".txt"]}})
    api.script(Turn(images=(drawn(),), text="Done"))
    await Chat().say("Draw a cat")
    assert (stored(private), stored(folder)) == ([PNG], [])


async def test_several_images_of_one_answer_are_kept(api, folder):
    api.script(Turn(images=(drawn(PNG + b"1"), drawn(PNG + b"2")), text="Two"))
    chat = Chat()
    answer = await chat.say("Draw two cats")
    assert [(await get(chat, url)).body for url in images(answer)] == [PNG + b"1", PNG + b"2"]


async def test_images_that_are_made_at_once_do_not_take_each_others_place(api):
    calls = (drawn(PNG + b"1", partials=("MQ==",)), drawn(PNG + b"2", partials=("Mg==",)))
    api.script(Turn(images=calls, parallel=True, text="Two"))
    chat = Chat()

    answer = await chat.say("Draw two cats")

    added = [event["item"]["id"] for event in answer.events() if event["type"] == "thread.item.added"][:2]
    items = (await chat.items(answer.thread_id))[1:3]
    assert [item["id"] for item in items] == added
    assert [(await get(chat, item["image"]["url"])).body for item in items] == [PNG + b"1", PNG + b"2"]
    updated = [event["item_id"] for event in answer.events() if "generated_image.updated" in str(event)]
    assert updated == added


class Elsewhere(ResponseStreamConverter):
    async def base64_image_to_url(
        self, image_id: str, base64_image: str, partial_image_index: Any = None
    ) -> str:
        return f"https://images.example.com/{image_id}"


class ElsewhereServer(AgentChatKitServer):
    response_converter = Elsewhere()


async def test_image_that_the_sites_converter_keeps_stays_where_it_is(api, folder, draw):
    draw(SERVER="tests.provider.test_generated_images.ElsewhereServer")
    api.script(Turn(images=(drawn(),), text="Done"))
    answer = await Chat().say("Draw a cat")
    assert images(answer) == ["https://images.example.com/ig_1_0"]
    assert stored(folder) == []


class OwnServer(DjangoChatKitServer):
    """Makes images without the Agents SDK."""

    async def respond(self, thread, input_user_message, context):
        url = f"data:image/png;base64,{encoded(PNG)}"
        item = GeneratedImageItem(
            id="drawn",
            thread_id=thread.id,
            created_at=timezone.now(),
            image=GeneratedImage(id="mine", url=url),
        )
        yield ThreadItemDoneEvent(item=item)
        item = item.model_copy(update={"image": GeneratedImage(id="mine", url=url)})
        yield ThreadItemReplacedEvent(item=item)


async def test_image_of_a_server_of_ones_own_is_kept(folder, draw):
    draw(SERVER="tests.provider.test_generated_images.OwnServer")
    chat = Chat()
    answer = await chat.say("Draw a cat")
    assert "base64" not in answer.body.decode()
    assert (await get(chat, (await chat.items(answer.thread_id))[1]["image"]["url"])).body == PNG


async def test_image_of_a_visitor_who_logs_in_meanwhile_belongs_to_the_user(api, client):
    api.script(Turn(images=(drawn(delay=0.5),), text="Done"))
    chat = Chat()
    begun = await chat.begin_saying("Draw a cat")
    await begun.until("generated_image")
    user = await db.run(get_user_model().objects.create_user, "anna", password="secret")

    def claim() -> None:
        thread = Thread.objects.get()
        for model in (Thread, Attachment, Run):
            model.objects.claim(visitor_id=thread.visitor_id, user_id=user.pk)

    await db.run(claim)
    await begun.rest()

    (row,) = await rows()
    assert (row["user_id"], row["visitor_id"]) == (user.pk, "")


# --- Failed -------------------------------------------------------------------------------------------------

BROKEN = {
    "refused": ImageCall(result=None),
    "refused-late": ImageCall(result=None, partials=(encoded(PNG),)),
    "empty": ImageCall(result=""),
    "broken-base64": ImageCall(result="no base64!"),
    "huge-picture": ImageCall(result=encoded(png(30_000, 30_000, rows=1))),
    "no-picture": ImageCall(result=encoded(b"<svg onload=alert(1)>")),
}


@pytest.mark.parametrize("call", BROKEN.values(), ids=BROKEN.keys())
async def test_failed_image_leaves_nothing_and_the_answer_goes_on(call, api, folder):
    api.script(Turn(images=(call,), text="I could not draw it"))
    chat = Chat()

    answer = await chat.say("Draw a cat")

    happened = of_image(answer)
    assert (happened[0], happened[-1]) == ("added", "removed")
    assert answer.text() == "I could not draw it"
    assert "error" not in answer.types()
    assert await kinds(chat, answer.thread_id) == ["user_message", "assistant_message"]
    assert (await rows(), stored(folder)) == ([], [])


async def test_failed_image_is_taken_away_before_the_answer_ends(api):
    api.script(Turn(images=(ImageCall(result=None),), text="I could not draw it", delay=0.1))
    types = (await Chat().say("Draw a cat")).types()
    assert types.index("thread.item.removed") < types.index(
        "thread.item.done", types.index("thread.item.added")
    )


async def test_image_after_a_failed_one_is_kept(api, folder):
    api.script(Turn(images=(ImageCall(result=None), drawn()), text="The second try"))
    chat = Chat()
    answer = await chat.say("Draw a cat")
    assert of_image(answer) == ["added", "removed", "added", "done"]
    assert stored(folder) == [PNG]


class FullStorage(FileSystemStorage):
    def _save(self, name: str, content: Any) -> str:
        raise OSError("No space left on device")


async def test_storage_that_fails_ends_no_answer(api, settings, caplog):
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "tests.provider.test_generated_images.FullStorage"}
    }
    api.script(Turn(images=(drawn(),), text="Done"))
    chat = Chat()

    answer = await chat.say("Draw a cat")

    assert of_image(answer) == ["added", "removed"]
    assert (answer.text(), await kinds(chat, answer.thread_id)) == (
        "Done",
        ["user_message", "assistant_message"],
    )
    assert await rows() == []
    assert "No space left on device" in caplog.text


class FailingConverter(ResponseStreamConverter):
    async def base64_image_to_url(
        self, image_id: str, base64_image: str, partial_image_index: Any = None
    ) -> str:
        raise ConnectionError("bucket away")


class FailingServer(AgentChatKitServer):
    response_converter = FailingConverter()


async def test_converter_that_fails_on_an_image_ends_no_answer(api, draw, caplog):
    draw(SERVER="tests.provider.test_generated_images.FailingServer")
    api.script(Turn(images=(drawn(partials=("MQ==",)),), text="Done"))
    answer = await Chat().say("Draw a cat")
    assert of_image(answer) == ["added", "updated", "removed"]
    assert answer.text() == "Done"
    assert "bucket away" in caplog.text


async def test_stopped_answer_leaves_no_unfinished_image(api, folder):
    api.script(Turn(images=(drawn(partials=(encoded(PNG),), delay=60),), text="Done"))
    chat = Chat()
    begun = await chat.begin_saying("Draw a cat")
    await begun.until("generated_image.updated")

    await chat.stop(begun.run_id)
    await begun.rest()

    assert of_image(begun) == ["added", "updated", "removed"]
    assert await kinds(chat, begun.thread_id) == ["user_message"]
    assert (await rows(), stored(folder)) == ([], [])


async def test_answer_that_breaks_off_leaves_no_unfinished_image(api):
    api.script(Turn(images=(ImageCall(result=None),), text="a b", failed=True))
    chat = Chat()
    answer = await chat.say("Draw a cat")
    assert of_image(answer)[-1] == "removed"
    assert answer.types()[-1] == "error"


class BreakingServer(DjangoChatKitServer):
    async def respond(self, thread, input_user_message, context):
        from chatkit.types import ThreadItemAddedEvent

        item = GeneratedImageItem(id="drawn", thread_id=thread.id, created_at=timezone.now())
        yield ThreadItemAddedEvent(item=item)
        if input_user_message.content[0].text == "fail":
            raise ValueError("broken")


@pytest.mark.parametrize("text", ["fail", "forget"])
async def test_image_that_nobody_finished_is_taken_away(text, draw):
    draw(SERVER="tests.provider.test_generated_images.BreakingServer")
    assert of_image(await Chat().say(text)) == ["added", "removed"]


async def test_image_of_a_thread_that_is_deleted_meanwhile_is_not_kept_for_ever(api, folder):
    api.script(Turn(images=(drawn(delay=0.5),), text="Done"))
    chat = Chat()
    begun = await chat.begin_saying("Draw a cat")
    await begun.until("generated_image")
    await db.run(lambda: Thread.objects.all().delete())
    await begun.rest()

    def prune() -> int:
        Attachment.objects.update(created_at=timezone.now() - 2 * UNSENT_AGE)
        return prune_attachments(limit=10)

    await db.run(prune)
    assert (await rows(), stored(folder)) == ([], [])


# --- The model again ----------------------------------------------------------------------------------------


async def test_model_sees_its_image_again(api):
    api.script(Turn(images=(drawn(),), text="A cat"), "Black now")
    chat = Chat()
    answer = await chat.say("Draw a cat")
    await chat.say("Make it black", answer.thread_id)
    assert sent_images(api.requests[1]) == [PNG]
    assert "signature" not in json.dumps(api.requests[1].body)


async def test_request_of_the_eighth_turn_has_the_newest_images_only(api):
    size = 2_000_000
    pictures = [PNG + bytes([turn]) * size for turn in range(7)]
    api.script(*[Turn(images=(drawn(picture),), text="Drawn") for picture in pictures], "Done")
    chat = Chat()
    thread_id = (await chat.say("Draw")).thread_id
    for _turn in range(7):
        await chat.say("Again", thread_id)

    last = api.requests[-1]
    assert len(api.requests) == 8
    assert sent_images(last) == pictures[4:]
    body = json.dumps(last.body)
    assert body.count("The assistant made an image here.") == 4
    assert 8_000_000 < len(body) < 8_100_000


async def test_images_and_files_share_the_limit_of_bytes(api, monkeypatch):
    monkeypatch.setattr(server, "MODEL_FILE_BYTES", 250)
    turns = [Turn(images=(drawn(PNG + bytes([turn])),), text="Drawn") for turn in range(3)]
    api.script(*turns, "Done")
    chat = Chat()
    thread_id = (await chat.say("Draw")).thread_id
    for _turn in range(3):
        await chat.say("Again", thread_id)
    assert sent_images(api.requests[-1]) == [PNG + b"\x01", PNG + b"\x02"]


async def test_image_whose_file_is_gone_is_told_of(api, folder):
    api.script(Turn(images=(drawn(),), text="A cat"), "Gone")
    chat = Chat()
    answer = await chat.say("Draw a cat")
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    assert (await chat.say("Make it black", answer.thread_id)).text() == "Gone"
    assert "The assistant made an image here." in json.dumps(api.requests[1].body)


class PlainConverter(ThreadItemConverter):
    """A site's own, which knows nothing of ours."""


class PlainServer(AgentChatKitServer):
    converter = PlainConverter()


async def test_converter_of_a_site_gets_images_that_the_model_can_read(api, draw):
    draw(SERVER="tests.provider.test_generated_images.PlainServer")
    api.script(Turn(images=(drawn(),), text="A cat"), "Black now")
    chat = Chat()
    answer = await chat.say("Draw a cat")
    await chat.say("Make it black", answer.thread_id)
    assert sent_images(api.requests[1]) == [PNG]


async def test_later_call_of_the_same_answer_has_the_image_with_its_id(api, draw):
    @function_tool
    def publish() -> str:
        """Publish the image."""
        return "published"

    draw(tools=(publish,))
    api.script(Turn(images=(drawn(),), call=("publish", {})), "Done")
    await Chat().say("Draw a cat and publish it")
    call = next(item for item in api.requests[1].body["input"] if item["type"] == "image_generation_call")
    assert (call["id"], call["result"]) == ("ig_1_0", encoded(PNG))


class MemoryServer(AgentChatKitServer):
    store = InMemoryStore()

    def __init__(self) -> None:
        super().__init__(self.store)


async def test_store_in_memory_keeps_images_in_their_items_and_the_model_sees_the_newest(api, folder, draw):
    draw(SERVER="tests.provider.test_generated_images.MemoryServer")
    pictures = [PNG + bytes([turn]) for turn in range(4)]
    api.script(*[Turn(images=(drawn(picture),), text="Drawn") for picture in pictures], "Done")
    chat = Chat()
    answer = await chat.say("Draw")
    for _turn in range(4):
        await chat.say("Again", answer.thread_id)
    assert images(answer)[0].startswith("data:image/png;base64,")
    assert stored(folder) == []
    assert sent_images(api.requests[-1]) == pictures[1:]


# --- Gone with what it belongs to ---------------------------------------------------------------------------


async def test_file_goes_with_its_thread(api, folder):
    api.script(Turn(images=(drawn(),), text="Done"))
    chat = Chat()
    answer = await chat.say("Draw a cat")
    (url,) = images(answer)

    await chat.ask("threads.delete", thread_id=answer.thread_id)

    assert (await rows(), stored(folder)) == ([], [])
    assert (await get(chat, url)).status == 404


async def test_file_stays_with_the_earlier_answer_when_it_is_made_anew(api, folder):
    api.script(Turn(images=(drawn(PNG + b"1"),), text="Done"), Turn(images=(drawn(PNG + b"2"),), text="Done"))
    chat = Chat()
    answer = await chat.say("Draw a cat")
    asked = (await chat.items(answer.thread_id))[0]["id"]

    await chat.ask("threads.retry_after_item", thread_id=answer.thread_id, item_id=asked)

    assert sorted(stored(folder)) == [PNG + b"1", PNG + b"2"]
    assert len(await rows()) == 2


async def test_file_goes_with_an_earlier_answer_that_is_no_longer_kept(api, folder, monkeypatch):
    monkeypatch.setattr("chatkit_app.store.earlier.MAX_VERSIONS", 1)
    pictures = [PNG + bytes([number]) for number in range(3)]
    api.script(*(Turn(images=(drawn(picture),), text="Done") for picture in pictures))
    chat = Chat()
    answer = await chat.say("Draw a cat")
    asked = (await chat.items(answer.thread_id))[0]["id"]
    for _ in range(2):
        await chat.ask("threads.retry_after_item", thread_id=answer.thread_id, item_id=asked)
    assert sorted(stored(folder)) == pictures[1:]
    assert len(await rows()) == 2


async def test_file_goes_with_an_earlier_answer_that_is_redacted(api, folder):
    api.script(Turn(images=(drawn(PNG + b"1"),)), Turn(images=(drawn(PNG + b"2"),)))
    chat = Chat()
    answer = await chat.say("Draw a cat")
    asked = (await chat.items(answer.thread_id))[0]["id"]
    await chat.ask("threads.retry_after_item", thread_id=answer.thread_id, item_id=asked)
    await db.run(
        lambda: redact(EarlierItem.objects.get(type="generated_image"), actor=None, reason="Private")
    )
    assert stored(folder) == [PNG + b"2"]


async def test_file_goes_with_a_redacted_item(api, folder):
    api.script(Turn(images=(drawn(),), text="Done"), "I see nothing")
    chat = Chat()
    answer = await chat.say("Draw a cat")

    await db.run(lambda: redact(ThreadItem.objects.get(type="generated_image"), actor=None, reason="Private"))

    assert (await rows(), stored(folder)) == ([], [])
    shown = (await chat.items(answer.thread_id))[1]
    assert shown["content"][0]["text"] == "This message was removed by a moderator."
    await chat.say("What was it?", answer.thread_id)
    assert sent_images(api.requests[1]) == []


async def test_item_whose_payload_is_broken_can_be_redacted(api):
    api.script(Turn(images=(drawn(),), text="Done"))
    await Chat().say("Draw a cat")

    def break_and_redact() -> ThreadItem:
        item = ThreadItem.objects.get(type="generated_image")
        item.payload = {"image": ["broken"]}
        item.save()
        return redact(item, actor=None, reason="Private")

    assert (await db.run(break_and_redact)).redacted_at is not None


# --- Exported -----------------------------------------------------------------------------------------------


def exported_urls() -> list[str]:
    text = "".join(Export(Thread.objects.all(), format=Format.JSONL))
    items = [json.loads(line).get("item", {}) for line in text.splitlines()]
    return [item["image"]["url"] for item in items if item.get("type") == "generated_image"]


async def test_export_has_the_images_whole(api, monkeypatch):
    monkeypatch.setattr(exports, "IMAGES_AT_ONCE", 2)
    pictures = [PNG + bytes([number]) for number in range(5)]
    api.script(Turn(images=tuple(map(drawn, pictures)), text="Done"))
    await Chat().say("Draw five cats")
    urls = await db.run(exported_urls)
    assert urls == [f"data:image/png;base64,{encoded(picture)}" for picture in pictures]


async def test_export_without_the_file_names_the_image(api, folder):
    api.script(Turn(images=(drawn(),), text="Done"))
    await Chat().say("Draw a cat")
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    (url,) = await db.run(exported_urls)
    assert url.startswith("http://testserver/chatkit/attachments/atc_")
    assert url.endswith("/file")


async def test_export_reads_few_images_at_once(api, monkeypatch):
    monkeypatch.setattr(exports, "IMAGES_AT_ONCE", 2)
    api.script(Turn(images=tuple(drawn() for _number in range(5)), text="Done"))
    await Chat().say("Draw five cats")
    pages = await db.run(lambda: list(Export(Thread.objects.all(), format=Format.JSONL)))
    assert [page.count("base64") for page in pages] == [2, 2, 1]


@pytest.mark.parametrize("result", [encoded(b"no picture"), "no base64!"])
async def test_answer_that_is_an_image_which_cannot_be_kept_says_so(result, api, caplog):
    api.script(Turn(silent=True, images=(ImageCall(result=result),)), Turn(silent=True))
    chat = Chat()
    answer = await chat.say("Draw a cat")
    failed = "The assistant failed to finish its answer."
    assert (answer.error()["message"], answer.error()["allow_retry"]) == (failed, True)
    assert images(answer) == []
    assert await kinds(chat, answer.thread_id) == ["user_message"]
    row = await db.run(lambda: Run.objects.get())
    assert (row.status, row.error) == ("failed", f"{failed} (no answer: an image that could not be kept)")
    assert "look at the storage" in caplog.text


async def test_answer_that_is_an_image_is_an_answer(api):
    api.script(Turn(silent=True, images=(drawn(),)), Turn(silent=True))
    answer = await Chat().say("Draw a cat")
    assert "error" not in answer.types()
    assert len(images(answer)) == 1


async def test_text_beside_an_image_that_cannot_be_kept_is_an_answer(api):
    api.script(Turn(text="Sorry", images=(ImageCall(result="no base64!"),)))
    answer = await Chat().say("Draw a cat")
    assert answer.text() == "Sorry"
    assert "error" not in answer.types()
