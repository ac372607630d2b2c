"""The list of webhook deliveries: what was told to whom, what came of it, and once more."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import WebhookDelivery
from ..staff import audit
from ..takeover import webhooks
from .base import ReadingAdmin, RecordAdmin
from .content import ago, long_text, pretty_json, shorten, visible
from .filters import ActivityFilter, ChoicesFilter


def send_again_view(model_admin: ReadingAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Send the delivery once more (POST only)."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    delivery = model_admin.find(request, object_id, "moderate")
    _send_again(request, delivery)
    model_admin.message_user(request, _("It is being sent again."), messages.SUCCESS)
    name = f"{model_admin.admin_site.name}:chatkit_app_webhookdelivery_change"
    return HttpResponseRedirect(reverse(name, args=[delivery.pk]))


def _send_again(request: HttpRequest, delivery: WebhookDelivery) -> None:
    webhooks.send_again(delivery)
    audit.record(
        audit.Action.RESEND,
        actor=request.user,
        thread=delivery.thread,
        delivery=delivery.public_id,
        url=delivery.url,
    )


class CreatedFilter(ActivityFilter):
    """Deliveries that were written between two days, both of them included."""

    title = gettext_lazy("created")
    column = "created_at"
    FIRST, LAST = "from", "to"


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(RecordAdmin):
    PAGES = (("again/", send_again_view, "again"),)

    change_form_template = "admin/chatkit_app/webhookdelivery/change_form.html"
    empty_text = gettext_lazy(
        "No webhook yet. What happens between users and your team is sent to the receivers in CHATKIT, and listed here."
    )
    list_display = (
        "created",
        "event_name",
        "receiver",
        "status_badge",
        "answer",
        "thread_label",
    )
    list_filter = (
        ("status", ChoicesFilter),
        CreatedFilter,
    )
    list_select_related = ("thread",)
    ordering = ("-id",)
    day_column = "created_at"
    allowed_lookups = frozenset({"status__exact", "from", "to", "thread"})
    # What it tells may be what was said, and the title is.
    without_content = {"thread_label": "thread_key", "whole_payload": ""}
    actions = ("send_again",)
    fields = (
        "event_name",
        "public_id",
        "receiver",
        "status_badge",
        "answer",
        "attempts",
        "thread_label",
        "created_at",
        "next_attempt_at",
        "delivered_at",
        "whole_payload",
    )

    @admin.display(description=gettext_lazy("created"))
    def created(self, obj: WebhookDelivery) -> str:
        return ago(obj.created_at)

    @admin.display(description=gettext_lazy("event"))
    def event_name(self, obj: WebhookDelivery) -> str:
        return format_html("<bdi>{}</bdi>", shorten(obj.event))

    @admin.display(description=gettext_lazy("receiver"))
    def receiver(self, obj: WebhookDelivery) -> str:
        return format_html("<bdi>{}</bdi>", shorten(obj.url, 80))

    @admin.display(description=gettext_lazy("status"))
    def status_badge(self, obj: WebhookDelivery) -> str:
        return format_html(
            '<span class="chatkit-badge chatkit-{}">{}</span>', obj.status, obj.get_status_display()
        )

    @admin.display(description=gettext_lazy("last answer"))
    def answer(self, obj: WebhookDelivery) -> str:
        """Return the status that the receiver has answered with, or what kept it from answering."""
        if not obj.attempts:
            return self.get_empty_value_display()
        return visible(obj.last_error) if obj.last_error else str(obj.last_status)

    @admin.display(description=gettext_lazy("payload"))
    def whole_payload(self, obj: WebhookDelivery) -> str:
        return format_html('<pre class="chatkit-code">{}</pre>', long_text(pretty_json(obj.payload)).head)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        extra = {"may_send_again": self.has_moderate_permission(request), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        delivery = context["original"]
        if self.has_content_permission(request, delivery):
            audit.record(
                audit.Action.READ, actor=request.user, thread=delivery.thread, delivery=delivery.public_id
            )
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(permissions=["moderate"], description=gettext_lazy("Send selected webhooks again"))
    def send_again(self, request: HttpRequest, queryset: Any) -> None:
        count = 0
        for delivery in queryset.select_related("thread")[:500]:
            _send_again(request, delivery)
            count += 1
        self.message_user(request, _("Webhooks that are being sent again: %(count)d") % {"count": count})
