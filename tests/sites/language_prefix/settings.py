"""All of the site's addresses begin with a language."""

from tests.sites.base import *  # noqa: F403

ROOT_URLCONF = "tests.sites.language_prefix.urls"
LANGUAGE_CODE = "de"
STREET = {"page": "/de/"}
