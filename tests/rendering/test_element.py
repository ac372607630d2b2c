"""The element's HTML and the configuration it carries."""

import json
import re
import sys
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.db import OperationalError
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import include, path
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

from chatkit_app.rendering.client_files import CLIENT_DIRECTORY, client_url
from chatkit_app.rendering.element import merge_options, page_config, render_chatkit
from chatkit_app.rendering.element_strings import element_strings
from chatkit_app.urls import endpoint

urlpatterns = [
    path("", include("chatkit_app.urls")),
    path("sales/", include((endpoint(namespace="sales"), "chatkit"), namespace="sales")),
]


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def request_():
    return RequestFactory().get("/")


def config_of(html: str) -> dict[str, Any]:
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])


def test_render_contains_the_element_its_configuration_and_the_module(request_):
    html = render_chatkit(request_, id="support", css_class="wide")
    assert '<openai-chatkit data-chatkit lang="en" dir="ltr" id="support" class="wide">' in html
    assert f'<link rel="stylesheet" href="{client_url("chatkit.css")}">' in html
    assert f'<script type="module" src="{client_url("bootstrap.js")}" data-chatkit-bootstrap>' in html
    assert config_of(html)["endpoint"] == "/chatkit"


def test_render_says_what_is_missing_when_no_script_runs(request_):
    html = render_chatkit(request_)
    assert (
        '<div class="chatkit-unavailable" role="alert">'
        "<p>The chat could not be loaded. Reload the page to try again.</p></div>"
    ) in html


def test_render_says_it_in_the_language_of_the_chat(request_):
    assert "<p>Der Chat konnte nicht geladen werden." in render_chatkit(request_, options={"locale": "de"})


def test_render_tells_developers_which_file_to_look_for(request_, settings):
    settings.DEBUG = True
    script = client_url("bootstrap.js")
    html = render_chatkit(request_)
    assert f'If <a href="{script}">{script}</a> is not found, static files are not served' in html
    assert "staticfiles_urlpatterns()" in html


LOGIN_PROMPT = (
    '<div lang="en" dir="ltr" id="support" class="chatkit-login wide"><p>Please log in to go on.</p>'
    '<p><a href="/accounts/login/?next=/page/">Log in</a></p></div>'
)


def page_for(user: Any) -> HttpRequest:
    request = RequestFactory().get("/page/")
    request.user = user
    return request


def test_render_asks_a_visitor_to_log_in_where_one_has_to(settings):
    settings.CHATKIT = {"LOGIN_REQUIRED": True}
    html = render_chatkit(page_for(AnonymousUser()), id="support", css_class="wide")
    assert html == f'<link rel="stylesheet" href="{client_url("chatkit.css")}">{LOGIN_PROMPT}'


def test_render_asks_for_it_in_the_language_of_the_chat(settings):
    settings.CHATKIT = {"LOGIN_REQUIRED": True, "OPTIONS": {"locale": "de"}}
    assert ">Anmelden</a>" in render_chatkit(page_for(AnonymousUser()))


@pytest.mark.parametrize("required", [True, False])
def test_render_gives_a_user_the_chat_and_notes_the_login_where_it_counts(settings, required):
    settings.CHATKIT = {"LOGIN_REQUIRED": required}
    html = render_chatkit(page_for(User(username="ada")))
    assert config_of(html)["hadLogin"] is required


def test_render_gives_the_chat_where_a_view_cannot_tell_who_is_there(settings):
    class Unreadable:
        @property
        def is_authenticated(self) -> bool:
            raise SynchronousOnlyOperation

    settings.CHATKIT = {"LOGIN_REQUIRED": True}
    assert config_of(render_chatkit(page_for(Unreadable())))["hadLogin"] is False


def test_render_has_no_inline_script(request_):
    html = render_chatkit(request_, nonce="abc")
    assert [tag for tag in re.findall(r"<script[^>]*>", html) if "src=" not in tag] == [
        '<script type="application/json">'
    ]


def test_render_escapes_arguments(request_):
    html = render_chatkit(request_, id='"><script>alert(1)</script>', options={"frameTitle": "</script><b>"})
    assert "<script>alert" not in html
    assert "</script><b>" not in html
    assert config_of(html)["options"]["frameTitle"] == "</script><b>"


