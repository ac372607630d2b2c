"""How often the readers of an answer are woken."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from chatkit_app.http.sse import EventStream
from chatkit_app.runs import pace
from chatkit_app.runs.pace import CROWD, Pace
from tests.chat import Chat


class Timer:
    def __init__(self, moment: float, call: Callable[[], None]) -> None:
        self.moment, self.call = moment, call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Clock(asyncio.AbstractEventLoop):
    """An event loop of which only the clock goes, when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        self.timers.append(Timer(self.now + delay, callback))
        return self.timers[-1]

    def go_on(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for timer in self.timers if timer.moment <= self.now and not timer.is_cancelled]
        self.timers = [timer for timer in self.timers if timer not in due]
        for timer in due:
            timer.call()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def woken(clock: Clock) -> list[float]:
    """When readers were woken, since the beginning."""
    return []


@pytest.fixture
def readers(clock: Clock, woken: list[float]) -> Pace:
    return Pace(lambda: woken.append(round(clock.now - 100.0, 3)), clock)


def test_few_readers_are_woken_for_each_word(clock: Clock, readers: Pace, woken: list[float]) -> None:
    for _ in range(3):
        readers.wake_for_word(answers=CROWD)
        clock.go_on(0.02)
    assert woken == [0.0, 0.02, 0.04]


def test_crowd_has_the_first_word_at_once_and_others_together(
    clock: Clock, readers: Pace, woken: list[float]
) -> None:
    for _ in range(6):
        readers.wake_for_word(answers=CROWD + 1)
        clock.go_on(0.04)
    assert woken == [0.0, 0.12, 0.24]


def test_crowd_has_a_word_that_comes_late_at_once(clock: Clock, readers: Pace, woken: list[float]) -> None:
    readers.wake_for_word(answers=CROWD + 1)
    clock.go_on(0.5)
    readers.wake_for_word(answers=CROWD + 1)
    assert woken == [0.0, 0.5]


def test_waking_at_once_leaves_no_timer_behind(clock: Clock, readers: Pace, woken: list[float]) -> None:
    readers.wake_for_word(answers=CROWD + 1)
    readers.wake_for_word(answers=CROWD + 1)
    readers.wake()
    clock.go_on(1.0)
    assert woken == [0.0, 0.0]


@pytest.mark.django_db(transaction=True)
async def test_words_of_a_crowd_are_sent_with_what_comes_behind_them(
    use: Any, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[bytes] = []
    take = EventStream._take

    def record(stream: EventStream) -> bytes:
        pieces.append(take(stream))
        return pieces[-1]

    monkeypatch.setattr(EventStream, "_take", record)
    monkeypatch.setattr(pace, "CROWD", 0)
    monkeypatch.setattr(pace, "INTERVAL", 3600)
    use("SlowServer")
    answer = await Chat().begin_saying("hello")
    await answer.until("one ")
    gate.set()
    await answer.rest()
    [last] = [piece for piece in pieces if b'"two"' in piece]
    assert b"one two" in last
