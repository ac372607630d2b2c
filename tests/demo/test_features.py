"""The demo's server: each prompt of its start screen shows what it promises."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import openai
import pytest
from chatkit import widgets as sdk_widgets
from chatkit.server import NonStreamingResult, StreamingResult
from chatkit.types import InferenceOptions, UserMessageItem, UserMessageTextContent
from django.core.files.base import ContentFile
from openai.resources.audio import AsyncTranscriptions
from openai.types.audio import Transcription
from pydantic import TypeAdapter

from chatkit_app.errors import ChatKitError
from chatkit_app.store import DjangoStore, InMemoryStore
from chatkit_app.store.attachments import DjangoAttachmentStore
from chatkit_app.testing import decode_events
from project import turn
from project.chat import DemoServer
from project.context import DemoContext
from project.plain_words import prompt_for
from project.prompts import EVERYTHING, WELCOME
from project.settings import CHATKIT

PROMPTS = {prompt["label"]: prompt["prompt"] for prompt in [*WELCOME, *EVERYTHING]}

Event = dict[str, Any]

PDF = b"%PDF-1.7" + b" " * 2040


@pytest.fixture(autouse=True)
def demo(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings.CHATKIT = CHATKIT
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(turn, "PAUSE", 0)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


class Conversation:
    """One visitor's conversation with the demo's server."""

    def __init__(self, server: DemoServer) -> None:
        self.server = server
        self.thread_id = ""

    async def ask(self, text: str, *attachments: str) -> list[Event]:
        content = [{"type": "input_text", "text": text}]
        params: Event = {
            "input": {"content": content, "attachments": list(attachments), "inference_options": {}}
        }
        if self.thread_id:
            return await self.post("threads.add_user_message", thread_id=self.thread_id, **params)
        events = await self.post("threads.create", **params)
        self.thread_id = events[0]["thread"]["id"]
        return events

    async def act(self, item: Event, action: str, payload: Any = None) -> list[Event]:
        return await self.post("threads.custom_action", **self._action(item, action, payload))

    async def act_at_once(self, item: Event, action: str, payload: Any = None) -> Any:
        return await self.post("threads.sync_custom_action", **self._action(item, action, payload))

    def _action(self, item: Event, action: str, payload: Any) -> Event:
        return {
            "thread_id": self.thread_id,
            "item_id": item.get("id"),
            "action": {"type": action, "payload": payload},
        }

    async def post(self, operation: str, **params: Any) -> Any:
        result = await self.server.process(json.dumps({"type": operation, "params": params}), self.context)
        if isinstance(result, NonStreamingResult):
            return json.loads(result.json)
        assert isinstance(result, StreamingResult)
        return decode_events(b"".join([frame async for frame in result]))

    @property
    def context(self) -> DemoContext:
        return DemoContext(visitor_id="ada", site="https://demo.example/")

    async def stored(self) -> list[Any]:
        return (await self.server.store.load_thread_items(self.thread_id, None, 50, "asc", self.context)).data


@pytest.fixture
def conversation(settings: Any) -> Conversation:
    # They are counted in the database.
    unlimited = {
        f"{what}_PER_{time}": None for what in ("MESSAGES", "RECORDINGS") for time in ("MINUTE", "DAY")
    }
    settings.CHATKIT = settings.CHATKIT | {"LIMITS": unlimited}
    return Conversation(DemoServer(InMemoryStore()))


def items(events: list[Event], kind: str) -> list[Event]:
    done = ("thread.item.done", "thread.item.replaced")
    return [event["item"] for event in events if event["type"] in done and event["item"]["type"] == kind]


def of_type(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event["type"] == kind]


def updates(events: list[Event], kind: str) -> list[Event]:
    found = [event["update"] for event in of_type(events, "thread.item.updated")]
    return [update for update in found if update["type"] == kind]


def components(widget: Any) -> Iterator[Event]:
    """A widget's parts, itself among them."""
    yield widget
    children = widget.get("children") or []
    for child in [children] if isinstance(children, dict) else children:
        yield from components(child)


async def test_tool_reports_progress_and_shows_a_widget(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["A tool"])
    assert of_type(events, "progress_update")[0]["text"] == "Looking out of the window…"
    (widget,) = items(events, "widget")
    assert widget["widget"]["children"][0] == {"type": "Caption", "value": "Paris"}
    (message,) = items(events, "assistant_message")
    assert widget["copy_text"] in message["content"][0]["text"]


