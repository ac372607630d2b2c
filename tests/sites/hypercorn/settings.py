from tests.sites.base import *  # noqa: F403

STREET = {"server": "hypercorn tests.sites.asgi:application -b 127.0.0.1:{port} --log-level warning"}
