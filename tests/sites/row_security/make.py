"""``python -m tests.sites.row_security.make maria omar``: the tables, and these members of staff."""

import sys

import django
from django.core.management import call_command


def make(names: list[str]) -> None:
    django.setup()
    from django.contrib.auth import get_user_model

    call_command("migrate", verbosity=0)
    for name in names:
        get_user_model().objects.create_superuser(name, password=name)


if __name__ == "__main__":
    make(sys.argv[1:])