async def test_tool_says_the_same_of_a_city_every_time(conversation: Conversation) -> None:
    first = items(await conversation.ask("What is the weather in Rome?"), "widget")[0]["widget"]
    second = items(await conversation.ask("What is the weather in Rome?"), "widget")[0]["widget"]
    assert first == second


async def test_client_tool_is_called_and_its_output_answered(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["A client tool"])
    (call,) = items(events, "client_tool_call")
    assert (call["name"], call["status"]) == ("get_browser", "pending")
    assert items(events, "assistant_message") == []
    events = await conversation.post(
        "threads.add_client_tool_output", thread_id=conversation.thread_id, result={"language": "pt-BR"}
    )
    (message,) = items(events, "assistant_message")
    assert "pt-BR" in message["content"][0]["text"]


async def test_refusal_comes_from_the_guardrail(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["A refusal"])
    assert of_type(events, "error") == [
        {
            "type": "error",
            "code": "custom",
            "message": "I do not talk about passwords. A guardrail of the agent has seen to that.",
            "allow_retry": False,
        }
    ]
    assert items(events, "assistant_message") == []


async def test_refusal_does_not_block_the_next_message(conversation: Conversation) -> None:
    await conversation.ask(PROMPTS["A refusal"])
    events = await conversation.ask("Good morning")
    assert of_type(events, "error") == []
    assert len(items(events, "assistant_message")) == 1


async def test_widget_has_an_action_of_each_kind(conversation: Conversation) -> None:
    (item,) = items(await conversation.ask(PROMPTS["A widget"]), "widget")
    buttons = [part for part in components(item["widget"]) if part["type"] == "Button"]
    actions = [button["onClickAction"] for button in buttons]
    assert actions == [
        {"type": "order.track"},
        {"type": "order.favourite", "payload": {"favourite": True}, "streaming": False},
        {"type": "order.copy", "payload": {"number": "1042"}, "handler": "client"},
    ]


async def test_widget_action_replaces_the_widget_and_answers(conversation: Conversation) -> None:
    (item,) = items(await conversation.ask(PROMPTS["A widget"]), "widget")
    events = await conversation.act(item, "order.track")
    (replaced,) = of_type(events, "thread.item.replaced")
    assert replaced["item"]["id"] == item["id"]
    badges = [part["label"] for part in components(replaced["item"]["widget"]) if part["type"] == "Badge"]
    assert badges == ["Next door"]
    assert len(items(events, "assistant_message")) == 1


async def test_widget_sync_action_returns_and_keeps_the_changed_widget(conversation: Conversation) -> None:
    (item,) = items(await conversation.ask(PROMPTS["A widget"]), "widget")
    reply = await conversation.act_at_once(item, "order.favourite", {"favourite": True})
    icons = [part.get("iconStart") for part in components(reply["updated_item"]["widget"])]
    assert "star-filled" in icons
    (stored,) = [stored for stored in await conversation.stored() if stored.type == "widget"]
    assert stored.widget.model_dump(mode="json", exclude_none=True) == reply["updated_item"]["widget"]


@pytest.mark.parametrize("payload", [None, "x", ["x"], {"name": None}])
async def test_widget_action_with_a_strange_payload_is_no_failure(
    conversation: Conversation, payload: Any
) -> None:
    (item,) = items(await conversation.ask(PROMPTS["A form"]), "widget")
    events = await conversation.act(item, "table.book", payload)
    assert of_type(events, "error") == []


async def test_widget_action_that_is_unknown_is_refused(conversation: Conversation) -> None:
    (item,) = items(await conversation.ask(PROMPTS["A widget"]), "widget")
    events = await conversation.act(item, "order.delete")
    assert [event["message"] for event in of_type(events, "error")] == ["This button does nothing here."]


async def test_streamed_widget_sends_its_text_in_pieces(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["A widget that writes"])
    deltas = updates(events, "widget.streaming_text.value_delta")
    assert len(deltas) > 5
    assert len(updates(events, "widget.root.updated")) == 1
    (item,) = items(events, "widget")
    note = item["widget"]["children"][1]
    assert note["value"] == "".join(delta["delta"] for delta in deltas)
    assert note["streaming"] is False


