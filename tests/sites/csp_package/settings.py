"""django-csp with nonces, and nothing that is not the site's own."""

from csp.constants import NONCE, SELF

from tests.sites.base import *  # noqa: F403
from tests.sites.base import MIDDLEWARE as BASE_MIDDLEWARE

MIDDLEWARE = [*BASE_MIDDLEWARE, "csp.middleware.CSPMiddleware"]
CONTENT_SECURITY_POLICY = {"DIRECTIVES": {"default-src": [SELF], "script-src": [SELF, NONCE]}}
