"""Sample conversations, so that the admin has something to show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import async_to_sync
from chatkit.types import (
    ActiveStatus,
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    ClientToolCallItem,
    ClosedStatus,
    CustomSummary,
    CustomTask,
    EndOfTurnItem,
    FileSource,
    GeneratedImage,
    GeneratedImageItem,
    HiddenContextItem,
    InferenceOptions,
    LockedStatus,
    SDKHiddenContextItem,
    SearchTask,
    StructuredInputAnswer,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    TaskItem,
    ThreadMetadata,
    URLSource,
    UserMessageItem,
    UserMessageTextContent,
    WidgetItem,
    Workflow,
    WorkflowItem,
)
from django.contrib.auth import get_user_model
from django.db import transaction
from django.templatetags.static import static
from django.utils import timezone

from chatkit_app.models import Feedback, Run, Thread, ThreadItem
from chatkit_app.store import DjangoStore

from . import widgets
from .context import DemoContext
from .features import LONG_ANSWER, choices, django_source

Entry = tuple[type[Any], dict[str, Any]]


@dataclass(kw_only=True)
class Sample:
    """One conversation of a user (by name) or, without a name, of a visitor."""

    title: str
    entries: list[Entry]
    user: str = ""
    age: timedelta = timedelta()
    status: ActiveStatus | LockedStatus | ClosedStatus = field(default_factory=ActiveStatus)
    feedback: str = ""
    called: str = ""
    """Why the team was called: its user waits for a person."""
    run: dict[str, Any] = field(default_factory=dict)


def create_samples() -> int:
    """Store the samples that are not there yet. Returns how many that were.

    A sample that was deleted comes back; one that was changed stays as it is.
    """
    created = 0
    for number, sample in enumerate(samples(), start=1):
        thread_id = f"thr_sample_{number}"
        if not Thread.objects.filter(public_id=thread_id).exists():
            with transaction.atomic():
                _create(thread_id, sample)
            created += 1
    return created


def _create(thread_id: str, sample: Sample) -> None:
    store, context = DjangoStore(), _owner(thread_id, sample)
    started = timezone.now() - sample.age
    thread = ThreadMetadata(
        id=thread_id, title=sample.title, created_at=_naive(started), status=sample.status
    )
    async_to_sync(store.save_thread)(thread, context)
    row = Thread.objects.get(public_id=thread_id)
    moment = started
    for number, (kind, fields) in enumerate(sample.entries, start=1):
        moment += timedelta(seconds=7)
        item_id = f"{thread_id}_item_{number}"
        item = kind(id=item_id, thread_id=thread_id, created_at=_naive(moment), **fields)
        async_to_sync(store.add_thread_item)(thread_id, item, context)
    # The store says when something was stored; a sample says when it happened.
    waits: dict[str, Any] = {}
    if sample.called:
        waits = {
            "handler": Thread.Handler.WAITING,
            "handler_since": moment,
            "handler_reason": sample.called,
            "unanswered_since": moment,
        }
    Thread.objects.filter(pk=row.pk).update(last_activity=moment, **waits)
    row.items.update(updated_at=moment)
    run = Run.objects.create(
        public_id=f"run_sample_{thread_id}",
        thread=row,
        user_id=row.user_id,
        visitor_id=row.visitor_id,
        operation="threads.create",
        started_at=started,
        heartbeat_at=moment,
        finished_at=moment,
        **({"status": Run.Status.COMPLETED, "delivered": True} | sample.run),
    )
    row.items.exclude(type=ThreadItem.Type.USER_MESSAGE).update(run=run)
    if sample.feedback:
        answers = row.items.filter(type=ThreadItem.Type.ASSISTANT_MESSAGE)
        judged = list(answers.values_list("public_id", flat=True)[:1])
        async_to_sync(store.save_feedback)(thread_id, judged, sample.feedback, context)
        Feedback.objects.filter(item__thread=row).update(created_at=moment, updated_at=moment)
        row.flags.update(created_at=moment)


def _owner(thread_id: str, sample: Sample) -> DemoContext:
    if not sample.user:
        return DemoContext(visitor_id=f"visitor-of-{thread_id}")
    user, created = get_user_model().objects.get_or_create(username=sample.user)
    if created:
        user.set_unusable_password()
        user.save()
    return DemoContext(user_id=user.pk)


def _naive(moment: datetime) -> datetime:
    """Return local time without an offset, which is what the SDK's items carry."""
    return moment.astimezone().replace(tzinfo=None)


# What was said


def said(text: str) -> Entry:
    content = [UserMessageTextContent(text=text)]
    return UserMessageItem, {"content": content, "inference_options": InferenceOptions()}


def answered(text: str, *annotations: Annotation) -> Entry:
    content = AssistantMessageContent(text=text, annotations=list(annotations))
    return AssistantMessageItem, {"content": [content]}


