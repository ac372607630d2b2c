from typing import Any

import pytest
from django.contrib.auth import get_user_model

from chatkit_app.models import AuditEntry, Thread

User = get_user_model()


@pytest.fixture
def sam() -> Any:
    return User.objects.create_user("sam", is_staff=True)


@pytest.fixture
def threads() -> list[Thread]:
    return [Thread.objects.create(public_id=f"t{index}", visitor_id="v") for index in range(3)]


def audited() -> list[tuple[str, str, str, dict[str, Any]]]:
    entries = AuditEntry.objects.order_by("pk")
    return list(entries.values_list("action", "thread_key", "reason", "details"))
