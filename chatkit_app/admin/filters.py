"""Filters that ask the database nothing to draw themselves, but for the labels there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..models import Assignment, Label, Run, Thread
from .base import is_key
from .content import shorten

MAX_LABELS = 100
"""Labels that the filter offers. Others are searched for: ``label:name``."""
POSSIBLE_YEARS = range(1970, 2200)


def start_of_day(text: str) -> datetime | None:
    """Return when the day begins that is written as ``2025-01-31``, or None where that is no day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    if day.year not in POSSIBLE_YEARS:
        return None
    moment = datetime(day.year, day.month, day.day)
    return timezone.make_aware(moment) if settings.USE_TZ else moment


def other_params(changelist: ChangeList, *names: str) -> list[tuple[str, str]]:
    """Return the parameters that a filter's form carries along, so that it narrows the list further."""
    return [
        (name, value)
        for name, value in changelist.params.items()
        if name not in names and isinstance(value, str)
    ]


class ChoicesFilter(admin.ChoicesFieldListFilter):
    """A column's choices, written like those of the other filters."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": capfirst(choice["display"])}


class OwnerKindFilter(admin.SimpleListFilter):
    """Logged-in users, or anonymous visitors."""

    title = _("kind of owner")
    parameter_name = "owner_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("user", _("Users")), ("visitor", _("Anonymous visitors"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "user":
            return queryset.filter(user__isnull=False)
        if self.value() == "visitor":
            return queryset.filter(user__isnull=True)
        return queryset


class NamespaceFilter(admin.SimpleListFilter):
    """A namespace by name. It is typed in: to list them all would read the whole table."""

    title = _("namespace")
    parameter_name = "namespace"
    template = "admin/chatkit_app/namespace_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        choices: list[tuple[str, Any]] = [("", _("Default"))]
        if name := self.value():
            choices.append((name, name))
        return choices

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        yield from super().choices(changelist)
        yield {"others": other_params(changelist, self.parameter_name)}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(namespace=value)


class FeedbackFilter(admin.SimpleListFilter):
    """Threads by what users thought of the answers, from the counts that the threads' own rows have."""

    title = _("feedback")
    parameter_name = "feedback"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("positive", _("Positive")), ("negative", _("Negative")), ("none", _("No feedback"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "positive":
                return queryset.filter(positive_count__gt=0)
            case "negative":
                return queryset.filter(negative_count__gt=0)
            case "none":
                return queryset.filter(positive_count=0, negative_count=0)
        return queryset


class FlaggedFilter(admin.SimpleListFilter):
    """Threads with flags that nobody has resolved."""

    title = _("flags")
    parameter_name = "flagged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("With open flags")), ("no", _("Without"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.filter(open_flags__gt=0)
        if self.value() == "no":
            return queryset.filter(open_flags=0)
        return queryset


class AssigneeFilter(admin.SimpleListFilter):
    """Threads by who looks after them. A staff member's id in the address gives theirs."""

    title = _("assignee")
    parameter_name = "assignee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("me", _("Me")), ("somebody", _("Somebody")), ("nobody", _("Nobody"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        match value:
            case None:
                return queryset
            case "me":
                return queryset.filter(assignment__assignee=request.user.pk)
            case "somebody":
                return queryset.filter(assignment__isnull=False)
            case "nobody":
                # Not assignment__isnull=True: PostgreSQL takes that join for one that leaves hardly a row.
                return queryset.filter(~Exists(Assignment.objects.filter(thread=OuterRef("pk"))))
        if not is_key(Assignment._meta.get_field("assignee").target_field, value):
            return queryset.none()
        return queryset.filter(assignment__assignee=value)


class HandlerFilter(admin.SimpleListFilter):
    """Threads by who answers in them, or is waited for."""

    title = _("answered by")
    parameter_name = "handler"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("waiting", _("Waiting for a person")),
            ("mine", _("Me")),
            ("staff", _("A person")),
            ("assistant", _("The assistant")),
            ("running", _("Being written now")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case None:
                return queryset
            case "mine":
                return queryset.filter(handler=Thread.Handler.STAFF, assignment__assignee=request.user.pk)
            case "running":
                return queryset.filter(Exists(Run.objects.running().filter(thread=OuterRef("pk"))))
            case value if value in Thread.Handler.values:
                return queryset.filter(handler=value)
        return queryset.none()


class LabelFilter(admin.SimpleListFilter):
    """Threads with one label."""

    title = _("label")
    parameter_name = "label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (str(key), shorten(name, 40))
            for key, name in Label.objects.values_list("pk", "name")[:MAX_LABELS]
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        return queryset.filter(labels=value) if is_key(Label._meta.pk, value) else queryset.none()


class ActivityFilter(admin.ListFilter):
    """Threads that were last active between two days, both of them included."""

    title = _("last activity")
    template = "admin/chatkit_app/activity_filter.html"
    column = "last_activity"
    FIRST, LAST = "active_from", "active_to"
    PERIODS = ((0, _("Today")), (6, _("Past 7 days")), (29, _("Past 30 days")))

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Any], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.days: dict[str, str] = {}
        for name in (self.FIRST, self.LAST):
            typed = params.pop(name, [""])[-1].strip()
            if not typed:
                continue
            if start_of_day(typed) is None:
                told = gettext("“%(text)s” is not a date; write it as 2025-01-31.") % {
                    "text": shorten(typed, 40)
                }
                messages.warning(request, told)
                continue
            self.used_parameters[name] = self.days[name] = typed

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[Any]:
        return [self.FIRST, self.LAST]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        today = timezone.localdate() if settings.USE_TZ else date.today()
        yield {
            "selected": not self.days,
            "query_string": changelist.get_query_string(remove=self.expected_parameters()),
            "display": _("Any date"),
        }
        for days, name in self.PERIODS:
            first = (today - timedelta(days=days)).isoformat()
            yield {
                "selected": self.days == {self.FIRST: first},
                "query_string": changelist.get_query_string({self.FIRST: first, self.LAST: None}),
                "display": name,
            }
        yield {
            "others": other_params(changelist, *self.expected_parameters()),
            "days": [
                (name, label, self.days.get(name, ""))
                for name, label in ((self.FIRST, _("From")), (self.LAST, _("To")))
            ],
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if first := start_of_day(self.days.get(self.FIRST, "")):
            queryset = queryset.filter(**{f"{self.column}__gte": first})
        if last := self.days.get(self.LAST):
            after = start_of_day((date.fromisoformat(last) + timedelta(days=1)).isoformat())
            queryset = queryset.filter(**{f"{self.column}__lt": after}) if after else queryset
        return queryset
