"""``manage.py chatkit_staff``: hand to the team the threads that whoever has them leaves unanswered."""

from typing import Any

from django.core.management.base import BaseCommand

from ...takeover.timeouts import release_overdue


class Command(BaseCommand):
    help = (
        "Hands to the team the threads that a member of the staff has taken over and left unanswered for longer than "
        'CHATKIT["STAFF"]["TIMEOUT"]. Let a timer run it every minute: the server itself looks only while it answers.'
    )

    def handle(self, *args: Any, **options: Any) -> None:
        released = release_overdue()
        for thread in released:
            self.stdout.write(f"{thread.public_id} waits for a person again")
        if not released:
            self.stdout.write("Nobody waits for too long.")
