"""Staff, and conversations for them to read."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from chatkit_app.models import EarlierItem, Run, Thread, ThreadItem

_numbers = count(1)


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """A client logged in as a staff member with these permissions of the app."""

    def login(*permissions: str, **kwargs: Any) -> Client:
        user = User.objects.create_user(f"staff{next(_numbers)}", is_staff=True)
        found = Permission.objects.filter(content_type__app_label="chatkit_app", codename__in=permissions)
        assert len(found) == len(permissions)
        user.user_permissions.set(found)
        client = Client(**kwargs)
        client.force_login(user)
        client.staff = user  # type: ignore[attr-defined]
        return client

    return login


@pytest.fixture
def moderator(staff: Callable[..., Client]) -> Client:
    return staff("view_thread", "view_content", "moderate_thread")


def make_thread(title: str = "", **fields: Any) -> Thread:
    number = next(_numbers)
    fields.setdefault("public_id", f"thr_{number}")
    if "user" not in fields:
        fields.setdefault("visitor_id", f"visitor-{number}")
    fields.setdefault("last_activity", timezone.now() - timedelta(hours=1))
    return Thread.objects.create(title=title, **fields)


def make_item(
    thread: Thread, type: str = "user_message", text: str = "", payload: Any = None, **fields: Any
) -> ThreadItem:
    if payload is None:
        payload = {"content": [{"type": "input_text", "text": text}], "inference_options": {}}
    return ThreadItem.objects.create(
        thread=thread, public_id=f"msg_{next(_numbers)}", type=type, text=text, payload=payload, **fields
    )


def set_aside(row: ThreadItem, *, place: ThreadItem, of: str = "answer") -> EarlierItem:
    """Make of an item a part of the first earlier version of another one, or of the answer to that."""
    copied = {
        name: getattr(row, name) for name in ("id", "public_id", "type", "payload", "text", "created_at")
    }
    row.delete()
    return EarlierItem.objects.create(thread=row.thread, place=place.public_id, of=of, number=1, **copied)


def make_items(thread: Thread, number: int) -> list[ThreadItem]:
    return ThreadItem.objects.bulk_create(
        ThreadItem(
            thread=thread,
            public_id=f"bulk_{index}",
            type="user_message",
            payload={
                "content": [{"type": "input_text", "text": f"message <{index}>"}],
                "inference_options": {},
            },
            text=f"message <{index}>",
        )
        for index in range(number)
    )


def make_run(thread: Thread | None = None, status: str = "running", **fields: Any) -> Run:
    return Run.objects.create(
        public_id=f"run_{next(_numbers)}", thread=thread, operation="threads.create", status=status, **fields
    )
