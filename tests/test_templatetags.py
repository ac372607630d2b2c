"""``{% chatkit %}`` in a template."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.template import Context, RequestContext, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import include, path
from django.utils import translation

urlpatterns = [path("", include("chatkit_app.urls"))]


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


def render(tag: str, **values: Any) -> str:
    request = RequestFactory().get("/")
    return Template("{% load chatkit %}" + tag).render(RequestContext(request, values))


def test_tag_alone_renders_the_element():
    assert '<openai-chatkit data-chatkit lang="en" dir="ltr">' in render("{% chatkit %}")


def test_tag_passes_its_arguments_on():
    html = render(
        '{% chatkit id="support" class="wide" thread=thread persist="local"'
        ' url="/chat" nonce="n" options=o %}',
        thread="thr_7",
        o={"locale": "de"},
    )
    assert 'id="support" class="wide"' in html
    assert '"initialThread": "thr_7"' in html
    assert '"storage": "local"' in html
    assert '"endpoint": "/chat"' in html
    assert 'nonce="n"' in html
    assert '"locale": "de"' in html


def test_tag_takes_the_nonce_of_django_s_context_processor(settings):
    settings.CHATKIT = {"CLIENT": "openai"}
    assert render("{% chatkit %}", csp_nonce="from-context").count('nonce="from-context"') == 2


def test_tag_with_an_unknown_argument_is_refused():
    with pytest.raises(TypeError, match="no argument threat"):
        render('{% chatkit threat="thr_1" %}')


def test_tag_without_a_request_says_what_is_missing():
    with pytest.raises(ImproperlyConfigured, match=r"context_processors\.request"):
        Template("{% load chatkit %}{% chatkit %}").render(Context())


def test_page_view_sets_the_csrf_cookie_and_makes_no_session(client, settings):
    settings.ROOT_URLCONF = "tests.browser.site"
    response = client.get("/")
    assert list(response.cookies) == ["csrftoken"]


def test_page_that_asks_for_a_login_varies_with_the_cookie(client, settings):
    settings.ROOT_URLCONF = "tests.browser.real_site"
    settings.CHATKIT = {"LOGIN_REQUIRED": True}
    response = client.get("/members/")
    assert "Please log in to go on." in response.content.decode()
    assert "Cookie" in response["Vary"]
    assert list(response.cookies) == []


def test_tag_works_with_the_request_alone():
    request = HttpRequest()
    html = Template("{% load chatkit %}{% chatkit %}").render(Context({"request": request}))
    assert "<openai-chatkit" in html


@pytest.mark.parametrize(
    ("language", "head"),
    [("en", '<html lang="en" dir="ltr">'), ("ar", '<html lang="ar" dir="rtl">')],
)
def test_ready_page_is_whole_and_in_the_language_of_its_reader(language, head):
    with translation.override(language):
        html = render_to_string("chatkit_app/page.html", request=RequestFactory().get("/"))
        title = translation.gettext("Chat")
    assert html.startswith("<!doctype html>")
    assert head in html
    assert f"<title>{title}</title>" in html
    assert "<openai-chatkit" in html
