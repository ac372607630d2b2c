from dataclasses import dataclass

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.utils import translation

from chatkit_app.context import VISITOR_KEY, RequestContext, build_context, ensure_visitor, has_used_seed
from chatkit_app.store.state import StoreState


@dataclass(kw_only=True)
class ShopContext(RequestContext):
    plan: str = "free"


def shop_context(request):
    return ShopContext.from_request(request, plan="paid")


def wrong_context(request):
    return {"user_id": 1}


@pytest.fixture
def request_of(rf):
    def make(*, user=None, **session):
        request = rf.post("/chatkit")
        request.user = user or AnonymousUser()
        request.session = SessionStore()
        for key, value in session.items():
            request.session[key] = value
        return request

    return make


@pytest.fixture
def visitor_of(request_of):
    """The id of a new visitor whose browser sends this seed."""

    def make(seed):
        request = request_of()
        request.COOKIES["chatkit_first"] = seed
        ensure_visitor(request)
        return request.session[VISITOR_KEY]

    return make


@pytest.fixture
def user():
    return get_user_model()(pk=7, username="user")


# Who


def test_user_is_the_owner(request_of, user):
    context = RequestContext.from_request(request_of(user=user))
    assert (context.user_id, context.visitor_id) == (7, None)


def test_user_is_the_owner_beside_a_visitor_id(request_of, user):
    context = RequestContext.from_request(request_of(user=user, **{VISITOR_KEY: "v"}))
    assert (context.user_id, context.visitor_id) == (7, None)


def test_visitor_is_the_owner(request_of):
    context = RequestContext.from_request(request_of(**{VISITOR_KEY: "v"}))
    assert (context.user_id, context.visitor_id) == (None, "v")


def test_visitor_without_an_id_is_nobody(request_of):
    request = request_of()
    context = RequestContext.from_request(request)
    assert (context.user_id, context.visitor_id) == (None, None)
    assert request.session.is_empty()


def test_request_without_middleware_is_nobodys(rf):
    context = RequestContext.from_request(rf.get("/"))
    assert (context.user_id, context.visitor_id, dict(context.session)) == (None, None, {})


@pytest.mark.django_db
def test_visitor_gets_an_id_of_128_bits_and_keeps_it(request_of):
    request = request_of()
    ensure_visitor(request)
    visitor_id = request.session[VISITOR_KEY]
    ensure_visitor(request)
    assert request.session[VISITOR_KEY] == visitor_id
    assert len(bytes.fromhex(visitor_id)) == 16
    assert request.session.modified


@pytest.mark.django_db
def test_visitor_id_is_in_the_database_before_the_response(request_of):
    request = request_of()
    ensure_visitor(request)
    assert SessionStore(request.session.session_key)[VISITOR_KEY] == request.session[VISITOR_KEY]


@pytest.mark.django_db
def test_session_is_saved_again_only_with_what_is_newer(request_of, django_assert_num_queries):
    request = request_of()
    ensure_visitor(request)
    with django_assert_num_queries(0):
        request.session.save()
    request.session["basket"] = 7
    request.session.save()
    assert SessionStore(request.session.session_key)["basket"] == 7


def test_visitor_id_that_cannot_be_saved_is_none(request_of, monkeypatch):
    request = request_of()
    monkeypatch.setattr(SessionStore, "save", raise_operational_error)
    with pytest.raises(OperationalError):
        ensure_visitor(request)
    assert VISITOR_KEY not in request.session
    assert not request.session.modified


def raise_operational_error(self, must_create=False):
    raise OperationalError("away")


@pytest.mark.django_db
def test_two_visitors_get_two_ids(request_of):
    requests = [request_of(), request_of()]
    for request in requests:
        ensure_visitor(request)
    assert requests[0].session[VISITOR_KEY] != requests[1].session[VISITOR_KEY]


def test_user_gets_no_visitor_id(request_of, user):
    request = request_of(user=user)
    ensure_visitor(request)
    assert VISITOR_KEY not in request.session


# First requests that are sent at once


@pytest.mark.django_db
def test_requests_with_one_seed_are_one_visitors(visitor_of):
    visitor_id = visitor_of("5eed" * 8)
    assert visitor_of("5eed" * 8) == visitor_id
    assert len(bytes.fromhex(visitor_id)) == 16


@pytest.mark.django_db
def test_requests_with_different_seeds_are_different_visitors(visitor_of):
    assert visitor_of("5eed" * 8) != visitor_of("5eee" * 8)


@pytest.mark.django_db
def test_visitor_id_cannot_be_told_from_the_seed_without_the_secret_key(visitor_of, settings):
    visitor_id = visitor_of("5eed" * 8)
    assert visitor_id != "5eed" * 8
    settings.SECRET_KEY = "another" * 8
    assert visitor_of("5eed" * 8) != visitor_id


@pytest.mark.django_db
@pytest.mark.parametrize(
    "seed", ["", "5eed", "5eed" * 9, "5EED" * 8, "seed" * 8, "5eed" * 8 + "\n", "٥eed" * 8]
)
def test_malformed_seed_is_ignored(seed, visitor_of):
    visitor_id = visitor_of(seed)
    assert len(bytes.fromhex(visitor_id)) == 16
    assert visitor_of(seed) != visitor_id


