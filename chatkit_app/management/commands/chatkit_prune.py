"""``manage.py chatkit_prune``: delete old conversations."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections import Counter
from contextlib import closing
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from chatkit_app.limits.counters import count_expired, prune_expired
from chatkit_app.models import Thread
from chatkit_app.moderation.erasure import Retention, prune, summary
from chatkit_app.moderation.orphans import SharedStorage, attachments_without_file, orphaned_files
from chatkit_app.store.claims import forget_old_claims
from chatkit_app.store.stored_files import attachment_storage

AGE_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
MAX_BATCH = 10_000


def age(text: str) -> timedelta:
    """Return the age that is written as ``90d``, ``12w`` or ``36h``."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([hdw])", text.strip().lower(), re.ASCII)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no age; write 90d for days, 12w for weeks or 36h for hours")
    try:
        kept = timedelta(**{AGE_UNITS[found[2]]: int(found[1])})
        timezone.now() - kept
    except OverflowError:
        raise ArgumentTypeError(f"{text!r} is before the calendar begins") from None
    return kept


def batch(text: str) -> int:
    """Return the size of a batch, in threads."""
    if not text.isdecimal() or not 1 <= int(text) <= MAX_BATCH:
        raise ArgumentTypeError(f"a number from 1 to {MAX_BATCH} is wanted")
    return int(text)


class Command(BaseCommand):
    help = (
        "Deletes threads in which nothing has happened for long, with all that hangs on them, and answers without a "
        "thread and files never sent that are as old. It can be broken off and run again, also twice at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=age,
            required=True,
            metavar="AGE",
            help="How long ago the last activity is: 90d, 12w or 36h.",
        )
        parser.add_argument("--namespace", metavar="NAME", help="Only this namespace.")
        parser.add_argument("--anonymous", action="store_true", help="Only visitors who have not logged in.")
        parser.add_argument("--status", choices=Thread.Status.values, help="Only threads with this status.")
        parser.add_argument("--keep-flagged", action="store_true", help="Keep threads with an open flag.")
        parser.add_argument(
            "--batch-size", type=batch, default=500, help="Threads in one transaction (%(default)s)."
        )
        parser.add_argument(
            "--orphans",
            action="store_true",
            help="Also delete files older than a day that no attachment names, and name attachments without a file.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Only tell what would go.")

    def handle(self, *args: Any, **options: Any) -> None:
        retention = Retention(
            before=timezone.now() - options["older_than"],
            namespace=options["namespace"],
            anonymous=options["anonymous"],
            status=options["status"] or "",
            keep_flagged=options["keep_flagged"],
        )
        old = {"thread": retention.threads(), "run": retention.runs(), "attachment": retention.files()}
        counts = Counter({name: rows.count() for name, rows in old.items()})
        if options["dry_run"]:
            self.stdout.write(f"Would delete – {summary(counts)}")
            if expired := count_expired():
                self.stdout.write(f"Would delete counters of limits that are over: {expired}")
            if options["orphans"]:
                self.sweep(dry_run=True)
            return
        deleted: Counter[str] = Counter()
        silent = None if options["verbosity"] else True
        steps = prune(retention, batch_size=options["batch_size"])
        try:
            with (
                closing(steps),
                tqdm(total=counts["thread"], unit=" threads", disable=silent, file=self.stderr._out) as bar,
            ):
                for step in steps:
                    deleted += step
                    bar.update(step["thread"])
        except KeyboardInterrupt:
            self.stderr.write(f"Broken off. Deleted so far – {summary(deleted)}. Run it again to go on.")
            raise SystemExit(130) from None
        if options["verbosity"]:
            self.stdout.write(f"Deleted – {summary(deleted)}")
        forget_old_claims()
        expired = prune_expired()
        if expired and options["verbosity"]:
            self.stdout.write(f"Deleted counters of limits that were over: {expired}")
        if options["orphans"]:
            self.sweep(dry_run=False)

    def sweep(self, *, dry_run: bool) -> None:
        """Delete files that no row names. What a row misses is for people to decide: a storage may be away."""
        found = 0
        try:
            for name in orphaned_files():
                found += 1
                if not dry_run:
                    attachment_storage().delete(name)
        except SharedStorage as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"The storage of files cannot be read: {error}") from error
        self.stdout.write(
            f"{'Would delete' if dry_run else 'Deleted'} files that no attachment names: {found}"
        )
        for public_id in attachments_without_file():
            self.stderr.write(f"Attachment {public_id} has lost its file.")
