"""What a balancer is told of a process."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.test import Client

from chatkit_app import db
from chatkit_app.models import LimitCounter
from chatkit_app.process import shutdown
from chatkit_app.views import health
from tests.attack.served import OURS, Served
from tests.chat import Chat, Exchange
from tests.runs.test_processes import Browser

pytestmark = pytest.mark.django_db(transaction=True)


async def ask(method: str = "GET") -> Exchange:
    return await (await Chat().open(method, "/chatkit/health", csrf=False)).rest()


async def test_process_that_can_ask_its_database_is_well():
    answer = await ask()
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


def test_head_is_answered_without_a_body():
    answer = Client().head("/chatkit/health")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_nothing_else_is_taken():
    assert (await ask("POST")).status == 405


async def test_answer_is_not_kept_and_belongs_to_nobody():
    answer = await ask()
    assert "no-store" in answer.headers["cache-control"]
    assert "set-cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("vary", "")
    assert await db.run(LimitCounter.objects.count) == 0


async def test_nobody_has_to_log_in(settings):
    settings.CHATKIT = {"LOGIN_REQUIRED": True}
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert (await ask()).status == 200


async def test_transaction_around_requests_is_no_obstacle(settings, monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    assert (await ask()).status == 200


def refuse(request: Any) -> Any:
    raise PermissionError("nobody's request")


async def test_context_of_the_database_is_not_asked_for(settings):
    settings.CHATKIT = {"DATABASE_CONTEXT": f"{__name__}.refuse"}
    assert (await ask()).status == 200


def test_process_under_wsgi_is_well():
    answer = Client().get("/chatkit/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_broken_connection_is_made_anew(monkeypatch):
    really, failures = db._ask, [OperationalError("closed in the night")]

    def break_once(using: str) -> None:
        if failures:
            raise failures.pop()
        really(using)

    monkeypatch.setattr(db, "_ask", break_once)
    assert (await ask()).status == 200
    assert failures == []


def away(using: str) -> None:
    raise OperationalError("away")


def silent(using: str) -> None:
    time.sleep(0.2)


@pytest.mark.parametrize("database", [away, silent])
async def test_process_without_its_database_is_unwell(database, monkeypatch, caplog):
    monkeypatch.setattr(health, "TIMEOUT", 0.05)
    monkeypatch.setattr(db, "_ask", database)
    answer = await ask()
    assert (answer.status, answer.json()) == (503, {"status": "no database"})
    assert [record.name for record in caplog.records if record.name.startswith("chatkit")] == [
        "chatkit_app.db"
    ]


async def test_process_that_ends_says_so_before_it_asks_its_database(monkeypatch):
    monkeypatch.setattr(db, "_ask", away)
    await shutdown.interrupt_all()
    answer = await ask()
    assert (answer.status, answer.json()) == (503, {"status": "ending"})


async def test_process_that_nobody_has_chatted_with_notices_its_end():
    await ask()
    assert asyncio.get_running_loop() in shutdown._loops


@pytest.mark.processes
def test_daphne_answers():
    served, browser = Served("daphne", OURS, is_forked=True), Browser()
    try:
        served.wait()
        answer = browser.ask(served, "GET", "/chatkit/health").rest()
    finally:
        browser.close()
        served.kill()
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})
