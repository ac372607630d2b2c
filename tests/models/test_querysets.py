import pytest
from django.contrib.auth import get_user_model

from chatkit_app.context import RequestContext
from chatkit_app.models import Attachment, Feedback, Run, Thread, ThreadItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return get_user_model().objects.create(username="user")


@pytest.fixture
def thread():
    return Thread.objects.create(public_id="t", visitor_id="v")


@pytest.fixture
def items(thread):
    kinds = ["user_message", "hidden_context_item", "sdk_hidden_context", "assistant_message", "end_of_turn"]
    return [
        ThreadItem.objects.create(thread=thread, public_id=f"i{n}", type=kind) for n, kind in enumerate(kinds)
    ]


def ids(rows):
    return [row.public_id for row in rows]


# Owners


def test_user_owns_rows_of_the_user(user):
    other = get_user_model().objects.create(username="other")
    Thread.objects.create(public_id="mine", user=user)
    Thread.objects.create(public_id="others", user=other)
    Thread.objects.create(public_id="visitors", visitor_id=str(user.pk))
    assert ids(Thread.objects.owned_by(RequestContext(user_id=user.pk))) == ["mine"]


def test_visitor_owns_rows_of_the_visitor(user):
    Thread.objects.create(public_id="mine", visitor_id="v")
    Thread.objects.create(public_id="others", visitor_id="w")
    Thread.objects.create(public_id="users", user=user)
    assert ids(Thread.objects.owned_by(RequestContext(visitor_id="v"))) == ["mine"]


@pytest.mark.parametrize("context", [RequestContext(), RequestContext(visitor_id="")])
def test_nobody_owns_nothing(context):
    Thread.objects.create(public_id="nobodys")
    assert ids(Thread.objects.owned_by(context)) == []


def test_user_id_of_zero_is_a_user(user):
    Thread.objects.create(public_id="visitors", visitor_id="v")
    assert ids(Thread.objects.owned_by(RequestContext(user_id=0, visitor_id="v"))) == []


def test_user_comes_before_visitor(user):
    Thread.objects.create(public_id="visitors", visitor_id="v")
    Thread.objects.create(public_id="users", user=user)
    assert ids(Thread.objects.owned_by(RequestContext(user_id=user.pk, visitor_id="v"))) == ["users"]


def test_namespaces_are_apart():
    Thread.objects.create(public_id="one", visitor_id="v", namespace="one")
    Thread.objects.create(public_id="none", visitor_id="v")
    assert ids(Thread.objects.owned_by(RequestContext(visitor_id="v", namespace="one"))) == ["one"]
    assert ids(Thread.objects.owned_by(RequestContext(visitor_id="v"))) == ["none"]


def test_items_have_the_owner_of_their_thread(items, user):
    assert ids(ThreadItem.objects.owned_by(RequestContext(visitor_id="v"))) == ["i0", "i1", "i2", "i3", "i4"]
    for stranger in (
        RequestContext(visitor_id="w"),
        RequestContext(user_id=user.pk),
        RequestContext(visitor_id="v", namespace="other"),
    ):
        assert ids(ThreadItem.objects.owned_by(stranger)) == []


@pytest.mark.parametrize("model", [Attachment, Run])
def test_other_rows_have_their_own_owner(model):
    model.objects.create(public_id="mine", visitor_id="v")
    model.objects.create(public_id="others", visitor_id="w")
    assert ids(model.objects.owned_by(RequestContext(visitor_id="v"))) == ["mine"]


def test_feedback_has_its_own_owner(items):
    Feedback.objects.create(item=items[0], kind="positive", visitor_id="v")
    assert Feedback.objects.owned_by(RequestContext(visitor_id="v")).count() == 1
    assert Feedback.objects.owned_by(RequestContext(visitor_id="w")).count() == 0


# Claiming


def test_claim_takes_the_visitors_rows_of_all_namespaces(user):
    Thread.objects.create(public_id="one", visitor_id="v", namespace="one")
    Thread.objects.create(public_id="two", visitor_id="v", namespace="two")
    Thread.objects.create(public_id="others", visitor_id="w")
    assert Thread.objects.claim(visitor_id="v", user_id=user.pk) == 2
    rows = Thread.objects.order_by("pk").values_list("public_id", "user", "visitor_id", "namespace")
    assert list(rows) == [("one", user.pk, "", "one"), ("two", user.pk, "", "two"), ("others", None, "w", "")]


# Pages


@pytest.mark.parametrize(
    ("after", "limit", "order", "expected", "has_more"),
    [
        (None, 2, "asc", ["i0", "i1"], True),
        ("i1", 2, "asc", ["i2", "i3"], True),
        ("i1", 3, "asc", ["i2", "i3", "i4"], False),
        ("i4", 2, "asc", [], False),
        (None, 5, "asc", ["i0", "i1", "i2", "i3", "i4"], False),
        (None, 4, "asc", ["i0", "i1", "i2", "i3"], True),
        (None, 2, "desc", ["i4", "i3"], True),
        ("i3", 9, "desc", ["i2", "i1", "i0"], False),
        ("i0", 2, "desc", [], False),
        ("unknown", 2, "asc", [], False),
        ("unknown", 2, "desc", [], False),
        (None, 0, "asc", ["i0"], True),
        (None, -5, "asc", ["i0"], True),
    ],
)
def test_page(items, after, limit, order, expected, has_more):
    rows, more = ThreadItem.objects.all().page(after=after, limit=limit, order=order)
    assert (ids(rows), more) == (expected, has_more)


def test_page_is_at_most_a_thousand_rows(thread):
    ThreadItem.objects.bulk_create(
        ThreadItem(thread=thread, public_id=f"i{n}", type="task") for n in range(1001)
    )
    rows, more = ThreadItem.objects.all().page(after=None, limit=9999, order="desc")
    assert (len(rows), more) == (1000, True)


def test_page_ignores_an_earlier_order(items):
    rows, _ = ThreadItem.objects.order_by("type").page(after="i0", limit=2, order="asc")
    assert ids(rows) == ["i1", "i2"]


def test_cursor_outside_of_the_rows_gives_an_empty_page(items):
    other = Thread.objects.create(public_id="other", visitor_id="v")
    ThreadItem.objects.create(thread=other, public_id="elsewhere", type="task")
    rows, more = ThreadItem.objects.filter(thread__public_id="t").page(
        after="elsewhere", limit=2, order="desc"
    )
    assert (rows, more) == ([], False)


def test_page_takes_one_query(items, django_assert_num_queries):
    with django_assert_num_queries(1):
        ThreadItem.objects.all().page(after="i1", limit=2, order="asc")


def test_visible_leaves_out_what_only_the_model_reads(items):
    assert ids(ThreadItem.objects.visible().order_by("pk")) == ["i0", "i3", "i4"]


def test_page_of_visible_items_is_full(items):
    rows, more = ThreadItem.objects.visible().page(after="i0", limit=1, order="asc")
    assert (ids(rows), more) == (["i3"], True)


def test_running_leaves_out_what_has_ended():
    for status in Run.Status.values:
        Run.objects.create(public_id=status, operation="threads.create", status=status)
    assert ids(Run.objects.running()) == ["running"]