async def test_form_takes_values_and_tells_the_model(conversation: Conversation) -> None:
    (item,) = items(await conversation.ask(PROMPTS["A form"]), "widget")
    (form,) = [part for part in components(item["widget"]) if part["type"] == "Form"]
    assert form["onSubmitAction"]["type"] == "table.book"
    fields = [part["name"] for part in components(form) if "name" in part]
    assert fields == ["name", "guests", "day", "wishes", "window"]
    events = await conversation.act(item, "table.book", {"name": "Ada", "guests": "3"})
    (booked,) = items(events, "widget")
    assert booked["widget"]["children"][0]["value"] == "A table for 3, in the name of Ada."
    hidden = [
        stored.content for stored in await conversation.stored() if stored.type == "hidden_context_item"
    ]
    assert hidden == ["The user booked a table for 3 in the name of Ada."]


async def test_workflow_ticks_off_its_tasks(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["A workflow"])
    added = [update["task"]["status_indicator"] for update in updates(events, "workflow.task.added")]
    assert added == ["loading"] * 5
    (item,) = items(events, "workflow")
    tasks = item["workflow"]["tasks"]
    assert [task["type"] for task in tasks] == ["thought", "web_search", "file", "image", "custom"]
    assert {task["status_indicator"] for task in tasks} == {"complete"}
    assert item["workflow"]["summary"]["title"] == "Planned the trip"


async def test_task_stands_alone(conversation: Conversation) -> None:
    (item,) = items(await conversation.ask(PROMPTS["A task"]), "task")
    assert item["task"]["title"] == "Saved the timetable"


async def test_questions_are_of_both_kinds_and_answers_reach_the_agent(conversation: Conversation) -> None:
    (item,) = items(await conversation.ask(PROMPTS["Questions"]), "structured_input")
    assert [(question["type"], question.get("multiple")) for question in item["inputs"]] == [
        ("multiple_choice", False),
        ("multiple_choice", True),
        ("freeform", None),
    ]
    answers = {"when": {"values": ["Autumn"]}, "where": {"values": ["Lisbon"]}, "how": {"skipped": True}}
    events = await conversation.post(
        "threads.add_structured_input",
        thread_id=conversation.thread_id,
        item_id=item["id"],
        input={"status": "answered", "answers": answers},
    )
    (answered,) = items(events, "structured_input")
    assert answered["status"] == "answered"
    (message,) = items(events, "assistant_message")
    assert "Lisbon" in message["content"][0]["text"]


async def test_sources_are_annotations_of_each_kind(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["Sources"])
    assert len(updates(events, "assistant_message.content_part.annotation_added")) == 3
    (message,) = items(events, "assistant_message")
    content = message["content"][0]
    assert [note["source"]["type"] for note in content["annotations"]] == ["url", "file", "entity"]
    ends = [content["text"][: note["index"]][-3:] for note in content["annotations"]]
    assert ends == ["[1]", "[2]", "[3]"]


async def test_image_has_a_whole_address_and_a_sketch_before_it(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["An image"])
    (item,) = items(events, "generated_image")
    assert item["image"]["url"] == "https://demo.example/static/project/landscape.png"
    sketches = updates(events, "generated_image.updated")
    assert sketches[0]["image"]["url"] == "https://demo.example/static/project/sketch.png"
    assert [sketch["progress"] for sketch in sketches] == [0.3, 1.0]


async def test_long_answer_comes_word_by_word(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["A long answer"])
    (message,) = items(events, "assistant_message")
    text = message["content"][0]["text"]
    deltas = updates(events, "assistant_message.content_part.text_delta")
    assert "".join(delta["delta"] for delta in deltas) == text
    assert len(deltas) > 100
    assert "| Filter" in text


async def test_progress_is_shown_and_not_stored(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["Progress"])
    assert [(event["icon"], event["text"]) for event in of_type(events, "progress_update")] == [
        ("search", "Looking for beans…"),
        ("settings-slider", "Grinding…"),
    ]
    assert [item.type for item in await conversation.stored()] == ["user_message", "assistant_message"]


async def test_notice_is_sent(conversation: Conversation) -> None:
    (event,) = of_type(await conversation.ask(PROMPTS["A notice"]), "notice")
    assert (event["level"], event["title"]) == ("warning", "Nearly used up")


