from tests.sites.base import *  # noqa: F403

STREET = {
    "server": "gunicorn tests.sites.asgi:application -k uvicorn_worker.UvicornWorker -w 2 "
    "-b 127.0.0.1:{port} --log-level warning"
}
