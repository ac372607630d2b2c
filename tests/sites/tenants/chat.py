"""A chat that looks into its tenant's tables in each way that a site's code may: tool, title, sync and async ORM."""

from __future__ import annotations

from typing import Any

from agents import Agent, function_tool
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from chatkit_app.agents import AgentChatKitServer
from chatkit_app.models import Thread
from tests.sites.model import LookingModel


@function_tool
def look() -> str:
    """Look who works here, and how many conversations there are."""
    return f"{get_user_model().objects.get().get_username()} has {Thread.objects.count()}"


def agent(context: Any) -> Agent[Any]:
    staff = get_user_model().objects.get().get_username()
    return Agent(name=staff, model=LookingModel(), tools=[look])


class CustomerServer(AgentChatKitServer):
    async def title_for(self, thread: Any, message: Any, context: Any) -> str:
        return f"With {await sync_to_async(get_user_model().objects.get)()}"

    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        staff = await get_user_model().objects.aget()
        yield self.text_event(f"{staff.get_username()} is here.")
        async for event in super().respond(thread, input_user_message, context):
            yield event