async def test_notices_are_of_each_level(conversation: Conversation) -> None:
    events = of_type(await conversation.ask(PROMPTS["Notices of each level"]), "notice")
    assert [event["level"] for event in events] == ["info", "warning", "danger"]


async def test_chart_has_series_of_each_type(conversation: Conversation) -> None:
    (item,) = items(await conversation.ask(PROMPTS["A chart"]), "widget")
    (chart,) = [part for part in components(item["widget"]) if part["type"] == "Chart"]
    assert {series["type"] for series in chart["series"]} == {"bar", "area", "line"}
    keys = set(chart["data"][0])
    assert {series["dataKey"] for series in chart["series"]} | {chart["xAxis"]["dataKey"]} == keys


@pytest.fixture
async def gallery(conversation: Conversation) -> list[Event]:
    return items(await conversation.ask(PROMPTS["Every widget"]), "widget")


def test_gallery_has_every_type_of_node(gallery: list[Event]) -> None:
    known = {
        get_args(kind.model_fields["type"].annotation)[0]
        for kind in vars(sdk_widgets).values()
        if isinstance(kind, type)
        and issubclass(kind, sdk_widgets.WidgetComponentBase)
        and get_origin(kind.model_fields["type"].annotation) is Literal
        and kind is not sdk_widgets.DynamicWidgetRoot
    }
    shown = {part["type"] for item in gallery for part in components(item["widget"])}
    assert shown == known | {"Table", "Table.Row", "Table.Cell"}
    assert len(shown) == 30


def test_gallery_follows_the_sdks_own_classes(gallery: list[Event]) -> None:
    """Fields that no strict class knows would be dropped by a client that is strict."""
    strict: TypeAdapter[Any] = TypeAdapter(sdk_widgets.StrictWidgetComponent)
    known = get_args(get_args(sdk_widgets.StrictWidgetComponent)[0])
    names = {get_args(kind.model_fields["type"].annotation)[0] for kind in known}
    for item in gallery:
        for part in components(item["widget"]):
            if part["type"] in names:
                own = {name: value for name, value in part.items() if name != "children"}
                empty = {"Transition": None}.get(part["type"], [])
                read = strict.validate_python(own | ({"children": empty} if "children" in part else {}))
                assert own.keys() - type(read).model_fields.keys() == set()


def test_gallery_has_each_root_in_each_form(gallery: list[Event]) -> None:
    roots = [item["widget"] for item in gallery]
    assert [root["type"] for root in roots] == ["Card"] * 6 + ["ListView", "Card", "Card", "Basic"]
    (letter,) = [root for root in roots if root.get("asForm")]
    assert (letter["confirm"]["label"], letter["cancel"]["label"]) == ("Send", "Discard")
    assert [root["status"]["text"] for root in roots if root.get("collapsed")] == ["The letter was sent"]
    assert [(root["limit"], len(root["children"])) for root in roots if "limit" in root] == [(3, 7)]


async def test_gallery_button_says_which_it_was(conversation: Conversation, gallery: list[Event]) -> None:
    events = await conversation.act(gallery[2], "gallery.pressed", {"button": "danger"})
    (message,) = items(events, "assistant_message")
    assert message["content"][0]["text"] == "You pressed “danger”."


async def test_gallery_form_says_what_it_has_sent(conversation: Conversation, gallery: list[Event]) -> None:
    events = await conversation.act(gallery[3], "gallery.sent", {"notes": "é"})
    (message,) = items(events, "assistant_message")
    assert message["content"][0]["text"] == 'The form has sent:\n\n```json\n{\n  "notes": "é"\n}\n```'


@pytest.mark.parametrize(("page", "shown"), [(2, 2), (3, 3), (4, 1), ("2", 1), ([], 1), (None, 1)])
async def test_gallery_pages_are_turned(
    conversation: Conversation, gallery: list[Event], page: Any, shown: int
) -> None:
    reply = await conversation.act_at_once(gallery[9], "gallery.turned", {"page": page})
    titles = [
        part["value"] for part in components(reply["updated_item"]["widget"]) if part["type"] == "Title"
    ]
    assert titles == [f"Page {shown} of 3"]


