"""Behind nginx, which takes the prefix away."""

from tests.sites.base import *  # noqa: F403

FORCE_SCRIPT_NAME = "/shop"
STATIC_URL = "/shop/static/"
USE_X_FORWARDED_HOST = True
STREET = {"proxy": "strips", "page": "/shop/"}
