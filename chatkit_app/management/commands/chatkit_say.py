"""``manage.py chatkit_say``: add a message to a conversation."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...live import say
from ...models import Thread


class Command(BaseCommand):
    help = "Adds a message to a conversation. Pages that show it show the message at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("thread", metavar="ID", help="id of the thread")
        parser.add_argument("text", help="Markdown")
        parser.add_argument(
            "--by",
            metavar="NAME",
            help="user name of the member of the staff who says it; the assistant unless given",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        by, users = None, get_user_model()
        if options["by"] is not None:
            by = users._default_manager.filter(**{users.USERNAME_FIELD: options["by"]}).first()
            if by is None:
                raise CommandError(f"There is no user {options['by']}.")
        try:
            item = say(options["thread"], options["text"], by=by)
        except Thread.DoesNotExist:
            raise CommandError(f"There is no thread {options['thread']}.") from None
        self.stdout.write(item.public_id)