@pytest.mark.django_db
def test_seed_changes_nothing_for_a_visitor_who_has_an_id(request_of):
    request = request_of(**{VISITOR_KEY: "v"})
    request.COOKIES["chatkit_first"] = "5eed" * 8
    ensure_visitor(request)
    assert request.session[VISITOR_KEY] == "v"


def test_seed_is_used_once_the_session_tells_who_it_is(request_of, user):
    requests = [request_of(), request_of(**{VISITOR_KEY: "v"}), request_of(user=user)]
    assert [has_used_seed(request) for request in requests] == [False, False, False]
    for request in requests:
        request.COOKIES["chatkit_first"] = "5eed" * 8
    assert [has_used_seed(request) for request in requests] == [False, True, True]


# Language and namespace


@pytest.mark.parametrize(("language", "locale"), [("pt-br", "pt-br"), ("de", "de"), (None, "en")])
def test_locale_is_the_active_language(language, locale, request_of):
    with translation.override(language):
        assert RequestContext.from_request(request_of()).locale == locale


def test_namespace_is_that_of_the_settings(request_of, settings):
    settings.CHATKIT = {"NAMESPACE": "shop"}
    assert RequestContext.from_request(request_of()).namespace == "shop"
    assert RequestContext.from_request(request_of(), namespace="own").namespace == "own"


# The session


def test_session_holds_the_sites_own_data(request_of):
    context = RequestContext.from_request(request_of(cart=["book"]))
    assert dict(context.session) == {"cart": ["book"]}


def test_session_holds_no_secrets(request_of):
    hidden = {
        VISITOR_KEY: "v",
        "_auth_user_id": "7",
        "_auth_user_backend": "backend",
        "_auth_user_hash": "hash",
        "_csrftoken": "token",
        "_session_expiry": 60,
        "_other_apps": "secret",
    }
    request = request_of(cart=1, **hidden)
    request.session._session_key = "k" * 32
    context = RequestContext.from_request(request)
    assert dict(context.session) == {"cart": 1}
    assert "k" * 32 not in repr(vars(context))


def test_session_with_a_key_that_is_no_text(request_of):
    request = request_of()
    request.session[5] = "five"
    assert dict(RequestContext.from_request(request).session) == {5: "five"}


def test_session_cannot_be_written(request_of):
    context = RequestContext.from_request(request_of(cart=1))
    with pytest.raises(TypeError):
        context.session["cart"] = 2


def test_session_is_a_copy(request_of):
    request = request_of(cart=["book"])
    context = RequestContext.from_request(request)
    context.session["cart"].append("pen")
    assert request.session["cart"] == ["book"]


def test_session_and_states_are_not_printed(request_of):
    text = repr(RequestContext.from_request(request_of(cart="private")))
    assert "private" not in text
    assert "states" not in text


def test_state_is_the_same_throughout_a_request():
    context = RequestContext()
    context.state(StoreState).run_pk = 7
    assert context.state(StoreState).run_pk == 7


def test_two_contexts_share_no_state():
    one, two = RequestContext(), RequestContext()
    one.state(StoreState).thread_pks["t"] = 1
    assert two.state(StoreState).thread_pks == {}
    assert one == two


# CHATKIT["CONTEXT"]


def test_context_is_plain_unless_set(request_of, settings):
    settings.CHATKIT = {}
    assert type(build_context(request_of())) is RequestContext


def test_context_is_built_by_the_named_function(request_of, settings):
    settings.CHATKIT = {"CONTEXT": "tests.test_context.shop_context"}
    context = build_context(request_of(**{VISITOR_KEY: "v"}))
    assert (type(context), context.plan, context.visitor_id) == (ShopContext, "paid", "v")


def test_fields_of_the_function_win(request_of, user):
    assert RequestContext.from_request(request_of(user=user), user_id=8).user_id == 8


def test_context_of_another_type_is_refused(request_of, settings):
    settings.CHATKIT = {"CONTEXT": "tests.test_context.wrong_context"}
    with pytest.raises(
        TypeError, match=r'CHATKIT\["CONTEXT"\] \(tests.test_context.wrong_context\) returned dict'
    ):
        build_context(request_of())


# For staff


def test_staff_are_told_the_language_and_what_is_plain_in_the_session():
    session = {
        "plan": "gold",
        "visits": 3,
        "rate": 0.5,
        "agreed": True,
        "note": "x" * 300,
        "cart": [1],
        "none": None,
    }
    context = RequestContext(locale="de", session=session)
    assert context.for_staff() == {
        "locale": "de",
        "session": {"plan": "gold", "visits": 3, "rate": 0.5, "agreed": True, "note": "x" * 200},
    }


@pytest.mark.parametrize("name", ["oidc_access_token", "google-oauth2_state", "db_password", "API_KEY"])
def test_staff_are_told_no_secrets_of_the_session(name):
    context = RequestContext(session={name: "s3cr3t", "plan": "gold"})
    assert context.for_staff()["session"] == {"plan": "gold"}


def test_staff_are_told_twenty_entries_of_the_session():
    context = RequestContext(session={f"key{number}": number for number in range(50)})
    assert context.for_staff()["session"] == {f"key{number}": number for number in range(20)}
