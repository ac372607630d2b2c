"""``manage.py chatkit_statistics``: count the days that are over, for the statistics in the admin."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import ngettext
from tqdm import tqdm

from chatkit_app.staff import statistics

DEFAULT_DAYS = 180
"""What the longest range of the page shows, and compares with."""


def number_of_days(text: str) -> int:
    """Return a number of days."""
    if not text.isdecimal() or not 1 <= int(text) <= 36_500:
        raise ArgumentTypeError("a number of days is wanted, from 1 to 36500")
    return int(text)


class Command(BaseCommand):
    help = (
        "Counts the days that are over and not counted yet, for the statistics in the admin. "
        "Let it run once a day, soon after midnight."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--days",
            type=number_of_days,
            default=DEFAULT_DAYS,
            help="How many days to go back (%(default)s).",
        )
        which.add_argument("--all", action="store_true", help="Go back to the oldest thread.")
        parser.add_argument(
            "--again",
            action="store_true",
            help="Count days again that are counted. What was deleted since then is missing afterwards.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        first = None if options["all"] else statistics.today() - timedelta(days=options["days"])
        days = statistics.due(first, again=options["again"])
        # No bar where nobody looks: disable=None is for terminals only.
        bar = tqdm(days, unit="d", disable=None if options["verbosity"] else True, file=self.stderr._out)
        number = len(statistics.store_days(bar))
        if options["verbosity"]:
            self.stdout.write(
                ngettext("Counted %(count)d day.", "Counted %(count)d days.", number) % {"count": number}
            )
