"""The admin: browse conversations and moderate them. One module per page."""

from . import attachments, feedback, runs, threads

__all__ = ["attachments", "feedback", "runs", "threads"]
