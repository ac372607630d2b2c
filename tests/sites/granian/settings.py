from tests.sites.base import *  # noqa: F403

STREET = {
    "server": "granian --interface asgi --host 127.0.0.1 --port {port} --log-level warning tests.sites.asgi:application"
}
