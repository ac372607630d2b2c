"""Answers outlive the threads of their requests, and a site's own synchronous code leaves no connection behind."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest
from agents import Agent, function_tool
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connection, connections
from django.http import HttpRequest
from django.test import TestCase
from django.utils.decorators import sync_only_middleware
from django.utils.translation import get_language, override

from chatkit_app import db
from chatkit_app.asgi import get_asgi_application
from chatkit_app.models import Run, Thread
from chatkit_app.process.threads import context_beyond_request, install_site_threads
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.testing import ScriptedModel
from tests.chat import Chat, rows_become


@sync_only_middleware
def function_middleware(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> Any:
        return get_response(request)

    return middleware


class ClassMiddleware:
    """One that says outright that it is not for async."""

    async_capable = False

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)


FUNCTION, CLASS = f"{__name__}.function_middleware", f"{__name__}.ClassMiddleware"
CHAINS = {
    "function last": ([], [FUNCTION]),
    "class first": ([CLASS], []),
    "both ends": ([FUNCTION], [CLASS]),
}
APPLICATIONS = {"Django's": ASGIHandler, "ours": get_asgi_application}


@pytest.fixture(params=CHAINS)
def chain(request: Any, settings: Any) -> None:
    first, last = CHAINS[request.param]
    settings.MIDDLEWARE = [*first, *settings.MIDDLEWARE, *last]


@pytest.fixture(params=APPLICATIONS)
def chat(request: Any, chain: None) -> Chat:
    return Chat(APPLICATIONS[request.param]())


class LookingServer(DjangoChatKitServer):
    """Looks into the database in every way that a site's code might, before, while and after it speaks."""

    async def title_for(self, thread: Any, message: Any, context: Any) -> str:
        await sync_to_async(Thread.objects.count)()
        return "Looked up"

    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        await asyncio.sleep(0.05)
        yield self.text_event(f"one {await sync_to_async(Thread.objects.count)()}")
        await asyncio.sleep(0.05)
        yield self.text_event(f"two {await Thread.objects.acount()}")


# Synchronous middlewares


@pytest.mark.django_db(transaction=True)
async def test_answer_behind_a_synchronous_middleware_arrives(chat, settings):
    settings.CHATKIT = {"SERVER": f"{__name__}.LookingServer"}
    first = await chat.say("hi")
    second = await chat.say("again", first.thread_id)

    assert (first.text(), second.text()) == ("one 1|two 1", "one 1|two 1")
    assert await db.run(lambda: Thread.objects.get().title) == "Looked up"
    statuses = await rows_become(
        lambda: [row.status for row in Run.objects.order_by("pk") if row.status != "running"]
    )
    assert statuses == ["completed", "completed"]


@pytest.mark.django_db(transaction=True)
async def test_stop_behind_a_synchronous_middleware_keeps_the_text(chat, use, gate):
    use("SlowServer")
    answer = await chat.begin_saying("hi")
    await answer.until('"delta":"one "')

    assert (await chat.stop(answer.run_id)).json() == {"stopped": True}

    assert (await answer.rest()).text() == "one "
    assert await db.run(lambda: Run.objects.get().status) == "stopped"


@pytest.mark.django_db(transaction=True)
async def test_stored_answer_behind_a_synchronous_middleware_is_read_again(chat, use):
    use("EchoServer", RUN_RETENTION=0)
    answer = await chat.say("hi")
    await asyncio.sleep(0.2)

    assert (await (await chat.follow(answer.run_id)).rest()).text() == "echo: hi"


# Contexts


async def test_context_beyond_request_keeps_values_but_no_threads():
    mark: contextvars.ContextVar[str] = contextvars.ContextVar("mark")
    mark.set("kept")

    async def look() -> tuple[str, str | None, threading.Thread]:
        return mark.get(), get_language(), await sync_to_async(threading.current_thread)()

    async with ThreadSensitiveContext():
        of_request = await sync_to_async(threading.current_thread)()
        with override("de"):
            later = asyncio.create_task(look(), context=context_beyond_request())
    # The thread of the request has ended by now, and its context with it.
    value, language, thread = await later
    assert (value, language) == ("kept", "de")
    assert thread is not of_request


# The site's own code


@pytest.mark.django_db(transaction=True)
async def test_synchronous_tool_leaves_no_connection_behind(settings):
    closed = []

    @function_tool
    def look() -> str:
        """Look."""
        Thread.objects.count()
        closed.append(connections[connection.alias])
        return "looked"

    agent = Agent(name="A", model=ScriptedModel([("look", {}), "Done."]), tools=[look])
    settings.CHATKIT = {"AGENT": agent}

    assert (await Chat().say("hi")).text() == "Done."
    (used,) = closed
    used.inc_thread_sharing()
    assert used.connection is None


@pytest.mark.django_db(transaction=True)
async def test_failing_code_in_a_site_thread_leaves_no_connection_behind():
    used = []

    def fail() -> None:
        Thread.objects.count()
        used.append(connections[connection.alias])
        raise ValueError("no")

    install_site_threads()
    with pytest.raises(ValueError, match="no"):
        await asyncio.to_thread(fail)
    used[0].inc_thread_sharing()
    assert used[0].connection is None


class SynchronousTest(TestCase):
    """A site's own ``TestCase``."""

    def test_site_code_joins_the_callers_transaction(self) -> None:
        Thread.objects.create(public_id="t", visitor_id="v")

        async def count() -> tuple[int, int]:
            install_site_threads()
            return await asyncio.to_thread(lambda: (Thread.objects.count(), threading.get_ident()))

        assert async_to_sync(count)() == (1, threading.get_ident())
