"""``python manage.py make_conversations``: a crowd's conversations, to see how the site bears them."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.translation import gettext as _
from tqdm import tqdm

from chatkit_app.models import Thread, search_index
from project.crowd import make_crowd, vacuum


class Command(BaseCommand):
    help = (
        "Makes a data set of the last 90 days to see how the site bears it: users, visitors, conversations, answers "
        "with their costs, feedback, flags, labels. What is said is made of syllables, and the same for the same "
        "--seed. 10,000 conversations take a minute; nothing takes them away again but a new database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--threads", type=int, default=10_000, help="Conversations to make (10000).")
        parser.add_argument("--items", type=int, help="Their items, in all (five times as many).")
        parser.add_argument("--seed", type=int, default=1, help="Another number makes other data (1).")
        parser.add_argument(
            "--add", action="store_true", help="Add to the conversations that are there; refused otherwise."
        )

    def handle(
        self, *args: Any, threads: int, items: int | None, seed: int, add: bool, **options: Any
    ) -> None:
        items = 5 * threads if items is None else items
        if not 1 <= threads <= items:
            raise CommandError(_("Ask for at least one thread, and for an item for each of them."))
        if Thread.objects.exists() and not add:
            raise CommandError(_("There are conversations in this database. Use another one, or --add."))
        has_index = connection.vendor == "postgresql"
        if has_index:
            # Made once at the end it takes a fraction of the time that it takes row by row.
            search_index.drop(connection)
        with tqdm(total=threads, unit=" threads", disable=not options["verbosity"]) as bar:
            make_crowd(threads=threads, items=items, seed=seed, advance=bar.update)
        if has_index:
            self.stdout.write(_("Making the search index …"))
            try:
                search_index.create(connection)
            except search_index.Unavailable as error:
                self.stdout.write(str(error))
            vacuum()
        self.stdout.write(
            self.style.SUCCESS(
                _("Made {threads} threads with {items} items.").format(threads=threads, items=items)
            )
        )
