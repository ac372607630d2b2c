from django.urls import include, path

from tests.sites.urls import urlpatterns as patterns

urlpatterns = [path("accounts/", include("allauth.urls")), *patterns]
