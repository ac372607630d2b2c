"""The demo as an ASGI application, for Daphne, uvicorn and the like."""

import os

from chatkit_app.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_asgi_application()
