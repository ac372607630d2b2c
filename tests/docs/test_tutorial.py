"""The tutorial, done to the letter in an empty folder, and what its reader sees at the end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.sites.processes import Visitor, texts_of, thread_of

from .blocks import TUTORIAL
from .reader import SERVE, Reader

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(tmp_path_factory.mktemp("tutorial"))
    try:
        reader.follow(TUTORIAL)
        reader.serve(f"{SERVE} --noreload")
        yield reader
    finally:
        reader.leave()


@pytest.fixture
def visitor(reader: Reader) -> Iterator[Visitor]:
    with closing(Visitor(reader.port, "localhost")) as visitor:
        yield visitor


def query(reader: Reader, statement: str) -> list[Any]:
    with closing(sqlite3.connect(reader.place / "db.sqlite3")) as database:
        return [row[0] for row in database.execute(statement)]


def test_order_is_found_and_cancelled_by_the_button(reader: Reader, visitor: Visitor):
    answer = visitor.say("Where is order 7?").rest()
    assert "Order 7: A red lamp, packed." in texts_of(answer)[-1]
    (card,) = [
        event["item"]
        for event in answer.events()
        if event["type"] == "thread.item.done" and event["item"]["type"] == "widget"
    ]
    button = card["widget"]["children"][-1]
    assert button["label"] == "Cancel this order"

    action = button["onClickAction"]
    pressed = {"thread_id": thread_of(answer), "item_id": card["id"], "action": action}
    done = visitor.chat("threads.custom_action", **pressed).rest()
    assert texts_of(done) == ["Order 7 is cancelled."]
    (replaced,) = [event["item"] for event in done.events() if event["type"] == "thread.item.replaced"]
    assert "Cancel this order" not in str(replaced["widget"])
    assert "cancelled" in str(replaced["widget"])
    assert query(reader, "SELECT status FROM shop_order") == ["cancelled"]

    again = visitor.chat("threads.custom_action", **pressed).rest()
    assert texts_of(again) == ["This order cannot be cancelled any more."]


def test_card_number_is_flagged(reader: Reader, visitor: Visitor):
    visitor.say("My card is 4111 1111 1111 1111").rest()
    assert "card-number" in query(reader, "SELECT raised_by FROM chatkit_app_flag")


def test_tutorial_leaves_a_project_without_warnings(reader: Reader):
    told = reader.output.read_text()  # of runserver, which makes the checks at its start
    assert "(chatkit.I100)" in told
    assert "chatkit.W" not in told
    assert "chatkit.E" not in told
