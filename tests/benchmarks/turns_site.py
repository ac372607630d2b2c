"""Settings of the site that ``turns`` measures."""

import json
import os
from pathlib import Path

from tests.attack.unmet_limits import UNMET_LIMITS
from tests.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.turns_urls"
CHATKIT = {
    "SERVER": "tests.benchmarks.turns_urls.TalkingServer",
    "CLIENT": "bundled",
    "LIMITS": UNMET_LIMITS,
    **json.loads(os.environ["CHATKIT_BENCHMARK_SETTINGS"]),
}
if os.environ["CHATKIT_TEST_DATABASE"] == "sqlite":
    DATABASES["default"]["NAME"] = Path(os.environ["CHATKIT_BENCHMARK_FOLDER"], "db.sqlite3")  # noqa: F405
DATABASES["default"]["CONN_MAX_AGE"] = None  # noqa: F405
