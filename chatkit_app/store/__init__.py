"""Stores of conversations and files: the SDK's ``Store`` over the ORM, and one in memory."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import new_id
    from .memory import InMemoryStore
    from .orm import DjangoStore, NotFoundError

__all__ = ["DjangoStore", "InMemoryStore", "NotFoundError", "new_id"]


def __getattr__(name: str) -> Any:
    """Load the stores, and with them the SDK, when one is asked for: the admin needs only modules beside them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import orm

    return getattr(orm, name)
