"""A peal: what one message to all processes with pages says, and what groups hear of it."""

from __future__ import annotations

from chatkit_app.live import peal

TYPING = {"type": "chatkit.typing", "thread": 3, "staff": None}


def test_peal_tells_each_thread_its_version_and_staff_of_all() -> None:
    [message] = peal.pack(versions={7: 3, 8: 1}, handled=[8, 9], others=[("chatkit.thread.3", TYPING)])
    assert list(peal.unpack(message)) == [
        ("chatkit.thread.3", TYPING),
        ("chatkit.thread.7", {"type": "chatkit.changed", "thread": 7, "version": 3}),
        ("chatkit.thread.8", {"type": "chatkit.changed", "thread": 8, "version": 1}),
        ("chatkit.staff", {"type": "chatkit.changed", "group": "chatkit.staff", "threads": [7, 8, 9]}),
    ]


def test_peal_without_changes_rings_for_no_staff() -> None:
    [message] = peal.pack(versions={}, handled=[], others=[("chatkit.thread.3", TYPING)])
    assert list(peal.unpack(message)) == [("chatkit.thread.3", TYPING)]


def test_peal_of_very_many_threads_is_several_messages() -> None:
    messages = peal.pack(versions=dict.fromkeys(range(2001), 1), handled=[], others=[])
    assert [len(message["threads"]) for message in messages] == [1000, 1000, 1]
    assert [pk for message in messages for pk, _version in message["threads"]] == list(range(2001))
