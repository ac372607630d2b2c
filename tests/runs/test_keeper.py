"""The keeper, which looks after the answers of a process every few seconds."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import OperationalError

from chatkit_app.errors import DatabaseUnavailable
from chatkit_app.runs import keeper


async def away(active: Any) -> None:
    raise DatabaseUnavailable from OperationalError("connection refused")


async def broken(active: Any) -> None:
    raise LookupError


async def nothing(active: Any) -> None:
    pass


@pytest.fixture(autouse=True)
def duties(monkeypatch: pytest.MonkeyPatch) -> None:
    for duty in ("_checkpoint", "_beat", "_release_overdue"):
        monkeypatch.setattr(keeper, duty, nothing)


async def test_database_that_is_away_is_a_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeper, "_checkpoint", away)
    await keeper._look_after([])
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.exc_info is None
    assert "connection refused" in record.getMessage()


async def test_fault_in_a_duty_is_told_with_its_traceback_and_keeps_none_from_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done = []

    async def beat(active: Any) -> None:
        done.append("beat")

    monkeypatch.setattr(keeper, "_checkpoint", broken)
    monkeypatch.setattr(keeper, "_beat", beat)
    await keeper._look_after([])
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert done == ["beat"]
