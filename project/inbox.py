"""A filled inbox: 90 days of what customers of a coffee shop ask, and what the shop's staff made of it.

What is said is in inbox.toml. It is the same each time, but for the day on which it ends.
"""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from chatkit_app.models import (
    Assignment,
    AuditEntry,
    CannedReply,
    Feedback,
    Flag,
    Label,
    Note,
    Run,
    Thread,
    ThreadItem,
)
from chatkit_app.store.codec import encode_item
from chatkit_app.store.payloads import preview

from .samples import answered, said

SCRIPTS: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "inbox.toml").read_text(encoding="utf-8")
)["conversation"]

DAYS, THREADS = 90, 180
PREFIX = "thr_inbox_"
STAFF = ("anna", "ben")
CUSTOMERS = {
    "en": ("emily", "jack.w", "priya", "sam", "oliver", "grace", "noah.b"),
    "de": ("katrin", "jonas", "familie.huber"),
    "es": ("lucia", "javier"),
    "fr": ("camille", "hugo"),
    "pt-br": ("beatriz", "rafael"),
    "ar": ("layla", "omar"),
    "ja": ("haruka", "sota"),
}
CITIES = {
    "en": ("Leeds", "Bristol", "Dublin", "Boston"),
    "de": ("Freiburg", "Leipzig", "Graz"),
    "es": ("Valencia", "Bilbao"),
    "fr": ("Lyon", "Nantes"),
    "pt-br": ("Curitiba", "Recife"),
    "ar": ("عمّان", "القاهرة"),
    "ja": ("京都", "札幌"),
}
COFFEES = ("Sidamo", "Yirgacheffe", "Limu", "Huila", "Cerrado", "Antigua")
LABELS = {
    "billing": Label.Color.BLUE,
    "delivery": Label.Color.GREEN,
    "praise": Label.Color.YELLOW,
    "privacy": Label.Color.GREY,
    "returns": Label.Color.BLUE,
    "spam": Label.Color.GREY,
    "subscription": Label.Color.GREEN,
    "urgent": Label.Color.RED,
    "wholesale": Label.Color.YELLOW,
}
CANNED = {
    "hello": ("Who I am", "Hello {user}, this is {staff} of the coffee shop. I have read what you wrote."),
    "refund": (
        "Money on its way back",
        "Your money is on its way back. It takes **up to five working days**, depending on your bank.",
    ),
    "return": (
        "How to send something back",
        "You can send it back within 30 days:\n\n"
        "1. Put it into its box.\n2. Print the label that comes by mail.\n3. Hand it in at any post office.",
    ),
}
# What is younger is still open: nobody has looked at all of it yet.
BACKLOG = timedelta(days=6)
INSTRUCTIONS_TOKENS = 420
FAILURES = 0.02


def fill_inbox() -> int:
    """Store the conversations, unless there are some of them already. Returns how many that were."""
    if Thread.objects.filter(public_id__startswith=PREFIX).exists():
        return 0
    with transaction.atomic():
        inbox = Inbox(now=timezone.now())
        # In the order of time, as their keys.
        for number, started in enumerate(sorted(inbox.start(number) for number in range(THREADS))):
            inbox.add(number, started)
        inbox.store()
    return THREADS


