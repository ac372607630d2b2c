"""The admin: browse conversations and moderate them. One module per page."""

from . import (
    attachments,
    audit,
    canned,
    dashboard,
    deliveries,
    feedback,
    flags,
    labels,
    review,
    runs,
    threads,
)

__all__ = [
    "attachments",
    "audit",
    "canned",
    "dashboard",
    "deliveries",
    "feedback",
    "flags",
    "labels",
    "review",
    "runs",
    "threads",
]
