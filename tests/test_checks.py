"""A test per mistake that a project can make, named by the check's id."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from agents import Agent
from chatkit.server import ChatKitServer
from django.apps import apps
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core import checks as django_checks
from django.core.files.storage import storages
from django.core.handlers.asgi import ASGIHandler
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections
from django.test import override_settings
from django.urls import include, path, re_path
from django.utils.translation import gettext_lazy
from django.views.static import serve

from chatkit_app import checks
from chatkit_app.agents import AgentChatKitServer
from chatkit_app.conf import ATTACHMENT_DEFAULTS, DEFAULTS
from chatkit_app.server import DjangoChatKitServer

HERE = "tests.test_checks"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
AUTH = "django.contrib.auth"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"


class GoodServer(AgentChatKitServer):
    pass


class PlainServer(ChatKitServer[Any]):
    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        yield


class OtherServer(DjangoChatKitServer):
    async def respond(self, thread: Any, input_user_message: Any, context: Any) -> Any:
        yield


class ServerWithoutRespond(DjangoChatKitServer):
    pass


class ServerWithArguments(AgentChatKitServer):
    def __init__(self, shop: str) -> None:
        super().__init__()


class NotAServer:
    pass


def make_server() -> GoodServer:
    raise AssertionError("A check must not call the function.")


def make_agent(context: Any) -> Agent[Any]:
    raise AssertionError("A check must not call the function.")


def agent_of_nothing() -> Agent[Any]:
    return Agent(name="Nothing")


def my_context(request: Any) -> Any:
    raise AssertionError("A check must not call the function.")


def my_context_of_nothing() -> Any:
    return None


async def my_async_context(request: Any) -> Any:
    return None


def my_scope(user: Any, threads: Any) -> Any:
    return threads


async def my_async_scope(user: Any, threads: Any) -> Any:
    return threads


an_agent = Agent(name="Support")
an_agent_with_a_model: Agent[Any] = Agent(name="Support", model="litellm/some/model")
a_number = 7


class MySessionMiddleware(SessionMiddleware):
    pass


an_instance = SimpleNamespace()

urlpatterns: list[Any] = []


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


@pytest.fixture(autouse=True)
def a_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatkit_app.rendering.client_files.has_bundle", lambda: True)


def ids(check: Any, **settings: Any) -> list[str]:
    with override_settings(**settings):
        return [message.id for message in check()]


def messages(check: Any, **settings: Any) -> list[Any]:
    with override_settings(**settings):
        return list(check())


# --- As a whole ---------------------------------------------------------------------------------------------


CLEAN: dict[str, Any] = {
    "CHANNEL_LAYERS": {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer"}},
    "CHATKIT": {
        "SERVER": f"{HERE}.GoodServer",
        "AGENT": f"{HERE}.make_agent",
        "CONTEXT": f"{HERE}.my_context",
        "ADMIN_SCOPE": f"{HERE}.my_scope",
        "DOMAIN_KEY": "domain_pk_1",
        "OPTIONS": {
            "theme": "dark",
            "startScreen": {"greeting": gettext_lazy("Hello")},
            "api": {"uploadStrategy": {"type": "two_phase"}},
        },
        "KEEP_ALIVE": 10,
    },
    "ROOT_URLCONF": "chatkit_app.urls_of_the_checks_test",
    "STATIC_ROOT": "/srv/static",
}


def clean_urlconf(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(urlpatterns=[path("", include("chatkit_app.urls"))])
    monkeypatch.setitem(sys.modules, "chatkit_app.urls_of_the_checks_test", module)  # type: ignore[arg-type]


def run_chatkit_checks() -> list[Any]:
    return django_checks.run_checks(tags=["chatkit"])


def test_clean_configuration_has_no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    clean_urlconf(monkeypatch)
    with override_settings(**CLEAN):
        assert run_chatkit_checks() == []


def test_checks_are_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    clean_urlconf(monkeypatch)
    with override_settings(**{**CLEAN, "CHATKIT": ["SERVER"], "MIDDLEWARE": [SESSION, AUTHENTICATION]}):
        found = [str(message.id) for message in run_chatkit_checks()]
    assert sorted(found) == ["chatkit.E001", "chatkit.E053"]


def test_check_command_fails_on_an_error() -> None:
    with (
        override_settings(CHATKIT={"CLIENT": "mine"}),
        pytest.raises(SystemCheckError, match=r"chatkit\.E003"),
    ):
        call_command("check", tags=["chatkit"])


def test_every_id_in_the_table_is_given_by_a_check_and_back() -> None:
    source = "".join(path.read_text() for path in Path(checks.__file__).parent.glob("*.py"))
    used = {f"chatkit.{id}" for id in re.findall(r'[(,]\s*"([EWI]\d{3})"', source)}
    assert used == set(checks.CHECKS)


def test_every_key_has_a_rule() -> None:
    assert set(checks.KEY_RULES) == set(DEFAULTS)


def test_every_default_follows_its_rule() -> None:
    assert [key for key, value in DEFAULTS.items() if not checks.KEY_RULES[key][1](value)] == []


def test_every_message_has_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with override_settings(
        CHATKIT={"SERVER": "nowhere.Server", "WORKERS": 3, "OPTIONS": {"colour": 1}},
        MIDDLEWARE=[],
        ASGI_APPLICATION=None,
        ROOT_URLCONF=HERE,
    ):
        assert [message.id for message in run_chatkit_checks() if not message.hint] == []


# --- The CHATKIT setting ------------------------------------------------------------------------------------


def test_e001_setting_is_no_dictionary() -> None:
    assert ids(checks.check_settings, CHATKIT="myapp.chat.SupportServer") == ["chatkit.E001"]


def test_e002_unknown_key_names_the_closest() -> None:
    (message,) = messages(checks.check_settings, CHATKIT={"ON_DISCONECT": "finish"})
    assert (message.id, message.hint) == ("chatkit.E002", 'Did you mean "ON_DISCONNECT"?')


def test_e002_key_in_lower_case_names_the_right_one() -> None:
    (message,) = messages(checks.check_settings, CHATKIT={"server": "a.B"})
    assert message.hint == 'Did you mean "SERVER"?'


def test_e002_key_like_none_lists_them_all() -> None:
    (message,) = messages(checks.check_settings, CHATKIT={7: 7})
    assert message.hint.startswith("Known names are ADMIN_SCOPE, AGENT, ")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SERVER", None),
        ("SERVER", NotAServer),
        ("SERVER", "SupportServer"),
        ("AGENT", "support"),
        ("CONTEXT", my_context),
        ("ADMIN_SCOPE", "scope"),
        ("NAMESPACE", None),
        ("NAMESPACE", "x" * 101),
        ("LOGIN_REQUIRED", "no"),
        ("CLIENT", "chatkit"),
        ("CLIENT", ["openai"]),
        ("SCRIPT_URL", ""),
        ("DOMAIN_KEY", 7),
        ("OPTIONS", None),
        ("OPTIONS", []),
        ("ON_DISCONNECT", "stop"),
        ("HISTORY_LIMIT", 0),
        ("HISTORY_LIMIT", 2.5),
        ("HISTORY_BYTES", 0),
        ("TRACING", 1),
        ("KEEP_ALIVE", 0),
        ("CHECKPOINT_INTERVAL", "1"),
        ("ANSWER_TIMEOUT", None),
        ("RUN_RETENTION", -1),
        ("DB_WORKERS", True),
        ("DB_PATIENCE", -0.5),
        ("REQUEST_THREADS", 0),
        ("DATABASE_CONTEXT", my_context),
    ],
)
def test_e003_value_of_the_wrong_kind(key: str, value: Any) -> None:
    (message,) = messages(checks.check_settings, CHATKIT={key: value})
    assert message.id == "chatkit.E003"
    assert f'CHATKIT["{key}"]' in message.msg


def test_e003_is_the_only_message_about_a_value_of_the_wrong_kind() -> None:
    with override_settings(
        CHATKIT={"SERVER": 7, "AGENT": "x", "CONTEXT": 7, "OPTIONS": 7, "DB_WORKERS": "8"}
    ):
        found = {message.id for message in run_chatkit_checks() if message.level >= django_checks.ERROR}
    assert found == {"chatkit.E003"}


# --- What the settings name ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["nowhere.Server", f"{HERE}.Nothing", "django.contrib.gis.db.nothing.X"])
def test_e010_server_cannot_be_imported(path: str) -> None:
    assert ids(checks.check_server, CHATKIT={"SERVER": path}) == ["chatkit.E010"]


@pytest.mark.parametrize(
    ("check", "key"),
    [
        (checks.check_server, "SERVER"),
        (checks.check_agent, "AGENT"),
        (checks.check_context, "CONTEXT"),
    ],
)
def test_hint_leads_to_the_module_that_raises(check: Any, key: str, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "half_set_up.py").write_text("from os import environ\nenviron['CHATKIT_NOT_SET']\n")
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = messages(check, CHATKIT={key: "half_set_up.thing"})
    assert "cannot be imported: KeyError: 'CHATKIT_NOT_SET'" in found.msg
    assert found.hint == (
        "What it names raises this when it is imported. Import it in manage.py shell to see where."
    )
    (found,) = messages(check, CHATKIT={key: "not_there.thing"})
    assert "by its full dotted path" in str(found.hint)


def test_server_and_agent_are_imported_without_a_secret_key() -> None:
    """Django names the key that is missing when it is needed; no check blames the server for it."""
    apps = ["django.contrib.auth", "django.contrib.contenttypes", "chatkit_app"]
    code = (
        "import django; from django.conf import settings; "
        f"settings.configure(INSTALLED_APPS={apps!r}, SECRET_KEY=''); django.setup(); "
        "import chatkit_app.agents, chatkit_app.urls; "
        "from chatkit_app.process.loading import load_views; load_views()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["NotAServer", "PlainServer", "a_number", "an_instance"])
def test_e011_server_is_no_server(name: str) -> None:
    assert ids(checks.check_server, CHATKIT={"SERVER": f"{HERE}.{name}"}) == ["chatkit.E011"]


def test_e012_server_without_respond() -> None:
    (message,) = messages(checks.check_server, CHATKIT={"SERVER": f"{HERE}.ServerWithoutRespond"})
    assert (message.id, message.msg) == (
        "chatkit.E012",
        'CHATKIT["SERVER"] (tests.test_checks.ServerWithoutRespond) has no respond().',
    )


@pytest.mark.parametrize("name", ["ServerWithArguments", "make_agent"])
def test_e013_server_needs_arguments(name: str) -> None:
    assert ids(checks.check_server, CHATKIT={"SERVER": f"{HERE}.{name}"}) == ["chatkit.E013"]


@pytest.mark.parametrize("name", ["GoodServer", "OtherServer", "make_server"])
def test_server_that_can_serve_is_accepted(name: str) -> None:
    assert ids(checks.check_server, CHATKIT={"SERVER": f"{HERE}.{name}"}) == []


def test_default_server_is_accepted() -> None:
    assert ids(checks.check_server, CHATKIT={}) == []


def test_e020_agent_cannot_be_imported() -> None:
    assert ids(checks.check_agent, CHATKIT={"AGENT": "nowhere.agent"}) == ["chatkit.E020"]


@pytest.mark.parametrize("agent", [f"{HERE}.a_number", f"{HERE}.NotAServer", f"{HERE}.agent_of_nothing", 7])
def test_e021_agent_is_no_agent(agent: Any) -> None:
    assert ids(checks.check_agent, CHATKIT={"AGENT": agent}) == ["chatkit.E021"]


@pytest.mark.parametrize("agent", [f"{HERE}.an_agent", f"{HERE}.make_agent", an_agent, make_agent])
def test_agent_that_can_answer_is_accepted(agent: Any) -> None:
    assert ids(checks.check_agent, CHATKIT={"AGENT": agent}) == []


@pytest.mark.parametrize(
    "function",
    [lambda context, thread, extra: None, lambda context, *, thread: None, lambda *, context: None],
)
def test_e021_function_of_another_signature_gets_a_hint(function: Any) -> None:
    (found,) = messages(checks.check_agent, CHATKIT={"AGENT": function})
    assert found.id == "chatkit.E021"
    assert "def support_agent(context, thread)" in str(found.hint)


@pytest.mark.parametrize(
    "function",
    [lambda context, thread: None, lambda context, thread=None: None, lambda *arguments: None],
)
def test_function_that_takes_the_thread_is_accepted(function: Any) -> None:
    assert ids(checks.check_agent, CHATKIT={"AGENT": function}) == []


def test_w022_agent_that_no_server_asks_for() -> None:
    settings = {"AGENT": f"{HERE}.an_agent", "SERVER": f"{HERE}.OtherServer"}
    assert ids(checks.check_agent, CHATKIT=settings) == ["chatkit.W022"]


def test_e030_context_cannot_be_imported() -> None:
    assert ids(checks.check_context, CHATKIT={"CONTEXT": "nowhere.context"}) == ["chatkit.E030"]


@pytest.mark.parametrize(
    "path",
    [f"{HERE}.a_number", f"{HERE}.my_context_of_nothing", "chatkit_app.context.RequestContext"],
)
def test_e031_context_is_no_function_of_the_request(path: str) -> None:
    assert ids(checks.check_context, CHATKIT={"CONTEXT": path}) == ["chatkit.E031"]


def test_e032_context_is_a_coroutine_function() -> None:
    assert ids(checks.check_context, CHATKIT={"CONTEXT": f"{HERE}.my_async_context"}) == ["chatkit.E032"]


def test_e033_admin_scope_cannot_be_imported() -> None:
    assert ids(checks.check_admin_scope, CHATKIT={"ADMIN_SCOPE": "nowhere.scope"}) == ["chatkit.E033"]


@pytest.mark.parametrize("path", [f"{HERE}.a_number", f"{HERE}.my_context", "chatkit_app.models.Thread"])
def test_e034_admin_scope_is_no_function_of_a_user_and_threads(path: str) -> None:
    assert ids(checks.check_admin_scope, CHATKIT={"ADMIN_SCOPE": path}) == ["chatkit.E034"]


def test_e035_admin_scope_is_a_coroutine_function() -> None:
    assert ids(checks.check_admin_scope, CHATKIT={"ADMIN_SCOPE": f"{HERE}.my_async_scope"}) == [
        "chatkit.E035"
    ]


def test_e036_database_context_cannot_be_imported() -> None:
    key = {"DATABASE_CONTEXT": "nowhere.context"}
    assert ids(checks.check_database_context, CHATKIT=key) == ["chatkit.E036"]


@pytest.mark.parametrize("path", [f"{HERE}.a_number", f"{HERE}.my_scope", "chatkit_app.models.Thread"])
def test_e037_database_context_is_no_function_of_the_request(path: str) -> None:
    assert ids(checks.check_database_context, CHATKIT={"DATABASE_CONTEXT": path}) == ["chatkit.E037"]


def test_e038_database_context_is_a_coroutine_function() -> None:
    key = {"DATABASE_CONTEXT": f"{HERE}.my_async_context"}
    assert ids(checks.check_database_context, CHATKIT=key) == ["chatkit.E038"]


# --- Tenants and row-level security -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("middleware", "found"),
    [
        ("django_tenants.middleware.main.TenantMainMiddleware", "set_tenant"),
        ("tests.middlewares.with_set_config.middleware", "set_config"),
        ("tests.middlewares.with_set.Middleware", "SET app.user_id"),
        ("tests.middlewares.with_set_local.middleware", "SET LOCAL"),
    ],
)
def test_w114_middleware_puts_state_on_the_connection(middleware: str, found: str) -> None:
    (message,) = messages(checks.check_connection_state, MIDDLEWARE=[SESSION, middleware])
    assert message.id == "chatkit.W114"
    assert f"{middleware} seems to put state on the request's database connection ({found})." in message.msg


def test_w114_is_silent_where_the_state_is_carried_over() -> None:
    middleware = ["django_tenants.middleware.main.TenantMainMiddleware"]
    key = {"DATABASE_CONTEXT": f"{HERE}.my_context"}
    assert ids(checks.check_connection_state, MIDDLEWARE=middleware, CHATKIT=key) == []


@pytest.mark.parametrize(
    "tables",
    [
        {"SHARED_APPS": ["chatkit_app", AUTH], "TENANT_APPS": [AUTH]},
        {"SHARED_APPS": ["chatkit_app.apps.ChatKitConfig"], "TENANT_APPS": [AUTH]},
        {
            "HAS_MULTI_TYPE_TENANTS": True,
            "TENANT_TYPES": {
                "public": {"APPS": ["chatkit_app"]},
                "shop": {"APPS": ["chatkit_app", AUTH]},
                "club": {"APPS": [AUTH]},
            },
        },
    ],
)
def test_e115_tenants_have_users_but_share_the_chat(tables: dict[str, Any], tenants_app: None) -> None:
    assert ids(checks.check_tenant_apps, **tables) == ["chatkit.E115"]


@pytest.mark.parametrize(
    "tables",
    [
        {"SHARED_APPS": ["chatkit_app", AUTH], "TENANT_APPS": [AUTH, "chatkit_app"]},
        {"SHARED_APPS": ["chatkit_app", AUTH], "TENANT_APPS": ["shop"]},
        {"SHARED_APPS": [], "TENANT_APPS": [AUTH, "chatkit_app.apps.ChatKitConfig"]},
    ],
)
def test_e115_is_silent_where_chat_and_users_are_together(tables: dict[str, Any], tenants_app: None) -> None:
    assert ids(checks.check_tenant_apps, **tables) == []


def test_e115_is_silent_without_tenants() -> None:
    assert ids(checks.check_tenant_apps, SHARED_APPS=["chatkit_app"], TENANT_APPS=[AUTH]) == []


@pytest.fixture
def tenants_app(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = apps.is_installed
    monkeypatch.setattr(apps, "is_installed", lambda name: name == "django_tenants" or installed(name))


# --- Options of the client ----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [object(), {1, 2}, make_agent, {("a", "b"): 1}])
def test_e040_options_are_no_json(value: Any) -> None:
    assert ids(checks.check_options, CHATKIT={"OPTIONS": {"theme": value}}) == ["chatkit.E040"]


def test_w041_unknown_option_names_the_closest() -> None:
    (message,) = messages(checks.check_options, CHATKIT={"OPTIONS": {"start_screen": {}}})
    assert (message.id, message.hint) == ("chatkit.W041", 'Did you mean "startScreen"?')


def test_every_option_of_the_client_is_known() -> None:
    options = {name: {} for name in checks.OPTION_NAMES if name != "onClientTool"}
    assert ids(checks.check_options, CHATKIT={"OPTIONS": options}) == []


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"onClientTool": "tools.run"}, "onClientTool"),
        ({"widgets": {"onAction": "act"}}, "widgets.onAction"),
        ({"header": {"leftAction": {"icon": "home", "onClick": "go"}}}, "header.leftAction.onClick"),
    ],
)
def test_e042_option_that_must_be_a_function(options: dict[str, Any], name: str) -> None:
    (message,) = messages(checks.check_options, CHATKIT={"OPTIONS": options})
    assert (message.id, message.msg) == (
        "chatkit.E042",
        f'CHATKIT["OPTIONS"] has "{name}", which must be a JavaScript function.',
    )


@pytest.mark.parametrize("name", ["url", "fetch", "domainKey", "getClientSecret"])
def test_e043_option_that_the_tag_sets(name: str) -> None:
    assert ids(checks.check_options, CHATKIT={"OPTIONS": {"api": {name: "x"}}}) == ["chatkit.E043"]


# --- The project around it ----------------------------------------------------------------------------------


def test_e050_session_middleware_missing() -> None:
    assert ids(checks.check_middleware, MIDDLEWARE=[CSRF, AUTHENTICATION]) == ["chatkit.E050"]


def test_e051_authentication_middleware_missing() -> None:
    assert ids(checks.check_middleware, MIDDLEWARE=[SESSION, CSRF]) == ["chatkit.E051"]


def test_e052_middleware_in_the_wrong_order() -> None:
    assert ids(checks.check_middleware, MIDDLEWARE=[AUTHENTICATION, SESSION, CSRF]) == ["chatkit.E052"]


def test_e053_csrf_middleware_missing() -> None:
    assert ids(checks.check_middleware, MIDDLEWARE=[SESSION, AUTHENTICATION]) == ["chatkit.E053"]


def test_middleware_of_a_subclass_is_accepted() -> None:
    middleware = [f"{HERE}.MySessionMiddleware", CSRF, AUTHENTICATION]
    assert ids(checks.check_middleware, MIDDLEWARE=middleware) == []


def test_gzip_middleware_is_fine() -> None:
    middleware = ["django.middleware.gzip.GZipMiddleware", SESSION, CSRF, AUTHENTICATION]
    assert ids(checks.check_middleware, MIDDLEWARE=middleware) == []


def test_e054_sessions_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps, "is_installed", lambda name: name != "django.contrib.sessions")
    (message,) = messages(checks.check_installed_apps)
    assert (message.id, message.msg) == ("chatkit.E054", "django.contrib.sessions is not installed.")


def test_e054_sessions_in_the_cache_need_no_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps, "is_installed", lambda name: name != "django.contrib.sessions")
    engine = "django.contrib.sessions.backends.cache"
    assert ids(checks.check_installed_apps, SESSION_ENGINE=engine) == []


def test_w055_static_files_are_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps, "is_installed", lambda name: name != "django.contrib.staticfiles")
    assert ids(checks.check_installed_apps) == ["chatkit.W055"]


def of_static_files(monkeypatch: pytest.MonkeyPatch, *without: str, **settings: Any) -> list[str]:
    is_installed = apps.is_installed
    monkeypatch.setattr(apps, "is_installed", lambda name: name not in without and is_installed(name))
    monkeypatch.setattr(storages, "_storages", {})
    return ids(checks.check_static_files, **{"ROOT_URLCONF": "chatkit_app.urls", **settings})


def test_w057_uvicorn_of_a_new_project_serves_no_static_files(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_static_files(monkeypatch, "daphne", DEBUG=True) == ["chatkit.W057"]


def test_w057_without_debug_nothing_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_static_files(monkeypatch, STATIC_ROOT=None) == ["chatkit.W057"]


def test_w057_web_server_is_taken_for_granted_with_static_root(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_static_files(monkeypatch, STATIC_ROOT="/srv/static") == []


def test_w057_runserver_of_daphne_serves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_static_files(monkeypatch, DEBUG=True) == []


def test_w057_is_w055_where_the_app_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_static_files(monkeypatch, "django.contrib.staticfiles") == []


def test_w057_whitenoise_serves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    whitenoise = ["whitenoise.middleware.WhiteNoiseMiddleware"]
    assert of_static_files(monkeypatch, MIDDLEWARE=whitenoise) == []


def test_w057_another_host_serves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_static_files(monkeypatch, STATIC_URL="https://static.example.com/") == []


def test_w057_another_storage_serves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {"staticfiles": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    assert of_static_files(monkeypatch, STORAGES=stored) == []


def test_w057_urlconf_serves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(urlpatterns=[re_path("^static/(?P<path>.*)$", serve)])
    monkeypatch.setitem(sys.modules, "chatkit_app.urls_of_the_checks_test", module)  # type: ignore[arg-type]
    found = of_static_files(monkeypatch, ROOT_URLCONF="chatkit_app.urls_of_the_checks_test")
    assert found == []


@pytest.mark.parametrize("application", [ASGIStaticFilesHandler(ASGIHandler()), SimpleNamespace()])
def test_w057_what_is_around_the_application_serves_them(
    monkeypatch: pytest.MonkeyPatch, application: Any
) -> None:
    monkeypatch.setattr("tests.asgi.application", application)
    assert of_static_files(monkeypatch) == []


def test_w060_urls_are_not_included() -> None:
    assert ids(checks.check_urls, ROOT_URLCONF=HERE) == ["chatkit.W060"]


def test_w060_urls_are_included(monkeypatch: pytest.MonkeyPatch) -> None:
    clean_urlconf(monkeypatch)
    assert ids(checks.check_urls, ROOT_URLCONF="chatkit_app.urls_of_the_checks_test") == []


def test_w060_says_nothing_about_a_broken_urlconf() -> None:
    assert ids(checks.check_urls, ROOT_URLCONF="nowhere.urls") == []


def test_w070_no_asgi_application() -> None:
    assert ids(checks.check_asgi, ASGI_APPLICATION=None) == ["chatkit.W070"]


def test_w071_runserver_without_daphne(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps, "is_installed", lambda name: name != "daphne")
    assert ids(checks.check_asgi, DEBUG=True) == ["chatkit.W071"]


def test_w071_is_silent_outside_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps, "is_installed", lambda name: name != "daphne")
    assert ids(checks.check_asgi, DEBUG=False) == []


@pytest.mark.parametrize("client", ["openai", "auto"])
def test_w080_no_domain_key(client: str) -> None:
    assert ids(checks.check_domain_key, CHATKIT={"CLIENT": client}) == ["chatkit.W080"]


def test_w080_bundled_client_needs_no_key() -> None:
    assert ids(checks.check_domain_key, CHATKIT={"CLIENT": "bundled"}) == []


def test_w080_is_silent_in_debug() -> None:
    assert ids(checks.check_domain_key, CHATKIT={"CLIENT": "openai"}, DEBUG=True) == []


def test_w080_default_client_needs_no_key() -> None:
    assert ids(checks.check_domain_key, CHATKIT={}) == []


REDIS = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}}


@pytest.mark.parametrize("layers", [{}, {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}])
def test_i092_processes_do_not_hear_one_another(layers: dict[str, Any]) -> None:
    assert ids(checks.check_channel_layer, CHANNEL_LAYERS=layers, DEBUG=False) == ["chatkit.I092"]
    assert ids(checks.check_channel_layer, CHANNEL_LAYERS=layers, DEBUG=True) == []


@pytest.mark.parametrize(
    ("installed", "found"),
    [
        ([], []),
        (["uvicorn"], ["chatkit.W093"]),
        (["uvicorn", "websockets"], []),
        (["uvicorn", "wsproto"], []),
    ],
)
def test_w093_uvicorn_has_no_websockets(
    monkeypatch: pytest.MonkeyPatch, installed: list[str], found: list[str]
) -> None:
    monkeypatch.setattr(
        "chatkit_app.checks.deployment.find_spec", lambda name: object() if name in installed else None
    )
    assert ids(checks.check_websockets) == found


def test_e091_channels_redis_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatkit_app.checks.deployment.find_spec", lambda name: object())
    assert ids(checks.check_channel_layer, CHANNEL_LAYERS=REDIS) == []


def test_e091_channels_redis_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatkit_app.checks.deployment.find_spec", lambda name: None)
    assert ids(checks.check_channel_layer, CHANNEL_LAYERS=REDIS) == ["chatkit.E091"]


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatkit_app.checks.deployment.is_offline", lambda: True)


@pytest.mark.usefixtures("no_credentials")
def test_w100_offline_model_in_production() -> None:
    assert ids(checks.check_offline_model, CHATKIT={}) == ["chatkit.W100"]


@pytest.mark.usefixtures("no_credentials")
def test_i100_offline_model_in_debug() -> None:
    (message,) = messages(checks.check_offline_model, CHATKIT={}, DEBUG=True)
    assert (message.id, message.level) == ("chatkit.I100", django_checks.INFO)


@pytest.mark.usefixtures("no_credentials")
@pytest.mark.parametrize(
    ("command", "is_told"), [("check", True), ("runserver", True), ("migrate", False), ("shell", False)]
)
def test_notices_are_told_by_check_and_runserver_alone(
    monkeypatch: pytest.MonkeyPatch, command: str, is_told: bool
) -> None:
    monkeypatch.setattr(sys, "argv", ["/srv/mysite/manage.py", command])
    with override_settings(CHATKIT={}, DEBUG=True):
        found = [message.id for message in run_chatkit_checks()]
    assert ("chatkit.I100" in found) is is_told


@pytest.mark.usefixtures("no_credentials")
def test_warnings_are_told_by_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])
    with override_settings(CHATKIT={}):
        assert "chatkit.W100" in [message.id for message in run_chatkit_checks()]


@pytest.mark.usefixtures("no_credentials")
def test_w100_server_of_the_project_s_own() -> None:
    assert ids(checks.check_offline_model, CHATKIT={"SERVER": f"{HERE}.OtherServer"}) == []


@pytest.mark.usefixtures("no_credentials")
def test_w100_agent_with_another_model() -> None:
    settings = {"AGENT": f"{HERE}.an_agent_with_a_model"}
    assert ids(checks.check_offline_model, CHATKIT=settings) == []


def test_w100_credentials_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatkit_app.checks.deployment.is_offline", lambda: False)
    assert ids(checks.check_offline_model, CHATKIT={}) == []


# --- Databases ----------------------------------------------------------------------------------------------


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Any:
    def configure(**values: Any) -> list[str]:
        fake = SimpleNamespace(
            DATABASES={"default": values}, DEBUG=values.pop("DEBUG", False), CHATKIT=values.pop("CHATKIT", {})
        )
        monkeypatch.setattr("chatkit_app.checks.databases.settings", fake)
        monkeypatch.setattr("chatkit_app.checks.keys.settings", fake)
        return [message.id or "" for message in checks.check_databases()]

    return configure


POSTGRES = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"


@pytest.mark.parametrize("pool", [True, {"max_size": 5}, {"min_size": 2}])
def test_w110_pool_is_too_small(database: Any, pool: Any) -> None:
    assert database(ENGINE=POSTGRES, OPTIONS={"pool": pool}) == ["chatkit.W110"]


def test_w110_pool_is_large_enough(database: Any) -> None:
    assert database(ENGINE=POSTGRES, OPTIONS={"pool": {"max_size": 10}}) == []


def test_w110_pool_is_large_enough_for_fewer_workers(database: Any) -> None:
    assert database(ENGINE=POSTGRES, OPTIONS={"pool": True}, CHATKIT={"DB_WORKERS": 2}) == []


@pytest.mark.parametrize("age", [60, None])
def test_e111_pool_with_persistent_connections(database: Any, age: Any) -> None:
    options = {"pool": {"max_size": 20}}
    assert database(ENGINE=POSTGRES, OPTIONS=options, CONN_MAX_AGE=age) == ["chatkit.E111"]


def test_w112_sqlite_without_immediate_transactions(database: Any) -> None:
    assert database(ENGINE=SQLITE) == ["chatkit.W112"]


def test_w112_sqlite_with_immediate_transactions(database: Any) -> None:
    assert database(ENGINE=SQLITE, OPTIONS={"transaction_mode": "IMMEDIATE"}) == []


def test_w112_is_silent_in_debug(database: Any) -> None:
    assert database(ENGINE=SQLITE, DEBUG=True) == []


@pytest.mark.parametrize("vendor", ["mysql", "oracle", "microsoft"])
def test_e113_database_of_another_vendor(monkeypatch: pytest.MonkeyPatch, vendor: str) -> None:
    monkeypatch.setattr(connections["default"], "vendor", vendor)
    assert ids(checks.check_database_vendor) == ["chatkit.E113"]


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_e113_is_silent_for_what_the_app_runs_on(monkeypatch: pytest.MonkeyPatch, vendor: str) -> None:
    monkeypatch.setattr(connections["default"], "vendor", vendor)
    assert ids(checks.check_database_vendor) == []


class RouterToChats:
    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "chats" if model._meta.app_label == "chatkit_app" else None


def test_e113_looks_at_the_database_that_the_router_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections._connections, "chats", SimpleNamespace(vendor="mysql"), raising=False)
    (message,) = messages(checks.check_database_vendor, DATABASE_ROUTERS=[f"{HERE}.RouterToChats"])
    assert message.msg == 'The chat\'s tables are in "chats", a database of the kind "mysql".'


def test_databases_without_a_default_are_left_alone(database: Any) -> None:
    assert database() == []


# --- Limits -------------------------------------------------------------------------------------------------


def my_limits(context: Any) -> dict[str, int | None]:
    return {}


async def my_async_limits(context: Any) -> dict[str, int | None]:
    return {}


def limits_of_nothing() -> dict[str, int | None]:
    return {}


@pytest.mark.parametrize(
    "limits", [{}, {"MESSAGES_PER_DAY": None, "THREADS_PER_DAY": 0}, f"{HERE}.my_limits", my_limits]
)
def test_good_limits_are_left_alone(limits: Any) -> None:
    assert ids(checks.check_limits, CHATKIT={"LIMITS": limits}) == []


def test_e130_limits_have_an_unknown_key() -> None:
    (message,) = messages(checks.check_limits, CHATKIT={"LIMITS": {"MESSAGES_A_DAY": 1}})
    assert (message.id, message.hint) == ("chatkit.E130", 'Did you mean "MESSAGES_PER_DAY"?')


@pytest.mark.parametrize("value", ["10", -1, 1.5, True, [1]])
def test_e131_limit_of_the_wrong_kind(value: Any) -> None:
    assert ids(checks.check_limits, CHATKIT={"LIMITS": {"MESSAGES_PER_DAY": value}}) == ["chatkit.E131"]


def test_e132_limits_cannot_be_imported() -> None:
    assert ids(checks.check_limits, CHATKIT={"LIMITS": "nowhere.limits"}) == ["chatkit.E132"]


@pytest.mark.parametrize("limits", [f"{HERE}.a_number", limits_of_nothing, "chatkit_app.models.Thread"])
def test_e133_limits_are_no_function_of_the_context(limits: Any) -> None:
    assert ids(checks.check_limits, CHATKIT={"LIMITS": limits}) == ["chatkit.E133"]


@pytest.mark.parametrize("limits", [f"{HERE}.my_async_limits", my_async_limits])
def test_e134_limits_are_a_coroutine_function(limits: Any) -> None:
    assert ids(checks.check_limits, CHATKIT={"LIMITS": limits}) == ["chatkit.E134"]


# --- Attachments --------------------------------------------------------------------------------------------


def attachment_messages(**keys: Any) -> list[Any]:
    return messages(checks.check_attachments, CHATKIT={"ATTACHMENTS": keys}, MEDIA_ROOT="/srv/media")


def test_attachments_of_defaults_are_accepted() -> None:
    assert attachment_messages() == []
    assert attachment_messages(**ATTACHMENT_DEFAULTS) == []


def test_e120_unknown_key_names_the_closest() -> None:
    (message,) = attachment_messages(MAXSIZE=5)
    assert (message.id, message.hint) == ("chatkit.E120", 'Did you mean "MAX_SIZE"?')


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("STORAGE", None),
        ("MAX_SIZE", "5 MB"),
        ("MAX_SIZE", 0),
        ("MAX_COUNT", True),
        ("URL_EXPIRY", -1),
        ("ACCEPT", ["image/png"]),
        ("ACCEPT", {"png": [".png"]}),
        ("ACCEPT", {"image/png": ".png"}),
        ("ACCEPT", {"image/png": ["png"]}),
    ],
)
def test_e121_value_of_the_wrong_kind(key: str, value: Any) -> None:
    assert [message.id for message in attachment_messages(**{key: value})] == ["chatkit.E121"]


def test_e122_storage_that_does_not_exist() -> None:
    (message,) = attachment_messages(STORAGE="defualt")
    assert message.id == "chatkit.E122"
    assert message.hint == (
        'Did you mean "default"? Otherwise: Add STORAGES["defualt"], a folder or bucket that no web server serves.'
    )


def test_e122_never_leads_to_the_storage_of_static_files() -> None:
    (message,) = attachment_messages(STORAGE="chat_files")
    assert message.hint == 'Add STORAGES["chat_files"], a folder or bucket that no web server serves.'


def test_w125_users_files_among_static_files() -> None:
    (message,) = attachment_messages(STORAGE="staticfiles")
    assert message.id == "chatkit.W125"


FILES = "django.core.files.storage.FileSystemStorage"


def storage_ids(chatkit: dict[str, Any], root: str, **chat_files: Any) -> list[str]:
    storages = {"default": {"BACKEND": FILES}, "chat_files": chat_files}
    return ids(checks.check_attachments, CHATKIT=chatkit, MEDIA_ROOT=root, STORAGES=storages)


def test_w124_files_without_a_folder_name_the_setting() -> None:
    (message,) = messages(checks.check_attachments, CHATKIT={"ATTACHMENTS": {}}, MEDIA_ROOT="")
    assert message.id == "chatkit.W124"
    assert (
        message.hint
        == 'Set MEDIA_ROOT, or the location of the storage: STORAGES["default"]["OPTIONS"]["location"].'
    )


def test_w124_storage_of_its_own_without_a_folder() -> None:
    assert storage_ids({"ATTACHMENTS": {"STORAGE": "chat_files"}}, "", BACKEND=FILES) == ["chatkit.W124"]


@pytest.mark.parametrize(
    ("chatkit", "root", "chat_files"),
    [
        pytest.param({"ATTACHMENTS": {}}, "/srv/media", {"BACKEND": FILES}, id="MEDIA_ROOT"),
        pytest.param({}, "", {"BACKEND": FILES}, id="no files are taken"),
        pytest.param(
            {"ATTACHMENTS": {"STORAGE": "chat_files"}},
            "",
            {"BACKEND": FILES, "OPTIONS": {"location": "/srv/chat"}},
            id="a location",
        ),
        pytest.param(
            {"ATTACHMENTS": {"STORAGE": "chat_files"}},
            "",
            {"BACKEND": "django.core.files.storage.InMemoryStorage"},
            id="another class",
        ),
        pytest.param(
            {"ATTACHMENTS": {"STORAGE": "chat_files"}},
            "",
            {"BACKEND": "no.such.Storage"},
            id="a class that cannot be imported",
        ),
    ],
)
def test_storage_that_has_a_folder_or_needs_none_is_accepted(chatkit, root, chat_files) -> None:
    assert storage_ids(chatkit, root, **chat_files) == []


def test_w123_attachments_are_offered_and_not_taken() -> None:
    options: dict[str, Any] = {"composer": {"attachments": {"enabled": True}}}
    assert ids(checks.check_attachments, CHATKIT={"OPTIONS": options}) == ["chatkit.W123"]


@pytest.mark.parametrize(
    "chatkit",
    [
        {"ATTACHMENTS": {}, "OPTIONS": {"composer": {"attachments": {"enabled": True}}}},
        {"OPTIONS": {"composer": {"attachments": {"enabled": False}}}},
        {"OPTIONS": {"composer": "strange"}},
        {
            "OPTIONS": {
                "composer": {"attachments": {"enabled": True}},
                "api": {"uploadStrategy": {"type": "two_phase"}},
            }
        },
    ],
)
def test_attachments_that_somebody_takes_are_accepted(chatkit: dict[str, Any]) -> None:
    assert ids(checks.check_attachments, CHATKIT=chatkit, MEDIA_ROOT="/srv/media") == []


# --- Staff --------------------------------------------------------------------------------------------------


def name_of(user: Any) -> str:
    return "Maria"


@pytest.mark.parametrize(
    "staff",
    [
        {},
        {"NAME": f"{HERE}.name_of", "TIMEOUT": 60, "BUTTON": True},
        {"TIMEOUT": None, "URL": "https://shop.example/", "MAIL_USERS": True, "PATIENCE": 60.0},
        {"MAIL_STAFF": ["team@shop.example"], "WEBHOOKS": [{"url": "https://h.example/", "secret": "s"}]},
        {"MAIL_STAFF": f"{HERE}.name_of"},
    ],
)
def test_good_staff(staff):
    assert ids(checks.check_staff, CHATKIT={"STAFF": staff}) == []


def test_unknown_key_of_staff_says_which_was_meant():
    (message,) = messages(checks.check_staff, CHATKIT={"STAFF": {"TIME_OUT": 1}})
    assert (message.id, message.hint) == ("chatkit.E140", 'Did you mean "TIMEOUT"?')


@pytest.mark.parametrize(
    "staff",
    [
        {"TIMEOUT": 0},
        {"TIMEOUT": True},
        {"NAME": "maria"},
        {"NAME": 3},
        {"BUTTON": "yes"},
        {"URL": "shop.example"},
        {"MAIL_USERS": 1},
        {"MAIL_STAFF": "team@shop.example"},
        {"PATIENCE": None},
        {"WEBHOOKS": {"url": "https://h.example/", "secret": "s"}},
        {"WEBHOOKS": [{"url": "file:///etc/passwd", "secret": "s"}]},
        {"WEBHOOKS": [{"url": "https://h.example/", "secret": ""}]},
        {"WEBHOOKS": [{"url": "https://h.example/", "secret": "s", "events": ["everything"]}]},
    ],
)
def test_key_of_staff_of_the_wrong_kind(staff):
    assert ids(checks.check_staff, CHATKIT={"STAFF": staff}) == ["chatkit.E141"]


class Nameless:
    """A model of users that has no names."""


def test_model_of_users_without_names_is_told_of_where_people_answer(monkeypatch):
    monkeypatch.setattr("chatkit_app.checks.staff.get_user_model", lambda: Nameless)
    assert ids(checks.check_staff, CHATKIT={"STAFF": {"BUTTON": True}}) == ["chatkit.I143"]
    assert ids(checks.check_staff, CHATKIT={"STAFF": {"NAME": f"{HERE}.ids"}}) == []
    assert ids(checks.check_staff, CHATKIT={}) == []


def test_model_of_users_with_names_is_not_told_of():
    assert ids(checks.check_staff, CHATKIT={"STAFF": {"BUTTON": True}}) == []


@pytest.mark.parametrize("path", ["nowhere.name", f"{HERE}.HERE"])
def test_function_of_names_that_cannot_be_called(path):
    assert ids(checks.check_staff, CHATKIT={"STAFF": {"NAME": path}}) == ["chatkit.E142"]
