"""``manage.py chatkit_staff``: what is to happen in time between users and staff."""

from typing import Any

from django.core.management.base import BaseCommand

from ...takeover import later, mails, webhooks
from ...takeover.timeouts import release_overdue


class Command(BaseCommand):
    help = (
        "Hands to the team the threads that a member of the staff has taken over and left unanswered for longer than "
        'CHATKIT["STAFF"]["TIMEOUT"], mails users who have not seen an answer (MAIL_USERS) and staff when somebody '
        "waits for longer than PATIENCE (MAIL_STAFF), and sends the webhooks that are due. Let a timer run it every "
        "minute: the server itself looks only while it answers."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        said = [f"{thread.public_id} waits for a person again" for thread in release_overdue()]
        said += [f"{thread.public_id} waits for too long" for thread in mails.tell_overdue()]
        mailed = mails.mail_unseen()
        if mailed:
            said.append(f"Mails to users: {mailed}")
        later.wait()
        for delivery in webhooks.deliver_due():
            said.append(f"{delivery.event} to {delivery.url}: {delivery.last_error or delivery.status}")
        webhooks.prune()
        for line in said or ["Nobody waits for too long."]:
            self.stdout.write(line)
