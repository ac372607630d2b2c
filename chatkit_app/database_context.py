"""State that a request has put on its database connection, for the connections of the threads that work for it.

A middleware that chooses a tenant's schema, or sets the variable that row-level security looks at, speaks to the
connection of the request's thread. The chat's work runs on others: database workers, the threads of tools, and all of
it may go on when the request is over. ``CHATKIT["DATABASE_CONTEXT"]`` names a function that reads such state from the
request and returns a ``DatabaseContext``, which is entered around each piece of work::

    @dataclass(frozen=True)
    class AsUser(DatabaseContext):
        user_id: str

        @contextmanager
        def enter(self):
            set_variable("app.user_id", self.user_id)
            try:
                yield
            finally:
                set_variable("app.user_id", "")


    def as_user(request):
        return AsUser(str(request.user.pk or ""))

For django-tenants there is one already (``chatkit_app.tenants``). It needs no setting, and stays when there is one.

Where it is used, no work of ours begins without it: better no answer than rows in the wrong schema. It is not asked
for under ``async_to_sync`` (commands, a ``TestCase``), where the connection is the caller's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from django.db import connections
from django.db.utils import load_backend

from .conf import chatkit_settings
from .dotted_paths import import_path

if TYPE_CHECKING:
    from django.http import HttpRequest

P = ParamSpec("P")
R = TypeVar("R")

TENANT_FUNCTION = "chatkit_app.tenants.tenant_of"


class DatabaseContext:
    """State of a connection that belongs to a request. Subclass it as a frozen dataclass.

    Equal contexts are the same state: the answers of a process are looked after once for each of them.
    """

    @property
    def partition(self) -> str:
        """The part of the database, such as a schema, that tells rows of the same keys apart. Empty where
        there is one.
        """
        return ""

    def enter(self) -> AbstractContextManager[None]:
        """Put the state on this thread's connection for a block of work, and take it off again after it.

        Called in the thread that works, for each piece of work anew. What it raises is the end of that piece.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Joined(DatabaseContext):
    """Several contexts, one inside the other."""

    contexts: tuple[DatabaseContext, ...]

    @classmethod
    def of(cls, contexts: Sequence[DatabaseContext]) -> DatabaseContext:
        """Join these contexts into one."""
        return contexts[0] if len(contexts) == 1 else cls(tuple(contexts))

    @property
    def partition(self) -> str:
        return "\n".join(context.partition for context in self.contexts)

    @contextmanager
    def enter(self) -> Iterator[None]:
        with ExitStack() as stack:
            for context in self.contexts:
                stack.enter_context(context.enter())
            yield


class NoDatabaseContext(RuntimeError):
    """Work that belongs to no request was to begin, so that nobody knows in whose name, or in which schema."""

    def __init__(self) -> None:
        super().__init__(
            'CHATKIT["DATABASE_CONTEXT"] is used here, and this work of the chat belongs to no request. Put it into '
            "`with database_context.using(context):`, or call it with async_to_sync() on a connection that is set up."
        )


_current: ContextVar[DatabaseContext | None] = ContextVar("chatkit_database_context", default=None)


def tenant_databases() -> list[str]:
    """Return the aliases of the databases whose connections have a schema for each tenant (django-tenants)."""
    return [alias for alias in connections if _has_tenants(connections.settings[alias]["ENGINE"])]


@cache
def _has_tenants(engine: str) -> bool:
    # Of the class, since a connection would be made to ask it.
    return hasattr(load_backend(engine).DatabaseWrapper, "set_tenant")


def _functions() -> list[str]:
    """Return the dotted paths of what makes a request's contexts: for tenants, and from the setting."""
    own = chatkit_settings.database_context
    return [*([TENANT_FUNCTION] if tenant_databases() else []), *([own] if own is not None else [])]


def is_used() -> bool:
    """Return whether requests of this site have a database context."""
    return bool(_functions())


def of(request: HttpRequest) -> DatabaseContext | None:
    """Return the context of a request; None where none is used. Call it in the request's own thread.

    Raises:
        PathNotImportable: when the setting names nothing.
        TypeError: when the function returns something else, or something that cannot be compared.
    """
    functions = [import_path(path, named_by='CHATKIT["DATABASE_CONTEXT"]') for path in _functions()]
    contexts = [function(request) for function in functions]
    for context in contexts:
        if not isinstance(context, DatabaseContext):
            raise TypeError(
                f'CHATKIT["DATABASE_CONTEXT"] returned {type(context).__name__}; return a DatabaseContext.'
            )
        hash(context)  # Not first when answers are looked after: @dataclass without frozen=True has none.
    return Joined.of(contexts) if contexts else None


def current() -> DatabaseContext | None:
    """Return the context of the work that is going on."""
    return _current.get()


def partition() -> str:
    """Return the part of the database that the work is going on in."""
    context = _current.get()
    return context.partition if context is not None else ""


@contextmanager
def using(context: DatabaseContext | None) -> Iterator[None]:
    """Make a context the current one for a block. What begins in it, tasks too, belongs to that context."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def bound(func: Callable[P, R]) -> Callable[P, R]:
    """Return the function, to be called in any thread inside the context that is current now."""
    context = _current.get()
    if context is None:
        return func

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return _call_in(context, func, *args, **kwargs)

    return call


def _call_in(context: DatabaseContext, func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    failed: BaseException | None = None
    try:
        with context.enter(), using(context):
            try:
                return func(*args, **kwargs)
            except BaseException as error:
                failed = error
                raise
    except BaseException as error:
        if error is not failed:
            _reset_connections()
        raise
    assert failed is not None
    raise failed  # enter() has swallowed it, and there is no result


def _reset_connections() -> None:
    """Close these connections, on which a way in or out that has failed half way may have left something."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.in_atomic_block:
            connection.close()
