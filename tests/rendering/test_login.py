"""Where a visitor who has to log in is led."""

from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.views import LoginView
from django.test import RequestFactory
from django.urls import path, set_script_prefix
from django.utils import translation

from chatkit_app.rendering.login import login_url


class BackLoginView(LoginView):
    redirect_field_name = "back"


urlpatterns = [
    path("in/", LoginView.as_view(), name="in"),
    path("back/", BackLoginView.as_view(), name="back"),
    path("named/", LoginView.as_view(redirect_field_name="then"), name="named"),
    *i18n_patterns(path("enter/", LoginView.as_view(), name="enter")),
]


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("/accounts/login/", "/accounts/login/?next=/shop/%3Fpage%3D2"),
        ("in", "/in/?next=/shop/%3Fpage%3D2"),
        ("back", "/back/?back=/shop/%3Fpage%3D2"),
        ("named", "/named/?then=/shop/%3Fpage%3D2"),
        ("/in/?theme=dark", "/in/?theme=dark&next=/shop/%3Fpage%3D2"),
        (
            "https://id.example.com/login",
            "https://id.example.com/login?next=http%3A//testserver/shop/%3Fpage%3D2",
        ),
    ],
)
def test_login_url_leads_back_to_the_page(settings, setting, url):
    settings.LOGIN_URL = setting
    assert login_url(RequestFactory().get("/shop/?page=2")) == url


def test_login_url_is_that_of_the_page_s_language(settings):
    settings.LOGIN_URL = "enter"
    with translation.override("de"):
        assert login_url(RequestFactory().get("/de/")) == "/de/enter/?next=/de/"


def test_login_url_of_a_site_beneath_a_path_has_the_field_of_its_view(settings):
    settings.LOGIN_URL = "back"
    request = RequestFactory(SCRIPT_NAME="/site").get("/shop/")
    set_script_prefix("/site/")
    try:
        assert login_url(request) == "/site/back/?back=/site/shop/"
    finally:
        set_script_prefix("/")