async def test_page_sends_an_action_of_its_own(conversation: Conversation) -> None:
    await conversation.ask("Good morning")
    events = await conversation.act({}, "page.greeted", {"text": "Hello!"})
    (message,) = items(events, "assistant_message")
    assert message["content"][0]["text"] == "The page says: Hello!"


async def test_attachment_prompt_says_what_to_do(conversation: Conversation) -> None:
    (message,) = items(await conversation.ask(PROMPTS["A file"]), "assistant_message")
    assert message["content"][0]["text"].startswith("Attach a picture")


@pytest.mark.django_db(transaction=True)
async def test_attached_files_are_described() -> None:
    conversation = Conversation(DemoServer(DjangoStore()))
    ids = []
    for name, mime_type, content in (("a`b.txt", "text/plain", b"hello"), ("b.pdf", "application/pdf", PDF)):
        params = {"name": name, "size": len(content), "mime_type": mime_type}
        announced = await conversation.post("attachments.create", **params)
        files = conversation.server.attachment_store
        assert isinstance(files, DjangoAttachmentStore)
        await files.receive(announced["id"], ContentFile(content), conversation.context)
        ids.append(announced["id"])
    (message,) = items(await conversation.ask("Look at these", *ids), "assistant_message")
    assert message["content"][0]["text"] == (
        "You have sent me 2 files:\n\n"
        "- `a'b.txt`: 5\xa0bytes, text/plain\n"
        "- `b.pdf`: 2.0\xa0KB, application/pdf"
    )


async def test_dictation_is_not_understood_offline(conversation: Conversation) -> None:
    audio = b64encode(b"x" * 2048).decode()
    reply = await conversation.post(
        "input.transcribe", audio_base64=audio, mime_type="audio/webm;codecs=opus"
    )
    assert reply == {"text": "(a dictation of 2.0\xa0KB, without a model to understand it)"}


async def test_dictation_goes_to_the_model_where_there_is_one(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    heard: Event = {}

    async def create(self: Any, **arguments: Any) -> Transcription:
        heard.update(arguments)
        return Transcription(text="Good morning")

    monkeypatch.setattr(AsyncTranscriptions, "create", create)
    audio = b64encode(b"speech").decode()
    reply = await conversation.post(
        "input.transcribe", audio_base64=audio, mime_type="audio/webm;codecs=opus"
    )
    assert reply == {"text": "Good morning"}
    assert heard["file"] == ("dictation.webm", b"speech", "audio/webm")


async def test_dictation_that_fails_is_refused_with_a_reason(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")

    async def create(self: Any, **arguments: Any) -> Transcription:
        raise openai.OpenAIError("no key")

    monkeypatch.setattr(AsyncTranscriptions, "create", create)
    with pytest.raises(ChatKitError, match="The assistant is not set up correctly"):
        await conversation.post("input.transcribe", audio_base64="eA==", mime_type="audio/webm")


def test_composer_has_a_pinned_and_a_persistent_tool() -> None:
    tools = CHATKIT["OPTIONS"]["composer"]["tools"]
    assert [tool["id"] for tool in tools if tool.get("pinned")] == ["get_weather"]
    assert [tool["id"] for tool in tools if tool.get("persistent")] == ["get_browser"]


async def test_effect_reaches_the_page(conversation: Conversation) -> None:
    (event,) = of_type(await conversation.ask(PROMPTS["An effect on the page"]), "client_effect")
    assert (event["name"], event["data"]) == ("celebrate", {"colour": "#7c3aed"})


async def test_hidden_context_is_stored_and_not_sent(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["Hidden context"])
    assert items(events, "hidden_context_item") == []
    stored = [item.type for item in await conversation.stored()]
    assert stored == ["user_message", "hidden_context_item", "assistant_message"]


async def test_end_of_turn_is_an_item(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["The end of a turn"])
    assert len(items(events, "end_of_turn")) == 1


async def test_closed_conversation_takes_no_more_messages(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["A closed conversation"])
    updated = of_type(events, "thread.updated")[-1]["thread"]
    assert updated["status"]["type"] == "closed"
    events = await conversation.ask("Still there?")
    assert [event["type"] for event in events] == ["error"]


@pytest.mark.filterwarnings("default")
async def test_failure_is_an_error_that_can_be_tried_again(conversation: Conversation) -> None:
    events = await conversation.ask(PROMPTS["A failure"])
    assert of_type(events, "error") == [{"type": "error", "code": "stream.error", "allow_retry": True}]
    assert [item.type for item in await conversation.stored()] == ["user_message"]
    events = await conversation.ask("And now?")
    assert len(items(events, "assistant_message")) == 1


@pytest.mark.parametrize("text", ["hello", "Show me around the house", "Wie wird das Wetter?"])
async def test_message_that_is_not_understood_is_answered_with_what_is(
    conversation: Conversation, text: str
) -> None:
    events = await conversation.ask(text)
    (message,) = items(events, "assistant_message")
    assert text not in message["content"][0]["text"]
    (card,) = items(events, "widget")
    assert [part["value"] for part in components(card["widget"]) if part["type"] == "Text"] == [
        prompt["label"] for prompt in WELCOME
    ]
    assert "Caption" not in {part["type"] for part in components(card["widget"])}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Is it warm in Lisbon?", "Lisbon"),
        ("Will it rain in New York this week?", "New York"),
        ("weather for tomorrow in rome", "rome"),
        ("weather Paris", "Paris"),
        ("Oslo’s forecast, please", "Oslo"),
        ("Do I need an umbrella today?", "Lisbon"),
    ],
)
async def test_weather_is_told_in_the_words_of_people(
    conversation: Conversation, text: str, title: str
) -> None:
    (card,) = items(await conversation.ask(text), "widget")
    assert title in json.dumps(card["widget"])


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("When does my parcel come?", "Where is my order?"),
        ("Can I have a table for two?", "I would like to book a table."),
        ("I want to travel to Rome by train", "Plan a trip by night train."),
        ("Can I talk to a human, please", "I would like to talk to a person of your team."),
        ("Which browser do I have?", "What does my browser tell you?"),
        ("a chart, please", "Show me a chart"),
        ("what can you do?", "Show me more"),
        ("What is the weather in Paris?", "What is the weather in Paris?"),
        ("the password, please", "the password, please"),
        ("Good morning", None),
        ("I am boldly bookish", None),
    ],
)
def test_free_words_are_taken_for_the_prompt_that_they_are_near_to(text: str, prompt: str | None) -> None:
    assert prompt_for(text) == prompt


