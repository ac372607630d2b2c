"""Our ASGI application does what Django's does, with fewer threads. This module is its URLconf as well."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib import messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.template.response import TemplateResponse
from django.test import RequestFactory, override_settings
from django.urls import get_urlconf, path, set_urlconf
from django.utils.decorators import async_only_middleware, sync_only_middleware
from django.utils.deprecation import MiddlewareMixin
from django.views.decorators.csrf import csrf_exempt

from chatkit_app import db
from chatkit_app.asgi import (
    GroupingASGIHandler,
    MiddlewareGroup,
    get_asgi_application,
    share_threads,
)
from chatkit_app.db import Lane
from tests.chat import Chat, eventually

pytestmark = [pytest.mark.urls("tests.test_asgi"), pytest.mark.django_db(transaction=True)]

log: list[str] = []


async def async_view(request: HttpRequest) -> HttpResponse:
    log.append("view")
    return HttpResponse("async")


def sync_view(request: HttpRequest) -> HttpResponse:
    log.append("view")
    return HttpResponse("sync")


async def raising_view(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def template_view(request: HttpRequest) -> TemplateResponse:
    response = TemplateResponse(request, "unused.html")
    response.resolve_template = lambda template: Rendered()  # type: ignore[method-assign]
    return response


class Rendered:
    def render(self, context: Any, request: Any) -> str:
        log.append("rendered")
        return "template"


async def user_view(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(str(user))


def remembering_view(request: HttpRequest) -> HttpResponse:
    request.session["colour"] = "blue"
    return HttpResponse()


def saying_view(request: HttpRequest) -> HttpResponse:
    messages.info(request, "hello")
    return HttpResponse()


def recalling_view(request: HttpRequest) -> HttpResponse:
    said = [str(message) for message in messages.get_messages(request)]
    return HttpResponse(f"{request.session['colour']} {said}")


async def replacing_view(request: HttpRequest) -> HttpResponse:
    request.session = object()
    del request._messages
    return HttpResponse("replaced")


class SessionStore(DatabaseSessions):
    """Sessions of this module's, as ``SESSION_ENGINE``."""


class OwnMessages(FallbackStorage):
    pass


class OwnSecurity(SecurityMiddleware):
    pass


urlpatterns = [
    path("remember", remembering_view),
    path("say", saying_view),
    path("recall", recalling_view),
    path("replace", replacing_view),
    path("async", async_view),
    path("sync", sync_view),
    path("raise", raising_view),
    path("template", template_view),
    path("user", user_view),
]


