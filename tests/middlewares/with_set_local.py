from collections.abc import Callable

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def set_user(request: HttpRequest) -> HttpResponse:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL app.user_id = %s", [str(request.user.pk or "")])
            return get_response(request)

    return set_user