def test_render_takes_the_nonce_argument(request_, settings):
    settings.CHATKIT = {"CLIENT": "openai"}
    assert render_chatkit(request_, nonce="abc").count('nonce="abc"') == 2


def test_render_takes_the_nonce_of_django_csp(request_, settings):
    settings.CHATKIT = {"CLIENT": "openai"}
    request_.csp_nonce = "from-django-csp"
    assert render_chatkit(request_).count('nonce="from-django-csp"') == 2


def test_render_takes_the_nonce_of_django_though_it_is_false_until_used(request_, settings):
    settings.CHATKIT = {"CLIENT": "openai"}

    class LazyNonce(SimpleLazyObject):
        def __bool__(self) -> bool:
            return False

    request_._csp_nonce = LazyNonce(lambda: "from-django")
    assert render_chatkit(request_).count('nonce="from-django"') == 2


def test_render_makes_the_csrf_cookie_be_set(request_):
    render_chatkit(request_)
    assert request_.META["CSRF_COOKIE_NEEDS_UPDATE"] is True


def test_render_is_right_to_left_in_such_a_language(request_):
    with translation.override("ar"):
        assert 'lang="ar" dir="rtl"' in render_chatkit(request_)


def test_config_has_the_urls_of_the_endpoint(request_):
    config = page_config(request_)
    assert config["endpoint"] == "/chatkit"
    assert config["runEventsUrl"] == "/chatkit/runs/RUN_ID/events"
    assert config["runStopUrl"] == "/chatkit/runs/RUN_ID/stop"


def test_config_with_a_path_has_its_runs_beside_it(request_):
    config = page_config(request_, url="/other/chat")
    assert config["endpoint"] == "/other/chat"
    assert config["runStopUrl"] == "/other/chat/runs/RUN_ID/stop"


def test_config_with_a_url_name_has_that_namespace(request_):
    config = page_config(request_, url="sales:chatkit")
    assert config["endpoint"] == "/sales/chatkit"
    assert config["runEventsUrl"] == "/sales/chatkit/runs/RUN_ID/events"


def test_config_without_urls_says_what_to_add(request_):
    with pytest.raises(ImproperlyConfigured, match=r'include\("chatkit_app.urls"\)'):
        page_config(request_, url="nowhere:chatkit")


def test_config_csrf_names_the_readable_cookie(request_, settings):
    settings.CSRF_COOKIE_NAME = "token"
    settings.CSRF_HEADER_NAME = "HTTP_X_SITE_TOKEN"
    csrf = page_config(request_)["csrf"]
    assert (csrf["header"], csrf["cookie"], len(csrf["token"])) == ("X-SITE-TOKEN", "token", 64)


@pytest.mark.parametrize("setting", ["CSRF_COOKIE_HTTPONLY", "CSRF_USE_SESSIONS"])
def test_config_csrf_without_a_readable_cookie_has_the_token_alone(request_, settings, setting):
    setattr(settings, setting, True)
    request_.session = {}
    csrf = page_config(request_)["csrf"]
    assert csrf["cookie"] is None
    assert len(csrf["token"]) == 64


def test_config_options_are_those_of_the_settings_and_of_the_argument_merged(request_, settings):
    settings.CHATKIT = {"OPTIONS": {"theme": {"radius": "soft", "density": "compact"}, "locale": "de"}}
    options = page_config(request_, options={"theme": {"radius": "round"}})["options"]
    assert options == {"theme": {"radius": "round", "density": "compact"}, "locale": "de"}


def test_config_leaves_the_options_of_the_settings_alone(request_, settings):
    settings.CHATKIT = {"OPTIONS": {"theme": {"radius": "soft"}}}
    page_config(request_, thread="thr_1", options={"theme": {"radius": "round"}})
    assert settings.CHATKIT == {"OPTIONS": {"theme": {"radius": "soft"}}}


def test_merge_options_replaces_lists():
    assert merge_options({"a": [1, 2]}, {"a": [3]}) == {"a": [3]}


def test_config_thread_is_the_initial_thread(request_):
    assert page_config(request_, thread="thr_1")["options"]["initialThread"] == "thr_1"


