from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet

from chatkit_app.models import AuditEntry, Label, Run, Thread
from chatkit_app.staff import scope

pytestmark = pytest.mark.django_db


def of_namespace(user: Any, threads: Any) -> Any:
    return threads.filter(namespace=user.username)


def of_labels(user: Any, threads: Any) -> Any:
    return threads.filter(labels__name__startswith=user.username)


def distinct(user: Any, threads: Any) -> Any:
    return of_labels(user, threads).distinct()


def sliced(user: Any, threads: Any) -> Any:
    return threads[:10]


def united(user: Any, threads: Any) -> Any:
    return threads.filter(namespace="a").union(threads.filter(namespace="b"))


def listed(user: Any, threads: Any) -> Any:
    return list(threads)


def of_runs(user: Any, threads: Any) -> Any:
    return Run.objects.all()


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna")


@pytest.fixture
def threads(anna: User) -> tuple[Thread, Thread]:
    mine = Thread.objects.create(public_id="thr_mine", namespace="anna")
    theirs = Thread.objects.create(public_id="thr_theirs", namespace="bert")
    mine.labels.set(Label.objects.create(name=name) for name in ("anna 1", "anna 2"))
    theirs.labels.set([Label.objects.create(name="bert")])
    return mine, theirs


def use(settings: Any, function: str | None) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": f"tests.staff.test_scope.{function}"} if function else {}


def test_all_threads_are_seen_without_a_scope(
    settings: Any, anna: User, threads: tuple[Thread, Thread]
) -> None:
    use(settings, None)
    assert set(scope.threads_of(anna)) == set(threads)


@pytest.mark.parametrize("function", ["of_namespace", "of_labels", "distinct"])
def test_scope_narrows_threads(
    settings: Any, anna: User, threads: tuple[Thread, Thread], function: str
) -> None:
    use(settings, function)
    assert list(scope.threads_of(anna)) == [threads[0]]


@pytest.mark.parametrize("function", ["of_labels", "distinct"])
def test_threads_of_a_scope_with_joins_can_be_deleted_and_changed(
    settings: Any, anna: User, threads: tuple[Thread, Thread], function: str
) -> None:
    use(settings, function)
    assert scope.threads_of(anna).update(title="x") == 1
    scope.threads_of(anna).delete()
    assert list(Thread.objects.all()) == [threads[1]]


def test_scope_keeps_what_was_asked_of_the_threads(
    settings: Any, anna: User, threads: tuple[Thread, Thread]
) -> None:
    use(settings, "of_labels")
    assert list(scope.threads_of(anna, Thread.objects.filter(title="x"))) == []
    assert list(scope.threads_of(anna, Thread.objects.order_by("-pk")).query.order_by) == ["-pk"]


def test_what_hangs_on_threads_follows_them(
    settings: Any, anna: User, threads: tuple[Thread, Thread]
) -> None:
    mine = Run.objects.create(public_id="run_1", thread=threads[0])
    Run.objects.create(public_id="run_2", thread=threads[1])
    Run.objects.create(public_id="run_3")
    runs: QuerySet[Run] = Run.objects.all()
    use(settings, "of_namespace")
    assert list(scope.within(runs, anna)) == [mine]
    use(settings, None)
    assert scope.within(runs, anna).count() == 3


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("sliced", "returned a slice or a union of threads"),
        ("united", "returned a slice or a union of threads"),
        ("listed", "returned list; return the threads it was given, filtered"),
        ("of_runs", "return the threads it was given, filtered"),
    ],
)
def test_scope_that_cannot_be_narrowed_is_an_error(
    settings: Any, anna: User, function: str, message: str
) -> None:
    use(settings, function)
    with pytest.raises(TypeError, match=message):
        scope.threads_of(anna)


def test_entries_of_the_audit_follow_their_threads(
    settings: Any, anna: User, threads: tuple[Thread, Thread]
) -> None:
    for key in ("thr_mine", "thr_theirs", "thr_gone", ""):
        AuditEntry.objects.create(action="read", thread_key=key, actor_key="999")
    own = AuditEntry.objects.create(action="read", thread_key="thr_theirs", actor_key=str(anna.pk))
    use(settings, "of_namespace")
    assert {entry.thread_key for entry in scope.entries_of(anna)} == {"thr_mine", "thr_theirs"}
    assert scope.entries_of(anna).filter(thread_key="thr_theirs").get() == own
    use(settings, None)
    assert scope.entries_of(anna).count() == 5
