"""The server that ``CHATKIT["SERVER"]``, or an endpoint of a site's own, names."""

from __future__ import annotations

from .. import database_context
from ..dotted_paths import import_path
from .base import DjangoChatKitServer

# By partition too: what makes one may have asked the database.
_servers: dict[tuple[str, str], DjangoChatKitServer] = {}


def cached_server(path: str) -> DjangoChatKitServer | None:
    """Return the server of this dotted path, if it has been made already in the current part of the database."""
    return _servers.get((database_context.partition(), path))


def get_server(path: str) -> DjangoChatKitServer:
    """Return the server that a dotted path names: a class, called without arguments, or a callable that returns one.

    It is made when first asked for, in each partition of the database, and kept.

    Raises:
        PathNotImportable: when the path names nothing.
        TypeError: when it names something else.
    """
    key = (database_context.partition(), path)
    if key not in _servers:
        server = import_path(path, named_by="The chat's server")()
        if not isinstance(server, DjangoChatKitServer):
            raise TypeError(
                f"{path} gave {type(server).__name__}; name a subclass of chatkit_app.server.DjangoChatKitServer, "
                "or a function that returns an instance of one."
            )
        _servers[key] = server
    return _servers[key]
