"""The statements that a turn and a read cost, which is what grows with a site's traffic."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from django.db.backends.utils import CursorWrapper

from tests.chat import Chat

pytestmark = pytest.mark.django_db(transaction=True)


def short(sql: str) -> str:
    """The verb and the table."""
    table = re.search(r'(?:FROM|INTO|UPDATE) "?(?:chatkit_app_)?([a-z_]+)', sql)
    return f"{sql.split()[0]} {table[1]}" if table else sql


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that is executed, in whichever thread, but for what begins and ends a transaction."""
    executed: list[str] = []
    execute = CursorWrapper.execute

    def record(self: Any, sql: Any, params: Any = None) -> Any:
        if not str(sql).startswith(("BEGIN", "COMMIT")):
            executed.append(short(str(sql)))
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", record)
    return executed


@pytest.fixture
async def visited(use: Any) -> tuple[Chat, str]:
    """A visitor with a thread. Nothing is compiled for the first time after this, and no checkpoint is made."""
    use("EchoServer", CHECKPOINT_INTERVAL=1.9)
    chat = Chat()
    answer = await chat.say("hello")
    await chat.say("hello again", answer.thread_id)
    for name, params in reads(answer.thread_id).items():
        await chat.ask(name, **params)
    return chat, answer.thread_id


def reads(thread_id: str) -> dict[str, dict[str, Any]]:
    return {
        "threads.list": {"limit": 20, "order": "desc"},
        "threads.get_by_id": {"thread_id": thread_id},
        "items.list": {"thread_id": thread_id, "limit": 20, "order": "asc"},
    }


async def test_turn_of_a_visitor(visited: tuple[Chat, str], statements: list[str]) -> None:
    chat, thread_id = visited
    statements.clear()
    await chat.say("once more", thread_id)
    assert statements == [
        # Who it is, and what there is.
        "SELECT django_session",
        "SELECT visitorclaim",  # in a subquery of the thread, and so is the run of the same request
        # What it counts for, and that it has begun.
        "INSERT limitcounter",
        "INSERT answerlease",
        "INSERT run",
        "SELECT visitorclaim",  # in a subquery of the thread's status
        # The message.
        "UPDATE thread",
        "INSERT threaditem",
        # The answer.
        "UPDATE thread",
        "INSERT threaditem",
        # That it has ended.
        "DELETE answerlease",
        "UPDATE run",
    ]


async def test_first_turn_of_a_visitor(visited: tuple[Chat, str], statements: list[str]) -> None:
    """In no order, since the answer begins while it is looked whether the visitor has logged in."""
    new = Chat()
    statements.clear()
    await new.say("hello")
    assert Counter(statements) == Counter(
        [
            # Who it is.
            "INSERT limitcounter",
            "INSERT django_session",
            "SELECT run",
            "SELECT visitorclaim",
            # What it counts for, and that it has begun.
            "INSERT limitcounter",
            "INSERT answerlease",
            "INSERT thread",
            "INSERT run",
            "SELECT visitorclaim",
            # The message, and the answer.
            *["UPDATE thread", "INSERT threaditem"] * 2,
            # That it has ended.
            "DELETE answerlease",
            "UPDATE run",
        ]
    )


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("threads.list", ["SELECT django_session", "SELECT thread"]),
        ("threads.get_by_id", ["SELECT django_session", "SELECT thread", "SELECT feedback"]),
        ("items.list", ["SELECT django_session", "SELECT feedback"]),
    ],
)
async def test_read_of_a_visitor(
    visited: tuple[Chat, str], statements: list[str], name: str, asked: list[str]
) -> None:
    """The items' feedback is a subquery, which comes first."""
    chat, thread_id = visited
    statements.clear()
    await chat.ask(name, **reads(thread_id)[name])
    assert statements == asked


@pytest.mark.parametrize(
    ("after", "asked"),
    [
        (0, ["SELECT django_session", "SELECT thread", "SELECT feedback", "SELECT removeditem"]),
        (10**9, ["SELECT django_session", "SELECT thread"]),
    ],
    ids=["something", "nothing"],
)
async def test_changes_of_a_visitors_thread(
    visited: tuple[Chat, str], statements: list[str], after: int, asked: list[str]
) -> None:
    chat, thread_id = visited
    statements.clear()
    await (await chat.open("GET", f"/chatkit/threads/{thread_id}/changes?after={after}")).rest()
    assert statements == asked
