"""A crowd and what it said: any number of conversations, the same each time, for benchmarks."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import Field, Max, Model
from django.utils import timezone

from chatkit_app.models import Assignment, Feedback, Flag, Label, Run, Thread, ThreadItem
from chatkit_app.store.payloads import preview

DAYS = 90
THREADS_AT_ONCE = 2_000
LONGEST_THREAD = 5_000

COMMON_WORDS = """
    the to and you please order my is it for password can not invoice delivery parcel thank account we
    your when how new card address email number return week today again still help change
"""
SYLLABLES = """
    ba be bo ca ce co da de do fa fi ga go ha he ka ki la le lo ma me mi na ne no pa pe po ra re ri ro sa
    se si so ta te ti to va ve vi za zu an en in on ar er or as es is us tion ment ing ly
"""
FIRST_NAMES = "anna ben carla david emma felix grace hugo ines jonas karin leo maria nils olga paul"
MODELS = ["gpt-4.1-mini", "gpt-4.1", "gpt-5-mini"]
ERRORS = ["RateLimitError: try again later", "APITimeoutError: the request timed out"]
LABELS = [
    ("billing", "blue"),
    ("bug", "red"),
    ("delivery", "green"),
    ("praise", "yellow"),
    ("spam", "grey"),
    ("vip", "yellow"),
]
NAMESPACES = ["", "support", "sales", "beta"]

# In the order in which they may be stored.
MODELS_FILLED: tuple[type[Model], ...] = (
    Thread,
    Run,
    ThreadItem,
    Feedback,
    Flag,
    Assignment,
    Thread.labels.through,
)

Row = dict[str, Any]


def make_crowd(
    *, threads: int, items: int, seed: int = 1, advance: Callable[[int], object] = lambda threads: None
) -> None:
    """Store that many threads with, in all, that many items, and the people, runs, feedback and flags to them.

    On PostgreSQL the rows are copied in, elsewhere they are inserted in batches.

    Args:
        threads: how many; the last of them are long, one of 5,000 items, if there are items enough.
        items: how many in all; at least one for each thread.
        seed: another one makes another crowd.
        advance: called with the number of threads that have been stored since the last call.
    """
    crowd = Crowd(threads=threads, items=items, random=Random(seed))
    crowd.store_people()
    for first in range(0, threads, THREADS_AT_ONCE):
        last = min(first + THREADS_AT_ONCE, threads)
        crowd.store_threads(first, last)
        advance(last - first)
    for model in (Thread, ThreadItem, Run):
        _reset_sequence(model)


class Crowd:
    """A maker of rows in the order of time, so that what is younger has the higher key."""

    def __init__(self, *, threads: int, items: int, random: Random) -> None:
        self.random = random
        self.total = threads
        self.sizes = _sizes(threads, items, random)
        self.end = timezone.now()
        self.phrases = _phrases(random)
        self.next_thread, self.next_item, self.next_run = map(_next_key, (Thread, ThreadItem, Run))
        self.users: list[Any] = []
        self.staff: list[Any] = []
        self.labels: list[Any] = []

    def store_people(self) -> None:
        """Store users, a few staff members who look after threads, and labels."""
        users = get_user_model()
        number = max(10, min(50_000, self.total // 20))
        offset = int(users._default_manager.aggregate(last=Max("pk"))["last"] or 0)
        password = make_password(None)
        first_names = FIRST_NAMES.split()
        created = users._default_manager.bulk_create(
            [
                users(
                    username=f"{first_names[index % len(first_names)]}.{offset + index}",
                    password=password,
                    is_staff=index < 5,
                )
                for index in range(number)
            ],
            batch_size=1_000,
        )
        self.staff, self.users = [user.pk for user in created[:5]], [user.pk for user in created]
        self.labels = [
            Label.objects.get_or_create(name=name, defaults={"color": color})[0].pk for name, color in LABELS
        ]

    def store_threads(self, first: int, last: int) -> None:
        """Store the threads of these numbers and all that hangs on them."""
        rows: dict[type[Model], list[Row]] = {model: [] for model in MODELS_FILLED}
        for number in range(first, last):
            self._thread(number, rows)
        with transaction.atomic():
            for model, found in rows.items():
                _store(model, found)

    def _thread(self, number: int, rows: dict[type[Model], list[Row]]) -> None:
        random = self.random
        thread = self.next_thread
        self.next_thread += 1
        owner: Row = {"namespace": NAMESPACES[_rank(random, 4, 0.25)], "user_id": None, "visitor_id": ""}
        if random.random() < 0.6:
            # Some people write every day, most of them once.
            owner["user_id"] = self.users[int(len(self.users) * random.random() ** 3)]
        else:
            owner["visitor_id"] = f"{random.getrandbits(128):032x}"
        created = self.end - timedelta(days=DAYS) * (1 - number / self.total)
        counts = {"positive": 0, "negative": 0}
        open_flags = 0
        moment, last_text = created, ""
        for index in range(self.sizes[number]):
            item, kind = self.next_item, "assistant_message" if index % 2 else "user_message"
            self.next_item += 1
            moment = min(moment + timedelta(seconds=5 + random.expovariate(1 / 90)), self.end)
            text = self._text(4 if index % 2 else 1)
            if index % 40 == 4:
                kind, text = "hidden_context_item", ""
            run = self._run(rows[Run], thread, owner, moment) if kind == "assistant_message" else None
            rows[ThreadItem].append(
                {
                    "id": item,
                    "thread_id": thread,
                    "run_id": run,
                    "public_id": f"msg_{random.getrandbits(128):032x}",
                    "type": kind,
                    "payload": _payload(kind, text),
                    "text": text,
                    "created_at": moment,
                    "updated_at": moment,
                }
            )
            last_text = text or last_text
            if run is not None and random.random() < 0.03:
                kind = "positive" if random.random() < 0.8 else "negative"
                counts[kind] += 1
                rows[Feedback].append(
                    owner | {"item_id": item, "kind": kind, "created_at": moment, "updated_at": moment}
                )
                if kind == "negative":
                    is_open = random.random() < 0.1
                    open_flags += is_open
                    rows[Flag].append(self._flag(thread, item, moment, is_open=is_open))
        rows[Thread].append(
            owner
            | {
                "id": thread,
                "public_id": f"thr_{random.getrandbits(128):032x}",
                "title": " ".join(self._text(1).split()[:6]).capitalize() if random.random() < 0.95 else "",
                "created_at": created,
                "last_activity": moment,
                "item_count": self.sizes[number],
                "last_preview": preview(last_text),
                "positive_count": counts["positive"],
                "negative_count": counts["negative"],
                "open_flags": open_flags,
            }
            | self._status()
        )
        if random.random() < 0.15:
            chosen = {self.labels[_rank(random, len(self.labels), 0.5)] for _ in range(2)}
            rows[Thread.labels.through] += [
                {"thread_id": thread, "label_id": label} for label in sorted(chosen)
            ]
        if random.random() < 0.01:
            rows[Assignment].append(
                {"thread_id": thread, "assignee_id": random.choice(self.staff), "assigned_at": moment}
            )

    def _status(self) -> Row:
        chance = self.random.random()
        if chance < 0.97:
            return {"status": "active", "status_reason": ""}
        if chance < 0.99:
            return {"status": "closed", "status_reason": "This is settled."}
        return {"status": "locked", "status_reason": "Please keep a friendly tone."}

    def _run(self, rows: list[Row], thread: int, owner: Row, moment: datetime) -> int:
        random = self.random
        run = self.next_run
        self.next_run += 1
        first_token = int(200 + random.lognormvariate(6, 0.6))
        total = first_token + int(random.lognormvariate(7.5, 0.8))
        chance = random.random()
        has_ended = chance < 0.98
        tokens = int(random.lognormvariate(6.5, 0.9))
        rows.append(
            owner
            | {
                "id": run,
                "public_id": f"run_{random.getrandbits(128):032x}",
                "thread_id": thread,
                "operation": "threads.add_user_message",
                "status": "completed" if has_ended else "stopped" if chance < 0.985 else "failed",
                "error": random.choice(ERRORS) if chance >= 0.985 else "",
                "delivered": has_ended,
                "model": MODELS[_rank(random, 3, 0.35)],
                "input_tokens": tokens,
                "cached_tokens": tokens // 3,
                "output_tokens": int(random.lognormvariate(5, 0.8)),
                "first_token_ms": first_token,
                "total_ms": total,
                "started_at": moment - timedelta(milliseconds=total),
                "heartbeat_at": moment,
                "finished_at": moment,
            }
        )
        return run

    def _flag(self, thread: int, item: int, moment: datetime, *, is_open: bool) -> Row:
        resolved = (
            {}
            if is_open
            else {
                "resolved_at": moment + timedelta(hours=5),
                "resolved_by": "anna.0",
                "resolution": "handled",
            }
        )
        flag: Row = {"thread_id": thread, "item_id": item, "source": "feedback", "created_at": moment}
        return flag | {"resolved_at": None, "resolved_by": "", "resolution": ""} | resolved

    def _text(self, phrases: int) -> str:
        text = ". ".join(self.random.choices(self.phrases, k=phrases))
        # What is in one message only, as order numbers are.
        return f"{text} A{self.next_item:08d}" if self.random.random() < 0.05 else text


def _sizes(threads: int, items: int, random: Random) -> list[int]:
    """Return the number of items of each thread: at least one, many with a few, and some long ones."""
    if items < threads:
        raise ValueError("There must be at least one item for each thread.")
    long = [LONGEST_THREAD, *([500] * 20)] if items >= 20 * LONGEST_THREAD and threads > 100 else []
    ordinary = threads - len(long)
    mean = max((items - sum(long)) / ordinary - 1, 0.001)
    sizes = [*(1 + int(random.expovariate(1 / mean) + 0.5) for _ in range(ordinary))]
    missing = items - sum(long) - sum(sizes)
    while missing:
        index = random.randrange(ordinary)
        if missing > 0 or sizes[index] > 1:
            sizes[index] += 1 if missing > 0 else -1
            missing += -1 if missing > 0 else 1
    return sizes + long


def _phrases(random: Random) -> list[str]:
    """Return pieces of sentences, in words of which few are in most messages and most in few."""
    syllables, common = SYLLABLES.split(), COMMON_WORDS.split()
    made = {"".join(random.choices(syllables, k=random.randint(2, 4))) for _ in range(30_000)}
    words = common + sorted(made - set(common))
    weights = [*accumulate(1 / (rank + 2) for rank in range(len(words)))]
    return [
        " ".join(random.choices(words, cum_weights=weights, k=random.randint(5, 11))) for _ in range(100_000)
    ]


def _rank(random: Random, number: int, decline: float) -> int:
    """Return one of the first ``number`` whole numbers, each of which is rarer than the one before it."""
    rank = 0
    while rank < number - 1 and random.random() < decline:
        rank += 1
    return rank


def _payload(kind: str, text: str) -> Row:
    if kind == "hidden_context_item":
        return {"content": "The user is on the page of orders."}
    if kind == "assistant_message":
        return {"content": [{"type": "output_text", "text": text, "annotations": []}]}
    return {
        "content": [{"type": "input_text", "text": text}],
        "attachments": [],
        "quoted_text": None,
        "inference_options": {"tool_choice": None, "model": None},
    }


# --- Storing ------------------------------------------------------------------------------------------------


def _next_key(model: type[Model]) -> int:
    return int(model._default_manager.aggregate(last=Max("pk"))["last"] or 0) + 1


def _store(model: type[Model], rows: list[Row]) -> None:
    if not rows:
        return
    if connection.vendor == "postgresql":
        _copy(model, rows)
    else:
        model._default_manager.bulk_create([model(**row) for row in rows], batch_size=500)


def _copy(model: type[Model], rows: list[Row]) -> None:
    names = list(rows[0])
    others = [
        field for field in model._meta.concrete_fields if field.attname not in names and not field.primary_key
    ]
    constants = [_plain(field, field.get_default()) for field in others]
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    quoted = ", ".join(connection.ops.quote_name(field.column) for field in fields + others)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({quoted}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([*map(_as_text, row.values()), *constants])


def _plain(field: Field[Any, Any], value: Any) -> Any:
    return json.dumps(value) if field.get_internal_type() == "JSONField" and value is not None else value


def _as_text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value


def _reset_sequence(model: type[Model]) -> None:
    if connection.vendor != "postgresql":
        return
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT MAX(id) FROM {table}))", [table]
        )


def vacuum() -> None:
    """Tell PostgreSQL what is in the tables now."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            for model in MODELS_FILLED:
                cursor.execute(f"VACUUM (ANALYZE) {connection.ops.quote_name(model._meta.db_table)}")
