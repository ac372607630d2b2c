"""Statements that are compiled once say what Django would compile each time."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

import chatkit_app
from chatkit_app import statements as statements_module
from chatkit_app.limits import counters
from chatkit_app.live import user_socket
from chatkit_app.models import AnswerLease, EarlierItem, Feedback, Run, Thread, ThreadItem, VisitorClaim
from chatkit_app.runs import rows
from chatkit_app.statements import MAX_SHAPES, Insert, Select, Statement, Update, parameter
from chatkit_app.store import claims, queries
from chatkit_app.store.cut_answers import left_as
from chatkit_app.views import session

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Of:
    def __init__(self, *, user_id: Any = None, visitor_id: str | None = None) -> None:
        self.user_id, self.visitor_id, self.namespace = user_id, visitor_id, "shop"


def threads_of(owner: Of) -> Any:
    return Thread.objects.owned_by(owner).filter(public_id="thr_1")


def items(owner: Of, threads: Any) -> Any:
    mine = Feedback.objects.owned_by(owner).filter(item_id=OuterRef("pk")).values("kind")[:1]
    visible = ThreadItem.objects.filter(thread_id=Subquery(threads.values("pk")[:1])).visible()
    return visible.annotate(feedback_kind=Subquery(mine)).values_list(
        "public_id",
        "type",
        "payload",
        "author_name",
        "created_at",
        "earlier_messages",
        "earlier_answers",
        "feedback_kind",
    )


def run_of_name() -> Any:
    return (
        Run.objects.filter(
            Q(status="running", heartbeat_at__gte=NOON)
            | Q(status__in=("completed", "held"))
            | Exists(ThreadItem.objects.visible().filter(run_id=OuterRef("pk")))
            | Exists(EarlierItem.objects.visible().filter(run_id=OuterRef("pk"))),
            request_key="k",
        )
        .order_by("-pk")
        .values_list("pk")[:1]
    )


USER, VISITOR = Of(user_id=7), Of(visitor_id="v1")
OUTCOME = {
    "status": "completed",
    "failure": "",
    "error": "",
    "delivered": True,
    "model": "gpt",
    "input_tokens": 3,
    "cached_tokens": None,
    "output_tokens": 4,
    "first_token_ms": 5,
    "total_ms": 6,
    "finished_at": NOON,
}
CHANGED = {
    "type": "assistant_message",
    "payload": {"a": 1},
    "text": "Hi",
    "created_at": NOON,
    "updated_at": NOON,
    "version": 3,
}

PAIRS = {
    "thread of a user": (
        lambda: queries.THREAD("user").rows(public_id="thr_1", user_id=7, namespace="shop"),
        lambda: list(threads_of(USER)[:1]),
    ),
    "thread of a visitor": (
        lambda: queries.THREAD("visitor").rows(public_id="thr_1", visitor_id="v1", namespace="shop"),
        lambda: list(threads_of(VISITOR)[:1]),
    ),
    "threads of a page that is open": (
        lambda: user_socket._OWN("visitor", 2).rows(
            public_id_0="thr_1", public_id_1="thr_2", visitor_id="v1", namespace="shop"
        ),
        lambda: list(
            Thread.objects.owned_by(VISITOR)
            .filter(public_id__in=["thr_1", "thr_2"])
            .values_list("public_id", "pk", "version")
        ),
    ),
    "first page of threads": (
        lambda: queries.THREADS("user", after=False, limit=20, order="desc").rows(
            user_id=7, namespace="shop"
        ),
        lambda: list(Thread.objects.owned_by(USER).order_by("-pk")[:21]),
    ),
    "next page of threads": (
        lambda: queries.THREADS("visitor", after=True, limit=3, order="asc").rows(
            visitor_id="v1", namespace="shop", after="thr_0"
        ),
        lambda: Thread.objects.owned_by(VISITOR).page(after="thr_0", limit=3, order="asc"),
    ),
    "items of a known thread": (
        lambda: queries.ITEMS("user", known=True, hidden=False, after=False, limit=2, order="asc").rows(
            id=5, user_id=7, namespace="shop", heartbeat_at=NOON
        ),
        lambda: list(
            items(USER, Thread.objects.filter(pk=5))
            .annotate(
                left_as=left_as(Subquery(Thread.objects.filter(pk=5).values("pk")[:1]), lost_before=NOON)
            )
            .order_by("pk")[:3]
        ),
    ),
    "items after another of the owner's thread": (
        lambda: queries.ITEMS("visitor", known=False, hidden=False, after=True, limit=2, order="desc").rows(
            public_id="thr_1", visitor_id="v1", namespace="shop", after="msg_1"
        ),
        lambda: items(VISITOR, threads_of(VISITOR)).page(after="msg_1", limit=2, order="desc"),
    ),
    "news of a thread": (
        lambda: queries.TOUCH_THREAD(counted=True, previewed=True).new_values(
            id=5, last_activity=NOON, last_preview="Hi"
        ),
        lambda: Thread.objects.filter(pk=5).update(
            last_activity=NOON, version=F("version") + 1, item_count=F("item_count") + 1, last_preview="Hi"
        ),
    ),
    "another text of an item": (
        lambda: queries.REWRITE_ITEM().run(thread_id=5, public_id="msg_1", **CHANGED),
        lambda: (
            ThreadItem.objects.filter(thread_id=5, public_id="msg_1")
            .filter(redacted_at__isnull=True)
            .update(**CHANGED)
        ),
    ),
    "session": (
        lambda: session._SESSION().rows(session_key="s1", expire_date=NOON),
        lambda: list(
            Session.objects.filter(session_key="s1", expire_date__gt=NOON).values_list("session_data")
        ),
    ),
    "claim of a visitor": (
        lambda: claims._CLAIM().rows(visitor_id="v1"),
        lambda: list(VisitorClaim.objects.filter(visitor_id="v1").values_list("user_id")),
    ),
    "run that a request of this name has begun before": (
        lambda: rows._NAMED().rows(request_key="k", heartbeat_at=NOON),
        lambda: list(run_of_name()),
    ),
    "run that a request has begun before": (
        lambda: rows._REPEATED().rows(request_key="k", heartbeat_at=NOON, finished_at=NOON),
        lambda: list(
            Run.objects.filter(
                Q(status="running", heartbeat_at__gte=NOON) | Q(delivered=False, finished_at__gte=NOON),
                request_key="k",
            )
            .exclude(request_key="")
            .order_by("pk")
            .values_list("pk")[:1]
        ),
    ),
    "thread of a visitor who sends a message": (
        lambda: rows._ENTRY("visitor", asks_claim=True, asked="named").rows(
            public_id="thr_1",
            visitor_id="v1",
            namespace="shop",
            claimed_visitor_id="v1",
            request_key="k",
            heartbeat_at=NOON,
        ),
        lambda: list(
            threads_of(VISITOR).annotate(
                claimed_by=Subquery(VisitorClaim.objects.filter(visitor_id="v1").values("user_id")[:1]),
                begun_run=Subquery(run_of_name()),
            )[:1]
        ),
    ),
    "state of a thread": (
        lambda: rows._THREAD_STATE().rows(id=5, visitor_id="v1"),
        lambda: list(
            Thread.objects.filter(pk=5)
            .annotate(claimed_by=Subquery(VisitorClaim.objects.filter(visitor_id="v1").values("user_id")[:1]))
            .values_list("status", "handler", "claimed_by")
        ),
    ),
    "run that staff did something to": (
        lambda: rows._CONCERNED().rows(id=5),
        lambda: list(
            Run.objects.filter(
                Q(withdrawn=True) | ~Q(thread__status="active") | ~Q(thread__handler="assistant")
            )
            .filter(pk=5)
            .values_list("pk")
        ),
    ),
    "end of a run": (
        lambda: rows._END().new_values(id=5, **OUTCOME),
        lambda: Run.objects.filter(pk=5).update(**OUTCOME),
    ),
    "end of a lease": (
        lambda: counters._END_LEASE().run(run_id="run_1"),
        lambda: AnswerLease.objects.filter(run_id="run_1")._raw_delete(connection.alias),
    ),
}


INSERTED = (queries.INSERT_THREAD, queries.INSERT_ITEM, rows._INSERT, session._INSERT_SESSION)


def statements() -> dict[str, Statement[Any]]:
    """All of the package, by where they stand."""
    modules = pkgutil.walk_packages(chatkit_app.__path__, "chatkit_app.")
    return {
        f"{module.name}.{name}": value
        for module in modules
        if "migrations" not in module.name and not module.name.endswith(".tasks")  # which are Django 6's
        for name, value in vars(importlib.import_module(module.name)).items()
        if isinstance(value, Statement)
    }


def test_every_statement_is_compared() -> None:
    source = inspect.getsource(inspect.getmodule(sql_of))
    compared = set(re.findall(r"lambda: ([a-z_]+\._?[A-Z_]+)\(", source))
    inserts = {name for name, value in statements().items() if value in INSERTED}
    names = {
        name.rsplit(".", 2)[-2] + "." + name.rsplit(".", 2)[-1] for name in statements().keys() - inserts
    }
    assert names == compared
    assert len(inserts) == len(INSERTED)


def sql_of(run: Any) -> str:
    with CaptureQueriesContext(connection) as queries:
        run()
    [query] = queries
    # Around a value that is an expression, as a parameter is, Django writes parentheses. What is returned is ours.
    return re.sub("[()]| RETURNING .*", "", query["sql"])


@pytest.mark.parametrize("name", PAIRS)
def test_statement_is_what_django_compiles(name: str) -> None:
    fixed, fresh = PAIRS[name]
    assert sql_of(fixed) == sql_of(fresh)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (queries.INSERT_THREAD, {"public_id": "thr_1", "visitor_id": "v1", "metadata": {"a": [1, None]}}),
        (rows._INSERT, {"public_id": "run_1", "operation": "threads.create", "context": {"b": "é"}}),
    ],
)
def test_inserted_row_is_the_one_that_create_makes(statement: Any, values: dict[str, Any]) -> None:
    pk = statement().run(**values)
    model = statement().model
    made = model.objects.values().get(pk=pk)
    model.objects.all().delete()
    created = model.objects.values().get(pk=model.objects.create(**values).pk)
    times = {"id", "created_at", "last_activity", "started_at", "heartbeat_at"}
    assert {k: v for k, v in made.items() if k not in times} == {
        k: v for k, v in created.items() if k not in times
    }


def test_inserted_item_has_its_thread() -> None:
    thread = Thread.objects.create(public_id="thr_1", visitor_id="v1")
    pk = queries.INSERT_ITEM().run(
        thread_id=thread.pk, run_id=None, public_id="msg_1", type="assistant_message"
    )
    assert thread.items.get().pk == pk


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has always returned what it inserts")
def test_key_of_a_row_is_known_where_sqlite_returns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.features, "can_return_columns_from_insert", False)
    pk = Insert(Thread)().run(public_id="thr_1", visitor_id="v1")
    assert Thread.objects.get().pk == pk


def test_insert_of_a_second_row_with_the_same_key_is_an_integrity_error() -> None:
    queries.INSERT_THREAD().run(public_id="thr_1", visitor_id="v1")
    with pytest.raises(IntegrityError), transaction.atomic():
        queries.INSERT_THREAD().run(public_id="thr_1", visitor_id="v1")


def test_insert_with_an_unknown_column_says_which() -> None:
    with pytest.raises(TypeError, match="Thread has no \\['colour'\\]"):
        Insert(Thread)().run(public_id="thr_1", colour="red")


def test_insert_sends_post_save_where_somebody_listens() -> None:
    heard = []

    def listen(sender: Any, instance: Any, created: bool, **_: Any) -> None:
        heard.append((instance.public_id, created))

    post_save.connect(listen, sender=Thread)
    try:
        queries.INSERT_THREAD().run(public_id="thr_1", visitor_id="v1")
    finally:
        post_save.disconnect(listen, sender=Thread)
    assert heard == [("thr_1", True)]


def test_selected_models_are_those_of_the_database() -> None:
    user = get_user_model().objects.create(username="maria")
    thread = Thread.objects.create(public_id="thr_1", user=user, namespace="shop", metadata={"a": 1})
    [found] = queries.THREAD("user").rows(public_id="thr_1", user_id=user.pk, namespace="shop")
    assert (found, found.metadata, found.created_at) == (thread, {"a": 1}, thread.created_at)
    assert found._state.db == "default"
    assert not found._state.adding


@pytest.mark.parametrize("is_returned", [True, False])
def test_update_gives_the_new_values_of_the_row_it_changes(
    monkeypatch: pytest.MonkeyPatch, is_returned: bool
) -> None:
    monkeypatch.setattr(statements_module, "_returns_what_it_updates", lambda connection: is_returned)
    user = get_user_model().objects.create(username="maria")
    VisitorClaim.objects.create(visitor_id="v1", user=user)
    threads = [Thread.objects.create(public_id=f"thr_{n}", visitor_id="v1", version=n) for n in (4, 8)]
    update = Update(
        lambda: (
            Thread.objects.annotate(
                claimed_by=Subquery(
                    VisitorClaim.objects.filter(visitor_id=OuterRef("visitor_id")).values("user_id")[:1]
                )
            ).filter(pk=parameter(Thread, "id")),
            {"version": F("version") + 1, "title": parameter(Thread, "title")},
        ),
        returning=["version", "claimed_by"],
    )
    assert update().new_values(id=threads[0].pk, title="Parcels") == (5, user.pk)
    assert update().new_values(id=0, title="Parcels") is None
    assert list(Thread.objects.order_by("pk").values_list("version", "title")) == [(5, "Parcels"), (8, "")]


def test_update_of_many_gives_each_row_its_own_values() -> None:
    threads = [Thread.objects.create(public_id=f"thr_{n}", visitor_id="v1") for n in range(3)]
    update = Update(
        lambda: (Thread.objects.filter(pk=parameter(Thread, "id")), {"title": parameter(Thread, "title")})
    )
    update().run_many([{"id": thread.pk, "title": f"Of {thread.public_id}"} for thread in threads[:2]])
    assert list(Thread.objects.order_by("pk").values_list("title", flat=True)) == ["Of thr_0", "Of thr_1", ""]


@pytest.mark.parametrize("value", [7, None, "7"])
def test_parameter_of_a_foreign_key_takes_what_its_field_takes(value: Any) -> None:
    field: Any = ThreadItem._meta.get_field("run")
    prepared = parameter(ThreadItem, "run").prepare(value, connection)
    assert prepared == field.get_db_prep_save(value, connection)


def test_statement_with_other_values_than_its_parameters_says_which_it_takes() -> None:
    select = Select(lambda: Thread.objects.filter(public_id=parameter(Thread, "public_id")))
    with pytest.raises(TypeError, match="takes \\['public_id'\\], not \\['id'\\]"):
        select().rows(id=5)


def test_failed_update_in_a_transaction_marks_it_for_rollback() -> None:
    thread = Thread.objects.create(public_id="thr_1", visitor_id="v1")
    update = Update(
        lambda: (Thread.objects.filter(pk=parameter(Thread, "id")), {"user_id": parameter(Thread, "user_id")})
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        # A thread has one owner.
        update().run(id=thread.pk, user_id=7)
    assert Thread.objects.get().user_id is None


def test_shapes_of_a_statement_do_not_grow_without_end() -> None:
    select = Select(lambda limit: Thread.objects.filter(pk=parameter(Thread, "id"))[:limit])
    for limit in range(1, MAX_SHAPES * 3):
        select(limit)
    assert len(select._shapes) <= MAX_SHAPES


def test_models_have_their_annotations() -> None:
    thread = Thread.objects.create(public_id="thr_1", visitor_id="v1", item_count=4, metadata={"a": 1})
    select = Select(
        lambda: Thread.objects.annotate(
            twice=F("item_count") * 2, nobody=Subquery(Feedback.objects.values("kind")[:1])
        )
    )
    [found] = select().rows()
    assert (found, found.metadata, found.twice, found.nobody) == (thread, {"a": 1}, 8, None)


def test_related_models_are_refused() -> None:
    select = Select(lambda: ThreadItem.objects.select_related("thread"))
    with pytest.raises(NotImplementedError, match="values_list"):
        select().rows()
