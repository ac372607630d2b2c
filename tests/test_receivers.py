import pytest
from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore

from chatkit_app.context import VISITOR_KEY, RequestContext, ensure_visitor
from chatkit_app.models import Attachment, Feedback, Run, Thread, ThreadItem
from chatkit_app.receivers import claim_visitor
from chatkit_app.signals import visitor_claimed

pytestmark = pytest.mark.django_db
MODELS = (Thread, Attachment, Run, Feedback)


@pytest.fixture
def make_user():
    return lambda name: get_user_model().objects.create_user(name)


@pytest.fixture
def request_of_visitor(rf):
    """A request whose session has been saved, as that of a visitor who has been here before."""
    request = rf.post("/login")
    request.user = AnonymousUser()
    request.session = SessionStore()
    ensure_visitor(request)
    request.session["cart"] = ["book"]
    request.session.save()
    return request


@pytest.fixture
def claims():
    received = []

    def keep(sender, **arguments):
        del arguments["signal"]
        received.append((sender, arguments))

    visitor_claimed.connect(keep)
    yield received
    visitor_claimed.disconnect(keep)


def make_rows(visitor_id, *, namespace=""):
    prefix = f"{visitor_id}-{namespace}"
    owner = {"visitor_id": visitor_id, "namespace": namespace}
    thread = Thread.objects.create(public_id=f"{prefix}-t", **owner)
    item = ThreadItem.objects.create(thread=thread, public_id="i", type="assistant_message")
    Attachment.objects.create(public_id=f"{prefix}-a", type="file", name="n", mime_type="m", **owner)
    Run.objects.create(public_id=f"{prefix}-r", thread=thread, operation="threads.create", **owner)
    Feedback.objects.create(item=item, kind="positive", **owner)


def log_in(request, user):
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")


def owners(model):
    return list(model.objects.order_by("pk").values_list("user__username", "visitor_id", "namespace"))


def test_login_claims_everything_in_all_namespaces(request_of_visitor, make_user):
    visitor_id = request_of_visitor.session[VISITOR_KEY]
    make_rows(visitor_id)
    make_rows(visitor_id, namespace="shop")
    make_rows("somebody")
    log_in(request_of_visitor, make_user("user"))
    for model in MODELS:
        assert owners(model) == [("user", "", ""), ("user", "", "shop"), (None, "somebody", "")]


def test_login_ends_the_visitor(request_of_visitor, make_user):
    key = request_of_visitor.session.session_key
    log_in(request_of_visitor, make_user("user"))
    assert VISITOR_KEY not in request_of_visitor.session
    assert request_of_visitor.session["cart"] == ["book"]
    request_of_visitor.session.save()
    stored = SessionStore(session_key=request_of_visitor.session.session_key)
    assert VISITOR_KEY not in stored.load()
    assert stored.session_key != key


def test_login_of_a_new_browser_claims_nothing(rf, make_user, claims):
    request = rf.post("/login")
    request.session = SessionStore()
    make_rows("")
    log_in(request, make_user("user"))
    assert owners(Thread) == [(None, "", "")]
    assert claims == []


def test_login_without_a_request_claims_nothing(make_user, claims):
    claim_visitor(None, None, make_user("user"))
    assert claims == []


def test_login_tells_how_many_threads_there_were(request_of_visitor, make_user, claims):
    visitor_id = request_of_visitor.session[VISITOR_KEY]
    make_rows(visitor_id)
    make_rows(visitor_id, namespace="shop")
    user = make_user("user")
    log_in(request_of_visitor, user)
    assert claims == [(Thread, {"user": user, "visitor_id": visitor_id, "threads": 2})]


def test_second_login_of_the_same_user_changes_nothing(request_of_visitor, make_user, claims):
    make_rows(request_of_visitor.session[VISITOR_KEY])
    user = make_user("user")
    log_in(request_of_visitor, user)
    log_in(request_of_visitor, user)
    assert owners(Thread) == [("user", "", "")]
    assert len(claims) == 1


def test_logging_in_over_another_user_moves_nothing(request_of_visitor, make_user):
    make_rows(request_of_visitor.session[VISITOR_KEY])
    log_in(request_of_visitor, make_user("first"))
    log_in(request_of_visitor, make_user("second"))
    for model in MODELS:
        assert owners(model) == [("first", "", "")]


def test_after_logout_comes_somebody_else(request_of_visitor, make_user):
    visitor_id = request_of_visitor.session[VISITOR_KEY]
    make_rows(visitor_id)
    log_in(request_of_visitor, make_user("user"))
    logout(request_of_visitor)
    ensure_visitor(request_of_visitor)
    context = RequestContext.from_request(request_of_visitor)
    assert context.user_id is None
    assert context.visitor_id not in (None, "", visitor_id)
    assert Thread.objects.owned_by(context).count() == 0


def test_user_who_comes_back_finds_both_conversations(request_of_visitor, make_user):
    user = make_user("user")
    Thread.objects.create(public_id="earlier", user=user)
    make_rows(request_of_visitor.session[VISITOR_KEY])
    log_in(request_of_visitor, user)
    assert Thread.objects.owned_by(RequestContext(user_id=user.pk)).count() == 2


def test_users_own_feedback_stands(request_of_visitor, make_user):
    visitor_id = request_of_visitor.session[VISITOR_KEY]
    user = make_user("user")
    make_rows(visitor_id)
    Feedback.objects.create(item=ThreadItem.objects.get(), user=user, kind="negative")
    log_in(request_of_visitor, user)
    assert list(Feedback.objects.filter(user=user).values_list("kind", flat=True)) == ["negative"]
