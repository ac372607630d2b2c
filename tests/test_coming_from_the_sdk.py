"""The guide docs/coming-from-the-sdk.md: each of its Python blocks is run, and the servers are chatted with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from agents import Agent, ModelSettings, RunConfig, RunContextWrapper, Runner, StopAtTools, function_tool
from chatkit.agents import AgentContext, ThreadItemConverter, stream_agent_response
from chatkit.types import ClientEffectEvent
from chatkit.widgets import Button, Card, Text

from chatkit_app import db
from chatkit_app.models import Run
from chatkit_app.testing import ScriptedModel
from tests.chat import Chat, message
from tests.docs.blocks import blocks_of
from tests.docs.written_project import WrittenProject
from tests.pictures import PNG

pytestmark = pytest.mark.django_db(transaction=True)

GUIDE = "docs/coming-from-the-sdk.md"


@pytest.fixture
def guide(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The guide's modules by their names, run from its first to its last, and its settings."""
    project = WrittenProject(settings, monkeypatch)
    project.write_page(GUIDE)
    read = SimpleNamespace(settings=[module.CHATKIT for module in project.settings])
    for file, module in project.modules.items():
        setattr(read, Path(file).stem if file != "settings.py" else "last_settings", module)
    return read


@pytest.fixture
def served(guide: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The guide's server at the endpoint, with one of the settings and this script; servers of later parts first."""

    def serve(*parts: type, setting: int = 0, agent: Agent[Any] | None = None, turns: list[Any]) -> Chat:
        server = type("SupportServer", (*parts, guide.chat.SupportServer), {})
        monkeypatch.setattr(guide.chat, "SupportServer", server)
        monkeypatch.setattr("chatkit_app.server.setting._servers", {})
        guide.model = ScriptedModel(turns)
        monkeypatch.setattr(guide.chat, "agent", (agent or guide.chat.agent).clone(model=guide.model))
        settings.CHATKIT = guide.settings[setting]
        return Chat()

    guide.serve = serve
    return guide


def test_every_python_block_of_the_guide_names_its_file():
    assert [block.file for block in blocks_of(GUIDE) if block.language == "python"] == [
        "myapp/chat.py",
        "settings.py",
        "myapp/context.py",
        "settings.py",
        "myapp/actions.py",
        "myapp/tools.py",
        "myapp/files.py",
        "settings.py",
        "myapp/titles.py",
    ]


async def test_server_of_the_guide_answers_and_remembers(served):
    chat = served.serve(turns=["Hi", "Still here"])
    thread_id = (await chat.say("Hello")).thread_id
    assert (await chat.say("And now?", thread_id)).text() == "Still here"
    assert len(served.model.inputs[1]) == 3
    assert [settings.store for settings in served.model.settings] == [None, None]  # not OpenAI's
    assert await db.run(Run.objects.filter(status="completed").count) == 2


async def test_tools_find_the_context_of_the_guide(served):
    @function_tool
    async def plan(ctx: RunContextWrapper[AgentContext]) -> str:
        """The user's plan."""
        return str(ctx.context.request_context.plan)

    chat = served.serve(
        setting=1, agent=Agent(name="Shop", tools=[plan]), turns=[("plan", {}), "Gold it is."]
    )
    answer = await chat.say("Which plan?", headers={"X-Plan": "gold"})
    assert answer.text() == "Gold it is."
    assert served.model.inputs[1][-1]["output"] == "gold"


@function_tool
async def show_colours(ctx: RunContextWrapper[AgentContext]) -> str:
    """Show the colours."""
    await ctx.context.stream_widget(Card(children=[Text(value="Which colour?"), Button(label="Red")]))
    await ctx.context.stream(ClientEffectEvent(name="shown", data={}))
    return "Shown."


async def test_action_of_the_guide_changes_the_widget_and_tells_the_model(served):
    agent = Agent(
        name="Shop", tools=[show_colours], tool_use_behavior=StopAtTools(stop_at_tool_names=["show_colours"])
    )
    chat = served.serve(served.actions.ColourServer, agent=agent, turns=[("show_colours", {}), "Red, then."])
    asked = await chat.say("Show me")
    widget = next(event["item"] for event in asked.events() if event.get("item", {}).get("type") == "widget")
    assert "client_effect" in asked.types()

    action = {"type": "colour.pick", "payload": {"colour": "red"}}
    done = await chat.ask(
        "threads.custom_action", thread_id=asked.thread_id, item_id=widget["id"], action=action
    )
    assert done.text() == "Noted."
    items = await chat.items(asked.thread_id)
    assert [item["type"] for item in items] == ["user_message", "widget", "assistant_message"]
    assert items[1]["widget"]["children"][0]["value"] == "Your colour is red."

    await chat.say("Which one?", asked.thread_id)
    assert "The user has picked red." in str(served.model.inputs[1])


async def test_client_tool_of_the_guide_is_asked_for_and_answered(served):
    chat = served.serve(agent=served.tools.agent, turns=[("locate", {}), "You are in Rome."])
    asked = await chat.say("Where am I?")
    call = next(e["item"] for e in asked.events() if e.get("item", {}).get("type") == "client_tool_call")
    assert (call["name"], call["status"]) == ("locate", "pending")
    told = await chat.ask(
        "threads.add_client_tool_output", thread_id=asked.thread_id, result={"city": "Rome"}
    )
    assert told.text() == "You are in Rome."
    assert "Rome" in str(served.model.inputs[1][-1]["output"])


async def test_converter_of_the_guide_shows_the_model_a_picture(served, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path

    class WithPictures:
        async def respond(self, thread, input_user_message, context):
            self.converter = served.files.PictureConverter(context)
            async for event in super().respond(thread, input_user_message, context):
                yield event

    chat = served.serve(WithPictures, setting=2, turns=["A picture."])
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="cat.png"\r\n'
        b"Content-Type: image/png\r\n\r\n" + PNG + b"\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    sent = (await (await chat.open("POST", "/chatkit/attachments", form, headers)).rest()).json()
    answer = await chat.ask("threads.create", input=message("Look", attachments=[sent["id"]]))
    assert answer.text() == "A picture."
    contents = [part for item in served.model.inputs[0] for part in item["content"]]
    assert [part["image_url"][:22] for part in contents if part["type"] == "input_image"] == [
        "data:image/png;base64,"
    ]


async def test_title_of_the_guide_is_made_beside_the_answer(served, monkeypatch):
    titles = ScriptedModel(["Lost parcel"])
    monkeypatch.setattr(served.titles, "title_agent", served.titles.title_agent.clone(model=titles))
    chat = served.serve(served.titles.TitledServer, turns=["Hi"])
    answer = await chat.say("Where is my parcel?")
    titled = [event["thread"].get("title") for event in answer.events() if "thread" in event]
    assert titled[-1] == "Lost parcel"


# A server as the samples are: a context and a converter of its own, state beside the store, hidden items from tools


class GardenContext(AgentContext):
    beds: dict[str, str]


@function_tool
async def plant(ctx: RunContextWrapper[GardenContext], name: str) -> None:
    """Plant something."""
    ctx.context.beds[ctx.context.thread.id] = name
    ctx.context.thread.title = f"A garden with {name}"
    await ctx.context.store.save_thread(ctx.context.thread, ctx.context.request_context)


class GardenConverter(ThreadItemConverter):
    async def hidden_context_to_input(self, item):
        return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": item.content}]}


async def test_server_with_state_of_its_own_runs_as_it_is(served, monkeypatch):
    class GardenServer:
        def __init__(self):
            super().__init__()
            self.beds = {}
            self.thread_item_converter = GardenConverter()

        async def respond(self, thread, item, context):
            page = await self.store.load_thread_items(thread.id, None, 20, "desc", context)
            agent_input = await self.thread_item_converter.to_agent_input(list(reversed(page.data)))
            garden = GardenContext(thread=thread, store=self.store, request_context=context, beds=self.beds)
            config = RunConfig(model_settings=ModelSettings(temperature=0.5))
            result = Runner.run_streamed(served.chat.agent, agent_input, context=garden, run_config=config)
            async for event in stream_agent_response(garden, result):
                yield event

    agent = Agent(name="Garden", tools=[plant])
    chat = served.serve(GardenServer, agent=agent, turns=[("plant", {"name": "tulips"}), "Planted."])
    answer = await chat.say("Plant tulips")
    assert answer.text() == "Planted."
    assert served.model.settings[0].temperature == 0.5
    titles = [event["thread"].get("title") for event in answer.events() if "thread" in event]
    assert titles[-1] == "A garden with tulips"
