"""allauth's accounts, its middleware and its login."""

from tests.sites.base import *  # noqa: F403
from tests.sites.base import INSTALLED_APPS as BASE_APPS
from tests.sites.base import MIDDLEWARE as BASE_MIDDLEWARE

INSTALLED_APPS = [*BASE_APPS, "allauth", "allauth.account"]
MIDDLEWARE = [*BASE_MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ROOT_URLCONF = "tests.sites.allauth.urls"
