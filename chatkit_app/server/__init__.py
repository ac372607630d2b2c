"""The SDK's server, adapted to Django. Subclass ``DjangoChatKitServer`` and write ``respond()``."""

from .base import DjangoChatKitServer

__all__ = ["DjangoChatKitServer"]
