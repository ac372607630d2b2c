from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path, re_path
from django.views.decorators.csrf import ensure_csrf_cookie

PAGE = """<!doctype html><title>Shop</title>{% load chatkit %}
<a rel="admin" href="{% url 'admin:index' %}">Staff</a>{% chatkit %}"""


@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(PAGE).render({}, request))  # type: ignore[attr-defined]


urlpatterns = [
    path("", page),
    path("", include("chatkit_app.urls")),
    path("admin/", admin.site.urls),
    # For want of a web server before it. WhiteNoise never lets a request get here.
    re_path(r"^static/(?P<path>.*)$", serve, {"insecure": True}),
]