class Logged(MiddlewareMixin):
    """Writes down what it sees. Subclasses have names of their own."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        log.append(f"{type(self).__name__} in")
        return None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        log.append(f"{type(self).__name__} out {response.status_code}")
        response.headers["Seen-By"] = response.headers.get("Seen-By", "") + type(self).__name__
        return response


class A(Logged):
    pass


class B(Logged):
    pass


class C(Logged):
    pass


class RequestOnly(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> None:
        log.append("RequestOnly in")


class ResponseOnly(MiddlewareMixin):
    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        log.append("ResponseOnly out")
        return response


class Answers(Logged):
    def process_request(self, request: HttpRequest) -> HttpResponse:
        super().process_request(request)
        return HttpResponse("answered", status=203)


class RaisesIn(Logged):
    def process_request(self, request: HttpRequest) -> None:
        log.append("RaisesIn in")
        raise Http404


class RaisesOut(Logged):
    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        log.append("RaisesOut out")
        raise PermissionDenied


class Hooks(Logged):
    """The hooks that stand outside of the chain."""

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        log.append("Hooks view")

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        log.append(f"Hooks exception {type(exception).__name__}")
        return HttpResponse("caught", status=202)

    def process_template_response(self, request: HttpRequest, response: Any) -> Any:
        log.append("Hooks template")
        return response


class OwnCall(Logged):
    """A middleware of the mixin with a ``__call__()`` of its own."""

    def __call__(self, request: HttpRequest) -> Any:
        log.append("OwnCall")
        return super().__call__(request)


@async_only_middleware
def asynchronous(get_response: Any) -> Any:
    async def middleware(request: HttpRequest) -> Any:
        log.append("asynchronous in")
        response = await get_response(request)
        log.append("asynchronous out")
        return response

    return middleware


@sync_only_middleware
def synchronous(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> Any:
        log.append("synchronous in")
        response = get_response(request)
        log.append("synchronous out")
        return response

    return middleware


CHAINS = {
    "plain": ["A", "B", "C"],
    "halves": ["A", "RequestOnly", "ResponseOnly", "B"],
    "one answers first": ["Answers", "A", "B"],
    "one answers in the middle": ["A", "Answers", "B"],
    "one answers last": ["A", "B", "Answers"],
    "one raises on the way in": ["A", "B", "RaisesIn", "C"],
    "the first raises on the way in": ["RaisesIn", "A"],
    "one raises on the way out": ["A", "B", "RaisesOut", "C"],
    "the first raises on the way out": ["RaisesOut", "A"],
    "hooks": ["A", "Hooks", "B"],
    "an asynchronous one in between": ["A", "B", "asynchronous", "C", "A"],
    "an asynchronous one first": ["asynchronous", "A", "B"],
    "a synchronous one in between": ["A", "B", "synchronous", "C"],
    "a synchronous one last": ["A", "B", "synchronous"],
    "one with a call of its own": ["A", "B", "OwnCall", "C"],
    "one": ["A"],
    "none": [],
}


async def what_happens(application: Callable[[], Any], names: list[str], url: str) -> Any:
    log.clear()
    with override_settings(MIDDLEWARE=[f"tests.test_asgi.{name}" for name in names]):
        reply = await (await Chat(application()).open("GET", url)).rest()
    return log.copy(), reply.status, reply.headers, reply.body


@pytest.mark.parametrize("url", ["/async", "/sync", "/raise", "/template", "/nowhere"])
@pytest.mark.parametrize("names", CHAINS.values(), ids=CHAINS)
async def test_chain_does_what_djangos_does(names, url):
    expected = await what_happens(ASGIHandler, names, url)
    assert await what_happens(shared_handler, names, url) == expected


def shared_handler() -> Any:
    return share_threads(GroupingASGIHandler())


async def test_order_is_in_through_all_and_out_through_all():
    seen, *_ = await what_happens(shared_handler, ["A", "B"], "/async")
    assert seen == ["A in", "B in", "view", "B out 200", "A out 200"]


def chain_of(*names: str) -> Any:
    with override_settings(MIDDLEWARE=[f"tests.test_asgi.{name}" for name in names]):
        return GroupingASGIHandler()._middleware_chain


def test_plain_neighbours_are_one_group():
    chain = chain_of("A", "B", "asynchronous", "C")
    assert isinstance(chain, MiddlewareGroup)
    assert [type(member) for member in chain.members] == [A, B]
    assert iscoroutinefunction(chain)


def test_middleware_with_a_call_of_its_own_ends_the_group():
    chain = chain_of("A", "B", "OwnCall")
    assert [type(member) for member in chain.members] == [A, B]


@pytest.mark.parametrize("names", [["A"], ["asynchronous", "A", "B"], ["A", "B", "synchronous"]])
def test_what_cannot_be_grouped_is_left_alone(names):
    assert not isinstance(chain_of(*names), MiddlewareGroup)


def test_default_middleware_of_a_site_is_grouped(settings):
    chain = GroupingASGIHandler()._middleware_chain
    assert len(chain.members) == len(settings.MIDDLEWARE) == 8


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the group changes threads for."""
    found: list[str] = []

    def note(function: Any) -> Any:
        found.append(function.__name__)
        return sync_to_async(function)

    monkeypatch.setattr("chatkit_app.asgi.sync_to_async", note)
    return found


async def test_djangos_own_middlewares_change_no_thread_where_there_is_nothing_to_save(hops):
    await (await Chat(GroupingASGIHandler()).open("GET", "/async")).rest()
    assert hops == []


@pytest.mark.parametrize("url", ["/remember", "/say", "/nowhere"])
async def test_what_is_saved_or_looked_for_on_the_way_out_has_a_thread(hops, url):
    await (await Chat(GroupingASGIHandler()).open("GET", url)).rest()
    assert hops == ["_leave"]


async def test_session_that_a_view_has_replaced_is_left_to_the_middleware(hops):
    reply = await (await Chat(GroupingASGIHandler()).open("GET", "/replace")).rest()
    assert (reply.body, hops) == (b"replaced", ["_leave"])


async def test_message_and_session_reach_the_next_page():
    chat = Chat(GroupingASGIHandler())
    await (await chat.open("GET", "/remember")).rest()
    await (await chat.open("GET", "/say")).rest()
    assert (await (await chat.open("GET", "/recall")).rest()).body == b"blue ['hello']"