async def test_free_words_are_the_models_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    message = user_message("Is it warm in Lisbon?")
    read = await DemoServer(InMemoryStore()).get_input([message], DemoContext(visitor_id="ada"))
    assert "Is it warm in Lisbon?" in json.dumps(read)
    monkeypatch.delenv("OPENAI_API_KEY")
    read = await DemoServer(InMemoryStore()).get_input([message], DemoContext(visitor_id="ada"))
    assert "What is the weather in Lisbon?" in json.dumps(read)


def user_message(text: str) -> UserMessageItem:
    return UserMessageItem(
        id="msg_1",
        thread_id="thr_1",
        created_at=datetime(2030, 1, 1),
        content=[UserMessageTextContent(text=text)],
        inference_options=InferenceOptions(),
    )


@pytest.mark.parametrize("text", ["SHOW ME A TASK!", "show me task", "  Show me the task. "])
async def test_feature_is_found_however_it_is_written(conversation: Conversation, text: str) -> None:
    assert len(items(await conversation.ask(text), "task")) == 1


async def test_tool_and_models_of_the_composer_are_offered(conversation: Conversation) -> None:
    assert conversation.server.allowed_tools(conversation.context) == {"get_weather", "get_browser"}
    assert conversation.server.allowed_models(conversation.context) == {"gpt-4.1-mini", "gpt-4.1"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("label", [label for label in PROMPTS if label != "A failure"])
async def test_prompt_is_kept_as_it_was_sent(label: str) -> None:
    conversation = Conversation(DemoServer(DjangoStore()))
    events = await conversation.ask(PROMPTS[label])
    sent = [event["item"] for event in of_type(events, "thread.item.done")]
    reply = await conversation.post("items.list", thread_id=conversation.thread_id, order="asc")
    assert [(item["id"], item["type"]) for item in reply["data"]] == [
        (item["id"], item["type"]) for item in sent
    ]
    by_id = {item["id"]: item for item in sent}
    assert [item | {"created_at": ""} for item in reply["data"]] == [
        by_id[item["id"]] | {"created_at": ""} for item in reply["data"]
    ]
