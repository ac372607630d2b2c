from tests.sites.base import *  # noqa: F403
from tests.sites.base import MIDDLEWARE as BASE_MIDDLEWARE

MIDDLEWARE = ["tests.sites.middleware.SyncOnly", *BASE_MIDDLEWARE, "tests.sites.middleware.simple"]
