"""The app's own application, as the docs show it."""

from chatkit_app.asgi import get_asgi_application

application = get_asgi_application()