@pytest.mark.parametrize(
    "changed",
    [
        {"CSRF_USE_SESSIONS": True},
        {"SESSION_ENGINE": "tests.test_asgi"},
        {"MESSAGE_STORAGE": "tests.test_asgi.OwnMessages"},
        {"SESSION_SAVE_EVERY_REQUEST": True},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_what_keeps_sessions_or_messages_otherwise_has_a_thread(hops, changed):
    with override_settings(**changed):
        await (await Chat(GroupingASGIHandler()).open("GET", "/async")).rest()
    assert hops == (["_leave"] if "SESSION_SAVE_EVERY_REQUEST" in changed else ["_enter", "_leave"])


async def test_subclass_of_djangos_middleware_has_a_thread(hops, settings):
    settings.MIDDLEWARE = ["tests.test_asgi.OwnSecurity", *settings.MIDDLEWARE[1:]]
    await (await Chat(GroupingASGIHandler()).open("GET", "/async")).rest()
    assert hops == ["_enter", "_leave"]


async def test_page_of_an_error_on_the_way_in_may_ask_the_database(settings, hops):
    settings.ALLOWED_HOSTS = ["elsewhere"]
    reply = await (await Chat(GroupingASGIHandler()).open("GET", "/async")).rest()
    assert (reply.status, hops) == (400, ["response_for_exception"])


async def test_application_serves_a_session():
    from django.contrib.auth.models import User

    chat = Chat(get_asgi_application())
    await chat.log_in(await db.run(User.objects.create_user, "ada"))
    reply = await (await chat.open("GET", "/user")).rest()
    assert reply.body == b"ada"


async def test_other_protocols_are_passed_on():
    scopes = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope["type"])

    await share_threads(application)({"type": "websocket"}, None, None)
    assert scopes == ["websocket"]


class Rendezvous(MiddlewareMixin):
    """Counts the threads in which requests are worked on."""

    threads: set[threading.Thread] = set()

    def process_request(self, request: HttpRequest) -> None:
        self.threads.add(threading.current_thread())


@pytest.fixture
def few_threads(settings: Any) -> Any:
    settings.CHATKIT = {"REQUEST_THREADS": 3}
    settings.MIDDLEWARE = ["tests.test_asgi.Rendezvous", *settings.MIDDLEWARE]
    Rendezvous.threads.clear()
    lanes, db._lanes = db._lanes, []
    yield
    for lane in db._lanes:
        lane.shutdown()
    db._lanes = lanes


async def test_fifty_requests_share_the_request_threads(few_threads):
    chat = Chat(share_threads(GroupingASGIHandler()))
    replies = await asyncio.gather(*(chat.open("GET", "/sync") for _ in range(50)))
    assert {(await reply.rest()).status for reply in replies} == {200}
    assert len(Rendezvous.threads) == 3
    assert all(thread.name.startswith("chatkit-request") for thread in Rendezvous.threads)


async def test_one_request_stays_in_one_thread(few_threads):
    """What a middleware leaves in thread-local data, such as a connection, is there for the view."""
    threads: list[threading.Thread] = []

    def view(request: HttpRequest) -> HttpResponse:
        threads.append(threading.current_thread())
        return HttpResponse()

    urlpatterns.append(path("thread", view))
    try:
        chat = Chat(share_threads(GroupingASGIHandler()))
        for _ in range(5):
            Rendezvous.threads.clear()
            await (await chat.open("GET", "/thread")).rest()
            assert {threads.pop()} == Rendezvous.threads
    finally:
        urlpatterns.pop()


# --- Both ends of a request ---------------------------------------------------------------------------------


@pytest.fixture
def lane_work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done in the requests' threads, and when their connections are looked after."""
    found: list[str] = []
    submit = Lane.submit

    def note(lane: Lane, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        found.append("work")
        return submit(lane, fn, *args, **kwargs)

    monkeypatch.setattr(Lane, "submit", note)
    monkeypatch.setattr(Lane, "close_old_connections", lambda lane: found.append("look after"))
    return found


class Closing(HttpResponse):
    def close(self) -> None:
        log.append(threading.current_thread().name)
        super().close()


class Resource:
    def close(self) -> None:
        log.append(threading.current_thread().name)


def with_resource(response: HttpResponse) -> HttpResponse:
    response._resource_closers.append(Resource().close)
    return response


class OwnCache(LocMemCache):
    def close(self, **kwargs: Any) -> None:
        log.append(threading.current_thread().name)


async def waiting_view(request: HttpRequest) -> HttpResponse:
    log.append("waits")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        log.append("cancelled")
        raise
    return HttpResponse()


urlpatterns += [
    path("exempt", csrf_exempt(async_view)),
    path("closing", lambda request: Closing()),
    path("resource", lambda request: with_resource(HttpResponse())),
    path("waiting", waiting_view),
]


async def test_request_that_needs_no_thread_is_given_none(lane_work):
    reply = await (await Chat(shared_handler()).open("GET", "/exempt")).rest()
    assert (reply.body, lane_work) == (b"async", [])


async def test_connections_are_looked_after_before_and_behind_what_a_request_does_in_a_thread(lane_work):
    await (await Chat(shared_handler()).open("GET", "/resource")).rest()
    await eventually(lambda: lane_work[-1:] == ["look after"])
    assert lane_work == ["look after", *["work"] * 3, "look after"]


@pytest.mark.parametrize("signal", [request_started, request_finished], ids=["started", "finished"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_receiver_of_the_sites_hears_of_each_request(signal, is_async):
    heard: list[type] = []

    def receiver(sender: type, **kwargs: Any) -> None:
        heard.append(sender)

    async def asynchronous_receiver(sender: type, **kwargs: Any) -> None:
        heard.append(sender)

    receiving: Any = asynchronous_receiver if is_async else receiver
    signal.connect(receiving)
    try:
        await (await Chat(shared_handler()).open("GET", "/async")).rest()
        await eventually(lambda: heard)
    finally:
        signal.disconnect(receiving)
    assert heard == [GroupingASGIHandler]


@pytest.mark.parametrize("url", ["/closing", "/resource"])
async def test_response_with_something_to_close_is_closed_in_a_thread(url):
    log.clear()
    await (await Chat(shared_handler()).open("GET", url)).rest()
    await eventually(lambda: log)
    [thread] = log
    assert thread.startswith("chatkit-request")


async def serve_in_this_context(path: str) -> list[str]:
    """Let our handler answer a GET in the test's own context. Returns the types of what it has sent."""
    came, sent = [{"type": "http.request"}], []

    async def receive() -> Any:
        return came.pop() if came else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    await shared_handler()(scope, receive, send)
    return sent


async def test_open_cache_with_something_to_close_is_closed_in_a_thread(settings):
    settings.CACHES = {**settings.CACHES, "own": {"BACKEND": "tests.test_asgi.OwnCache"}}
    assert caches["own"]
    log.clear()
    await serve_in_this_context("/exempt")
    view, thread = log
    assert view == "view"
    assert thread.startswith("chatkit-request")


async def test_view_is_cancelled_when_the_client_leaves_before_it_has_answered():
    log.clear()
    exchange = Chat(shared_handler()).start("GET", "/waiting")
    await eventually(lambda: log)
    await exchange.disconnect()
    await eventually(lambda: log == ["waits", "cancelled"])


async def test_request_that_django_cannot_take_is_refused(monkeypatch):
    class TooBig:
        def __init__(self, *args: Any) -> None:
            raise RequestDataTooBig

    monkeypatch.setattr(GroupingASGIHandler, "request_class", TooBig)
    assert (await (await Chat(shared_handler()).open("GET", "/async")).rest()).status == 413


async def test_urlconf_of_one_request_is_not_the_next_ones():
    set_urlconf("tests.urls")
    sent = await serve_in_this_context("/exempt")
    assert (get_urlconf(), sent) == (None, ["http.response.start", "http.response.body"])


async def test_lifespan_ends_the_answers_with_the_process(monkeypatch):
    ended = []

    async def interrupt_all() -> None:
        ended.append("answers")

    monkeypatch.setattr("chatkit_app.process.shutdown.interrupt_all", interrupt_all)
    monkeypatch.setattr("chatkit_app.db.shutdown", lambda: ended.append("database"))
    communicator = ApplicationCommunicator(share_threads(None), {"type": "lifespan"})
    await communicator.send_input({"type": "lifespan.startup"})
    assert await communicator.receive_output() == {"type": "lifespan.startup.complete"}
    assert ended == []
    await communicator.send_input({"type": "lifespan.shutdown"})
    assert await communicator.receive_output() == {"type": "lifespan.shutdown.complete"}
    assert ended == ["answers", "database"]


async def test_csrf_check_of_an_exempt_view_changes_no_thread(settings, monkeypatch):
    settings.MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
    asked = []
    monkeypatch.setattr(CsrfViewMiddleware, "process_view", lambda self, *args: asked.append(args[1]))
    [process_view] = GroupingASGIHandler()._view_middleware

    def exempt(request):
        return None

    exempt.csrf_exempt = True

    def other(request):
        return None

    request = RequestFactory().post("/")
    assert await process_view(request, exempt, (), {}) is None
    assert await process_view(request, other, (), {}) is None
    assert asked == [other]


class SeesViews(MiddlewareMixin):
    def process_view(self, request, callback, args, kwargs):
        request.seen_view = callback


async def test_process_view_of_other_middleware_sees_exempt_views(settings):
    settings.MIDDLEWARE = ["tests.test_asgi.SeesViews"]
    [process_view] = GroupingASGIHandler()._view_middleware

    def exempt(request):
        return None

    exempt.csrf_exempt = True
    request = RequestFactory().post("/")
    await process_view(request, exempt, (), {})
    assert request.seen_view is exempt
