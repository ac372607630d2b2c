from tests.sites.base import *  # noqa: F403

STREET = {"server": "daphne -b 127.0.0.1 -p {port} -v 0 tests.sites.asgi:application"}
