"""Behind nginx, which leaves the prefix, so that the site's own addresses have it."""

from tests.sites.base import *  # noqa: F403

ROOT_URLCONF = "tests.sites.prefix_kept.urls"
STATIC_URL = "/shop/static/"
USE_X_FORWARDED_HOST = True
STREET = {"proxy": "keeps", "page": "/shop/"}
