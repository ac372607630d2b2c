"""Pages that hear what happens. The database is the truth, and the channel layer a doorbell: no text crosses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .messages import asay, say

__all__ = ["asay", "say"]


def __getattr__(name: str) -> Any:
    # Late: modules of this package are needed by what itself is loaded before the models are.
    if name in __all__:
        from . import messages

        return getattr(messages, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
