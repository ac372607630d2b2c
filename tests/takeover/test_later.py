"""Work that nobody waits for: by the workers of Django's tasks where a site has some, else by a thread."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils.module_loading import import_string

from chatkit_app.models import Thread, WebhookDelivery
from chatkit_app.moderation.takeover import reply, take_over
from chatkit_app.takeover import later

pytestmark = pytest.mark.django_db(transaction=True)

MODULE = "chatkit_app.takeover.tasks"


class FakeTask:
    """A task as Django documents it, for a Django that has none."""

    def __init__(self, func: Any) -> None:
        self.func = func

    @property
    def module_path(self) -> str:
        return f"{self.func.__module__}.{self.func.__qualname__}"

    def enqueue(self, *args: Any, **kwargs: Any) -> None:
        Queue.put(self, args, kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.func(*args, **kwargs)


class Queue:
    """A queue between processes: what goes through it is names, and what JSON can hold."""

    entries: list[str] = []
    is_away = False

    @classmethod
    def put(cls, task: Any, args: Any, kwargs: Any) -> None:
        if cls.is_away:
            raise ConnectionError("no queue here")
        cls.entries.append(json.dumps([task.module_path, list(args), kwargs]))

    @classmethod
    def names(cls) -> list[str]:
        return [json.loads(entry)[0].removeprefix(f"{MODULE}.") for entry in cls.entries]

    @classmethod
    def work(cls) -> list[Any]:
        """Do as a worker does: find each task by its name, call it, and keep as JSON what it returns."""
        entries, cls.entries = cls.entries, []
        results = []
        for path, args, kwargs in map(json.loads, entries):
            task = import_string(path)
            assert isinstance(task, import_string("django.tasks.Task"))
            results.append(json.loads(json.dumps(task.call(*args, **kwargs))))
        return results


if find_spec("django.tasks") is not None:
    from django.tasks.backends.base import BaseTaskBackend

    class QueueBackend(BaseTaskBackend):
        def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
            Queue.put(task, args, kwargs)


@pytest.fixture
def workers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Queue]]:
    """The site has workers, who wait until they are called."""
    settings.TASKS = {"default": {"BACKEND": f"{__name__}.QueueBackend"}}
    if find_spec("django.tasks") is None:
        fake: Any = ModuleType("django.tasks")
        fake.__spec__ = ModuleSpec("django.tasks", None)
        fake.task, fake.Task = FakeTask, FakeTask
        monkeypatch.setitem(sys.modules, "django.tasks", fake)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    monkeypatch.setattr(Queue, "entries", [])
    monkeypatch.setattr(Queue, "is_away", False)
    yield Queue
    # Its tasks are those of this site.
    sys.modules.pop(MODULE, None)


@pytest.fixture
def maria() -> Any:
    return User.objects.create(username="maria", first_name="Maria")


@pytest.fixture
def thread(settings: Any, maria: Any) -> Thread:
    """A user who is away has a thread that Maria has taken, and the site mails them and tells a receiver."""
    ben = User.objects.create(username="ben", email="ben@example.com")
    thread = take_over(Thread.objects.create(public_id="thr_1", user=ben), actor=maria)
    # Nobody listens there.
    hook = {"url": "http://127.0.0.1:9/hook", "secret": "s", "events": ["staff_replied"]}
    settings.CHATKIT = {"STAFF": {"MAIL_USERS": True, "WEBHOOKS": [hook]}}
    return thread


def test_workers_are_given_what_there_is_to_do_and_do_it(workers, thread, maria):
    reply(thread, "It is here.", actor=maria)
    later.wait()
    assert (mail.outbox, WebhookDelivery.objects.get().attempts) == ([], 0)
    assert sorted(workers.names()) == ["deliver_due", "mail_user"]
    assert sorted(workers.work()) == [True, 1]
    assert [message.to for message in mail.outbox] == [["ben@example.com"]]
    assert WebhookDelivery.objects.get().attempts == 1


def test_every_function_that_is_done_later_has_a_task(workers):
    tasks = import_module(MODULE)
    for name in ("mail_user", "deliver_due"):
        assert getattr(tasks, name).module_path == f"{MODULE}.{name}"


def test_thread_of_the_process_does_what_no_queue_takes(workers, thread, maria, monkeypatch, caplog):
    monkeypatch.setattr(workers, "is_away", True)
    caplog.set_level(logging.ERROR)
    reply(thread, "It is here.", actor=maria)
    later.wait()
    assert "TASKS took no task of the chat" in caplog.text
    assert [message.to for message in mail.outbox] == [["ben@example.com"]]
    assert WebhookDelivery.objects.get().attempts == 1


@pytest.mark.parametrize(
    "backend",
    ["", "django.tasks.backends.immediate.ImmediateBackend", "django.tasks.backends.dummy.DummyBackend"],
)
def test_thread_of_the_process_does_it_where_a_site_has_no_workers(workers, thread, maria, settings, backend):
    settings.TASKS = {"default": {"BACKEND": backend}} if backend else {}
    reply(thread, "It is here.", actor=maria)
    later.wait()
    assert workers.entries == []
    assert [message.to for message in mail.outbox] == [["ben@example.com"]]


def test_thread_of_the_process_does_it_where_requests_need_a_database_context(workers, settings, monkeypatch):
    """A worker would look for the rows in another schema."""
    assert later.has_workers()
    monkeypatch.setattr("chatkit_app.database_context.is_used", lambda: True)
    assert not later.has_workers()