def samples() -> Iterator[Sample]:
    """Yield the samples, the oldest first."""
    model = {"model": "offline", "first_token_ms": 180, "total_ms": 2400}
    yield Sample(
        title="Opening hours on Sunday",
        age=timedelta(days=9),
        feedback="positive",
        run=model | {"input_tokens": 210, "output_tokens": 34, "cached_tokens": 128},
        entries=[said("Are you open on Sunday?"), answered("Yes, from **10 to 16**.")],
    )
    yield Sample(
        title="A broken grinder",
        user="maria",
        age=timedelta(days=4, hours=3),
        feedback="negative",
        run=model | {"input_tokens": 890, "output_tokens": 61},
        entries=[
            said("My grinder stopped after a week. Can I send it back?"),
            answered("I am sorry to hear that. Have you tried turning it off and on again?"),
            said("That is not an answer."),
            answered("You are right. You can send it back within 30 days."),
        ],
    )
    yield Sample(
        title="Buy cheap watches",
        age=timedelta(days=3),
        status=LockedStatus(reason="Advertising is not allowed here."),
        run={"status": Run.Status.STOPPED, "total_ms": 900},
        entries=[
            said('Cheap watches at example.org! <img src=x onerror="alert(1)"> <b>Buy now</b>'),
            answered("I can"),
            (
                SDKHiddenContextItem,
                {"content": "The user cancelled the stream. Stop responding to the prior request."},
            ),
        ],
    )
    yield Sample(
        title="كم سعر القهوة؟",
        user="yusuf",
        age=timedelta(days=1, hours=6),
        run=model | {"input_tokens": 120, "output_tokens": 22},
        entries=[said("كم سعر القهوة؟"), answered("سعر الكيس **12 يورو**.")],
    )
    yield Sample(
        title="An answer that failed",
        user="kenji",
        age=timedelta(hours=20),
        run={"status": Run.Status.FAILED, "error": "The connection to the assistant failed."},
        entries=[said("コーヒーの淹れ方を教えてください。")],
    )
    yield Sample(
        title="A finished complaint",
        user="maria",
        age=timedelta(hours=5),
        status=ClosedStatus(reason="Solved: the parcel has arrived."),
        run=model | {"input_tokens": 300, "output_tokens": 18},
        entries=[said("My parcel is late."), answered("It is next door, at number 12."), said("Found it!")],
    )
    yield Sample(
        title="Everything a conversation can hold",
        user="admin",
        age=timedelta(minutes=30),
        feedback="positive",
        run=model | {"input_tokens": 1850, "output_tokens": 412},
        entries=list(_everything()),
    )
    yield Sample(
        title="Charged twice",
        user="maria",
        age=timedelta(minutes=12),
        called="Order 1042 was paid twice, and the customer asks for the money back.",
        run=model | {"input_tokens": 540, "output_tokens": 29},
        entries=[
            said("You took the money for order 1042 twice!"),
            answered("I am sorry. I cannot pay anything back myself. Shall I call somebody of our team?"),
            said("Yes, please."),
            answered("Somebody of our team has been called, and answers you here."),
        ],
    )


def _everything() -> Iterator[Entry]:
    """Yield an item of each type."""
    yield said("Show me everything.")
    yield HiddenContextItem, {"content": {"plan": "gold", "note": "Only the model and staff can read this."}}
    yield (
        WorkflowItem,
        {
            "workflow": Workflow(
                type="custom",
                summary=CustomSummary(title="Planned a trip", icon="check-circle"),
                tasks=[
                    SearchTask(
                        title="Searching",
                        queries=["night trains"],
                        sources=[django_source()],
                        status_indicator="complete",
                    ),
                    CustomTask(title="Checking", content="Every connection.", status_indicator="complete"),
                ],
            )
        },
    )
    yield TaskItem, {"task": CustomTask(title="Saved the timetable", icon="document")}
    yield (
        ClientToolCallItem,
        {
            "status": "completed",
            "call_id": "call_sample",
            "name": "get_browser",
            "arguments": {"details": "all"},
            "output": {"language": "en-GB", "timeZone": "Europe/Lisbon", "window": "1280 × 800"},
        },
    )
    yield (
        WidgetItem,
        {
            "widget": widgets.order_card(status="Next door", favourite=True, tracked=True),
            "copy_text": "Order 1042",
        },
    )
    yield (
        StructuredInputItem,
        {
            "status": "answered",
            "inputs": [
                StructuredInputMultipleChoice(
                    id="when",
                    question="When would you like to go?",
                    options=choices("Spring", "Autumn"),
                    answer=StructuredInputAnswer(values=["Autumn"]),
                ),
                StructuredInputFreeform(
                    id="where", question="Where to?", answer=StructuredInputAnswer(values=["Lisbon"])
                ),
            ],
        },
    )
    yield GeneratedImageItem, {"image": GeneratedImage(id="sample", url=static("project/landscape.png"))}
    yield answered(
        "Django keeps your conversations [1].\n\n" + LONG_ANSWER,
        Annotation(source=URLSource(title="Django", url="https://www.djangoproject.com/"), index=35),
        Annotation(source=FileSource(title="The timetable", filename="timetable.pdf")),
    )
    yield EndOfTurnItem, {}