class Inbox:
    """Rows in the making: those of one thread are added after those of the one before it, then all are stored."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now
        self.random = Random(90)
        self.users = {name: _user(name) for names in CUSTOMERS.values() for name in names}
        self.staff = [_user(name, is_staff=True) for name in STAFF]
        self.labels = {
            name: Label.objects.get_or_create(name=name, defaults={"color": color})[0]
            for name, color in LABELS.items()
        }
        for shortcut, (title, text) in CANNED.items():
            CannedReply.objects.get_or_create(
                shortcut=shortcut, namespace="", language="", defaults={"title": title, "text": text}
            )
        self.threads: list[Thread] = []
        self.runs: list[Run] = []
        self.items: list[ThreadItem] = []
        self.feedback: list[Feedback] = []
        self.flags: list[Flag] = []
        self.resolved: list[tuple[Flag, Any, datetime]] = []
        self.notes: list[Note] = []
        self.assignments: list[Assignment] = []
        self.labelled: list[Any] = []
        self.audit: list[AuditEntry] = []

    def start(self, number: int) -> datetime:
        """Return when a thread begins: there are more of them each week, and fewer at night and at week-ends."""
        share: float = 1 - (number / THREADS) ** 0.75
        moment: datetime = self.now - timedelta(days=DAYS) * share
        if moment.weekday() >= 5 and self.random.random() < 0.5:
            moment -= timedelta(days=2)
        hour = min(max(round(self.random.gauss(14, 4)), 6), 23)
        moment = moment.replace(hour=hour, minute=self.random.randrange(60))
        return min(moment, self.now - timedelta(minutes=20 + 7 * (THREADS - number)))

    def add(self, number: int, started: datetime) -> None:
        """Add the thread of this number, and all that hangs on it."""
        random = self.random
        script = SCRIPTS[number % len(SCRIPTS)] if number % 2 else random.choice(SCRIPTS)
        language = script.get("language", "en")
        fill = partial(
            str.format,
            order=random.randint(10_400, 11_900),
            coffee=random.choice(COFFEES),
            city=random.choice(CITIES[language]),
            weeks=random.randint(3, 5),
        )
        owner: dict[str, Any] = {"visitor_id": f"{random.getrandbits(128):032x}"}
        if random.random() < 0.6:
            owner = {"user": self.users[random.choice(CUSTOMERS[language])]}
        thread = Thread(
            public_id=f"{PREFIX}{number + 1:03}",
            title=fill(script["title"]),
            status=script.get("status", Thread.Status.ACTIVE),
            status_reason=script.get("reason", ""),
            created_at=started,
            **owner,
        )
        self.threads.append(thread)
        self._talk(thread, [fill(turn) for turn in script["turns"]], owner)
        self._judge(thread, script.get("rating", ""), owner)
        self._look_after(thread, script)

    def _talk(self, thread: Thread, turns: list[str], owner: dict[str, Any]) -> None:
        random, moment, read = self.random, thread.created_at, INSTRUCTIONS_TOKENS
        for index, text in enumerate(turns):
            is_answer = index % 2 == 1
            run = self._run(thread, owner, moment, read, text, is_first=index < 2) if is_answer else None
            if run is not None and random.random() < FAILURES:
                _fail(run)
                turns = turns[:index]
                break
            moment += timedelta(seconds=2 + len(text) / 90 if is_answer else random.randint(20, 140))
            kind, fields = answered(text) if is_answer else said(text)
            created = moment.astimezone().replace(tzinfo=None)
            item = kind(
                id=f"{thread.public_id}_{index + 1}",
                thread_id=thread.public_id,
                created_at=created,
                **fields,
            )
            row = ThreadItem(thread=thread, run=run, updated_at=moment, **encode_item(item))
            self.items.append(row)
            read += len(text) // 4
        thread.last_activity = moment
        thread.item_count = len(turns)
        thread.last_preview = preview(turns[-1])

    def _run(
        self, thread: Thread, owner: dict[str, Any], asked: datetime, read: int, text: str, *, is_first: bool
    ) -> Run:
        random = self.random
        model = "gpt-4.1" if random.random() < 0.25 else "gpt-4.1-mini"
        first_token = int(random.lognormvariate(6.2, 0.4)) + (250 if model == "gpt-4.1" else 0)
        total = first_token + len(text) * (14 if model == "gpt-4.1" else 9)
        finished = asked + timedelta(milliseconds=total)
        run = Run(
            public_id=f"run_{random.getrandbits(128):032x}",
            thread=thread,
            operation="threads.create" if is_first else "threads.add_user_message",
            status=Run.Status.COMPLETED,
            delivered=True,
            model=model,
            input_tokens=read,
            cached_tokens=0 if is_first else read // 128 * 128,
            output_tokens=len(text) // 4,
            first_token_ms=first_token,
            total_ms=total,
            started_at=asked,
            heartbeat_at=finished,
            finished_at=finished,
            **owner,
        )
        self.runs.append(run)
        return run

    def _judge(self, thread: Thread, rating: str, owner: dict[str, Any]) -> None:
        """Let the owner rate the last answer: not all do who could, and who is unhappy does it more often."""
        if (
            not rating
            or self.items[-1].run is None
            or self.random.random() > (0.9 if rating == "negative" else 0.5)
        ):
            return
        item = self.items[-1]
        moment = item.created_at + timedelta(seconds=15)
        self.feedback.append(Feedback(item=item, kind=rating, created_at=moment, updated_at=moment, **owner))
        if rating == "positive":
            thread.positive_count = 1
        else:
            thread.negative_count = 1
            self._flag(thread, item, source=Flag.Source.FEEDBACK, created_at=moment)

    def _look_after(self, thread: Thread, script: dict[str, Any]) -> None:
        """Let the shop's rules and its staff do with a thread what its script says; old ones were all looked at."""
        reviewer, moment = self.random.choice(self.staff), thread.last_activity + timedelta(hours=2)
        if reason := script.get("flag"):
            first = next(row for row in self.items if row.thread is thread)
            self._flag(
                thread,
                first,
                source=Flag.Source.RULE,
                raised_by=reason.partition(":")[0].lower().replace(" ", "-"),
                reason=reason,
                created_at=first.created_at,
            )
        if moment > self.now - BACKLOG:
            return
        for text in script.get("notes", ()):
            name = reviewer.get_username()
            self.notes.append(
                Note(thread=thread, author=reviewer, author_name=name, text=text, created_at=moment)
            )
            self._record(AuditEntry.Action.NOTE, reviewer, thread, moment)
            moment += timedelta(hours=20)
        if labels := script.get("labels", ()):
            for name in labels:
                self.labelled.append((thread, self.labels[name]))
            self._record(AuditEntry.Action.LABEL, reviewer, thread, moment, added=[*labels], removed=[])
        if "urgent" in labels or "notes" in script:
            self.assignments.append(Assignment(thread=thread, assignee=reviewer, assigned_at=moment))
        if thread.status != Thread.Status.ACTIVE:
            action = AuditEntry.Action.LOCK if thread.status == "locked" else AuditEntry.Action.CLOSE
            self._record(action, reviewer, thread, moment, reason=thread.status_reason)

    def _flag(self, thread: Thread, item: ThreadItem, *, created_at: datetime, **raised: Any) -> None:
        flag = Flag(thread=thread, item=item, created_at=created_at, **raised)
        if created_at < self.now - BACKLOG:
            reviewer = self.random.choice(self.staff)
            is_founded = self.random.random() < 0.75
            flag.resolved_at = created_at + timedelta(hours=self.random.randint(1, 30))
            flag.resolved_by = reviewer.get_username()
            flag.resolution = Flag.Resolution.HANDLED if is_founded else Flag.Resolution.UNFOUNDED
            self.resolved.append((flag, reviewer, flag.resolved_at))
        else:
            thread.open_flags += 1
        self.flags.append(flag)

    def _record(
        self, action: str, staff: Any, thread: Thread, moment: datetime, reason: str = "", **details: Any
    ) -> None:
        self.audit.append(
            AuditEntry(
                action=action,
                actor_key=str(staff.pk),
                actor_name=staff.get_username(),
                thread_key=thread.public_id,
                owner=thread.owner,
                reason=reason,
                details=details,
                created_at=moment,
            )
        )

    def store(self) -> None:
        """Store all rows. What they refer to has its key by then."""
        Thread.objects.bulk_create(self.threads)
        Run.objects.bulk_create(self.runs)
        ThreadItem.objects.bulk_create(self.items)
        Feedback.objects.bulk_create(self.feedback)
        Flag.objects.bulk_create(sorted(self.flags, key=lambda flag: flag.created_at))
        for flag, reviewer, moment in self.resolved:
            details: dict[str, Any] = {"flag": flag.pk, "resolution": str(flag.resolution)}
            self._record(AuditEntry.Action.RESOLVE, reviewer, flag.thread, moment, **details)
        Note.objects.bulk_create(self.notes)
        Assignment.objects.bulk_create(self.assignments)
        labels: Any = Thread.labels.through
        labels.objects.bulk_create(
            labels(thread_id=thread.pk, label_id=label.pk) for thread, label in self.labelled
        )
        AuditEntry.objects.bulk_create(sorted(self.audit, key=lambda entry: entry.created_at))


def _fail(run: Run) -> None:
    """Let an answer have failed before it began: of these, some are in the inbox of every site."""
    run.status, run.failure = Run.Status.FAILED, Run.Failure.ERROR
    run.error = "RateLimitError: Rate limit reached for requests. Please try again in 20s."
    run.output_tokens = run.first_token_ms = None
    run.delivered = True


def _user(name: str, *, is_staff: bool = False) -> Any:
    """Return the user of this name; one that is made here cannot log in."""
    user, _created = get_user_model()._default_manager.get_or_create(
        username=name, defaults={"is_staff": is_staff, "password": make_password(None)}
    )
    return user
