"""Users with UUIDs for keys, who log in with their e-mail address."""

from tests.sites.base import *  # noqa: F403
from tests.sites.base import INSTALLED_APPS as BASE_APPS

INSTALLED_APPS = [*BASE_APPS, "tests.sites.email_users"]
AUTH_USER_MODEL = "email_users.User"
