"""An admin of the site's own in the place of the stock one."""

from tests.sites.base import *  # noqa: F403
from tests.sites.base import INSTALLED_APPS as BASE_APPS

INSTALLED_APPS = [app for app in BASE_APPS if app != "django.contrib.admin"]
INSTALLED_APPS.insert(0, "tests.sites.custom_admin.apps.ShopAdminConfig")
