"""Django 6's own middleware for a content security policy."""

from tests.sites.base import *  # noqa: F403
from tests.sites.base import MIDDLEWARE as BASE_MIDDLEWARE

MIDDLEWARE = [*BASE_MIDDLEWARE, "django.middleware.csp.ContentSecurityPolicyMiddleware"]
SECURE_CSP = {"default-src": ["'self'"], "script-src": ["'self'", "<CSP_NONCE_SENTINEL>"]}
STREET = {"django": (6, 0)}
