"""Stores of conversations and files: the SDK's ``Store`` over the ORM, and one in memory."""

from .base import new_id
from .memory import InMemoryStore
from .orm import DjangoStore, NotFoundError

__all__ = ["DjangoStore", "InMemoryStore", "NotFoundError", "new_id"]
