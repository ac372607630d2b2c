"""Settings of the site that ``loading`` measures: WhiteNoise serves its static files, or nginx from their folder."""

import os
from pathlib import Path

from tests.benchmarks.turns_site import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.loading_urls"
MIDDLEWARE.insert(1, "whitenoise.middleware.WhiteNoiseMiddleware")  # noqa: F405
STATIC_ROOT = Path(os.environ["CHATKIT_BENCHMARK_FOLDER"], "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
