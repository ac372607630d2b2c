"""The admin, and the chat where the app is installed."""

from django.apps import apps
from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls)]
if apps.is_installed("chatkit_app"):
    urlpatterns.append(path("", include("chatkit_app.urls")))
