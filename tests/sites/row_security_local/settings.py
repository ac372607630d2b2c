"""The middleware opens a transaction for the request and sets the variable for that alone."""

from tests.settings import MIDDLEWARE as SITE_MIDDLEWARE
from tests.sites.row_security.settings import *  # noqa: F403
from tests.sites.row_security.settings import CHATKIT as SESSION_CHATKIT

MIDDLEWARE = [*SITE_MIDDLEWARE, "tests.middlewares.with_set_local.middleware"]
CHATKIT = SESSION_CHATKIT | {"DATABASE_CONTEXT": "tests.sites.row_security_local.security.as_user"}