def test_config_options_may_be_lazy_translations(request_):
    html = render_chatkit(request_, options={"startScreen": {"greeting": gettext_lazy("Today")}})
    assert config_of(html)["options"]["startScreen"]["greeting"] == "Today"


@pytest.mark.parametrize("value", [print, float("nan"), {1, 2}])
def test_config_option_that_is_no_json_is_named_with_what_to_do(request_, value):
    with pytest.raises(TypeError, match=r"options\.widgets\.onAction .*window\.chatkitConfigure"):
        page_config(request_, options={"widgets": {"onAction": value}})


def test_config_persist_names_storage_and_key(request_):
    assert page_config(request_)["persist"] is None
    assert page_config(request_, persist=True)["persist"] == {"storage": "session", "key": "chatkit:/chatkit"}
    assert page_config(request_, persist="local", id="side")["persist"] == {
        "storage": "local",
        "key": "chatkit:/chatkit:side",
    }


def test_config_names_whoever_is_logged_in_for_their_browser_alone(request_):
    assert page_config(request_, id="side")["draft"] == {"key": "chatkit:/chatkit:side", "owner": None}
    request_.user = AnonymousUser()
    assert page_config(request_)["draft"]["owner"] == ""
    names = set()
    for pk in (7, 8):
        request_.user = User(pk=pk)
        names.add(page_config(request_)["draft"]["owner"])
    assert [len(name) for name in names] == [16, 16]


def test_config_names_nobody_while_the_database_is_away(request_):
    def find() -> None:
        raise OperationalError("away")

    request_.user = SimpleLazyObject(find)
    assert page_config(request_)["draft"]["owner"] is None


def test_config_persist_with_another_value_is_refused(request_):
    with pytest.raises(ValueError, match="persist is True, False"):
        page_config(request_, persist="cookie")


def test_config_has_the_client_of_the_settings(request_, settings):
    settings.CHATKIT = {"CLIENT": "auto", "SCRIPT_URL": "https://mirror.example/c.js", "DOMAIN_KEY": "dk_1"}
    config = page_config(request_)
    assert config["client"] == "auto"
    assert config["scriptUrl"] == "https://mirror.example/c.js"
    assert config["domainKey"] == "dk_1"


def test_config_without_a_domain_key_has_one_for_local_addresses(request_):
    assert page_config(request_)["domainKey"] == "local-dev"


def test_locale_option_chooses_the_language_of_the_chat(request_, settings):
    settings.LANGUAGES = [("en", "English"), ("ar", "Arabic")]
    html = render_chatkit(request_, options={"locale": "ar"})
    assert '<openai-chatkit data-chatkit lang="ar" dir="rtl">' in html
    assert config_of(html)["locale"] == "ar"


def test_locale_option_that_django_does_not_have_leaves_the_page_s_language(request_):
    assert page_config(request_, options={"locale": "am"})["locale"] == "en"


def test_config_has_django_s_language(request_):
    with translation.override("pt-br"):
        assert page_config(request_)["locale"] == "pt-br"


def test_render_with_the_bundled_client_asks_for_its_element_at_once(request_, settings):
    settings.CHATKIT = {"CLIENT": "bundled"}
    html = render_chatkit(request_, nonce="abc")
    script = f'<script type="module" async src="{client_url("element/index.js")}" nonce="abc"></script>'
    assert html.count(script) == 1


@pytest.mark.parametrize("client", ["openai", "auto"])
def test_render_with_the_official_client_leaves_the_element_alone(request_, settings, client):
    settings.CHATKIT = {"CLIENT": client}
    assert f'src="{client_url("element/index.js")}"' not in render_chatkit(request_)


def test_config_has_the_keys_of_its_type(request_):
    types = (CLIENT_DIRECTORY / "config.d.ts").read_text(encoding="utf-8")
    interface = re.search(r"^export interface PageConfig \{\n(.*?)^\}", types, re.MULTILINE | re.DOTALL)[1]
    assert re.findall(r"^  (\w+):", interface, re.MULTILINE) == list(page_config(request_))


