from tests.sites.base import *  # noqa: F403

USE_TZ = False
