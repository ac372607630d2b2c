"""The middleware tells the request's connection who asks, and the guide's function tells the chat's."""

import json
import os

from tests.settings import *  # noqa: F403
from tests.settings import MIDDLEWARE as SITE_MIDDLEWARE

DATABASES = {"default": json.loads(os.environ["CHATKIT_SITE_DATABASE"])}
MIDDLEWARE = [*SITE_MIDDLEWARE, "tests.middlewares.with_set_config.middleware"]
CHATKIT = {
    "AGENT": "tests.sites.row_security.chat.agent",
    "DATABASE_CONTEXT": "tests.sites.row_security.security.as_user",
    "CHECKPOINT_INTERVAL": 0.3,
    "RUN_RETENTION": 0.0,
    # All tests come from one address.
    "LIMITS": {"ADDRESS_VISITORS_PER_HOUR": None, "ADDRESS_MESSAGES_PER_MINUTE": None},
}
