"""The doorbell of a process that makes answers: it looks at their rows when another one says so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatkit_app import db
from chatkit_app.live import groups, layer
from chatkit_app.live.bells import bells
from chatkit_app.live.hub import get_hub
from chatkit_app.models import Run
from chatkit_app.runs import keeper, stopping
from chatkit_app.runs.registry import live_runs
from tests.chat import Chat, Exchange, eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch, use: Any) -> None:
    """A layer that other processes seem to hear, and a keeper that hardly ever looks."""
    use("SlowServer", CHECKPOINT_INTERVAL=300)
    monkeypatch.setattr(keeper, "MAX_INTERVAL", 300.0)
    bells.forget()
    monkeypatch.setattr(layer, "state", layer.LayerState())
    monkeypatch.setattr(layer, "is_local", lambda found: False)


@pytest.fixture
async def answer(gate: asyncio.Event) -> Exchange:
    """One that has said "one ", in a process that can be heard."""
    exchange = await Chat().begin_saying("hi")
    await exchange.until("one ")
    await eventually(lambda: get_hub()._members.get(groups.ANSWERS))
    return exchange


def as_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops an answer does not find it here."""
    monkeypatch.setattr(stopping, "live_runs", type(live_runs)())


async def test_answer_that_another_process_stops_ends(
    answer: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_another_process(monkeypatch)
    assert await db.run(lambda: stopping.request_stops(Run.objects.all())) == 1
    await answer.rest()
    assert answer.text() == "one "
    assert (await db.run(Run.objects.get)).status == "stopped"


async def test_stop_of_another_processs_answer_returns_when_that_has_ended(
    answer: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_another_process(monkeypatch)
    monkeypatch.setattr(stopping, "_LOOKS", (0.01,) * 1000)
    row = await db.run(Run.objects.get)
    assert await stopping.stop(row)
    assert (await db.run(Run.objects.get)).status == "stopped"


async def test_bell_for_an_answer_that_nobody_has_stopped_changes_nothing(
    answer: Exchange, gate: asyncio.Event
) -> None:
    looked = []
    find = keeper._find_stopped

    def find_and_note(runs: Any) -> Any:
        looked.append(runs)
        return find(runs)

    keeper_module: Any = keeper
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeper_module, "_find_stopped", find_and_note)
        bells.look(["run_of_nobody"])
        bells.look([answer.run_id])
        await eventually(lambda: looked)
    assert [run.public_id for runs in looked for run in runs] == [answer.run_id]
    gate.set()
    await answer.rest()
    assert answer.text() == "one two"


async def test_process_that_could_not_be_heard_at_first_is_heard_later(
    gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "MAX_INTERVAL", 0.02)
    layer.state.note_failure(ConnectionError("away"))
    exchange = await Chat().begin_saying("hi")
    await exchange.until("one ")
    assert groups.ANSWERS not in get_hub()._members
    layer.state.note_success()
    await eventually(lambda: get_hub()._members.get(groups.ANSWERS))
    gate.set()
    await exchange.rest()


async def test_process_that_makes_no_answers_any_more_is_rung_for_none(
    gate: asyncio.Event, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use("EchoServer", CHECKPOINT_INTERVAL=0.02, RUN_RETENTION=0)
    await Chat().say("hi")
    await eventually(lambda: not list(live_runs))
    await eventually(lambda: get_hub()._members == {})
    assert get_hub()._task is None


async def test_nothing_is_listened_to_where_processes_do_not_hear_one_another(
    gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer, "is_local", lambda found: True)
    exchange = await Chat().begin_saying("hi")
    await exchange.until("one ")
    gate.set()
    await exchange.rest()
    assert get_hub()._members == {}
