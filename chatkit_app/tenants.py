"""Tenants with a schema each, as django-tenants has them: what its middleware chooses holds for the chat's threads too.

Used without any setting where a database has its backend, or another one with the same methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connections

from .database_context import DatabaseContext, Joined, tenant_databases

if TYPE_CHECKING:
    from django.http import HttpRequest


@dataclass(frozen=True)
class TenantContext(DatabaseContext):
    """The tenant that is chosen on the connections of one database."""

    alias: str
    schema: str
    include_public: bool
    tenant: Any = field(compare=False)

    @classmethod
    def now(cls, alias: str) -> TenantContext:
        """Return the context of this thread's connection."""
        connection: Any = connections[alias]
        return cls(alias, connection.schema_name, connection.include_public_schema, connection.tenant)

    @property
    def partition(self) -> str:
        return self.schema

    @contextmanager
    def enter(self) -> Iterator[None]:
        before = self.now(self.alias)
        try:
            self._choose()
            yield
        finally:
            before._choose()

    def _choose(self) -> None:
        connection: Any = connections[self.alias]
        connection.set_tenant(self.tenant, include_public=self.include_public)


class WrongTenant(RuntimeError):
    """A request whose connection is set to another tenant: nothing is read or written for it."""


def tenant_of(request: HttpRequest) -> DatabaseContext:
    """Return the tenant that the middleware has chosen on the connection of the request's thread, of each database.

    Raises:
        WrongTenant: when it is not the request's. A server that lets several requests share a thread does that.
    """
    contexts = [TenantContext.now(alias) for alias in tenant_databases()]
    chosen = {context.schema for context in contexts}
    wanted = getattr(getattr(request, "tenant", None), "schema_name", None)
    if wanted is not None and wanted not in chosen:
        raise WrongTenant(
            f"The request is for the tenant {wanted!r}, its connection is set to {sorted(chosen)}."
        )
    return Joined.of(contexts)
