"""The pages and actions around a thread, as a browser reaches them."""

from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from chatkit_app.models import Assignment, Thread

LIST = "/admin/chatkit_app/thread/"
LABELS = "/admin/chatkit_app/label/"


def only_mine(user: Any, threads: Any) -> Any:
    return threads.filter(namespace="mine")


def page(thread: Thread, name: str) -> str:
    return f"{LIST}{thread.pk}/{name}/"


def act(client: Client, action: str, *threads: Thread, **data: Any) -> Any:
    return client.post(LIST, {"action": action, "_selected_action": [row.pk for row in threads], **data})


def names(thread: Thread) -> list[str]:
    return [label.name for label in thread.labels.all()]


def assignee(thread: Thread) -> str | None:
    return Assignment.objects.filter(thread=thread).values_list("assignee__username", flat=True).first()


def make_staff(name: str, *, may_see: bool = True, **fields: Any) -> User:
    user = User.objects.create_user(name, **{"is_staff": True, "is_superuser": may_see, **fields})
    return user
