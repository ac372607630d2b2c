"""``manage.py chatkit_erase``: erase everything of one person."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatkit_app.moderation.erasure import Person, erase, summary
from chatkit_app.storable import storable_text


class Command(BaseCommand):
    help = (
        "Deletes everything of one person, in all namespaces: threads with all that hangs on them, files, answers, "
        "feedback, and what staff wrote about the threads. The user's own row stays: it belongs to the site. "
        "The audit keeps that it was done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--user", metavar="NAME_OR_ID", help="This user.")
        who.add_argument("--visitor", metavar="ID", help="This visitor.")
        parser.add_argument("--dry-run", action="store_true", help="Only tell what would go.")
        parser.add_argument("--no-input", action="store_false", dest="ask", help="Do not ask before.")

    def handle(self, *args: Any, **options: Any) -> None:
        person = find(options)
        self.stdout.write(f"{person.key} – {summary(person.holdings())}")
        if options["dry_run"]:
            return
        if options["ask"]:
            try:
                answer = input(f"This cannot be undone. Type {person.key} to erase it all: ").strip()
            except EOFError:
                answer = ""
            if answer not in (person.key, person.key.partition(":")[2]):
                raise CommandError("Nothing was erased. Say --no-input where nobody can answer.")
        erased = erase(person, actor=None)
        self.stdout.write(f"Erased – {summary(erased)}")
        if person.user_id is not None:
            self.stdout.write("The user's own row stays; delete it where your site does.")


def find(options: dict[str, Any]) -> Person:
    """Return the person that the options name.

    Raises:
        CommandError: when there is no such user.
    """
    try:
        if options["user"] is not None:
            return Person.named(options["user"])
        return Person(visitor_id=storable_text(options["visitor"]))
    except (LookupError, ValueError) as error:
        raise CommandError(str(error)) from error
