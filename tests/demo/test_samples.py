"""The demo's sample conversations."""

import pytest
from django.db.models import Count

from chatkit_app.models import Feedback, Run, Thread, ThreadItem
from chatkit_app.store import DjangoStore
from project.context import DemoContext
from project.samples import create_samples

pytestmark = pytest.mark.django_db(transaction=True)


def test_samples_are_created_once() -> None:
    assert create_samples() == 8
    counts = [model.objects.count() for model in (Thread, ThreadItem, Run, Feedback)]
    assert create_samples() == 0
    assert [model.objects.count() for model in (Thread, ThreadItem, Run, Feedback)] == counts


def test_sample_that_was_deleted_comes_back() -> None:
    create_samples()
    Thread.objects.get(public_id="thr_sample_3").delete()
    assert create_samples() == 1


def test_sample_that_staff_changed_stays_changed() -> None:
    create_samples()
    Thread.objects.filter(public_id="thr_sample_1").update(title="Changed", status="locked")
    create_samples()
    thread = Thread.objects.get(public_id="thr_sample_1")
    assert (thread.title, thread.status) == ("Changed", "locked")


def test_samples_hold_every_type_of_item() -> None:
    create_samples()
    assert set(ThreadItem.objects.values_list("type", flat=True)) == set(ThreadItem.Type.values)


def test_samples_belong_to_users_and_visitors() -> None:
    create_samples()
    users = Thread.objects.exclude(user=None).values_list("user__username", flat=True)
    assert set(users) == {"maria", "yusuf", "kenji", "admin"}
    assert Thread.objects.filter(user=None).exclude(visitor_id="").count() == 2


def test_samples_have_each_status_a_run_and_verdicts() -> None:
    create_samples()
    assert set(Thread.objects.values_list("status", flat=True)) == {"active", "locked", "closed"}
    assert set(Run.objects.values_list("status", flat=True)) == {"completed", "stopped", "failed"}
    assert set(Feedback.objects.values_list("kind", flat=True)) == {"positive", "negative"}
    runs = Thread.objects.annotate(found=Count("runs")).values_list("found", flat=True)
    assert set(runs) == {1}


def test_one_sample_waits_for_a_person_who_is_told_why() -> None:
    create_samples()
    waiting = Thread.objects.get(handler="waiting")
    assert waiting.title == "Charged twice"
    assert waiting.handler_reason == "Order 1042 was paid twice, and the customer asks for the money back."
    assert waiting.unanswered_since == waiting.handler_since == waiting.last_activity


def test_samples_are_listed_by_their_last_activity() -> None:
    create_samples()
    newest_first = Thread.objects.order_by("-last_activity").values_list("public_id", flat=True)
    assert list(newest_first) == [f"thr_sample_{number}" for number in range(8, 0, -1)]


def test_sample_users_cannot_log_in(django_user_model: type) -> None:
    create_samples()
    assert not django_user_model.objects.get(username="maria").has_usable_password()  # type: ignore[attr-defined]


async def test_samples_are_read_back_by_the_store() -> None:
    from chatkit_app import db

    await db.run(create_samples)
    owner = await db.run(lambda: Thread.objects.get(public_id="thr_sample_7").user_id)
    page = await DjangoStore().load_thread_items("thr_sample_7", None, 50, "asc", DemoContext(user_id=owner))
    assert [item.type for item in page.data] == [
        "user_message",
        "hidden_context_item",
        "workflow",
        "task",
        "client_tool_call",
        "widget",
        "structured_input",
        "generated_image",
        "assistant_message",
        "end_of_turn",
    ]
