"""The demo's inbox: 90 days of conversations."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Count, F, Max, Min, Q
from django.test import Client

import project.settings
from chatkit_app.models import AuditEntry, CannedReply, Feedback, Flag, Note, Run, Thread, ThreadItem
from chatkit_app.store.codec import decode_item
from project.inbox import fill_inbox

pytestmark = pytest.mark.django_db


def test_inbox_is_filled_once() -> None:
    assert fill_inbox() == 180
    Thread.objects.filter(public_id="thr_inbox_007").delete()
    assert fill_inbox() == 0
    assert Thread.objects.count() == 179


def test_all_pages_of_the_admin_count_what_waits(admin_client: Client, settings: Any) -> None:
    settings.TEMPLATES = project.settings.TEMPLATES
    settings.ROOT_URLCONF = "project.urls"
    assert 'id="chatkit-staff"' in admin_client.get("/admin/").content.decode()


def test_inbox_spans_ninety_days_in_the_order_of_its_keys() -> None:
    fill_inbox()
    span = Thread.objects.aggregate(first=Min("created_at"), last=Max("created_at"))
    assert timedelta(days=88) < span["last"] - span["first"] < timedelta(days=92)
    assert [*Thread.objects.order_by("created_at")] == [*Thread.objects.order_by("pk")]


def test_inbox_is_such_as_the_app_would_have_stored() -> None:
    fill_inbox()
    for item in ThreadItem.objects.select_related("thread"):
        decode_item(item, thread_id=item.thread.public_id)
    counted = Thread.objects.annotate(
        items_there=Count("items", distinct=True),
        positive_there=Count("items__feedback", distinct=True, filter=Q(items__feedback__kind="positive")),
        negative_there=Count("items__feedback", distinct=True, filter=Q(items__feedback__kind="negative")),
        flags_there=Count("flags", distinct=True, filter=Q(flags__resolved_at__isnull=True)),
    )
    right = Q(
        item_count=F("items_there"),
        positive_count=F("positive_there"),
        negative_count=F("negative_there"),
        open_flags=F("flags_there"),
    )
    assert counted.filter(right).count() == 180
    assert not ThreadItem.objects.filter(created_at__lt=F("thread__created_at")).exists()


def test_inbox_speaks_the_languages_of_the_site() -> None:
    fill_inbox()
    for word in ("grinder", "Bestellung", "pedido {order}?", "commande", "endereço", "طلبي", "定期便"):
        assert ThreadItem.objects.filter(text__contains=word.partition("{")[0]).exists(), word


def test_inbox_leaves_nothing_to_be_filled_in() -> None:
    fill_inbox()
    assert not ThreadItem.objects.filter(Q(text__contains="{") | Q(text__contains="}")).exists()
    assert not Thread.objects.filter(Q(title__contains="{") | Q(title="")).exists()


def test_inbox_has_something_for_each_page_of_the_admin() -> None:
    fill_inbox()
    assert set(Feedback.objects.values_list("kind", flat=True)) == {"positive", "negative"}
    assert set(Flag.objects.values_list("source", flat=True)) == {"feedback", "rule"}
    assert set(Run.objects.values_list("status", flat=True)) == {"completed", "failed"}
    assert set(Thread.objects.values_list("status", flat=True)) == {"active", "closed", "locked"}
    assert Thread.objects.filter(assignment__isnull=False, labels__name="urgent").exists()
    assert Note.objects.filter(text__contains="Refunded").exists()
    assert Run.objects.filter(model="gpt-4.1", input_tokens__gt=0, output_tokens__gt=0).exists()
    assert AuditEntry.objects.filter(action="note", actor_name__in=["anna", "ben"]).exists()


def test_staff_of_the_demo_have_replies_at_hand() -> None:
    fill_inbox()
    assert [*CannedReply.objects.values_list("shortcut", flat=True)] == ["hello", "refund", "return"]


def test_inbox_leaves_only_the_last_days_to_be_reviewed() -> None:
    fill_inbox()
    last = Thread.objects.aggregate(last=Max("created_at"))["last"]
    open_flags = Flag.objects.open().values_list("created_at", flat=True)
    assert open_flags
    assert min(open_flags) > last - timedelta(days=7)
