"""The scope of a staff member, whose threads one sees: the one rule, asked by every list, page, action and export.

``CHATKIT["ADMIN_SCOPE"]`` names a function that narrows the threads::

    def of_my_company(user, threads):
        return threads.filter(namespace=user.profile.company)

Everything that hangs on a thread follows it. What hangs on none (a file that was never sent, an answer whose thread
was deleted) belongs to nobody's scope as soon as there is one.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from ..conf import chatkit_settings
from ..dotted_paths import import_path
from ..models import AuditEntry, Thread
from ..models.querysets import ThreadQuerySet

_Row = TypeVar("_Row", bound=Model)


def threads_of(user: Any, threads: ThreadQuerySet | None = None) -> ThreadQuerySet:
    """Return those of the threads (of all, unless given) that this staff member may know of.

    Raises:
        PathNotImportable: when ``ADMIN_SCOPE`` names nothing.
        TypeError: when the function of ``ADMIN_SCOPE`` returns something else than a queryset of threads.
    """
    if threads is None:
        threads = Thread.objects.all()
    path = chatkit_settings.admin_scope
    if path is None:
        return threads
    scoped = import_path(path, named_by='CHATKIT["ADMIN_SCOPE"]')(user, threads)
    if not isinstance(scoped, QuerySet) or scoped.model is not Thread:
        raise TypeError(
            f'CHATKIT["ADMIN_SCOPE"] ({path}) returned {type(scoped).__name__}; '
            "return the threads it was given, filtered: threads.filter(…)."
        )
    query = scoped.query
    if query.is_sliced or query.combinator:
        raise TypeError(
            f'CHATKIT["ADMIN_SCOPE"] ({path}) returned a slice or a union of threads, which cannot be narrowed '
            "further; return the threads it was given, filtered: threads.filter(…)."
        )
    if query.distinct or len(query.alias_map) > 1:
        # A join may give a thread twice, and what is distinct cannot be deleted.
        return threads.filter(pk__in=scoped.order_by().values("pk"))
    return scoped  # type: ignore[return-value]


def within(rows: QuerySet[_Row], user: Any, *, thread: str = "thread") -> QuerySet[_Row]:
    """Return those of the rows whose thread is in the staff member's scope. ``thread`` is the lookup of it."""
    if chatkit_settings.admin_scope is None:
        return rows
    return rows.filter(**{f"{thread}__in": threads_of(user).order_by().values("pk")})


def entries_of(user: Any) -> QuerySet[AuditEntry]:
    """Return those entries of the audit that this staff member may know of.

    Under a scope these are their own and those about threads in it. Entries about threads that are gone are nobody's.
    """
    entries: QuerySet[AuditEntry] = AuditEntry.objects.all()
    if chatkit_settings.admin_scope is None:
        return entries
    thread = threads_of(user).order_by().filter(public_id=OuterRef("thread_key"))
    return entries.filter(Q(actor_key=str(user.pk)) | Exists(thread))
