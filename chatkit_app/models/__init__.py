"""The app's tables: conversations, what staff keep about them, what staff did, and statistics."""

from .approval import Approval
from .audit import AppendOnly, AuditEntry
from .claim import VisitorClaim
from .conversation import (
    PREVIEW_LENGTH,
    Attachment,
    Feedback,
    OwnedModel,
    Run,
    Thread,
    ThreadItem,
)
from .limit import AnswerLease, LimitCounter
from .moderation import NAME_LENGTH, Assignment, Flag, Label, Note
from .statistics import DailyStatistics

__all__ = [
    "NAME_LENGTH",
    "PREVIEW_LENGTH",
    "AnswerLease",
    "AppendOnly",
    "Approval",
    "Assignment",
    "Attachment",
    "AuditEntry",
    "DailyStatistics",
    "Feedback",
    "Flag",
    "Label",
    "LimitCounter",
    "Note",
    "OwnedModel",
    "Run",
    "Thread",
    "ThreadItem",
    "VisitorClaim",
]
