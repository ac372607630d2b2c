"""``manage.py chatkit_export``: export conversations to a file."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import is_naive, make_aware, make_naive
from django.utils.translation import ngettext
from tqdm import tqdm

from chatkit_app.models import Thread
from chatkit_app.models.querysets import ThreadQuerySet
from chatkit_app.moderation.erasure import Person
from chatkit_app.moderation.exports import Export, Format
from chatkit_app.staff import audit
from chatkit_app.storable import is_storable_text, storable_text

Put = Callable[[str], Any]


def moment(text: str) -> datetime:
    """Return a date or a time, as the database wants it."""
    found = None
    with suppress(ValueError):
        found = parse_datetime(text)
        if found is None and (day := parse_date(text)) is not None:
            found = datetime(day.year, day.month, day.day)
    if found is None:
        raise ArgumentTypeError("a date such as 2026-01-31 is wanted, or a time such as 2026-01-31T12:00")
    if settings.USE_TZ:
        return make_aware(found) if is_naive(found) else found
    return found if is_naive(found) else make_naive(found)


class Command(BaseCommand):
    help = (
        "Exports conversations as JSONL, CSV or Markdown. Redacted messages stay redacted; what only the model was "
        "told is left out unless --hidden is given. The audit keeps that it was done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--thread", nargs="+", metavar="ID", help="These threads.")
        which.add_argument("--user", metavar="NAME_OR_ID", help="All threads of this user.")
        which.add_argument("--visitor", metavar="ID", help="All threads of this visitor.")
        which.add_argument("--all", action="store_true", help="All threads.")
        parser.add_argument("--format", choices=Format.values, default=Format.JSONL.value)
        parser.add_argument(
            "--output", metavar="FILE", default="-", help="Where to write; - is the standard output."
        )
        parser.add_argument(
            "--since", type=moment, metavar="DATE", help="Only threads whose last activity is not before."
        )
        parser.add_argument(
            "--until", type=moment, metavar="DATE", help="Only threads whose last activity is before."
        )
        parser.add_argument("--namespace", metavar="NAME", help="Only threads of this namespace.")
        parser.add_argument(
            "--hidden",
            action="store_true",
            help="Also what only the model was told, and what tools got and gave.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        threads = selected(options)
        total = threads.count()
        if options["thread"] and total < len(set(options["thread"])):
            known = set(threads.values_list("public_id", flat=True))
            missing = [key for key in options["thread"] if key not in known]
            raise CommandError(
                f"No such thread (or not among those that were asked for): {', '.join(missing)}"
            )
        format = Format(options["format"])
        to_file = options["output"] != "-"
        filters = ("thread", "user", "visitor", "since", "until", "namespace")
        given = {name: str(options[name])[:500] for name in filters if options[name] is not None}
        audit.record(
            audit.Action.EXPORT,
            actor=None,
            format=format.value,
            hidden=options["hidden"],
            count=total,
            filters=given,
        )
        export = Export(threads, format=format, hidden=options["hidden"])
        # A bar where somebody looks, and where it does not run into what is written.
        silent = None if to_file and options["verbosity"] else True
        with (
            opened(options["output"], self.stdout.write) as put,
            tqdm(total=total, unit=" threads", disable=silent, file=self.stderr._out) as bar,
        ):
            write(export, put, bar)
        if to_file and options["verbosity"]:
            self.stdout.write(
                ngettext("Exported %(count)d thread.", "Exported %(count)d threads.", export.threads_done)
                % {"count": export.threads_done}
            )


def selected(options: dict[str, Any]) -> ThreadQuerySet:
    """Return the threads that the options name."""
    threads = Thread.objects.all()
    try:
        if options["thread"]:
            # PostgreSQL refuses NUL instead of finding nothing.
            threads = threads.filter(
                public_id__in=[key for key in options["thread"] if is_storable_text(key)]
            )
        elif options["user"] is not None:
            threads = threads.filter(Person.named(options["user"]).condition)
        elif options["visitor"] is not None:
            threads = threads.filter(Person(visitor_id=storable_text(options["visitor"])).condition)
    except (LookupError, ValueError) as error:
        raise CommandError(str(error)) from error
    if options["since"] is not None:
        threads = threads.filter(last_activity__gte=options["since"])
    if options["until"] is not None:
        threads = threads.filter(last_activity__lt=options["until"])
    if options["namespace"] is not None:
        threads = threads.filter(namespace=options["namespace"])
    return threads


@contextmanager
def opened(name: str, stdout: Put) -> Iterator[Put]:
    """Open a file and yield what writes there. It is there, readable for its owner alone, once it is whole."""
    target = Path(name)
    try:
        if name == "-":
            yield stdout
        elif target.exists() and not target.is_file():
            # A pipe or a device, in whose place no file is put.
            with target.open("w", encoding="utf-8", newline="") as file:
                yield file.write
        else:
            with replaced(target) as put:
                yield put
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error}") from error


@contextmanager
def replaced(target: Path) -> Iterator[Put]:
    """Open a new file beside the target, which it replaces once it is whole. Yields what writes into it."""
    part = target.with_name(f"{target.name}.part")
    # Not through a link that somebody else has put there.
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file.write
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write(export: Export, put: Put, bar: tqdm[Any]) -> None:
    """Write the export, and into an incomplete one where it broke off."""
    try:
        for text in export:
            put(text)
            bar.update(export.threads_done - bar.n)
    except BaseException as error:
        if not isinstance(error, OSError):
            # On the standard output, where what was written cannot be taken back.
            put(export.incomplete())
        raise