def test_strings_are_those_of_the_element():
    source = (CLIENT_DIRECTORY / "element/strings.js").read_text(encoding="utf-8")
    in_javascript = dict(re.findall(r'^  (\w+): "(.*)",$', source, re.MULTILINE))
    assert element_strings() == in_javascript


def test_strings_are_in_alphabetical_order():
    keys = list(element_strings())
    assert keys == sorted(keys)


@pytest.mark.parametrize("language", ["ar", "de", "es", "fr", "ja", "pt", "zh-hans"])
def test_strings_keep_what_is_filled_in_in_every_translation(language):
    def fields(strings: dict[str, str]) -> dict[str, list[str]]:
        return {key: sorted(re.findall(r"\{\w*\}", text)) for key, text in strings.items()}

    with translation.override("en"):
        english = fields(element_strings())
    with translation.override(language):
        assert fields(element_strings()) == english


def test_config_offers_files_where_they_are_taken(request_, settings):
    settings.CHATKIT = {"ATTACHMENTS": {"MAX_SIZE": 5, "ACCEPT": {"image/png": [".png"]}}}
    options = page_config(request_, url="sales:chatkit")["options"]
    assert options["composer"]["attachments"] == {
        "enabled": True,
        "maxSize": 5,
        "maxCount": 10,
        "accept": {"image/png": [".png"]},
    }
    assert options["api"] == {"uploadStrategy": {"type": "direct", "uploadUrl": "/sales/chatkit/attachments"}}


def test_config_offers_no_files_where_none_are_taken(request_, settings):
    settings.CHATKIT = {"OPTIONS": {"composer": {"placeholder": "Hi"}}}
    assert page_config(request_)["options"] == {"composer": {"placeholder": "Hi"}}


def test_config_of_files_gives_way_to_the_options(request_, settings):
    strategy = {"type": "two_phase"}
    settings.CHATKIT = {"ATTACHMENTS": {}, "OPTIONS": {"api": {"uploadStrategy": strategy}}}
    composer = {"placeholder": "Hi", "attachments": {"maxCount": 1, "accept": {"image/png": [".png"]}}}
    options = page_config(request_, options={"composer": composer})["options"]
    assert options["api"] == {"uploadStrategy": strategy}
    assert options["composer"]["placeholder"] == "Hi"
    assert options["composer"]["attachments"] == {
        "enabled": True,
        "maxSize": 20 * 1024 * 1024,
        "maxCount": 1,
        "accept": {"image/png": [".png"]},
    }


# The launcher


def test_launcher_has_the_chat_as_a_template_and_one_script_beside_it(request_):
    html = render_chatkit(request_, id="support", css_class="wide", launcher=True, nonce="abc")
    before, _, rest = html.partition("<template>")
    inside, _, after = rest.partition("</template>")
    assert before.startswith('<chatkit-launcher lang="en" dir="ltr" id="support" class="wide" data-open=')
    assert inside.count("<openai-chatkit data-chatkit") == 1
    assert "support" not in inside.partition("<script")[0]
    assert re.fullmatch(
        r'</chatkit-launcher><script type="module" src="[^"]+/launcher.js" nonce="abc"></script>', after
    )


def test_launcher_remembers_the_thread_unless_it_is_told_where(request_):
    assert '"storage": "session"' in render_chatkit(request_, launcher=True)
    assert '"storage": "local"' in render_chatkit(request_, launcher=True, persist="local")


def test_launcher_at_the_other_side(request_):
    assert ' side="start"' in render_chatkit(request_, launcher="start")
    assert " side=" not in render_chatkit(request_, launcher="end")


def test_launcher_of_another_kind_is_refused(request_):
    with pytest.raises(ValueError, match="launcher is True"):
        render_chatkit(request_, launcher="left")  # type: ignore[arg-type]


def test_page_opens_no_socket_where_none_is_served(request_: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # As under Django's own application, which ends each with an error.
    monkeypatch.delitem(sys.modules, "chatkit_app.routing", raising=False)
    assert config_of(render_chatkit(request_))["socketUrl"] is None


def test_page_opens_a_socket_where_they_are_served(request_: Any) -> None:
    import chatkit_app.routing  # noqa: F401

    assert config_of(render_chatkit(request_))["socketUrl"] == "/ws/chatkit/?endpoint=%2Fchatkit"
