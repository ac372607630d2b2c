"""REST framework and django-htmx beside the chat."""

from tests.sites.base import *  # noqa: F403
from tests.sites.base import INSTALLED_APPS as BASE_APPS
from tests.sites.base import MIDDLEWARE as BASE_MIDDLEWARE

INSTALLED_APPS = [*BASE_APPS, "rest_framework", "django_htmx"]
MIDDLEWARE = [*BASE_MIDDLEWARE, "django_htmx.middleware.HtmxMiddleware"]
ROOT_URLCONF = "tests.sites.rest_and_htmx.urls"
REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"]}
