"""The demo under django-unfold, whose admin has looks of its own."""

from tests.demo_settings import *  # noqa: F403
from tests.demo_settings import INSTALLED_APPS

INSTALLED_APPS = ["unfold", *INSTALLED_APPS]
