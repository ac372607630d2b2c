"""``python manage.py demo``: one command from a fresh clone to a page that answers."""

import asyncio
import socket
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.utils.translation import gettext as _

from chatkit_app import db
from project.inbox import DAYS, fill_inbox
from project.samples import create_samples

NAME = PASSWORD = "admin"
# Those that Django answers to with DEBUG and an empty ALLOWED_HOSTS.
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PATIENCE = 10.0


class Command(BaseCommand):
    help = (
        "Prepares the database, 90 days of sample conversations and the superuser admin/admin, and serves the demo: "
        "the chat at /, the admin at /admin/. Ctrl-C ends it (kill, where a shell runs it in the background), and what "
        "was written stays for the next time. Without OPENAI_API_KEY in the environment a built-in model answers; "
        "DATABASE_URL and REDIS_URL move the demo to "
        "PostgreSQL and Redis. Many thousands of conversations more: manage.py make_conversations --add."
    )
    requires_system_checks = []  # runserver makes them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="Port to listen on (8000).")
        parser.add_argument("--host", default="127.0.0.1", help="Loopback address to listen on (127.0.0.1).")
        parser.add_argument(
            "--no-samples",
            action="store_true",
            help="Add no sample conversations: those that are there stay.",
        )

    def handle(self, *args: Any, host: str, port: int, no_samples: bool, **options: Any) -> None:
        require_debug()
        require_loopback(host)
        require_free_port(host, port)
        call_command("migrate", interactive=False, verbosity=0)
        is_new = create_admin()
        created = 0 if no_samples else create_samples() + fill_inbox()
        call_command("chatkit_statistics", days=DAYS, verbosity=0)
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        login = f"{NAME} / {PASSWORD}" if is_new else _("as you left it ({name})").format(name=NAME)
        self.stdout.write(_("Sample conversations created: {count}").format(count=created))
        self.stdout.write(self.style.SUCCESS(_("The chat:  {url}").format(url=address)))
        self.stdout.write(self.style.SUCCESS(_("The admin: {url}").format(url=f"{address}admin/")))
        self.stdout.write(_("Log in:    {login}").format(login=login))
        self.stdout.flush()
        addrport = address.removeprefix("http://").rstrip("/")
        call_command("runserver", addrport, use_reloader=False)
        end_answers()


def require_debug() -> None:
    if not settings.DEBUG:
        raise CommandError(
            _("The demo has a superuser whose password everybody knows; it runs only with DEBUG = True.")
        )


def require_loopback(host: str) -> None:
    """Raise a CommandError unless only this machine can reach the address."""
    if host not in LOOPBACK:
        raise CommandError(
            _(
                "The demo has a superuser whose password everybody knows; it is served on 127.0.0.1, ::1 or "
                "localhost only, not on {host}."
            ).format(host=host)
        )


def require_free_port(host: str, port: int) -> None:
    """Raise a CommandError when nothing can listen there."""
    if not 1 <= port <= 65535:
        raise CommandError(_("{port} is not a port. Choose one with --port.").format(port=port))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server will: a port that was used a moment ago can be used again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                _("Port {port} cannot be used ({reason}). Choose another one: --port {other}").format(
                    port=port, reason=error.strerror, other=port + 1 if port < 65535 else 8000
                )
            ) from None


def end_answers() -> None:
    """Let the answers that are still being made end after Ctrl-C, and save what there is of them.

    Daphne leaves its event loop with unfinished tasks, and Python 3.11 can crash when it tears those down.
    """
    from daphne.server import twisted_loop as loop

    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=PATIENCE))
    db.shutdown()


def create_admin() -> bool:
    """Create the superuser unless there is one of that name. Returns whether it is new."""
    users = get_user_model().objects
    if users.filter(username=NAME).exists():
        return False
    # What users of the chat are shown, in place of a user name.
    users.create_superuser(NAME, "admin@example.com", PASSWORD, first_name="Anna")
    return True
