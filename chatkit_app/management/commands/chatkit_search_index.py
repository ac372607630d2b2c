"""``manage.py chatkit_search_index``: make the index of the admin's search where the migration could not."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.translation import gettext as _

from chatkit_app.models import search_index


class Command(BaseCommand):
    help = (
        "Makes the trigram index of the admin's search on PostgreSQL, where it is missing. The migration makes it "
        "too, but not where somebody else has to bring in the extension pg_trgm first. The site may go on meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="Alias of the database (default).")

    def handle(self, *args: Any, database: str, **options: Any) -> None:
        if database not in connections:
            raise CommandError(_("There is no database “%(name)s” in DATABASES.") % {"name": database})
        try:
            made = search_index.create(connections[database], concurrently=True)
        except search_index.Unavailable as error:
            raise CommandError(
                _("%(reason)s Searches work without the index, and take longer.") % {"reason": error}
            ) from error
        for name in made:
            self.stdout.write(_("Created %(name)s.") % {"name": name})
        self.stdout.write(self.style.SUCCESS(_("The search index is there.")))
