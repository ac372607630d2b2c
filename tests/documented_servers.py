"""Servers whose answers are written as OpenAI's documents write them: the SDK's classes and functions, none of ours."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from agents import Agent, Runner
from chatkit.agents import AgentContext, simple_to_agent_input, stream_agent_response

from chatkit_app.server import DjangoChatKitServer


class DocumentedServer(DjangoChatKitServer):
    """Runs ``agent`` on the thread's items. The endpoint makes the server, so the class is told which agent."""

    agent: ClassVar[Agent[Any]]
    options: ClassVar[dict[str, Any]] = {}

    async def respond(self, thread, input_user_message, context):
        page = await self.store.load_thread_items(
            thread.id, after=None, limit=20, order="desc", context=context
        )
        agent_input = await simple_to_agent_input(list(reversed(page.data)))
        agent_context = AgentContext(thread=thread, store=self.store, request_context=context)
        result = Runner.run_streamed(self.agent, agent_input, context=agent_context, **self.options)
        async for event in stream_agent_response(agent_context, result):
            yield event


class BareServer(DocumentedServer):
    """Reads the run itself."""

    async def respond(self, thread, input_user_message, context):
        result = Runner.run_streamed(self.agent, "Hello", **self.options)
        async for _event in result.stream_events():
            pass
        yield self.text_event(result.final_output)


class PlainServer(DocumentedServer):
    """Does not stream, and runs its agent in a task of its own."""

    async def respond(self, thread, input_user_message, context):
        result = await asyncio.create_task(Runner.run(self.agent, "Hello", **self.options))
        yield self.text_event(result.final_output)


class ForgottenTaskServer(DocumentedServer):
    """Has a title made beside the answer, in a task that nobody cancels."""

    title_agent: ClassVar[Agent[Any]]

    async def respond(self, thread, input_user_message, context):
        titling = asyncio.create_task(Runner.run(self.title_agent, "Hello"))
        async for event in super().respond(thread, input_user_message, context):
            yield event
        thread.title = (await titling).final_output


class ImpatientServer(DocumentedServer):
    """Has read enough after the first word."""

    async def respond(self, thread, input_user_message, context):
        result = Runner.run_streamed(self.agent, "Hello")
        async for event in result.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                break
        yield self.text_event("Enough.")
