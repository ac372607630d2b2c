"""As django-tenants' tutorial has it: the shared schema has all tables, and each tenant has those of the site again."""

import json
import os

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as SITE_APPS
from tests.settings import MIDDLEWARE as SITE_MIDDLEWARE

DATABASES = {
    "default": json.loads(os.environ["CHATKIT_SITE_DATABASE"])
    | {"ENGINE": "django_tenants.postgresql_backend"}
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_APPS = SITE_APPS
SHARED_APPS = INSTALLED_APPS = ["django_tenants", "tests.sites.tenants", *SITE_APPS]
TENANT_MODEL = "tenants.Customer"
TENANT_DOMAIN_MODEL = "tenants.Domain"
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware", *SITE_MIDDLEWARE]
ROOT_URLCONF = "tests.sites.tenants.urls"
MEDIA_ROOT = os.environ["CHATKIT_SITE_FILES"]
STORAGES = {
    "default": {"BACKEND": "django_tenants.files.storage.TenantFileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CHATKIT = {
    "SERVER": "tests.sites.tenants.chat.CustomerServer",
    "AGENT": "tests.sites.tenants.chat.agent",
    "ATTACHMENTS": {},
    "CHECKPOINT_INTERVAL": 0.3,
    "RUN_RETENTION": 0.0,
    # All tests come from one address.
    "LIMITS": {"ADDRESS_VISITORS_PER_HOUR": None, "ADDRESS_MESSAGES_PER_MINUTE": None},
    # So that requests would meet in one thread, were it shared.
    "REQUEST_THREADS": 1,
}
