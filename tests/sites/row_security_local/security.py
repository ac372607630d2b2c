"""What a site makes of the guide's ``AsUser`` there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction
from django.http import HttpRequest

from chatkit_app.database_context import DatabaseContext


@dataclass(frozen=True)
class AsUser(DatabaseContext):
    user_id: str

    @contextmanager
    def enter(self) -> Iterator[None]:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('app.user_id', %s, true)", [self.user_id])
            yield


def as_user(request: HttpRequest) -> AsUser:
    return AsUser(str(request.user.pk or ""))
