"""A site with several chats. This module is its URLconf as well."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.urls import include, path, reverse

from chatkit_app import db
from chatkit_app.models import Thread
from chatkit_app.urls import endpoint
from tests.chat import Chat
from tests.servers import SlowServer

sales = endpoint(server="tests.servers.EchoServer", namespace="sales")
support = endpoint(server="tests.servers.FurnitureServer", namespace="support")
plain = endpoint()

urlpatterns = [
    path("sales/", include((sales, "chatkit"), namespace="sales")),
    path("support/", include((support, "chatkit"), namespace="support")),
    path("other/", include((endpoint(), "chatkit"), namespace="other")),
    path("", include((plain, "chatkit"))),
]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.test_urls")]


@pytest.fixture
def two(settings: Any) -> tuple[Chat, Chat]:
    """One browser on two endpoints."""
    settings.CHATKIT = {"SERVER": "tests.servers.LocaleServer"}
    sales, support = Chat(path="/sales/chatkit"), Chat(path="/support/chatkit")
    support.cookies = sales.cookies
    return sales, support


async def test_endpoints_have_their_own_servers(two):
    sales, support = two
    assert (await sales.say("hi")).text() == "echo: hi"
    assert (await support.say("hi")).text() == "visible"


async def test_endpoint_without_a_server_has_the_one_of_the_settings(two):
    assert (await Chat().say("hi")).text() == "en Monday"


async def test_endpoints_do_not_see_each_other(two):
    sales, support = two
    thread_id = (await sales.say("hi")).thread_id
    assert (await support.ask("threads.list")).json()["data"] == []
    assert (await support.ask("threads.get_by_id", thread_id=thread_id)).status == 404
    changes = f"/threads/{thread_id}/changes"
    assert (await (await sales.open("GET", sales.path + changes)).rest()).status == 200
    assert (await (await support.open("GET", support.path + changes)).rest()).status == 404
    assert (await support.say("hi", thread_id)).types() == ["error"]
    assert [row["id"] for row in (await sales.ask("threads.list")).json()["data"]] == [thread_id]
    assert (await db.run(Thread.objects.get)).namespace == "sales"


async def test_runs_belong_to_their_endpoint(two):
    sales, support = two
    answer = await sales.say("hi")
    assert (await (await sales.follow(answer.run_id)).rest()).text() == "echo: hi"
    assert (await sales.stop(answer.run_id)).json() == {"stopped": False}
    assert (await (await support.follow(answer.run_id)).rest()).status == 404
    assert (await support.stop(answer.run_id)).status == 404


async def test_same_message_to_two_endpoints_is_no_repetition(settings):
    settings.CHATKIT = {"SERVER": "tests.servers.SlowServer"}
    SlowServer.gate = asyncio.Event()
    one, other = Chat(), Chat(path="/other/chatkit")
    await one.begin_saying("I have a session now")
    other.cookies = one.cookies
    first, second = await one.begin_saying("hi"), await other.begin_saying("hi")
    assert first.run_id != second.run_id
    SlowServer.gate.set()
    assert [(await answer.rest()).text() for answer in (first, second)] == ["one two", "one two"]


def test_urls_have_names():
    assert reverse("sales:chatkit") == "/sales/chatkit"
    assert reverse("chatkit:run_stop", args=["run_1"]) == "/chatkit/runs/run_1/stop"
    assert reverse("support:run_events", args=["run_1"]) == "/support/chatkit/runs/run_1/events"
