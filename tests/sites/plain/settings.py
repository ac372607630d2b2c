from tests.sites.base import *  # noqa: F403
