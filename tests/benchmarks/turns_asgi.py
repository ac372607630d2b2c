"""The application that ``turns`` measures."""

from chatkit_app.asgi import get_asgi_application

application = get_asgi_application()
