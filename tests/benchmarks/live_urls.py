"""The pages and the chat of ``turns``, and how many statements the process has executed.

With ``CHATKIT_BENCHMARK_BELLS=none`` it rings no bells, and listens for none.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.urls import path

from chatkit_app.live.bells import Bells
from chatkit_app.runs.doorbell import Doorbell
from tests.benchmarks import turns_urls


class Counter:
    """Counts the statements of all connections."""

    def __init__(self) -> None:
        self.number = 0
        self._lock = threading.Lock()

    def __call__(self, execute: Any, *args: Any) -> Any:
        with self._lock:
            self.number += 1
        return execute(*args)


counter = Counter()


@receiver(connection_created)
def count_statements(sender: Any, connection: Any, **kwargs: Any) -> None:
    connection.execute_wrappers.append(counter)


def statements(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(counter.number))


async def _nothing(*args: Any) -> None:
    pass


if os.environ.get("CHATKIT_BENCHMARK_BELLS") == "none":
    for name in ("ring", "ring_staff", "send", "send_now"):
        setattr(Bells, name, lambda *args: None)
    setattr(Doorbell, "connect", _nothing)  # noqa: B010

urlpatterns = [path("statements", statements), *turns_urls.urlpatterns]
