"""Moderation of conversations by staff: status, redaction, exports, and permanent deletion."""

from .status import last_change, set_status, stop_run

__all__ = ["last_change", "set_status", "stop_run"]
