from tests.sites.base import *  # noqa: F403
from tests.sites.base import MIDDLEWARE as BASE_MIDDLEWARE

MIDDLEWARE = [*BASE_MIDDLEWARE, "tests.sites.middleware.simple"]
