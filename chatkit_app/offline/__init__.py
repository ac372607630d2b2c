"""Models without an account: the offline model, and the base for scripted ones."""

from typing import TYPE_CHECKING, Any

from .credentials import has_key, is_offline

if TYPE_CHECKING:
    from .model import OfflineModel, OfflineProvider, fill_schema

__all__ = ["OfflineModel", "OfflineProvider", "fill_schema", "has_key", "is_offline"]


def __getattr__(name: str) -> Any:
    """Load the model, and with it the Agents SDK, when it is asked for: checks ask only for credentials."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import model

    return getattr(model, name)
