from django.db import connection
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin


class Base(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET app.user_id = {request.user.pk or 0:d}")


class Middleware(Base):
    pass
