"""Filters that ask the database nothing to draw themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


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
        # What the form has to carry along, so that it narrows the list instead of starting anew.
        yield {
            "others": [
                (name, value)
                for name, value in changelist.params.items()
                if name != self.parameter_name and isinstance(value, str)
            ]
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(namespace=value)
