"""psycopg's pool, small."""

from tests.sites.base import *  # noqa: F403
from tests.sites.base import DATABASES as BASE_DATABASES

_database = BASE_DATABASES["default"]
_options = _database.get("OPTIONS", {}) | {"pool": {"min_size": 2, "max_size": 6, "timeout": 10}}
DATABASES = {"default": _database | {"OPTIONS": _options}}
STREET = {"database": "postgresql"}
