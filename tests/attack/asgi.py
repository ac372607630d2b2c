"""The app's own application, as README shows it."""

from chatkit_app.asgi import get_asgi_application

application = get_asgi_application()
