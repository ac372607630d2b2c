"""The words that staff sort threads by."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from ..models import Label, Thread
from .base import GuardedAdmin
from .content import visible


@admin.register(Label)
class LabelAdmin(GuardedAdmin):
    """Pages that add, rename and colour labels. Which thread has which is set on the threads' pages."""

    empty_text = gettext_lazy(
        "No label yet. Add some, such as “billing” or “bug”, and give them to threads on their pages."
    )
    list_display = ("badge", "color")
    search_fields = ("name",)
    fields = ("name", "color")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("label"), ordering="name")
    def badge(self, obj: Label) -> str:
        return format_html(
            '<span class="chatkit-badge chatkit-label-{}" dir="auto">{}</span>', obj.color, visible(obj.name)
        )

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        """Return what goes with labels, counted: the stock version lists every thread that has one."""
        labels = list(objs)
        through: Any = Thread.labels.through
        counts = {
            str(self.opts.verbose_name_plural): len(labels),
            str(gettext_lazy("labelled threads")): through.objects.filter(label__in=labels).count(),
        }
        refused = not all(self.has_delete_permission(request, label) for label in labels)
        return (
            [visible(label.name) for label in labels],
            counts,
            {self.opts.verbose_name} if refused else set(),
            [],
        )
