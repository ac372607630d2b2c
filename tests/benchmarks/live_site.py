"""Settings of the site that ``live`` measures."""

import json
import os

from tests.benchmarks.turns_site import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.live_urls"
CHANNEL_LAYERS = json.loads(os.environ["CHATKIT_BENCHMARK_LAYERS"])
