"""The app's tables: conversations, what staff keep about them, what staff did, and statistics."""

from .approval import Approval
from .audit import AppendOnly, AuditEntry
from .canned import CannedReply
from .claim import VisitorClaim
from .conversation import (
    PREVIEW_LENGTH,
    Attachment,
    Feedback,
    OwnedModel,
    RemovedItem,
    Run,
    Thread,
    ThreadItem,
)
from .delivery import WebhookDelivery
from .earlier import EarlierItem
from .limit import AnswerLease, LimitCounter
from .moderation import NAME_LENGTH, Assignment, Flag, Label, Note, ReviewQueue
from .presence import HERE_FOR, Presence
from .statistics import DailyStatistics

__all__ = [
    "HERE_FOR",
    "NAME_LENGTH",
    "PREVIEW_LENGTH",
    "AnswerLease",
    "AppendOnly",
    "Approval",
    "Assignment",
    "Attachment",
    "AuditEntry",
    "CannedReply",
    "DailyStatistics",
    "EarlierItem",
    "Feedback",
    "Flag",
    "Label",
    "LimitCounter",
    "Note",
    "OwnedModel",
    "Presence",
    "RemovedItem",
    "ReviewQueue",
    "Run",
    "Thread",
    "ThreadItem",
    "VisitorClaim",
    "WebhookDelivery",
]
