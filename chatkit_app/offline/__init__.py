"""Models without an account: the offline model, and the base for scripted ones."""

from .model import OfflineModel, OfflineProvider, fill_schema, has_key, is_offline

__all__ = ["OfflineModel", "OfflineProvider", "fill_schema", "has_key", "is_offline"]
