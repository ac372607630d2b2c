"""The tasks of the chat for a site that has workers for Django's (Django 6), who find each by its name.

Imported only where a site has such workers, since a task is compared with ``TASKS`` as it is made.
"""

from __future__ import annotations

from django.tasks import task  # type: ignore[import-not-found, unused-ignore]

from . import mails, webhooks


@task
def mail_user(thread_pk: int) -> bool:
    """Tell the user of a thread that a person has answered. Returns whether a mail was sent."""
    return mails.mail_user(thread_pk)


@task
def deliver_due() -> int:
    """Send the webhooks that are due. Returns how many were tried."""
    return len(webhooks.deliver_due())
