from tests.sites.base import *  # noqa: F403
from tests.sites.base import DATABASES as BASE_DATABASES

DATABASES = {"default": BASE_DATABASES["default"] | {"ATOMIC_REQUESTS": True}}
